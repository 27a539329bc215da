"""The detail of a node whose pods are delivered by routes: what was seen, what is left, and what the fix would do."""

from dataclasses import replace
from ipaddress import ip_network

from tests import build
from tui.model.change import Change
from tui.model.finding import Assessment, Code, Finding, Forwarding, Layer2, PodRoute, Report, RouteState, Severity
from tui.model.naming import route_prefix
from tui.model.network import (
    Disruption,
    ForwardingSwitch,
    NetworkInterface,
    ReplaceMethod,
    Route,
    RouteQuota,
    RouteTable,
)
from tui.model.node import Cloud
from tui.model.snapshot import Placement, PlacementState
from tui.screen.chain import detail
from tui.screen.cluster import cluster_lines
from tui.screen.format import counters

CIDR = "10.42.1.0/24"
NODE = build.node("n1")
OURS = replace(build.route(CIDR, to="p/z/n1", name=f"{route_prefix(build.CLUSTER)}x"))
FOREIGN = replace(
    build.route(CIDR, to="p/z/gone", name="by-hand", dead=True),
    priority=1000,
    tags=frozenset({"win"}),
    warning="NEXT_HOP_INSTANCE_NOT_FOUND",
)
SWITCH = ForwardingSwitch(subject="projects/p/zones/z/instances/n1", flag="canIpForward", inverted=False)
INTERFACE = replace(build.eni("nic0", network=build.NETWORK), switch=SWITCH)


def table(*routes: Route) -> RouteTable:
    quota = RouteQuota(name="ROUTES of projects/p", limit=250, used=37)
    return RouteTable(id=build.NETWORK, network=build.NETWORK, subnets=None, routes=routes, quota=quota)


def shown(
    *routes: Route,
    state: RouteState = RouteState.OK,
    remedy: tuple[Change, ...] = (),
    code: Code = Code.ROUTE_BLACKHOLE,
    interface: NetworkInterface = INTERFACE,
    fix_key: str | None = "f",
    forwarding: Forwarding = Forwarding.ON,
) -> str:
    """Return the drawn chain of a Compute Engine node whose range has these routes."""
    machine = replace(
        build.instance("p/z/n1", cloud=Cloud.GCE, running=True), interfaces=(interface,), id=SWITCH.subject
    )
    subject = CIDR if code is not Code.FORWARDING_OFF else SWITCH.subject
    finding = Finding(code=code, severity=Severity.ERROR, node="n1", subject=subject, summary="bad", remedy=remedy)
    seen = tuple((table(*routes), route) for route in routes)
    assessment = Assessment(
        node=NODE,
        cloud=Cloud.GCE,
        placement=Placement(
            state=PlacementState.FOUND, cloud=Cloud.GCE, source="gce:p", instance=machine, interface=interface
        ),
        subnet=None,
        forwarding=forwarding,
        layer2=Layer2.NOT_REQUIRED,
        routes=(PodRoute(pod_cidr=ip_network(CIDR), state=state, seen=seen),),
        findings=(finding,) if remedy else (),
    )
    view = build.view(machine, nodes=[NODE], cloud=Cloud.GCE, name="gce:p", tables=(table(*routes),))
    report = Report(
        snapshot=build.snapshot(NODE, views=[view]), assessments=(assessment,), findings=assessment.findings
    )
    return "\n".join(line.text for line in detail(assessment, report, fix_key=fix_key, full=False))


def test_a_route_is_shown_with_everything_that_decides_about_it() -> None:
    text = shown(FOREIGN, state=RouteState.BLACKHOLE, remedy=(build.replace_route(),))
    assert f"FIX ! Route {CIDR}  blackhole" in text
    assert "by-hand (foreign) → z/gone" in text
    assert "priority 1000 · only for VMs tagged win · the cloud warns: NEXT_HOP_INSTANCE_NOT_FOUND" in text
    assert "network net: 37 of 250 routes used (ROUTES of projects/p)" in text
    assert "read 12:00:00Z from gce:p" in text


def test_what_the_fix_will_do_stands_behind_its_key() -> None:
    assert "f adds new-n1 → z/n1 (priority 999), proves it, and then deletes old-n1" in shown(
        FOREIGN, state=RouteState.BLACKHOLE, remedy=(build.replace_route(),)
    )
    assert "f deletes old-n1 FIRST and then adds new-n1" in shown(
        FOREIGN,
        state=RouteState.BLACKHOLE,
        remedy=(build.replace_route(method=ReplaceMethod.DELETE_THEN_ADD),),
    )
    missing = shown(state=RouteState.MISSING, remedy=(build.create_route(),), code=Code.ROUTE_MISSING)
    assert "f adds new-n1 → z/n1 (priority 1000)" in missing
    assert "network net: 37 of 250 routes used" in missing
    both = shown(OURS, FOREIGN, state=RouteState.DUPLICATE, remedy=(build.delete_route(),), code=Code.ROUTE_DUPLICATE)
    assert "x (ours) → z/n1" in both
    assert "f deletes old-n1 → z/gone (priority 1000)" in both


def test_read_only_tells_the_plan_without_a_key() -> None:
    text = shown(FOREIGN, state=RouteState.BLACKHOLE, remedy=(build.replace_route(),), fix_key=None)
    assert "a plan adds new-n1" in text
    assert "f adds" not in text


def test_an_alias_range_needs_no_route() -> None:
    owning = replace(INTERFACE, owned_cidrs=(ip_network("10.42.0.0/16"),))
    text = shown(state=RouteState.NOT_REQUIRED, interface=owning)
    assert f"OK +  Route {CIDR}  delivered by the VM's own alias range" in text
    assert "alias range 10.42.0.0/16" in text
    assert "Route" not in shown(state=RouteState.NOT_REQUIRED)


def test_forwarding_says_what_it_costs_and_what_will_undo_it() -> None:
    switch = replace(SWITCH, caution="its instance template has the flag off")
    change = build.switch_on(flag="canIpForward", inverted=False, disruption=Disruption.REFRESH)
    text = shown(
        OURS,
        interface=replace(INTERFACE, forwards=False, switch=switch),
        forwarding=Forwarding.OFF,
        code=Code.FORWARDING_OFF,
        remedy=(change,),
    )
    assert "f sets canIpForward = true (disruption: refresh, the VM keeps running" in text
    assert "note: its instance template has the flag off" in text


def test_what_is_found_about_no_node_is_listed_with_what_to_do() -> None:
    def found(code: Code, *remedy: Change) -> Finding:
        return Finding(
            code=code, severity=Severity.WARNING, node=None, subject="s", summary=f"\x1b[2J {code}", remedy=remedy
        )

    findings = [
        found(Code.ROUTE_STRAY, build.delete_route(None)),
        replace(found(Code.ROUTE_QUOTA), obstacle="raise the quota X"),
        replace(found(Code.ROUTE_MISSING), node="n1"),
    ]
    lines = [line.text for line in cluster_lines(findings, writable=True)]
    assert lines[0].startswith("1 stray route lead")
    assert any(line.startswith(":prune plans the deletion") for line in lines)
    assert any("next: by hand: raise the quota X" in line for line in lines)
    assert not any("route-missing" in line for line in lines)
    assert all(line.isprintable() for line in lines)
    assert not any(":prune" in line.text for line in cluster_lines(findings, writable=False))
    assert [line.text for line in cluster_lines((), writable=True)] == ["Nothing: all that was found is about nodes."]


def test_the_counters_name_what_is_beside_the_nodes_and_warn_only_of_what_is_wrong() -> None:
    controller = Finding(
        code=Code.ROUTE_CONTROLLER_ACTIVE, severity=Severity.INFO, node=None, subject="s", summary="it writes them"
    )
    stray = replace(controller, code=Code.ROUTE_STRAY, severity=Severity.WARNING)
    report = Report(snapshot=build.snapshot(), assessments=(), findings=(controller,))
    assert counters(report).text == "0 nodes  1 route controller"
    report = replace(report, findings=(stray, stray, controller))
    assert counters(report).text == "0 nodes  2 stray routes, 1 route controller !"
