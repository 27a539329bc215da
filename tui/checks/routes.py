"""Does the cloud deliver packets for each pod CIDR to its node?

Decides ``route-missing``, ``route-wrong-next-hop``, ``route-blackhole``, ``route-duplicate`` and
``route-table-missing``. Asked on Compute Engine (one table per network) and Azure (the tables associated with the
subnets that hold nodes). A route is right when it leads to the VM, or to an address of the interface, that holds the
node's address now, and when that runs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tui.model.change import CreateRoute, DeleteRoute, ReplaceRoute, RouteChange
from tui.model.delivery import Delivered, Delivery, Routing, lacks_table
from tui.model.fabric import DEFAULT_PRIORITY, Fabric, Held, Life, leads_to, rank
from tui.model.finding import Code, Finding, PodRoute, RouteState, Severity
from tui.model.naming import is_own, route_description, route_name
from tui.model.network import Instance, NetworkInterface, NextHop, NextHopKind, ReplaceMethod, Route
from tui.model.node import Cloud, IPNetwork, Node
from tui.model.snapshot import Placement

_CODES = {
    RouteState.MISSING: (Code.ROUTE_MISSING, "no route for pod CIDR {}"),
    RouteState.BLACKHOLE: (Code.ROUTE_BLACKHOLE, "the route for pod CIDR {} leads to nothing that runs"),
    RouteState.WRONG_NEXT_HOP: (Code.ROUTE_WRONG_NEXT_HOP, "the route for pod CIDR {} leads to another machine"),
    RouteState.DUPLICATE: (Code.ROUTE_DUPLICATE, "several routes compete for pod CIDR {}"),
}
_LONGEST_NAME = 63
_NOT_WRITTEN = "this version reports routes of Azure and does not write them"


def states(routing: Routing) -> dict[str, tuple[PodRoute, ...]]:
    """Answer for every pod CIDR of every node, by node uid, in the order of the node's pod CIDRs."""
    return {uid: tuple(_pod_route(answer) for answer in answers) for uid, answers in routing.answers.items()}


def _pod_route(answer: Delivered) -> PodRoute:
    seen = tuple((delivery.held.table, route) for delivery in answer.deliveries for route in delivery.routes)
    return PodRoute(pod_cidr=answer.cidr, state=answer.state, seen=seen)


def check(routing: Routing) -> Iterator[Finding]:
    """Yield a finding for every pod CIDR that is not delivered to its node, and one for a subnet without a table."""
    fabric = routing.fabric
    for node, placement in routing.routed():
        instance, interface = placement.instance, placement.interface
        if instance is None or interface is None:
            continue
        answers = routing.answers[node.uid]
        if lacks_table(placement, fabric) and any(answer.state is RouteState.MISSING for answer in answers):
            yield Finding(
                code=Code.ROUTE_TABLE_MISSING,
                severity=Severity.ERROR,
                node=node.name,
                subject=interface.subnet or "",
                summary="the node's subnet has no route table, so that no route of ours applies in it",
                obstacle=_NOT_WRITTEN,
            )
            continue
        for answer in answers:
            if answer.state in _CODES:
                yield _finding(answer, _Owner(node, placement, instance, interface, fabric))
            elif answer.state is RouteState.UNKNOWN:
                where = interface.network if placement.cloud is Cloud.GCE else placement.source
                yield Finding(
                    code=Code.ROUTE_MISSING,
                    severity=Severity.UNKNOWN,
                    node=node.name,
                    subject=str(answer.cidr),
                    summary=f"the routes of {where} were not observed",
                )


@dataclass(frozen=True, slots=True)
class _Owner:
    """The node whose pod CIDR is judged, with its VM."""

    node: Node
    placement: Placement
    instance: Instance
    interface: NetworkInterface
    fabric: Fabric


@dataclass(frozen=True, slots=True)
class _Blocked:
    """Why nothing is planned, in one sentence."""

    reason: str


def _finding(answer: Delivered, owner: _Owner) -> Finding:
    code, text = _CODES[answer.state]
    faulty = [delivery for delivery in answer.deliveries if delivery.state is not RouteState.OK]
    told = "; ".join(filter(None, map(_told, faulty)))
    summary = text.format(answer.cidr) + (f" ({told})" if told else "")
    remedy: list[RouteChange] = []
    obstacle: str | None = None
    for delivery in faulty:
        mended = _remedy(delivery, owner, summary)
        if isinstance(mended, _Blocked):
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
        obstacle=None if remedy else obstacle,
    )


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


def _remedy(delivery: Delivery, owner: _Owner, reason: str) -> list[RouteChange] | _Blocked:
    barrier = _barrier(delivery, owner)
    if barrier is not None:
        return _Blocked(barrier)
    if delivery.right:
        return [_deletion(delivery.held, owner, route, delivery.right[0], reason) for route in delivery.wrong]
    if owner.instance.running is False:
        return _Blocked(f"its VM {owner.instance.id} does not run: start it, then look again")
    hop = _next_hop(delivery.cidr, owner)
    if isinstance(hop, _Blocked):
        return hop
    if delivery.state is RouteState.MISSING:
        after = _route(delivery, owner, hop, DEFAULT_PRIORITY)
        return [CreateRoute(**_shared(delivery.held, owner, after, reason), after=after)]
    return _replacement(delivery, owner, hop, reason)


def _barrier(delivery: Delivery, owner: _Owner) -> str | None:
    """Return why nothing may be written for this range, whatever it would be; None when it may."""
    fabric = owner.fabric
    if owner.placement.cloud is not Cloud.GCE:
        return _NOT_WRITTEN
    if fabric.controller is not None:
        return f"a route controller writes these routes ({fabric.controller}): change them there"
    if delivery.cidr in fabric.contested:
        return f"two nodes claim {delivery.cidr}: a route can lead to one of them only"
    taken = _taken(delivery, fabric)
    if taken is not None:
        return f"{taken}: use other pod CIDRs"
    gap = fabric.gap({owner.placement.source or "", delivery.held.view.source.name})
    if gap is not None and delivery.wrong:  # adding alone takes nothing away
        return f"{gap}: nothing is deleted or replaced before everything has been read"
    return None


def _taken(delivery: Delivery, fabric: Fabric) -> str | None:
    """Return what the cloud itself does with the range, so that no route of ours can; None when it leaves it to us."""
    subnet = next(fabric.reserved[delivery.held.table.id].around(delivery.cidr), None)
    if subnet is not None:
        return f"a subnet of the network has {subnet}, and the cloud takes no route inside of it"
    fixed = next((route for route in delivery.wrong if route.system), None)
    return None if fixed is None else f"the cloud itself made {fixed.name} and nobody can delete it"


def _replacement(delivery: Delivery, owner: _Owner, hop: NextHop, reason: str) -> list[RouteChange] | _Blocked:
    """Replace the route that wins now, and delete the others once the new one is there."""
    same = next((route for route in delivery.wrong if leads_to(route, owner.placement) and _same(route, hop)), None)
    if same is not None:
        told = f"the cloud warns: {same.warning}" if same.warning else "the cloud calls it dead"
        return _Blocked(f"{same.name} already leads to its VM {owner.instance.id}, but {told}: mend the VM")
    priority = min(rank(route)[0] for route in delivery.wrong) - 1
    if priority < 0:
        return _Blocked(f"no priority is better than that of {delivery.wrong[0].name}: delete that route by hand")
    held, before = delivery.held, delivery.winners[0]
    after = _route(delivery, owner, hop, priority)
    replacement = ReplaceRoute(
        **_shared(held, owner, after, _named(owner, before, reason)),
        before=before,
        after=after,
        method=ReplaceMethod.ADD_THEN_DELETE,
        old_subject=held.subject(before),
    )
    others = [route for route in delivery.wrong if route is not before]
    return [replacement, *(_deletion(held, owner, route, after, reason) for route in others)]


def _deletion(held: Held, owner: _Owner, route: Route, keeps: Route, reason: str) -> DeleteRoute:
    return DeleteRoute(**_shared(held, owner, route, _named(owner, route, reason)), before=route, keeps=keeps)


def _named(owner: _Owner, route: Route, reason: str) -> str:
    """Add to the reason that a route is somebody else's, where it is."""
    if is_own(owner.fabric.joined.snapshot.cluster, route.name):
        return reason
    return f"{reason}; {route.name} is foreign, made by somebody else: description {route.description!r}"


def _route(delivery: Delivery, owner: _Owner, hop: NextHop, priority: int) -> Route:
    """Return the right route under a name that no other route has."""
    cluster = owner.fabric.joined.snapshot.cluster
    name = wanted = route_name(cluster, delivery.cidr, hop, owner.node)
    taken = owner.fabric.names[delivery.held.table.route_prefix]
    number = 1
    while name in taken:
        number += 1
        suffix = f"-{number}"
        name = wanted[: _LONGEST_NAME - len(suffix)] + suffix
    return Route(
        name=name,
        destination=delivery.cidr,
        next_hop=hop,
        priority=priority,
        description=route_description(cluster, delivery.cidr, owner.node),
    )


def _next_hop(cidr: IPNetwork, owner: _Owner) -> NextHop | _Blocked:
    """Return how a route to the node is written; an IPv6 range needs an IPv6 address at its interface."""
    interface, instance = owner.interface, owner.instance
    held = [address for address in interface.addresses if address.version == cidr.version]
    if not held:
        return _Blocked(f"{interface.id} of {instance.id} has no IPv{cidr.version} address to lead {cidr} to")
    match interface.routed_by:
        case NextHopKind.INSTANCE:
            return NextHop(kind=NextHopKind.INSTANCE, text=instance.id, instance_key=instance.key)
        case NextHopKind.ADDRESS:
            address = next((address for address in held if address in owner.node.addresses), held[0])
            return NextHop(kind=NextHopKind.ADDRESS, text=str(address), address=address)
        case _:
            return _Blocked(f"the cloud did not tell how a route leads to {interface.id} of {instance.id}")


def _same(route: Route, hop: NextHop) -> bool:
    return replace(route.next_hop, text="") == replace(hop, text="")


def _shared(held: Held, owner: _Owner, route: Route, reason: str) -> dict[str, Any]:
    """Return what all changes of the owner's routes say alike; ``route`` is the one that the change is about."""
    return {
        "node": owner.node.name,
        "node_uid": owner.node.uid,
        "cloud": owner.placement.cloud,
        "source": held.view.source.name,
        "subject": held.subject(route),
        "reason": reason,
        "table": held.table.id,
        "quota": held.quota,
    }
