"""What surrounds the panes: title, counters, message line, key line, and the one line of a too small terminal."""

from collections.abc import Iterable
from time import monotonic
from typing import ClassVar

from textual.screen import Screen

from tui.model.finding import Report
from tui.model.snapshot import Cluster
from tui.screen.commands import Command, key_line
from tui.screen.format import Line, counters
from tui.screen.header import Freshness, title
from tui.screen.textview import Bar


class ConsoleScreen(Screen[None], inherit_bindings=False):
    """The one screen under the dialogs. Its classes follow the terminal's size; ``app.tcss`` does the rest."""

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [  # type: ignore[misc]  # Textual's own way
        (0, "-narrow"),
        (40, "-stacked"),
        (85, "-wide"),
    ]
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [  # type: ignore[misc]
        (0, "-short"),
        (10, "-low"),
        (34, "-tall"),
    ]


class Frame:
    """The bars around the panes, and what they say."""

    def __init__(self, cluster: Cluster, *, read_only: bool, ascii_only: bool) -> None:
        self._cluster = cluster
        self._read_only = read_only
        self._freshness = Freshness(monotonic)
        self._report: Report | None = None
        self._said = Line()
        self._summary = Bar(ascii_only=ascii_only, identity="summary")
        self._title = Bar(ascii_only=ascii_only, identity="title")
        self._counters = Bar(ascii_only=ascii_only, identity="counters")
        self._message = Bar(ascii_only=ascii_only, identity="message")
        self._keys = Bar(ascii_only=ascii_only, identity="keys")

    def above(self) -> Iterable[Bar]:
        """Return the rows above the panes."""
        return self._summary, self._title, self._counters

    def below(self) -> Iterable[Bar]:
        """Return the rows below the panes."""
        return self._message, self._keys

    def observed(self, report: Report) -> None:
        """Take a newer report."""
        self._report = report
        self._freshness.observed(report.snapshot)
        self.draw_title()

    def draw_title(self) -> None:
        """Draw where we are and how old the data is."""
        age = self._freshness.age()
        self._title.show(*title(self._cluster, self._report, age, self._read_only, self._title.size.width))

    def draw_counters(self, status: Line) -> None:
        """Draw the counts, and what is special about the pane."""
        tally = counters(self._report)
        self._counters.show(tally, status)
        self._summary.show(tally)

    def say(self, said: Line) -> None:
        """Keep a sentence on the message line until the next one, or until an empty one."""
        self._said = said

    def draw_message(self, hint: Line) -> None:
        """Draw what was said, else the pane's hint."""
        self._message.show(self._said if self._said.spans else hint)

    def draw_keys(self, commands: list[Command]) -> None:
        """Draw the keys that work now."""
        self._keys.show(key_line(commands, self._keys.size.width))
