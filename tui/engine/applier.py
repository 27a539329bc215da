"""The deed: a plan, change by change, each one proven before the next.

Intent on disk → read → precondition → write → read until it holds or the deadline → outcome on disk. A write is never
believed, and never sent a second time when the end of the first is not known. May import ports, model and the journal.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tui.engine.journal import Journal
from tui.model.node import Cloud
from tui.model.plan import ApplyResult, Change, Outcome, Plan, Progress, Status
from tui.ports import (
    Clock,
    CloudReader,
    CloudWriter,
    Conflict,
    Indeterminate,
    NotFound,
    PortError,
    Reading,
    Throttled,
)

VERIFY_DEADLINE_S = 30.0
"""How long a written value may take to be seen; EC2 and Azure reads lag behind their writes by seconds."""
THROTTLE_BUDGET_S = 60.0
"""How long one change may wait for throttled calls altogether."""
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 4.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a change ended, before it is timed and numbered."""

    status: Status
    message: str | None = None


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

    def run(self, plan: Plan, *, present: Callable[[str], bool], progress: Callable[[Progress], None]) -> ApplyResult:
        """Apply the changes in order and return their outcomes.

        ``present`` tells, right before each change, whether the node of a uid exists: a change made for one that is
        gone is refused. ``progress`` is called from this thread. Raises ``Misconfigured`` when the journal cannot be
        written; what was written until then is in it.
        """
        started = self._clock.now()
        run = f"{started:%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(3)}"
        self._journal.began(run, plan)
        outcomes: dict[str, Outcome] = {}
        total = len(plan.changes)
        for done, change in enumerate(plan.changes):
            progress(Progress(change=change, outcome=None, done=done, total=total))
            outcome = self._timed(run, change, outcomes, present)
            outcomes[change.id] = outcome
            progress(Progress(change=change, outcome=outcome, done=done + 1, total=total))
        result = ApplyResult(id=run, plan=plan.id, outcomes=tuple(outcomes.values()))
        self._journal.ended(run, result.counts())
        return result

    def _timed(
        self, run: str, change: Change, outcomes: Mapping[str, Outcome], present: Callable[[str], bool]
    ) -> Outcome:
        began_s = self._clock.monotonic_s()
        ending = self._hindrance(change, outcomes, present)
        recorded = ending is None
        if ending is None:
            self._journal.intent(run, change)
            ending = self._apply(change)
        seconds = self._clock.monotonic_s() - began_s
        outcome = Outcome(change=change.id, status=ending.status, message=ending.message, seconds=seconds)
        if recorded:
            self._journal.outcome(run, outcome)
        return outcome

    def _hindrance(
        self, change: Change, outcomes: Mapping[str, Outcome], present: Callable[[str], bool]
    ) -> Ending | None:
        """Return why the change is not even begun; None when it is."""
        if self._stop.is_set():
            return Ending(Status.SKIPPED, "stopped before this change")
        missing = [needed for needed in change.depends_on if needed not in outcomes or not outcomes[needed].status.good]
        if missing:
            return Ending(Status.SKIPPED, f"it depends on {', '.join(missing)}, which did not succeed")
        if not present(change.node_uid):
            return Ending(Status.REFUSED, f"node {change.node} is not the one that the plan was made for, or is gone")
        return None

    def _apply(self, change: Change) -> Ending:
        patience = _Patience(self._clock, THROTTLE_BUDGET_S)
        reader = self._reader(change.cloud)
        try:
            reading = patience.call(lambda: reader.read(change))
        except NotFound as error:
            return Ending(Status.REFUSED, f"{change.subject} is gone: {error}")
        except PortError as error:
            return Ending(Status.FAILED, f"nothing was written, its state could not be read: {error}")
        ending = _precondition(change, reading)
        return ending or self._write(change, reader, patience)

    def _write(self, change: Change, reader: CloudReader, patience: "_Patience") -> Ending:
        doubt: str | None = None
        try:
            patience.call(lambda: self._writer(change.cloud).write(change))
        except Conflict as error:
            return Ending(Status.REFUSED, f"it was changed by somebody else meanwhile: {error}")
        except Indeterminate as error:
            doubt = str(error)
        except PortError as error:
            return Ending(Status.FAILED, str(error))
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
                if reading.forwards is change.after:
                    return Ending(Status.APPLIED)
                seen = doubt or f"{_told(change, reading)} is still read"
            left_s = deadline_s - self._clock.monotonic_s()
            if left_s <= 0:
                return Ending(Status.INDETERMINATE, f"sent, but not seen after {VERIFY_DEADLINE_S:.0f} s: {seen}")
            self._clock.wait(self._never, min(pause_s, left_s))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _precondition(change: Change, reading: Reading) -> Ending | None:
    if reading.forwards is change.after:
        return Ending(Status.ALREADY_SO)
    if reading.forwards is not change.before:
        return Ending(Status.REFUSED, f"the plan expected another state than {_told(change, reading)}")
    if change.token is not None and reading.token != change.token:
        return Ending(Status.REFUSED, f"{change.subject} was changed since the plan was made: plan again")
    return None


def _told(change: Change, reading: Reading) -> str:
    if reading.forwards is None:
        return f"{change.flag} not told by the cloud"
    return f"{change.flag} {str(change.fields(reading.forwards)[change.flag]).lower()}"


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
