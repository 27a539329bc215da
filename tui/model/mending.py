"""What makes a table deliver a pod CIDR to its node: the changes of routes, or why there are none.

Several checks offer these changes and must offer the same ones. Standard library only.
"""

from dataclasses import dataclass, replace
from typing import Any

from tui.model.change import CreateRoute, DeleteRoute, ReplaceRoute, RouteChange
from tui.model.delivery import Delivery
from tui.model.fabric import DEFAULT_PRIORITY, Fabric, Held, leads_to, rank
from tui.model.finding import RouteState
from tui.model.naming import is_own, made_by, route_description, route_name
from tui.model.network import Instance, NetworkInterface, NextHop, NextHopKind, ReplaceMethod, Route
from tui.model.node import IPNetwork, Node
from tui.model.snapshot import Placement

_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Owner:
    """The node whose pod CIDR is judged, with its VM."""

    node: Node
    placement: Placement
    instance: Instance
    interface: NetworkInterface
    fabric: Fabric


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why nothing is planned, in one sentence."""

    reason: str


def mend(delivery: Delivery, owner: Owner, reason: str) -> list[RouteChange] | Blocked:
    """Return what puts this range of this table right; ``reason`` says what is wrong with it."""
    barrier = _barrier(delivery, owner)
    if barrier is not None:
        return Blocked(barrier)
    if delivery.right:
        return [_deletion(delivery.held, owner, route, delivery.right[0], reason) for route in delivery.wrong]
    if owner.instance.running is False:
        return Blocked(f"its VM {owner.instance.id} does not run: start it, then look again")
    hop = _next_hop(delivery.cidr, owner)
    if isinstance(hop, Blocked):
        return hop
    if delivery.state is RouteState.MISSING:
        after = _new_route(delivery, owner, hop, DEFAULT_PRIORITY)
        return [CreateRoute(**_shared(delivery.held, owner, after, reason), after=after)]
    return _replacement(delivery, owner, hop, reason)


def _barrier(delivery: Delivery, owner: Owner) -> str | None:
    """Return why nothing may be written for this range, whatever it would be; None when it may."""
    fabric = owner.fabric
    table = delivery.held.table
    if table.refusal is not None:
        return table.refusal
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
    reserved = fabric.reserved.get(delivery.held.table.id)
    subnet = None if reserved is None else next(reserved.around(delivery.cidr), None)
    if subnet is not None:
        return f"a subnet of the network has {subnet}, and the cloud takes no route inside of it"
    fixed = next((route for route in delivery.wrong if route.system), None)
    return None if fixed is None else f"the cloud itself made {fixed.name} and nobody can delete it"


def _replacement(delivery: Delivery, owner: Owner, hop: NextHop, reason: str) -> list[RouteChange] | Blocked:
    """Replace the route that wins now, and delete the others once the new one is there."""
    same = next((route for route in delivery.wrong if leads_to(route, owner.placement) and _same(route, hop)), None)
    if same is not None:
        told = f"the cloud warns: {same.warning}" if same.warning else "the cloud calls it dead"
        return Blocked(f"{same.name} already leads to its VM {owner.instance.id}, but {told}: mend the VM")
    held, before = delivery.held, delivery.winners[0]
    after = _successor(before, delivery, owner, hop)
    if isinstance(after, Blocked):
        return after
    replacement = ReplaceRoute(
        **_shared(held, owner, after, _named(owner, before, reason)),
        before=before,
        after=after,
        method=held.table.replaces,
        old_subject=held.subject(before),
    )
    others = [route for route in delivery.wrong if route is not before]
    return [replacement, *(_deletion(held, owner, route, after, reason) for route in others)]


def _successor(before: Route, delivery: Delivery, owner: Owner, hop: NextHop) -> Route | Blocked:
    """Return the route that takes the place of another one: under its name, or under a new one and with precedence."""
    if delivery.held.table.replaces is ReplaceMethod.IN_PLACE:
        return replace(before, next_hop=hop, dead=False, warning=None, token=None)
    priority = min(rank(route)[0] for route in delivery.wrong) - 1
    if priority < 0:
        return Blocked(f"no priority is better than that of {delivery.wrong[0].name}: delete that route by hand")
    return _new_route(delivery, owner, hop, priority)


def _deletion(held: Held, owner: Owner, route: Route, keeps: Route, reason: str) -> DeleteRoute:
    return DeleteRoute(**_shared(held, owner, route, _named(owner, route, reason)), before=route, keeps=keeps)


def _named(owner: Owner, route: Route, reason: str) -> str:
    """Add to the reason that a route is somebody else's, where it is."""
    if is_own(owner.fabric.joined.snapshot.cluster, route.name):
        return reason
    return f"{reason}; {route.name} is {made_by(owner.fabric.joined.snapshot.cluster, route)}"


def _new_route(delivery: Delivery, owner: Owner, hop: NextHop, priority: int) -> Route:
    """Return the right route under a name that no other route has.

    A table whose routes are replaced in place takes one route per range, and knows neither priorities nor descriptions.
    """
    cluster = owner.fabric.joined.snapshot.cluster
    name = wanted = route_name(cluster, delivery.cidr, hop, owner.node)
    taken = owner.fabric.names.get(delivery.held.table.route_prefix, frozenset())
    ranked = delivery.held.table.replaces is not ReplaceMethod.IN_PLACE
    number = 1
    while name in taken:
        number += 1
        suffix = f"-{number}"
        name = wanted[: _LONGEST_NAME - len(suffix)] + suffix
    return Route(
        name=name,
        destination=delivery.cidr,
        next_hop=hop,
        priority=priority if ranked else None,
        description=route_description(cluster, delivery.cidr, owner.node) if ranked else "",
    )


def _next_hop(cidr: IPNetwork, owner: Owner) -> NextHop | Blocked:
    """Return how a route to the node is written; an IPv6 range needs an IPv6 address at its interface."""
    interface, instance = owner.interface, owner.instance
    held = [address for address in interface.addresses if address.version == cidr.version]
    if not held:
        return Blocked(f"{interface.id} of {instance.id} has no IPv{cidr.version} address to lead {cidr} to")
    match interface.routed_by:
        case NextHopKind.INSTANCE:
            return NextHop(kind=NextHopKind.INSTANCE, text=instance.id, instance_key=instance.key)
        case NextHopKind.ADDRESS:
            address = next((address for address in held if address in owner.node.addresses), held[0])
            return NextHop(kind=NextHopKind.ADDRESS, text=str(address), address=address)
        case _:
            return Blocked(f"the cloud did not tell how a route leads to {interface.id} of {instance.id}")


def _same(route: Route, hop: NextHop) -> bool:
    return replace(route.next_hop, text="") == replace(hop, text="")


def _shared(held: Held, owner: Owner, route: Route, reason: str) -> dict[str, Any]:
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
