"""The deed: a plan, change by change, each one proven before the next, with an intent on disk before every write.

May import ports, model, the journal and what proves a single write.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from tui.engine.deed import Deed, Patience, at_once, by_itself
from tui.engine.journal import Journal
from tui.engine.proof import Ending, precondition
from tui.model.change import Action, Change, CreateRoute, DeleteRoute, ReplaceRoute
from tui.model.node import Cloud
from tui.model.plan import ApplyResult, Outcome, Plan, Progress, Status
from tui.ports import Clock, CloudReader, CloudWriter, PortError, TableWriter

TOGETHER_FROM = 4
"""So many changes of one table are written at once where the cloud can; fewer touch, and need rights for, less."""


class Applier:
    """Applies plans, one run at a time. ``stop``, set from any thread, ends the run after the current change."""

    def __init__(
        self,
        *,
        reader: Callable[[Cloud], CloudReader],
        writer: Callable[[Cloud], CloudWriter],
        journal: Journal,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._journal = journal
        self._clock = clock
        self._stop = stop

    def run(
        self, plan: Plan, *, forbids: Callable[[Change], str | None], progress: Callable[[Progress], None]
    ) -> ApplyResult:
        """Apply the changes in order and return their outcomes.

        ``forbids`` tells, right before each step, why the cluster as it is now forbids it: then it is refused.
        ``progress`` is called from this thread. Raises ``Misconfigured`` when another process of this machine applies,
        and when the journal cannot be written; what was written until then is in it.
        """
        started = self._clock.now()
        run = _Run(
            id=f"{started:%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(3)}",
            total=len(plan.changes),
            forbids=forbids,
            progress=progress,
        )
        with self._journal.reserved():
            self._journal.began(run.id, plan)
            self._take_all(run, plan)
            outcomes = tuple(run.outcomes[change.id] for change in plan.changes)
            result = ApplyResult(id=run.id, plan=plan.id, outcomes=outcomes)
            self._journal.ended(run.id, result.counts())
        return result

    def _take_all(self, run: "_Run", plan: Plan) -> None:
        for changes in together(plan.changes):
            writer = self._table_writer(changes)
            if writer is None:
                for change in changes:
                    self._take(run, [change], lambda begun: (self._stepwise(run, begun[0]),))
            else:
                self._take(run, changes, partial(self._at_once, run, writer))

    def _table_writer(self, changes: Sequence[Change]) -> TableWriter | None:
        """Return who writes these changes at once; None when they are written one after the other."""
        if len(changes) < TOGETHER_FROM:
            return None
        writer = self._writer(changes[0].cloud)
        return writer if isinstance(writer, TableWriter) else None

    def _take(
        self, run: "_Run", changes: Sequence[Change], deed: Callable[[Sequence[Change]], Sequence[Ending]]
    ) -> None:
        """Let ``deed`` bring those changes to their end that nothing hinders; the journal has them before and after."""
        began_s = self._clock.monotonic_s()
        begun: list[Change] = []
        for change in changes:
            run.progress(Progress(change=change, outcome=None, done=len(run.outcomes), total=run.total))
            ending = self._hindered(change, run.outcomes) or _refused(run.forbids(change))
            if ending is None:
                self._journal.intent(run.id, change)
                begun.append(change)
            else:
                self._close(run, change, ending, began_s)
        for change, ending in zip(begun, deed(begun) if begun else (), strict=True):
            self._journal.outcome(run.id, self._close(run, change, ending, began_s))

    def _close(self, run: "_Run", change: Change, ending: Ending, began_s: float) -> Outcome:
        seconds = self._clock.monotonic_s() - began_s
        outcome = Outcome(change=change.id, status=ending.status, message=ending.message, seconds=seconds)
        run.outcomes[change.id] = outcome
        run.progress(Progress(change=change, outcome=outcome, done=len(run.outcomes), total=run.total))
        return outcome

    def _hindered(self, change: Change, outcomes: Mapping[str, Outcome]) -> Ending | None:
        """Return why the change is not even begun; None when it is."""
        if self._stop.is_set():
            return Ending(Status.SKIPPED, "stopped before this change")
        missing = [needed for needed in change.depends_on if needed not in outcomes or not outcomes[needed].status.good]
        if missing:
            return Ending(Status.SKIPPED, f"it depends on {', '.join(missing)}, which did not succeed")
        return None

    def _at_once(self, run: "_Run", writer: TableWriter, changes: Sequence[Change]) -> tuple[Ending, ...]:
        routes = [change for change in changes if isinstance(change, CreateRoute | ReplaceRoute | DeleteRoute)]
        return Deed(at_once(routes, writer), self._clock, self._patience(run, changes[0])).run()

    def _stepwise(self, run: "_Run", change: Change) -> Ending:
        """Take the steps of a change, each one proven before the next; the first that fails is how the change ends."""
        patience = self._patience(run, change)
        steps = change.steps()
        endings: list[Ending] = []
        for number, step in enumerate(steps):
            ending = _refused(run.forbids(step)) if number else self._foreseen(steps[1:])
            if ending is None:
                call = by_itself(step, self._reader(step.cloud), partial(self._writer, step.cloud))
                (ending,) = Deed(call, self._clock, patience).run()
            if len(steps) > 1:
                self._journal.step(run.id, step, ending.status)
            endings.append(ending)
            if not ending.status.good:
                done = ", ".join(_done(step) for step in steps[:number])
                return replace(ending, message=f"{done}; then: {ending.message}") if done else ending
        if all(ending.status is Status.ALREADY_SO for ending in endings):
            return Ending(Status.ALREADY_SO)
        return Ending(Status.APPLIED)

    def _patience(self, run: "_Run", change: Change) -> Patience:
        def tell(why: str) -> None:
            run.progress(Progress(change=change, outcome=None, done=len(run.outcomes), total=run.total, waits=why))

        return Patience(self._clock, tell)

    def _foreseen(self, later: Sequence[Change]) -> Ending | None:
        """Return why a later step will be refused, as far as that can be seen before the first one is taken."""
        for step in later:
            if isinstance(step, CreateRoute):  # after a deletion: it must not leave a gap for nothing
                try:
                    ending = precondition(step, self._reader(step.cloud).read(step))
                except PortError as error:
                    return Ending(Status.FAILED, f"nothing was written, its state could not be read: {error}")
                if ending is not None and ending.status is Status.REFUSED:
                    return ending
        return None


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run of a plan: its name in the journal, its callbacks, and the outcomes so far by change id."""

    id: str
    total: int
    forbids: Callable[[Change], str | None]
    progress: Callable[[Progress], None]
    outcomes: dict[str, Outcome] = field(default_factory=dict)


def together(changes: Iterable[Change]) -> Iterator[Sequence[Change]]:
    """Yield the changes in order, those that one write to a route table may make in one piece.

    These follow each other, are about routes of one table, are not taken in steps, and rely on nothing among them.
    """
    piece: list[Change] = []
    for change in changes:
        if piece and not (_place(change) == _place(piece[0]) is not None and _stands_alone(change, piece)):
            yield piece
            piece = []
        piece.append(change)
    if piece:
        yield piece


def _place(change: Change) -> tuple[Cloud, str] | None:
    """Return the route table that a change is written to together with others; None when it is written by itself."""
    if isinstance(change, CreateRoute | ReplaceRoute | DeleteRoute) and len(change.steps()) == 1:
        return change.cloud, change.table
    return None


def _stands_alone(change: Change, others: Iterable[Change]) -> bool:
    return {other.id for other in others}.isdisjoint(change.depends_on)


def _refused(reason: str | None) -> Ending | None:
    return None if reason is None else Ending(Status.REFUSED, reason)


def _done(step: Change) -> str:
    """Say in the past what a step of a replacement has done."""
    return f"{step.subject} is {'deleted' if step.action is Action.DELETE else 'in place'}"
