"""Which apply is to be taken back, and what stands in the way. Pure; may import hindrance, ports and the model."""

from collections.abc import Sequence

from tui.engine.hindrance import hindrance
from tui.model.change import Change, CreateRoute, ReplaceRoute
from tui.model.fabric import Fabric, Life
from tui.model.finding import Report
from tui.model.history import RecordedApply, RunState, latest_to_undo
from tui.model.joined import Joined
from tui.model.text import printable
from tui.ports import Misconfigured


def recorded_as(applies: Sequence[RecordedApply], apply_id: str) -> RecordedApply:
    """Return the apply of this id. Raises ``Misconfigured`` when there is none."""
    found = next((apply for apply in applies if apply.id == apply_id), None)
    if found is None:
        raise Misconfigured(f"the journal has no apply {printable(apply_id)}: the verb journal lists them")
    return found


def chosen(applies: Sequence[RecordedApply], apply_id: str | None) -> RecordedApply | None:
    """Return the apply of this id; for None the newest one that still stands, None when there is none.

    Raises ``Misconfigured`` when there is no apply of this id, and while it is under way.
    """
    found = latest_to_undo(applies) if apply_id is None else recorded_as(applies, apply_id)
    if found is not None and found.state is RunState.UNDER_WAY:
        raise Misconfigured(f"apply {found.id} is under way: wait for its end")
    return found


class Reversal:
    """What a report has to say against inverses."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._fabric = Fabric.of(Joined.of(report.snapshot))

    def hinders(self, inverse: Change) -> str | None:
        """Return why an inverse cannot be carried out; None when nothing is known against it."""
        return hindrance(inverse, self._report) or self._leads_nowhere(inverse)

    def _leads_nowhere(self, inverse: Change) -> str | None:
        """Return why the cloud takes no route back: it leads to a VM that is gone."""
        if not isinstance(inverse, CreateRoute | ReplaceRoute):
            return None
        held = self._fabric.tables.get(inverse.table)
        if held is None or self._fabric.life(inverse.after, held) is not Life.GONE:
            return None
        return f"{inverse.after.next_hop.label} does not exist any more, and {inverse.cloud} takes no route to it"
