"""What was applied, on the screen: the journal, and the key that takes an apply back."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.screen.console import Console, console
from tui.demo import Call
from tui.engine.journal import Journal
from tui.ports import Rejected
from tui.screen.commands import live_commands
from tui.screen.confirm import Confirm
from tui.screen.cutoff import CutOff, FixingCutOff
from tui.screen.dialog import Notice
from tui.screen.run import Run


async def applied(shown: Console, *keys: str) -> None:
    """Press these keys, confirm the plan that they ask for, and close the result."""
    await shown.press(*keys)
    await shown.until(lambda: isinstance(shown.app.screen, Confirm))
    await shown.press("y")
    await shown.until(lambda: isinstance(shown.app.screen, Run) and shown.app.screen.ended)
    await shown.press("enter")


def forwards(shown: Console) -> list[bool | None]:
    return [shown.world.interface(name).forwards for name in ("linux-3", "windows-2")]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_an_apply_is_taken_back_by_keyboard(tmp_path: Path, size: tuple[int, int]) -> None:
    async with console(tmp_path, size=size) as shown:
        await applied(shown, "F")
        assert forwards(shown) == [True, True]
        await shown.press("u")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        (apply,) = shown.session.applies()
        assert f"Take back {apply.id} on demo-aws?" in shown.text()
        assert "DANGER:" in shown.text()
        await shown.press("escape")
        assert forwards(shown) == [True, True]
        await applied(shown, "u")
        await shown.until(lambda: forwards(shown) == [False, False])
        await shown.press("u")
        await shown.until(lambda: "Nothing to undo: no apply in the journal" in shown.text())


async def test_the_journal_grows_with_every_apply_newest_first(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await shown.press("5")
        await shown.until(lambda: "Nothing was applied yet." in shown.text())
        await shown.press("1")
        shown.world.fail_next(Call.WRITE, Rejected("a policy forbids it"))
        await applied(shown, "F")
        await applied(shown, "u")
        await shown.press("5")
        await shown.until(lambda: "2 applies, newest first" in shown.text())
        text = shown.unwrapped()
        first, second = shown.session.applies()
        assert text.index(second.id) < text.index(f"takes back {first.id}") < text.rindex(first.id)
        assert "failed: a policy forbids it" in text


async def test_an_earlier_run_that_was_cut_off_stands_in_the_journal(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        plan = shown.session.propose(None)
        journal = Journal(shown.session.journal_path, shown.world.clock)  # as a process leaves it that was killed
        journal.began("2026-01-01T115900Z-abcdef", plan)
        journal.intent("2026-01-01T115900Z-abcdef", plan.changes[0])
        await shown.press("ctrl+r", "5")
        await shown.until(lambda: "CUT OFF" in shown.text())
        assert "2026-01-01T115900Z-abcdef is the newest that still stands" in shown.text()
        assert "may or may not be written" in shown.unwrapped()


async def killed(folder: Path, *, in_place: bool, long_ago: bool = True) -> None:
    """Leave the journal as a process does that was killed around the first of two writes, an hour ago or just now.

    The next console has a fresh world, in which a change's inverse is in place and the change itself is not.
    """
    async with console(folder) as shown:
        plan = shown.session.propose(None)
        (change, *_) = plan.changes
        Journal(shown.session.journal_path, shown.world.clock).began("2026-01-01T115900Z-abcdef", plan)
        Journal(shown.session.journal_path, shown.world.clock).intent(
            "2026-01-01T115900Z-abcdef", change.inverse() if in_place else change
        )
        path = shown.session.journal_path
        if long_ago:
            path.write_text(path.read_text().replace('"at":"2026-01-01T12:', '"at":"2026-01-01T11:'))


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
@pytest.mark.parametrize(("key", "asks"), [("f", "Apply to demo-aws?"), ("u", "Take back 2026-01-01T115900Z-abcdef")])
async def test_a_start_after_a_kill_tells_what_became_and_offers_the_ways_on(
    tmp_path: Path, size: tuple[int, int], key: str, asks: str
) -> None:
    await killed(tmp_path, in_place=True)
    async with console(tmp_path, size=size) as shown:
        await shown.until(lambda: isinstance(shown.app.screen, FixingCutOff))
        text = shown.unwrapped()
        assert "An earlier apply was cut off" in text
        assert "1 of 2 changes were begun" in text
        assert "it is in place" in text
        await shown.press(key)
        await shown.until(lambda: isinstance(shown.app.screen, Confirm) and asks in shown.text())


async def test_what_was_left_alone_is_not_told_again(tmp_path: Path) -> None:
    await killed(tmp_path, in_place=False)
    async with console(tmp_path) as shown:
        await shown.until(lambda: isinstance(shown.app.screen, FixingCutOff))
        assert "it is not in place" in shown.unwrapped()
        await shown.press("escape", "5")
        await shown.until(lambda: "found after the apply was cut off" in shown.unwrapped())
    async with console(tmp_path) as shown:
        await shown.press("5")
        await shown.until(lambda: "1 apply, newest first" in shown.text())
        assert not isinstance(shown.app.screen, CutOff)


async def test_what_may_still_change_is_told_again(tmp_path: Path) -> None:
    await killed(tmp_path, in_place=False, long_ago=False)
    for _ in range(2):
        async with console(tmp_path) as shown:
            await shown.until(lambda: isinstance(shown.app.screen, FixingCutOff))
            assert "it is not in place, which may still change" in shown.unwrapped()
            assert "What is not certain yet is told again at the next start." in shown.unwrapped()


async def test_a_console_that_cannot_write_only_tells_it(tmp_path: Path) -> None:
    await killed(tmp_path, in_place=False)
    for _ in range(2):
        async with console(tmp_path, read_only=True) as shown:
            await shown.until(lambda: type(shown.app.screen) is CutOff)
            await shown.press("f", "u")
            assert type(shown.app.screen) is CutOff
            await shown.press("enter")
            assert not isinstance(shown.app.screen, CutOff)


async def test_what_cannot_be_taken_back_is_said_in_a_notice(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        plan = shown.session.propose(frozenset({"linux-3"}))
        (change,) = plan.changes
        journal = Journal(shown.session.journal_path, shown.world.clock)
        journal.began("2026-01-01T115900Z-abcdef", plan)
        journal.intent("2026-01-01T115900Z-abcdef", replace(change, node_uid="that of a node that is gone"))
        await shown.press("u")
        await shown.until(lambda: isinstance(shown.app.screen, Notice))
        assert "Nothing that can be taken back" in shown.text()
        assert "not-undone" in shown.text()


async def test_read_only_shows_the_journal_and_has_no_undo(tmp_path: Path) -> None:
    async with console(tmp_path, read_only=True) as shown:
        keys = {key for command in live_commands(shown.app.screen) for key in command.keys}
        assert "5" in keys
        assert "u" not in keys
        await shown.press("u", "5")
        await shown.until(lambda: "Nothing was applied yet." in shown.text())
