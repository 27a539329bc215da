"""Plans as lines: what a person reads before saying yes."""

from dataclasses import replace

from tests import build
from tests import build_tables as tables
from tui import render_plan
from tui.model.change import Change, DeleteRoute, ReplaceRoute
from tui.model.network import Disruption, ReplaceMethod
from tui.model.node import Cloud
from tui.model.plan import Plan, Refusal, build_plan
from tui.render_plan import LineKind

CREATE = build.create_route(command="gcloud x")
REPLACE = build.replace_route(command="gcloud x")
IN_GAP = replace(REPLACE, method=ReplaceMethod.DELETE_THEN_ADD)


def planned(*changes: Change, refused: tuple[Refusal, ...] = ()) -> Plan:
    return build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=changes, refused=refused)


def told(*changes: Change) -> list[str]:
    """Return the lines about the changes, without the sum."""
    return [line.text for line in render_plan.plan_lines(planned(*changes))][:-2]


def test_a_plan_is_a_diff_with_reason_cost_and_command_and_ends_in_its_sum() -> None:
    switch = build.switch_on(
        "n2", subject="vm-2", cloud=Cloud.GCE, flag="canIpForward", inverted=False, command="gcloud x"
    )
    plan = planned(
        build.switch_on(command="aws ec2 do-it"),
        replace(switch, disruption=Disruption.REFRESH, depends_on=("c1",), caution="its template has the flag off"),
        refused=(
            Refusal(node="n3", code="layer2-different", reason="elsewhere"),
            Refusal(node=None, code="x", reason="y"),
        ),
    )
    lines = list(render_plan.plan_lines(plan))
    assert [line.text for line in lines] == [
        "~ forwarding of eni-1 (c1, node n1, aws)",
        "    SourceDestCheck: true -> false",
        "    disruption:  none, the VM keeps running",
        "    why:         the check is on",
        "    by hand:     aws ec2 do-it",
        "",
        "~ forwarding of vm-2 (c2, node n2, gce)",
        "    canIpForward: false -> true",
        "    disruption:  refresh, the VM keeps running while its network is set up anew",
        "    why:         the check is on",
        "    note:        its template has the flag off",
        "    after:       c1",
        "    by hand:     gcloud x",
        "",
        "Not in this plan:",
        "  n3  layer2-different: elsewhere",
        "  x: y",
        "",
        "Plan: 0 to add, 2 to change, 0 to destroy.",
    ]
    kinds = [line.kind for line in lines[:6]]
    assert kinds == ["update", "field", "cost", "reason", "command", "blank"]


def test_a_new_route_shows_what_will_stand_there() -> None:
    after = replace(CREATE.after, tags=frozenset({"win", "k8s"}), description='{"by":"l2bridge-tui"' + "." * 80)
    assert told(replace(CREATE, after=after)) == [
        "+ route of projects/p/global/routes/new-n1 (c1, node n1, gce)",
        "    destination: 10.42.1.0/24",
        "    next hop:    z/n1",
        "    priority:    1000",
        "    tags:        k8s, win",
        '    description: {"by":"l2bridge-tui"' + "." * 40 + "...",
        "    disruption:  none, the VM keeps running",
        "    why:         no route",
        "    by hand:     gcloud x",
    ]


def test_a_replacement_shows_what_differs_and_that_nothing_is_lost_in_between() -> None:
    change = replace(REPLACE, before=replace(REPLACE.before, dead=True, warning="NEXT_HOP_INSTANCE_NOT_FOUND"))
    assert told(change) == [
        "+/- route of projects/p/global/routes/new-n1 (c1, node n1, gce)",
        "    destination: 10.42.1.0/24",
        "    next hop:    z/gone (NEXT_HOP_INSTANCE_NOT_FOUND) -> z/n1",
        "    name:        old-n1 -> new-n1",
        "    priority:    1000 -> 999",
        "    method:      the new route is added and proven before the old one is deleted",
        "    why:         it leads elsewhere",
        "    by hand:     gcloud x",
    ]
    assert LineKind.DANGER not in {line.kind for line in render_plan.plan_lines(planned(change))}


def test_what_is_too_long_for_one_line_of_a_terminal_stands_on_two() -> None:
    far = "something/far/away/with/a/rather/long/name"
    change = replace(
        REPLACE,
        before=build.route("10.42.1.0/24", to=f"p/{far}/gone", name="old"),
        after=build.route("10.42.1.0/24", to=f"p/{far}/win-1", name="new"),
    )
    at = told(change).index(f"    next hop:    {far}/gone")
    assert told(change)[at + 1] == f"              -> {far}/win-1"


def test_deleting_first_looks_dangerous_wherever_it_is_read() -> None:
    lines = list(render_plan.plan_lines(planned(IN_GAP, CREATE)))
    assert lines[0].text.startswith("-/+ route of ")
    assert [line.text for line in lines if line.kind is LineKind.DANGER] == [
        "    DANGER:      the old route is deleted first: the pod CIDR is unreachable in between",
        "DANGER: 1 pod CIDR is unreachable while its route is replaced.",
    ]
    assert not any("proven before" in line.text for line in lines)
    assert render_plan.plan_danger(planned(REPLACE, CREATE)) is None
    assert "2 pod CIDRs are" in str(render_plan.plan_danger(planned(IN_GAP, replace(IN_GAP, node="n2"))))


def test_a_deletion_says_what_delivers_the_packets_instead() -> None:
    stray = build.delete_route(None, command="gcloud x")
    assert told(stray) == [
        "- route of projects/p/global/routes/old-None (c1, no node, gce)",
        "    destination: 10.42.1.0/24",
        "    next hop:    z/gone",
        "    priority:    1000",
        "    disruption:  none, nothing needs these packets delivered",
        "    why:         it leads elsewhere",
        "    by hand:     gcloud x",
    ]
    rival = build.delete_route(keeps=CREATE.after)
    assert "    disruption:  none, new-n1 delivers these packets" in told(rival)


def test_a_change_in_place_says_so() -> None:
    change = replace(REPLACE, method=ReplaceMethod.IN_PLACE)
    assert "    method:      the route is changed in place, in one step" in told(change)


def test_a_new_table_shows_every_route_that_it_will_have() -> None:
    change = replace(tables.table_creation(tables.route(1), tables.route(2)), command="az x")
    assert told(change) == [
        f"+ route-table of {tables.TABLE} (c1, nodes of the VNet, azure)",
        "    region:      north",
        "    routes:      2",
        "                 10.42.1.0/24 -> 10.0.0.1  r1",
        "                 10.42.2.0/24 -> 10.0.0.2  r2",
        "    disruption:  none, no subnet uses the table",
        "    why:         because",
        "    by hand:     az x",
    ]
    gone = told(change.inverse())
    assert gone[0] == f"- route-table of {tables.TABLE} (c1, nodes of the VNet, azure)"
    assert gone[1:-1] == told(change)[1:-1]
    assert render_plan.plan_summary(planned(change)) == "Plan: 1 to add, 0 to change, 0 to destroy."
    assert render_plan.plan_summary(planned(change.inverse())) == "Plan: 0 to add, 0 to change, 1 to destroy."


def test_a_subnet_gets_its_table_with_what_that_delivers() -> None:
    change = replace(tables.association(tables.route(1), tables.route(2)), command="az x", depends_on=("c0",))
    assert told(change) == [
        f"~ subnet-association of {tables.SUBNET} (c1, nodes of the VNet, azure)",
        "    route table: none -> g/t",
        "    delivers:    2 pod CIDRs, checked first",
        "    disruption:  none, only packets to these pod CIDRs take another way",
        "    why:         because",
        "    after:       c0",
        "    by hand:     az x",
    ]
    assert "    delivers:    1 pod CIDR, checked first" in told(tables.association(tables.route(1)))


def test_taking_a_table_away_from_a_subnet_looks_dangerous() -> None:
    change = tables.association(tables.route(1)).inverse()
    assert told(change)[1:3] == [
        "    route table: g/t -> none",
        "    DANGER:      the table no longer delivers the subnet's packets to pods",
    ]
    assert [line.kind for line in render_plan.plan_lines(planned(change))][2] is LineKind.DANGER


def test_a_route_that_is_changed_in_place_is_one_change_under_one_name() -> None:
    assert told(replace(tables.replacement(1), command="az x")) == [
        f"~ route of {tables.TABLE}/routes/r1 (c1, node n1, azure)",
        "    destination: 10.42.1.0/24",
        "    next hop:    10.0.0.99 -> 10.0.0.1",
        "    method:      the route is changed in place, in one step",
        "    why:         because",
        "    by hand:     az x",
    ]
    assert render_plan.plan_summary(planned(tables.replacement(1))) == "Plan: 0 to add, 1 to change, 0 to destroy."


def test_what_is_said_of_tables_fits_a_terminal() -> None:
    name = f"l2b-0123abcd-{'v' * 20}"
    table, route = f"{tables.TABLE}{name}", replace(tables.route(1), name="l2b-0123abcd-10-42-111-0-24-0123abcd")
    made = replace(tables.table_creation(route), after=replace(tables.table_of(route), id=table))
    changes = (made, made.inverse(), tables.association(route, after=table), tables.association(route).inverse())
    lines = render_plan.plan_lines(planned(*changes, tables.replacement(1)))
    written = [line for line in lines if line.text.startswith("    ")]
    assert len(written) > 15
    assert [line.text for line in written if len(line.text) > 80] == []


def test_a_table_of_a_name_that_is_too_long_stands_on_its_own_line() -> None:
    change = tables.association(before=None, after=f"{tables.TABLE}{'x' * 70}")
    assert f"              -> g/t{'x' * 70}" in told(change)


def test_the_sum_counts_a_replacement_twice() -> None:
    plan = planned(REPLACE, CREATE, build.switch_on(), build.delete_route("n3"))
    assert render_plan.plan_summary(plan) == "Plan: 2 to add, 1 to change, 2 to destroy."
    assert [render_plan.symbol(change) for change in plan.changes] == ["+/-", "+", "~", "-"]


def test_other_peoples_text_is_harmless_in_every_line() -> None:
    evil = "\x1b[2J\u202e\n"
    route = replace(
        build.route("10.42.1.0/24", to=evil, name=evil),
        description=evil,
        tags=frozenset({evil}),
        warning=evil,
    )
    changes: tuple[Change, ...] = (
        replace(CREATE, after=route, caution=evil, reason=evil, command=evil, subject=evil),
        replace(REPLACE, before=route, after=replace(route, name="new", tags=frozenset())),
        replace(build.delete_route(), before=route, keeps=route, node=evil),
    )
    of_tables = (
        replace(
            tables.table_creation(route), subject=evil, after=replace(tables.table_of(route), id=evil, region=evil)
        ),
        replace(tables.association(after=evil), subject=evil, reason=evil, caution=evil, command=evil),
    )
    changes += (*of_tables, *(change.inverse() for change in of_tables))
    assert {type(change) for change in changes[1:3]} == {ReplaceRoute, DeleteRoute}
    assert all(line.isprintable() for line in told(*changes))
