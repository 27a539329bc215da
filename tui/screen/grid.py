"""A table on the line API for thousands of rows: cells are made for visible rows only, and only changes are painted.

A row is known by its key, so the cursor and the marks stay with their row wherever it moves. May import format only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.screen.columns import Column, Sorting, layout
from tui.screen.extent import set_extent
from tui.screen.format import Span, to_ascii
from tui.screen.tones import TONE_CLASSES, fit, tone_style

Item = TypeVar("Item")

_HEADER_ROWS = 1
_GUTTER = 2
"""The mark's column and the space after it."""


class Grid(ScrollView, Generic[Item], can_focus=True, inherit_bindings=False):
    """Rows of equal columns with a cursor and marks."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*TONE_CLASSES, "grid--header", "grid--cursor", "grid--mark"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="grid.up", tooltip="The row above"),
        Binding("down,j", "move(1)", "Down", show=False, id="grid.down", tooltip="The row below"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="grid.page-up", tooltip="One screenful up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="grid.page-down", tooltip="One screenful down"),
        Binding("home,g", "edge(False)", "First", show=False, id="grid.first", tooltip="The first row"),
        Binding("end,G", "edge(True)", "Last", show=False, id="grid.last", tooltip="The last row"),
        Binding("left", "shift(-1)", "Left", show=False, id="grid.left", tooltip="The columns to the left"),
        Binding("right", "shift(1)", "Right", show=False, id="grid.right", tooltip="The columns that find no room"),
    ]

    class Moved(Message):
        """The cursor stands on another row, or on none (``key`` None)."""

        def __init__(self, key: str | None) -> None:
            super().__init__()
            self.key = key

        def can_replace(self, message: Message) -> bool:
            """Only the newest position matters."""
            return isinstance(message, Grid.Moved)

    class Chosen(Message):
        """The row under the pointer was clicked twice."""

    def __init__(
        self,
        columns: Sequence[Column[Item]],
        key: Callable[[Item], str],
        *,
        ascii_only: bool = False,
        identity: str | None = None,
    ) -> None:
        super().__init__(id=identity)
        self.columns = tuple(columns)
        self.marks: frozenset[str] = frozenset()
        self.sorting: Sorting[Item] | None = None
        """What the rows were sorted by, told in the header."""
        self._key = key
        self._ascii_only = ascii_only
        self._items: Sequence[Item] = ()
        self._index: Mapping[str, int] = {}
        self._cursor = 0
        self._steered = False
        """Whether anybody has moved the cursor: until then it stays on the first row, whichever that is."""
        self._anchor: str | None = None
        """The row that was marked last: where a range begins."""
        self._shifted = 0
        """How many columns are left out on the left."""
        self._layouts: tuple[tuple[int, int], tuple[tuple[Column[Item], int], ...]] = ((-1, 0), ())
        self._painted: dict[str, tuple[Span, ...]] = {}
        """The cells of the rows that were painted since the last change, by key: what a change is compared with."""

    # What is shown.

    @property
    def items(self) -> Sequence[Item]:
        """The rows, in the order shown."""
        return self._items

    @property
    def selected(self) -> Item | None:
        """The row under the cursor; None when there are no rows."""
        return self._items[self._cursor] if self._items else None

    @property
    def cursor(self) -> int:
        """The cursor's row number, from 0."""
        return self._cursor

    def show(self, items: Sequence[Item]) -> None:
        """Replace the rows. The cursor stays on its row, at its height on the screen where that is possible."""
        before = self._visible()
        selected = self.selected
        key = self._key(selected) if selected is not None else None
        kept = key if self._steered else None
        height_on_screen = self._cursor - self._top
        self._items = items
        self._index = {self._key(item): number for number, item in enumerate(items)}
        self._cursor = self._index.get(kept or "", min(self._cursor, max(0, len(items) - 1)))
        gone = self.marks - self._index.keys()
        if gone:
            self.marks -= gone
        set_extent(self, Size(1, len(items) + _HEADER_ROWS))
        if kept is not None:
            self._scroll(self._cursor - height_on_screen)
        self._follow()
        self._refresh_changes(before)
        now = self.selected
        if (self._key(now) if now is not None else None) != key:
            self._tell()

    def mark(self, keys: Iterable[str]) -> None:
        """Mark exactly these rows."""
        before, self.marks = self.marks, frozenset(keys) & self._index.keys()
        for key in before ^ self.marks:
            self._refresh_row(self._index[key]) if key in self._index else None

    def toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor, and move on."""
        if (selected := self.selected) is not None:
            self._steered = True
            self._anchor = self._key(selected)
            self.mark(self.marks ^ {self._anchor})
            self.action_move(1)

    def mark_range(self) -> None:
        """Mark every row from the one that was marked last to the cursor; without one, the row under the cursor."""
        if not self._items:
            return
        begin, end = sorted((self._index.get(self._anchor or "", self._cursor), self._cursor))
        self._steered = True
        self._anchor = self._key(self._items[self._cursor])
        self.mark(self.marks | {self._key(item) for item in self._items[begin : end + 1]})

    @property
    def taken(self) -> list[Item]:
        """The marked rows, in their order; without marks, the one under the cursor."""
        marked = [item for item in self._items if self._key(item) in self.marks]
        selected = self.selected
        return marked or ([] if selected is None else [selected])

    # Moving.

    def action_move(self, rows: int) -> None:
        """Move the cursor by this many rows."""
        self.go(self._cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by this many screenfuls."""
        self.go(self._cursor + pages * max(1, self._height - 1))

    def action_edge(self, last: bool) -> None:
        """Move the cursor to the first or the last row."""
        self.go(len(self._items) - 1 if last else 0)

    def action_shift(self, columns: int) -> None:
        """Show the columns further to the right, as long as some find no room, or go back."""
        moving = [column for column in self.columns if not column.kept]
        if columns > 0 and len(self._fitted) + self._shifted >= len(self.columns):
            return
        self._shifted = max(0, min(self._shifted + columns, len(moving) - 1))
        self.refresh()

    def go(self, row: int) -> None:
        """Move the cursor to a row, or as near as there is one."""
        row = max(0, min(row, len(self._items) - 1))
        self._steered = True
        if row == self._cursor or not self._items:
            return
        before, self._cursor = self._cursor, row
        self._refresh_row(before)
        self._refresh_row(row)
        self._follow()
        self._tell()

    def _tell(self) -> None:
        selected = self.selected
        self.post_message(self.Moved(self._key(selected) if selected is not None else None))

    def on_click(self, event: Click) -> None:
        """Move the cursor to the row under the pointer."""
        row = self._top + event.y - _HEADER_ROWS
        if event.y >= _HEADER_ROWS and row < len(self._items):
            self.go(row)
            if event.chain == 2:
                self.post_message(self.Chosen())

    @property
    def _top(self) -> int:
        return int(self.scroll_offset.y)

    @property
    def _height(self) -> int:
        return max(0, self.size.height - _HEADER_ROWS)

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=max(0, min(top, len(self._items) - self._height)), animate=False, immediate=True, force=True)

    def _follow(self) -> None:
        """Keep the cursor's row in sight."""
        if self._cursor < self._top:
            self._scroll(self._cursor)
        elif self._height and self._cursor >= self._top + self._height:
            self._scroll(self._cursor - self._height + 1)

    # Painting.

    def on_resize(self, event: Resize) -> None:
        """Fit the columns into the new width."""
        set_extent(self, Size(1, len(self._items) + _HEADER_ROWS))
        self._follow()

    @property
    def _fitted(self) -> tuple[tuple[Column[Item], int], ...]:
        """The columns of the present width."""
        fitted = (self.size.width - _GUTTER, self._shifted)
        if self._layouts[0] != fitted:
            self._layouts = (fitted, layout(self.columns, *fitted))
        return self._layouts[1]

    def _title(self, column: Column[Item], width: int) -> str:
        if self.sorting is None or column is not self.sorting.column:
            return fit(column.title, width)
        arrow = "↓" if self.sorting.descending else "↑"
        title = column.title[: width - 1] + arrow
        return fit(to_ascii(title) if self._ascii_only else title, width)

    def _visible(self) -> dict[int, str]:
        rows = range(self._top, min(self._top + self._height, len(self._items)))
        return {row - self._top: self._key(self._items[row]) for row in rows}

    def _refresh_changes(self, before: Mapping[int, str]) -> None:
        """Repaint the visible lines whose row is another one or whose cells are not as they were painted."""
        after = self._visible()
        painted, self._painted = self._painted, {}
        for y in sorted(before.keys() | after.keys()):
            key = after.get(y)
            if key is None or before.get(y) != key or painted.get(key) != self._cells(self._items[self._index[key]]):
                self.refresh(Region(0, y + _HEADER_ROWS, self.size.width, 1))
            else:
                self._painted[key] = painted[key]

    def _refresh_row(self, row: int) -> None:
        y = row - self._top
        if 0 <= y < self._height:
            self.refresh(Region(0, y + _HEADER_ROWS, self.size.width, 1))

    def _cells(self, item: Item) -> tuple[Span, ...]:
        return tuple(column.cell(item) for column, _ in self._fitted)

    def render_line(self, y: int) -> Strip:
        """Paint the header or one row."""
        width = self.size.width
        if y < _HEADER_ROWS:
            style = self.get_component_rich_style("grid--header")
            titles = " ".join(self._title(column, size) for column, size in self._fitted)
            return Strip([Segment(fit(" " * _GUTTER + titles, width), style)], width)
        row = self._top + y - _HEADER_ROWS
        if row >= len(self._items):
            return Strip.blank(width, self.rich_style)
        return self._row(row, width)

    def _row(self, row: int, width: int) -> Strip:
        item = self._items[row]
        key = self._key(item)
        cells = self._painted[key] = self._cells(item)
        over = self.get_component_rich_style("grid--cursor", partial=True) if row == self._cursor else Style.null()
        ground = self.rich_style + over
        mark = (
            Segment("* ", self.rich_style + self.get_component_rich_style("grid--mark", partial=True) + over)
            if key in self.marks
            else Segment("> " if row == self._cursor else "  ", ground)
        )
        segments = [mark]
        for (column, size), cell in zip(self._fitted, cells, strict=True):
            text = fit(cell.text, size, column.elide, ascii_only=self._ascii_only)
            segments += [Segment(text, tone_style(self, cell.tone) + over), Segment(" ", ground)]
        return Strip(segments).adjust_cell_length(width, ground).simplify()
