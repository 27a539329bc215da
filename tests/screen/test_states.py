"""What the console looks like in every state it can be in, at every size that is drawn differently.

The pictures are texts that were looked at; ``UPDATE_GOLDEN=1`` writes them anew.
"""

import os
import re
from pathlib import Path

import pytest

from tests.screen.console import Console, console
from tui.demo import Call

GOLDEN = Path(__file__).parents[1] / "golden" / "screens"
SIZES = ((40, 10), (80, 24), (84, 34), (85, 24), (120, 40), (200, 60))


async def hold_against(shown: Console, name: str, sizes: tuple[tuple[int, int], ...] = SIZES) -> None:
    """Draw the console at every size, one after the other, as somebody does who resizes the terminal."""
    for columns, rows in sizes:
        await shown.pilot.resize_terminal(columns, rows)
        await shown.until(lambda rows=rows: len(shown.rows()) == rows and not shown.app._batch_count)  # type: ignore[misc]
        seen = "".join(f"{_timeless(row).rstrip()}\n" for row in shown.rows())
        path = GOLDEN / f"{name}-{columns}x{rows}.txt"
        if os.environ.get("UPDATE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(seen, encoding="utf-8")
        assert seen == path.read_text(encoding="utf-8"), f"{path.name} is\n{seen}"


def _timeless(row: str) -> str:
    """The simulated time goes on while the test waits."""
    return re.sub(r"\b\d+ s\b", "N s", re.sub(r"\d\d:\d\d:\d\dZ", "HH:MM:SSZ", row))


@pytest.mark.parametrize("scenario", ["mixed", "healthy", "empty", "denied", "large"])
async def test_a_state_is_drawn_at_every_size(tmp_path: Path, scenario: str) -> None:
    async with console(tmp_path, scenario) as shown:
        await hold_against(shown, scenario)


async def test_before_the_first_list_is_complete(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed", ready=False, held=Call.LIST) as shown:
        await shown.until(lambda: "synchronising" in shown.text())
        await hold_against(shown, "synchronising", ((40, 10), (80, 24)))


async def test_nothing_is_left_to_show(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy") as shown:
        await shown.press("e")
        await hold_against(shown, "all-hidden", ((80, 24),))


@pytest.mark.parametrize(("pane", "name"), [("2", "routes"), ("3", "upgrade"), ("5", "journal")])
async def test_a_pane_is_drawn_at_every_size(tmp_path: Path, pane: str, name: str) -> None:
    # One cloud, since several answer in no order, and what needs a hand is told newest first.
    async with console(tmp_path, "gce") as shown:
        await shown.press(pane)
        await hold_against(shown, name, ((40, 10), (80, 24), (120, 40)))


async def test_ascii_is_drawn_with_ascii(tmp_path: Path) -> None:
    async with console(tmp_path, "hostile", ascii_only=True) as shown:
        await hold_against(shown, "ascii", ((80, 24), (120, 40)))
        assert all(path.read_text().isascii() for path in GOLDEN.glob("ascii-*"))
