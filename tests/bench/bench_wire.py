"""How many bytes a second the upgrade pane sends at 80x24 while nodes are replaced, three a minute.

Run by hand: ``python -m tests.bench.bench_wire [--for SECONDS]``. Ends with 1 if it is more than it may be.
"""

import argparse
import sys
import tempfile
import time

from tests.terminal import Terminal

LIMIT_BYTES_PER_S = 500


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description="Measure what the upgrade pane sends.")
    parser.add_argument("--for", dest="seconds", type=float, default=120.0, help="default: %(default)s")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        told = {"COLUMNS": "80", "LINES": "24", "L2BRIDGE_STATE_DIR": folder, "XDG_CONFIG_HOME": folder}
        terminal = Terminal("watch", "--ui", "--demo=rolling-upgrade", whole=True, **told)
        try:
            terminal.wait_for("No node has begun to leave")
            first = terminal.until_quiet(1.0)
            began_s, sent = time.monotonic(), 0
            while time.monotonic() - began_s < seconds:
                sent += terminal.until_quiet(1.0)
            rate = sent / (time.monotonic() - began_s)
        finally:
            terminal.kill()
    print(f"first screen {first} bytes, then {rate:.0f} bytes a second for {seconds:.0f} s")
    return 0 if rate <= LIMIT_BYTES_PER_S else 1


if __name__ == "__main__":
    sys.exit(main())
