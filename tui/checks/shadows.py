"""Does a more specific route take part of a pod CIDR elsewhere? Decides ``route-shadowed``.

The longest prefix wins whatever the priorities, so the route for the pod CIDR itself may be right and yet not be used.
"""

from collections import defaultdict
from collections.abc import Iterator

from tui.model.delivery import Routing
from tui.model.fabric import Held, leads_to
from tui.model.finding import Code, Finding, Severity
from tui.model.network import Route
from tui.model.node import IPNetwork


def check(routing: Routing) -> Iterator[Finding]:
    """Yield one finding for every pod CIDR of which a route to something else than its node takes a part."""
    fabric = routing.fabric
    inside: defaultdict[tuple[str, IPNetwork], list[Route]] = defaultdict(list)
    for held in fabric.tables.values():
        for route in held.table.routes:
            for cidr in fabric.claims.wider(route.destination):
                inside[held.table.id, cidr].append(route)
    if not inside:
        return
    for node, placement in routing.routed():
        tables = fabric.serving(placement) or ()
        for cidr in node.pod_cidrs:
            if placement.interface is not None and placement.interface.owns(cidr):
                continue
            found = [
                (held, route)
                for held in tables
                for route in inside.get((held.table.id, cidr), ())
                if not leads_to(route, placement) and fabric.applies(route, placement)[0]
            ]
            if found:
                yield _finding(node.name, cidr, found)


def _finding(node: str, cidr: IPNetwork, found: list[tuple[Held, Route]]) -> Finding:
    routes = [route for _, route in found]
    told = ", ".join(f"{route.name} for {route.destination} → {route.next_hop.label}" for route in routes)
    return Finding(
        code=Code.ROUTE_SHADOWED,
        severity=Severity.ERROR,
        node=node,
        subject=str(cidr),
        summary=f"more specific routes take part of pod CIDR {cidr} elsewhere, whatever their priority ({told})",
        obstacle=f"what {routes[0].name} is for cannot be told from here: delete it by hand, or give it another range",
        routes=tuple(held.subject(route) for held, route in found),
    )
