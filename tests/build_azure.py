"""Builders of Azure's side of a snapshot: nodes ``nN`` at 10.0.S.N in the subnet ``sS`` of one VNet.

Node ``nN`` has the pod CIDR 10.42.N.0/24.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_network

from tests import build
from tui.model.network import (
    ROUTES_PER_TABLE,
    ForwardingSwitch,
    Instance,
    NetworkInterface,
    NextHopKind,
    ReplaceMethod,
    Route,
    RouteQuota,
    RouteTable,
    Subnet,
)
from tui.model.node import Cloud, Node, ProviderID
from tui.model.snapshot import CloudView, Scope, Snapshot

GROUP = "/subscriptions/s/resourceGroups/g"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
REGION = "westeurope"


def subnet_id(number: int = 1) -> str:
    return f"{VNET}/subnets/s{number}"


def table_id(name: str) -> str:
    return f"{GROUP}/providers/Microsoft.Network/routeTables/{name}"


def node(number: int = 1, *, subnet: int = 1, cidrs: Iterable[str] | None = None, **changes: object) -> Node:
    """Build the node ``nNUMBER``."""
    key = f"azure://{GROUP}/providers/Microsoft.Compute/virtualMachines/n{number}"
    wanted = [f"10.42.{number}.0/24"] if cidrs is None else cidrs
    ip = f"10.0.{subnet}.{number}"
    return build.node(f"n{number}", **{"ip": ip, "cidrs": wanted, "provider_id": ProviderID.parse(key), **changes})  # type: ignore[arg-type]


def vm(of: Node, *, subnet: int = 1, forwards: bool = True, **changes: object) -> Instance:
    """Build the VM behind a node, with one NIC."""
    id_ = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic-{of.name}"
    nic = NetworkInterface(
        id=id_,
        network=VNET,
        subnet=subnet_id(subnet),
        addresses=of.addresses,
        forwards=forwards,
        switch=ForwardingSwitch(subject=id_, flag="enableIPForwarding", inverted=False),
        routed_by=NextHopKind.ADDRESS,
    )
    made = build.instance(of.provider_id.key or "", nic, cloud=Cloud.AZURE)
    return replace(made, **changes)  # type: ignore[arg-type] # test builder: names are checked at run time


def route(number: int, *, to: str | None = None, subnet: int = 1, **changes: object) -> Route:
    """Build the route ``rNUMBER`` for the pod CIDR of that node, to the node or to another address."""
    address = to or f"10.0.{subnet}.{number}"
    made = build.route(f"10.42.{number}.0/24", to=address, name=f"r{number}", kind=NextHopKind.ADDRESS)
    return replace(made, **changes)  # type: ignore[arg-type] # test builder: names are checked at run time


def table(name: str, *routes: Route, subnets: Iterable[int] = (1,), **changes: object) -> RouteTable:
    """Build a table that the subnets of these numbers use."""
    made = RouteTable(
        id=table_id(name),
        network=None,
        subnets=tuple(subnet_id(number) for number in subnets),
        routes=routes,
        route_prefix=f"{table_id(name)}/routes/",
        quota=RouteQuota(name=f"routes of route table g/{name}", limit=ROUTES_PER_TABLE, used=len(routes)),
        replaces=ReplaceMethod.IN_PLACE,
        region=REGION,
    )
    return replace(made, **changes)  # type: ignore[arg-type] # test builder: names are checked at run time


def view(
    vms: Iterable[Instance],
    *,
    nodes: Iterable[Node],
    tables: tuple[RouteTable, ...] | None,
    subnets: Mapping[int, str | None] | None = None,
    complete: bool = True,
) -> CloudView:
    """Build the subscription's view; ``subnets`` are by number and name the table that they say to have."""
    told = {1: None} if subnets is None else subnets
    made = build.view(*vms, nodes=nodes, cloud=Cloud.AZURE, name="azure:s", tables=tables, complete=complete)
    return replace(
        made,
        subnets=tuple(
            Subnet(
                id=subnet_id(number),
                network=VNET,
                cidrs=(ip_network(f"10.0.{number}.0/24"),),
                route_table=None if named is None else table_id(named),
                region=REGION,
            )
            for number, named in told.items()
        ),
    )


def snapshot(*nodes: Node, views: Iterable[CloudView], scope: Scope | None = None) -> Snapshot:
    """Build a snapshot of a cluster with the CIDR 10.42.0.0/16."""
    made = build.snapshot(*nodes, views=views, scope=scope)
    return replace(made, cluster=replace(made.cluster, pod_cidrs=(ip_network("10.42.0.0/16"),)))
