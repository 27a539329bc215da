"""Does the cloud deliver packets for each pod CIDR to its node? Decides the ``route-…`` codes.

Asked on Compute Engine (one table per network) and Azure (the tables associated with the subnets that hold nodes). A
route is right when it leads to the VM, or to an address of the interface, that holds the node's address now.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tui.model.finding import Code, Finding, PodRoute, RouteState, Severity, worst_route
from tui.model.network import NetworkInterface, NextHopKind, Route, RouteTable
from tui.model.node import Cloud, IPAddress, IPNetwork, Node
from tui.model.snapshot import Joined, Placement, PlacementState

_ROUTED = frozenset({Cloud.GCE, Cloud.AZURE})
_CODES = {
    RouteState.MISSING: (Code.ROUTE_MISSING, "no route for pod CIDR {}"),
    RouteState.BLACKHOLE: (Code.ROUTE_BLACKHOLE, "the route for pod CIDR {} leads to nothing that runs"),
    RouteState.WRONG_NEXT_HOP: (Code.ROUTE_WRONG_NEXT_HOP, "the route for pod CIDR {} leads to another machine"),
    RouteState.DUPLICATE: (Code.ROUTE_DUPLICATE, "several routes compete for pod CIDR {}"),
}
_NOT_WRITTEN = "this version reports routes and does not write them"


def states(joined: Joined) -> dict[str, tuple[PodRoute, ...]]:
    """Answer for every pod CIDR of every node, by node uid, in the order of the node's pod CIDRs."""
    fabric = _Fabric.of(joined)
    return {node.uid: _node_routes(node, placement, fabric) for node, placement in joined.placed()}


def check(joined: Joined) -> Iterator[Finding]:
    """Yield a finding for every pod CIDR that is not delivered to its node, and one for a subnet without a table."""
    fabric = _Fabric.of(joined)
    for node, placement in joined.placed():
        if placement.interface is None:
            continue
        routes = _node_routes(node, placement, fabric)
        if _lacks_table(placement, fabric) and any(route.state is RouteState.MISSING for route in routes):
            yield _finding(
                node.name,
                Code.ROUTE_TABLE_MISSING,
                placement.interface.subnet or "",
                "the node's subnet has no route table, so that no route of ours applies in it",
            )
            continue
        for route in routes:
            if route.state in _CODES:
                code, text = _CODES[route.state]
                seen = ", ".join(f"{route.name} → {route.next_hop.text}" for _, route in route.seen)
                summary = text.format(route.pod_cidr) + (f" ({seen})" if seen else "")
                yield _finding(node.name, code, str(route.pod_cidr), summary)
            elif route.state is RouteState.UNKNOWN:
                yield Finding(
                    code=Code.ROUTE_MISSING,
                    severity=Severity.UNKNOWN,
                    node=node.name,
                    subject=str(route.pod_cidr),
                    summary=f"the routes of {placement.source} were not observed",
                )


def _finding(node: str, code: Code, subject: str, summary: str) -> Finding:
    return Finding(
        code=code, severity=Severity.ERROR, node=node, subject=subject, summary=summary, obstacle=_NOT_WRITTEN
    )


@dataclass(frozen=True, slots=True)
class _Fabric:
    """What the routes are held against: tables by source, and who can be a next hop."""

    tables: Mapping[str, tuple[RouteTable, ...] | None]
    table_of_subnet: Mapping[str, str]
    node_subnets: Mapping[str, frozenset[str]]
    running: Mapping[str, bool | None]
    addresses: Mapping[IPAddress, bool | None]
    by_destination: Mapping[tuple[str, IPNetwork], Sequence[Route]]

    @classmethod
    def of(cls, joined: Joined) -> "_Fabric":
        views = [view for view in joined.snapshot.views if view.cloud in _ROUTED]
        tables = {view.source.name: view.route_tables for view in views}
        by_destination: defaultdict[tuple[str, IPNetwork], list[Route]] = defaultdict(list)
        table_of_subnet: dict[str, str] = {}
        for table in (table for view in views for table in view.route_tables or ()):
            table_of_subnet |= dict.fromkeys(table.subnets or (), table.id)
            for route in table.routes:
                by_destination[table.id, route.destination].append(route)
        instances = [instance for view in views for instance in view.instances or ()]
        node_subnets: defaultdict[str, set[str]] = defaultdict(set)
        for _, placement in joined.placed():
            if placement.interface is not None and placement.interface.subnet is not None:
                node_subnets[placement.interface.network].add(placement.interface.subnet)
        return cls(
            tables=tables,
            table_of_subnet=table_of_subnet,
            node_subnets={network: frozenset(subnets) for network, subnets in node_subnets.items()},
            running={instance.key: instance.running for instance in instances},
            addresses={
                address: instance.running
                for instance in instances
                for interface in instance.interfaces
                for address in interface.addresses
            },
            by_destination=by_destination,
        )

    def alive(self, route: Route) -> bool:
        """Tell whether the next hop is a machine that exists and is not known to be stopped."""
        hop = route.next_hop
        if route.dead or hop.kind is NextHopKind.OTHER:
            return not route.dead
        if hop.kind is NextHopKind.INSTANCE:
            return self.running.get(hop.instance_key or "", False) is not False
        return hop.address is not None and self.addresses.get(hop.address, False) is not False


def _lacks_table(placement: Placement, fabric: _Fabric) -> bool:
    interface = placement.interface
    return placement.cloud is Cloud.AZURE and interface is not None and interface.subnet not in fabric.table_of_subnet


def _serving(source: str | None, interface: NetworkInterface, fabric: _Fabric) -> tuple[RouteTable, ...] | None:
    """Return the tables that must know the node's pod CIDRs; None when they were not observed."""
    tables = fabric.tables.get(source or "")
    if tables is None:
        return None
    subnets = fabric.node_subnets.get(interface.network, frozenset())
    return tuple(
        table
        for table in tables
        if (table.network == interface.network if table.subnets is None else subnets.intersection(table.subnets))
    )


def _node_routes(node: Node, placement: Placement, fabric: _Fabric) -> tuple[PodRoute, ...]:
    if node.encapsulated or placement.cloud not in _ROUTED:
        return tuple(PodRoute(pod_cidr=cidr, state=RouteState.NOT_REQUIRED) for cidr in node.pod_cidrs)
    interface = placement.interface
    if placement.state is not PlacementState.FOUND or interface is None:
        return tuple(PodRoute(pod_cidr=cidr, state=RouteState.UNKNOWN) for cidr in node.pod_cidrs)
    tables = _serving(placement.source, interface, fabric)
    return tuple(_judge(cidr, placement, interface, tables, fabric) for cidr in node.pod_cidrs)


def _judge(
    cidr: IPNetwork,
    placement: Placement,
    interface: NetworkInterface,
    tables: Sequence[RouteTable] | None,
    fabric: _Fabric,
) -> PodRoute:
    if interface.owns(cidr):
        return PodRoute(pod_cidr=cidr, state=RouteState.NOT_REQUIRED)
    if tables is None:
        return PodRoute(pod_cidr=cidr, state=RouteState.UNKNOWN)
    seen = tuple((table, route) for table in tables for route in fabric.by_destination.get((table.id, cidr), ()))
    found = {_state(fabric.by_destination.get((table.id, cidr), ()), placement, interface, fabric) for table in tables}
    if not tables or _lacks_table(placement, fabric):
        found.add(RouteState.MISSING)
    return PodRoute(pod_cidr=cidr, state=worst_route(found), seen=seen)


def _state(routes: Sequence[Route], placement: Placement, interface: NetworkInterface, fabric: _Fabric) -> RouteState:
    if not routes:
        return RouteState.MISSING
    astray = [route for route in routes if not _leads_to(route, placement, interface)]
    if not astray:
        return RouteState.OK
    if len(routes) > 1:
        return RouteState.DUPLICATE
    return RouteState.WRONG_NEXT_HOP if fabric.alive(astray[0]) else RouteState.BLACKHOLE


def _leads_to(route: Route, placement: Placement, interface: NetworkInterface) -> bool:
    hop = route.next_hop
    if route.dead or placement.instance is None:
        return False
    if hop.kind is NextHopKind.INSTANCE:
        return hop.instance_key == placement.instance.key
    return hop.kind is NextHopKind.ADDRESS and hop.address in interface.addresses
