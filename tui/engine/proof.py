"""What must be seen before a change is written, and what proves it afterwards. Pure; may import ports and model.

Every function answers for one step: a change as a writer takes it.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from tui.model.change import (
    Action,
    AssociateRouteTable,
    Change,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
    ReplaceRoute,
    RouteChange,
    SetForwarding,
    TableChange,
)
from tui.model.fabric import leads_to
from tui.model.finding import Code, Report
from tui.model.network import Route, RouteTable
from tui.model.node import IPNetwork, Node, contains
from tui.model.plan import Status
from tui.model.snapshot import Placement, SourceState
from tui.ports import Reading


@dataclass(frozen=True, slots=True)
class Ending:
    """How a change ended, before it is timed and numbered."""

    status: Status
    message: str | None = None


def hindrance(change: Change, report: Report) -> str | None:
    """Return why the cluster, as the newest report knows it, forbids the change; None when it does not.

    A change for a node needs that very node, and a route for it needs the pod CIDR to be the node's still, and nobody
    else's, and the VM to be where the right route leads. What was made out to belong to nobody must belong to nobody
    still. Nothing is taken away on old news, and no route is touched that a route controller writes.
    """
    match change:
        case SetForwarding():
            return None if _present(change, report) else _gone(change)
        case CreateRoute() | ReplaceRoute() | DeleteRoute():
            return _untouchable(change, report) or _astray(change, report)
        case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
            return _untouchable(change, report) or _unfit(change, report)
        case _:
            assert_never(change)


def _present(change: Change, report: Report) -> Node | None:
    return next((node for node in report.snapshot.nodes or () if node.uid == change.node_uid), None)


def _gone(change: Change) -> str:
    return f"node {change.node} is not the one that the plan was made for, or is gone"


def _untouchable(change: RouteChange | TableChange, report: Report) -> str | None:
    """Return why no route may be touched now, whosever it is."""
    if any(finding.code is Code.ROUTE_CONTROLLER_ACTIVE for finding in report.findings):
        return "a route controller writes these routes now: change them there"
    source = report.snapshot.nodes_source
    if change.action is not Action.CREATE and source.state is not SourceState.OK:
        news = f"{source.name} is {source.state}, and nothing is deleted, replaced or attached on old news"
        return f"{news}: {source.message}"
    return None


def _astray(change: RouteChange, report: Report) -> str | None:
    """Return why the change no longer does right by the nodes."""
    nodes = report.snapshot.nodes or ()
    if change.node_uid is None:
        return _claimed(change, nodes) if nodes else "the cluster tells of no nodes, so that nothing is proven stray"
    node = _present(change, report)
    if node is None:
        return _gone(change)
    if _destination(change) not in node.pod_cidrs:
        return f"{_destination(change)} is no longer a pod CIDR of node {change.node}: plan again"
    if change.undo:
        return None
    return _claimed(change, tuple(other for other in nodes if other is not node)) or _moved(change, report)


def _unfit(change: TableChange, report: Report) -> str | None:
    """Return why a table is not what the nodes need by now; what takes something back is asked by its subject alone."""
    if change.undo or isinstance(change, DeleteRouteTable):
        return None
    owners: dict[IPNetwork, list[Placement]] = {}
    for assessment in report.assessments:
        for cidr in assessment.node.pod_cidrs:
            owners.setdefault(cidr, []).append(assessment.placement)
    for route in change.after.routes if isinstance(change, CreateRouteTable) else change.needs:
        placements = owners.get(route.destination, [])
        if len(placements) != 1 or not leads_to(route, placements[0]):
            return f"{route.next_hop.label} is no longer where {route.destination} belongs: plan again"
    return None


def _moved(change: RouteChange, report: Report) -> str | None:
    """Return why the node's VM is no longer the one that the plan leads packets to; None when it is."""
    placement = next(one.placement for one in report.assessments if one.node.uid == change.node_uid)
    if placement.instance is None:
        return f"the VM of node {change.node} cannot be told now: {placement.reason}"
    right = change.keeps if isinstance(change, DeleteRoute) else change.after
    if right is not None and not leads_to(right, placement):
        return f"{right.next_hop.label} is no longer where node {change.node} is: plan again"
    if isinstance(change, DeleteRoute) and leads_to(change.before, placement):
        return f"{change.before.name} leads to node {change.node} by now: plan again"
    return None


def _claimed(change: RouteChange, nodes: tuple[Node, ...]) -> str | None:
    destination = _destination(change)
    for node in nodes:
        if any(contains(cidr, destination) or contains(destination, cidr) for cidr in node.pod_cidrs):
            return f"{destination} overlaps a pod CIDR of node {node.name} now: plan again"
    return None


def _destination(change: RouteChange) -> IPNetwork:
    return change.before.destination if isinstance(change, DeleteRoute) else change.after.destination


def precondition(change: Change, reading: Reading) -> Ending | None:
    """Return how the change ends without being written; None when it is to be written."""
    match change:
        case SetForwarding():
            return _flag_precondition(change, reading)
        case CreateRoute():
            return _absent(change.after, reading)
        case DeleteRoute():
            return _deletable(change, reading)
        case ReplaceRoute():
            if holds(change, reading):
                return Ending(Status.ALREADY_SO)
            return _unchanged(change.before, reading)
        case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
            return Ending(Status.ALREADY_SO) if holds(change, reading) else _table_precondition(change, reading)
        case _:
            assert_never(change)


def holds(change: Change, reading: Reading) -> bool:
    """Tell whether the reading proves that the change is in place."""
    match change:
        case SetForwarding():
            return reading.forwards is change.after
        case CreateRoute() | ReplaceRoute():
            return _is_there(change.after, reading)
        case DeleteRoute():
            return reading.route(change.before.name) is None
        case CreateRouteTable():
            return reading.table is not None and _same_routes(change.after, reading)
        case DeleteRouteTable():
            return reading.table is None
        case AssociateRouteTable():
            return reading.table == change.after
        case _:
            assert_never(change)


def told(change: Change, reading: Reading) -> str:
    """Say what the reading shows of the change's subject."""
    match change:
        case SetForwarding():
            if reading.forwards is None:
                return f"{change.flag} not told by the cloud"
            return f"{change.flag} {str(change.fields(reading.forwards)[change.flag]).lower()}"
        case CreateRoute() | ReplaceRoute():
            return _described(reading.route(change.after.name), change.after.name)
        case DeleteRoute():
            return _described(reading.route(change.before.name), change.before.name)
        case CreateRouteTable() | DeleteRouteTable():
            name = change.table.rpartition("/")[2]
            return f"no table {name}" if reading.table is None else f"table {name} with {len(reading.routes)} routes"
        case AssociateRouteTable():
            return "the subnet without a table" if reading.table is None else f"the subnet with {reading.table}"
        case _:
            assert_never(change)


def _table_precondition(change: TableChange, reading: Reading) -> Ending | None:
    """Return why a change that is not in place yet is refused; None when it is to be written."""
    reason: str | None = None
    match change:
        case CreateRouteTable():
            if reading.table is not None:
                reason = f"the name is taken: {told(change, reading)} is there, not all of them the planned ones"
        case DeleteRouteTable():
            if reading.subnets:
                reason = f"{reading.subnets[0]} uses the table"
            elif not _same_routes(change.before, reading):
                reason = f"the plan expected other routes than those of {told(change, reading)}"
        case AssociateRouteTable():
            missing = next((route for route in change.needs if not _is_there(route, reading)), None)
            if reading.table != change.before:
                reason = f"the plan expected another state than {told(change, reading)}, whose table is not exchanged"
            elif change.after is not None and missing is not None:
                seen = _described(reading.route(missing.name), missing.name)
                reason = f"the table is not whole, the plan expected another state than {seen}"
        case _:
            assert_never(change)
    return None if reason is None else Ending(Status.REFUSED, reason)


def _same_routes(table: RouteTable, reading: Reading) -> bool:
    names = {route.name for route in table.routes}
    return names == {route.name for route in reading.routes} and all(
        _is_there(route, reading) for route in table.routes
    )


def _flag_precondition(change: SetForwarding, reading: Reading) -> Ending | None:
    if reading.forwards is change.after:
        return Ending(Status.ALREADY_SO)
    if reading.forwards is not change.before:
        return Ending(Status.REFUSED, f"the plan expected another state than {told(change, reading)}")
    if change.token is not None and reading.token != change.token:
        return Ending(Status.REFUSED, f"{change.subject} was changed since the plan was made: plan again")
    return None


def _absent(wanted: Route, reading: Reading) -> Ending | None:
    seen = reading.route(wanted.name)
    if seen is None:
        return None
    if _is_there(wanted, reading):
        return Ending(Status.ALREADY_SO)
    return Ending(Status.REFUSED, f"the name is taken: {_described(seen, wanted.name)}")


def _deletable(change: DeleteRoute, reading: Reading) -> Ending | None:
    if reading.route(change.before.name) is None:
        return Ending(Status.ALREADY_SO)
    if change.keeps is not None:
        kept = reading.route(change.keeps.name)
        if kept is None or kept.dead or not _is_there(change.keeps, reading):
            text = f"the route that is to take over does not work: {_described(kept, change.keeps.name)}"
            return Ending(Status.REFUSED, text)
    return _unchanged(change.before, reading)


def _unchanged(planned: Route, reading: Reading) -> Ending | None:
    seen = reading.route(planned.name)
    if seen is not None and seen.same_as(planned):
        return None
    return Ending(Status.REFUSED, f"the plan expected another state than {_described(seen, planned.name)}")


def _is_there(wanted: Route, reading: Reading) -> bool:
    seen = reading.route(wanted.name)
    return seen is not None and seen.same_as(replace(wanted, token=None))


def _described(route: Route | None, name: str) -> str:
    if route is None:
        return f"no route {name}"
    priority = "" if route.priority is None else f", priority {route.priority}"
    warning = f", {route.warning}" if route.warning else ""
    return f"{route.name}: {route.destination} to {route.next_hop.label}{priority}{warning}"
