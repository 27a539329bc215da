"""After an apply was cut off: the cloud is read to tell what became of the change that was on its way.

Writes nothing. May import proof, ports and the model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tui.engine.proof import holds, precondition, told
from tui.model.aftermath import Aftermath, Fate
from tui.model.change import Change
from tui.model.history import RecordedApply, RecordedChange, RunState
from tui.model.node import Cloud
from tui.model.plan import Outcome, Status
from tui.ports import CloudReader, NotFound, PortError

_SETTLED = timedelta(minutes=10)
"""After this time no cloud still works on a write: its operations end within minutes, and its reads catch up."""


def last_cut_off(applies: Sequence[RecordedApply]) -> RecordedApply | None:
    """Return the newest apply if it was cut off: what began after it has made it old news. ``applies`` oldest first."""
    return applies[-1] if applies and applies[-1].state is RunState.CUT_OFF else None


def aftermath(apply: RecordedApply, reader: Callable[[Cloud], CloudReader], now: datetime) -> Aftermath:
    """Read what became of everything that was on its way. What is not known, or may still change, is said to be so."""
    inquiry = _Inquiry(reader, now)
    return Aftermath(apply=apply, fates=tuple(inquiry.fate(recorded) for recorded in apply.on_their_way))


@dataclass(frozen=True, slots=True)
class _Inquiry:
    reader: Callable[[Cloud], CloudReader]
    now: datetime

    def fate(self, recorded: RecordedChange) -> Fate:
        """Return what a read shows."""
        try:
            return self._seen(recorded, self.reader(recorded.change.cloud))
        except NotFound as error:
            return _known(recorded, Status.INDETERMINATE, f"what it is about is gone: {error}")
        except PortError as error:
            return Fate(recorded=recorded, text=f"nobody knows whether it is in place: {error}", outcome=None)

    def _seen(self, recorded: RecordedChange, reader: CloudReader) -> Fate:
        taken: list[Change] = []
        for step in recorded.change.steps():
            reading = reader.read(step)
            if holds(step, reading):
                taken.append(step)
            elif holds(step, replace(reading, trouble=None)):
                return self._so_far(recorded, Status.INDETERMINATE, f"it is as planned, but {reading.trouble}")
            elif taken:
                done = ", ".join(f"{one.action} of {one.subject}" for one in taken)
                text = f"it is half done: {done} is in place, {step.action} is not"
                return self._so_far(recorded, Status.INDETERMINATE, text)
            elif precondition(step, reading) is not None:
                text = f"neither the old nor the new state is there: {told(step, reading)}"
                return _known(recorded, Status.INDETERMINATE, text)
            else:
                return self._so_far(recorded, Status.FAILED, "it is not in place")
        return _known(recorded, Status.APPLIED, "it is in place")

    def _so_far(self, recorded: RecordedChange, status: Status, text: str) -> Fate:
        """Return what holds as long as nothing lands any more that was sent."""
        if self.now - recorded.begun_at < _SETTLED:
            return Fate(recorded=recorded, text=f"{text}, which may still change", outcome=None)
        return _known(recorded, status, text)


def _known(recorded: RecordedChange, status: Status, text: str) -> Fate:
    message = f"found after the apply was cut off: {text}"
    outcome = Outcome(change=recorded.change.id, status=status, message=message, seconds=0.0)
    return Fate(recorded=recorded, text=text, outcome=outcome)
