"""The detail of a node whose pods are delivered by routes: what was seen, what is left, and what the fix would do."""

import re
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network

from tests import build, build_azure
from tui.checks import diagnose
from tui.model.change import Change
from tui.model.finding import Assessment, Code, Finding, Forwarding, Layer2, PodRoute, Report, RouteState, Severity
from tui.model.naming import route_prefix
from tui.model.network import (
    Disruption,
    ForwardingSwitch,
    Instance,
    NetworkInterface,
    ReplaceMethod,
    Route,
    RouteQuota,
    RouteTable,
)
from tui.model.node import Cloud, Node
from tui.model.snapshot import Placement, PlacementState
from tui.model.witness import Witness
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


def azure(
    *nodes: Node,
    tables: tuple[RouteTable, ...] | None,
    subnets: Mapping[int, str | None],
    witnesses: tuple[Witness, ...] = (),
    vms: tuple[Instance, ...] = (),
    **changes: object,
) -> str:
    """Return the drawn chain of the first of these nodes; ``nN`` is in the subnet ``sN``."""
    machines = vms or tuple(build_azure.vm(node, subnet=int(node.name[1:])) for node in nodes)
    view = build_azure.view(machines, nodes=nodes, tables=tables, subnets=subnets)
    told = tuple(replace(subnet, **changes) for subnet in view.subnets or ())  # type: ignore[arg-type] # names as given
    report = diagnose(build_azure.snapshot(*nodes, views=[replace(view, subnets=told)]))
    report = replace(report, witnesses=witnesses)
    lines = detail(report.assessments[0], report, fix_key="f", full=False)
    assert all(line.text.isprintable() for line in lines)
    return "\n".join(line.text.strip() for line in lines)


N1, N2 = build_azure.node(1), build_azure.node(2, subnet=2)
OWN = build_azure.table("own", build_azure.route(1), build_azure.route(2, subnet=2), subnets=(1,))
OTHER = build_azure.table("other", build_azure.route(2, subnet=2), subnets=(2,))
BOTH = {1: "own", 2: "other"}


def test_on_azure_every_table_of_the_nodes_tells_what_it_has_for_the_range() -> None:
    text = azure(N1, N2, tables=(OTHER, OWN), subnets=BOTH)
    assert f"FIX ! Route {CIDR}  missing" in text
    assert text.split("missing\n")[1].startswith(
        "subnet g/v/s1: table g/own\n"
        "table g/own: 2 of 400 routes used\n"
        "r1 (foreign) → 10.0.1.1\n"
        "table g/other: 1 of 400 routes used\n"
        "no route for 10.42.1.0/24 in it\n"
    )


def test_a_subnet_without_a_table_is_told_and_what_would_give_it_one() -> None:
    text = azure(N1, tables=(), subnets={1: None})
    assert "subnet g/v/s1: no route table" in text
    assert re.search(r"^f makes the route table g/l2b-\w+-v with 1 route$", text, re.MULTILINE)
    assert re.search(r"^f attaches the route table g/l2b-\w+-v to subnet g/v/s1$", text, re.MULTILINE)
    unread = azure(N1, tables=None, subnets={})
    assert "subnet g/v/s1 was not read" in unread


def test_every_table_that_is_put_right_is_named() -> None:
    wrong = build_azure.table("own", build_azure.route(1, to="10.0.1.9"))
    text = azure(N1, N2, tables=(wrong, OTHER), subnets=BOTH)
    assert "f changes r1 in place: r1 → 10.0.1.1 in g/own" in text
    assert re.search(r"^f adds l2b-\S+ → 10\.0\.1\.1 in g/other$", text, re.MULTILINE)


def test_what_many_changes_would_do_is_told_in_a_few_lines() -> None:
    nodes = [build_azure.node(number, subnet=number) for number in range(1, 10)]
    empty = build_azure.table(f"{route_prefix(build.CLUSTER)}v", subnets=range(2, 10))
    text = azure(*nodes, tables=(empty,), subnets={1: None, **dict.fromkeys(range(2, 10), empty.name)})
    route = text.split(f"Route {CIDR}")[1]
    assert route.count("f adds ") == 6
    assert "and 4 more, all in the plan" in route


def test_what_the_cloud_says_of_interface_subnet_and_table_is_evidence() -> None:
    failed = "its last change failed\x1b[2J"
    (nic,) = build_azure.vm(N1).interfaces
    vm = replace(build_azure.vm(N1), interfaces=(replace(nic, trouble=failed),))
    text = azure(N1, tables=(replace(OWN, trouble=failed),), subnets={1: "own"}, vms=(vm,), trouble=failed)
    for what in ("interface", "subnet", "table"):
        assert f"the cloud says of this {what}: its last change failed" in text
    assert "the cloud says" not in azure(N1, tables=(OWN,), subnets={1: "own"})


def test_a_member_of_a_scale_set_names_it_where_forwarding_is_told() -> None:
    pool = f"{build_azure.GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/pool"
    vm = build_azure.vm(N1, forwards=False, scale_set=pool)
    switch = replace(vm.interfaces[0].switch, refusal="run az vmss update")
    vm = replace(vm, interfaces=(replace(vm.interfaces[0], switch=switch),))
    text = azure(N1, tables=(OWN,), subnets={1: "own"}, vms=(vm,))
    forwarding = text.split("Forwarding  OFF\n")[1].split("Route ")[0]
    assert "decided by the model of scale set g/pool" in forwarding
    assert forwarding.count("run az vmss update") == 1  # two findings have this obstacle
    assert "scale-set-member: the interface belongs to the uniform scale set pool" in text


def test_what_the_fabric_was_seen_to_do_is_told_of_routes_that_are_right() -> None:
    cidr = ip_network(CIDR)
    agrees = Witness(at=build.NOON, node="n2", interface="nic-n2", agrees=frozenset({cidr}), differs={})
    differs = replace(agrees, node="n\x1b3", agrees=frozenset(), differs={cidr: "10.0.0.0/8 to \x1bNone"})
    silent = replace(agrees, node="n4", agrees=frozenset())
    text = azure(N1, tables=(OWN,), subnets={1: "own"}, witnesses=(agrees, differs, silent))
    assert "the fabric agrees: seen from n2 at 12:00:00Z" in text
    assert re.search(r"the fabric disagrees: 10\.0\.0\.0/8 to \S*None, seen from n\S*3 at 12:00:00Z", text)
    assert "n4" not in text
    assert "fabric" not in azure(N1, tables=(OWN,), subnets={1: "own"})
    assert "fabric" not in azure(N1, N2, tables=(OWN, OTHER), subnets=BOTH, witnesses=(agrees,))


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
