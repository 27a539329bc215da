"""What is concluded about subnets and tables of Azure, and the remedies, carried out on a simulated subscription."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import build
from tests import build_azure as azure
from tui.checks import diagnose
from tui.model.change import AssociateRouteTable, Change, CreateRoute, CreateRouteTable, DeleteRoute, ReplaceRoute
from tui.model.finding import Code, Finding, Report, RouteState, Severity
from tui.model.naming import table_name
from tui.model.network import ROUTES_PER_TABLE, ReplaceMethod, Route, RouteTable
from tui.model.node import Node
from tui.model.planner import make_plan
from tui.model.snapshot import Scope, Snapshot, SourceState

OWN = table_name(build.CLUSTER, azure.VNET)
PAIR = (azure.node(1), azure.node(2, subnet=2))
RIGHT = (azure.route(1), azure.route(2, subnet=2))


def world(
    *tables: RouteTable,
    subnets: Mapping[int, str | None] | None = None,
    nodes: tuple[Node, ...] = PAIR,
    scope: Scope | None = None,
) -> Snapshot:
    """Return n1 in s1 and n2 in s2; ``subnets`` are by number and name their table."""
    vms = [azure.vm(node, subnet=int(str(node.addresses[0]).split(".")[2])) for node in nodes]
    told = {1: None, 2: None} if subnets is None else subnets
    view = azure.view(vms, nodes=nodes, tables=tables, subnets=told)
    return azure.snapshot(*nodes, views=[view], scope=scope)


def lacking(snapshot: Snapshot) -> list[Finding]:
    return [finding for finding in diagnose(snapshot).findings if finding.code is Code.ROUTE_TABLE_MISSING]


def attachment(finding: Finding) -> AssociateRouteTable:
    assert isinstance(finding.remedy[-1], AssociateRouteTable)
    return finding.remedy[-1]


def states(report: Report) -> list[RouteState]:
    return [route.state for assessment in report.assessments for route in assessment.routes]


def test_a_subnet_without_table_gets_a_new_one_with_every_route() -> None:
    first, second = lacking(world())
    create, attach = first.remedy
    assert isinstance(create, CreateRouteTable)
    assert isinstance(attach, AssociateRouteTable)
    assert (create.subject, create.after.region) == (azure.table_id(OWN), azure.REGION)
    assert (create.after.subnets, create.after.replaces) == ((), ReplaceMethod.IN_PLACE)
    assert [(str(route.destination), route.next_hop.text) for route in create.after.routes] == [
        ("10.42.1.0/24", "10.0.1.1"),
        ("10.42.2.0/24", "10.0.2.2"),
    ]
    assert {(route.priority, route.description) for route in create.after.routes} == {(None, "")}
    assert (attach.subject, attach.before, attach.after) == (azure.subnet_id(1), None, create.subject)
    assert attach.needs == create.after.routes
    assert {change.node for change in first.remedy} == {None}
    assert second.remedy[0] == create
    assert attachment(second).subject == azure.subnet_id(2)


def test_all_nodes_of_a_subnet_share_one_remedy() -> None:
    first, second = lacking(world(nodes=(azure.node(1), azure.node(2))))
    assert first.remedy is second.remedy


@pytest.mark.parametrize("held_by", [(), (3,)])
def test_a_whole_table_of_ours_is_only_attached(held_by: tuple[int, ...]) -> None:
    table = azure.table(OWN, *RIGHT, subnets=held_by)
    finding = lacking(world(table, subnets={1: None, 2: None, 3: OWN if held_by else None}))[0]
    (attach,) = finding.remedy
    assert isinstance(attach, AssociateRouteTable)
    assert (attach.after, attach.needs, attach.caution) == (table.id, RIGHT, None)


def test_a_table_of_ours_is_put_right_before_it_is_attached() -> None:
    table = azure.table(OWN, azure.route(1, to="10.0.2.2"), subnets=(1,))
    (finding,) = lacking(world(table, subnets={1: OWN, 2: None}))
    swap, create, attach = finding.remedy
    assert isinstance(swap, ReplaceRoute)
    assert isinstance(create, CreateRoute)
    assert isinstance(attach, AssociateRouteTable)
    assert (swap.method, swap.subject, swap.before.name) == (ReplaceMethod.IN_PLACE, swap.old_subject, swap.after.name)
    assert swap.after.next_hop.text == "10.0.1.1"
    assert attach.needs == (swap.after, create.after)


def test_a_foreign_table_gets_no_further_subnet() -> None:
    (finding,) = lacking(world(azure.table("corp", *RIGHT), subnets={1: "corp", 2: None}))
    assert isinstance(finding.remedy[0], CreateRouteTable)
    assert attachment(finding).after == azure.table_id(OWN)


def test_the_operators_name_is_taken() -> None:
    scope = Scope(route_table="Pods")
    assert attachment(lacking(world(scope=scope))[0]).after == azure.table_id("Pods")
    there = azure.table("pods", *RIGHT, subnets=())
    assert lacking(world(there, scope=scope))[0].remedy[:-1] == ()


def spoilt(snapshot: Snapshot, **changes: object) -> Snapshot:
    (view,) = snapshot.views
    return replace(snapshot, views=(replace(view, **changes),))  # type: ignore[arg-type] # checked at run time


def moved(snapshot: Snapshot, region: str | None) -> Snapshot:
    (view,) = snapshot.views
    return spoilt(snapshot, subnets=tuple(replace(subnet, region=region) for subnet in view.subnets or ()))


ELSEWHERE = replace(azure.table("corp"), subnets=("/other/subnets/x",))
CROWD = tuple(azure.node(n, ip=f"10.0.1.{n % 250}", cidrs=[f"10.{n >> 8}.{n & 255}.0/24"]) for n in range(401))


@pytest.mark.parametrize(
    ("snapshot", "told"),
    [
        (spoilt(world(), complete=False), "azure:s answered only in part: no table is attached"),
        (spoilt(world(), route_tables=None), "the route tables of azure:s were not read"),
        (
            replace(world(), nodes_source=replace(world().nodes_source, state=SourceState.STALE)),
            "the list of nodes is stale",
        ),
        (replace(world(), nodes=(*PAIR, azure.node(3))), "the VM of n3 was not observed (not read yet)"),
        (moved(world(), None), "the region of"),
        (moved(world(azure.table(OWN, subnets=())), "northeurope"), "stands in westeurope"),
        (world(ELSEWHERE, scope=Scope(route_table="corp")), "serves another VNet"),
        (world(azure.table(OWN, subnets=(), refusal="managed elsewhere")), "managed elsewhere"),
        (world(nodes=(PAIR[0], replace(PAIR[1], pod_cidrs=PAIR[0].pod_cidrs))), "two nodes claim 10.42.1.0/24"),
        (world(nodes=(replace(PAIR[0], network_reason="RouteCreated"), PAIR[1])), "a route controller writes"),
        (world(nodes=CROWD), f"401 routes are needed, and Azure takes {ROUTES_PER_TABLE}"),
    ],
)
def test_no_table_is_attached_when(snapshot: Snapshot, told: str) -> None:
    findings = lacking(snapshot)
    assert findings
    assert not any(finding.remedy for finding in findings)
    assert told in (findings[0].obstacle or "")


@pytest.mark.parametrize("name", ["GatewaySubnet", "azurebastionsubnet", "AzureFirewallSubnet", "RouteServerSubnet"])
def test_subnets_of_azures_own_services_are_left_alone(name: str) -> None:
    node = azure.node(1)
    vm, id_ = azure.vm(node), f"{azure.VNET}/subnets/{name}"
    vm = replace(vm, interfaces=(replace(vm.interfaces[0], subnet=id_),))
    view = azure.view([vm], nodes=[node], tables=())
    view = replace(view, subnets=tuple(replace(subnet, id=id_) for subnet in view.subnets or ()))
    (finding,) = lacking(azure.snapshot(node, views=[view]))
    assert (finding.remedy, finding.severity) == ((), Severity.ERROR)
    assert "service of its own" in (finding.obstacle or "")


def test_what_the_table_cannot_deliver_is_said() -> None:
    lost = azure.node(3)
    dual = azure.node(1, cidrs=["10.42.1.0/24", "fd00:42:1::/64"])
    snapshot = world(nodes=(dual, PAIR[1]))
    (view,) = snapshot.views
    asked = replace(view, node_uids=view.node_uids | {lost.uid})
    finding = lacking(replace(snapshot, nodes=(dual, PAIR[1], lost), views=(asked,)))[0]
    caution = attachment(finding).caution or ""
    assert "fd00:42:1::/64 of n1" in caution
    assert "n3 (there is no VM" in caution
    assert len(attachment(finding).needs) == 2


def test_a_node_without_pod_cidr_is_new_and_nothing_else() -> None:
    (finding,) = diagnose(world(nodes=(azure.node(1, cidrs=[]),))).findings
    assert finding.code is Code.PODCIDR_MISSING


def test_both_are_told_a_subnet_without_table_and_a_table_without_route() -> None:
    report = diagnose(world(azure.table("corp", RIGHT[0]), subnets={1: "corp", 2: None}))
    assert [(finding.code, finding.node) for finding in report.findings] == [
        (Code.ROUTE_MISSING, "n2"),
        (Code.ROUTE_TABLE_MISSING, "n2"),
    ]
    assert states(report) == [RouteState.OK, RouteState.MISSING]


def test_a_table_that_was_not_read_makes_nothing_sure() -> None:
    report = diagnose(world(azure.table("a", *RIGHT), subnets={1: "a", 2: "secret"}))
    assert states(report) == [RouteState.UNKNOWN, RouteState.UNKNOWN]
    assert {(finding.code, finding.severity) for finding in report.findings} == {(Code.ROUTE_MISSING, Severity.UNKNOWN)}
    assert all(azure.table_id("secret") in finding.summary for finding in report.findings)
    worse = diagnose(world(azure.table("a", RIGHT[0]), subnets={1: "a", 2: "secret"}))
    assert states(worse) == [RouteState.UNKNOWN, RouteState.MISSING]


def test_a_subnet_that_was_not_read_has_an_unknown_table() -> None:
    report = diagnose(world(azure.table("a", *RIGHT), subnets={1: "a"}))
    assert states(report) == [RouteState.UNKNOWN, RouteState.UNKNOWN]
    assert [(finding.code, finding.severity, finding.node) for finding in report.findings] == [
        (Code.ROUTE_MISSING, Severity.UNKNOWN, "n1"),
        (Code.ROUTE_TABLE_MISSING, Severity.UNKNOWN, "n2"),
    ]


def test_the_subnets_word_is_enough_where_the_table_names_none() -> None:
    assert diagnose(world(azure.table("a", *RIGHT, subnets=()), subnets={1: "a", 2: "a"})).findings == ()


def test_a_table_that_two_networks_share_delivers_in_both() -> None:
    other = f"{azure.VNET}-2"
    snapshot = world(azure.table("a", *RIGHT), subnets={1: "a"})
    (view,) = snapshot.views
    first, second = view.instances or ()
    nic = replace(second.interfaces[0], network=other, subnet=f"{other}/subnets/x")
    (table,) = view.route_tables or ()
    shared = replace(table, subnets=(azure.subnet_id(1), f"{other}/subnets/x"))
    both = (first, replace(second, interfaces=(nic,)))
    report = diagnose(replace(snapshot, views=(replace(view, instances=both, route_tables=(shared,)),)))
    assert states(report) == [RouteState.OK, RouteState.OK]


def test_a_foreign_route_is_replaced_under_its_own_name_and_named_as_foreign() -> None:
    legacy = azure.route(1, to="10.0.2.2", name="legacy")
    (finding,) = diagnose(world(azure.table("a", legacy, RIGHT[1], subnets=(1, 2)), subnets={1: "a", 2: "a"})).findings
    assert finding.code is Code.ROUTE_WRONG_NEXT_HOP
    (change,) = finding.remedy
    assert isinstance(change, ReplaceRoute)
    assert change.after == replace(legacy, next_hop=change.after.next_hop)
    assert change.reason.endswith("legacy is foreign, made by somebody else")


def test_nothing_is_written_to_a_table_that_somebody_else_manages() -> None:
    stray = azure.route(77, to="10.0.1.77")
    table = azure.table("a", RIGHT[1], stray, subnets=(1, 2), refusal="it is managed elsewhere")
    report = diagnose(world(table, subnets={1: "a", 2: "a"}))
    assert {finding.code for finding in report.findings} == {Code.ROUTE_MISSING, Code.ROUTE_STRAY}
    assert {finding.obstacle for finding in report.findings} == {"it is managed elsewhere"}


def test_a_stray_is_deleted_and_what_is_not_known_is_not_claimed() -> None:
    table = azure.table("a", *RIGHT, azure.route(77, to="10.0.1.77"), subnets=(1, 2))
    (finding,) = diagnose(world(table, subnets={1: "a", 2: "a"})).findings
    assert finding.code is Code.ROUTE_STRAY
    assert "belongs to no VM that was read" in finding.summary
    (change,) = finding.remedy
    assert isinstance(change, DeleteRoute)
    assert change.table == table.id


@pytest.mark.parametrize(
    ("name", "active"),
    [
        ("n1____10421024", True),
        ("N1____10421024", True),
        ("n1____10429024", False),
        ("n9____10421024", False),
        ("n1", False),
    ],
)
def test_only_the_name_of_a_present_node_and_its_range_is_evidence(name: str, active: bool) -> None:
    table = azure.table("a", azure.route(1, name=name), RIGHT[1], subnets=(1, 2))
    codes = {finding.code for finding in diagnose(world(table, subnets={1: "a", 2: "a"})).findings}
    assert (Code.ROUTE_CONTROLLER_ACTIVE in codes) is active


def test_a_full_table_replaces_in_place_without_spare_room() -> None:
    full = azure.table("a", azure.route(1, to="10.0.2.2"), RIGHT[1], subnets=(1, 2))
    assert full.quota is not None
    full = replace(full, quota=replace(full.quota, used=full.quota.limit))
    findings = diagnose(world(full, subnets={1: "a", 2: "a"})).findings
    assert [finding.code for finding in findings] == [Code.ROUTE_WRONG_NEXT_HOP]


@pytest.mark.parametrize(("forwards", "told"), [(False, True), (True, False)])
def test_a_member_of_a_scale_set_is_told_beside_the_flag(forwards: bool, told: bool) -> None:
    node = azure.node(1)
    vm = azure.vm(node, forwards=forwards, scale_set=f"{azure.GROUP}/providers/x/virtualMachineScaleSets/pool")
    nic = vm.interfaces[0]
    vm = replace(vm, interfaces=(replace(nic, switch=replace(nic.switch, refusal="run az vmss update")),))
    view = azure.view([vm], nodes=[node], tables=(azure.table("a", RIGHT[0]),), subnets={1: "a"})
    findings = diagnose(azure.snapshot(node, views=[view])).findings
    assert [finding.code for finding in findings] == ([Code.FORWARDING_OFF, Code.SCALE_SET_MEMBER] if told else [])
    assert not any(finding.fixable for finding in findings)
    told_how = ["the model of its scale set decides it: see scale-set-member", "run az vmss update"]
    assert [finding.obstacle for finding in findings] == (told_how if told else [])
    assert [finding.severity for finding in findings[1:]] == ([Severity.WARNING] if told else [])


@st.composite
def worlds(draw: st.DrawFn) -> Snapshot:
    """Draw three nodes in two subnets, each with no table, ours or a foreign one, and any routes in them."""
    subnets = {number: draw(st.sampled_from((None, OWN, "corp"))) for number in (1, 2)}
    nodes = tuple(azure.node(number, subnet=draw(st.sampled_from((1, 2)))) for number in (1, 2, 3))
    tables: list[RouteTable] = []
    for name in (OWN, "corp"):
        used = tuple(number for number, named in subnets.items() if named == name)
        if draw(st.booleans()) or used:
            hops = st.sampled_from((*(str(node.addresses[0]) for node in nodes), "10.0.9.9"))
            drawn: dict[int, str] = draw(st.dictionaries(st.sampled_from((1, 2, 3, 77)), hops))
            tables.append(azure.table(name, *(azure.route(at, to=hop) for at, hop in drawn.items()), subnets=used))
    return world(*tables, subnets=subnets, nodes=nodes)


def carried_out(snapshot: Snapshot, changes: Iterable[Change]) -> Iterator[Snapshot]:
    """Yield the snapshot after each change, and hold each change's precondition against what is there."""
    for change in changes:
        (view,) = snapshot.views
        tables = {table.id: table for table in view.route_tables or ()}
        subnets = {subnet.id: subnet for subnet in view.subnets or ()}
        match change:
            case CreateRouteTable():
                assert change.subject not in tables
                tables[change.subject] = change.after
            case AssociateRouteTable():
                assert subnets[change.subject].route_table is None
                table = tables[change.table]
                assert set(change.needs) <= set(table.routes)
                subnets[change.subject] = replace(subnets[change.subject], route_table=change.after)
                tables[table.id] = replace(table, subnets=(*(table.subnets or ()), change.subject))
            case CreateRoute() | ReplaceRoute() | DeleteRoute():
                table = tables[change.table]
                kept = tuple(route for route in table.routes if route != change.before)
                assert len(kept) == len(table.routes) - (change.before is not None)
                routes: tuple[Route, ...] = kept if change.after is None else (*kept, change.after)
                assert (
                    len({route.name for route in routes}) == len({route.destination for route in routes}) == len(routes)
                )
                tables[table.id] = replace(table, routes=routes)
            case _:
                raise AssertionError(change)
        view = replace(view, route_tables=tuple(tables.values()), subnets=tuple(subnets.values()))
        snapshot = replace(snapshot, views=(view,))
        yield snapshot


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_one_plan_mends_every_table_and_subnet(snapshot: Snapshot) -> None:
    findings = diagnose(snapshot).findings
    plan = make_plan(
        cluster=snapshot.cluster, created_at=build.NOON, findings=findings, nodes=None, command=lambda _: ""
    )
    assert plan.refused == ()
    *_, last = (snapshot, *carried_out(snapshot, plan.changes))
    # Strays of a table that served nobody before are seen once it does.
    assert {finding.code for finding in diagnose(last).findings} <= {Code.ROUTE_STRAY}
    assert set(states(diagnose(last))) == {RouteState.OK}
    (before,), (after,) = snapshot.views, last.views
    kept = {subnet.id: subnet.route_table for subnet in before.subnets or () if subnet.route_table is not None}
    assert kept.items() <= {subnet.id: subnet.route_table for subnet in after.subnets or ()}.items()
