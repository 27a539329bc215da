"""Which part of a plan an armed window allows. Pure; standard library only."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from tui.model.arming import Arming, FixKind
from tui.model.change import Change, CreateRoute, ReplaceRoute, SetForwarding
from tui.model.fabric import Fabric, Life
from tui.model.joined import Joined
from tui.model.network import ReplaceMethod
from tui.model.plan import Plan, seal
from tui.model.snapshot import Snapshot


def permitted(plan: Plan, arming: Arming, uids: Collection[str], snapshot: Snapshot, left: int) -> Plan:
    """Return the part of a plan that is armed: for nodes with these uids, at most ``left`` changes.

    What depends on a change outside of that part is outside too.
    """
    kept: list[Change] = []
    fabric: Fabric | None = None
    for change in plan.changes:
        covered = _kind(change) in arming.kinds and change.node_uid in uids
        if not covered or not {*change.depends_on} <= {one.id for one in kept}:
            continue
        if isinstance(change, ReplaceRoute):
            fabric = fabric or Fabric.of(Joined.of(snapshot))
            if not _leads_nowhere(change, fabric):
                continue
        kept.append(change)
    return _part(plan, kept[:left])


def without(plan: Plan, changes: Collection[str]) -> Plan:
    """Return the plan without the changes of these ids, and without what depends on them."""
    kept: list[Change] = []
    for change in plan.changes:
        if change.id not in changes and {*change.depends_on} <= {one.id for one in kept}:
            kept.append(change)
    return _part(plan, kept)


def _part(plan: Plan, kept: Sequence[Change]) -> Plan:
    return replace(plan, id=seal(plan.cluster, kept), changes=tuple(kept), refused=())


def _kind(change: Change) -> FixKind | None:
    if isinstance(change, SetForwarding):
        return FixKind.FORWARDING if change.after else None
    if isinstance(change, CreateRoute):
        return FixKind.CREATE_ROUTE
    if isinstance(change, ReplaceRoute):
        return None if change.method is ReplaceMethod.DELETE_THEN_ADD else FixKind.REPLACE_ROUTE
    return None


def _leads_nowhere(change: ReplaceRoute, fabric: Fabric) -> bool:
    """Tell whether the route to be replaced is known to lead to a VM that does not exist any more."""
    held = fabric.tables.get(change.table)
    return held is not None and fabric.life(change.before, held) in {Life.GONE, Life.UNHELD}
