"""What happened since the console was opened, newest first."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from tui.model.calls import Calls, Request
from tui.model.finding import Activity, ActivityKind
from tui.screen.filtered import FilteredPane
from tui.screen.format import Line, Span, Tone, clock, legible, line
from tui.screen.messages import EXPORTS, ExportRequested
from tui.screen.query import parse_text
from tui.screen.textview import TextView

_SIGNS = {
    ActivityKind.SYNCED: ("+", Tone.DIM),
    ActivityKind.NODE_ADDED: ("*", Tone.NEW),
    ActivityKind.NODE_CHANGED: ("~", Tone.PLAIN),
    ActivityKind.NODE_REMOVED: ("-", Tone.DIM),
    ActivityKind.FINDING_OPENED: ("!", Tone.FIX),
    ActivityKind.FINDING_CLOSED: ("+", Tone.OK),
    ActivityKind.APPLYING: (">", Tone.NEW),
    ActivityKind.APPLIED: (">", Tone.STRONG),
    ActivityKind.SOURCE_LOST: ("x", Tone.BAD),
    ActivityKind.SOURCE_RECOVERED: ("+", Tone.OK),
    ActivityKind.UNROUTABLE: ("x", Tone.BAD),
    ActivityKind.ROUTABLE: ("+", Tone.OK),
    ActivityKind.RACE_OPENED: ("x", Tone.BAD),
    ActivityKind.RACE_CLOSED: ("+", Tone.OK),
    ActivityKind.REPLACED: ("*", Tone.STRONG),
    ActivityKind.ARMED: (">", Tone.FIX),
    ActivityKind.DISARMED: (">", Tone.STRONG),
    ActivityKind.NOTE: ("!", Tone.DIM),
}


class ActivityPane(FilteredPane):
    """The timeline of the report."""

    TITLE = "activity"
    KEY = "4"
    PLACEHOLDER = "node, kind, text or regex, !not"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", show=False, id="activity.back", tooltip="Show every event again"),
        Binding(
            "slash",
            "filter",
            "Filter",
            id="activity.filter",
            tooltip="Events of a node, a kind, or with a text",
            priority=True,  # so that keys typed in one burst after it are text already, not commands
        ),
        Binding(
            "t", "requests", "Requests", id="activity.requests", tooltip="Each request as a command, or the events"
        ),
        Binding("x", "export", "Export", id="activity.export", tooltip=EXPORTS),
    ]

    by_request: reactive[bool] = reactive(False, repaint=False)
    """Whether the last requests are told in place of the events."""

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__(ascii_only=ascii_only)
        self.text = TextView(ascii_only=ascii_only, identity="events")

    def compose(self) -> ComposeResult:
        """One scrollable text, and the filter."""
        yield self.text
        yield self.input

    def focus_content(self) -> None:
        """Give the keys to the text."""
        self.text.focus()

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self._redraw()

    def watch_report(self) -> None:
        """Draw the newer timeline."""
        if self.is_mounted:
            self._redraw()

    def watch_query_text(self) -> None:
        """Filter again."""
        if self.is_mounted:
            self._redraw()

    def watch_by_request(self) -> None:
        """Tell the other thing."""
        if self.is_mounted:
            self._redraw()

    def action_back(self) -> None:
        """Clear the filter."""
        self.clear_filter()

    def action_requests(self) -> None:
        """Show the last requests, or the events again."""
        self.by_request = not self.by_request

    def action_export(self) -> None:
        """Ask for the files."""
        self.post_message(ExportRequested())

    def _redraw(self) -> None:
        events = self.report.activity if self.report else ()
        requests = self.report.requests if self.report else ()
        holds = parse_text(self.query_text)
        if self.by_request:
            told = [request_line(request) for request in requests if holds(f"{request.twin} {request.result}")]
        else:
            told = [event_line(event) for event in events if holds(_haystack(event))]
        what, number = ("requests", len(requests)) if self.by_request else ("events", len(events))
        empty = f"None of the {what} has that." if number else f"No {what} yet."
        shown = told[::-1] or [line(Span(empty, Tone.DIM))]
        self.text.show([requests_line(self.report.calls if self.report else {}), *shown])
        count = f"{len(told)} of {number}" if self.query_text else f"{number}"
        query = (Span(f"filter: {legible(self.query_text)}  ", Tone.KEY),) if self.query_text else ()
        self.status = line(*query, Span(f"{count} {what}, newest first", Tone.DIM))


def _haystack(event: Activity) -> str:
    """Return everything that a line says."""
    return f"{event.kind} {event.node or ''} {event.text}"


def requests_line(calls: Mapping[str, Calls]) -> Line:
    """Return how often each source was asked, and how often that was too much for it."""
    told = [
        f"{source} {count.made}" + (f" ({count.throttled} throttled)" if count.throttled else "")
        for source, count in sorted(calls.items())
    ]
    throttled = any(count.throttled for count in calls.values())
    return line(Span("Requests so far: " + (", ".join(told) or "none"), Tone.FIX if throttled else Tone.DIM), indent=2)


def request_line(request: Request) -> Line:
    """Return one request as the command that asks the same, with how long the answer took and what it was."""
    good = request.result == "ok" or request.result.startswith("2")
    took = f"{request.seconds:7.2f} s  "
    result = Span(f"{legible(request.result):<4} ", Tone.DIM if good else Tone.BAD)
    return line(Span(f"{clock(request.at)}{took}", Tone.DIM), result, legible(request.twin), indent=26)


def event_line(event: Activity) -> Line:
    """Return one event as a line."""
    sign, tone = _SIGNS[event.kind]
    node = (Span(f"{legible(event.node)}  ", Tone.STRONG),) if event.node else ()
    kind = Span(f"{sign} {event.kind.value:<16} ", tone)
    return line(Span(f"{clock(event.at)}  ", Tone.DIM), kind, *node, legible(event.text), indent=30)
