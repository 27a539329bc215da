"""What a list pane lets one choose from: the columns to sort by, and the forms of an export."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tui.render_table import Form
from tui.screen.columns import Column
from tui.screen.format import Span, Tone
from tui.screen.picker import Picker

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Order(Generic[Item]):
    """A column to sort by; None: worst first."""

    column: Column[Item] | None

    @property
    def title(self) -> str:
        """How it is chosen."""
        return "Worst first" if self.column is None else self.column.title


class Orders(Picker[Order[Item]], Generic[Item], inherit_bindings=True):
    """Choose what rows are sorted by."""

    def __init__(self, orders: Sequence[Order[Item]], *, ascii_only: bool) -> None:
        columns: tuple[Column[Order[Item]], ...] = (
            Column(title="SORT BY", width=20, kept=True, cell=lambda order: Span(order.title, Tone.STRONG)),
        )
        super().__init__(
            columns,
            key=lambda order: order.title,
            text=lambda order: order.title,
            placeholder="column; again: the other way",
            ascii_only=ascii_only,
        )
        self._orders = orders

    def on_mount(self) -> None:
        """Show all of them."""
        self.offer(self._orders)


_ABOUT = {
    Form.CSV: "for spreadsheets and scripts",
    Form.MARKDOWN: "a table for tickets and documents",
    Form.JSON: "for programs; of nodes as check -o json prints it",
}


class Forms(Picker[Form], inherit_bindings=True):
    """Choose in which form a list is written."""

    def __init__(self, *, ascii_only: bool) -> None:
        columns: tuple[Column[Form], ...] = (
            Column(title="FORM", width=10, kept=True, cell=lambda form: Span(form.name.capitalize(), Tone.STRONG)),
            Column(title="WHAT FOR", width=20, ideal=60, cell=lambda form: Span(_ABOUT[form])),
        )
        super().__init__(
            columns,
            key=lambda form: form.value,
            text=lambda form: f"{form.name} {_ABOUT[form]}",
            placeholder="form",
            ascii_only=ascii_only,
        )

    def on_mount(self) -> None:
        """Show all of them."""
        self.offer(tuple(Form))
