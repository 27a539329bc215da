"""What routes are held against: containment, tables that serve a node, next hops, tags, and other writers."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import build
from tui.model.fabric import Fabric, Life
from tui.model.joined import Joined
from tui.model.network import Instance, NextHopKind, Route, RouteTable
from tui.model.node import Cloud, Node, ProviderID, contains
from tui.model.ranges import Ranges
from tui.model.snapshot import CloudView, SourceState

CIDR = "10.42.9.0/24"
networks = st.builds(
    IPv4Network, st.tuples(st.integers(0, 15).map(lambda n: n << 28), st.integers(0, 8)), st.just(False)
)


@given(st.lists(networks), networks)
def test_ranges_answer_as_a_comparison_with_all_does(members: list[IPv4Network], asked: IPv4Network) -> None:
    ranges = Ranges.of(members)
    assert set(ranges.around(asked)) == {member for member in members if contains(member, asked)}
    assert set(ranges.wider(asked)) == {member for member in members if contains(member, asked) and member != asked}
    assert ranges.within(asked) is any(contains(asked, member) for member in members)
    other = ip_network("::/0")
    assert not any(ranges.around(other))
    assert not any(ranges.wider(other))
    assert not ranges.within(other)


def view(
    *vms: Instance, nodes: Iterable[Node], tables: tuple[RouteTable, ...] | None, name: str = "gce:p", **changes: object
) -> CloudView:
    made = build.view(*vms, nodes=nodes, cloud=Cloud.GCE, name=name, tables=tables)
    return replace(made, **changes)  # type: ignore[arg-type] # names are checked at run time


def fabric(*nodes: Node, views: Iterable[CloudView]) -> Fabric:
    return Fabric.of(Joined.of(build.snapshot(*nodes, views=views)))


def lives(route: Route, *vms: Instance, complete: bool = True) -> Life:
    node = build.gce_node()
    made = fabric(node, views=[view(build.gce_vm(), *vms, nodes=[node], tables=(build.table(),), complete=complete)])
    return made.life(route, made.tables[build.NETWORK])


@pytest.mark.parametrize(
    ("route", "complete", "expected"),
    [
        (build.route(CIDR, to="p/z/n1"), True, Life.RUNS),
        (build.route(CIDR, to="p/z/n2"), True, Life.STOPPED),
        (build.route(CIDR, to="p/z/gone"), True, Life.GONE),
        (build.route(CIDR, to="p/z/gone"), False, Life.UNSEEN),
        (build.route(CIDR, to="p/z/gone", dead=True), False, Life.DEAD),
        (build.route(CIDR, to="another/z/vm"), True, Life.UNSEEN),
        (build.route(CIDR, to="p/z/n1", dead=True), True, Life.DEAD),
        (build.route(CIDR, to="10.0.0.1", kind=NextHopKind.ADDRESS), True, Life.RUNS),
        (build.route(CIDR, to="10.0.0.2", kind=NextHopKind.ADDRESS), True, Life.STOPPED),
        (build.route(CIDR, to="10.0.0.77", kind=NextHopKind.ADDRESS), True, Life.UNSEEN),
        (build.route(CIDR, to="10.0.0.77", kind=NextHopKind.ADDRESS, dead=True), True, Life.DEAD),
        (build.route(CIDR, to="10.0.0.77", kind=NextHopKind.ADDRESS), False, Life.UNSEEN),
        (build.route(CIDR, to="10.9.9.9", kind=NextHopKind.ADDRESS), True, Life.UNSEEN),
        (build.route(CIDR, to="vpn", kind=NextHopKind.OTHER), True, Life.RUNS),
        (build.route(CIDR, to="vpn", kind=NextHopKind.OTHER, dead=True), True, Life.DEAD),
    ],
)
def test_the_life_of_a_next_hop(route: Route, complete: bool, expected: Life) -> None:
    elsewhere = build.instance("p/z/other", build.eni(ip="10.9.9.9", network="another"), cloud=Cloud.GCE, running=True)
    assert lives(route, build.gce_vm(2, running=False), elsewhere, complete=complete) is expected


def test_the_same_address_in_two_networks_is_two_machines() -> None:
    node = build.gce_node(2)
    double = build.instance("p/z/double", build.eni(ip="10.0.0.1", network="another"), cloud=Cloud.GCE, running=False)
    tables = (build.table(), build.table(id="another", network="another"))
    made = fabric(node, views=[view(build.gce_vm(1), build.gce_vm(2), double, nodes=[node], tables=tables)])
    hop = build.route(CIDR, to="10.0.0.1", kind=NextHopKind.ADDRESS)
    assert made.life(hop, made.tables[build.NETWORK]) is Life.RUNS
    assert made.life(hop, made.tables["another"]) is Life.STOPPED


def test_a_shared_network_is_served_by_the_host_projects_table() -> None:
    node = build.gce_node()
    service = view(build.gce_vm(), nodes=[node], tables=(build.table(id="own", network="own"),))
    host = view(nodes=[], tables=(build.table(),), name="gce:host")
    joined = Joined.of(build.snapshot(node, views=[service, host]))
    made = Fabric.of(joined)
    tables = made.serving(joined.placements[node.uid])
    assert tables is not None
    assert [(held.table.id, held.view.source.name) for held in tables] == [(build.NETWORK, "gce:host")]
    assert [held.table.id for held in made.serving_any()] == [build.NETWORK]
    unread = Fabric.of(Joined.of(build.snapshot(node, views=[service, replace(host, route_tables=None)])))
    assert unread.serving(joined.placements[node.uid]) is None


def test_a_host_project_that_nobody_asked_for_vms_proves_nothing_gone() -> None:
    node = build.gce_node()
    service = view(build.gce_vm(), nodes=[node], tables=())
    host = view(nodes=[], tables=(build.table(),), name="gce:host")
    made = Fabric.of(Joined.of(build.snapshot(node, views=[service, host])))
    held = made.tables[build.NETWORK]
    assert made.life(build.route(CIDR, to="host/z/vm"), held) is Life.UNSEEN
    assert made.life(build.route(CIDR, to="10.0.0.99", kind=NextHopKind.ADDRESS), held) is Life.UNSEEN


@pytest.mark.parametrize(
    ("tags", "first", "second", "expected"),
    [
        ([], [], [], (True, True)),
        (["a"], [], [], (False, False)),
        (["a"], ["a"], [], (True, False)),
        (["a", "b"], ["a"], ["b", "c"], (True, True)),
    ],
)
def test_to_whom_a_tagged_route_applies(
    tags: list[str], first: list[str], second: list[str], expected: tuple[bool, bool]
) -> None:
    nodes = [build.gce_node(1), build.gce_node(2)]
    bystander = build.gce_vm(3, tags=["a", "b", "c"])
    vms = (build.gce_vm(1, tags=first), build.gce_vm(2, tags=second), bystander)
    joined = Joined.of(build.snapshot(*nodes, views=[view(*vms, nodes=nodes, tables=(build.table(),))]))
    route = build.route(CIDR, to="p/z/n1", tags=tags)
    assert Fabric.of(joined).applies(route, joined.placements["uid-n1"]) == expected


UID = "9a7b6c5d-0000-4000-8000-00000000beef"
MARKED = build.route("10.42.1.0/24", to="p/z/n1", name=f"kubernetes-{UID}", description="k8s-node-route")


@pytest.mark.parametrize(
    ("reason", "message", "told", "route", "expected"),
    [
        ("RouteCreated", "RouteController created a route", None, None, "n1 has the reason RouteCreated"),
        ("NoRouteCreated", "RouteController failed to create a route", None, None, "the reason NoRouteCreated"),
        ("NoRouteCreated", "Node created without a route", None, None, None),
        ("FlannelIsUp", "Flannel is running on this node", None, None, None),
        ("FlannelIsUp", None, "pod kcm runs with --configure-cloud-routes", None, "pod kcm runs with"),
        (None, None, None, MARKED, f"route kubernetes-{UID} is marked k8s-node-route"),
        ("FlannelIsUp", None, None, MARKED, f"route kubernetes-{UID} is marked k8s-node-route"),
        (None, None, None, replace(MARKED, name="kubernetes-of-a-node-that-is-gone"), None),
        (None, None, None, replace(MARKED, description=""), None),
        (None, None, None, None, None),
    ],
)
def test_evidence_of_a_route_controller(
    reason: str | None, message: str | None, told: str | None, route: Route | None, expected: str | None
) -> None:
    node = replace(build.gce_node(), uid=UID, network_reason=reason, network_message=message)
    tables = (build.table(*(() if route is None else (route,))),)
    snapshot = build.snapshot(node, views=[view(build.gce_vm(), nodes=[node], tables=tables)])
    snapshot = replace(snapshot, cluster=replace(snapshot.cluster, route_controller=told))
    evidence = Fabric.of(Joined.of(snapshot)).controller
    assert (evidence is None) if expected is None else (evidence is not None and expected in evidence)


def test_a_route_controller_concerns_clouds_with_routes_only() -> None:
    node = build.node(network_reason="RouteCreated")
    assert fabric(node, views=[]).controller is None
    elsewhere = replace(node, provider_id=ProviderID.parse("azure:///subscriptions/s/x"))
    assert fabric(elsewhere, views=[]).controller is not None


def test_a_gap_is_named() -> None:
    node = build.gce_node()
    whole = view(build.gce_vm(), nodes=[node], tables=(build.table(),))
    snapshot = build.snapshot(node, views=[whole])
    stale = replace(snapshot.nodes_source, state=SourceState.STALE)

    def gap(**changes: object) -> str | None:
        changed = replace(snapshot, **changes)  # type: ignore[arg-type] # names are checked at run time
        return Fabric.of(Joined.of(changed)).gap({"gce:p"})

    assert gap() is None
    assert gap(nodes_source=stale) == "the list of nodes is stale"
    assert gap(nodes=()) == "the API server told of no nodes"
    assert gap(views=(replace(whole, complete=False),)) == "gce:p answered only in part"
    denied = replace(whole, source=replace(whole.source, state=SourceState.DENIED))
    assert gap(views=(denied,)) == "gce:p is denied"
    assert Fabric.of(Joined.of(replace(snapshot, views=(denied,)))).gap({"gce:another"}) is None
