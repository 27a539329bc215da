"""Why the cluster, as it is by now, forbids what was planned for it. Pure; may import the model."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
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
from tui.model.node import Cloud, IPNetwork, Node, contains
from tui.model.snapshot import Placement, SourceState


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
    wanted = change.after.routes if isinstance(change, CreateRouteTable) else change.needs
    missing = next(_holes(report, {route.destination for route in wanted}, owners), None)
    if missing is not None:
        return f"{missing} belongs to a node that the table was not planned for: plan again"
    for route in wanted:
        placements = owners.get(route.destination, [])
        if len(placements) != 1 or not leads_to(route, placements[0]):
            return f"{route.next_hop.label} is no longer where {route.destination} belongs: plan again"
    return None


def _holes(
    report: Report, delivered: AbstractSet[IPNetwork], owners: Mapping[IPNetwork, Sequence[Placement]]
) -> Iterator[IPNetwork]:
    """Yield the pod CIDRs of nodes on Azure that a table would not deliver, although nothing keeps it from that."""
    for assessment in report.assessments:
        node, interface, instance = assessment.node, assessment.placement.interface, assessment.placement.instance
        if assessment.cloud is not Cloud.AZURE or node.encapsulated or interface is None or instance is None:
            continue
        overlaps = any(finding.code is Code.PODCIDR_OVERLAP for finding in assessment.findings)
        if overlaps or instance.running is False or interface.routed_by is None:
            continue
        for cidr in node.pod_cidrs:
            reachable = any(address.version == cidr.version for address in interface.addresses)
            if reachable and cidr not in delivered and len(owners[cidr]) == 1 and not interface.owns(cidr):
                yield cidr


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
