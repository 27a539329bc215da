"""The console in a real pseudo-terminal that is alive, gone, or read by nobody, and the signals that end it."""

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal import LIMIT_S, Terminal

CHANGES = 10
"""As many as a single key confirms, and more than are written side by side."""


class Console(Terminal):
    """The console on a scenario whose plan a single key confirms, and which takes its time as a real one does."""

    def __init__(self, state: Path, **changes: str) -> None:
        told = {"COLUMNS": "80", "LINES": "24", "L2BRIDGE_STATE_DIR": str(state)}
        super().__init__("--demo=large", whole=True, **{**told, **changes})
        self.state = state

    def journal(self) -> list[str]:
        files = list((self.state / "journal").glob("*.jsonl"))
        written = files[0].read_text() if files else ""
        lines = written.rpartition("\n")[0].splitlines()  # the last line may be on its way
        return [str(json.loads(line)["type"]) for line in lines]


def until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path)
    yield made
    made.kill()


def apply_all(terminal: Console) -> None:
    """Confirm a plan of more changes than are written side by side, and see the first ones begin."""
    terminal.wait_for(f"{CHANGES} FIX")
    terminal.type("F")
    terminal.wait_for(f"apply {CHANGES} changes")
    terminal.type("y")
    until(lambda: "intent" in terminal.journal())


def assert_ended_in_order(terminal: Console) -> None:
    """The changes under way are recorded with their outcomes, and no further one has begun."""
    journal = terminal.journal()
    assert journal.count("outcome") == journal.count("intent") < CHANGES
    assert journal[-1] == "ended"


def test_termination_restores_the_terminal(terminal: Console) -> None:
    terminal.wait_for(f"{CHANGES} FIX")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM
    assert "\x1b[?1049l" in terminal.seen


def test_a_terminal_that_is_gone_holds_up_neither_the_change_nor_the_end(terminal: Console) -> None:
    apply_all(terminal)
    terminal.hang_up()
    terminal.process.send_signal(signal.SIGHUP)
    assert terminal.wait() == 128 + signal.SIGHUP
    assert_ended_in_order(terminal)


def test_a_terminal_that_nobody_reads_holds_up_neither_the_change_nor_the_end(terminal: Console) -> None:
    apply_all(terminal)
    terminal.type("\x1b[A\x1b[B" * 100)  # so that there is more to draw than the terminal takes
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.wait() == 128 + signal.SIGTERM
    assert_ended_in_order(terminal)


def test_a_terminal_that_nobody_reads_does_not_stop_an_apply(terminal: Console) -> None:
    apply_all(terminal)
    until(lambda: "ended" in terminal.journal())
    assert terminal.journal().count("outcome") == CHANGES


def test_a_terminal_without_a_size_is_drawn_at_80_by_24(tmp_path: Path) -> None:
    terminal = Terminal("--demo=large", whole=True, L2BRIDGE_STATE_DIR=str(tmp_path))
    try:
        terminal.wait_for(f"{CHANGES} FIX")
        terminal.type("q")
        assert terminal.end() == 0
        assert len(terminal.seen) < 200_000, "it is drawn again and again"
    finally:
        terminal.kill()


def test_a_locale_without_utf_8_gets_ascii_only(tmp_path: Path) -> None:
    terminal = Console(tmp_path, LC_ALL="C", PYTHONUTF8="")
    try:
        terminal.wait_for(f"{CHANGES} FIX")
        terminal.type("?")
        terminal.wait_for("Keys that work here")
        terminal.until_quiet(0.5)
        assert terminal.seen.isascii()
        assert "-" * 20 in terminal.seen, "its lines are drawn too"
    finally:
        terminal.kill()


def test_the_console_looks_for_cycles_seldom(tmp_path: Path) -> None:
    told = tmp_path / "told"
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, gc, pathlib\n"
        f"atexit.register(lambda: pathlib.Path({str(told)!r}).write_text(str(gc.get_threshold()[0])))\n"
    )
    terminal = Console(tmp_path, PYTHONPATH=str(tmp_path))
    try:
        terminal.wait_for(f"{CHANGES} FIX")
        terminal.type("q")
        assert terminal.end() == 0
    finally:
        terminal.kill()
    assert int(told.read_text()) >= 100_000


def switch(terminal: Terminal, name: str) -> None:
    """Go to another scenario by its name, and see that its console has come."""
    terminal.seen = ""
    terminal.type(":")
    terminal.wait_for("WHAT IT DOES")
    terminal.type("ctx\r")
    terminal.wait_for("rolling-upgrade")
    terminal.seen = ""
    terminal.type(f"{name}\r")
    terminal.wait_for(f"demo-{name}")


@pytest.fixture
def switching(tmp_path: Path) -> Iterator[Terminal]:
    """The console on one scenario, of which another one may only be read."""
    (tmp_path / "config.toml").write_text('[contexts."demo-azure"]\nread-only = true\n')
    told = {"COLUMNS": "80", "LINES": "24", "L2BRIDGE_STATE_DIR": str(tmp_path)}
    made = Terminal("--demo=gce", "--config", str(tmp_path / "config.toml"), whole=True, **told)
    made.wait_for("4 FIX")
    yield made
    made.kill()


def test_another_cluster_s_console_takes_the_place_of_this_one(switching: Terminal, tmp_path: Path) -> None:
    switch(switching, "azure")
    switching.wait_for("az-win-1")
    switching.wait_for("mRO\x1b")
    switch(switching, "healthy")
    switching.wait_for("9 OK")
    switching.type("q")
    assert switching.end() == 0
    kept = [json.loads(path.read_text()) for path in (tmp_path / "state").iterdir()]
    counts = {told["context"]: sum(told["counts"].values()) for told in kept}
    assert counts["demo-gce"] == 6
    assert set(counts) == {"demo-gce", "demo-azure", "demo-healthy"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_second_console_as_they_end_the_first(switching: Terminal, number: signal.Signals) -> None:
    switch(switching, "azure")
    switching.wait_for("az-win-1")
    switching.process.send_signal(number)
    assert switching.end() == 128 + number
    assert "\x1b[?1049l" in switching.seen


def test_a_console_that_serves_metrics_stays_with_its_cluster(tmp_path: Path) -> None:
    told = {"COLUMNS": "120", "LINES": "60", "L2BRIDGE_STATE_DIR": str(tmp_path)}
    terminal = Terminal("--demo=gce", "watch", "--ui", "--metrics", "127.0.0.1:0", whole=True, **told)
    try:
        terminal.wait_for("4 FIX")
        terminal.type("?")
        terminal.wait_for("Switch to another cluster")
        terminal.wait_for(" (not now: ")
        shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.seen)
        assert "Switch to another cluster (not now: metrics," in shown
    finally:
        terminal.kill()
