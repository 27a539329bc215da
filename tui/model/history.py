"""What earlier applies did, as a journal tells of it. Standard library only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tui.model.change import Change
from tui.model.plan import Actor, Outcome, Status


class RunState(StrEnum):
    """How far an apply has come."""

    ENDED = "ended"
    UNDER_WAY = "under-way"
    CUT_OFF = "cut-off"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedChange:
    """A change that an apply was about to write.

    ``outcome`` is None when the journal ends before it. ``touched`` when one of several steps was taken, whatever
    became of the whole.
    """

    change: Change
    begun_at: datetime
    outcome: Outcome | None
    touched: bool

    @property
    def may_be_written(self) -> bool:
        """Tell whether this apply has written it, or may have."""
        if self.outcome is None or self.touched:
            return True
        return self.outcome.status in {Status.APPLIED, Status.INDETERMINATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedApply:
    """One apply. ``changes`` are those that were begun, in their order, of ``total`` that were planned.

    ``user`` is who began it on this machine, ``actors`` as whom it acted, ``undoes`` the id of the apply that it was to
    take back, and ``lock_taken_from`` who held the cluster's lock when it was taken by force. ``unread`` is the number
    of its entries that this version cannot read.
    """

    id: str
    begun_at: datetime
    user: str
    context: str
    plan: str
    total: int
    changes: tuple[RecordedChange, ...]
    state: RunState
    undoes: str | None = None
    actors: tuple[Actor, ...] = ()
    lock_taken_from: str | None = None
    unread: int = 0

    @property
    def written(self) -> tuple[RecordedChange, ...]:
        """What it has written, or may have, in that order."""
        return tuple(recorded for recorded in self.changes if recorded.may_be_written)

    @property
    def on_their_way(self) -> tuple[RecordedChange, ...]:
        """What was begun and has no outcome."""
        return tuple(recorded for recorded in self.changes if recorded.outcome is None)

    @property
    def good(self) -> bool:
        """Tell whether it came to its end and everything was proven to be in place."""
        outcomes = [recorded.outcome for recorded in self.changes]
        proven = all(outcome is not None and outcome.status.good for outcome in outcomes)
        return proven and self.state is RunState.ENDED and len(outcomes) == self.total and not self.unread

    @property
    def gap(self) -> str | None:
        """Say that it cannot be told whole; None when it can."""
        if not self.unread:
            return None
        entries = "1 entry" if self.unread == 1 else f"{self.unread} entries"
        return f"{entries} of apply {self.id} cannot be read by this version"

    def counts(self) -> dict[str, int]:
        """Count the changes by what became of them; those without an outcome are ``on their way``."""
        ended = [recorded.outcome.status for recorded in self.changes if recorded.outcome is not None]
        counts = {status.value: ended.count(status) for status in Status if status in ended}
        if self.on_their_way:
            counts["on their way"] = len(self.on_their_way)
        if self.total > len(self.changes):
            counts["not begun"] = self.total - len(self.changes)
        return counts


def latest_to_undo(applies: Sequence[RecordedApply]) -> RecordedApply | None:
    """Return the newest apply that has written something and was not taken back; None when there is none.

    One that cannot be read may have written anything. What took another one back is not taken back in its turn unless
    it is asked for. ``applies`` are oldest first.
    """
    undone = {apply.undoes for apply in applies if apply.good}
    candidates = (apply for apply in reversed(applies) if (apply.written or apply.unread) and apply.undoes is None)
    return next((apply for apply in candidates if apply.id not in undone), None)
