"""What the panes with thousands of rows have in common: a list with a filter, the detail of its row, and a notice.

Only the pane that is shown draws: the others catch up when they are.
"""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from functools import partial
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.reactive import reactive

from tui.model.finding import Report
from tui.render import json_text
from tui.render_table import Form, Table
from tui.screen.choices import Forms, Order, Orders
from tui.screen.columns import Sorting
from tui.screen.dialog import Notice
from tui.screen.filtered import FilteredPane
from tui.screen.format import Line, Span, Tone, legible, line
from tui.screen.grid import Grid
from tui.screen.messages import CommandsRequested, CopyRequested, Failed, ListRequested
from tui.screen.textview import TextView

Item = TypeVar("Item")


class ListPane(FilteredPane, Generic[Item]):
    """A list, worst first, beside the detail of the selected row. ``list_keys`` are its keys."""

    fix_key: ClassVar[str | None] = None
    """The key that opens a plan; None where nothing can be written."""

    only_wrong: reactive[bool] = reactive(False, repaint=False)
    sorting: reactive[Sorting[Item] | None] = reactive(None, repaint=False)
    """What the rows are sorted by; None: worst first."""

    def __init__(self, grid: Grid[Item], detail: TextView, *, ascii_only: bool) -> None:
        super().__init__(ascii_only=ascii_only)
        self.grid = grid
        self.detail = detail
        self.notice = TextView(ascii_only=ascii_only, identity="notice")
        self._behind = False
        """Whether there is something newer than what was drawn."""

    def compose(self) -> ComposeResult:
        """List, what stands there while there is none, detail, filter."""
        yield self.notice
        yield self.grid
        yield self.detail
        yield self.input

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.notice.can_focus = False
        self.detail.can_focus = False
        self._draw()

    # What is shown, and what can be taken away of it.

    @abstractmethod
    def _chosen(self, report: Report) -> Sequence[Item]:
        """Return the rows that the filter lets through, worst first."""

    @abstractmethod
    def _notice(self, report: Report | None, any_shown: bool) -> list[Line]:
        """Return what stands in place of the list; nothing where the list is to be seen."""

    @abstractmethod
    def _show_detail(self, report: Report) -> None:
        """Draw the detail of the selected row."""

    @abstractmethod
    def _facts(self, item: Item) -> dict[str, object]:
        """Return what was observed of a row."""

    @abstractmethod
    def _identity(self, item: Item) -> str:
        """Return the id by which the cloud knows what a row is about."""

    @abstractmethod
    def _owners(self, item: Item) -> Iterable[str]:
        """Return the names of the nodes that a fix of a row would be for."""

    def _document(self, items: Sequence[Item]) -> str:
        """Return rows as JSON."""
        return self._table(items).text(Form.JSON)

    def _table(self, items: Sequence[Item]) -> Table:
        columns = self.grid.columns
        return Table([column.name for column in columns], [[column.cell(i).text for column in columns] for i in items])

    def watch_report(self) -> None:
        """Draw the newer report."""
        self._draw()

    def watch_query_text(self) -> None:
        """Filter again."""
        self._draw()

    def watch_only_wrong(self) -> None:
        """Filter again."""
        self._draw()

    def watch_sorting(self) -> None:
        """Sort again."""
        self._draw()
        self.grid.refresh()

    def _draw(self) -> None:
        self._behind = True
        if self.is_mounted and self.display:
            self._redraw()

    def _redraw(self) -> None:
        self._behind = False
        report = self.report
        items = self._chosen(report) if report else []
        self.grid.sorting = self.sorting
        items = self.sorting.sorted(items) if self.sorting else items
        self._put_notice(self._notice(report, bool(items)))
        self.grid.show(items)
        self._draw_detail()

    def _put_notice(self, notice: list[Line]) -> None:
        """Let the notice stand in place of the list, keys and all, or the list in place of the notice."""
        had_keys = self.screen.focused in {self.grid, self.detail, self.notice}
        if self.has_class("-notice") is not bool(notice):
            self.app.delay_update()  # painted when everything is in its place
            self.set_class(bool(notice), "-notice")
            self.notice.can_focus = bool(notice)
            if had_keys:
                self.call_after_refresh(self.focus_content)  # what is not laid out yet takes no keys
        self.notice.show(notice)

    def _draw_detail(self) -> None:
        if self.report is not None:
            self._show_detail(self.report)
        self.status = self._status()

    def _status(self) -> Line:
        spans = [Span(" ")]
        if self.query_text:
            spans.append(Span(f"filter: {legible(self.query_text)}  ", Tone.KEY))
        if self.only_wrong:
            spans.append(Span("not OK only  ", Tone.KEY))
        if self.grid.marks:
            spans.append(Span(f"{len(self.grid.marks)} marked  ", Tone.KEY))
        number = len(self.grid.items)
        spans.append(Span(f"{self.grid.cursor + 1}/{number}" if number else "0/0", Tone.DIM))
        return line(*spans)

    def focus_content(self) -> None:
        """Give the keys to the detail if it is open, else to the list, else to what stands in its place."""
        if self._behind:
            self._redraw()
        if self.has_class("-notice"):
            self.notice.focus()
        else:
            (self.detail if self.has_class("-open") else self.grid).focus()

    @on(Grid.Moved)
    def _moved(self) -> None:
        self._draw_detail()

    @on(Grid.Chosen)
    def _clicked_twice(self) -> None:
        self.action_open()

    # What the keys do.

    def action_open(self) -> None:
        """Go into the detail."""
        if self.grid.selected is not None:
            self.add_class("-open")
            self.detail.can_focus = True
            self.detail.focus()
            self._draw_detail()

    def action_back(self) -> None:
        """Leave the detail; in the list, clear the filter, then the marks."""
        if self.has_class("-open"):
            self.remove_class("-open")
            self.grid.focus()
            self.detail.can_focus = False
            self._draw_detail()
        elif self.input.has_focus or self.query_text or self.only_wrong:
            self.only_wrong = False
            self.clear_filter()
        else:
            self.grid.mark(())
            self._draw_detail()

    def action_filter(self) -> None:
        """Type a filter, which is about the list."""
        self.action_back() if self.has_class("-open") else None
        super().action_filter()

    def action_only_wrong(self) -> None:
        """Hide what is OK, or show it again."""
        self.only_wrong = not self.only_wrong

    def action_mark(self) -> None:
        """Mark the row under the cursor."""
        self.grid.toggle_mark()
        self._draw_detail()

    def action_mark_range(self) -> None:
        """Mark the rows from the one that was marked last to the cursor."""
        self.grid.mark_range()
        self._draw_detail()

    def action_sort(self) -> None:
        """Choose a column to sort by; the same one again turns the order round."""
        orders = [Order(None), *map(Order, self.grid.columns)]
        self.app.push_screen(Orders(orders, ascii_only=self.ascii_only), self._sort)

    def _sort(self, order: "Order[Item] | None") -> None:
        if order is None:
            return
        before, column = self.sorting, order.column
        turned = before is not None and before.column is column and not before.descending
        self.sorting = None if column is None else Sorting(column, descending=turned)

    def action_wide(self) -> None:
        """Give the list the whole width, or the detail its part of it."""
        self.toggle_class("-columns")

    def action_raw(self) -> None:
        """Show what was observed of the selected row, as it is."""
        if (item := self.grid.selected) is not None:
            title = line(Span("As observed: ", Tone.STRONG), Span(legible(self._identity(item)), Tone.TITLE))
            rows = [line(row, indent=4) for row in json_text(self._facts(item)).splitlines()]
            self.app.push_screen(Notice(title, rows, ascii_only=self.ascii_only))

    def action_copy(self) -> None:
        """Copy the ids of the marked rows, else of the selected one."""
        ids = [self._identity(item) for item in self.grid.taken]
        if ids:
            self.post_message(CopyRequested("\n".join(ids), ids[0] if len(ids) == 1 else f"{len(ids)} ids"))

    def action_copy_command(self) -> None:
        """Copy the commands that would fix the marked rows, else the selected one."""
        nodes = frozenset(name for item in self.grid.taken for name in self._owners(item))
        self.post_message(CommandsRequested(nodes) if nodes else Failed("No node relies on this: there is no command."))

    def action_export(self) -> None:
        """Choose in which form the list is written: the marked rows, else all that are shown."""
        self.app.push_screen(Forms(ascii_only=self.ascii_only), self._export)

    def _export(self, form: Form | None) -> None:
        if form is not None:
            items = self.grid.taken if self.grid.marks else list(self.grid.items)
            is_json = form is Form.JSON
            write = partial(self._document, items) if is_json else partial(self._table(items).text, form)
            self.post_message(ListRequested(self.TITLE, form, write))
