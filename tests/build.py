"""Builders of small, complete model values for tests: every argument that a test does not care about has a default."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

from tui.model.change import CreateRoute, DeleteRoute, ReplaceRoute, SetForwarding
from tui.model.network import (
    ForwardingSwitch,
    Instance,
    NetworkInterface,
    NextHop,
    NextHopKind,
    ReplaceMethod,
    Route,
    RouteQuota,
    RouteTable,
    Subnet,
)
from tui.model.node import Cloud, Node, ProviderID
from tui.model.snapshot import CloudView, Cluster, Scope, Snapshot, Source, SourceState

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
CLUSTER = Cluster(context="prod", server="https://10.0.0.1:6443")
VPC = "vpc-1"
SUBNET = "subnet-a"


def node(
    name: str = "n1", *, ip: str = "10.0.0.4", cidrs: Iterable[str] = ("10.42.1.0/24",), **changes: object
) -> Node:
    """Build a ready Linux host-gw node on EC2 whose instance is ``i-NAME``."""
    addresses = (ip_address(ip),) if ip else ()
    made = Node(
        uid=f"uid-{name}",
        name=name,
        provider_id=ProviderID.parse(f"aws:///us-east-1a/i-{name}"),
        os="linux",
        ready=True,
        schedulable=True,
        addresses=addresses,
        internal_ips=addresses,
        pod_cidrs=tuple(ip_network(cidr) for cidr in cidrs),
        backend="host-gw",
    )
    return replace(made, **changes)  # type: ignore[arg-type] # test builder: names are checked at run time


def eni(
    name: str = "eni-1",
    *,
    ip: str = "10.0.0.4",
    forwards: bool | None = True,
    subnet: str | None = SUBNET,
    network: str = VPC,
    refusal: str | None = None,
    owned: Iterable[str] = (),
) -> NetworkInterface:
    """Build an EC2-like interface."""
    return NetworkInterface(
        id=name,
        network=network,
        subnet=subnet,
        addresses=tuple(ip_address(address) for address in ip.split(",")),
        forwards=forwards,
        switch=ForwardingSwitch(subject=name, flag="SourceDestCheck", inverted=True, refusal=refusal),
        owned_cidrs=tuple(ip_network(cidr) for cidr in owned),
    )


def instance(
    key: str, *interfaces: NetworkInterface, cloud: Cloud = Cloud.AWS, running: bool | None = None
) -> Instance:
    """Build an instance whose id and name are its key."""
    return Instance(cloud=cloud, id=key, key=key, name=key, zone=None, running=running, interfaces=interfaces)


def view(
    *instances: Instance,
    nodes: Iterable[Node],
    cloud: Cloud = Cloud.AWS,
    name: str = "aws:us-east-1",
    state: SourceState = SourceState.OK,
    readable: bool = True,
    complete: bool = True,
    subnets: Iterable[tuple[str, str]] = ((SUBNET, "10.0.0.0/24"),),
    tables: tuple[RouteTable, ...] | None = None,
) -> CloudView:
    """Build one source's view that was asked about these nodes."""
    return CloudView(
        source=Source(name=name, state=state, observed_at=NOON if state is SourceState.OK else None),
        cloud=cloud,
        node_uids=frozenset(node.uid for node in nodes),
        instances=instances if readable else None,
        subnets=tuple(Subnet(id=id_, network=VPC, cidrs=(ip_network(cidr),)) for id_, cidr in subnets),
        route_tables=tables,
        complete=complete,
    )


def snapshot(*nodes: Node, views: Iterable[CloudView] = (), scope: Scope | None = None) -> Snapshot:
    """Build a complete snapshot."""
    return Snapshot(
        taken_at=NOON,
        cluster=CLUSTER,
        scope=scope or Scope(),
        nodes=nodes,
        nodes_source=Source(name="kubernetes", state=SourceState.OK, observed_at=NOON),
        views=tuple(views),
    )


def route(
    destination: str,
    *,
    to: str,
    name: str = "r",
    kind: NextHopKind = NextHopKind.INSTANCE,
    dead: bool = False,
    priority: int | None = None,
    tags: Iterable[str] = (),
    **changes: object,
) -> Route:
    """Build a route to an instance key, or to an address."""
    hop = NextHop(
        kind=kind,
        text=to,
        instance_key=to if kind is NextHopKind.INSTANCE else None,
        address=ip_address(to) if kind is NextHopKind.ADDRESS else None,
    )
    made = Route(
        name=name,
        destination=ip_network(destination),
        next_hop=hop,
        dead=dead,
        priority=priority,
        tags=frozenset(tags),
    )
    return replace(made, **changes)  # type: ignore[arg-type] # test builder: names are checked at run time


def switch_on(name: str = "n1", *, subject: str = "eni-1", **changes: object) -> SetForwarding:
    """Build the change that lets a node's interface forward."""
    made = SetForwarding(
        node=name,
        node_uid=f"uid-{name}",
        cloud=Cloud.AWS,
        source="aws:us-east-1",
        subject=subject,
        flag="SourceDestCheck",
        inverted=True,
        before=False,
        after=True,
        reason="the check is on",
    )
    return replace(made, **changes)  # type: ignore[arg-type] # test builder: names are checked at run time


NETWORK = "projects/p/global/networks/net"


def table(*routes: Route, **changes: object) -> RouteTable:
    """Build the table of the Compute Engine network ``NETWORK``, with room for more routes."""
    made = RouteTable(
        id=NETWORK,
        network=NETWORK,
        subnets=None,
        routes=routes,
        route_prefix="projects/p/global/routes/",
        quota=RouteQuota(name="projects/p: static routes", limit=300, used=len(routes)),
    )
    return replace(made, **changes)  # type: ignore[arg-type] # test builder: names are checked at run time


def gce_node(number: int = 1, *, cidrs: Iterable[str] | None = None, **changes: object) -> Node:
    """Build the node ``nNUMBER`` on Compute Engine, at 10.0.0.NUMBER with the pod CIDR 10.42.NUMBER.0/24."""
    name, wanted = f"n{number}", [f"10.42.{number}.0/24"] if cidrs is None else cidrs
    return node(name, ip=f"10.0.0.{number}", cidrs=wanted, provider_id=ProviderID.parse(f"gce://p/z/{name}"), **changes)


def gce_vm(number: int = 1, *, running: bool = True, tags: Iterable[str] = (), **changes: object) -> Instance:
    """Build the VM ``p/z/nNUMBER`` of that node; ``changes`` are of its interface."""
    nic = eni(f"nic-{number}", ip=f"10.0.0.{number}", network=NETWORK)
    nic = replace(nic, routed_by=NextHopKind.INSTANCE)
    nic = replace(nic, **changes)  # type: ignore[arg-type] # test builder: names are checked at run time
    made = instance(f"p/z/n{number}", nic, cloud=Cloud.GCE, running=running)
    return replace(made, tags=frozenset(tags))


def create_route(name: str = "n1", destination: str = "10.42.1.0/24", **changes: object) -> CreateRoute:
    """Build the change that adds a Compute Engine route from a pod CIDR to the node's instance ``p/z/NAME``."""
    made = CreateRoute(
        node=name,
        node_uid=f"uid-{name}",
        cloud=Cloud.GCE,
        source="gce:p",
        subject=f"projects/p/global/routes/new-{name}",
        table=NETWORK,
        after=replace(route(destination, to=f"p/z/{name}", name=f"new-{name}"), priority=1000),
        reason="no route",
    )
    return replace(made, **changes)  # type: ignore[arg-type] # test builder: names are checked at run time


def delete_route(name: str | None = "n1", destination: str = "10.42.1.0/24", **changes: object) -> DeleteRoute:
    """Build the change that takes the route ``old-NAME`` to the instance ``p/z/gone`` away."""
    made = DeleteRoute(
        node=name,
        node_uid=None if name is None else f"uid-{name}",
        cloud=Cloud.GCE,
        source="gce:p",
        subject=f"projects/p/global/routes/old-{name}",
        table=NETWORK,
        before=replace(route(destination, to="p/z/gone", name=f"old-{name}"), priority=1000, token="1"),
        reason="it leads elsewhere",
    )
    return replace(made, **changes)  # type: ignore[arg-type] # test builder: names are checked at run time


def replace_route(name: str = "n1", destination: str = "10.42.1.0/24", **changes: object) -> ReplaceRoute:
    """Build the change that lets ``new-NAME`` take the place of ``old-NAME``, one priority better."""
    add, take = create_route(name, destination), delete_route(name, destination)
    made = ReplaceRoute(
        node=name,
        node_uid=f"uid-{name}",
        cloud=Cloud.GCE,
        source="gce:p",
        subject=add.subject,
        table=NETWORK,
        before=take.before,
        after=replace(add.after, priority=999),
        method=ReplaceMethod.ADD_THEN_DELETE,
        old_subject=take.subject,
        reason="it leads elsewhere",
    )
    return replace(made, **changes)  # type: ignore[arg-type] # test builder: names are checked at run time
