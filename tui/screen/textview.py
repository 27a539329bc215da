"""Lines of toned text on the line API: wrapped to the width, scrolled, and repainted only where they changed.

Nothing in it is ever read as markup. May import format and what it is drawn with.
"""

from collections.abc import Iterable
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip
from textual.widget import Widget

from tui.screen.extent import set_extent
from tui.screen.format import Line
from tui.screen.tones import TONE_CLASSES, paint, wrap


class AsciiScrollBar(ScrollBarRender):
    """A scrollbar whose ends are not drawn in eighths of a cell."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * len(ScrollBarRender.VERTICAL_BARS)


class TextView(ScrollView, can_focus=True, inherit_bindings=False):
    """Scrollable lines."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(TONE_CLASSES)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="text.up", tooltip="One line up"),
        Binding("down,j", "move(1)", "Down", show=False, id="text.down", tooltip="One line down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="text.page-up", tooltip="One screenful up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="text.page-down", tooltip="One screenful down"),
        Binding("home,g", "edge(False)", "Top", show=False, id="text.top", tooltip="The first line"),
        Binding("end,G", "edge(True)", "End", show=False, id="text.end", tooltip="The last line"),
    ]

    def __init__(self, *, ascii_only: bool = False, identity: str | None = None) -> None:
        super().__init__(id=identity)
        self._ascii_only = ascii_only
        self._lines: tuple[Line, ...] = ()
        self._rows: list[Line] = []
        if ascii_only:
            self.vertical_scrollbar.renderer = AsciiScrollBar  # type: ignore[misc]  # meant to be replaced, by its docs

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown, before wrapping."""
        return self._lines

    def show(self, lines: Iterable[Line], *, top: bool = False) -> None:
        """Replace the lines; ``top`` scrolls to the first, else the position is kept."""
        self._lines = tuple(lines)
        before = self._rows
        self._wrap()
        if top:
            self.scroll_to(y=0, animate=False, immediate=True, force=True)
        offset = int(self.scroll_offset.y)
        for y in range(self.size.height):
            row = offset + y
            old = before[row] if row < len(before) else None
            new = self._rows[row] if row < len(self._rows) else None
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    def _wrap(self) -> None:
        width = self._width
        if width <= 0:
            return  # not laid out yet; the first size wraps
        self._rows = [row for line in self._lines for row in wrap(line, width, ascii_only=self._ascii_only)]
        set_extent(self, Size(self.size.width, len(self._rows)))

    def on_resize(self, event: Resize) -> None:
        """Wrap to the new width."""
        del event
        self._wrap()
        self.refresh()

    def action_move(self, rows: int) -> None:
        """Scroll by this many lines."""
        self.scroll_to(y=self.scroll_offset.y + rows, animate=False, immediate=True)

    def action_page(self, pages: int) -> None:
        """Scroll by this many screenfuls."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_edge(self, last: bool) -> None:
        """Scroll to the first or the last line."""
        self.scroll_to(y=len(self._rows) if last else 0, animate=False, immediate=True)

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        row = int(self.scroll_offset.y) + y
        if row >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        return paint(self, self._rows[row].spans, self._width, ascii_only=self._ascii_only)

    @property
    def _width(self) -> int:
        """The cells beside the scrollbar, whose place is kept free so that its appearance moves nothing."""
        return self.scrollable_content_region.width


class Bar(Widget):
    """One line: the left part, and a right part that wins where both do not fit."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(TONE_CLASSES)

    def __init__(self, *, ascii_only: bool = False, identity: str | None = None) -> None:
        super().__init__(id=identity)
        self._ascii_only = ascii_only
        self.left = Line()
        self.right = Line()

    def show(self, left: Line, right: Line | None = None) -> None:
        """Replace the line; nothing is painted when it is the same."""
        right = right or Line()
        if (left, right) != (self.left, self.right):
            self.left, self.right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint it."""
        width = self.size.width
        if y > 0:
            return Strip.blank(width, self.rich_style)
        right = paint(self, self.right.spans, min(width, measure(self.right)), ascii_only=self._ascii_only)
        left = paint(self, self.left.spans, width - right.cell_length, ascii_only=self._ascii_only)
        return Strip.join([left, right])


def measure(line: Line) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(span.text) for span in line.spans)
