"""From a recorded apply to the plan that takes it back: inverse changes, newest first. Standard library only."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from tui.model.change import Change
from tui.model.history import RecordedApply
from tui.model.plan import Plan, Refusal, build_plan
from tui.model.snapshot import Cluster

NOT_UNDONE = "not-undone"
"""The code with which a plan names what an undo leaves as it is."""


def undo_plan(
    apply: RecordedApply,
    *,
    cluster: Cluster,
    created_at: datetime,
    command: Callable[[Change], str],
    hinders: Callable[[Change], str | None],
) -> Plan:
    """Plan the inverse of everything that the apply has written, or may have written, in reverse order.

    What others relied on goes after these: a flag stays on until the routes that came after it are gone. ``hinders``
    tells why an inverse cannot be carried out; that and whatever would have to follow it is left out, with the reason.
    ``command`` gives a change's twin for the cloud's own command line.
    """
    refused: list[Refusal] = []
    if apply.gap is not None:
        refused.append(Refusal(node=None, code=NOT_UNDONE, reason=f"{apply.gap}: use the one that wrote them"))
    inverses: list[Change] = []
    numbers: dict[str, str] = {}
    lost: set[str] = set()
    for recorded in reversed(apply.written):
        change = recorded.change
        first = [other.change.id for other in apply.written if change.id in other.change.depends_on]
        reason = f"takes back {change.id} of apply {apply.id}, made because {change.reason}"
        inverse = replace(change.inverse(), reason=reason, findings=())
        stuck = next((id_ for id_ in first if id_ in lost), None)
        why_not = hinders(inverse) if stuck is None else f"{stuck}, which relies on it, cannot be taken back"
        if why_not is not None:
            lost.add(change.id)
            refused.append(Refusal(node=change.node, code=NOT_UNDONE, reason=f"{change.subject}: {why_not}"))
            continue
        numbers[change.id] = f"c{len(inverses) + 1}"  # as build_plan numbers them
        needed = tuple(numbers[id_] for id_ in first)
        inverses.append(replace(inverse, depends_on=needed, command=command(inverse)))
    made = build_plan(cluster=cluster, created_at=created_at, changes=inverses, refused=refused)
    return replace(made, undoes=apply.id)
