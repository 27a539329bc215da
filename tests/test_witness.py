"""What the fabric itself is seen to do, and whom it is asked of."""

from dataclasses import replace
from ipaddress import IPv4Network, ip_address, ip_network

import pytest

from tests import build
from tests.build_tables import SUBNET, TABLE, association, creation, route, table_creation
from tests.scripted import ScriptedClock
from tests.test_table_plans import node, vm
from tui.checks import diagnose
from tui.engine.witnesses import AT_MOST, call_witnesses
from tui.model.change import Change
from tui.model.finding import Report
from tui.model.network import NetworkInterface, NextHop, NextHopKind, ReplaceMethod, Route, RouteTable, Subnet
from tui.model.node import Cloud, IPAddress, IPNetwork
from tui.model.plan import ApplyResult, Outcome, Plan, Status, build_plan
from tui.model.witness import Witness, hear
from tui.ports import CloudReader, Denied

CIDR = IPv4Network("10.42.1.0/24")
OWNERS: dict[IPNetwork, tuple[IPAddress, ...]] = {CIDR: (ip_address("10.0.0.1"),)}


def system(destination: str, text: str, *, dead: bool = False) -> Route:
    hop = NextHop(kind=NextHopKind.OTHER, text=text)
    return Route(name="", destination=ip_network(destination), next_hop=hop, system=True, dead=dead)


def heard(*routes: Route) -> Witness:
    return hear(routes, OWNERS, at=build.NOON, node="n1", interface="nic-1")


@pytest.mark.parametrize(
    "routes",
    [
        (route(1),),
        (route(1), system("10.0.0.0/8", "None")),
        (replace(route(1, "10.0.0.9"), dead=True), route(1)),
        (replace(route(1), destination=ip_network("10.42.0.0/16")),),
    ],
)
def test_the_fabric_agrees_when_the_longest_route_in_use_leads_to_the_node(routes: tuple[Route, ...]) -> None:
    found = heard(*routes)
    assert found.agrees == {CIDR}
    assert not found.differs


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ((), "no route"),
        ((replace(route(1), dead=True),), "no route"),
        ((system("10.0.0.0/8", "None"),), "10.0.0.0/8 to None"),
        ((route(1, "10.0.0.9"),), "10.42.1.0/24 to 10.0.0.9"),
        ((route(1), system("10.42.1.128/25", "VnetLocal")), "10.42.1.128/25 to VnetLocal"),
    ],
)
def test_the_fabric_differs_where_it_leads_packets_elsewhere(routes: tuple[Route, ...], told: str) -> None:
    found = heard(*routes)
    assert not found.agrees
    assert found.differs == {CIDR: told}


class Fabric:
    """A cloud that tells every interface the same effective routes, unless it denies the question."""

    cloud = Cloud.AZURE

    def __init__(self, *routes: Route, denied: tuple[str, ...] = ()) -> None:
        self.routes = routes
        self.denied = denied
        self.asked: list[str] = []

    def effective_routes(self, interface: NetworkInterface) -> tuple[Route, ...]:
        self.asked.append(interface.id)
        if interface.id in self.denied:
            raise Denied("Microsoft.Network/networkInterfaces/effectiveRouteTable/action is missing")
        return self.routes


def report() -> Report:
    nodes = [node(number) for number in range(1, 6)]
    table = RouteTable(
        id=TABLE,
        network=build.VPC,
        subnets=(build.SUBNET,),
        routes=tuple(route(number) for number in range(1, 6)),
        replaces=ReplaceMethod.IN_PLACE,
    )
    view = build.view(*map(vm, nodes), nodes=nodes, cloud=Cloud.AZURE, name="azure:s", tables=(table,))
    subnets = (Subnet(id=build.SUBNET, network=build.VPC, cidrs=(), route_table=TABLE),)
    return diagnose(build.snapshot(*nodes, views=[replace(view, subnets=subnets)]))


def applied(*changes: Change, status: Status = Status.APPLIED) -> tuple[Plan, ApplyResult]:
    plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=changes)
    outcomes = tuple(Outcome(change=one.id, status=status, message=None, seconds=1.0) for one in plan.changes)
    return plan, ApplyResult(id="run", plan=plan.id, outcomes=outcomes)


def called(fabric: Fabric | None, plan: Plan, result: ApplyResult) -> tuple[Witness, ...]:
    def reader(_: Cloud) -> CloudReader | None:
        return fabric  # type: ignore[return-value] # only what is asked of it here

    return call_witnesses(plan, result, report(), reader=reader, clock=ScriptedClock())


def test_at_most_two_interfaces_behind_a_changed_table_are_asked() -> None:
    fabric = Fabric(*(route(number) for number in range(1, 6)))
    found = called(fabric, *applied(creation(1), creation(2)))
    assert len(found) == AT_MOST == len(fabric.asked)
    assert [(witness.node, len(witness.agrees), dict(witness.differs)) for witness in found] == [
        ("n1", 5, {}),
        ("n2", 5, {}),
    ]


def test_a_subnet_that_just_got_its_table_is_asked_too() -> None:
    fabric = Fabric()
    (first, *_) = called(fabric, *applied(replace(association(after="new"), subject=build.SUBNET)))
    assert first.differs[CIDR] == "no route"
    assert called(Fabric(), *applied(association(after="new"))) == ()  # nobody of ours is in SUBNET


def test_an_interface_that_may_not_be_asked_is_passed_over() -> None:
    fabric = Fabric(denied=("nic-n1",))
    assert [witness.node for witness in called(fabric, *applied(creation(1)))] == ["n2"]
    assert called(Fabric(denied=("nic-n1", "nic-n2")), *applied(creation(1))) == ()


@pytest.mark.parametrize("status", [Status.REFUSED, Status.FAILED, Status.ALREADY_SO])
def test_nobody_is_asked_when_nothing_was_changed(status: Status) -> None:
    fabric = Fabric()
    assert called(fabric, *applied(creation(1), status=status)) == ()
    assert fabric.asked == []


def test_flags_and_tables_in_other_places_ask_nobody() -> None:
    fabric = Fabric()
    assert called(fabric, *applied(build.switch_on(), creation(1, "elsewhere"))) == ()
    assert called(fabric, *applied(replace(table_creation(), subject=SUBNET))) != ()
    assert called(None, *applied(creation(1))) == ()
