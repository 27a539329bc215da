"""Changes of what stands in the simulated subscription, and who reads and writes there."""

from ipaddress import ip_address, ip_network

import pytest

from tests.wire.arm import ArmServer
from tests.wire.arm_world import SUBSCRIPTION
from tui.clouds import load_reader, load_writer
from tui.clouds.azure import AzureReader
from tui.clouds.azure_writes import AzureWriter
from tui.model.change import (
    AssociateRouteTable,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    ReplaceRoute,
    SetForwarding,
)
from tui.model.network import NextHop, NextHopKind, ReplaceMethod, Route, RouteTable
from tui.model.node import Cloud
from tui.ports import CloudOptions

SOURCE = f"azure:{SUBSCRIPTION}"
_ABOUT = {"node": "n1", "node_uid": "uid-n1", "cloud": Cloud.AZURE, "source": SOURCE, "reason": "because"}


@pytest.fixture(name="reader")
def azure_reader() -> AzureReader:
    made = load_reader(Cloud.AZURE)(CloudOptions())
    assert isinstance(made, AzureReader)
    return made


@pytest.fixture(name="writer")
def azure_writer() -> AzureWriter:
    made = load_writer(Cloud.AZURE)(CloudOptions())
    assert isinstance(made, AzureWriter)
    return made


@pytest.fixture(name="table")
def azure_table(arm: ArmServer) -> str:
    """Make a table with a route of ours, a foreign one that leads to no VM, and one that is to be replaced."""
    made = arm.table(
        r1=("10.42.1.0/24", "10.0.1.4"),
        theirs=("192.168.0.0/16", "VirtualNetworkGateway"),
        r2=("10.42.2.0/24", "10.0.1.99"),
    )
    subnet = arm.subnet("nodes", "10.0.1.0/24", table=made)
    arm.vm("n1", subnet, "10.0.1.4", forwards=False, ipv6="fd00::4")
    return made


def route(name: str, prefix: str, hop: str) -> Route:
    address = ip_address(hop)
    return Route(
        name=name,
        destination=ip_network(prefix),
        next_hop=NextHop(kind=NextHopKind.ADDRESS, text=hop, address=address),
    )


def creation(table: str, name: str = "r3", prefix: str = "10.42.3.0/24", hop: str = "10.0.1.6") -> CreateRoute:
    return CreateRoute(**_ABOUT, subject=f"{table}/routes/{name}", table=table, after=route(name, prefix, hop))  # type: ignore[arg-type]


def replacement(table: str, hop: str = "10.0.1.5", before: str = "10.0.1.99") -> ReplaceRoute:
    subject = f"{table}/routes/r2"
    return ReplaceRoute(
        **_ABOUT,  # type: ignore[arg-type]
        subject=subject,
        table=table,
        before=route("r2", "10.42.2.0/24", before),
        after=route("r2", "10.42.2.0/24", hop),
        method=ReplaceMethod.IN_PLACE,
        old_subject=subject,
    )


def deletion(table: str, hop: str = "10.0.1.4") -> DeleteRoute:
    before = route("r1", "10.42.1.0/24", hop)
    return DeleteRoute(**_ABOUT, subject=f"{table}/routes/r1", table=table, before=before)  # type: ignore[arg-type]


def table_creation(arm: ArmServer, *routes: Route, region: str = "westeurope") -> CreateRouteTable:
    id_ = f"{arm.group()}/providers/Microsoft.Network/routeTables/l2b-new"
    after = RouteTable(id=id_, network="net", subnets=(), routes=routes, region=region)
    return CreateRouteTable(**_ABOUT, subject=id_, after=after)  # type: ignore[arg-type]


def association(subnet: str, after: str | None, before: str | None = None) -> AssociateRouteTable:
    return AssociateRouteTable(**_ABOUT, subject=subnet, before=before, after=after)  # type: ignore[arg-type]


def switch(arm: ArmServer, *, before: bool = False) -> SetForwarding:
    return SetForwarding(
        **_ABOUT,  # type: ignore[arg-type]
        subject=f"{arm.group()}/providers/Microsoft.Network/networkInterfaces/n1-nic",
        flag="enableIPForwarding",
        inverted=False,
        before=before,
        after=not before,
    )
