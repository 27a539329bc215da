"""The remedies of any table, carried out step by step on a simulated one: they mend everything and break nothing."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from tests import build
from tui.checks import diagnose
from tui.model.change import CreateRoute, DeleteRoute
from tui.model.delivery import Routing
from tui.model.finding import Code, Finding, RouteState
from tui.model.joined import Joined
from tui.model.naming import route_prefix
from tui.model.network import NextHopKind, Route
from tui.model.node import Cloud, IPNetwork
from tui.model.planner import make_plan
from tui.model.snapshot import Snapshot

OWN = route_prefix(build.CLUSTER)
CIDRS = tuple(f"10.42.{number}.0/24" for number in (1, 2, 3))
HOPS = ("p/z/n1", "p/z/n2", "p/z/n3", "p/z/off", "p/z/gone", "10.0.0.1", "10.0.0.2", "10.0.0.9")
TAGS = st.sets(st.sampled_from("ab"))
KINDS = (Code.ROUTE_MISSING, Code.ROUTE_WRONG_NEXT_HOP, Code.ROUTE_BLACKHOLE, Code.ROUTE_DUPLICATE, Code.ROUTE_STRAY)


@st.composite
def worlds(draw: st.DrawFn) -> Snapshot:
    nodes = tuple(build.gce_node(number) for number in (1, 2, 3))
    vms = [build.gce_vm(number, tags=draw(TAGS)) for number in (1, 2, 3)]
    off = replace(build.gce_vm(4, running=False), key="p/z/off", id="p/z/off")
    table = build.table(*draw(st.lists(routes(), max_size=9, unique_by=lambda route: route.name)))
    view = build.view(*vms, off, nodes=nodes, cloud=Cloud.GCE, name="gce:p", tables=(table,))
    snapshot = build.snapshot(*nodes, views=[view])
    return replace(snapshot, cluster=replace(snapshot.cluster, pod_cidrs=(ip_network("10.42.0.0/16"),)))


@st.composite
def routes(draw: st.DrawFn) -> Route:
    to = draw(st.sampled_from(HOPS))
    return build.route(
        draw(st.sampled_from((*CIDRS, "10.42.9.0/24", "10.42.0.0/16", "10.0.0.0/24"))),
        to=to,
        name=draw(st.sampled_from(("", OWN))) + f"r{draw(st.integers(0, 20))}",
        kind=NextHopKind.ADDRESS if to[0].isdigit() else NextHopKind.INSTANCE,
        priority=draw(st.sampled_from((None, 1, 999, 1000, 1001))),
        tags=draw(st.one_of(st.just(set()), TAGS)),
    )


def with_routes(snapshot: Snapshot, routes: tuple[Route, ...]) -> Snapshot:
    (view,) = snapshot.views
    (table,) = view.route_tables or ()
    return replace(snapshot, views=(replace(view, route_tables=(replace(table, routes=routes),)),))


def routes_of(snapshot: Snapshot) -> tuple[Route, ...]:
    return tuple(route for view in snapshot.views for table in view.route_tables or () for route in table.routes)


def fixable(snapshot: Snapshot) -> list[Finding]:
    return [finding for finding in diagnose(snapshot).findings if finding.code in KINDS and finding.remedy]


def carried_out(snapshot: Snapshot) -> Iterator[Snapshot]:
    """Yield what a read would show after each write, in the order of the plan that the findings make."""
    plan = make_plan(
        cluster=snapshot.cluster,
        created_at=build.NOON,
        findings=fixable(snapshot),
        nodes=None,
        command=lambda _: "",
    )
    assert plan.refused == ()
    for step in (step for change in plan.changes for step in change.steps()):
        there = routes_of(snapshot)
        match step:
            case CreateRoute():
                assert step.after.name not in {route.name for route in there}
                there = (*there, step.after)
            case DeleteRoute():
                assert step.before in there
                assert step.keeps is None or step.keeps in there
                there = tuple(route for route in there if route != step.before)
            case _:
                raise AssertionError(step)
        snapshot = with_routes(snapshot, there)
        yield snapshot


def served(snapshot: Snapshot) -> tuple[set[IPNetwork], set[IPNetwork]]:
    """Return the pod CIDRs that have a right route, and those whose packets all take a right one."""
    deliveries = [
        delivery
        for answers in Routing.of(Joined.of(snapshot)).answers.values()
        for answer in answers
        for delivery in answer.deliveries
    ]
    there = {delivery.cidr for delivery in deliveries if delivery.right}
    return there, {
        delivery.cidr for delivery in deliveries if delivery.right and set(delivery.winners) <= set(delivery.right)
    }


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_the_remedies_mend_every_table_and_never_take_a_working_route_away(snapshot: Snapshot) -> None:
    there, working = served(snapshot)
    last = snapshot
    for last in carried_out(snapshot):
        now_there, now_working = served(last)
        assert there <= now_there
        assert working <= now_working
        there, working = now_there, now_working
    assert fixable(last) == []
    assert there == working == {ip_network(cidr) for cidr in CIDRS}
    report = diagnose(last)
    assert {route.state for assessment in report.assessments for route in assessment.routes} == {RouteState.OK}
    untouched = {route for route in routes_of(snapshot) if str(route.destination) in {"10.42.0.0/16", "10.0.0.0/24"}}
    assert untouched <= set(routes_of(last))


@settings(max_examples=50, deadline=None)
@given(worlds())
def test_the_same_world_gets_the_same_findings(snapshot: Snapshot) -> None:
    assert diagnose(snapshot) == diagnose(with_routes(snapshot, routes_of(snapshot)))
    shuffled = diagnose(with_routes(snapshot, routes_of(snapshot)[::-1]))
    assert {finding.summary for finding in shuffled.findings} == {
        finding.summary for finding in diagnose(snapshot).findings
    }
