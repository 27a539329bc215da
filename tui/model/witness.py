"""What the fabric itself does with pod CIDRs: the effective routes of one interface, held against the nodes.

Standard library only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tui.model.network import NextHopKind, Route
from tui.model.node import IPAddress, IPNetwork, contains


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One interface's effective routes, judged at ``at``.

    ``node`` is the name of the node whose ``interface`` (an id) was asked. ``agrees`` are pod CIDRs that the fabric
    delivers to their nodes; ``differs`` says in few words, by pod CIDR, what it does with the others.
    """

    at: datetime
    node: str
    interface: str
    agrees: frozenset[IPNetwork]
    differs: Mapping[IPNetwork, str]


def hear(
    effective: Iterable[Route],
    owners: Mapping[IPNetwork, Iterable[IPAddress]],
    *,
    at: datetime,
    node: str,
    interface: str,
) -> Witness:
    """Hold effective routes against the pod CIDRs and the addresses of the interfaces that own them."""
    used = [route for route in effective if not route.dead]
    agrees: set[IPNetwork] = set()
    differs: dict[IPNetwork, str] = {}
    for cidr, addresses in owners.items():
        inside = [route for route in used if contains(cidr, route.destination) and route.destination != cidr]
        around = [route for route in used if contains(route.destination, cidr)]
        best = max(around, key=lambda route: route.destination.prefixlen, default=None)
        astray = [route for route in (*inside, *([] if best is None else [best])) if not _leads(route, addresses)]
        if best is None:
            differs[cidr] = "no route"
        elif astray:
            differs[cidr] = f"{astray[0].destination} to {astray[0].next_hop.label}"
        else:
            agrees.add(cidr)
    return Witness(at=at, node=node, interface=interface, agrees=frozenset(agrees), differs=differs)


def _leads(route: Route, addresses: Iterable[IPAddress]) -> bool:
    hop = route.next_hop
    return hop.kind is NextHopKind.ADDRESS and any(hop.address == address for address in addresses)
