"""The deed: a plan, change by change, each one proven before the next, with an intent on disk before every write.

May import ports, model, the journal and what proves a single write.
"""

import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from tui.engine.announcer import Announcer
from tui.engine.deed import Deed, Patience, at_once, by_itself
from tui.engine.journal import Journal, user
from tui.engine.lanes import Lanes
from tui.engine.lock import Hold, Locking
from tui.engine.proof import Ending, precondition
from tui.model.change import Action, Change, CreateRoute, DeleteRoute, ReplaceRoute
from tui.model.node import Cloud
from tui.model.plan import ApplyResult, Outcome, Plan, Progress, Remark, RunStep, Status
from tui.ports import Clock, CloudReader, CloudWriter, ClusterLock, NoticeBoard, PortError, TableWriter

TOGETHER_FROM = 4
"""So many changes of one table are written at once where the cloud can; fewer touch, and need rights for, less."""
WIDTH = 4
"""So many writes are under way at once at most: enough not to wait for one slow VM, too few to be throttled for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What changes are written with. In read-only mode no such object exists.

    ``lock`` keeps other operators out, unless ``force_lock`` takes it from them, and ``board`` tells of changes in the
    cluster; None where there is none. ``width`` is how many writes are under way at once at most.
    """

    writer: Callable[[Cloud], CloudWriter]
    lock: ClusterLock | None = None
    force_lock: bool = False
    board: NoticeBoard | None = None
    width: int = WIDTH


class Applier:
    """Applies plans, one run at a time. ``stop``, set from any thread, ends the run after the current changes."""

    def __init__(
        self,
        writing: Writing,
        *,
        reader: Callable[[Cloud], CloudReader],
        journal: Journal,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._reader = reader
        self._writer = writing.writer
        self._journal = journal
        self._clock = clock
        self._stop = stop
        self._locking = Locking(writing.lock, clock, force=writing.force_lock)
        self._board = writing.board
        self._width = writing.width

    def run(
        self, plan: Plan, *, forbids: Callable[[Change], str | None], progress: Callable[[RunStep], None]
    ) -> ApplyResult:
        """Apply the changes, each after those that it depends on, and return their outcomes in the plan's order.

        ``forbids`` tells, right before each step, why the cluster as it is now forbids it: then it is refused. Both
        callbacks are called from one thread at a time. Raises ``Locked`` when somebody else applies, ``Misconfigured``
        when the journal cannot be written; what was written until then is in it.
        """
        id_ = f"{self._clock.now():%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(3)}"
        host = socket.gethostname()
        with self._journal.reserved() as alone:
            # A holder whose apply stands in this journal, which is ours alone now, cannot be at work any more.
            gone = (lambda holder: self._journal.knows(holder.rpartition("/")[2])) if alone else (lambda _: False)
            with self._locking.held(f"{user()}@{host}/{id_}", gone=gone, stop=self._stop) as hold:
                program, author = f"l2bridge-tui@{host}", f"apply {id_} by {user()}"
                run = _Run(
                    id=id_,
                    total=len(plan.changes),
                    hold=hold,
                    announcer=Announcer(self._board, self._clock, by=program, author=author),
                    judge=forbids,
                    progress=progress,
                )
                self._journal.began(id_, plan, taken_from=hold.taken_from)
                if hold.unlocked:
                    run.say(hold.unlocked)
                Lanes(together(plan.changes)).run(partial(self._take_piece, run), width=self._width)
                outcomes = tuple(run.outcomes[change.id] for change in plan.changes)
                result = ApplyResult(id=id_, plan=plan.id, outcomes=outcomes)
                self._journal.ended(id_, result.counts())
        return result

    def _take_piece(self, run: "_Run", changes: Sequence[Change]) -> None:
        writer = self._table_writer(changes)
        if writer is not None:
            self._take(run, changes, partial(self._at_once, run, writer))
            return
        for change in changes:
            self._take(run, [change], lambda begun: (self._stepwise(run, begun[0]),))

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
            run.begins(change)
            ending = self._hindered(change, run) or _refused(run.forbids(change))
            if ending is None:
                self._journal.intent(run.id, change)
                begun.append(change)
            else:
                run.ends(change, self._outcome(change, ending, began_s))
        for change, ending in zip(begun, deed(begun) if begun else (), strict=True):
            outcome = self._outcome(change, ending, began_s)
            run.ends(change, outcome)
            self._journal.outcome(run.id, outcome)
            run.announce(change, outcome)

    def _outcome(self, change: Change, ending: Ending, began_s: float) -> Outcome:
        seconds = self._clock.monotonic_s() - began_s
        return Outcome(change=change.id, status=ending.status, message=ending.message, seconds=seconds)

    def _hindered(self, change: Change, run: "_Run") -> Ending | None:
        """Return why the change is not even begun; None when it is."""
        if self._stop.is_set():
            return Ending(Status.SKIPPED, "stopped before this change")
        lost = run.hold.lost()
        if lost is not None:
            return Ending(Status.SKIPPED, f"{lost}: nothing further is begun")
        outcomes = run.outcomes
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
        return Patience(self._clock, lambda why: run.say(why, change))

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
    """One run of a plan: its name in the journal, its lock, and the outcomes so far by change id.

    Its methods may be called by several threads; the callbacks are called by one of them at a time.
    """

    id: str
    total: int
    hold: Hold
    announcer: Announcer
    judge: Callable[[Change], str | None]
    progress: Callable[[RunStep], None]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    _telling: threading.Lock = field(default_factory=threading.Lock)
    _judging: threading.Lock = field(default_factory=threading.Lock)
    _announcing: threading.Lock = field(default_factory=threading.Lock)

    def forbids(self, change: Change) -> str | None:
        """Return why the cluster as it is now forbids the change."""
        with self._judging:
            return self.judge(change)

    def begins(self, change: Change) -> None:
        """Tell that a change begins."""
        with self._telling:
            self.progress(Progress(change=change, outcome=None, done=len(self.outcomes), total=self.total))

    def ends(self, change: Change, outcome: Outcome) -> None:
        """Keep an outcome and tell it."""
        with self._telling:
            self.outcomes[change.id] = outcome
            self.progress(Progress(change=change, outcome=outcome, done=len(self.outcomes), total=self.total))

    def say(self, text: str, change: Change | None = None) -> None:
        """Tell something about a change, or about the whole run."""
        with self._telling:
            self.progress(Remark(change=change, text=text))

    def announce(self, change: Change, outcome: Outcome) -> None:
        """Tell it in the cluster as well."""
        with self._announcing:
            silenced = self.announcer.announce(change, outcome)
        if silenced is not None:
            self.say(silenced)


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
