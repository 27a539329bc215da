"""How long the console takes to its first paint and to its filled list, against a program that everybody knows.

Run by hand: ``python -m tests.bench.bench_start [RUNS]``, or with ``--once PROGRAM [ARGUMENT...]`` to see one console
open and quit, also at the end of a command line that installs it first. Every run is a fresh process in a
pseudo-terminal of 80 by 24. The first paint is the moment at which the context's name has arrived there, the list is
filled when a node's name has; the embedded world's simulated latency is part of the latter. The yardstick, run in turn
with the console so that both meet the same load, is ``kubectl version --client``, where kubectl is missing ``python -c
pass``. Standard library only.
"""

import fcntl
import os
import pty
import select
import shutil
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence

_RUNS = 15
_LIMIT_S = 20.0
_INSTALLING_LIMIT_S = 600.0
_CONSOLE = (sys.executable, "-m", "tui", "--demo")
_PAINTED = b"demo-mixed"
_FILLED = b"aws-linux-1"
_MOST_LATER_S = 0.3


def open_console(command: Sequence[str], *, limit_s: float = _LIMIT_S) -> tuple[float, float]:
    """Return after how many seconds the console was painted and filled. Quits it, and raises when it ends badly."""
    began_s = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execvp(command[0], [*command])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    shown = b""
    painted_s: float | None = None
    filled_s: float | None = None
    while time.perf_counter() - began_s < limit_s:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            shown += os.read(terminal, 1 << 16)
        except OSError:  # how Linux says that nobody holds the other end any more
            break
        now_s = time.perf_counter() - began_s
        if painted_s is None and _PAINTED in shown:
            painted_s = now_s
        if filled_s is None and _FILLED in shown:
            filled_s = now_s
            os.write(terminal, b"q")
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 0 or painted_s is None or filled_s is None:
        raise RuntimeError(f"the console ended with {code} after showing {shown[-2000:]!r}")
    return painted_s, filled_s


def _seconds(command: Sequence[str]) -> float:
    began_s = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began_s


def main(runs: int) -> int:
    """Print the figures; return 0 when they are as wanted."""
    kubectl = shutil.which("kubectl")
    yardstick = (kubectl, "version", "--client") if kubectl else (sys.executable, "-c", "pass")
    most = 6 if kubectl else 25
    _seconds(yardstick)
    open_console(_CONSOLE)  # writes byte code, warms the disk's cache
    measured = [(_seconds(yardstick), *open_console(_CONSOLE)) for _ in range(runs)]
    unit_s = statistics.median(yard for yard, _, _ in measured)
    painted_s = statistics.median(painted for _, painted, _ in measured)
    later_s = statistics.median(filled - painted for _, painted, filled in measured)
    print(f"{' '.join(yardstick)}: {unit_s:.3f} s (median of {runs})")
    print(f"first paint: {painted_s:.3f} s, {painted_s / unit_s:.1f} times as long (wanted: at most {most})")
    print(f"list filled: {later_s:.3f} s later (wanted: at most {_MOST_LATER_S})")
    return 0 if painted_s <= most * unit_s and later_s <= _MOST_LATER_S else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--once"]:
        seconds = open_console(sys.argv[2:], limit_s=_INSTALLING_LIMIT_S)
        print("painted after {:.2f} s, filled after {:.2f} s".format(*seconds))
        sys.exit()
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else _RUNS))
