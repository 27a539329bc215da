"""The armed window by keyboard: a form, a question that spells it out, a countdown, and one key that ends it."""

from dataclasses import replace
from pathlib import Path

from tests.screen.console import Console, console
from tests.test_autofix import ALL
from tui.demo import Machine
from tui.demo.sites import ec2
from tui.model.arming import Wish
from tui.screen.armed import ArmForm, ArmQuestion
from tui.screen.commands import live_commands


def joining() -> Machine:
    return replace(ec2("aws-new-1", 60, 60), forwards=False)


async def asked(shown: Console, nodes: str = "aws-new-*", *more: str) -> None:
    """Fill the form in, and come to the question."""
    await shown.press("A")
    assert isinstance(shown.app.screen, ArmForm)
    await shown.press(*map(key, nodes), *more, "enter")
    await shown.until(lambda: isinstance(shown.app.screen, ArmQuestion))


def key(sign: str) -> str:
    return {"-": "minus", "*": "asterisk", "=": "equals_sign"}.get(sign, sign)


async def test_new_nodes_are_fixed_unasked_once_it_is_confirmed(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy") as shown:
        await asked(shown)
        text = shown.unwrapped()
        assert "Only nodes named aws-new-* that join from now on are touched: let a VM forward; create a route" in text
        assert "At most 10 changes, until " in text
        assert "Nothing is only deleted" in text
        await shown.press("enter")
        assert "ARMED" not in shown.text(), "it stands on Cancel"
        await asked(shown)
        await shown.press("y")
        assert "ARMED aws-new-*: " in shown.rows()[1]
        shown.world.add_node(joining())
        await shown.until(lambda: shown.world.interface("aws-new-1").forwards)
        await shown.until(lambda: "9 left" in shown.rows()[1])


async def test_one_key_disarms(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy") as shown:
        await asked(shown)
        await shown.press("y", "A")
        assert "ARMED" not in shown.text()
        assert "Disarmed: by hand" in shown.text()
        await shown.press("4")
        assert "disarmed" in shown.text()


async def test_it_says_why_it_is_over(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy") as shown:
        await asked(shown)
        await shown.press("y")
        shown.world.clock.advance(3601)
        await shown.press("ctrl+r")
        await shown.until(lambda: "Disarmed: its time is up" in shown.text())


async def test_what_cannot_be_armed_is_said_in_the_form(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy") as shown:
        await shown.press("A", "enter")
        assert isinstance(shown.app.screen, ArmForm)
        assert "must not be empty" in shown.text()
        await shown.press("a", "tab", "x", "enter")
        assert isinstance(shown.app.screen, ArmForm)
        assert "must be some of forwarding,create-route,replace-route" in shown.unwrapped()
        await shown.press("escape")
        assert not isinstance(shown.app.screen, ArmForm)


async def test_in_a_protected_context_the_name_is_typed(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy", protected=True) as shown:
        await asked(shown)
        await shown.press("y")
        assert isinstance(shown.app.screen, ArmQuestion)
        await shown.press("tab", *map(key, "demo-healthy"), "enter")
        assert "ARMED" in shown.rows()[1]


async def test_a_console_that_may_not_write_has_no_key_for_it(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy", read_only=True) as shown:
        assert not any("A" in command.keys for command in live_commands(shown.app.screen))
        await shown.press("A")
        assert not isinstance(shown.app.screen, ArmForm)


async def test_what_the_command_line_wishes_for_is_asked_about_first(tmp_path: Path) -> None:
    wish = Wish(nodes="aws-new-*", kinds=ALL, max_changes=3, span_s=600)
    async with console(tmp_path, "healthy", wish=wish) as shown:
        await shown.until(lambda: isinstance(shown.app.screen, ArmQuestion))
        assert "At most 3 changes" in shown.unwrapped()
        await shown.press("y")
        assert "ARMED aws-new-*: 9 min, 3 left" in shown.rows()[1] or "10 min" in shown.rows()[1]
