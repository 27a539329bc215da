"""Every live command by name: the same list behind ``:`` and ``ctrl+p``."""

from collections.abc import Sequence

from tui.screen.columns import Column
from tui.screen.commands import Command
from tui.screen.format import Span, Tone
from tui.screen.picker import Picker

_COLUMNS: tuple[Column[Command], ...] = (
    Column(title="COMMAND", width=12, kept=True, cell=lambda c: Span(c.title, Tone.STRONG)),
    Column(title="KEY", width=13, kept=True, cell=lambda c: Span(" ".join(c.keys), Tone.KEY)),
    Column(title="WHAT IT DOES", width=20, ideal=60, cell=lambda c: Span(c.explanation)),
)


class Palette(Picker[Command]):
    """Type a part of a name, enter runs it. Returns the chosen command, None after escape."""

    def __init__(self, commands: Sequence[Command], *, ascii_only: bool) -> None:
        super().__init__(
            _COLUMNS,
            key=lambda command: command.id,
            text=lambda command: f"{command.title} {command.explanation} {command.id}",
            placeholder="command",
            ascii_only=ascii_only,
        )
        self._commands = [command for command in commands if command.obstacle is None]

    def on_mount(self) -> None:
        """Show all of them."""
        self.offer(self._commands)
