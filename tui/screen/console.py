"""The one screen under the dialogs: the panes and the bars around them. What keys do is the app's business."""

from collections.abc import Iterable
from time import monotonic
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from tui.model.finding import Report
from tui.model.snapshot import Cluster
from tui.screen.commands import key_line, live_commands
from tui.screen.format import Line, Span, Tone, counters, legible, line
from tui.screen.grid import Grid
from tui.screen.header import Freshness, title
from tui.screen.pane import Pane
from tui.screen.textview import Bar

_AGE_CHECK_S = 10.0


class Console(Screen[None], inherit_bindings=False):
    """Title, counters, a pane, message line, key line; one summary line where the terminal is too small for more.

    The screen's classes follow the terminal's size; ``app.tcss`` does the rest.
    """

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

    report: reactive[Report | None] = reactive(None, repaint=False)

    def __init__(self, panes: Iterable[Pane], *, cluster: Cluster, read_only: bool, ascii_only: bool) -> None:
        super().__init__(id="console")
        self._panes = tuple(panes)
        self._cluster = cluster
        self._read_only = read_only
        self._freshness = Freshness(monotonic)
        self._said = Line()
        self._summary, self._title, self._counters, self._message, self._keys = (
            Bar(ascii_only=ascii_only, identity=identity)
            for identity in ("summary", "title", "counters", "message", "keys")
        )
        self._switcher = ContentSwitcher(initial=self._panes[0].id, id="panes")

    def compose(self) -> ComposeResult:
        """Bars around the panes."""
        yield from (self._summary, self._title, self._counters)
        with self._switcher:
            for pane in self._panes:
                yield pane.data_bind(Console.report)
        yield from (self._message, self._keys)

    def on_mount(self) -> None:
        """Keep the bars in step with what they speak of."""
        for pane in self._panes:
            self.watch(pane, "status", self._draw_status, init=False)
        self.bindings_updated_signal.subscribe(self, lambda _: self.draw_keys())
        self.set_interval(_AGE_CHECK_S, self._draw_title)
        self._panes[0].focus_content()
        self.draw()

    def on_resize(self) -> None:
        """Fit the bars that depend on the width."""
        self.call_after_refresh(self.draw)

    def watch_report(self, report: Report | None) -> None:
        """Draw around a newer report."""
        if report is not None:
            self._freshness.observed(report.snapshot)
            self.call_next(self.draw)  # the panes get the report after this, and the bars speak of what they show

    @property
    def pane(self) -> Pane:
        """The pane that is shown."""
        return next(pane for pane in self._panes if pane.id == self._switcher.current)

    def show_pane(self, name: str) -> None:
        """Show the pane with this title."""
        self._switcher.current = name
        self.pane.focus_content()
        self.say("")
        self.draw()

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show a sentence on the message line, until the cursor moves on."""
        self._said = line(Span(legible(text), tone)) if text else Line()
        self._draw_message()

    @on(Grid.Moved)
    def _moved(self) -> None:
        self.say("")

    def draw(self) -> None:
        """Draw every bar."""
        self._draw_title()
        self._draw_status()
        self.draw_keys()

    def draw_keys(self) -> None:
        """Draw the keys that work now."""
        if self.is_running:
            self._keys.show(key_line(live_commands(self), self._keys.size.width))

    def _draw_title(self) -> None:
        age = self._freshness.age()
        self._title.show(*title(self._cluster, self.report, age, self._read_only, self._title.size.width))

    def _draw_status(self) -> None:
        tally = counters(self.report)
        self._counters.show(tally, self.pane.status)
        self._summary.show(tally)
        self._draw_message()

    def _draw_message(self) -> None:
        self._message.show(self._said if self._said.spans else self.pane.hint())
