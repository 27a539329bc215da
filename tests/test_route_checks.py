"""Judgement about routes on Compute Engine: states, the words for them, and the remedies with their obstacles."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from tests import build
from tui.checks import diagnose
from tui.model.change import CreateRoute, DeleteRoute, ReplaceRoute
from tui.model.finding import Code, Finding, Report, RouteState, Severity
from tui.model.naming import route_name, route_prefix
from tui.model.network import Instance, NextHopKind, ReplaceMethod, Route, RouteQuota, RouteTable
from tui.model.node import Cloud, Node
from tui.model.snapshot import Snapshot, SourceState

OWN = route_prefix(build.CLUSTER)
CIDR = "10.42.1.0/24"
GOOD = build.route(CIDR, to="p/z/n1", name=f"{OWN}good", priority=1000)
WRONG = build.route(CIDR, to="p/z/n2", name=f"{OWN}wrong", priority=1000)
DEAD = build.route(CIDR, to="p/z/gone", name=f"{OWN}dead", priority=1000, dead=True, warning="NEXT_HOP_NOT_FOUND")
SECOND = build.route("10.42.2.0/24", to="p/z/n2", name="second", priority=1000)


def world(
    *routes: Route,
    nodes: Iterable[Node] = (build.gce_node(1), build.gce_node(2)),
    vms: Iterable[Instance] = (build.gce_vm(1), build.gce_vm(2)),
    table: RouteTable | None = None,
    cluster_cidrs: Iterable[str] = ("10.42.0.0/16",),
) -> Snapshot:
    """Return two nodes of which the second one's route is right, and whatever is added for the first one."""
    nodes = tuple(nodes)
    table = table or build.table(SECOND, *routes)
    view = build.view(*vms, nodes=nodes, cloud=Cloud.GCE, name="gce:p", tables=(table,))
    snapshot = build.snapshot(*nodes, views=[view])
    cidrs = tuple(ip_network(cidr) for cidr in cluster_cidrs)
    return replace(snapshot, cluster=replace(snapshot.cluster, pod_cidrs=cidrs))


def state(report: Report) -> RouteState:
    return report.assessments[0].routes[0].state


def only(snapshot: Snapshot) -> Finding:
    (finding,) = diagnose(snapshot).findings
    return finding


def test_the_second_node_of_the_world_is_healthy() -> None:
    report = diagnose(world(GOOD))
    assert report.findings == ()
    assert state(report) is RouteState.OK
    assert report.assessments[0].routes[0].seen == ((build.table(SECOND, GOOD), GOOD),)


def test_a_missing_route_is_created() -> None:
    finding = only(world())
    assert (finding.code, finding.severity, finding.subject) == (Code.ROUTE_MISSING, Severity.ERROR, CIDR)
    (change,) = finding.remedy
    assert isinstance(change, CreateRoute)
    after = change.after
    assert (after.destination, after.priority, after.tags) == (ip_network(CIDR), 1000, frozenset())
    assert (after.next_hop.kind, after.next_hop.instance_key) == (NextHopKind.INSTANCE, "p/z/n1")
    assert after.name == route_name(build.CLUSTER, ip_network(CIDR), after.next_hop, build.gce_node())
    assert '"node":"n1"' in after.description
    assert change.subject == f"projects/p/global/routes/{after.name}"
    assert (change.source, change.table, change.quota) == ("gce:p", build.NETWORK, "projects/p: static routes")
    assert (change.node, change.node_uid, change.cloud) == ("n1", "uid-n1", Cloud.GCE)


def test_in_a_network_of_another_project_the_next_hop_is_the_nodes_address() -> None:
    vm = build.gce_vm(1, routed_by=NextHopKind.ADDRESS, addresses=(ip_address("fd00::1"), ip_address("10.0.0.1")))
    (change,) = only(world(vms=(vm, build.gce_vm(2)))).remedy
    assert isinstance(change, CreateRoute)
    assert (change.after.next_hop.kind, change.after.next_hop.text) == (NextHopKind.ADDRESS, "10.0.0.1")


@pytest.mark.parametrize("routed_by", [NextHopKind.INSTANCE, NextHopKind.ADDRESS])
def test_an_ipv6_range_needs_an_ipv6_address(routed_by: NextHopKind) -> None:
    node = build.gce_node(1, cidrs=["fd00:42:1::/64"])
    dual = (ip_address("10.0.0.1"), ip_address("fd00::1"))
    poor = only(world(nodes=[node], vms=[build.gce_vm(1, routed_by=routed_by)], table=build.table()))
    assert poor.remedy == ()
    assert "no IPv6 address" in (poor.obstacle or "")
    rich = only(world(nodes=[node], vms=[build.gce_vm(1, routed_by=routed_by, addresses=dual)], table=build.table()))
    (change,) = rich.remedy
    assert isinstance(change, CreateRoute)
    assert change.after.next_hop.address == (ip_address("fd00::1") if routed_by is NextHopKind.ADDRESS else None)


def test_a_taken_name_is_numbered_within_the_clouds_limit() -> None:
    (change,) = only(world()).remedy
    assert isinstance(change, CreateRoute)
    name = change.after.name
    taken = [
        build.route("192.168.0.0/24", to="p/z/n2", name=name),
        build.route("192.168.1.0/24", to="p/z/n2", name=name + "-2"),
    ]
    (again,) = only(world(*taken)).remedy
    assert isinstance(again, CreateRoute)
    assert again.after.name == f"{name}-3"
    node = build.gce_node(1, cidrs=["fd00:4242:4242:4242:4242:4242:4242:1200/120"])
    vm = build.gce_vm(1, addresses=(ip_address("10.0.0.1"), ip_address("fd00::1")))
    names: list[str] = []
    for _ in range(3):
        table = build.table(*(build.route("192.168.0.0/24", to="p/z/n1", name=used) for used in names))
        (change,) = only(world(nodes=[node], vms=[vm], table=table)).remedy
        assert isinstance(change, CreateRoute)
        names.append(change.after.name)
    assert len(set(names)) == 3
    assert all(len(name) <= 63 for name in names)


@pytest.mark.parametrize(
    ("old", "code", "told"),
    [
        (WRONG, Code.ROUTE_WRONG_NEXT_HOP, "does not lead to its node"),
        (DEAD, Code.ROUTE_BLACKHOLE, "the cloud warns: NEXT_HOP_NOT_FOUND"),
    ],
)
def test_a_wrong_or_dead_route_is_replaced_by_a_better_one_before_it_goes(old: Route, code: Code, told: str) -> None:
    finding = only(world(old))
    assert finding.code is code
    assert f"{old.name} → {old.next_hop.label} [priority 1000" in finding.summary
    assert told in finding.summary
    (change,) = finding.remedy
    assert isinstance(change, ReplaceRoute)
    assert (change.before, change.method) == (old, ReplaceMethod.ADD_THEN_DELETE)
    assert change.after.priority == 999
    assert change.after.next_hop.instance_key == "p/z/n1"
    assert change.subject == f"projects/p/global/routes/{change.after.name}"
    assert change.old_subject == f"projects/p/global/routes/{old.name}"
    assert "foreign" not in change.reason


def test_a_route_without_priority_has_the_default_one() -> None:
    (change,) = only(world(replace(WRONG, priority=None))).remedy
    assert isinstance(change, ReplaceRoute)
    assert change.after.priority == 999


def test_a_foreign_route_is_named_as_such() -> None:
    (change,) = only(world(replace(WRONG, name="legacy", description="by hand"))).remedy
    assert "legacy is foreign, made by somebody else: description 'by hand'" in change.reason
    (change,) = only(world(GOOD, replace(WRONG, name="legacy"))).remedy
    assert isinstance(change, DeleteRoute)
    assert "legacy is foreign" in change.reason


def test_a_duplicate_beside_a_right_route_is_deleted_and_the_right_one_kept() -> None:
    finding = only(world(GOOD, WRONG, DEAD))
    assert finding.code is Code.ROUTE_DUPLICATE
    assert "packets are spread over both" in finding.summary
    first, second = finding.remedy
    assert isinstance(first, DeleteRoute)
    assert isinstance(second, DeleteRoute)
    assert {first.before, second.before} == {WRONG, DEAD}
    assert first.keeps == second.keeps == GOOD
    assert {first.subject, second.subject} == {f"projects/p/global/routes/{route.name}" for route in (WRONG, DEAD)}


def test_duplicates_without_a_right_route_are_replaced_once_and_the_rest_deleted() -> None:
    better = build.route(CIDR, to="p/z/n2", name=f"{OWN}better", priority=500)
    finding = only(world(WRONG, better, DEAD))
    assert finding.code is Code.ROUTE_DUPLICATE
    assert f"{better.name} wins" in finding.summary
    replacement, *deletions = finding.remedy
    assert isinstance(replacement, ReplaceRoute)
    assert replacement.before == better
    assert replacement.after.priority == 499
    assert {change.before for change in deletions} == {WRONG, DEAD}
    assert all(isinstance(change, DeleteRoute) and change.keeps == replacement.after for change in deletions)


def test_which_of_several_routes_wins_is_said() -> None:
    assert f"{OWN}good wins" in only(world(GOOD, replace(WRONG, priority=1001))).summary
    assert f"{OWN}wrong wins" in only(world(GOOD, replace(WRONG, priority=10))).summary
    assert f"{OWN}good wins" in only(world(GOOD, replace(DEAD, priority=10))).summary
    third = build.route(CIDR, to="p/z/n2", name=f"{OWN}x", priority=1000)
    assert "packets are spread over all 3" in only(world(GOOD, WRONG, third)).summary


def test_several_right_routes_are_fine() -> None:
    by_address = build.route(CIDR, to="10.0.0.1", kind=NextHopKind.ADDRESS, name="other", priority=1000)
    report = diagnose(world(GOOD, by_address))
    assert report.findings == ()
    assert state(report) is RouteState.OK


def tagged(*tags: Iterable[str]) -> tuple[Instance, ...]:
    return tuple(build.gce_vm(number, tags=own) for number, own in enumerate(tags, start=1))


@pytest.mark.parametrize(
    ("routes", "tags", "expected"),
    [
        ([replace(GOOD, tags=frozenset("a"))], (["a"], ["a", "b"]), RouteState.OK),
        ([replace(GOOD, tags=frozenset("a"))], (["a"], []), RouteState.MISSING),
        ([replace(WRONG, tags=frozenset("a"))], ([], []), RouteState.MISSING),
        ([replace(WRONG, tags=frozenset("a"))], ([], ["a"]), RouteState.WRONG_NEXT_HOP),
        ([GOOD, replace(WRONG, tags=frozenset("a"))], ([], []), RouteState.OK),
        ([GOOD, replace(WRONG, tags=frozenset("a"))], ([], ["a"]), RouteState.DUPLICATE),
    ],
)
def test_tags_limit_what_a_route_is_worth(
    routes: list[Route], tags: tuple[list[str], list[str]], expected: RouteState
) -> None:
    report = diagnose(world(*routes, vms=tagged(*tags)))
    assert state(report) is expected
    if expected is RouteState.MISSING:
        assert f"route {routes[0].name} exists, but is limited to VMs tagged a" in report.findings[0].summary
        (change,) = report.findings[0].remedy
        assert isinstance(change, CreateRoute)


def test_a_route_of_the_cloud_itself_cannot_be_mended() -> None:
    system = build.route(CIDR, to="subnet", kind=NextHopKind.OTHER, name="default-route-1", priority=0, system=True)
    finding = only(world(system))
    assert finding.code is Code.ROUTE_WRONG_NEXT_HOP
    assert not finding.fixable
    assert "nobody can delete it" in (finding.obstacle or "")


def test_no_route_is_made_inside_of_a_range_that_a_subnet_has() -> None:
    subnet = build.route(
        "10.42.0.0/16", to="net", kind=NextHopKind.OTHER, name="subnet", priority=0, system=True, reserves=True
    )
    finding = only(world(subnet))
    assert finding.code is Code.ROUTE_MISSING
    assert not finding.fixable
    assert "a subnet of the network has 10.42.0.0/16" in (finding.obstacle or "")


def test_a_route_that_was_learned_for_a_wider_range_is_in_nobodys_way() -> None:
    learned = build.route("10.0.0.0/8", to="vpn", kind=NextHopKind.OTHER, name="bgp", priority=0, system=True)
    assert isinstance(only(world(learned)).remedy[0], CreateRoute)


def test_the_best_priority_of_all_cannot_be_bettered() -> None:
    finding = only(world(replace(WRONG, priority=0)))
    assert not finding.fixable
    assert "no priority is better" in (finding.obstacle or "")


def test_a_right_route_to_a_vm_that_is_off_needs_the_vm() -> None:
    stopped = (build.gce_vm(1, running=False), build.gce_vm(2))
    for routes in ([GOOD], [WRONG], [replace(GOOD, dead=True)]):
        finding = only(world(*routes, vms=stopped))
        assert not finding.fixable
        assert finding.obstacle == "its VM p/z/n1 does not run: start it, then look again"
    assert state(diagnose(world(GOOD, vms=stopped))) is RouteState.BLACKHOLE
    warned = only(world(replace(GOOD, dead=True, warning="NEXT_HOP_INSTANCE_NOT_ON_NETWORK")))
    assert not warned.fixable
    assert "NEXT_HOP_INSTANCE_NOT_ON_NETWORK" in (warned.obstacle or "")


def test_a_dead_address_is_replaced_by_the_instance() -> None:
    by_address = build.route(CIDR, to="10.0.0.1", kind=NextHopKind.ADDRESS, name="old", priority=7, dead=True)
    (change,) = only(world(by_address)).remedy
    assert isinstance(change, ReplaceRoute)
    assert (change.after.next_hop.instance_key, change.after.priority) == ("p/z/n1", 6)


def test_nothing_is_written_for_a_range_that_two_nodes_claim() -> None:
    nodes = [build.gce_node(1), build.gce_node(2, cidrs=[CIDR])]
    for routes in ([], [WRONG], [GOOD, WRONG]):
        report = diagnose(world(*routes, nodes=nodes, table=build.table(*routes)))
        told = [finding for finding in report.findings if finding.code.startswith("route-")]
        assert told
        assert not any(finding.remedy for finding in told)
        assert all("two nodes claim 10.42.1.0/24" in (finding.obstacle or "") for finding in told)


def test_nothing_is_written_for_ranges_of_two_nodes_that_overlap() -> None:
    nodes = [build.gce_node(1), build.gce_node(2, cidrs=["10.42.0.0/20"])]
    report = diagnose(world(nodes=nodes, table=build.table()))
    missing = [finding for finding in report.findings if finding.code is Code.ROUTE_MISSING]
    assert [finding.subject for finding in missing] == ["10.42.0.0/20", CIDR]
    assert not any(finding.remedy for finding in missing)


def incomplete(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, views=tuple(replace(view, complete=False) for view in snapshot.views))


def stale(snapshot: Snapshot) -> Snapshot:
    views = (replace(view, source=replace(view.source, state=SourceState.STALE)) for view in snapshot.views)
    return replace(snapshot, views=tuple(views))


def old_nodes(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, nodes_source=replace(snapshot.nodes_source, state=SourceState.UNAVAILABLE))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (incomplete, "gce:p answered only in part"),
        (stale, "gce:p is stale"),
        (old_nodes, "the list of nodes is unavailable"),
    ],
)
def test_nothing_is_taken_away_on_what_was_not_read_in_full(spoil: Callable[[Snapshot], Snapshot], reason: str) -> None:
    stray = build.route("10.42.77.0/24", to="p/z/gone", name=f"{OWN}stray", priority=1000)
    for routes in ([WRONG], [GOOD, WRONG], [GOOD, stray]):
        finding = only(spoil(world(*routes)))
        assert finding.remedy == ()
        assert (finding.obstacle or "").startswith(reason)
    (change,) = only(spoil(world())).remedy
    assert isinstance(change, CreateRoute)


def test_the_host_projects_view_must_be_complete_too() -> None:
    snapshot = world(WRONG)
    (view,) = snapshot.views
    service = replace(view, route_tables=())
    host = build.view(nodes=[], cloud=Cloud.GCE, name="gce:host", tables=view.route_tables)
    (change,) = only(replace(snapshot, views=(service, host))).remedy
    assert change.source == "gce:host"
    finding = only(replace(snapshot, views=(service, replace(host, complete=False))))
    assert (finding.obstacle or "").startswith("gce:host answered only in part")
    unread = diagnose(replace(snapshot, views=(service, replace(host, route_tables=None))))
    assert state(unread) is RouteState.UNKNOWN
    assert unread.findings[0].summary == f"the routes of {build.NETWORK} were not observed"


def test_beside_a_route_controller_routes_are_reported_only() -> None:
    nodes = [build.gce_node(1, network_reason="RouteCreated"), build.gce_node(2)]
    vms = (build.gce_vm(1, forwards=False), build.gce_vm(2))
    stray = build.route("10.42.77.0/24", to="p/z/gone", name="stray")
    report = diagnose(world(WRONG, stray, nodes=nodes, vms=vms))
    fixable = {finding.code: finding.fixable for finding in report.findings}
    assert fixable == {
        Code.FORWARDING_OFF: True,
        Code.ROUTE_WRONG_NEXT_HOP: False,
        Code.ROUTE_STRAY: False,
        Code.ROUTE_CONTROLLER_ACTIVE: False,
    }
    told = report.findings[-1]
    assert (told.severity, told.node, told.subject) == (Severity.INFO, None, build.CLUSTER.server)
    assert "NetworkUnavailable of n1 has the reason RouteCreated" in told.summary
    assert all(
        (finding.obstacle or "").startswith("a route controller writes these routes (")
        for finding in report.findings
        if not finding.fixable
    )


@pytest.mark.parametrize(
    ("inside", "tags", "shadowed"),
    [
        (build.route("10.42.1.128/25", to="p/z/n2", name="part"), [], True),
        (build.route("10.42.1.128/25", to="vpn", kind=NextHopKind.OTHER, name="part"), [], True),
        (build.route("10.42.1.7/32", to="p/z/gone", name="part", dead=True), [], True),
        (build.route("10.42.1.128/25", to="p/z/n1", name="part"), [], False),
        (build.route("10.42.1.128/25", to="p/z/n2", name="part", tags=["a"]), [], False),
        (build.route("10.42.1.128/25", to="p/z/n2", name="part", tags=["a"]), ["a"], True),
        (build.route("10.42.0.0/16", to="p/z/n2", name="around"), [], False),
    ],
)
def test_a_more_specific_route_shadows(inside: Route, tags: list[str], shadowed: bool) -> None:
    report = diagnose(world(GOOD, inside, vms=tagged(tags, [])))
    assert state(report) is RouteState.OK
    assert [finding.code for finding in report.findings] == ([Code.ROUTE_SHADOWED] if shadowed else [])
    if shadowed:
        (finding,) = report.findings
        assert (finding.node, finding.subject, finding.severity) == ("n1", CIDR, Severity.ERROR)
        assert "part for 10.42.1." in finding.summary
        assert not finding.fixable


def test_a_range_that_the_cloud_delivers_itself_is_not_shadowed() -> None:
    part = build.route("10.42.1.128/25", to="p/z/n2", name="part")
    vm = build.gce_vm(1, owned_cidrs=(ip_network(CIDR),))
    report = diagnose(world(part, vms=(vm, build.gce_vm(2))))
    assert report.findings == ()
    assert state(report) is RouteState.NOT_REQUIRED


@pytest.mark.parametrize(
    ("route", "stray"),
    [
        (build.route("10.42.77.0/24", to="p/z/gone", name="r"), True),
        (build.route("10.42.77.0/24", to="10.0.0.2", kind=NextHopKind.ADDRESS, name="r"), True),
        (build.route("10.42.0.0/22", to="p/z/n2", name="r"), False),
        (build.route("10.42.0.0/16", to="p/z/n2", name="r"), False),
        (build.route("10.42.1.0/25", to="p/z/n1", name="r"), False),
        (build.route("10.43.77.0/24", to="p/z/gone", name="r"), False),
        (build.route("0.0.0.0/0", to="gateway", kind=NextHopKind.OTHER, name="r"), False),
        (build.route("10.42.77.0/24", to="subnet", kind=NextHopKind.OTHER, name="r", system=True), False),
    ],
)
def test_strays(route: Route, stray: bool) -> None:
    findings = diagnose(world(GOOD, route)).findings
    assert [finding.code for finding in findings] == ([Code.ROUTE_STRAY] if stray else [])
    if stray:
        (finding,) = findings
        assert (finding.node, finding.severity) == (None, Severity.WARNING)
        assert finding.subject == "projects/p/global/routes/r"
        (change,) = finding.remedy
        assert isinstance(change, DeleteRoute)
        assert (change.before, change.keeps, change.node, change.node_uid) == (route, None, None, None)


def test_a_stray_says_where_it_leads_and_whose_it_is() -> None:
    dead = build.route("10.42.77.0/24", to="p/z/gone", name="legacy", description="by hand")
    summary = only(world(GOOD, dead)).summary
    assert "route legacy for 10.42.77.0/24" in summary
    assert "z/gone, which does not exist" in summary
    assert "foreign, made by somebody else: description 'by hand'" in summary
    own = build.route("10.42.77.0/24", to="p/z/n2", name=f"{OWN}old")
    assert "which runs; it is made by this program" in only(world(GOOD, own)).summary


def test_a_stray_to_something_else_than_a_vm_is_left_to_people() -> None:
    finding = only(world(GOOD, build.route("10.42.77.0/24", to="vpn", kind=NextHopKind.OTHER, name="r")))
    assert not finding.fixable
    assert "delete it by hand" in (finding.obstacle or "")


@pytest.mark.parametrize(
    ("to", "kind", "vms", "stray"),
    [
        ("p/z/n3", NextHopKind.INSTANCE, (3,), False),
        ("10.0.0.3", NextHopKind.ADDRESS, (3,), False),
        ("p/z/n3", NextHopKind.INSTANCE, (), True),
        ("p/z/n2", NextHopKind.INSTANCE, (3,), True),
        ("10.0.0.2", NextHopKind.ADDRESS, (3,), True),
    ],
)
def test_the_route_of_a_node_that_left_is_no_stray_while_its_vm_runs(
    to: str, kind: NextHopKind, vms: tuple[int, ...], stray: bool
) -> None:
    left = ip_network("10.42.3.0/24")
    machines = [build.gce_vm(number) for number in (1, 2, *vms)]
    seen = world(GOOD, build.route(str(left), to=to, kind=kind, name="theirs"), vms=machines)
    unknown = [finding.code for finding in diagnose(seen).findings]
    assert unknown == [Code.ROUTE_STRAY], "whoever was not seen to leave is not known"
    remembered = diagnose(replace(seen, departed=frozenset({left})))
    assert [finding.code for finding in remembered.findings] == ([Code.ROUTE_STRAY] if stray else [])


def test_strays_are_not_judged_without_cluster_cidr_or_nodes() -> None:
    stray = build.route("10.42.77.0/24", to="p/z/gone", name="r")
    assert diagnose(world(GOOD, stray, cluster_cidrs=())).findings == ()
    assert diagnose(world(GOOD, stray, nodes=())).findings == ()
    assert diagnose(replace(world(GOOD, stray), nodes=None)).findings == ()
    elsewhere = replace(build.table(SECOND, GOOD, stray), id="other", network="other")
    assert Code.ROUTE_STRAY not in {finding.code for finding in diagnose(world(table=elsewhere)).findings}


def limited(*routes: Route, free: int) -> RouteTable:
    quota = RouteQuota(name="projects/p: static routes", limit=100, used=100 - free)
    return build.table(*routes, quota=quota)


@pytest.mark.parametrize(
    ("routes", "free", "severity", "told"),
    [
        ([], 2, None, ""),
        ([], 1, Severity.ERROR, "2 routes are needed and 1 fit (limit 100, 99 used)"),
        ([SECOND], 0, Severity.ERROR, "1 route is needed and 0 fit"),
        ([SECOND, WRONG], 1, None, ""),
        ([SECOND, WRONG], 0, Severity.WARNING, "--delete-first"),
        ([SECOND, GOOD, WRONG], 0, None, ""),
        ([WRONG], 0, Severity.ERROR, "1 route is needed and 0 fit; 1 must be replaced"),
    ],
)
def test_quota(routes: list[Route], free: int, severity: Severity | None, told: str) -> None:
    findings = diagnose(world(table=limited(*routes, free=free))).findings
    found = [finding for finding in findings if finding.code is Code.ROUTE_QUOTA]
    assert [finding.severity for finding in found] == ([] if severity is None else [severity])
    for finding in found:
        assert told in finding.summary
        assert (finding.node, finding.subject, finding.fixable) == (None, "projects/p: static routes", False)
        assert finding.obstacle == "projects/p: static routes: raise the limit"


def test_tables_that_share_a_quota_are_counted_together() -> None:
    elsewhere = replace(build.gce_vm(2), interfaces=(replace(build.gce_vm(2).interfaces[0], network="other"),))
    snapshot = world(vms=(build.gce_vm(1), elsewhere), table=limited(free=1))
    (view,) = snapshot.views
    other = limited(free=1)
    tables = (*(view.route_tables or ()), replace(other, id="other", network="other"))
    findings = diagnose(replace(snapshot, views=(replace(view, route_tables=tables),))).findings
    (quota,) = [finding for finding in findings if finding.code is Code.ROUTE_QUOTA]
    assert "2 routes are needed and 1 fit" in quota.summary
