"""Builders of changes of Azure route tables: node ``nN`` is at 10.0.0.N and has the pod CIDR 10.42.N.0/24."""

from ipaddress import ip_address, ip_network

from tui.model.change import AssociateRouteTable, CreateRoute, CreateRouteTable, ReplaceRoute
from tui.model.network import NextHop, NextHopKind, ReplaceMethod, Route, RouteTable
from tui.model.node import Cloud

TABLE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/routeTables/t"
SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/nodes"


def route(number: int, hop: str = "") -> Route:
    address = ip_address(hop or f"10.0.0.{number}")
    return Route(
        name=f"r{number}",
        destination=ip_network(f"10.42.{number}.0/24"),
        next_hop=NextHop(kind=NextHopKind.ADDRESS, text=str(address), address=address),
    )


def about(number: int, subject: str) -> dict[str, object]:
    uid = f"uid-n{number}"
    return {
        "node": f"n{number}",
        "node_uid": uid,
        "cloud": Cloud.AZURE,
        "source": "azure:s",
        "subject": subject,
        "reason": "because",
    }


def creation(number: int, table: str = TABLE) -> CreateRoute:
    subject = f"{table}/routes/r{number}"
    return CreateRoute(**about(number, subject), table=table, after=route(number))  # type: ignore[arg-type]


def replacement(number: int, table: str = TABLE) -> ReplaceRoute:
    subject = f"{table}/routes/r{number}"
    return ReplaceRoute(
        **about(number, subject),  # type: ignore[arg-type]
        table=table,
        before=route(number, "10.0.0.99"),
        after=route(number),
        method=ReplaceMethod.IN_PLACE,
        old_subject=subject,
    )


def table_of(*routes: Route) -> RouteTable:
    return RouteTable(id=TABLE, network="v", subnets=(), routes=routes, replaces=ReplaceMethod.IN_PLACE, region="north")


def table_creation(*routes: Route) -> CreateRouteTable:
    told = about(0, TABLE) | {"node": None, "node_uid": None}
    return CreateRouteTable(**told, after=table_of(*routes))  # type: ignore[arg-type]


def association(*needs: Route, before: str | None = None, after: str | None = TABLE) -> AssociateRouteTable:
    told = about(0, SUBNET) | {"node": None, "node_uid": None}
    return AssociateRouteTable(**told, before=before, after=after, needs=needs)  # type: ignore[arg-type]
