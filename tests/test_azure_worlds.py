"""What must hold in every Azure world: all promised is mended, nothing that worked is lost, the inverse restores it."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import build
from tests.test_worlds import opened, remediable
from tui.clouds.azure_forms import command as real_command
from tui.demo import Call, DemoWorld, Machine, RoutePlan, Scenario, Site, SubnetPlan, open_world
from tui.demo.azure_tables import Layout
from tui.demo.ids import arm, subnet_id
from tui.model.change import AssociateRouteTable, Change, CreateRoute, CreateRouteTable, DeleteRouteTable, ReplaceRoute
from tui.model.finding import Code
from tui.model.naming import table_name
from tui.model.network import NextHop, NextHopKind, ReplaceMethod, Route, RouteTable
from tui.model.node import Cloud
from tui.model.plan import Plan
from tui.ports import Conflict, FabricReader, Indeterminate, NotFound, PortError, Rejected, TableWriter, Unavailable

AZURE = Site(
    cloud=Cloud.AZURE,
    scope="5ca1ab1e-0000-4000-8000-00000000da7a",
    network="vnet",
    place="rg",
    subnets=(SubnetPlan(name="a", cidrs=("10.2.0.0/24",), table="t0"),),
)
_MOST = 4
SLOW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def machine(number: int, subnet: int, *, forwards: bool = True, routed: bool = True, member: bool = False) -> Machine:
    return Machine(
        name=f"n{number}",
        site=AZURE.source,
        subnet=f"s{subnet}",
        addresses=(f"10.2.{subnet}.{number + 10}",),
        pod_cidrs=(f"10.42.{number}.0/24",),
        forwards=forwards,
        routed=routed,
        scale_set=f"pool/{number}" if member else None,
    )


@st.composite
def worlds(draw: st.DrawFn) -> Scenario:
    """Draw machines in several subnets, with tables of their own, shared ones or none, and routes of all kinds."""
    tables = draw(st.lists(st.sampled_from([None, "t0", "t1", "t2"]), min_size=1, max_size=3))
    subnets = tuple(
        SubnetPlan(name=f"s{number}", cidrs=(f"10.2.{number}.0/24",), table=table)
        for number, table in enumerate(tables)
    )
    mostly = st.sampled_from([True, True, True, False])
    machines = tuple(
        machine(
            number,
            draw(st.integers(0, len(tables) - 1)),
            forwards=draw(mostly),
            routed=draw(st.booleans()),
            member=not draw(mostly),
        )
        for number in range(draw(st.integers(1, _MOST)))
    )
    own = table_name(DemoWorld(Scenario(name="random", pod_cidrs=(), machines=())).nodes.cluster(), "x/vnet")
    idle = draw(st.sampled_from([(), ("theirs",), (own,)]))
    used = sorted({table for table in tables if table is not None} | set(idle))
    addresses = [one.addresses[0] for one in machines]
    made = st.builds(
        RoutePlan,
        destination=st.sampled_from([f"10.42.{number}.0/24" for number in (*range(_MOST), 201)] + ["192.168.0.0/16"]),
        to=st.sampled_from([*addresses, "10.2.0.250", "VirtualNetworkGateway"]),
        name=st.sampled_from([f"theirs-{number}" for number in range(9)]),
        table=st.sampled_from(used or ["t0"]),
    )
    routes = _unique(draw(st.lists(made, max_size=6)), machines, used)
    return Scenario(
        name="random",
        pod_cidrs=("10.42.0.0/16",),
        machines=machines,
        sites=(replace(AZURE, subnets=subnets, tables=idle, routes=tuple(routes)),),
        echoes=draw(st.integers(0, 2)),
    )


def _unique(plans: list[RoutePlan], machines: tuple[Machine, ...], used: list[str]) -> list[RoutePlan]:
    """Leave out what Azure would not have taken: a prefix or a name twice in a table."""
    taken = {(table, cidr) for table in used for one in machines if one.routed for cidr in one.pod_cidrs}
    found: list[RoutePlan] = []
    for plan in plans if used else []:
        if {(plan.table, plan.destination), (plan.table, plan.name)}.isdisjoint(taken):
            taken |= {(plan.table, plan.destination), (plan.table, plan.name)}
            found.append(plan)
    return found


def delivered(scenario: Scenario, layout: Layout) -> set[tuple[str, str]]:
    """Return each subnet with the pod CIDRs that its table delivers to their machines."""
    homes = {cidr: one.addresses[0] for one in scenario.machines for cidr in one.pod_cidrs}
    return {
        (subnet, str(route.destination))
        for subnet, table in layout.attached.items()
        for route in layout.tables.get(table or "", ())
        if homes.get(str(route.destination)) == route.next_hop.text
    }


def foreign(layout: Layout) -> dict[tuple[str, str], Route]:
    return {
        (table, route.name): route
        for table, routes in layout.tables.items()
        for route in routes
        if route.name.startswith("theirs-")
    }


def touched(plan: Plan) -> set[str]:
    return {change.before.name for change in plan.changes if isinstance(change.before, Route)}


@SLOW
@given(worlds(), st.booleans())
def test_a_plan_mends_every_subnet_and_takes_no_delivery_away(scenario: Scenario, prune: bool) -> None:
    world = DemoWorld(scenario, latency=False)
    with opened(world) as session:
        plan = session.propose(None, prune=prune)
        assert session.apply(plan, lambda _: None).good
        assert remediable(session.observe(), strays=prune) == []
        assert session.propose(None, prune=prune).changes == ()
    history = world.tables(AZURE.source).history
    for earlier, later in pairwise(history):
        assert delivered(scenario, earlier) <= delivered(scenario, later)
        for subnet, table in earlier.attached.items():
            assert table in {None, later.attached[subnet]}, "a subnet was taken from its table"
    homes = {subnet_id(scenario.sites[0], one.subnet) for one in scenario.machines}
    cidrs = {cidr for one in scenario.machines for cidr in one.pod_cidrs}
    assert {(home, cidr) for home in homes for cidr in cidrs} <= delivered(scenario, history[-1])


@SLOW
@given(worlds(), st.booleans())
def test_nothing_foreign_is_touched_that_the_plan_does_not_show(scenario: Scenario, prune: bool) -> None:
    world = DemoWorld(scenario, latency=False)
    before = foreign(world.tables(AZURE.source).history[0])
    with opened(world) as session:
        plan = session.propose(None, prune=prune)
        session.apply(plan, lambda _: None)
    kept = {key: route for key, route in before.items() if key[1] not in touched(plan)}
    for layout in world.tables(AZURE.source).history:
        assert kept.items() <= foreign(layout).items()


@SLOW
@given(worlds(), st.booleans())
def test_the_inverse_restores_the_tables_and_the_subnets(scenario: Scenario, prune: bool) -> None:
    world = DemoWorld(scenario, latency=False)
    with opened(world) as session:
        plan = session.propose(None, prune=prune)
        assert session.apply(plan, lambda _: None).good
        undo = session.propose_undo(None)
        assert undo.refused == ()
        assert not undo.changes or session.apply(undo, lambda _: None).good
    history = world.tables(AZURE.source).history
    assert _bare(history[-1]) == _bare(history[0])


def _bare(layout: Layout) -> tuple[Mapping[str, dict[str, Route]], Mapping[str, str | None]]:
    return {id_: {route.name: route for route in routes} for id_, routes in layout.tables.items()}, layout.attached


_ENDS = (
    (Indeterminate("the answer was lost"), True),
    (Indeterminate("the answer was lost"), False),
    (Unavailable("connection refused"), False),
    (Conflict("somebody else works on it"), False),
    (Rejected("a policy forbids it"), False),
)


@SLOW
@given(worlds(), st.lists(st.sampled_from(_ENDS), min_size=1, max_size=6))
def test_however_writes_end_no_delivery_is_lost_and_the_next_plans_mend_the_rest(
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
    for earlier, later in pairwise(world.tables(AZURE.source).history):
        assert delivered(scenario, earlier) <= delivered(scenario, later)


# The embedded Azure behind the ports.


T0 = arm(AZURE, "Microsoft.Network", "routeTables", "t0")
SUBNET = subnet_id(AZURE, "a")


@pytest.fixture
def world() -> DemoWorld:
    routes = tuple(
        RoutePlan(destination=f"10.42.{number}.0/24", to=f"10.2.0.{number + 10}", name=f"r{number}", table="t0")
        for number in (1, 2)
    )
    subnets = (*AZURE.subnets, SubnetPlan(name="b", cidrs=("10.2.1.0/24",)), SubnetPlan(name="GatewaySubnet", cidrs=()))
    machines = (replace(machine(1, 0, routed=False), subnet="a"),)
    site = replace(AZURE, subnets=subnets, routes=routes, tables=("idle",))
    return DemoWorld(
        Scenario(name="tables", pod_cidrs=("10.42.0.0/16",), machines=machines, sites=(site,)), latency=False
    )


_ABOUT = {"node": "n1", "node_uid": "u", "cloud": Cloud.AZURE, "source": AZURE.source, "reason": ""}


def route(number: int, to: str, name: str = "") -> Route:
    made = build.route(f"10.42.{number}.0/24", to=to, name=name or f"r{number}", kind=NextHopKind.ADDRESS)
    return replace(made, priority=None)


def creation(number: int, name: str = "") -> CreateRoute:
    made = route(number, "10.2.0.50", name)
    return CreateRoute(**_ABOUT, subject=f"{T0}/routes/{made.name}", table=T0, after=made)  # type: ignore[arg-type]


def replacement(before: str = "10.2.0.11") -> ReplaceRoute:
    return ReplaceRoute(
        **_ABOUT,  # type: ignore[arg-type]
        subject=f"{T0}/routes/r1",
        table=T0,
        before=route(1, before),
        after=route(1, "10.2.0.77"),
        method=ReplaceMethod.IN_PLACE,
        old_subject=f"{T0}/routes/r1",
    )


def table(name: str, *routes: Route) -> CreateRouteTable:
    id_ = arm(AZURE, "Microsoft.Network", "routeTables", name)
    after = RouteTable(id=id_, network=None, subnets=(), routes=routes, region="westeurope")
    return CreateRouteTable(**_ABOUT, subject=id_, after=after)  # type: ignore[arg-type]


def association(subnet: str, after: str | None, before: str | None = None) -> AssociateRouteTable:
    return AssociateRouteTable(**_ABOUT, subject=subnet_id(AZURE, subnet), before=before, after=after)  # type: ignore[arg-type]


def test_only_azure_offers_whole_tables_and_the_fabric(world: DemoWorld) -> None:
    for cloud in (Cloud.AWS, Cloud.GCE, Cloud.AZURE):
        assert isinstance(world.writer(cloud), TableWriter) is (cloud is Cloud.AZURE)
        assert isinstance(world.reader(cloud), FabricReader) is (cloud is Cloud.AZURE)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (creation(3, "r1"), Conflict),
        (creation(1, "other"), Conflict),
        (replacement(before="10.2.0.99"), Conflict),
        (replace(replacement(), method=ReplaceMethod.ADD_THEN_DELETE), Rejected),
        (replace(creation(3), table=f"{T0}x"), NotFound),
        (replace(creation(3), source="azure:other"), NotFound),
        (table("t0"), Conflict),
        (table("t0").inverse(), Conflict),
        (association("a", arm(AZURE, "Microsoft.Network", "routeTables", "idle")), Conflict),
        (association("b", f"{T0}x"), Rejected),
        (association("no", T0), NotFound),
        (association("GatewaySubnet", T0), Rejected),
    ],
)
def test_what_azure_refuses_changes_nothing(world: DemoWorld, change: Change, error: type[PortError]) -> None:
    before = world.tables(AZURE.source).history[-1]
    with pytest.raises(error):
        world.writer(Cloud.AZURE).write(change)
    assert world.tables(AZURE.source).history[-1] == before


def test_many_changes_are_made_at_once_or_not_at_all(world: DemoWorld) -> None:
    writer = world.writer(Cloud.AZURE)
    assert isinstance(writer, TableWriter)
    before = world.tables(AZURE.source).history[-1]
    with pytest.raises(Conflict):
        writer.write_table([creation(3), creation(1, "other")])
    assert world.tables(AZURE.source).history[-1] == before
    writer.write_table([creation(3), replacement()])
    assert len(world.tables(AZURE.source).history) == 2
    assert {one.name: one.next_hop.text for one in writer.read_table([creation(3)]).routes} == {
        "r1": "10.2.0.77",
        "r2": "10.2.0.12",
        "r3": "10.2.0.50",
    }


def test_a_common_write_is_judged_by_its_end(world: DemoWorld) -> None:
    writer = world.writer(Cloud.AZURE)
    assert isinstance(writer, TableWriter)
    world.limit_routes(AZURE.source, 2)
    gone = replace(creation(2).inverse(), before=route(2, "10.2.0.12"))
    writer.write_table([creation(3), gone])
    with pytest.raises(Conflict):
        writer.write_table([gone])
    writer.write(gone)


def test_a_read_after_a_write_may_be_late(world: DemoWorld) -> None:
    world.echoes = 1
    writer, reader = world.writer(Cloud.AZURE), world.reader(Cloud.AZURE)
    writer.write(creation(3))
    assert [reader.read(creation(3)).route("r3") is None for _ in range(2)] == [True, False]


def test_a_route_that_leads_to_a_vm_by_its_name_is_refused(world: DemoWorld) -> None:
    hop = NextHop(kind=NextHopKind.INSTANCE, text="vm", instance_key="vm")
    with pytest.raises(Rejected):
        world.writer(Cloud.AZURE).write(replace(creation(3), after=replace(creation(3).after, next_hop=hop)))


def test_a_table_with_somebody_elses_route_is_not_deleted(world: DemoWorld) -> None:
    made = table("new", route(1, "10.2.0.11"))
    world.writer(Cloud.AZURE).write(made)
    foreign_too = replace(creation(9), table=made.subject, subject=f"{made.subject}/routes/r9")
    world.writer(Cloud.AZURE).write(foreign_too)
    with pytest.raises(Conflict):
        world.writer(Cloud.AZURE).write(made.inverse())


def test_the_fabric_is_not_told_of_stopped_vms_nor_of_a_lost_source() -> None:
    machines = (replace(machine(1, 0), subnet="a", running=False), replace(machine(2, 0), subnet="a"))
    scenario = Scenario(name="stopped", pod_cidrs=("10.42.0.0/16",), machines=machines, sites=(AZURE,))
    world = DemoWorld(scenario, latency=False)
    reader = world.reader(Cloud.AZURE)
    assert isinstance(reader, FabricReader)
    with pytest.raises(Rejected):
        reader.effective_routes(world.interface("n1"))
    assert reader.effective_routes(world.interface("n2"))
    world.lose(AZURE.source, Unavailable("it is down"))
    with pytest.raises(Unavailable):
        reader.effective_routes(world.interface("n2"))


def test_a_full_table_refuses(world: DemoWorld) -> None:
    world.limit_routes(AZURE.source, 2)
    with pytest.raises(Rejected, match="full with 2 routes"):
        world.writer(Cloud.AZURE).write(creation(3))


def test_tables_are_made_attached_and_taken_back(world: DemoWorld) -> None:
    writer, reader = world.writer(Cloud.AZURE), world.reader(Cloud.AZURE)
    made, attach = table("new", route(1, "10.2.0.11")), association("b", table("new").subject)
    assert reader.read(made).table is None
    writer.write(made)
    reading = reader.read(made)
    assert (reading.table, [one.name for one in reading.routes], reading.subnets) == (made.subject, ["r1"], ())
    writer.write(attach)
    assert reader.read(attach).table == made.subject
    with pytest.raises(Conflict):
        writer.write(made.inverse())
    writer.write(attach.inverse())
    writer.write(made.inverse())
    assert reader.read(made) == reader.read(table("absent"))
    assert isinstance(made.inverse(), DeleteRouteTable)


def test_the_fabric_tells_the_table_of_the_interfaces_subnet(world: DemoWorld) -> None:
    reader = world.reader(Cloud.AZURE)
    assert isinstance(reader, FabricReader)
    found = {str(one.destination): one.next_hop.text for one in reader.effective_routes(world.interface("n1"))}
    assert (found["10.42.1.0/24"], found["10.0.0.0/8"], found["0.0.0.0/0"]) == ("10.2.0.11", "None", "Internet")


def test_the_twins_are_those_of_the_real_cloud(world: DemoWorld) -> None:
    gateway = NextHop(kind=NextHopKind.OTHER, text="VirtualNetworkGateway")
    changes: list[Change] = [
        creation(3),
        creation(3).inverse(),
        replace(creation(3), after=replace(creation(3).after, next_hop=gateway)),
        replacement(),
        table("new", route(1, "10.2.0.11"), route(2, "10.2.0.12")),
        table("new").inverse(),
        association("b", T0),
        association("b", T0).inverse(),
        *(change for change in _plan("azure").changes if isinstance(change.after, bool)),
    ]
    for change in changes:
        assert world.reader(Cloud.AZURE).command(change) == real_command(change)


def _plan(scenario: str) -> Plan:
    with opened(open_world(scenario, latency=False)) as session:
        return session.propose(None, prune=True)


def test_the_story_has_every_kind_of_change_and_what_no_plan_mends() -> None:
    with opened(open_world("azure", latency=False)) as session:
        plan = session.propose(None, prune=True)
        assert {(change.kind, change.action.value) for change in plan.changes} == {
            ("forwarding", "update"),
            ("route", "replace"),
            ("route-table", "create"),
            ("route", "create"),
            ("subnet-association", "update"),
            ("route", "delete"),
        }
        assert {refusal.code for refusal in plan.refused} == {Code.FORWARDING_OFF, Code.SCALE_SET_MEMBER}
        result = session.apply(plan, lambda _: None)
        assert result.good
        (first, *_) = witnesses = session.witness(plan, result)
        assert len(witnesses) == 2
        assert (len(first.agrees), dict(first.differs)) == (6, {})
        assert session.observe().witnesses == witnesses
