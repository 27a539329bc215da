"""An apply under way, change by change, and then its result as it was observed; it stays until it is dismissed."""

from collections.abc import Callable, Iterator
from time import monotonic
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.model.plan import ApplyResult, Outcome, Plan, Remark, RunStep, Status
from tui.ports import PortError
from tui.render_plan import node_words, symbol
from tui.screen.dialog import Dialog
from tui.screen.format import Line, Span, Tone, legible, line

_SIGNS = {
    Status.APPLIED: ("+", Tone.OK),
    Status.ALREADY_SO: ("+", Tone.OK),
    Status.REFUSED: ("!", Tone.FIX),
    Status.FAILED: ("x", Tone.BAD),
    Status.INDETERMINATE: ("?", Tone.UNKNOWN),
    Status.SKIPPED: ("-", Tone.DIM),
}
_STATUS = {status: Span(f"{status.value:<13} {sign}", tone) for status, (sign, tone) in _SIGNS.items()}
_BAR = 10
_WAITING = Span(f"{'waiting':<13} .", Tone.DIM)
_NOT_BEGUN = Span(f"{'not begun':<13} -", Tone.DIM)
_WORKING = Span(f"{'working':<13} >", Tone.NEW)


class Run(Dialog[None]):
    """Live progress, then the outcomes. Leaving it does not stop the apply."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "app.interrupt", "Stop", show=False, id="run.stop", tooltip="Stop after the current change"),
        Binding("enter,q", "close", "Close", show=False, id="run.close", tooltip="Close the result"),
    ]

    def __init__(self, plan: Plan, *, ascii_only: bool, monotonic: Callable[[], float] = monotonic) -> None:
        super().__init__(line(), (), ascii_only=ascii_only)
        self._monotonic = monotonic
        self._began_s = monotonic()
        self.plan = plan
        self._outcomes: dict[str, Outcome] = {}
        self._working: dict[str, str | None] = {}
        """The changes under way by id, with what is said about each."""
        self._remarks: list[str] = []
        self._stands = False
        self._stopping = False
        self._ended: ApplyResult | PortError | None = None

    @classmethod
    def of(cls, left: "Run") -> "Run":
        """Return a view of the same run, for one that was left before its end."""
        view = cls(left.plan, ascii_only=left.ascii_only)
        view._outcomes, view._ended, view._stopping = left._outcomes, left._ended, left._stopping
        view._working, view._remarks, view._began_s = left._working, left._remarks, left._began_s
        return view

    @property
    def ended(self) -> bool:
        """Tell whether the result is there."""
        return self._ended is not None

    def ready(self) -> None:
        """Show how far it is."""
        self._stands = True
        self._draw()

    def advance(self, step: RunStep) -> None:
        """Take one step of the apply."""
        if isinstance(step, Remark):
            if step.change is None:
                self._remarks.append(step.text)
            else:
                self._working[step.change.id] = step.text
        elif step.outcome is None:
            self._working[step.change.id] = None
        else:
            self._working.pop(step.change.id, None)
            self._outcomes[step.change.id] = step.outcome
        self._draw()

    def stop(self) -> None:
        """Say that no further change begins."""
        self._stopping = True
        self._draw()

    def finish(self, ended: ApplyResult | PortError) -> None:
        """Take the result."""
        self._ended = ended
        self._working.clear()
        if isinstance(ended, ApplyResult):
            self._outcomes |= {outcome.change: outcome for outcome in ended.outcomes}
        self._draw()

    def action_close(self) -> None:
        """Close the result; while it runs only escape leaves, so that no stray key hides it."""
        if self.ended:
            self.dismiss()

    def progress(self) -> str:
        """Return how far it is, in words."""
        return f"{len(self._outcomes)} of {len(self.plan.changes)} changes done"

    def _bar(self) -> str:
        """Return how far it is as a bar, with what is left and how long it took until the last step.

        It moves with the steps and never by itself: a clock that ticks costs bytes on a slow link.
        """
        done, total = len(self._outcomes), len(self.plan.changes)
        filled = _BAR * done // max(total, 1)
        minutes, seconds = divmod(int(self._monotonic() - self._began_s), 60)
        bar = f"[{'#' * filled}{'-' * (_BAR - filled)}]"
        return f"{bar} {done} of {total}, {total - done} left, {minutes}:{seconds:02}"

    def _draw(self) -> None:
        if not self._stands:
            return
        self.text.show(self._rows())
        if self._ended is None:
            self.heading.show(line(Span("Applying to ", Tone.STRONG), Span(self._place, Tone.TITLE)))
            leave = Span("esc", Tone.KEY)
            stop: list[Span | str] = [Span("ctrl+c", Tone.KEY), " stop"]
            if self._stopping:
                stop = [Span("Stopping after this change", Tone.FIX)]
            self.foot.show(line(f"{self._bar()}   ", *stop, "   ", leave, " list"))
        else:
            self.heading.show(line(*verdict(self._ended), " on ", Span(self._place, Tone.TITLE)))
            self.foot.show(line(Span("enter", Tone.KEY), " close   ", Span("5", Tone.KEY), " the journal has it later"))

    @property
    def _place(self) -> str:
        return legible(self.plan.cluster.context)

    def _rows(self) -> Iterator[Line]:
        if isinstance(self._ended, PortError):
            yield line(Span(legible(str(self._ended)), Tone.BAD))
            yield line()
        for remark in self._remarks:
            yield line(Span(legible(remark), Tone.FIX))
        for change in self.plan.changes:
            outcome = self._outcomes.get(change.id)
            waiting = _NOT_BEGUN if self._stopping else _WAITING
            state = _STATUS[outcome.status] if outcome else _WORKING if change.id in self._working else waiting
            taken = f"  {outcome.seconds:.1f} s" if outcome and outcome.seconds >= 0.1 else ""
            name = Span(legible(change.node or node_words(change)), Tone.STRONG)
            deed = f"  {symbol(change)} {change.kind} of {legible(change.subject)}{taken}"
            yield line(state, "  ", name, deed, indent=17)
            told = outcome.message if outcome else self._working.get(change.id)
            if told:
                yield line(" " * 17, legible(told), indent=17)
        if self._ended is not None:
            yield line()
            yield line(Span("The node list follows the next observation, not this result.", Tone.DIM))


def verdict(ended: ApplyResult | PortError) -> list[Span]:
    """Return a result in a few words."""
    if isinstance(ended, PortError):
        return [Span("Not applied x", Tone.BAD)]
    counts = ", ".join(f"{number} {status}" for status, number in ended.counts().items() if number)
    return [Span("Proven + " if ended.good else "Not all done x ", Tone.OK if ended.good else Tone.BAD), Span(counts)]
