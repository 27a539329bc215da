"""Tones become styles, and lines become strips of an exact width: the one bridge from ``format`` to the terminal."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.screen.format import Elide, Line, Span, Tone, to_ascii

if TYPE_CHECKING:
    from textual.widget import Widget

TONE_CLASSES = frozenset(f"tone--{tone}" for tone in Tone)
"""The component classes that a widget which paints tones must declare; ``app.tcss`` gives them colours."""


def tone_style(widget: "Widget", tone: Tone) -> Style:
    """Return the style of a tone on the widget's own background."""
    return widget.rich_style + widget.get_component_rich_style(f"tone--{tone}", partial=True)


@lru_cache(maxsize=8192)
def fit(text: str, width: int, elide: Elide = Elide.END, *, ascii_only: bool = False) -> str:
    """Return the text in exactly ``width`` cells, padded or cut between characters, never through a wide one."""
    if ascii_only:
        text = to_ascii(text)
    length = cell_len(text)
    if length == width:
        return text
    if length < width:
        return text + " " * (width - length)
    if width <= 1:
        return set_cell_size(text, width)
    ellipsis = "~" if ascii_only else "…"
    if elide is Elide.HOST:
        host = text.partition(".")[0]
        if cell_len(host) >= width:
            return fit(host, width, Elide.MIDDLE, ascii_only=ascii_only)
        elide = Elide.END if host else Elide.MIDDLE
    if elide is Elide.END:
        return _exactly(_head(text, width - 1) + ellipsis, width)
    tail = (width - 1) // 2
    return _exactly(_head(text, width - 1 - tail) + ellipsis + _tail(text, tail), width)


def _exactly(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _head(text: str, width: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:index]
    return text


def _tail(text: str, width: int) -> str:
    used = 0
    for index in range(len(text) - 1, -1, -1):
        size = cell_len(text[index])
        used += size
        if used > width:
            kept = text[index + 1 :]
            # A combining character without the one that it belongs to would sit on the ellipsis.
            return kept.lstrip("".join(c for c in kept if not cell_len(c)))
    return text


def paint(widget: "Widget", spans: Iterable[Span], width: int, *, ascii_only: bool, over: Style | None = None) -> Strip:
    """Return spans as a strip of exactly ``width`` cells; ``over`` is laid over every tone."""
    segments: list[Segment] = []
    left = width
    ground = widget.rich_style + over if over else widget.rich_style
    for span in spans:
        text = to_ascii(span.text) if ascii_only else span.text
        length = cell_len(text)
        if length > left:
            text, length = fit(text, left, ascii_only=ascii_only), left
        style = tone_style(widget, span.tone)
        segments.append(Segment(text, style + over if over else style))
        left -= length
        if left <= 0:
            break
    if left > 0:
        segments.append(Segment(" " * left, ground))
    return Strip(segments, width).simplify()


def wrap(line: Line, width: int, *, ascii_only: bool = False) -> list[Line]:
    """Break a line at spaces, else between characters, so that every part fits ``width`` cells; never drops text."""
    folding = _Folding(width, min(line.indent, max(0, width - 8)))
    for span in line.spans:
        for word in _words(to_ascii(span.text) if ascii_only else span.text):
            folding.add(word, span.tone)
    return folding.rows()


class _Folding:
    """A line being broken into rows."""

    def __init__(self, width: int, indent: int) -> None:
        self._width = width
        self._indent = indent
        self._rows: list[Line] = []
        self._row: list[Span] = []
        self._used = 0
        self._blank = True
        """Whether the row holds nothing but spaces: breaking before its first word would leave an empty row."""

    def rows(self) -> list[Line]:
        """Return what was added."""
        return [*self._rows, Line(tuple(self._row))]

    def add(self, word: str, tone: Tone) -> None:
        """Add a word with the spaces after it."""
        if not self._blank and self._used + cell_len(word.rstrip()) > self._width:
            self._break()
            word = word.lstrip()
        while cell_len(word.rstrip()) > self._width - self._used:
            head = _head(word, max(1, self._width - self._used)) or word[:1]
            head = head[: head.rfind("/") + 1] or head  # a path breaks best between its segments
            self._row.append(Span(head, tone))
            self._break()
            word = word[len(head) :]
        if self._used + cell_len(word) > self._width:
            word = word.rstrip()  # spaces that only the end of the row would show
        self._row.append(Span(word, tone))
        self._used += cell_len(word)
        self._blank = self._blank and not word.strip()

    def _break(self) -> None:
        self._rows.append(Line(tuple(self._row)))
        self._row = [Span(" " * self._indent)] if self._indent else []
        self._used, self._blank = self._indent, True


def _words(text: str) -> Sequence[str]:
    """Split after every run of spaces, keeping them; leading spaces stay with the first word."""
    words: list[str] = []
    begin = 0
    for index in range(1, len(text)):
        if text[index - 1] == " " and text[index] != " " and text[begin:index].strip():
            words.append(text[begin:index])
            begin = index
    if text:
        words.append(text[begin:])
    return words
