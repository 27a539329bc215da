"""The console as a person has it: in tmux, driven by keys alone, seen through what tmux says is on the screen."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LIMIT_S = 30.0


class Tmux:
    """A tmux server of its own with one window in which the console runs."""

    def __init__(self, folder: Path, size: tuple[int, int], *words: str) -> None:
        program = shutil.which("tmux")
        if program is None:
            pytest.skip("tmux is not installed")
        self._call = [program, "-S", str(folder / "tmux"), "-f", os.devnull]
        state = f"L2BRIDGE_STATE_DIR={shlex.quote(str(folder / 'state'))}"
        command = f"{state} {shlex.join([sys.executable, '-m', 'tui', *words])}; echo ended with $?; cat"
        columns, rows = map(str, size)
        self._tmux("new-session", "-d", "-x", columns, "-y", rows, command)

    def _tmux(self, *words: str) -> str:
        # A size in the environment would count more than the window's.
        environ = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "TMUX"}}
        call = [*self._call, *words]
        done = subprocess.run(call, capture_output=True, text=True, check=True, timeout=LIMIT_S, env=environ)
        return done.stdout

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        """Let the window have the size of another terminal, as when somebody attaches from there."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def rows(self) -> list[str]:
        return self._tmux("capture-pane", "-p").splitlines()

    def until(self, holds: Callable[[list[str]], bool]) -> list[str]:
        deadline_s = time.monotonic() + LIMIT_S
        while not holds(rows := self.rows()):
            assert time.monotonic() < deadline_s, "\n".join(rows)
            time.sleep(0.02)
        return rows

    def shows(self, *texts: str) -> list[str]:
        return self.until(lambda rows: all(any(text in row for row in rows) for text in texts))

    def end(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[..., Tmux]]:
    made: list[Tmux] = []

    def begin(size: tuple[int, int], *words: str) -> Tmux:
        made.append(Tmux(tmp_path, size, *words))
        return made[-1]

    yield begin
    for each in made:
        each.end()


def test_one_node_is_fixed_by_keyboard_at_80_by_24(tmux: Callable[..., Tmux]) -> None:
    shown = tmux((80, 24), "--demo=gce")
    rows = shown.shows("6 nodes  4 FIX !  2 OK +", "gce-win-1", "q quit")
    assert len(rows) == 24
    shown.press("/", "win", "Enter")
    shown.shows("filter: win", "gce-win-1: ")
    shown.press("d")
    shown.shows("error forwarding-off", "esc back")
    shown.press("Escape")
    shown.shows("filter: win")  # an f in one burst after escape would be alt-f to any program
    shown.press("f")
    shown.shows("Apply to demo-gce?", "[ Cancel ]", "tab, type demo-gce")
    shown.press("Tab", "demo-gce", "Enter")
    shown.shows("2 applied")
    shown.press("Escape")
    shown.shows("filter: win")
    shown.press("Escape")
    rows = shown.shows("6 nodes  3 FIX !  3 OK +")
    assert not any("filter" in row for row in rows[:2])
    shown.press("5")
    shown.shows("gce-win-1", "applied")
    shown.press("q")
    shown.shows("ended with 0")


def test_it_follows_a_terminal_that_becomes_another_size(tmux: Callable[..., Tmux]) -> None:
    shown = tmux((120, 40), "--demo=mixed")
    shown.shows("18 nodes  5 BAD x  8 FIX !  1 NEW *  4 OK +", "│")
    shown.press("G")
    shown.until(lambda rows: any(row.startswith("> OK +  gce-linux-1") for row in rows))
    for columns, rows in ((80, 24), (84, 24), (85, 24), (40, 10), (200, 60)):
        shown.resize(columns, rows)
        is_wide, height = columns >= 85, rows
        shown.until(
            lambda seen, is_wide=is_wide, height=height: (  # type: ignore[misc]
                len(seen) == height
                and any(row.startswith("> OK +  gce-linux-1") for row in seen)
                and any("│" in row for row in seen) is is_wide
            )
        )
    shown.resize(39, 9)
    shown.until(lambda seen: sum(bool(row.strip()) for row in seen) == 1 and seen[0].startswith("18 nodes"))
    shown.resize(80, 24)
    shown.shows("> OK +  gce-linux-1", "q quit")
