"""Each check as a table: what was observed, what is concluded."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from tests import build
from tui.checks import diagnose
from tui.model.change import SetForwarding
from tui.model.finding import Code, Forwarding, Layer2, Report, RouteState, Severity, Verdict
from tui.model.network import Instance, NextHopKind, Route, RouteTable
from tui.model.node import Cloud, Node, ProviderID
from tui.model.snapshot import CloudView, Scope, SourceState


def codes(report: Report, name: str = "n1") -> list[str]:
    return [f"{finding.severity}:{finding.code}" for finding in report.findings if finding.node == name]


def healthy_pair() -> tuple[tuple[Node, Node], CloudView]:
    nodes = (build.node("n1"), build.node("n2", ip="10.0.0.5", cidrs=["10.42.2.0/24"]))
    return nodes, build.view(
        build.instance("i-n1", build.eni("eni-1")),
        build.instance("i-n2", build.eni("eni-2", ip="10.0.0.5")),
        nodes=nodes,
    )


def test_a_cluster_in_order_has_no_finding() -> None:
    nodes, view = healthy_pair()
    report = diagnose(build.snapshot(*nodes, views=[view]))
    assert report.findings == ()
    assert report.counts() == {"nodes": 2, "healthy": 2, "error": 0, "warning": 0, "unknown": 0}
    first = report.assessments[0]
    assert (first.forwarding, first.layer2, first.verdict) == (Forwarding.ON, Layer2.SAME, Verdict.OK)
    assert [route.state for route in first.routes] == [RouteState.NOT_REQUIRED]


@pytest.mark.parametrize(
    ("forwards", "refusal", "expected", "verdict"),
    [
        (True, None, [], Verdict.OK),
        (False, None, ["error:forwarding-off"], Verdict.FIX),
        (False, "managed by AWS", ["error:forwarding-off"], Verdict.BAD),
        (None, None, ["unknown:forwarding-off"], Verdict.UNKNOWN),
    ],
)
def test_forwarding(forwards: bool | None, refusal: str | None, expected: list[str], verdict: Verdict) -> None:
    node = build.node()
    view = build.view(build.instance("i-n1", build.eni(forwards=forwards, refusal=refusal)), nodes=[node])
    report = diagnose(build.snapshot(node, views=[view]))
    assert codes(report) == expected
    assert report.assessments[0].verdict is verdict


def test_the_remedy_of_forwarding_names_the_interface_and_its_observed_value() -> None:
    node = build.node()
    view = build.view(build.instance("i-n1", build.eni(forwards=False)), nodes=[node])
    (finding,) = diagnose(build.snapshot(node, views=[view])).findings
    (change,) = finding.remedy
    assert isinstance(change, SetForwarding)
    assert change.subject == "eni-1"
    assert change.fields(change.before) == {"SourceDestCheck": True}
    assert change.fields(change.after) == {"SourceDestCheck": False}
    assert (change.source, change.node_uid) == ("aws:us-east-1", node.uid)


def test_what_will_undo_the_remedy_of_forwarding_is_said_with_it() -> None:
    node = build.node()
    nic = build.eni(forwards=False)
    nic = replace(nic, switch=replace(nic.switch, caution="the template has it off"))
    (finding,) = diagnose(build.snapshot(node, views=[build.view(build.instance("i-n1", nic), nodes=[node])])).findings
    assert [change.caution for change in finding.remedy] == ["the template has it off"]


def test_a_range_that_the_cloud_delivers_itself_needs_neither_flag_nor_route() -> None:
    node = build.node(provider_id=ProviderID.parse("gce://p/z/n1"))
    nic = build.eni(forwards=False, owned=["10.42.1.0/24"])
    view = build.view(build.instance("p/z/n1", nic, cloud=Cloud.GCE), nodes=[node], cloud=Cloud.GCE, tables=())
    report = diagnose(build.snapshot(node, views=[view]))
    assert report.findings == ()
    assert report.assessments[0].forwarding is Forwarding.NOT_REQUIRED
    assert report.assessments[0].routes[0].state is RouteState.NOT_REQUIRED


def test_a_denied_source_makes_its_nodes_unknown_once() -> None:
    node = build.node()
    view = build.view(nodes=[node], readable=False, state=SourceState.DENIED)
    report = diagnose(build.snapshot(node, views=[view]))
    assert codes(report) == ["unknown:instance-not-found"]
    assessment = report.assessments[0]
    assert (assessment.forwarding, assessment.layer2) == (Forwarding.UNKNOWN, Layer2.UNKNOWN)
    assert assessment.verdict is Verdict.UNKNOWN


def test_a_vm_that_is_not_there_is_an_error() -> None:
    node = build.node()
    assert codes(diagnose(build.snapshot(node, views=[build.view(nodes=[node])]))) == ["error:instance-not-found"]


def test_an_ambiguous_vm_names_the_candidates_and_the_option() -> None:
    node = build.node(provider_id=ProviderID.parse(""))
    view = build.view(
        build.instance("i-1", build.eni("eni-1")),
        build.instance("i-2", build.eni("eni-2", network="vpc-2")),
        nodes=[node],
    )
    (finding,) = diagnose(build.snapshot(node, views=[view], scope=Scope(fallback=Cloud.AWS))).findings
    assert finding.code is Code.INSTANCE_AMBIGUOUS
    assert finding.subject == "eni-1 in vpc-1, eni-2 in vpc-2"
    assert "--aws-vpc" in finding.summary
    assert not finding.fixable


def test_layer2_names_both_subnets_and_the_minority() -> None:
    nodes = [build.node(f"n{i}", ip=f"10.0.{i // 3}.{i}", cidrs=[f"10.42.{i}.0/24"]) for i in range(1, 4)]
    enis = [
        build.eni(f"eni-{i}", ip=f"10.0.{i // 3}.{i}", subnet="subnet-b" if i == 3 else "subnet-a") for i in (1, 2, 3)
    ]
    view = build.view(
        *(build.instance(f"i-n{i}", enis[i - 1]) for i in (1, 2, 3)),
        nodes=nodes,
        subnets=[("subnet-a", "10.0.0.0/24"), ("subnet-b", "10.0.1.0/24")],
    )
    report = diagnose(build.snapshot(*nodes, views=[view]))
    (finding,) = report.findings
    assert (finding.code, finding.node, finding.subject) == (Code.LAYER2_DIFFERENT, "n3", "subnet-b")
    assert "subnet-b (10.0.1.0/24) with 1 of 3 nodes" in finding.summary
    assert "2 are in subnet-a (10.0.0.0/24)" in finding.summary
    assert "this node is on the minority side" in finding.summary
    assert report.assessments[2].verdict is Verdict.BAD


def test_layer2_without_majority_concerns_both_sides() -> None:
    nodes = [build.node("n1"), build.node("n2", ip="10.0.1.5", cidrs=["10.42.2.0/24"])]
    view = build.view(
        build.instance("i-n1", build.eni("eni-1")),
        build.instance("i-n2", build.eni("eni-2", ip="10.0.1.5", subnet="subnet-b")),
        nodes=nodes,
    )
    findings = diagnose(build.snapshot(*nodes, views=[view])).findings
    assert [finding.node for finding in findings] == ["n1", "n2"]
    assert all("neither side is the minority" in finding.summary for finding in findings)


def test_layer2_is_judged_within_one_vpc_only() -> None:
    nodes = [build.node("n1"), build.node("n2", ip="10.0.1.5", cidrs=["10.42.2.0/24"])]
    view = build.view(
        build.instance("i-n1", build.eni("eni-1")),
        build.instance("i-n2", build.eni("eni-2", ip="10.0.1.5", subnet="subnet-b", network="vpc-2")),
        nodes=nodes,
    )
    assert diagnose(build.snapshot(*nodes, views=[view])).findings == ()


@pytest.mark.parametrize(
    ("ip", "subnets", "expected"),
    [
        ("10.0.0.4", [], ["unknown:layer2-different"]),
        ("10.0.0.4", ["10.0.0.0/24"], []),
        ("10.0.7.4", ["10.0.0.0/24"], ["error:layer2-different"]),
        ("10.0.0.4", ["10.0.0.0/24", "fd00::/64"], []),
        ("fd00::4", ["10.0.0.0/24", "fd00::/64"], []),
        ("fd00::4", ["10.0.0.0/24"], ["unknown:layer2-different"]),
    ],
)
def test_layer2_of_bare_metal_is_judged_against_the_given_subnets(
    ip: str, subnets: list[str], expected: list[str]
) -> None:
    node = build.node(ip=ip, provider_id=ProviderID.parse(""))
    scope = Scope(node_subnets=tuple(ip_network(cidr) for cidr in subnets))
    report = diagnose(build.snapshot(node, scope=scope))
    assert codes(report) == expected
    if not subnets:
        assert "--node-subnet" in report.findings[0].summary


def test_a_node_without_pod_cidr_is_new_not_broken() -> None:
    node = build.node(cidrs=[])
    view = build.view(build.instance("i-n1", build.eni()), nodes=[node])
    report = diagnose(build.snapshot(node, views=[view]))
    assert codes(report) == ["warning:podcidr-missing"]
    assert report.assessments[0].verdict is Verdict.NEW


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        (["10.42.1.0/24"], ["10.42.2.0/24"], False),
        (["10.42.1.0/24"], ["10.42.1.0/24"], True),
        (["10.42.0.0/16"], ["10.42.1.0/24"], True),
        (["10.42.1.0/24", "fd00:42:1::/64"], ["10.42.2.0/24", "fd00:42:1::/64"], True),
        (["10.42.1.0/24"], ["fd00:42:1::/64"], False),
    ],
)
def test_pod_cidrs_of_two_nodes(first: list[str], second: list[str], overlap: bool) -> None:
    nodes = [build.node("n1", cidrs=first), build.node("n2", ip="10.0.0.5", cidrs=second)]
    report = diagnose(build.snapshot(*nodes, scope=Scope(cloud=Cloud.NONE)))
    expected = ["error:podcidr-overlap"] if overlap else []
    for name in ("n1", "n2"):
        assert [code for code in codes(report, name) if "podcidr" in code] == expected


def test_an_overlap_hidden_behind_an_earlier_wide_range_is_found() -> None:
    ranges = ["10.42.0.0/16", "10.42.1.0/24", "10.42.200.0/24"]
    nodes = [build.node(f"n{i}", ip=f"10.0.0.{i + 4}", cidrs=[cidr]) for i, cidr in enumerate(ranges)]
    report = diagnose(build.snapshot(*nodes, scope=Scope(cloud=Cloud.NONE)))
    overlapping = {finding.node for finding in report.findings if finding.code is Code.PODCIDR_OVERLAP}
    assert overlapping == {"n0", "n1", "n2"}


def test_a_pod_cidr_that_holds_a_node_address_overlaps() -> None:
    nodes = [build.node("n1", cidrs=["10.0.0.0/24"]), build.node("n2", ip="10.0.0.5", cidrs=["10.42.2.0/24"])]
    report = diagnose(build.snapshot(*nodes, scope=Scope(cloud=Cloud.NONE)))
    overlaps = [finding for finding in report.findings if finding.code is Code.PODCIDR_OVERLAP]
    assert [finding.node for finding in overlaps] == ["n1"]
    assert "the address 10.0.0.4 of node n1" in overlaps[0].summary


def test_a_pod_cidr_inside_a_node_subnet_overlaps() -> None:
    node = build.node(cidrs=["10.0.0.128/25"])
    view = build.view(build.instance("i-n1", build.eni()), nodes=[node])
    assert codes(diagnose(build.snapshot(node, views=[view]))) == ["error:podcidr-overlap"]


def test_another_backend_is_a_warning_and_silences_the_rest() -> None:
    node = build.node(backend="vxlan")
    view = build.view(build.instance("i-n1", build.eni(forwards=False)), nodes=[node])
    report = diagnose(build.snapshot(node, views=[view]))
    assert codes(report) == ["warning:backend-not-host-gw"]
    assessment = report.assessments[0]
    assert (assessment.forwarding, assessment.layer2) == (Forwarding.NOT_REQUIRED, Layer2.NOT_REQUIRED)


def test_a_node_that_still_waits_for_its_pod_cidr_is_only_new() -> None:
    nodes, view = healthy_pair()
    new = replace(nodes[0], backend=None, pod_cidrs=())
    assert codes(diagnose(build.snapshot(new, nodes[1], views=[view]))) == ["warning:podcidr-missing"]


def test_a_missing_annotation_is_unknown_only_where_flannel_is_in_use() -> None:
    nodes, view = healthy_pair()
    mixed = (replace(nodes[0], backend=None), nodes[1])
    assert codes(diagnose(build.snapshot(*mixed, views=[view]))) == ["unknown:backend-not-host-gw"]
    none = tuple(replace(node, backend=None) for node in nodes)
    assert diagnose(build.snapshot(*none, views=[view])).findings == ()


NET = "projects/p/global/networks/n"


def gce(routes: list[Route] | None, *, others: tuple[Instance, ...] = ()) -> Report:
    node = build.node(provider_id=ProviderID.parse("gce://p/z/n1"))
    tables = None
    if routes is not None:
        tables = (RouteTable(id=NET, network=NET, subnets=None, routes=tuple(routes)),)
    vm = build.instance("p/z/n1", build.eni(network=NET), cloud=Cloud.GCE, running=True)
    return diagnose(
        build.snapshot(
            node, views=[build.view(vm, *others, nodes=[node], cloud=Cloud.GCE, name="gce:p", tables=tables)]
        )
    )


OTHER = build.instance("p/z/n2", build.eni(ip="10.0.0.9", network=NET), cloud=Cloud.GCE, running=True)
STOPPED = build.instance("p/z/n3", build.eni(ip="10.0.0.8", network=NET), cloud=Cloud.GCE, running=False)


@pytest.mark.parametrize(
    ("routes", "state", "expected"),
    [
        ([build.route("10.42.1.0/24", to="p/z/n1")], RouteState.OK, []),
        ([build.route("10.42.1.0/24", to="10.0.0.4", kind=NextHopKind.ADDRESS)], RouteState.OK, []),
        ([], RouteState.MISSING, ["error:route-missing"]),
        ([build.route("10.42.0.0/16", to="p/z/n1")], RouteState.MISSING, ["error:route-missing"]),
        ([build.route("10.42.1.0/24", to="p/z/n2")], RouteState.WRONG_NEXT_HOP, ["error:route-wrong-next-hop"]),
        ([build.route("10.42.1.0/24", to="p/z/n3")], RouteState.BLACKHOLE, ["error:route-blackhole"]),
        ([build.route("10.42.1.0/24", to="p/z/gone")], RouteState.BLACKHOLE, ["error:route-blackhole"]),
        ([build.route("10.42.1.0/24", to="p/z/n1", dead=True)], RouteState.BLACKHOLE, ["error:route-blackhole"]),
        (
            [build.route("10.42.1.0/24", to="p/z/n1"), build.route("10.42.1.0/24", to="p/z/n2", name="r2")],
            RouteState.DUPLICATE,
            ["error:route-duplicate"],
        ),
        (None, RouteState.UNKNOWN, ["unknown:route-missing"]),
    ],
)
def test_routes_of_a_network(routes: list[Route] | None, state: RouteState, expected: list[str]) -> None:
    report = gce(routes, others=(OTHER, STOPPED))
    assert report.assessments[0].routes[0].state is state
    assert codes(report) == expected


def test_every_pod_cidr_of_a_dual_stack_node_is_judged() -> None:
    node = build.node(cidrs=["10.42.1.0/24", "fd00:42:1::/64"], provider_id=ProviderID.parse("gce://p/z/n1"))
    table = RouteTable(id=NET, network=NET, subnets=None, routes=(build.route("10.42.1.0/24", to="p/z/n1"),))
    vm = build.instance("p/z/n1", build.eni(network=NET), cloud=Cloud.GCE, running=True)
    report = diagnose(build.snapshot(node, views=[build.view(vm, nodes=[node], cloud=Cloud.GCE, tables=(table,))]))
    assert [route.state for route in report.assessments[0].routes] == [RouteState.OK, RouteState.MISSING]
    assert report.findings[0].subject == "fd00:42:1::/64"


def test_every_table_that_serves_a_node_subnet_must_know_every_node() -> None:
    ids = [
        ProviderID.parse(f"azure:///subscriptions/s/resourceGroups/r/providers/m/virtualMachines/n{i}") for i in (1, 2)
    ]
    nodes = [
        build.node("n1", provider_id=ids[0]),
        build.node("n2", ip="10.0.1.4", cidrs=["10.42.2.0/24"], provider_id=ids[1]),
    ]
    vms = [
        build.instance(ids[0].key or "", build.eni("nic-1", subnet="s1", network="vnet"), cloud=Cloud.AZURE),
        build.instance(
            ids[1].key or "", build.eni("nic-2", ip="10.0.1.4", subnet="s2", network="vnet"), cloud=Cloud.AZURE
        ),
    ]
    hops = {"10.42.1.0/24": "10.0.0.4", "10.42.2.0/24": "10.0.1.4"}
    both = tuple(build.route(cidr, to=hop, kind=NextHopKind.ADDRESS) for cidr, hop in hops.items())
    tables = (
        RouteTable(id="t1", network="vnet", subnets=("s1",), routes=both),
        RouteTable(id="t2", network="vnet", subnets=("s2",), routes=both[1:]),
    )
    report = diagnose(build.snapshot(*nodes, views=[build.view(*vms, nodes=nodes, cloud=Cloud.AZURE, tables=tables)]))
    assert codes(report, "n1") == ["error:route-missing"]
    assert codes(report, "n2") == []


def test_findings_are_worst_first() -> None:
    nodes = [build.node("n1", cidrs=[]), build.node("n2", ip="10.0.0.5", cidrs=["10.42.2.0/24"])]
    view = build.view(
        build.instance("i-n1", build.eni("eni-1")),
        build.instance("i-n2", build.eni("eni-2", ip="10.0.0.5", forwards=False)),
        nodes=nodes,
    )
    severities = [finding.severity for finding in diagnose(build.snapshot(*nodes, views=[view])).findings]
    assert severities == [Severity.ERROR, Severity.WARNING]
