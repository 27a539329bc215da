"""Routes as Compute Engine and Azure tell them, and the table of a Compute Engine network.

May import the model only.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import assert_never

from tui.demo.description import RoutePlan, Site
from tui.demo.ids import digest, network_id
from tui.model.naming import route_description, route_name, route_prefix
from tui.model.network import Instance, NetworkInterface, NextHop, NextHopKind, Route, RouteQuota, RouteTable
from tui.model.node import Cloud, IPAddress, IPNetwork, Node
from tui.model.snapshot import Cluster

_PRIORITY = 1000
_CONTROLLER_MARK = "k8s-node-route"
"""The description that Compute Engine's cloud controller manager gives its routes."""
_DASHES = str.maketrans("./:", "---")


@dataclass(frozen=True, slots=True)
class Reach:
    """Who can be a next hop in a network: VMs by key, and who holds an address."""

    by_key: Mapping[str, Instance]
    by_address: Mapping[IPAddress, Instance]

    @classmethod
    def of(cls, instances: Iterable[Instance], network: str) -> "Reach":
        """Take those of the VMs that have an interface in the network."""
        by_key: dict[str, Instance] = {}
        by_address: dict[IPAddress, Instance] = {}
        for instance in instances:
            for interface in instance.interfaces:
                if interface.network == network:
                    by_key[instance.key] = instance
                    by_address |= dict.fromkeys(interface.addresses, instance)
        return cls(by_key, by_address)


def right_routes(cluster: Cluster, site: Site, node: Node, vm: Instance, *, controlled: bool) -> Iterator[Route]:
    """Yield the route that each of the node's pod CIDRs needs; none on EC2, where layer 2 delivers.

    ``controlled``: as Kubernetes' route controller would have made it, else as this program would.
    """
    interface = vm.interfaces[0]
    if interface.routed_by is None:
        return
    for cidr in node.pod_cidrs:
        hop = _hop_to(vm, interface, cidr)
        if hop is None:
            continue
        name = f"{cluster.context[:26]}-{node.uid}" if controlled else route_name(cluster, cidr, hop, node)
        yield Route(
            name=name,
            destination=cidr,
            next_hop=hop,
            priority=_PRIORITY if site.cloud is Cloud.GCE else None,
            description="" if site.cloud is Cloud.AZURE else _description(cluster, cidr, node, controlled=controlled),
        )


def _description(cluster: Cluster, cidr: IPNetwork, node: Node, *, controlled: bool) -> str:
    return _CONTROLLER_MARK if controlled else route_description(cluster, cidr, node)


def _hop_to(vm: Instance, interface: NetworkInterface, cidr: IPNetwork) -> NextHop | None:
    """Return the next hop that the interface asks for; None when it has no address of the range's family."""
    if interface.routed_by is NextHopKind.INSTANCE:
        return NextHop(kind=NextHopKind.INSTANCE, text=vm.id, instance_key=vm.key)
    address = next((address for address in interface.addresses if address.version == cidr.version), None)
    return None if address is None else NextHop(kind=NextHopKind.ADDRESS, text=str(address), address=address)


def route(cluster: Cluster, site: Site, plan: RoutePlan) -> Route:
    """Return a route as its cloud tells it. Azure has neither priorities nor descriptions."""
    own = f"{route_prefix(cluster)}{plan.destination.translate(_DASHES)}-{digest(plan.to)[:8]}"
    gce = site.cloud is Cloud.GCE
    return Route(
        name=plan.name or own,
        destination=ip_network(plan.destination),
        next_hop=_hop(site, plan.to),
        priority=plan.priority if gce else None,
        description=plan.description if gce else "",
        tags=frozenset(plan.tags),
    )


def _hop(site: Site, to: str) -> NextHop:
    zone, slash, name = to.partition("/")
    if slash:
        text = f"projects/{site.scope}/zones/{zone}/instances/{name}"
        return NextHop(kind=NextHopKind.INSTANCE, text=text, instance_key=f"{site.scope}/{zone}/{name}")
    try:
        return NextHop(kind=NextHopKind.ADDRESS, text=to, address=ip_address(to))
    except ValueError:
        text = to if site.cloud is Cloud.AZURE else f"projects/{site.scope}/global/gateways/{to}"
        return NextHop(kind=NextHopKind.OTHER, text=text)


def with_warning(site: Site, found: Route, reach: Reach) -> Route:
    """Return the route with the warning that Compute Engine gives about its next hop as it is; Azure gives none."""
    if site.cloud is not Cloud.GCE or found.next_hop.kind is NextHopKind.OTHER:
        return found
    hop = found.next_hop
    if hop.address is None:
        target, absent = reach.by_key.get(hop.instance_key or ""), "NEXT_HOP_INSTANCE_NOT_FOUND"
    else:
        target, absent = reach.by_address.get(hop.address), "NEXT_HOP_ADDRESS_NOT_ASSIGNED"
    if target is None:
        return replace(found, dead=True, warning=absent)
    if target.running is False:
        return replace(found, dead=True, warning="NEXT_HOP_NOT_RUNNING")
    if not any(interface.forwards for interface in target.interfaces):
        return replace(found, dead=False, warning="NEXT_HOP_CANNOT_IP_FORWARD")
    return replace(found, dead=False, warning=None)


def route_tables(site: Site, routes: tuple[Route, ...], limit: int) -> tuple[RouteTable, ...] | None:
    """Return the Compute Engine project's table with these routes; none where the network is another project's.

    None elsewhere.
    """
    network = network_id(site)
    match site.cloud:
        case Cloud.AWS | Cloud.NONE | Cloud.AZURE:
            return None
        case Cloud.GCE if site.host:
            return ()
        case Cloud.GCE:
            return (
                RouteTable(
                    id=network,
                    network=network,
                    subnets=None,
                    routes=(*system_routes(site), *routes),
                    route_prefix=f"projects/{site.scope}/global/routes/",
                    quota=quota(site, len(routes), limit),
                ),
            )
        case _:
            assert_never(site.cloud)


def quota(site: Site, routes: int, limit: int) -> RouteQuota:
    """Return the Compute Engine project's limit, which the routes that the cloud itself makes count against too."""
    used = routes + sum(1 for _ in system_routes(site))
    return RouteQuota(name=f"ROUTES of projects/{site.scope}", limit=limit, used=used)


def system_routes(site: Site) -> Iterator[Route]:
    """Yield what a Compute Engine network has from its beginning: the way out, and a route to each subnet range."""
    yield Route(
        name="default-route-internet",
        destination=ip_network("0.0.0.0/0"),
        next_hop=_hop(site, "default-internet-gateway"),
        priority=_PRIORITY,
    )
    for plan in site.subnets:
        for number, cidr in enumerate(plan.cidrs):
            yield Route(
                name=f"default-route-{plan.name}" + (f"-{number}" if number else ""),
                destination=ip_network(cidr),
                next_hop=NextHop(kind=NextHopKind.OTHER, text=network_id(site)),
                priority=0,
                system=True,
                reserves=True,
            )
