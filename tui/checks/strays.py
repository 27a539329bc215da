"""Does a route inside the cluster CIDR belong to no present node? Decides ``route-stray``.

The route of a node that was seen to leave is no stray as long as it leads to a VM that still runs: pods may run there
to their end. Not judged while the cluster CIDR is unknown, nor without nodes: then everything would look like a stray.
"""

from collections.abc import Iterator

from tui.model.change import DeleteRoute
from tui.model.delivery import Routing
from tui.model.fabric import Fabric, Held, Life, leads_to
from tui.model.finding import Code, Finding, Severity
from tui.model.naming import made_by
from tui.model.network import NextHopKind, Route
from tui.model.ranges import Ranges


def check(routing: Routing) -> Iterator[Finding]:
    """Yield a finding, with its remedy, for every route that delivers a range that no present node has."""
    cluster = Ranges.of(routing.joined.snapshot.cluster.pod_cidrs)
    if not routing.joined.nodes or not cluster.starts:
        return
    fabric = routing.fabric
    for held in fabric.serving_any():
        for route in held.table.routes:
            destination = route.destination
            if route.system or any(fabric.claims.around(destination)) or fabric.claims.within(destination):
                continue
            if any(cluster.around(destination)) and not _lingers(route, held, fabric):
                yield _finding(route, held, fabric)


def _lingers(route: Route, held: Held, fabric: Fabric) -> bool:
    """Tell whether the route leads to the VM, which runs, of a node that was seen to leave."""
    if route.destination not in fabric.joined.snapshot.departed or route.next_hop.kind is NextHopKind.OTHER:
        return False
    taken = any(leads_to(route, placement) for placement in fabric.joined.placements.values())
    return not taken and fabric.life(route, held) is Life.RUNS


def _finding(route: Route, held: Held, fabric: Fabric) -> Finding:
    maker = made_by(fabric.joined.snapshot.cluster, route)
    summary = (
        f"route {route.name} for {route.destination} belongs to no present node and leads to {route.next_hop.label}, "
        f"which {fabric.life(route, held)}; it is {maker}"
    )
    obstacle = _obstacle(route, held, fabric)
    remedy = DeleteRoute(
        node=None,
        node_uid=None,
        cloud=held.view.cloud,
        source=held.view.source.name,
        subject=held.subject(route),
        reason=summary,
        table=held.table.id,
        quota=held.quota,
        before=route,
        keeps=None,
    )
    return Finding(
        code=Code.ROUTE_STRAY,
        severity=Severity.WARNING,
        node=None,
        subject=held.subject(route),
        summary=summary,
        remedy=(remedy,) if obstacle is None else (),
        obstacle=obstacle,
    )


def _obstacle(route: Route, held: Held, fabric: Fabric) -> str | None:
    """Return why the route is not deleted; None when it may be."""
    if held.table.refusal is not None:
        return held.table.refusal
    if fabric.controller is not None:
        return f"a route controller writes these routes ({fabric.controller}): change them there"
    if route.next_hop.kind is NextHopKind.OTHER:
        return f"it leads to {route.next_hop.label} and not to a VM: delete it by hand if nothing needs it"
    gap = fabric.gap(view.source.name for view in fabric.views if view.cloud is held.view.cloud)
    return None if gap is None else f"{gap}: nothing is deleted before everything has been read"
