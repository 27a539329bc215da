"""What the detail says about the routes of one pod CIDR: each as it was seen, the room for more, what the fabric does.

Pure; may import model, render and format only.
"""

from collections.abc import Iterable, Iterator

from tui.model.finding import Assessment, PodRoute, Report, RouteState
from tui.model.naming import is_own
from tui.model.network import Route, RouteTable
from tui.model.node import Cloud, IPNetwork, contains
from tui.model.snapshot import Cluster, Snapshot
from tui.render_plan import resource_name
from tui.screen.format import clock, legible


def owned_range(assessment: Assessment, route: PodRoute) -> IPNetwork | None:
    """Return the range of the VM's own that covers the pod CIDR, so that no route is needed; None without one."""
    interface = assessment.placement.interface
    owned = () if interface is None else interface.owned_cidrs
    return next((cidr for cidr in owned if contains(cidr, route.pod_cidr)), None)


def route_evidence(assessment: Assessment, route: PodRoute, report: Report) -> Iterator[str]:
    """Yield the routes for exactly this range, the tables that it belongs into, and what the fabric does with it."""
    if assessment.cloud is Cloud.AZURE:
        yield from _by_table(assessment, route, report)
    else:
        yield from _by_route(assessment, route, report.snapshot)
    if route.state is RouteState.OK:
        yield from _witnessed(route.pod_cidr, report)


def _by_route(assessment: Assessment, route: PodRoute, snapshot: Snapshot) -> Iterator[str]:
    """Yield one line or two per route, then the room in their table: a network has one."""
    for table, seen in route.seen:
        where = "" if len({table.id for table, _ in route.seen}) == 1 else f" in {_named(table.id)}"
        yield f"{lead(seen, snapshot.cluster)}{where}"
        told = " · ".join(traits(seen))
        if told:
            yield told
    for table in _tables(assessment, route, snapshot):
        yield room(table)


def _by_table(assessment: Assessment, route: PodRoute, report: Report) -> Iterator[str]:
    """Yield every table of the VNet's nodes with the routes that it has for the range; the node's own subnet first."""
    subnet, interface = assessment.subnet, assessment.placement.interface
    where = interface.subnet if interface is not None and interface.subnet is not None else "-"
    if subnet is None:
        yield f"subnet {_named(where)} was not read"
    else:
        told = "no route table" if subnet.route_table is None else f"table {_named(subnet.route_table)}"
        yield f"subnet {_named(where)}: {told}"
    for table in sorted(_serving(assessment, route, report), key=lambda table: where not in (table.subnets or ())):
        yield room(table)
        if table.trouble is not None:
            yield f"the cloud says of this table: {legible(table.trouble)}"
        found = [seen for holder, seen in route.seen if holder.id == table.id]
        if not found:
            yield f"no route for {route.pod_cidr} in it"
        for seen in found:
            yield " · ".join([lead(seen, report.snapshot.cluster), *traits(seen)])


def _serving(assessment: Assessment, route: PodRoute, report: Report) -> Iterable[RouteTable]:
    """Return the tables of all subnets that hold nodes of the VNet: any of these nodes may send to the range."""
    interface = assessment.placement.interface
    found = {table.id: table for table, _ in route.seen}
    if interface is None:
        return found.values()
    senders = {
        sender.subnet: other.subnet.route_table if other.subnet is not None else None
        for other in report.assessments
        if (sender := other.placement.interface) is not None
        and other.cloud is Cloud.AZURE
        and not other.node.encapsulated
        and sender.network == interface.network
    }
    for view in report.snapshot.views:
        for table in view.route_tables or ():
            if table.id in senders.values() or not senders.keys().isdisjoint(table.subnets or ()):
                found.setdefault(table.id, table)
    return found.values()


def _witnessed(pod_cidr: IPNetwork, report: Report) -> Iterator[str]:
    """Yield what the fabric was seen to do with the range after the last apply; nothing where it was not asked."""
    for witness in report.witnesses:
        seen = f"seen from {legible(witness.node)} at {clock(witness.at)}"
        if pod_cidr in witness.agrees:
            yield f"the fabric agrees: {seen}"
        elif pod_cidr in witness.differs:
            yield f"the fabric disagrees: {legible(witness.differs[pod_cidr])}, {seen}"


def lead(route: Route, cluster: Cluster) -> str:
    """Return whose route it is and where it leads."""
    whose = "ours" if is_own(cluster, route.name) else "foreign"
    return f"{legible(route.name)} ({whose}) → {legible(route.next_hop.label)}"


def traits(route: Route) -> Iterator[str]:
    """Yield what else is to be known of a route."""
    if route.priority is not None:
        yield f"priority {route.priority}"
    if route.tags:
        yield f"only for VMs tagged {', '.join(sorted(map(legible, route.tags)))}"
    if route.system:
        yield "made by the cloud itself"
    if route.warning:
        yield f"the cloud warns: {legible(route.warning)}"
    elif route.dead:
        yield "its next hop does not exist or does not run"


def _tables(assessment: Assessment, route: PodRoute, snapshot: Snapshot) -> list[RouteTable]:
    """Return the tables in which the range was seen, else those of the node's own network."""
    seen = {table.id: table for table, _ in route.seen}
    interface, every = assessment.placement.interface, (view.route_tables or () for view in snapshot.views)
    if seen or interface is None:
        return list(seen.values())
    return [table for tables in every for table in tables if table.network == interface.network]


def room(table: RouteTable) -> str:
    """Return the name of a table, with how full it is where that is known."""
    what, quota = "network" if table.subnets is None else "table", table.quota
    if quota is None:
        return f"{what} {_named(table.id)}"
    whose = f" ({legible(quota.name)})" if table.subnets is None else ""  # one that is not shared has the table's name
    return f"{what} {_named(table.id)}: {quota.used} of {quota.limit} routes used{whose}"


def _named(resource: str) -> str:
    return legible(resource_name(resource))
