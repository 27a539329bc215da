"""One judgement after another: what is taken over from the last one must not change what is concluded."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from tests import build
from tests import build_azure as azure
from tests.test_rollout import Watch
from tests.test_worlds import GCE as SITE
from tests.test_worlds import machine
from tui.checks import Judgement, judge
from tui.engine.observer import CLOUD_INTERVAL_S
from tui.model.network import Instance, RouteTable
from tui.model.node import Cloud, Node, ProviderID
from tui.model.snapshot import CloudView, Scope, Snapshot, SourceState

AWS = tuple(build.node(f"a{n}", ip=f"10.0.0.{n}", cidrs=[f"10.41.{n}.0/24"]) for n in range(1, 4))
GCE = tuple(build.gce_node(n) for n in range(11, 15))
AZURE = tuple(azure.node(n) for n in range(21, 24))
BARE = (build.node("bare", ip="10.9.0.1", cidrs=["10.43.1.0/24"], provider_id=ProviderID.parse("")),)


def _views() -> tuple[CloudView, ...]:
    interfaces = [replace(build.eni(f"eni-{node.name}"), addresses=node.addresses) for node in AWS]
    instances = [build.instance(f"i-{node.name}", nic) for node, nic in zip(AWS, interfaces, strict=True)]
    gce_routes = [build.route(f"10.42.{n}.0/24", to=f"p/z/n{n}", name=f"r{n}", priority=1000) for n in range(11, 15)]
    azure_table = azure.table("t", *(azure.route(n) for n in range(21, 24)))
    return (
        build.view(*instances, nodes=AWS),
        build.view(
            *(build.gce_vm(n) for n in range(11, 15)),
            nodes=GCE,
            cloud=Cloud.GCE,
            name="gce:p",
            tables=(build.table(*gce_routes),),
        ),
        azure.view(map(azure.vm, AZURE), nodes=AZURE, tables=(azure_table,)),
    )


def start() -> Snapshot:
    """Return ten nodes of three clouds, of which each lacks nothing, and one of no cloud."""
    snapshot = build.snapshot(*AWS, *GCE, *AZURE, *BARE, views=_views())
    return replace(snapshot, cluster=replace(snapshot.cluster, pod_cidrs=(ip_network("10.40.0.0/13"),)))


Step = Callable[[Snapshot, int], Snapshot]


def _of_node(change: Callable[[Node], Node]) -> Step:
    def step(snapshot: Snapshot, pick: int) -> Snapshot:
        nodes = list(snapshot.nodes or ())
        if nodes:
            nodes[pick % len(nodes)] = change(nodes[pick % len(nodes)])
        return replace(snapshot, nodes=tuple(nodes))

    return step


def _leave(snapshot: Snapshot, pick: int) -> Snapshot:
    nodes = list(snapshot.nodes or ())
    gone = [nodes.pop(pick % len(nodes))] if nodes else []
    departed = snapshot.departed.union(*(node.pod_cidrs for node in gone))
    return replace(snapshot, nodes=tuple(nodes), departed=departed)


def _return(snapshot: Snapshot, pick: int) -> Snapshot:
    """Let a node that left come again: as another object, under the same name, of the same VM."""
    present = {node.name for node in snapshot.nodes or ()}
    gone = [node for node in (*AWS, *GCE, *AZURE, *BARE) if node.name not in present]
    come = [replace(gone[pick % len(gone)], uid=f"again-{pick}")] if gone else []
    return replace(snapshot, nodes=(*(snapshot.nodes or ()), *come))


def _swap(snapshot: Snapshot, pick: int) -> Snapshot:
    """Let two nodes take each other's pod CIDRs."""
    nodes = list(snapshot.nodes or ())
    if nodes:
        one, other = pick % len(nodes), (pick + 1) % len(nodes)
        mine, others = nodes[one].pod_cidrs, nodes[other].pod_cidrs
        nodes[one], nodes[other] = replace(nodes[one], pod_cidrs=others), replace(nodes[other], pod_cidrs=mine)
    return replace(snapshot, nodes=tuple(nodes))


def _of_view(change: Callable[[CloudView, int], CloudView]) -> Step:
    def step(snapshot: Snapshot, pick: int) -> Snapshot:
        views = list(snapshot.views)
        views[pick % len(views)] = change(views[pick % len(views)], pick // len(views))
        return replace(snapshot, views=tuple(views))

    return step


def _of_instance(change: Callable[[Instance], Instance]) -> Step:
    def changed(view: CloudView, pick: int) -> CloudView:
        instances = list(view.instances or ())
        if instances:
            instances[pick % len(instances)] = change(instances[pick % len(instances)])
        return replace(view, instances=tuple(instances))

    return _of_view(changed)


def _of_table(change: Callable[[RouteTable, int], RouteTable]) -> Step:
    return _of_view(
        lambda view, pick: replace(
            view, route_tables=tuple(change(table, pick) for table in view.route_tables or ()) or view.route_tables
        )
    )


def _lose_route(table: RouteTable, pick: int) -> RouteTable:
    return replace(table, routes=tuple(route for at, route in enumerate(table.routes) if at != pick % 4))


def _turn_route(table: RouteTable, pick: int) -> RouteTable:
    """Let a route lead to where another one does."""
    routes = list(table.routes)
    if routes:
        routes[0] = replace(routes[0], next_hop=routes[pick % len(routes)].next_hop)
    return replace(table, routes=tuple(routes))


def _limit_routes(table: RouteTable, _: int) -> RouteTable:
    return replace(table, routes=tuple(replace(route, tags=frozenset({"pods"})) for route in table.routes))


STEPS: tuple[Step, ...] = (
    _of_node(lambda node: replace(node, schedulable=not node.schedulable)),
    _of_node(lambda node: replace(node, ready=not node.ready)),
    _of_node(lambda node: replace(node, pod_cidrs=())),
    _of_node(lambda node: replace(node, addresses=())),
    _of_node(lambda node: replace(node, backend="vxlan" if node.backend == "host-gw" else "host-gw")),
    _of_node(lambda node: replace(node, provider_id=ProviderID.parse(""))),
    _of_node(lambda node: replace(node, network_reason="RouteCreated")),
    _leave,
    _return,
    _swap,
    lambda snapshot, pick: replace(snapshot, nodes=tuple(reversed(snapshot.nodes or ()))),
    lambda snapshot, pick: replace(snapshot, nodes=start().nodes if pick % 5 else None),
    lambda snapshot, pick: replace(snapshot, scope=Scope(cloud=list(Cloud)[pick % 4] if pick % 3 else None)),
    lambda snapshot, pick: replace(
        snapshot, nodes_source=replace(start().nodes_source, state=list(SourceState)[pick % 4])
    ),
    lambda snapshot, pick: replace(
        snapshot, cluster=replace(start().cluster, pod_cidrs=start().cluster.pod_cidrs * (pick % 2))
    ),
    lambda snapshot, pick: replace(snapshot, views=_views()),
    lambda snapshot, pick: replace(snapshot, views=snapshot.views[1:] or _views()),
    _of_instance(lambda vm: replace(vm, running=not vm.running)),
    _of_instance(lambda vm: replace(vm, tags=frozenset({"pods"}) - vm.tags)),
    _of_instance(
        lambda vm: replace(vm, interfaces=tuple(replace(nic, forwards=not nic.forwards) for nic in vm.interfaces))
    ),
    _of_instance(lambda vm: replace(vm, interfaces=())),
    _of_table(_lose_route),
    _of_table(_turn_route),
    _of_table(_limit_routes),
    _of_view(lambda view, _: replace(view, route_tables=None)),
    _of_view(lambda view, _: replace(view, complete=not view.complete)),
    _of_view(lambda view, _: replace(view, instances=None, source=replace(view.source, state=SourceState.DENIED))),
)


@given(st.lists(st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, 30)), min_size=1, max_size=12))
def test_a_judgement_after_others_is_the_one_that_a_first_look_gives(steps: list[tuple[int, int]]) -> None:
    snapshot = start()
    judged: Judgement = judge(snapshot)
    for which, pick in steps:
        snapshot = STEPS[which](snapshot, pick)
        judged, anew = judge(snapshot, judged), judge(snapshot)
        assert judged.report == anew.report
        assert judged.routing.answers == anew.routing.answers
        assert judged.routing.fabric.controller == anew.routing.fabric.controller


def test_a_node_event_makes_only_its_node_be_judged_anew() -> None:
    snapshot = start()
    last = judge(snapshot)
    for step in (STEPS[0], _leave, _return):
        snapshot = step(snapshot, 4)  # the one at this place, whose name is never one of the others
        next_ = judge(snapshot, last)
        others = next_.pod_routes.keys() & last.pod_routes.keys() - {GCE[1].uid}
        assert len(others) == 10
        for uid in others:
            assert next_.routing.joined.placements[uid] is last.routing.joined.placements[uid]
            assert next_.pod_routes[uid] is last.pod_routes[uid]
        last = next_


def test_what_the_clouds_told_stays_the_same_objects_until_it_is_read_again_or_too_old() -> None:
    watch = Watch(machine(0, SITE), machine(1, SITE))
    (first,) = watch.observer.snapshot().views
    watch.world.cordon("n0")
    watch.observer.list_nodes()
    snapshot = watch.observer.snapshot()
    assert [node.schedulable for node in snapshot.nodes or ()] == [False, True]
    assert snapshot.views[0] is first
    watch.world.clock.advance(3 * CLOUD_INTERVAL_S)
    assert watch.observer.snapshot().views[0].source.state is SourceState.STALE
    watch.look()
    assert watch.observer.snapshot().views[0].source.state is SourceState.OK
