"""Does the cloud deliver packets for each pod CIDR to its node?

Decides ``route-missing``, ``route-wrong-next-hop``, ``route-blackhole`` and ``route-duplicate``. Asked on Compute
Engine (one table per network) and Azure (the tables associated with the subnets that hold nodes). A route is right when
it leads to the VM, or to an address of the interface, that holds the node's address now, and when that runs.
"""

from collections.abc import Iterable, Iterator, Sequence

from tui.model.change import RouteChange
from tui.model.delivery import Delivered, Delivery, Routing
from tui.model.fabric import Fabric, Life, rank
from tui.model.finding import Code, Finding, PodRoute, RouteState, Severity, worst_route
from tui.model.mending import Blocked, Owner, mend
from tui.model.network import NetworkInterface, Route
from tui.model.node import Cloud
from tui.model.snapshot import Placement

_CODES = {
    RouteState.MISSING: (Code.ROUTE_MISSING, "no route for pod CIDR {}"),
    RouteState.BLACKHOLE: (Code.ROUTE_BLACKHOLE, "the route for pod CIDR {} leads to no VM that runs"),
    RouteState.WRONG_NEXT_HOP: (Code.ROUTE_WRONG_NEXT_HOP, "the route for pod CIDR {} does not lead to its node"),
    RouteState.DUPLICATE: (Code.ROUTE_DUPLICATE, "several routes compete for pod CIDR {}"),
}
_GOOD = frozenset({RouteState.OK, RouteState.NOT_REQUIRED})
"""The best states: what several tables do comes to one of these only where each of them does."""
_PARTLY_READ = frozenset({RouteState.UNKNOWN, RouteState.MISSING})
"""What a range may be that no table is known to fail: one was not read, or the node's own subnet has none."""


def states(answers: Iterable[Delivered]) -> tuple[PodRoute, ...]:
    """Answer for every pod CIDR of a node, in their order."""
    return tuple(map(_pod_route, answers))


def _pod_route(answer: Delivered) -> PodRoute:
    seen = tuple((delivery.held.table, route) for delivery in answer.deliveries for route in delivery.routes)
    return PodRoute(
        pod_cidr=answer.cidr, state=answer.state, seen=seen, reached=answer.reached, deliveries=answer.deliveries
    )


def check(routing: Routing) -> Iterator[Finding]:
    """Yield a finding for every pod CIDR that a table does not deliver to its node, or of which that was not read."""
    fabric = routing.fabric
    for node, placement in routing.routed():
        instance, interface = placement.instance, placement.interface
        if instance is None or interface is None:
            continue
        for answer in routing.answers[node.uid]:
            if answer.state in _GOOD:
                continue
            faulty = [delivery for delivery in answer.deliveries if delivery.state in _CODES]
            if faulty:
                yield _finding(answer, faulty, Owner(node, placement, instance, interface, fabric))
                continue
            unread = _unread(placement, interface, fabric) if answer.state in _PARTLY_READ else None
            if unread is not None:
                yield Finding(
                    code=Code.ROUTE_MISSING,
                    severity=Severity.UNKNOWN,
                    node=node.name,
                    subject=str(answer.cidr),
                    summary=unread,
                )


def _unread(placement: Placement, interface: NetworkInterface, fabric: Fabric) -> str | None:
    """Say which routes were not read; None when it is about the node's own subnet, of which its own finding tells."""
    if fabric.serving(placement) is None:
        where = interface.network if placement.cloud is Cloud.GCE else placement.source
        return f"the routes of {where} were not observed"
    if interface.subnet is None and placement.cloud is Cloud.AZURE:
        return f"the subnet of {interface.id} was not told"
    unread = [table for table in fabric.unread(placement) if table != interface.subnet]
    return f"the route table of a subnet with nodes was not read: {', '.join(unread)}" if unread else None


def _finding(answer: Delivered, faulty: Sequence[Delivery], owner: Owner) -> Finding:
    code, text = _CODES[worst_route(delivery.state for delivery in faulty)]
    told = "; ".join(filter(None, map(_told_of, faulty)))
    summary = text.format(answer.cidr) + (f" ({told})" if told else "")
    remedy: list[RouteChange] = []
    obstacle: str | None = None
    for delivery in faulty:
        mended = mend(delivery, owner, summary)
        if isinstance(mended, Blocked):
            obstacle = obstacle or mended.reason
        else:
            remedy.extend(mended)
    return Finding(
        code=code,
        severity=Severity.ERROR,
        node=owner.node.name,
        subject=str(answer.cidr),
        summary=summary,
        remedy=tuple(remedy),
        obstacle=obstacle,
    )


def _told_of(delivery: Delivery) -> str:
    """Name the table as well where there are several, one for each set of subnets."""
    table, told = delivery.held.table, _told(delivery)
    if table.subnets is None:
        return told
    return f"route table {table.name}" + (f": {told}" if told else "")


def _told(delivery: Delivery) -> str:
    """Name the routes, where they lead, and which of them the packets take."""
    lives = {route.name: life for route, life in zip(delivery.wrong, delivery.lives, strict=True)}
    ordered = sorted((*delivery.right, *delivery.wrong), key=rank)
    routes = [_described(route, lives.get(route.name, Life.RUNS)) for route in ordered]
    limited = [
        f"route {route.name} exists, but is limited to VMs tagged {', '.join(sorted(route.tags))}"
        for route in delivery.limited
    ]
    told = "; ".join(([", ".join(routes)] if routes else []) + limited)
    if delivery.state is not RouteState.DUPLICATE or all(route.priority is None for route in delivery.wrong):
        return told
    winners = delivery.winners
    if len(winners) == 1:
        return f"{told}; {winners[0].name} wins"
    spread = "both" if len(winners) == 2 else f"all {len(winners)}"
    names = " and ".join(route.name for route in winners)
    return f"{told}; {names} have equal priority: packets are spread over {spread}"


def _described(route: Route, life: Life) -> str:
    remarks = [
        f"priority {route.priority}" if route.priority is not None else "",
        f"for VMs tagged {', '.join(sorted(route.tags))}" if route.tags else "",
        "made by the cloud itself" if route.system else "",
        f"the next hop {life}" if life is not Life.RUNS else "",
        f"the cloud warns: {route.warning}" if route.warning else "",
    ]
    told = ", ".join(filter(None, remarks))
    return f"{route.name} → {route.next_hop.label}" + (f" [{told}]" if told else "")
