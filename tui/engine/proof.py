"""What must be seen before a change is written, and what proves it afterwards. Pure; may import ports and model.

Every function answers for one step: a change as a writer takes it.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from tui.model.change import Action, Change, CreateRoute, DeleteRoute, ReplaceRoute, RouteChange, SetForwarding
from tui.model.fabric import leads_to
from tui.model.finding import Code, Report
from tui.model.network import Route
from tui.model.node import IPNetwork, Node, contains
from tui.model.plan import Status
from tui.model.snapshot import SourceState
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
    if isinstance(change, SetForwarding):
        return None if _present(change, report) else _gone(change)
    return _untouchable(change, report) or _astray(change, report)


def _present(change: Change, report: Report) -> Node | None:
    return next((node for node in report.snapshot.nodes or () if node.uid == change.node_uid), None)


def _gone(change: Change) -> str:
    return f"node {change.node} is not the one that the plan was made for, or is gone"


def _untouchable(change: RouteChange, report: Report) -> str | None:
    """Return why no route may be touched now, whosever it is."""
    if any(finding.code is Code.ROUTE_CONTROLLER_ACTIVE for finding in report.findings):
        return "a route controller writes these routes now: change them there"
    source = report.snapshot.nodes_source
    if change.action is not Action.CREATE and source.state is not SourceState.OK:
        return f"{source.name} is {source.state}, and nothing is deleted on old news: {source.message}"
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
        case _:
            assert_never(change)


def holds(change: Change, reading: Reading) -> bool:
    """Tell whether the reading proves that the change is in place."""
    match change:
        case SetForwarding():
            return reading.forwards is change.after
        case CreateRoute():
            return _is_there(change.after, reading)
        case DeleteRoute():
            return reading.route(change.before.name) is None
        case ReplaceRoute():
            return _is_there(change.after, reading)
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
        case _:
            assert_never(change)


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
