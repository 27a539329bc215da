"""What the detail says about the routes of one pod CIDR: each as it was seen, and the room that is left for more.

Pure; may import model, render and format only.
"""

from collections.abc import Iterator

from tui.model.finding import Assessment, PodRoute
from tui.model.naming import is_own
from tui.model.network import Route, RouteTable
from tui.model.node import Cloud, IPNetwork, contains
from tui.model.snapshot import Snapshot
from tui.render_plan import resource_name
from tui.screen.format import legible


def owned_range(assessment: Assessment, route: PodRoute) -> IPNetwork | None:
    """Return the range of the VM's own that covers the pod CIDR, so that no route is needed; None without one."""
    interface = assessment.placement.interface
    owned = () if interface is None else interface.owned_cidrs
    return next((cidr for cidr in owned if contains(cidr, route.pod_cidr)), None)


def route_evidence(assessment: Assessment, route: PodRoute, snapshot: Snapshot) -> Iterator[str]:
    """Yield one line or two per route for exactly this range, then the tables that it belongs into."""
    for table, seen in route.seen:
        whose = "ours" if is_own(snapshot.cluster, seen.name) else "foreign"
        where = "" if len({table.id for table, _ in route.seen}) == 1 else f" in {_named(table.id)}"
        yield f"{legible(seen.name)} ({whose}) → {legible(seen.next_hop.label)}{where}"
        traits = " · ".join(_traits(seen))
        if traits:
            yield traits
    for table in _tables(assessment, route, snapshot):
        yield _room(table)
    subnet = assessment.subnet
    if subnet is not None and assessment.cloud is Cloud.AZURE:
        yield f"subnet {_named(subnet.id)}: table {_named(subnet.route_table or 'none')}"


def _traits(route: Route) -> Iterator[str]:
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
    """Return the tables in which the range was seen, else those of the node's own network and subnet."""
    seen = {table.id: table for table, _ in route.seen}
    if seen:
        return list(seen.values())
    interface, every = assessment.placement.interface, (view.route_tables or () for view in snapshot.views)
    return [
        table
        for tables in every
        for table in tables
        if interface is not None
        and (table.network == interface.network if table.subnets is None else interface.subnet in table.subnets)
    ]


def _room(table: RouteTable) -> str:
    what = "network" if table.subnets is None else "table"
    quota = table.quota
    used = "" if quota is None else f": {quota.used} of {quota.limit} routes used ({legible(quota.name)})"
    return f"{what} {_named(table.id)}{used}"


def _named(resource: str) -> str:
    return legible(resource_name(resource))
