"""From findings to a plan: merges the remedies that findings carry, orders them, and knows no finding by name.

Standard library only.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, assert_never

from tui.model.change import (
    AssociateRouteTable,
    Change,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
    ReplaceRoute,
    RouteChange,
    SetForwarding,
)
from tui.model.network import ReplaceMethod, Route, RouteQuota
from tui.model.plan import Plan, Refusal, build_plan
from tui.model.snapshot import Cluster


class Remediable(Protocol):
    """What ``make_plan`` needs to know of a finding."""

    @property
    def code(self) -> str:
        """The finding's code."""

    @property
    def node(self) -> str | None:
        """The node it is about."""

    @property
    def summary(self) -> str:
        """What is wrong."""

    @property
    def remedy(self) -> tuple[Change, ...]:
        """The changes that would mend it; empty when it cannot be mended."""

    @property
    def obstacle(self) -> str | None:
        """Why it cannot be mended."""


def make_plan(
    *,
    cluster: Cluster,
    created_at: datetime,
    findings: Iterable[Remediable],
    nodes: Collection[str] | None,
    command: Callable[[Change], str],
    quotas: Iterable[RouteQuota] = (),
    delete_first: bool = False,
) -> Plan:
    """Merge the remedies of findings into one plan.

    ``nodes`` limits the plan to findings about these node names and those about no node; None means all. Equal changes
    are made once; changes that contradict each other (same flag or same destination, different result) are refused
    together. Routes come after the flags they rely on, and as many as ``quotas`` have room for: a replacement needs
    room for one route more, unless ``delete_first`` accepts a gap. ``command`` gives a change's twin for the cloud's
    own command line.
    """
    wanted = [finding for finding in findings if nodes is None or finding.node is None or finding.node in nodes]
    changes, refused = _merged(wanted)
    fitting, crowded = _fitted(sorted(changes, key=_order), quotas, delete_first=delete_first)
    ordered = [replace(change, command=command(change)) for change in fitting]
    return build_plan(cluster=cluster, created_at=created_at, changes=_chained(ordered), refused=[*refused, *crowded])


def _merged(findings: Iterable[Remediable]) -> tuple[list[Change], list[Refusal]]:
    changes: dict[Change, list[str]] = {}
    refused: list[Refusal] = []
    seen: dict[int, tuple[Change, ...]] = {}  # a table for hundreds of nodes is one remedy of all their findings
    for finding in findings:
        if not finding.remedy or finding.obstacle is not None:
            refused.append(Refusal(node=finding.node, code=finding.code, reason=finding.obstacle or finding.summary))
        if id(finding.remedy) not in seen:
            seen[id(finding.remedy)] = finding.remedy
            for change in finding.remedy:
                changes.setdefault(change, []).append(str(finding.code))
    by_target: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        by_target.setdefault(_target(change), []).append(change)
    merged: list[Change] = []
    for target, members in sorted(by_target.items()):
        if len({_result(change) for change in members}) == 1:
            codes = dict.fromkeys(code for change in members for code in changes[change])
            merged.append(replace(members[0], findings=tuple(codes)))
            continue
        reason = f"two findings want {target[-1]} to be different"
        about = dict.fromkeys(change.node for change in members)
        refused.extend(Refusal(node=node, code=members[0].kind, reason=reason) for node in about)
    return merged, refused


def _target(change: Change) -> tuple[str, ...]:
    """Return what can have only one outcome: a flag, what a table does with a destination, a route's existence."""
    match change:
        case SetForwarding():
            return (change.kind, change.subject)
        case CreateRoute() | ReplaceRoute():
            return (change.kind, change.table, str(change.after.destination))
        case DeleteRoute() | CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
            return (change.kind, change.subject)
        case _:
            assert_never(change)


def _result(change: Change) -> object:
    return change.after if isinstance(change, SetForwarding) else (change.before, change.after)


_STAGES: tuple[type[Change], ...] = (
    SetForwarding,
    ReplaceRoute,
    CreateRouteTable,
    CreateRoute,
    AssociateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
)


def _order(change: Change) -> tuple[int, str, str, str]:
    """Flags first; a subnet gets its table when that is whole; nothing goes before what stands in for it has come.

    Changes of one table stand together, so that they can be written together.
    """
    table = "" if isinstance(change, SetForwarding) else change.table
    return (_STAGES.index(type(change)), table, change.node or "", change.subject)


def _fitted(
    changes: Iterable[Change], quotas: Iterable[RouteQuota], *, delete_first: bool
) -> tuple[list[Change], list[Refusal]]:
    """Leave out what the quotas have no room for when its turn comes, and what relies on something left out."""
    limits = {quota.name: quota for quota in quotas}
    free = {name: quota.free for name, quota in limits.items()}
    fitting: list[Change] = []
    refused: list[Refusal] = []
    lost: set[tuple[str, Route]] = set()
    for change in changes:
        fits: Change | Refusal = change
        if isinstance(change, CreateRoute | ReplaceRoute | DeleteRoute):
            fits = _room(change, free, lost, limits, delete_first=delete_first)
        elif isinstance(change, AssociateRouteTable) and any((change.table, route) in lost for route in change.needs):
            reason = f"{change.subject} gets its table when that has room for all routes"
            fits = Refusal(node=change.node, code="route-quota", reason=reason)
        if isinstance(fits, Refusal):
            refused.append(fits)
        else:
            fitting.append(fits)
    return fitting, refused


def _room(
    change: RouteChange,
    free: dict[str, int],
    lost: set[tuple[str, Route]],
    limits: Mapping[str, RouteQuota],
    *,
    delete_first: bool,
) -> RouteChange | Refusal:
    """Return the change as its quota allows it, counted in ``free``; its route is ``lost`` when there is no room."""
    if isinstance(change, DeleteRoute) and change.keeps is not None and (change.table, change.keeps) in lost:
        reason = f"{change.before.name} stays until the route that is to take over can be added"
        return Refusal(node=change.node, code="route-quota", reason=reason)
    quota = change.quota
    if quota is None or quota not in free or (isinstance(change, ReplaceRoute) and _is_in_place(change)):
        return change
    if isinstance(change, DeleteRoute):
        free[quota] += 1
        return change
    if free[quota] > 0:
        free[quota] -= isinstance(change, CreateRoute)
        return change
    if isinstance(change, ReplaceRoute) and delete_first:
        return replace(change, method=ReplaceMethod.DELETE_THEN_ADD)
    lost.add((change.table, change.after))
    reason = f"{quota} has no room for one route more: {limits[quota].advice}"
    if isinstance(change, ReplaceRoute):
        reason += ", or plan with --delete-first, which leaves the pod CIDR without a route for seconds"
    return Refusal(node=change.node, code="route-quota", reason=reason)


def _is_in_place(change: ReplaceRoute) -> bool:
    return change.method is ReplaceMethod.IN_PLACE


def _chained(changes: Sequence[Change]) -> Sequence[Change]:
    """Let each change depend on those that must have succeeded before it.

    A route change depends on the flags of its node, a deletion on the route that it keeps, an association on the table
    and on everything that is to be in it. The ids are those that ``build_plan`` gives to this order.
    """
    switches: dict[str | None, list[str]] = {}
    makers: dict[tuple[str, Route], str] = {}
    tables: dict[str, list[str]] = {}
    chained: list[Change] = []
    for number, change in enumerate(changes, start=1):
        needed: list[str] = []
        match change:
            case SetForwarding():
                switches.setdefault(change.node_uid, []).append(f"c{number}")
            case CreateRoute() | ReplaceRoute():
                needed = _switched(change, switches)
                makers[change.table, change.after] = f"c{number}"
                tables.setdefault(change.table, []).append(f"c{number}")
            case DeleteRoute():
                needed = _switched(change, switches)
                if change.keeps is not None and (change.table, change.keeps) in makers:
                    needed.append(makers[change.table, change.keeps])
            case CreateRouteTable():
                tables.setdefault(change.table, []).append(f"c{number}")
            case AssociateRouteTable():
                needed = list(tables.get(change.table, ()))
            case DeleteRouteTable():
                pass
            case _:
                assert_never(change)
        chained.append(replace(change, depends_on=tuple(needed)))
    return chained


def _switched(change: RouteChange, switches: Mapping[str | None, list[str]]) -> list[str]:
    return [] if change.node_uid is None else list(switches.get(change.node_uid, ()))
