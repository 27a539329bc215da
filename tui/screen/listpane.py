"""What the panes with thousands of rows have in common: a list with a filter, the detail of its row, and a notice.

Only the pane that is shown draws: the others catch up when they are.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.reactive import reactive
from textual.widgets import Input

from tui.model.finding import Report
from tui.model.snapshot import SourceState
from tui.screen.format import Line, Span, Tone, legible, line
from tui.screen.grid import Grid
from tui.screen.lineinput import LineInput
from tui.screen.pane import Pane
from tui.screen.textview import TextView

Item = TypeVar("Item")


class ListPane(Pane, Generic[Item]):
    """A list, worst first, beside the detail of the selected row. The keys are the pane's own."""

    fix_key: ClassVar[str | None] = None
    """The key that opens a plan; None where nothing can be written."""
    PLACEHOLDER: ClassVar[str]
    """What the filter says while it is empty."""

    query_text: reactive[str] = reactive("", repaint=False)
    only_wrong: reactive[bool] = reactive(False, repaint=False)

    def __init__(self, grid: Grid[Item], detail: TextView, *, ascii_only: bool) -> None:
        super().__init__(ascii_only=ascii_only)
        self.grid = grid
        self.detail = detail
        self.notice = TextView(ascii_only=ascii_only, identity="notice")
        self.input = LineInput(placeholder=self.PLACEHOLDER, identity="filter")
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
        self.input.display = False
        self.detail.can_focus = False
        self._draw()

    # What is shown.

    @abstractmethod
    def _chosen(self, report: Report) -> Sequence[Item]:
        """Return the rows that the filter lets through, worst first."""

    @abstractmethod
    def _notice(self, report: Report | None, any_shown: bool) -> list[Line]:
        """Return what stands in place of the list; nothing where the list is to be seen."""

    @abstractmethod
    def _show_detail(self, report: Report) -> None:
        """Draw the detail of the selected row."""

    def watch_report(self) -> None:
        """Draw the newer report."""
        self._draw()

    def watch_query_text(self) -> None:
        """Filter again."""
        self._draw()

    def watch_only_wrong(self) -> None:
        """Filter again."""
        self._draw()

    def _draw(self) -> None:
        self._behind = True
        if self.is_mounted and self.display:
            self._redraw()

    def _redraw(self) -> None:
        self._behind = False
        report = self.report
        items = self._chosen(report) if report else []
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
            self.input.value = ""
            self.query_text = ""
            self._end_filter()
        else:
            self.grid.mark(())
            self._draw_detail()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let a slash be text while the filter is typed."""
        return False if action == "filter" and self.input.has_focus else super().check_action(action, parameters)

    def action_filter(self) -> None:
        """Type a filter; it works while it is typed."""
        self.action_back() if self.has_class("-open") else None
        self.input.display = True
        self.screen.set_focus(self.input)

    @on(Input.Changed, "#filter")
    def _typing(self, event: Input.Changed) -> None:
        event.stop()
        self.query_text = event.value

    @on(Input.Submitted, "#filter")
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        self._end_filter()

    def _end_filter(self) -> None:
        self.focus_content()
        self.input.display = False

    def action_only_wrong(self) -> None:
        """Hide what is OK, or show it again."""
        self.only_wrong = not self.only_wrong


def nothing_yet(report: Report | None) -> list[Line]:
    """Say why there are no nodes to speak of; nothing where there are some."""
    if report is None or report.synchronising:
        if report is not None and report.snapshot.nodes_source.state is not SourceState.OK:
            return [line(Span("The nodes could not be listed yet.", Tone.BAD))]
        return [line(Span("Synchronising: the first complete list of nodes is on its way.", Tone.STRONG))]
    return [] if report.assessments else [line(Span("The cluster has no nodes.", Tone.STRONG))]


def lost_sources(report: Report | None) -> list[Line]:
    """Say what each source that could not be read has to say about it."""
    return [
        line(Span(f"{legible(source.name)} {source.state}: ", Tone.BAD), legible(source.message), indent=2)
        for source in (report.snapshot.sources if report else ())
        if source.message and source.state is not SourceState.OK
    ]
