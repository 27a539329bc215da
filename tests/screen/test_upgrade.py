"""The upgrade pane: what an operator sees who leaves it open, and mends from it."""

from pathlib import Path

import pytest

from tests.screen.console import Console, complete, console
from tui.screen.commands import live_commands
from tui.screen.confirm import Confirm
from tui.screen.run import Run
from tui.screen.upgrade import UpgradePane


async def test_before_anything_happens_it_says_so(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy") as shown:
        await shown.press("3")
        assert "No upgrade is under way" in shown.text()
        assert "No node has begun to leave since then." in shown.text()
        assert "unroutable for 0 s in all, 0 nodes now" in shown.text()


async def until_all_left(shown: Console) -> None:
    """Wait until every node has left, in leaps of the world's time, and what comes after it has come."""

    def all_left() -> bool:
        if "gone, and no replacement has joined" in shown.unwrapped():
            return True
        shown.world.clock.advance(15)
        return False

    await shown.until(all_left)
    await shown.until(lambda: complete(shown.app))


async def test_an_upgrade_is_watched_and_mended_by_keyboard(tmp_path: Path) -> None:
    async with console(tmp_path, "rolling-upgrade", size=(80, 24)) as shown:
        await shown.press("3")
        await until_all_left(shown)
        await shown.press("ctrl+r")
        text = shown.unwrapped()
        assert "Needs a hand, newest first" in text
        assert "v1.35.0 on 11" in text
        assert "aws-pool-6 ready, and its pods cannot be reached: its VM may not forward" in text
        assert "10.42.22.0/24 was az-pool-2's, and its route still leads there" in text
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        await shown.press("tab", *("minus" if key == "-" else key for key in "demo-rolling-upgrade"), "enter")
        await shown.until(lambda: isinstance(shown.app.screen, Run) and shown.app.screen.ended)
        await shown.press("enter")
        await shown.until(lambda: "11 of 12 replaced" in shown.text())
        assert "0 nodes now" in shown.text()


async def test_a_guess_is_marked_and_what_decides_is_not(tmp_path: Path) -> None:
    async with console(tmp_path, "rolling-upgrade", size=(120, 40)) as shown:
        await shown.press("3")
        await until_all_left(shown)
        rows = {row.split()[2]: row for row in shown.rows() if "→" in row}
        assert "(a guess)" not in rows["gce-pool-1"], "it came back under its name"
        assert "no replacement yet" in rows["gce-pool-4"]


async def test_a_console_that_may_not_write_has_no_key_to_fix(tmp_path: Path) -> None:
    async with console(tmp_path, "rolling-upgrade", read_only=True) as shown:
        await shown.press("3")
        assert not any("f" in command.keys for command in live_commands(shown.app.screen))
        await until_all_left(shown)
        await shown.press("f")
        assert not isinstance(shown.app.screen, Confirm)


async def test_it_can_be_the_first_pane(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy", pane=UpgradePane.TITLE) as shown:
        assert "No upgrade is under way" in shown.text()


@pytest.mark.parametrize("pane", ["3", "4"])
async def test_what_was_watched_is_written_with_a_picture(tmp_path: Path, pane: str) -> None:
    async with console(tmp_path, "rolling-upgrade") as shown:
        await shown.press(pane, "x")
        await shown.until(lambda: "Written: demo-rolling-upgrade-" in shown.text())
        (report,) = (tmp_path / "exports").glob("*.md")
        assert report.with_suffix(".svg").exists()
