"""What was applied before: told, looked after when it was cut off, and taken back.

May import the journal, aftermath, undoing, ports and the model.
"""

from collections.abc import Callable
from pathlib import Path

from tui.engine.aftermath import aftermath, last_cut_off
from tui.engine.journal import Journal
from tui.engine.runs import NOT_LISTED
from tui.engine.undoing import Reversal, chosen
from tui.model.aftermath import Aftermath
from tui.model.change import Change
from tui.model.finding import Report
from tui.model.history import RecordedApply
from tui.model.node import Cloud
from tui.model.plan import Plan, build_plan
from tui.model.snapshot import Cluster
from tui.model.undo import undo_plan
from tui.ports import Clock, CloudReader, PortError, Unavailable


class Past:
    """The applies to one cluster. ``reader`` raises ``Misconfigured`` for a cloud that cannot be read."""

    def __init__(
        self, *, cluster: Cluster, journal: Journal, reader: Callable[[Cloud], CloudReader], clock: Clock
    ) -> None:
        self._cluster = cluster
        self._journal = journal
        self._reader = reader
        self._clock = clock

    @property
    def path(self) -> Path:
        """Where the journal stands, or will stand."""
        return self._journal.path

    def applies(self) -> tuple[RecordedApply, ...]:
        """Return what earlier applies did, oldest first. Raises ``Misconfigured`` when the journal cannot be read."""
        return self._journal.applies()

    def look_back(self, *, record: bool) -> Aftermath | None:
        """Tell what became of the newest apply if it was cut off. Raises and records as ``Session.look_back``."""
        apply = last_cut_off(self.applies())
        if apply is None:
            return None
        found = aftermath(apply, self._reader, self._clock.now())
        if found.known and record:
            with self._journal.reserved():
                self._journal.found(found)
        return found

    def propose_undo(self, apply_id: str | None, report: Callable[[], Report]) -> Plan:
        """Plan what takes an apply back, as ``Session.propose_undo`` does; ``report`` tells what the world is like."""
        recorded = chosen(self.applies(), apply_id)
        if recorded is None:
            return build_plan(cluster=self._cluster, created_at=self._clock.now(), changes=())
        known = report()
        if known.synchronising:
            raise Unavailable(NOT_LISTED)
        reversal = Reversal(known)
        return undo_plan(
            recorded,
            cluster=self._cluster,
            created_at=self._clock.now(),
            command=self._command,
            hinders=lambda inverse: reversal.hinders(inverse) or self._unspoken(inverse),
        )

    def _command(self, change: Change) -> str:
        return self._reader(change.cloud).command(change)

    def _unspoken(self, inverse: Change) -> str | None:
        """Return why the cloud has no words for an inverse, as for next hops of a kind that it does not take back."""
        try:
            self._command(inverse)
        except PortError as error:
            return str(error)
        return None
