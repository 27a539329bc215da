"""The console in a real pseudo-terminal that is alive, gone, or read by nobody, and the signals that end it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LIMIT_S = 20.0


class Terminal:
    """The console on the embedded world's default scenario, which takes its time as a real one does."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._ours, theirs = pty.openpty()
        environ = {**os.environ, "L2BRIDGE_STATE_DIR": str(state), "COLUMNS": "80", "LINES": "24"}
        command = [sys.executable, "-m", "tui", "--demo"]
        self.process = subprocess.Popen(
            command, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str) -> None:
        while text not in self.seen:
            assert select.select([self._ours], [], [], LIMIT_S)[0], self.seen[-2000:]
            self.seen += os.read(self._ours, 65536).decode(errors="replace")

    def rest(self) -> str:
        """Read until the program has ended."""
        try:
            while select.select([self._ours], [], [], LIMIT_S)[0]:
                self.seen += os.read(self._ours, 65536).decode(errors="replace")
        except OSError:
            pass
        return self.seen

    def hang_up(self) -> None:
        os.close(self._ours)
        self._ours = -1

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self._ours >= 0:
            self.hang_up()

    def journal(self) -> list[str]:
        files = list((self.state / "journal").glob("*.jsonl"))
        lines = files[0].read_text().splitlines() if files else []
        return [str(json.loads(line)["type"]) for line in lines]


def until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.close()


def apply_three(terminal: Terminal) -> None:
    """Confirm the plan of three changes, and see the first one begin."""
    terminal.wait_for("3 FIX")
    terminal.type("F")
    terminal.wait_for("apply 3 changes")
    terminal.type("y")
    until(lambda: "intent" in terminal.journal())


def assert_ended_in_order(terminal: Terminal) -> None:
    """The change under way is recorded with its outcome, and no further one has begun."""
    assert terminal.journal() == ["began", "intent", "outcome", "ended"]


def test_termination_restores_the_terminal(terminal: Terminal) -> None:
    terminal.wait_for("3 FIX")
    terminal.process.send_signal(signal.SIGTERM)
    assert "\x1b[?1049l" in terminal.rest()
    assert terminal.process.wait(LIMIT_S) == 128 + signal.SIGTERM


def test_a_terminal_that_is_gone_holds_up_neither_the_change_nor_the_end(terminal: Terminal) -> None:
    apply_three(terminal)
    terminal.hang_up()
    terminal.process.send_signal(signal.SIGHUP)
    assert terminal.process.wait(LIMIT_S) == 128 + signal.SIGHUP
    assert_ended_in_order(terminal)


def test_a_terminal_that_nobody_reads_holds_up_neither_the_change_nor_the_end(terminal: Terminal) -> None:
    apply_three(terminal)
    terminal.type("\x1b[A\x1b[B" * 100)  # so that there is more to draw than the terminal takes
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.process.wait(LIMIT_S) == 128 + signal.SIGTERM
    assert_ended_in_order(terminal)


def test_a_terminal_that_nobody_reads_does_not_stop_an_apply(terminal: Terminal) -> None:
    apply_three(terminal)
    until(lambda: "ended" in terminal.journal())
    assert terminal.journal().count("outcome") == 3
