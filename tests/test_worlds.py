"""What must hold in every world: a plan mends all it promised and opens no gap, its inverse restores the world."""

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tui.demo import SCENARIOS, Call, DemoWorld, Machine, RoutePlan, Scenario, Site, SubnetPlan, open_world
from tui.engine.applier import Writing
from tui.engine.deed import CONFLICTS
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.session import Session
from tui.model.change import Change, DeleteRoute, ReplaceRoute, SetForwarding
from tui.model.finding import Code, Report
from tui.model.network import NextHopKind, Route
from tui.model.node import Cloud
from tui.model.plan import Plan, Status, build_plan
from tui.ports import Conflict, Indeterminate, PortError, Rejected, Unavailable

EC2 = Site(
    cloud=Cloud.AWS,
    scope="us-east-1",
    network="vpc",
    subnets=(SubnetPlan(name="a", cidrs=("10.0.0.0/24",), zone="us-east-1a"),),
)
GCE = Site(
    cloud=Cloud.GCE,
    scope="project",
    network="net",
    place="us-central1",
    subnets=(SubnetPlan(name="a", cidrs=("10.1.0.0/24",)),),
)
SITES = (EC2, GCE)
ZONE = "us-central1-a"


def session_of(world: DemoWorld, folder: Path) -> Session:
    observer = Observer(nodes=world.nodes, reader=world.reader, clock=world.clock, scope=world.scope)
    return Session(
        nodes=world.nodes,
        observer=observer,
        reader=world.reader,
        writing=Writing(writer=world.writer, width=1),
        journal=Journal.of(folder, observer.cluster, world.clock),
        clock=world.clock,
        meter=world.meter,
    )


@contextmanager
def opened(world: DemoWorld) -> Iterator[Session]:
    """Yield a session that has observed the world once. Nothing runs beside it, so nobody would end a wait."""
    world.clock.skips_up_to_s = math.inf
    with tempfile.TemporaryDirectory() as folder:
        session = session_of(world, Path(folder))
        session.observe()
        yield session


def remediable(report: Report, *, strays: bool = True) -> list[str]:
    return [
        f"{finding.node}: {finding.code}"
        for finding in report.findings
        if finding.fixable and (strays or finding.code is not Code.ROUTE_STRAY)
    ]


def undo_of(plan: Plan) -> Plan:
    return build_plan(
        cluster=plan.cluster,
        created_at=plan.created_at,
        changes=[change.inverse() for change in reversed(plan.changes)],
    )


# The truth, past the ports.


def flags(world: DemoWorld, names: Iterable[str]) -> dict[str, tuple[str, bool | None]]:
    interfaces = {name: world.interface(name) for name in names}
    return {name: (interface.id, interface.forwards) for name, interface in interfaces.items()}


def bare(routes: Iterable[Route], *, without: Iterable[str] = ()) -> dict[str, Route]:
    """Return the routes by name, without their tokens and without what the cloud says about their next hops."""
    names = frozenset(without)
    return {
        route.name: replace(route, token=None, dead=False, warning=None) for route in routes if route.name not in names
    }


def delivered(machines: Iterable[Machine], routes: Sequence[Route]) -> set[str]:
    """Return the machines whose pod CIDR is delivered: every route that wins leads to them, and they run."""
    found = set()
    for machine in machines:
        for cidr in map(ip_network, machine.pod_cidrs):
            rivals = [route for route in routes if route.destination == cidr]
            best = min((route.priority or 0 for route in rivals), default=0)
            winners = [route for route in rivals if route.priority == best]
            if winners and all(not route.dead and leads_to(route, machine) for route in winners):
                found.add(machine.name)
    return found


def covered(machines: Iterable[Machine], routes: Sequence[Route]) -> set[str]:
    """Return the pod CIDRs for which there is a route, wherever it leads."""
    return {cidr for machine in machines for cidr in machine.pod_cidrs} & {str(route.destination) for route in routes}


def leads_to(route: Route, machine: Machine) -> bool:
    hop = route.next_hop
    return hop.text.endswith(f"/instances/{machine.name}") or hop.text in machine.addresses


def destroyed(plan: Plan) -> set[str]:
    """Return the names of the routes that the plan says it takes away."""
    return {change.before.name for change in plan.changes if isinstance(change, DeleteRoute | ReplaceRoute)}


# Random worlds.


def machines() -> st.SearchStrategy[tuple[Machine, ...]]:
    one = st.tuples(
        st.sampled_from(SITES),
        st.sampled_from([True, False]),
        st.sampled_from(["linux", "windows"]),
        st.sampled_from(["host-gw", "vxlan", None]),
        st.booleans(),
    )
    return st.lists(one, min_size=1, max_size=8).map(
        lambda drawn: tuple(
            machine(number, site, forwards=forwards, os=os, backend=backend, assigned=assigned)
            for number, (site, forwards, os, backend, assigned) in enumerate(drawn)
        )
    )


def machine(
    number: int,
    site: Site,
    *,
    forwards: bool = True,
    os: str = "linux",
    backend: str | None = "host-gw",
    assigned: bool = True,
    routed: bool = True,
    running: bool = True,
) -> Machine:
    return Machine(
        name=f"n{number}",
        site=site.source,
        subnet="a",
        addresses=(f"10.{SITES.index(site)}.0.{number + 10}",),
        pod_cidrs=(f"10.42.{number}.0/24",) if assigned else (),
        zone="us-east-1a" if site.cloud is Cloud.AWS else ZONE,
        os=os,
        backend=backend,
        forwards=forwards,
        routed=routed,
        running=running,
    )


_MOST = 5
_TARGETS = (
    *(f"{ZONE}/n{number}" for number in range(_MOST)),
    *(f"10.1.0.{number + 10}" for number in range(_MOST)),
    f"{ZONE}/gone",
    "10.1.0.250",
    "default-internet-gateway",
)
_DESTINATIONS = (
    *(f"10.42.{number}.0/24" for number in range(_MOST)),
    "10.42.3.128/25",  # takes half of a pod CIDR elsewhere
    "10.42.201.0/24",  # nobody's, inside the cluster's range
    "10.42.202.0/24",
    "192.168.0.0/16",  # nobody's business
)


@st.composite
def routed_worlds(draw: st.DrawFn) -> Scenario:
    """Draw Compute Engine machines, with their routes or without, and routes of all kinds beside them."""
    count = draw(st.integers(1, _MOST))
    mostly = st.sampled_from([True, True, True, False])
    drawn = [
        machine(number, GCE, forwards=draw(mostly), routed=draw(st.booleans()), running=draw(mostly))
        for number in range(count)
    ]
    plan = st.builds(
        RoutePlan,
        destination=st.sampled_from(_DESTINATIONS),
        to=st.sampled_from(_TARGETS),
        name=st.sampled_from(["", "", *(f"theirs-{number}" for number in range(8))]),
        priority=st.sampled_from([0, 900, 999, 1000, 1000, 1000, 1001]),
    )
    routes = draw(st.lists(plan, max_size=8))
    return Scenario(
        name="random",
        pod_cidrs=("10.42.0.0/16",),
        machines=tuple(drawn),
        sites=(replace(GCE, routes=tuple(routes)),),
        echoes=draw(st.integers(0, 2)),
    )


OFF_AND_ASTRAY = Scenario(
    name="random",
    pod_cidrs=("10.42.0.0/16",),
    machines=(machine(0, GCE, forwards=False, routed=False), machine(1, GCE)),
    sites=(replace(GCE, routes=(RoutePlan(destination="10.42.0.0/24", to=f"{ZONE}/n1"),)),),
)
"""A replacement that waits for a flag: its inverse must not wait for anything."""

TO_NOBODY = replace(
    OFF_AND_ASTRAY,
    sites=(replace(GCE, routes=(RoutePlan(destination="10.42.0.0/24", to="10.1.0.250", priority=900),)),),
)
"""A route that never worked: taking its replacement back restores it all the same."""

RIVALS = Scenario(
    name="random",
    pod_cidrs=("10.42.0.0/16",),
    machines=(machine(0, GCE, routed=False), machine(1, GCE, routed=False)),
    sites=(
        replace(
            GCE,
            routes=tuple(
                RoutePlan(destination="10.42.1.0/24", to=f"{ZONE}/{name}", priority=900) for name in ("n0", "n2")
            ),
        ),
    ),
)
"""Of two routes the dead one cannot be taken back, and the other not without it."""

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(machines())
def test_applying_a_plan_leaves_nothing_remediable_and_its_inverse_restores_the_world(
    machines: tuple[Machine, ...],
) -> None:
    world = DemoWorld(
        Scenario(name="random", pod_cidrs=("10.42.0.0/16",), machines=machines, sites=SITES), latency=False
    )
    names = [machine.name for machine in machines]
    with opened(world) as session:
        before = flags(world, names)
        plan = session.propose(None)
        assert session.apply(plan, lambda _: None).good
        assert remediable(session.observe()) == []
        assert session.propose(None).changes == ()
        assert session.apply(undo_of(plan), lambda _: None).good
        assert flags(world, names) == before


@SLOW
@given(routed_worlds(), st.booleans())
def test_applying_a_plan_mends_every_route_and_takes_none_away_that_worked(scenario: Scenario, prune: bool) -> None:
    world = DemoWorld(scenario, latency=False)
    with opened(world) as session:
        plan = session.propose(None, prune=prune)
        assert session.apply(plan, lambda _: None).good
        assert remediable(session.observe(), strays=prune) == []
        assert session.propose(None, prune=prune).changes == ()
    states = world.table_history(GCE.source)
    for earlier, later in pairwise(states):
        assert delivered(scenario.machines, earlier) <= delivered(scenario.machines, later)
        assert covered(scenario.machines, earlier) <= covered(scenario.machines, later)
    assert set(bare(states[0])) - set(bare(states[-1])) == destroyed(plan)


@SLOW
@given(routed_worlds(), st.booleans())
def test_nothing_but_what_a_plan_shows_is_touched_and_strays_only_if_asked(scenario: Scenario, prune: bool) -> None:
    world = DemoWorld(scenario, latency=False)
    before = bare(world.routes(GCE.source))
    with opened(world) as session:
        plan = session.propose(None, prune=prune)
        session.apply(plan, lambda _: None)
    shown = destroyed(plan)
    for state in world.table_history(GCE.source):
        after = bare(state)
        assert {name: route for name, route in before.items() if name not in shown}.items() <= after.items()
    stray = [route for route in before.values() if str(route.destination).startswith("10.42.20")]
    vanish = {route.name for route in stray if prune and route.next_hop.kind is not NextHopKind.OTHER}
    left = bare(world.routes(GCE.source))
    assert {route.name for route in stray if route.name not in left} == vanish


@SLOW
@example(OFF_AND_ASTRAY, False)
@given(routed_worlds(), st.booleans())
def test_the_inverse_restores_all_but_what_the_cloud_does_not_take_back(scenario: Scenario, prune: bool) -> None:
    world = DemoWorld(scenario, latency=False)
    names = [machine.name for machine in scenario.machines]
    switched, routes = flags(world, names), world.routes(GCE.source)
    dead = {route.name for route in routes if route.dead}
    with opened(world) as session:
        plan = session.propose(None, prune=prune)
        session.apply(plan, lambda _: None)
        undo = undo_of(plan)
        outcomes = session.apply(undo, lambda _: None).outcomes
    refused: set[str] = set()
    for change, outcome in zip(undo.changes, outcomes, strict=True):
        if not outcome.status.good:
            assert outcome.status in {Status.FAILED, Status.REFUSED}
            assert isinstance(change.after, Route)
            assert change.after.name in dead
            refused |= {change.after.name, *({change.before.name} if isinstance(change, ReplaceRoute) else ())}
    assert flags(world, names) == switched
    assert bare(world.routes(GCE.source), without=refused) == bare(routes, without=refused)


_ENDS = (
    (Indeterminate("the answer was lost"), True),
    (Indeterminate("the answer was lost"), False),
    (Unavailable("connection refused"), False),
    (Conflict("somebody else works on it"), False),
    (Rejected("a policy forbids it"), False),
)


@SLOW
@given(routed_worlds(), st.lists(st.sampled_from(_ENDS), min_size=1, max_size=6))
def test_however_writes_end_no_working_route_is_lost_and_the_next_plan_mends_the_rest(
    scenario: Scenario, ends: list[tuple[PortError, bool]]
) -> None:
    world = DemoWorld(scenario, latency=False)
    with opened(world) as session:
        for error, done in ends:
            world.fail_next(Call.WRITE, error, done=done)
        for _ in range(len(ends) + 1):
            session.apply(session.propose(None, prune=True), lambda _: None)
            session.observe()
        assert remediable(session.observe()) == []
    for earlier, later in pairwise(world.table_history(GCE.source)):
        assert delivered(scenario.machines, earlier) <= delivered(scenario.machines, later)


@SLOW
@example(TO_NOBODY, [])
@example(RIVALS, [])
@given(routed_worlds(), st.lists(st.sampled_from(_ENDS), max_size=6))
def test_however_writes_end_the_journal_tells_enough_to_take_everything_back(
    scenario: Scenario, ends: list[tuple[PortError, bool]]
) -> None:
    world = DemoWorld(scenario, latency=False)
    names = [machine.name for machine in scenario.machines]
    switched, routes = flags(world, names), world.routes(GCE.source)
    with opened(world) as session:
        for error, done in ends:
            world.fail_next(Call.WRITE, error, done=done)
        session.apply(session.propose(None, prune=True), lambda _: None)
        undo = session.propose_undo(None)
        for _ in range(len(ends) + 1):
            session.apply(session.propose_undo(None), lambda _: None)
            session.observe()
        assert session.propose_undo(None).changes == ()
        kept = [one.change for one in session.applies()[0].changes if _refuses(undo, one.change)]
    mended = {route.name for change in kept for route in (change.before, change.after) if isinstance(route, Route)}
    dead = {route.name for route in routes if route.dead}
    assert all(change.before.name in dead for change in first_of(kept) if isinstance(change.before, Route))
    switches = {change.node for change in kept if isinstance(change, SetForwarding)}
    assert switches <= {change.node for change in kept if isinstance(change.before, Route)}
    rest = [name for name in names if name not in switches]
    assert flags(world, rest) == {name: switched[name] for name in rest}
    assert bare(world.routes(GCE.source), without=mended) == bare(routes, without=mended)


def first_of(kept: Sequence[Change]) -> list[Change]:
    """Return what an undo leaves for its own sake, not for that of another change that relies on it."""
    relied = {id_ for change in kept for id_ in change.depends_on}
    return [change for change in kept if change.id not in relied]


def _refuses(undo: Plan, change: Change) -> bool:
    return any(refusal.reason.startswith(f"{change.subject}: ") for refusal in undo.refused)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_mended_as_far_as_its_plan_promises(name: str, tmp_path: Path) -> None:
    world = open_world(name, latency=False)
    session = session_of(world, tmp_path)
    promised = remediable(session.observe())
    plan = session.propose(None, prune=True)
    crowded = {refusal.node for refusal in plan.refused if refusal.code == Code.ROUTE_QUOTA}
    tabled = {text.partition(":")[0] for text in promised if text.endswith(Code.ROUTE_TABLE_MISSING)}
    planned = {change.node for change in plan.changes if change.node is not None or change.kind == "route"}
    assert planned | tabled | crowded - {None} == {
        None if text.startswith("None:") else text.partition(":")[0] for text in promised
    }
    assert any(change.kind == "subnet-association" for change in plan.changes) is bool(tabled)
    assert session.apply(plan, lambda _: None).good
    assert {text.partition(":")[0] for text in remediable(session.observe())} == crowded - {None}


def test_a_route_is_deleted_first_only_if_asked_and_only_where_there_is_no_room(tmp_path: Path) -> None:
    world = open_world("quota", latency=False)
    session = session_of(world, tmp_path)
    session.observe()
    assert session.propose(None).changes == ()
    plan = session.propose(None, delete_first=True)
    assert [(type(change), change.node) for change in plan.changes] == [(ReplaceRoute, "gce-linux-3")]
    assert session.apply(plan, lambda _: None).good
    assert remediable(session.observe()) == ["gce-linux-2: route-missing"]
    counts = [len(state) for state in world.table_history("gce:demo-project")]
    assert counts == [2, 1, 2], "never more than fit"


@pytest.mark.parametrize("name", ["gce", "azure"])
def test_somebody_who_never_finishes_ends_the_change_and_not_the_patience_of_the_next_plan(name: str) -> None:
    world = open_world(name, latency=False)
    with opened(world) as session:
        world.fail_next(Call.WRITE, Conflict("somebody else works on it"), times=CONFLICTS + 1)
        plan = session.propose(None, prune=True)
        first, *_ = session.apply(plan, lambda _: None).outcomes
        assert (first.status, first.message) == (Status.REFUSED, "somebody else works on it")
        assert world.clock.monotonic_s() >= 2**CONFLICTS - 1
        assert session.apply(session.propose(None, prune=True), lambda _: None).good
        assert remediable(session.observe()) == []
