"""Route tables and associations in plans: their order, what they wait for, what forbids them, how they are saved."""

import json
from dataclasses import replace

import pytest

from tests import build
from tests.build_tables import SUBNET, TABLE, about, association, creation, replacement, route, table_creation
from tests.test_route_apply import CONTROLLER
from tui.checks import diagnose
from tui.engine.hindrance import hindrance
from tui.model.change import Change, DeleteRoute
from tui.model.document import change_document
from tui.model.fields import BadPlan
from tui.model.finding import Code, Finding, Report, Severity
from tui.model.network import Instance, NextHopKind, RouteQuota
from tui.model.node import Cloud, Node, ProviderID
from tui.model.plan import Plan, build_plan
from tui.model.plan_document import plan_document, plan_from_document
from tui.model.planner import make_plan
from tui.model.snapshot import Source, SourceState

QUOTA = "routes of route table g/t"


def plan_of(*changes: Change, free: int | None = None) -> Plan:
    findings = [
        Finding(
            code=Code.ROUTE_TABLE_MISSING,
            severity=Severity.ERROR,
            node=change.node,
            subject=change.subject,
            summary="it is wrong",
            remedy=(change,),
        )
        for change in changes
    ]
    return make_plan(
        cluster=build.CLUSTER,
        created_at=build.NOON,
        findings=findings,
        nodes=None,
        command=lambda change: f"do {change.subject}",
        quotas=[] if free is None else [RouteQuota(name=QUOTA, limit=400, used=400 - free)],
    )


def told(plan: Plan) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(change.kind, change.action.value, change.depends_on) for change in plan.changes]


def test_flags_then_a_whole_table_then_the_subnet_then_deletions() -> None:
    stray = DeleteRoute(**about(9, f"{TABLE}/routes/r9"), table=TABLE, before=route(9))  # type: ignore[arg-type]
    plan = plan_of(stray, association(route(1), route(2)), creation(2), replacement(1), build.switch_on("n2"))
    assert told(plan) == [
        ("forwarding", "update", ()),
        ("route", "replace", ()),
        ("route", "create", ("c1",)),
        ("subnet-association", "update", ("c2", "c3")),
        ("route", "delete", ()),
    ]


def test_a_subnet_waits_for_the_new_table() -> None:
    plan = plan_of(association(route(1)), table_creation(route(1)))
    assert told(plan) == [("route-table", "create", ()), ("subnet-association", "update", ("c1",))]


def test_two_nodes_that_need_the_same_table_get_it_once() -> None:
    changes = (table_creation(route(1), route(2)), association(route(1), route(2)))
    assert len(plan_of(*changes, *changes).changes) == 2


def test_two_different_tables_of_one_name_are_refused() -> None:
    plan = plan_of(table_creation(route(1)), table_creation(route(2)))
    assert plan.changes == ()
    assert len(plan.refused) == 1


def test_changes_of_one_table_stand_together() -> None:
    plan = plan_of(creation(1, "a"), creation(1, "b"), creation(2, "a"), creation(2, "b"))
    assert [change.table for change in plan.changes if change.kind == "route"] == ["a", "a", "b", "b"]  # type: ignore[union-attr]


def test_a_subnet_does_not_get_a_table_that_has_no_room_for_all_routes() -> None:
    plan = plan_of(*(replace(creation(number), quota=QUOTA) for number in (1, 2)), association(route(2)), free=1)
    assert [change.kind for change in plan.changes] == ["route"]
    assert [refusal.code for refusal in plan.refused] == ["route-quota", "route-quota"]


def test_a_replacement_in_place_needs_no_room() -> None:
    assert len(plan_of(replace(replacement(1), quota=QUOTA), free=0).changes) == 1


@pytest.mark.parametrize(
    "change",
    [
        table_creation(route(1), route(2)),
        table_creation(route(1)).inverse(),
        association(route(1)),
        association(route(1)).inverse(),
        replacement(1),
    ],
)
def test_a_saved_change_is_read_as_it_was(change: Change) -> None:
    plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=[change])
    assert plan_from_document(json.dumps(plan_document(plan))) == plan


def test_a_table_altered_on_disk_no_longer_matches_the_plan() -> None:
    plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=[table_creation(route(1))])
    text = json.dumps(plan_document(plan)).replace("10.0.0.1", "10.0.0.66")
    with pytest.raises(BadPlan, match="altered"):
        plan_from_document(text)


def test_the_document_shows_the_table_with_its_routes_and_the_association() -> None:
    made = change_document(table_creation(route(1)))
    assert (made["kind"], made["action"], made["before"]) == ("route-table", "create", None)
    after = made["after"]
    assert isinstance(after, dict)
    assert (after["id"], after["region"], [found["name"] for found in after["routes"]]) == (TABLE, "north", ["r1"])
    attached = change_document(association())
    assert (attached["subject"], attached["before"], attached["after"]) == (
        SUBNET,
        {"routeTable": None},
        {"routeTable": TABLE},
    )


def test_inverses_lead_back_and_forth() -> None:
    for change in (table_creation(route(1)), association(route(1)), replacement(1)):
        assert change.inverse().inverse() == replace(change, undo=False)
        assert change.inverse().undo


# What the cluster, as it is by now, forbids.


def node(number: int, *, ip: str | None = None, cidr: str | None = None) -> Node:
    key = f"azure:///subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/n{number}"
    return build.node(
        f"n{number}",
        ip=ip or f"10.0.0.{number}",
        cidrs=(cidr or f"10.42.{number}.0/24",),
        provider_id=ProviderID.parse(key),
    )


def vm(of: Node) -> Instance:
    nic = replace(build.eni(f"nic-{of.name}", ip=str(of.addresses[0])), routed_by=NextHopKind.ADDRESS)
    return build.instance(of.provider_id.key or "", nic, cloud=Cloud.AZURE)


def report(*nodes: Node, state: SourceState = SourceState.OK, findings: tuple[Finding, ...] = ()) -> Report:
    view = build.view(*map(vm, nodes), nodes=nodes, cloud=Cloud.AZURE, name="azure:s", tables=())
    source = Source(name="kubernetes", state=state, observed_at=build.NOON, message="it does not answer")
    snapshot = replace(build.snapshot(*nodes, views=[view]), nodes_source=source)
    return replace(diagnose(snapshot), findings=findings)


WHOLE = (table_creation(route(1), route(2)), association(route(1), route(2)))


@pytest.mark.parametrize("change", WHOLE)
def test_a_table_for_nodes_that_are_where_they_were_may_be_written(change: Change) -> None:
    assert hindrance(change, report(node(1), node(2))) is None


@pytest.mark.parametrize("change", WHOLE)
@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (report(node(1)), "10.0.0.2 is no longer where 10.42.2.0/24 belongs"),
        (report(node(1), node(2, ip="10.0.0.77")), "10.0.0.2 is no longer where 10.42.2.0/24 belongs"),
        (report(node(1), node(2), node(3, cidr="10.42.2.0/24")), "10.0.0.2 is no longer where 10.42.2.0/24 belongs"),
        (report(node(1), node(2), findings=(CONTROLLER,)), "a route controller writes these routes now"),
    ],
)
def test_a_table_that_is_not_what_the_nodes_need_any_more_is_refused(
    change: Change, found: Report, reason: str
) -> None:
    assert reason in (hindrance(change, found) or "")


def test_no_subnet_gets_a_table_on_old_news() -> None:
    assert "on old news" in (hindrance(WHOLE[1], report(node(1), node(2), state=SourceState.STALE)) or "")


@pytest.mark.parametrize("change", WHOLE)
def test_taking_a_table_back_asks_only_what_is_there(change: Change) -> None:
    assert hindrance(change.inverse(), report(node(5))) is None
