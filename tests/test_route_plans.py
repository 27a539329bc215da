"""Plans with routes: their order, what they depend on, what the quota lets through; and how they are saved."""

import json
from dataclasses import replace
from ipaddress import ip_network

import pytest

from tests import build
from tui.model.change import Action, Change, CreateRoute, ReplaceRoute
from tui.model.fields import BadPlan
from tui.model.finding import Code, Finding, Severity
from tui.model.network import ReplaceMethod, RouteQuota
from tui.model.plan import Plan, build_plan
from tui.model.plan_document import plan_document, plan_from_document
from tui.model.planner import make_plan

QUOTA = "ROUTES of projects/p"


def plan_of(
    *changes: Change, free: int | None = None, delete_first: bool = False, nodes: list[str] | None = None
) -> Plan:
    findings = [
        Finding(
            code=Code.ROUTE_MISSING,
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
        nodes=nodes,
        command=lambda change: f"do {change.subject}",
        quotas=[] if free is None else [RouteQuota(name=QUOTA, limit=100, used=100 - free)],
        delete_first=delete_first,
    )


def told(plan: Plan) -> list[tuple[str, str | None, tuple[str, ...]]]:
    return [(change.action.value, change.node, change.depends_on) for change in plan.changes]


def test_flags_come_first_and_deletions_last_and_routes_wait_for_the_flag_of_their_node() -> None:
    plan = plan_of(
        build.delete_route(None, "10.42.9.0/24"),
        build.create_route("n2", "10.42.2.0/24"),
        build.replace_route("n1"),
        build.switch_on("n1"),
        build.switch_on("n3", subject="eni-3"),
    )
    assert told(plan) == [
        ("update", "n1", ()),
        ("update", "n3", ()),
        ("replace", "n1", ("c1",)),
        ("create", "n2", ()),
        ("delete", None, ()),
    ]


def test_a_deletion_waits_for_the_route_that_it_keeps() -> None:
    create = build.create_route()
    plan = plan_of(build.delete_route(keeps=create.after), create)
    assert told(plan) == [("create", "n1", ()), ("delete", "n1", ("c1",))]


def test_two_nodes_that_want_one_destination_get_neither() -> None:
    plan = plan_of(build.create_route("n1"), build.create_route("n2", "10.42.1.0/24"))
    assert plan.changes == ()
    assert [refusal.node for refusal in plan.refused] == ["n1", "n2"]
    assert {refusal.reason for refusal in plan.refused} == {"two findings want 10.42.1.0/24 to be different"}


def test_one_destination_in_two_tables_is_no_contradiction() -> None:
    other = build.create_route("n1", table="projects/p/global/networks/other", subject="projects/p/global/routes/x")
    assert plan_of(build.create_route("n1"), other).count(Action.CREATE) == 2


def test_what_the_quota_has_no_room_for_is_left_out_and_said() -> None:
    creates = [build.create_route(f"n{number}", f"10.42.{number}.0/24", quota=QUOTA) for number in (1, 2, 3)]
    plan = plan_of(*creates, free=2)
    assert [change.node for change in plan.changes] == ["n1", "n2"]
    assert [(refusal.node, refusal.code) for refusal in plan.refused] == [("n3", "route-quota")]


def test_an_unknown_quota_limits_nothing() -> None:
    assert plan_of(build.create_route(quota=QUOTA)).count(Action.CREATE) == 1


def test_replacements_share_one_spare_route() -> None:
    replacements = [build.replace_route(f"n{number}", f"10.42.{number}.0/24", quota=QUOTA) for number in (1, 2, 3)]
    assert plan_of(*replacements, free=1).count(Action.REPLACE) == 3


def test_without_a_spare_route_a_replacement_is_refused_until_the_gap_is_accepted() -> None:
    change = build.replace_route(quota=QUOTA)
    refused = plan_of(change, free=0)
    assert refused.changes == ()
    assert "--delete-first" in refused.refused[0].reason
    (accepted,) = plan_of(change, free=0, delete_first=True).changes
    assert isinstance(accepted, ReplaceRoute)
    assert accepted.method is ReplaceMethod.DELETE_THEN_ADD


def test_a_deletion_stays_out_when_the_route_that_it_keeps_is_not_made() -> None:
    change = build.replace_route(quota=QUOTA)
    other = build.delete_route(keeps=change.after, quota=QUOTA, subject="projects/p/global/routes/other")
    plan = plan_of(change, other, free=0)
    assert plan.changes == ()
    assert [refusal.code for refusal in plan.refused] == ["route-quota", "route-quota"]
    assert "stays until" in plan.refused[1].reason
    assert told(plan_of(change, other, free=1)) == [("replace", "n1", ()), ("delete", "n1", ("c1",))]


def test_delete_first_changes_nothing_where_there_is_room() -> None:
    (change,) = plan_of(build.replace_route(quota=QUOTA), free=1, delete_first=True).changes
    assert isinstance(change, ReplaceRoute)
    assert change.method is ReplaceMethod.ADD_THEN_DELETE


def test_a_change_about_no_node_is_in_a_plan_for_named_nodes_too() -> None:
    plan = plan_of(build.delete_route(None), build.create_route("n2", "10.42.2.0/24"), nodes=["n1"])
    assert told(plan) == [("delete", None, ())]


def every_change() -> tuple[Change, ...]:
    address = replace(
        build.create_route("n4", "2001:db8:42::/64", subject="projects/p/global/routes/new-n4").after, priority=None
    )
    return (
        build.switch_on(token="t", caution="it comes back"),
        build.replace_route("n1", quota=QUOTA),
        build.create_route("n4", "2001:db8:42::/64", after=replace(address, tags=frozenset({"b", "a", "c"}))),
        build.delete_route(None, "10.42.9.0/24"),
        build.delete_route("n5", "10.42.5.0/24", keeps=build.create_route("n5", "10.42.5.0/24").after),
    )


def test_a_saved_plan_of_every_kind_of_change_reads_back_equal() -> None:
    plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=every_change())
    assert plan_from_document(json.dumps(plan_document(plan))) == plan


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"destination": "10.42.1.0/24"', '"destination": "10.42.0.0/16"'),
        ('"instance": "p/z/n1"', '"instance": "p/z/evil"'),
        ('"method": "add-then-delete"', '"method": "delete-then-add"'),
        ('"priority": 999', '"priority": 1'),
        ('"keeps": {', '"keeps": null, "was": {'),
        ('"tags": ["a", "b", "c"]', '"tags": ["a", "b"]'),
    ],
)
def test_a_saved_route_that_was_altered_is_refused(old: str, new: str) -> None:
    plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=every_change())
    text = json.dumps(plan_document(plan))
    assert text.replace(old, new) != text
    with pytest.raises(BadPlan, match="altered"):
        plan_from_document(text.replace(old, new))


@pytest.mark.parametrize("change", every_change())
def test_the_inverse_swaps_before_and_after_and_twice_is_the_change(change: Change) -> None:
    inverse = change.inverse()
    assert (inverse.subject, inverse.node_uid, inverse.command, inverse.id) == (
        change.old_subject if isinstance(change, ReplaceRoute) else change.subject,
        change.node_uid,
        "",
        "",
    )
    twice = inverse.inverse()
    assert (type(twice), twice.subject) == (type(change), change.subject)
    assert plan_of(twice).changes[0].after == change.after or isinstance(change, ReplaceRoute)


def test_a_replacement_is_proven_before_the_old_route_goes() -> None:
    change = build.replace_route(id="c1", depends_on=("c0",))
    add, take = change.steps()
    assert isinstance(add, CreateRoute)
    assert (add.action, add.subject, add.after) == (Action.CREATE, change.subject, change.after)
    assert (take.action, take.subject, take.before) == (Action.DELETE, change.old_subject, change.before)
    assert getattr(take, "keeps", None) == change.after
    assert {step.id for step in (add, take)} == {"c1"}
    gap = replace(change, method=ReplaceMethod.DELETE_THEN_ADD)
    assert [step.action for step in gap.steps()] == [Action.DELETE, Action.CREATE]
    assert replace(change, method=ReplaceMethod.IN_PLACE).steps() == (replace(change, method=ReplaceMethod.IN_PLACE),)


def test_routes_are_the_same_by_where_they_lead_and_not_by_how_it_is_written() -> None:
    route = build.create_route().after
    rewritten = replace(route, next_hop=replace(route.next_hop, text="https://other/p/z/n1"), dead=True, warning="W")
    assert route.same_as(rewritten)
    assert not route.same_as(replace(route, priority=1))
    assert not route.same_as(replace(route, destination=ip_network("10.42.2.0/24")))
    assert not replace(route, token="1").same_as(replace(route, token="2"))
    assert replace(route, token="1").same_as(route)
