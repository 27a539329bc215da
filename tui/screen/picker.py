"""A list to choose from by typing: what the palette, the sort orders and the forms of an export share."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.screen.columns import Column
from tui.screen.grid import Grid
from tui.screen.lineinput import LineInput

Item = TypeVar("Item")


class Picker(ModalScreen[Item], Generic[Item], inherit_bindings=False):
    """Type a part of it, enter chooses. Returns the chosen one, None after escape.

    ``said`` is what the typed words are looked for in, ``placeholder`` says what is to be chosen.
    """

    AUTO_FOCUS = "#command"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", show=False, id="picker.back"),
        Binding("ctrl+c", "leave", "Back", show=False, id="picker.interrupt"),
        Binding("up", "move(-1)", "Up", show=False, id="picker.up"),
        Binding("down", "move(1)", "Down", show=False, id="picker.down"),
    ]

    def __init__(
        self,
        items: Sequence[Item],
        columns: Sequence[Column[Item]],
        said: Callable[[Item], str],
        *,
        placeholder: str,
        ascii_only: bool,
    ) -> None:
        super().__init__()
        self._choices = items
        self._said = said
        self._placeholder = placeholder
        self._grid = Grid[Item](columns, said, ascii_only=ascii_only, identity="choices")

    def compose(self) -> ComposeResult:
        """The input above the list."""
        with Vertical(id="frame"):
            yield LineInput(placeholder=self._placeholder, identity="command")
            yield self._grid

    def focus_input(self) -> None:
        """Take the keys now, not only with the next message."""
        self.set_focus(self.query_one(LineInput))

    def on_mount(self) -> None:
        """Show all of them."""
        self._grid.can_focus = False
        self._grid.show(self._choices)

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        wanted = event.value.lower().split()
        self._grid.show([item for item in self._choices if all(word in self._said(item).lower() for word in wanted)])
        self._grid.action_edge(False)

    @on(Input.Submitted)
    def _choose(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(self._grid.selected)

    @on(Grid.Chosen)
    def _clicked(self) -> None:
        self.dismiss(self._grid.selected)

    def action_leave(self) -> None:
        """Choose nothing."""
        self.dismiss(None)

    def action_move(self, rows: int) -> None:
        """Move in the list while the input keeps the focus."""
        self._grid.action_move(rows)
