"""Every live command by name: the same list behind ``:`` and ``ctrl+p``."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.screen.commands import Command
from tui.screen.format import Column, Span, Tone
from tui.screen.grid import Grid
from tui.screen.lineinput import LineInput

_COLUMNS: tuple[Column[Command], ...] = (
    Column(title="COMMAND", width=12, kept=True, cell=lambda c: Span(c.title, Tone.STRONG)),
    Column(title="KEY", width=13, kept=True, cell=lambda c: Span(" ".join(c.keys), Tone.KEY)),
    Column(title="WHAT IT DOES", width=20, ideal=60, cell=lambda c: Span(c.explanation)),
)


class Palette(ModalScreen[Command], inherit_bindings=False):
    """Type a part of a name, enter runs it. Returns the chosen command, None after escape."""

    AUTO_FOCUS = "#command"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", show=False, id="palette.back"),
        Binding("ctrl+c", "leave", "Back", show=False, id="palette.interrupt"),
        Binding("up", "move(-1)", "Up", show=False, id="palette.up"),
        Binding("down", "move(1)", "Down", show=False, id="palette.down"),
    ]

    def __init__(self, commands: Sequence[Command], *, ascii_only: bool) -> None:
        super().__init__()
        self._commands = [command for command in commands if command.enabled]
        self._grid = Grid[Command](_COLUMNS, lambda command: command.id, ascii_only=ascii_only, identity="commands")

    def compose(self) -> ComposeResult:
        """The input above the list."""
        with Vertical(id="frame"):
            yield LineInput(placeholder="command", identity="command")
            yield self._grid

    def focus_input(self) -> None:
        """Take the keys now, not only with the next message."""
        self.set_focus(self.query_one(LineInput))

    def on_mount(self) -> None:
        """Show all of them."""
        self._grid.can_focus = False
        self._grid.show(self._commands)

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        wanted = event.value.lower().split()
        self._grid.show(
            [
                command
                for command in self._commands
                if all(word in f"{command.title} {command.explanation} {command.id}".lower() for word in wanted)
            ]
        )
        self._grid.action_edge(False)

    @on(Input.Submitted)
    def _run(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(self._grid.selected)

    @on(Grid.Chosen)
    def _clicked(self) -> None:
        self.dismiss(self._grid.selected)

    def action_leave(self) -> None:
        """Run nothing."""
        self.dismiss(None)

    def action_move(self, rows: int) -> None:
        """Move in the list while the input keeps the focus."""
        self._grid.action_move(rows)
