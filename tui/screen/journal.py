"""What was applied to the cluster, by this console and by others before it, newest first."""

from collections.abc import Iterator, Sequence

from textual.app import ComposeResult

from tui.model.history import RecordedApply, RecordedChange, RunState, latest_to_undo
from tui.model.plan import Status
from tui.render_journal import became, heading
from tui.render_plan import node_words, resource_name, symbol
from tui.screen.format import Line, Span, Tone, legible, line
from tui.screen.pane import Pane
from tui.screen.textview import TextView

_TONES = {
    Status.APPLIED: Tone.OK,
    Status.ALREADY_SO: Tone.OK,
    Status.REFUSED: Tone.FIX,
    Status.FAILED: Tone.BAD,
    Status.INDETERMINATE: Tone.UNKNOWN,
    Status.SKIPPED: Tone.DIM,
}


class JournalPane(Pane):
    """The journal of the cluster."""

    TITLE = "journal"
    KEY = "5"

    def compose(self) -> ComposeResult:
        """One scrollable text."""
        yield TextView(ascii_only=self.ascii_only, identity="applies")

    def focus_content(self) -> None:
        """Give the keys to the text."""
        self.query_one(TextView).focus()

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self._redraw(None)

    def watch_report(self) -> None:
        """Draw the journal when it has grown."""
        applies = self.report.applies if self.report else None
        if self.is_mounted and applies != self._drawn:
            self._redraw(applies)

    def _redraw(self, applies: Sequence[RecordedApply] | None) -> None:
        self._drawn = applies
        self.query_one(TextView).show(_lines(applies))
        number = len(applies or ())
        self.status = line(Span(f"{number} {'apply' if number == 1 else 'applies'}, newest first", Tone.DIM))

    def hint(self) -> Line:
        """Say what can be taken back."""
        newest = latest_to_undo((self.report.applies if self.report else None) or ())
        if newest is None:
            return Line()
        return line(Span(f"{legible(newest.id)} is the newest that still stands", Tone.DIM))


def _lines(applies: Sequence[RecordedApply] | None) -> Iterator[Line]:
    if not applies:
        text = "The journal was not read yet." if applies is None else "Nothing was applied yet."
        yield line(Span(text, Tone.DIM))
        return
    for apply in reversed(applies):
        tone = Tone.BAD if apply.state is RunState.CUT_OFF else Tone.STRONG
        yield line(Span(legible(heading(apply)), tone), indent=2)
        for recorded in apply.changes:
            yield _change(recorded)
        if apply.gap is not None:
            yield line("  ", Span(legible(apply.gap), Tone.BAD), indent=4)
        yield line()


def _change(recorded: RecordedChange) -> Line:
    change, outcome = recorded.change, recorded.outcome
    about = Span(legible(change.node or node_words(change)), Tone.STRONG)
    tone = Tone.UNKNOWN if outcome is None else _TONES[outcome.status]
    deed = f"  {symbol(change)} {change.kind} of {legible(resource_name(change.subject))}: "
    return line("  ", about, deed, Span(legible(became(recorded)), tone), indent=4)
