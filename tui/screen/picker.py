"""A list to choose from while a part of a name is typed: what the palette and the choice of a cluster are made of."""

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

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


class Picker(ModalScreen[Item], inherit_bindings=False):
    """Type a part of a name, enter takes it. Returns the chosen item, None after escape.

    ``key`` is an item's identity, ``text`` what the typed words are looked for in.
    """

    AUTO_FOCUS = "#typed"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", show=False, id="picker.back"),
        Binding("ctrl+c", "leave", "Back", show=False, id="picker.interrupt"),
        Binding("up", "move(-1)", "Up", show=False, id="picker.up"),
        Binding("down", "move(1)", "Down", show=False, id="picker.down"),
    ]

    def __init__(
        self,
        columns: Sequence[Column[Item]],
        *,
        key: Callable[[Item], str],
        text: Callable[[Item], str],
        placeholder: str,
        ascii_only: bool,
    ) -> None:
        super().__init__()
        self._text = text
        self._items: Sequence[Item] = ()
        self._input = LineInput(placeholder=placeholder, identity="typed")
        self.grid = Grid[Item](columns, key, ascii_only=ascii_only, identity="choices")

    def compose(self) -> ComposeResult:
        """The input above the list."""
        with Vertical(id="frame"):
            yield self._input
            yield self.grid

    def on_mount(self) -> None:
        """Leave the keys to the input."""
        self.grid.can_focus = False

    def focus_input(self) -> None:
        """Take the keys now, not only with the next message."""
        self.set_focus(self._input)

    def offer(self, items: Sequence[Item]) -> None:
        """Show these, as far as what is typed leaves them."""
        self._items = items
        self._narrow()

    def _narrow(self) -> None:
        wanted = self._input.value.lower().split()
        self.grid.show([item for item in self._items if all(word in self._text(item).lower() for word in wanted)])

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._narrow()
        self.grid.action_edge(False)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.choose()

    @on(Grid.Chosen)
    def _clicked(self) -> None:
        self.choose()

    def choose(self) -> None:
        """Take the item under the cursor."""
        self.leave(self.grid.selected)

    def action_leave(self) -> None:
        """Go back without choosing."""
        self.leave(None)

    def leave(self, item: Item | None) -> None:
        """End with this item, once: a key pressed twice at once must not take the screen below away too."""
        if self.is_active:
            self.dismiss(item)

    def action_move(self, rows: int) -> None:
        """Move in the list while the input keeps the focus."""
        self.grid.action_move(rows)
