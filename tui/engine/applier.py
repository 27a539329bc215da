"""The deed: a plan, change by change, each one proven before the next.

Intent on disk → read → precondition → write → read until it holds or the deadline → outcome on disk. A write is never
believed, and never sent a second time when the end of the first is not known. May import ports, model and the journal.
"""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from tui.engine.journal import Journal
from tui.engine.proof import Ending, holds, precondition, told
from tui.model.change import Action, Change, CreateRoute
from tui.model.node import Cloud
from tui.model.plan import ApplyResult, Outcome, Plan, Progress, Status
from tui.ports import (
    Clock,
    CloudReader,
    CloudWriter,
    Conflict,
    Indeterminate,
    NotFound,
    PortError,
    Throttled,
)

VERIFY_DEADLINE_S = 30.0
"""How long a written value may take to be seen; EC2 and Azure reads lag behind their writes by seconds."""
THROTTLE_BUDGET_S = 75.0
"""How long one change may wait for throttled calls altogether: past the minute after which quotas are filled again."""
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 4.0
_T = TypeVar("_T")


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
        self._never = threading.Event()

    def run(
        self, plan: Plan, *, forbids: Callable[[Change], str | None], progress: Callable[[Progress], None]
    ) -> ApplyResult:
        """Apply the changes in order and return their outcomes.

        ``forbids`` tells, right before each step, why the cluster as it is now forbids it: then it is refused.
        ``progress`` is called from this thread. Raises ``Misconfigured`` when the journal cannot be written; what was
        written until then is in it.
        """
        started = self._clock.now()
        run = f"{started:%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(3)}"
        self._journal.began(run, plan)
        outcomes: dict[str, Outcome] = {}
        total = len(plan.changes)
        for done, change in enumerate(plan.changes):
            progress(Progress(change=change, outcome=None, done=done, total=total))
            outcome = self._timed(run, change, outcomes, forbids)
            outcomes[change.id] = outcome
            progress(Progress(change=change, outcome=outcome, done=done + 1, total=total))
        result = ApplyResult(id=run, plan=plan.id, outcomes=tuple(outcomes.values()))
        self._journal.ended(run, result.counts())
        return result

    def _timed(
        self, run: str, change: Change, outcomes: Mapping[str, Outcome], forbids: Callable[[Change], str | None]
    ) -> Outcome:
        began_s = self._clock.monotonic_s()
        ending = self._hindered(change, outcomes) or _refused(forbids(change))
        recorded = ending is None
        if ending is None:
            self._journal.intent(run, change)
            ending = self._apply(run, change, forbids)
        seconds = self._clock.monotonic_s() - began_s
        outcome = Outcome(change=change.id, status=ending.status, message=ending.message, seconds=seconds)
        if recorded:
            self._journal.outcome(run, outcome)
        return outcome

    def _hindered(self, change: Change, outcomes: Mapping[str, Outcome]) -> Ending | None:
        """Return why the change is not even begun; None when it is."""
        if self._stop.is_set():
            return Ending(Status.SKIPPED, "stopped before this change")
        missing = [needed for needed in change.depends_on if needed not in outcomes or not outcomes[needed].status.good]
        if missing:
            return Ending(Status.SKIPPED, f"it depends on {', '.join(missing)}, which did not succeed")
        return None

    def _apply(self, run: str, change: Change, forbids: Callable[[Change], str | None]) -> Ending:
        """Take the steps of a change, each one proven before the next; the first that fails is how the change ends."""
        patience = _Patience(self._clock, THROTTLE_BUDGET_S)
        steps = change.steps()
        endings: list[Ending] = []
        for number, step in enumerate(steps):
            ending = (_refused(forbids(step)) if number else self._foreseen(steps[1:])) or self._step(step, patience)
            if len(steps) > 1:
                self._journal.step(run, step, ending.status)
            endings.append(ending)
            if not ending.status.good:
                done = ", ".join(_done(step) for step in steps[:number])
                return replace(ending, message=f"{done}; then: {ending.message}") if done else ending
        if all(ending.status is Status.ALREADY_SO for ending in endings):
            return Ending(Status.ALREADY_SO)
        return Ending(Status.APPLIED)

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

    def _step(self, change: Change, patience: "_Patience") -> Ending:
        reader = self._reader(change.cloud)
        try:
            reading = patience.call(lambda: reader.read(change))
        except NotFound as error:
            return Ending(Status.REFUSED, f"{change.subject} is gone: {error}")
        except PortError as error:
            return Ending(Status.FAILED, f"nothing was written, its state could not be read: {error}")
        return precondition(change, reading) or self._write(change, reader, patience)

    def _write(self, change: Change, reader: CloudReader, patience: "_Patience") -> Ending:
        doubt: str | None = None
        try:
            patience.call(lambda: self._writer(change.cloud).write(change))
        except Indeterminate as error:
            doubt = str(error)
        except PortError as error:
            if _is_in_place(change, reader):  # an operation may end in an error and yet have taken effect
                return Ending(Status.APPLIED)
            return Ending(Status.REFUSED if isinstance(error, Conflict) else Status.FAILED, str(error))
        return self._verify(change, reader, doubt)

    def _verify(self, change: Change, reader: CloudReader, doubt: str | None) -> Ending:
        """Read until the wanted value is seen. ``doubt`` is why the end of the write is not known, if so."""
        deadline_s = self._clock.monotonic_s() + VERIFY_DEADLINE_S
        pause_s = _FIRST_PAUSE_S
        seen = doubt
        while True:
            try:
                reading = reader.read(change)
            except PortError as error:
                seen = str(error)
            else:
                if holds(change, reading):
                    return Ending(Status.APPLIED)
                seen = doubt or f"{told(change, reading)} is still read"
            left_s = deadline_s - self._clock.monotonic_s()
            if left_s <= 0:
                return Ending(Status.INDETERMINATE, f"sent, but not seen after {VERIFY_DEADLINE_S:.0f} s: {seen}")
            self._clock.wait(self._never, min(pause_s, left_s))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _is_in_place(change: Change, reader: CloudReader) -> bool:
    try:
        return holds(change, reader.read(change))
    except PortError:
        return False


def _refused(reason: str | None) -> Ending | None:
    return None if reason is None else Ending(Status.REFUSED, reason)


def _done(step: Change) -> str:
    """Say in the past what a step of a replacement has done."""
    return f"{step.subject} is {'deleted' if step.action is Action.DELETE else 'in place'}"


class _Patience:
    """Waits out throttling as the cloud asks, within one budget for the whole change."""

    def __init__(self, clock: Clock, budget_s: float) -> None:
        self._clock = clock
        self._left_s = budget_s
        self._never = threading.Event()

    def call(self, call: Callable[[], _T]) -> _T:
        """Return the call's result. Raises what it raises, ``Throttled`` once the budget is used up."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return call()
            except Throttled as error:
                wait_s = pause_s if error.retry_after_s is None else error.retry_after_s
                if wait_s > self._left_s:
                    raise
                self._left_s -= wait_s
                self._clock.wait(self._never, wait_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S * 4)
