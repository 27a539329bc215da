"""Routes and route tables, as Compute Engine and Azure tell them.

May import the model only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import assert_never

from tui.demo.description import Machine, RoutePlan, Site
from tui.demo.fleet import subnets
from tui.demo.ids import network_id, table_id, token
from tui.model.network import NextHop, NextHopKind, Route, RouteTable
from tui.model.node import Cloud, IPNetwork

_AZURE_TABLE_CAPACITY = 400
_GCE_NETWORK_CAPACITY = 300
_DASHES = str.maketrans("./:", "---")


def right_routes(site: Site, machine: Machine) -> Iterator[Route]:
    """Yield the route that each of the machine's pod CIDRs needs; none on EC2, where layer 2 delivers."""
    if site.cloud not in {Cloud.GCE, Cloud.AZURE}:
        return
    for cidr in map(ip_network, machine.pod_cidrs):
        address = next((a for a in map(ip_address, machine.addresses) if a.version == cidr.version), None)
        to = f"{machine.zone}/{machine.name}" if site.cloud is Cloud.GCE else str(address)
        name = f"l2bridge-demo-{str(cidr).translate(_DASHES)}"
        yield route(site, RoutePlan(name=name, destination=str(cidr), to=to))


def route(site: Site, plan: RoutePlan) -> Route:
    """Return a route as its cloud tells it. Azure has no priorities."""
    if site.cloud is Cloud.GCE:
        zone, _, name = plan.to.partition("/")
        hop = NextHop(
            kind=NextHopKind.INSTANCE,
            text=f"projects/{site.scope}/zones/{zone}/instances/{name}",
            instance_key=f"{site.scope}/{zone}/{name}",
        )
    else:
        hop = NextHop(kind=NextHopKind.ADDRESS, text=plan.to, address=ip_address(plan.to))
    return Route(
        name=plan.name,
        destination=ip_network(plan.destination),
        next_hop=hop,
        priority=plan.priority if site.cloud is Cloud.GCE else None,
        owned=plan.owned,
    )


def route_tables(site: Site, routes: Iterable[Route], living: Iterable[str]) -> tuple[RouteTable, ...] | None:
    """Return the site's tables with these routes in each.

    ``living`` are the keys of the VMs that exist: Compute Engine itself warns of a route to anything else. None on EC2,
    where no route is asked for.
    """
    network = network_id(site)
    match site.cloud:
        case Cloud.AWS | Cloud.NONE:
            return None
        case Cloud.GCE:
            alive = set(living)
            told = (*_system_routes(site), *(_with_warning(found, alive) for found in routes))
            return (RouteTable(id=network, network=network, subnets=None, routes=told, capacity=_GCE_NETWORK_CAPACITY),)
        case Cloud.AZURE:
            told = tuple(routes)
            tables = dict.fromkeys(table for plan in site.subnets if (table := table_id(site, plan)) is not None)
            return tuple(
                RouteTable(
                    id=table,
                    network=network,
                    subnets=tuple(subnet.id for subnet in subnets(site) if subnet.route_table == table),
                    routes=told,
                    token=token(site.cloud, table, len(told)),
                    capacity=_AZURE_TABLE_CAPACITY,
                )
                for table in tables
            )
        case _:
            assert_never(site.cloud)


def _with_warning(found: Route, alive: set[str]) -> Route:
    if found.next_hop.instance_key in alive:
        return found
    return replace(found, dead=True)


def _system_routes(site: Site) -> Iterator[Route]:
    everywhere: tuple[tuple[str, IPNetwork, str, int], ...] = (
        ("default-route-internet", ip_network("0.0.0.0/0"), "default-internet-gateway", 1000),
        *(
            (f"default-route-{plan.name}", ip_network(cidr), f"network {site.network}", 0)
            for plan in site.subnets
            for cidr in plan.cidrs
        ),
    )
    for name, destination, text, priority in everywhere:
        hop = NextHop(kind=NextHopKind.OTHER, text=text)
        yield Route(name=name, destination=destination, next_hop=hop, priority=priority)
