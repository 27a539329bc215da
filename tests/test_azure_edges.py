"""What must not be called right, applied or ours on Azure, although it nearly looks like it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests import build
from tests import build_azure as azure
from tests.arm_changes import (  # noqa: F401 - the fixtures
    association,
    azure_reader,
    azure_table,
    azure_writer,
    creation,
    replacement,
    route,
    switch,
)
from tests.scripted import ScriptedClock
from tests.test_azure_checks import OWN, RIGHT, attachment, lacking, world
from tests.wire.arm import ArmServer, fresh_arm  # noqa: F401 - the fixture
from tests.wire.arm_rules import Refused
from tui.checks import diagnose
from tui.clouds.azure import AzureReader
from tui.clouds.azure_writes import AzureWriter
from tui.engine.applier import Applier, Writing
from tui.engine.hindrance import hindrance
from tui.engine.journal import Journal
from tui.model.change import Change
from tui.model.finding import RouteState
from tui.model.network import NextHop, NextHopKind, Route, RouteQuota, RouteTable
from tui.model.plan import Outcome, Plan, Status, build_plan
from tui.model.planner import make_plan
from tui.model.snapshot import Scope, Snapshot

Apply = Callable[..., Sequence[Outcome]]


@pytest.fixture
def apply(tmp_path: Path, reader: AzureReader, writer: AzureWriter) -> Apply:
    """Return what applies changes over the wire and returns their outcomes."""
    clock = ScriptedClock()

    def run(*changes: Change) -> Sequence[Outcome]:
        applier = Applier(
            Writing(writer=lambda _: writer, width=1),
            reader=lambda _: reader,
            journal=Journal.of(tmp_path, build.CLUSTER, clock),
            clock=clock,
            stop=threading.Event(),
        )
        plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=changes)
        return applier.run(plan, forbids=lambda _: None, progress=lambda _: None).outcomes

    return run


def many(table: str) -> list[Change]:
    return [creation(table, f"n{number}", f"10.42.{number}.0/24", f"10.0.1.{number}") for number in range(20, 25)]


# What Azure keeps and did not carry out.


@pytest.mark.parametrize("kind", ["flag", "route", "replacement", "subnet", "whole table"])
def test_a_goal_that_was_stored_and_not_reached_is_neither_applied_nor_left_alone(
    arm: ArmServer, table: str, apply: Apply, kind: str
) -> None:
    changes: dict[str, list[Change]] = {
        "flag": [switch(arm)],
        "route": [creation(table)],
        "replacement": [replacement(table)],
        "subnet": [association(arm.subnet("bare", "10.0.3.0/24"), arm.table("empty"))],
        "whole table": many(table),
    }
    arm.operations.failure = Refused(400, "AllocationFailed", "the platform could not apply the change")
    outcomes = apply(*changes[kind])
    assert {outcome.status for outcome in outcomes} == {Status.INDETERMINATE}
    message = outcomes[0].message or ""
    assert "the platform could not apply the change" in message
    assert message.endswith("it is as planned all the same, but its last change failed (provisioningState Failed)")


def test_what_has_not_ended_is_not_applied(arm: ArmServer, table: str, apply: Apply) -> None:
    arm.operations.host, arm.operations.looks = "https://elsewhere.example", 10_000
    (outcome,) = apply(association(arm.subnet("bare", "10.0.3.0/24"), arm.table("empty")))
    assert outcome.status is Status.INDETERMINATE
    assert "leads to another host" in (outcome.message or "")


def test_a_subnet_whose_last_change_failed_is_not_already_so(arm: ArmServer, table: str, apply: Apply) -> None:
    subnet = arm.subnet("bare", "10.0.3.0/24", table=table)
    arm.properties(subnet)["provisioningState"] = "Failed"
    (outcome,) = apply(association(subnet, table))
    assert outcome.status is Status.REFUSED
    assert "nothing shows that it is in force" in (outcome.message or "")


# Other people's routes.


def test_a_prefix_that_is_taken_refuses_that_change_alone(arm: ArmServer, table: str, apply: Apply) -> None:
    arm.route(table, "somebodys", "10.42.22.0/24", "10.0.1.99")
    arm.route(table, "right", "10.42.23.0/24", "10.0.1.23")
    outcomes = apply(*many(table))
    assert [outcome.status for outcome in outcomes] == [
        Status.APPLIED,
        Status.APPLIED,
        Status.REFUSED,
        Status.ALREADY_SO,
        Status.APPLIED,
    ]
    assert "somebodys" in (outcomes[2].message or "")
    assert len(arm.writes()) == 1


def test_a_service_tag_is_kept_when_a_table_is_written(arm: ArmServer, table: str, apply: Apply) -> None:
    arm.route(table, "tag", "AzureCloud", "Internet")
    assert {outcome.status for outcome in apply(*many(table))} == {Status.APPLIED}
    assert arm.routes(table)["AzureCloud"] == "Internet"


def test_a_route_that_leads_to_another_kind_of_place_by_now_is_not_replaced(arm: ArmServer, apply: Apply) -> None:
    table = arm.table("odd", r2=("10.42.2.0/24", "Internet"))
    change = replacement(table)
    planned = NextHop(kind=NextHopKind.OTHER, text="VirtualNetworkGateway")
    (outcome,) = apply(replace(change, before=replace(change.before, next_hop=planned)))
    assert outcome.status is Status.REFUSED
    assert arm.routes(table) == {"10.42.2.0/24": "Internet"}


def test_a_table_that_has_got_a_route_since_the_plan_is_not_attached(arm: ArmServer, apply: Apply) -> None:
    table = arm.table("t", r1=("10.42.1.0/24", "10.0.1.4"))
    change = replace(
        association(arm.subnet("bare", "10.0.3.0/24"), table), needs=(route("r1", "10.42.1.0/24", "10.0.1.4"),)
    )
    arm.route(table, "default", "0.0.0.0/0", "10.9.9.9")
    (outcome,) = apply(change)
    assert outcome.status is Status.REFUSED
    assert "a route that the plan did not show: default" in (outcome.message or "")


def _default() -> Route:
    return replace(azure.route(0, to="10.9.9.9"), name="default", destination=ip_network("0.0.0.0/0"))


def test_what_else_an_attached_table_does_is_said() -> None:
    there = azure.table("pods", *RIGHT, _default(), subnets=())
    attach = attachment(lacking(world(there, scope=Scope(route_table="pods")))[0])
    assert [one.name for one in attach.beside] == ["default"]
    assert "the subnet's packets will also follow default (0.0.0.0/0 → 10.9.9.9)" in (attach.caution or "")


def test_a_table_of_the_wanted_name_in_another_group_is_somebody_elses() -> None:
    foreign = azure.table("pods", _default(), subnets=(3,))
    foreign = replace(foreign, id=foreign.id.replace("/g/", "/firewall-team/"))
    snapshot = world(foreign, subnets={1: None, 2: None, 3: None}, scope=Scope(route_table="pods"))
    (view,) = snapshot.views
    subnets = tuple(
        replace(one, route_table=foreign.id) if one.id == azure.subnet_id(3) else one for one in view.subnets or ()
    )
    attach = attachment(lacking(replace(snapshot, views=(replace(view, subnets=subnets),)))[0])
    assert attach.after == azure.table_id("pods")


def test_a_node_that_has_joined_since_is_no_hole_in_a_new_table() -> None:
    create, attach = lacking(world())[0].remedy
    now = diagnose(world(nodes=(azure.node(1), azure.node(2, subnet=2), azure.node(3))))
    for change in (create, attach):
        assert "10.42.3.0/24 belongs to a node that the table was not planned for" in (hindrance(change, now) or "")


# Spellings.


@pytest.mark.parametrize(("name", "region"), [(OWN, "West Europe"), (OWN.upper(), azure.REGION)])
def test_spellings_of_one_table_and_one_region_are_the_same(name: str, region: str) -> None:
    there = azure.table(name, *RIGHT, subnets=(), region=region)
    finding = lacking(world(there))[0]
    assert attachment(finding).after == there.id


# Several VNets and subscriptions.


def two_networks(first: RouteTable, second: RouteTable) -> Snapshot:
    """Return n1 in the VNet of the builders with one table, and n2 in another VNet with the other table."""
    one, two = azure.node(1), azure.node(2, subnet=2)
    network = f"{azure.VNET}w"
    subnet = f"{network}/subnets/s2"
    vm = azure.vm(two, subnet=2)
    vm = replace(vm, interfaces=tuple(replace(nic, subnet=subnet, network=network) for nic in vm.interfaces))
    shared = first.id == second.id
    second = replace(second, subnets=(*(first.subnets or () if shared else ()), subnet))
    tables = (second,) if shared else (first, second)
    view = azure.view([azure.vm(one), vm], nodes=[one, two], tables=tables, subnets={1: first.name, 2: second.name})
    near, far = view.subnets or ()
    return azure.snapshot(one, two, views=[replace(view, subnets=(near, replace(far, id=subnet, network=network)))])


def test_nodes_in_two_networks_need_each_others_routes() -> None:
    report = diagnose(two_networks(azure.table("a", azure.route(1)), azure.table("b", azure.route(2, subnet=2))))
    assert [one.routes[0].state for one in report.assessments] == [RouteState.MISSING, RouteState.MISSING]


def test_a_shared_table_of_two_networks_delivers_to_both() -> None:
    table = azure.table("a", azure.route(1), azure.route(2, subnet=2))
    assert [one.healthy for one in diagnose(two_networks(table, table)).assessments] == [True, True]


def test_tables_of_one_name_in_two_subscriptions_have_a_limit_each() -> None:
    node = azure.node(1)
    full = RouteQuota(name="routes of route table g/t of a", limit=400, used=400)
    table = azure.table("t", subnets=(1,), quota=full)
    view = azure.view([azure.vm(node)], nodes=[node], tables=(table,), subnets={1: "t"})
    empty = azure.table("t", subnets=(), quota=replace(full, name="routes of route table g/t of b", used=0))
    other = azure.view([], nodes=[], tables=(replace(empty, id=empty.id.replace("/s/", "/b/")),), subnets={})
    snapshot = azure.snapshot(node, views=[view, replace(other, source=replace(view.source, name="azure:b"))])
    assert plan_of(snapshot).changes == ()


def plan_of(snapshot: Snapshot) -> Plan:
    return make_plan(
        cluster=snapshot.cluster,
        created_at=build.NOON,
        findings=diagnose(snapshot).findings,
        nodes=None,
        command=lambda change: "x",
        quotas=snapshot.quotas(),
    )


def test_what_of_a_finding_is_not_mended_is_told_beside_what_is() -> None:
    node = azure.node(1)
    managed = azure.table("managed", subnets=(2,), refusal="made by a manager")
    other = azure.node(2, subnet=2)
    view = azure.view(
        [azure.vm(node), azure.vm(other, subnet=2)],
        nodes=[node, other],
        tables=(azure.table("a", azure.route(2, subnet=2)), managed),
        subnets={1: "a", 2: "managed"},
    )
    plan = plan_of(azure.snapshot(node, other, views=[view]))
    assert [change.node for change in plan.changes] == ["n1"]
    assert [(refusal.node, refusal.reason) for refusal in plan.refused] == [
        ("n1", "made by a manager"),
        ("n2", "made by a manager"),
    ]


def test_an_interface_whose_subnet_was_not_told_is_not_called_fine() -> None:
    node = azure.node(1)
    vm = azure.vm(node)
    vm = replace(vm, interfaces=tuple(replace(nic, subnet=None, network="") for nic in vm.interfaces))
    view = azure.view([vm], nodes=[node], tables=(azure.table("t", azure.route(1)),), subnets={1: "t"})
    (one,) = diagnose(azure.snapshot(node, views=[view])).assessments
    assert (one.routes[0].state, one.healthy) == (RouteState.UNKNOWN, False)


def test_a_table_with_a_raised_limit_may_be_attached_when_it_is_right() -> None:
    nodes = tuple(
        azure.node(n, ip=f"10.0.{1 + n // 250}.{n % 250 + 1}", cidrs=[f"10.{64 + n // 256}.{n % 256}.0/24"])
        for n in range(401)
    )
    routes = tuple(
        replace(build.route(str(one.pod_cidrs[0]), to=str(one.addresses[0]), kind=NextHopKind.ADDRESS), name=one.name)
        for one in nodes
    )
    limit = RouteQuota(name="routes of route table g/x", limit=1000, used=401)
    table = azure.table(OWN, *routes, subnets=(1,), quota=limit)
    vms = [azure.vm(one, subnet=2 if number == 0 else 1) for number, one in enumerate(nodes)]
    view = azure.view(vms, nodes=nodes, tables=(table,), subnets={1: OWN, 2: None})
    assert len(attachment(lacking(azure.snapshot(*nodes, views=[view]))[0]).needs) == 401
