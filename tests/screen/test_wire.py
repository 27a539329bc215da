"""What the console sends to a terminal, counted: over SSH every byte is waited for."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import Terminal

_COLOUR = re.compile(r"\x1b\[[0-9;:]*\b(?:3[0-7]|38|4[0-7]|48|9[0-7]|10[0-7])[;:m]")
"""An SGR sequence that sets a colour: one of the 8, of the bright ones, of 256, or of all."""
_QUIET_S = 1.0


@pytest.fixture
def terminal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    changes: dict[str, str] = getattr(request, "param", {})
    told = {"COLUMNS": "80", "LINES": "24", "L2BRIDGE_STATE_DIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    made = Terminal("--demo=aws", whole=True, **told, **changes)
    yield made
    made.kill()


def test_the_first_screen_a_keypress_and_nothing_cost_little(terminal: Terminal) -> None:
    terminal.wait_for("FIX !")
    terminal.until_quiet(_QUIET_S)
    assert len(terminal.seen.encode()) <= 20_000
    for key in ("j", "k", "G", "g", " ", "e", "e"):
        terminal.type(key)
        assert 0 < terminal.until_quiet(0.3) <= 2_000, key
    assert terminal.until_quiet(3.0) == 0


@pytest.mark.parametrize("terminal", [{"NO_COLOR": "1"}, {"L2BRIDGE_THEME": "mono"}], ids=str, indirect=True)
def test_without_colours_none_is_sent(terminal: Terminal) -> None:
    terminal.wait_for("FIX !")
    terminal.type("jf")
    terminal.wait_for("Plan: ")
    terminal.until_quiet(0.3)
    assert _COLOUR.search("\x1b[1;38;5;12mx"), "it would be found"
    assert not _COLOUR.findall(terminal.seen)
