"""Plans: merged from remedies, sealed, saved and read back; and refused when they are not what was written."""

import json
from dataclasses import replace

import pytest

from tests import build
from tui.model.change import Action, SetForwarding
from tui.model.fields import BadPlan
from tui.model.finding import Code, Finding, Severity
from tui.model.plan import Plan, build_plan
from tui.model.plan_document import plan_document, plan_from_document
from tui.model.planner import make_plan


def finding(node: str = "n1", *remedy: SetForwarding, obstacle: str | None = None) -> Finding:
    return Finding(
        code=Code.FORWARDING_OFF,
        severity=Severity.ERROR,
        node=node,
        subject="eni",
        summary="it is off",
        remedy=remedy,
        obstacle=obstacle,
    )


def plan_of(*findings: Finding, nodes: list[str] | None = None) -> Plan:
    return make_plan(
        cluster=build.CLUSTER,
        created_at=build.NOON,
        findings=findings,
        nodes=nodes,
        command=lambda change: f"aws {change.subject}",
    )


def test_equal_changes_are_made_once_and_numbered() -> None:
    change = build.switch_on()
    plan = plan_of(finding("n1", change), finding("n1", change), finding("n2", build.switch_on("n2", subject="eni-2")))
    assert [(change.id, change.subject) for change in plan.changes] == [("c1", "eni-1"), ("c2", "eni-2")]
    assert plan.changes[0].command == "aws eni-1"
    assert plan.count(Action.UPDATE) == 2


def test_changes_that_contradict_each_other_are_refused_together() -> None:
    change = build.switch_on()
    plan = plan_of(finding("n1", change), finding("n1", replace(change, before=True, after=False)))
    assert plan.changes == ()
    assert plan.refused[0].reason == "two findings want eni-1 to be different"


def test_only_the_named_nodes_are_planned_for() -> None:
    plan = plan_of(
        finding("n1", build.switch_on()), finding("n2", build.switch_on("n2", subject="eni-2")), nodes=["n2"]
    )
    assert [change.node for change in plan.changes] == ["n2"]


def test_what_cannot_be_fixed_is_refused_with_the_obstacle_else_the_summary() -> None:
    plan = plan_of(finding("n1"), finding("n2", obstacle="managed by AWS"))
    assert [(refusal.node, refusal.reason) for refusal in plan.refused] == [
        ("n1", "it is off"),
        ("n2", "managed by AWS"),
    ]


def test_the_inverse_of_the_inverse_is_the_change_itself() -> None:
    change = build.switch_on()
    assert change.inverse().inverse() == change
    assert (change.inverse().before, change.inverse().after) == (True, False)


def test_a_saved_plan_reads_back_equal() -> None:
    plan = build_plan(
        cluster=build.CLUSTER, created_at=build.NOON, changes=[build.switch_on(token='W/"1"', depends_on=("c0",))]
    )
    assert plan_from_document(json.dumps(plan_document(plan))) == plan


def test_equal_plans_have_equal_ids_and_others_do_not() -> None:
    first = plan_of(finding("n1", build.switch_on()))
    assert first.id == plan_of(finding("n1", build.switch_on())).id
    assert first.id != plan_of(finding("n1", build.switch_on(token="t"))).id


def saved() -> str:
    return json.dumps(plan_document(plan_of(finding("n1", build.switch_on()))))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "", "not complete JSON"),
        ("plan/v1", "plan/v9", "this version reads 'l2bridge-tui/plan/v1'"),
        ('"subject": "eni-1"', '"subject": "eni-2"', "altered"),
        ('"kind": "forwarding"', '"kind": "magic"', "unknown kind 'magic'"),
        ('"cloud": "aws"', '"cloud": "moon"', "cannot be used"),
        ('"node": "n1", "subject"', '"node": 7, "subject"', "'node' of an entry of changes"),
        ('"SourceDestCheck": true', '"SourceDestCheck": 1', "'SourceDestCheck' of before"),
        ("2026-01-01T12:00:00Z", "noon", "cannot be used"),
    ],
)
def test_a_saved_plan_that_is_not_as_it_was_written_is_refused_whole(old: str, new: str, message: str) -> None:
    text = saved()[:-20] if not old else saved().replace(old, new)
    assert text != saved()
    with pytest.raises(BadPlan, match=message):
        plan_from_document(text)


@pytest.mark.parametrize("text", ["[]", "7", "{}", '{"schema": "l2bridge-tui/plan/v1"}'])
def test_a_file_that_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(BadPlan):
        plan_from_document(text)
