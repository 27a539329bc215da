"""What happened since the console was opened, newest first."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.model.calls import Calls
from tui.model.finding import Activity, ActivityKind
from tui.screen.format import Line, Span, Tone, clock, legible, line
from tui.screen.messages import ExportRequested
from tui.screen.pane import Pane
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


class ActivityPane(Pane):
    """The timeline of the report."""

    TITLE = "activity"
    KEY = "4"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "x",
            "export",
            "Export",
            show=False,
            id="activity.export",
            tooltip="Write the hand-over report and its picture",
        ),
    ]

    def compose(self) -> ComposeResult:
        """One scrollable text."""
        yield TextView(ascii_only=self.ascii_only, identity="events")

    def focus_content(self) -> None:
        """Give the keys to the text."""
        self.query_one(TextView).focus()

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self._redraw()

    def watch_report(self) -> None:
        """Draw the newer timeline."""
        if self.is_mounted:
            self._redraw()

    def action_export(self) -> None:
        """Ask for the files."""
        self.post_message(ExportRequested())

    def _redraw(self) -> None:
        events = self.report.activity if self.report else ()
        text = self.query_one(TextView)
        told = map(event_line, reversed(events)) if events else [line(Span("Nothing has happened yet.", Tone.DIM))]
        text.show([requests_line(self.report.calls if self.report else {}), *told])
        self.status = line(Span(f"{len(events)} events, newest first", Tone.DIM))


def requests_line(calls: Mapping[str, Calls]) -> Line:
    """Return how often each source was asked, and how often that was too much for it."""
    told = [
        f"{source} {count.made}" + (f" ({count.throttled} throttled)" if count.throttled else "")
        for source, count in sorted(calls.items())
    ]
    throttled = any(count.throttled for count in calls.values())
    return line(Span("Requests so far: " + (", ".join(told) or "none"), Tone.FIX if throttled else Tone.DIM), indent=2)


def event_line(event: Activity) -> Line:
    """Return one event as a line."""
    sign, tone = _SIGNS[event.kind]
    node = (Span(f"{legible(event.node)}  ", Tone.STRONG),) if event.node else ()
    kind = Span(f"{sign} {event.kind.value:<16} ", tone)
    return line(Span(f"{clock(event.at)}  ", Tone.DIM), kind, *node, legible(event.text), indent=30)
