"""The embedded Compute Engine's routes: writes and their refusals, late reads, warnings, history, the CLI twins."""

import shlex
from dataclasses import replace
from ipaddress import ip_network

import pytest

from tests.test_demo_ports import change_of
from tui.clouds.gce_forms import command as real_command
from tui.demo import Call, DemoWorld, RoutePlan, open_world
from tui.demo.sites import AZURE, COMPUTE_ENGINE, SHARED_HOST, SHARED_SERVICE
from tui.model.change import Change, CreateRoute, DeleteRoute, ReplaceRoute
from tui.model.naming import is_own, route_description, route_name
from tui.model.network import NextHop, NextHopKind, ReplaceMethod, Route, RouteTable
from tui.model.node import Cloud
from tui.model.snapshot import CloudView
from tui.ports import Conflict, Denied, Indeterminate, NotFound, Rejected

GCE, HOST = COMPUTE_ENGINE.source, SHARED_HOST.source
NETWORK = "projects/demo-project/global/networks/demo"
PREFIX = "projects/demo-project/global/routes/"


def world_of(name: str = "gce", *, echoes: int = 0) -> DemoWorld:
    world = open_world(name, latency=False)
    world.echoes = echoes
    return world


def hop_to(vm: str, project: str = "demo-project") -> NextHop:
    text = f"projects/{project}/zones/us-central1-a/instances/{vm}"
    return NextHop(kind=NextHopKind.INSTANCE, text=text, instance_key=f"{project}/us-central1-a/{vm}")


def route_of(name: str = "new", destination: str = "10.42.3.0/24", vm: str = "gce-linux-3") -> Route:
    return Route(name=name, destination=ip_network(destination), next_hop=hop_to(vm), priority=1000, description="it's")


def creation(route: Route, *, table: str = NETWORK, prefix: str = PREFIX, source: str = GCE) -> CreateRoute:
    cloud = Cloud(source.partition(":")[0])
    return CreateRoute(
        node=None,
        node_uid=None,
        cloud=cloud,
        source=source,
        subject=prefix + route.name,
        reason="",
        table=table,
        after=route,
    )


def views_of(world: DemoWorld, cloud: Cloud = Cloud.GCE) -> dict[str, CloudView]:
    return {view.source.name: view for view in world.reader(cloud).observe(world.nodes.list().nodes)}


def table_of(world: DemoWorld, source: str = GCE) -> RouteTable:
    (table,) = views_of(world)[source].route_tables or ()
    return table


def named(routes: tuple[Route, ...]) -> dict[str, Route]:
    return {route.name: route for route in routes}


def test_a_created_route_is_seen_and_a_deleted_one_is_not() -> None:
    world = world_of()
    change, reader, writer = creation(route_of()), world.reader(Cloud.GCE), world.writer(Cloud.GCE)
    before = world.routes(GCE)
    assert reader.read(change).routes == ()
    writer.write(change)
    (seen,) = reader.read(change).routes
    assert seen.same_as(change.after)
    assert (seen.token or "").isdecimal()
    assert world.routes(GCE) == (*before, seen)
    assert seen in table_of(world).routes
    writer.write(change.inverse())
    assert world.routes(GCE) == before
    assert reader.read(change).routes == ()


def test_a_read_is_about_all_routes_that_the_change_names() -> None:
    world = world_of()
    first, second = world.routes(GCE)[:2]
    change = replace(creation(first).inverse(), keeps=second)
    assert set(world.reader(Cloud.GCE).read(change).routes) == {first, second}
    system = next(route for route in table_of(world).routes if route.system)
    assert world.reader(Cloud.GCE).read(creation(system)).routes == (system,)


def test_a_recreated_route_has_another_token() -> None:
    world = world_of()
    first = world.put_route(GCE, route_of())
    world.drop_route(GCE, "new")
    assert world.put_route(GCE, route_of()).token != first.token
    again = world_of().put_route(GCE, route_of())
    assert again == first


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (replace(route_of(), destination=ip_network("10.128.3.0/24")), "10.128.0.0/20"),
        (route_of(vm="nobody"), "instances/nobody does not exist"),
        (replace(route_of(), next_hop=hop_to("gce-linux-3", "elsewhere")), "not of demo-project"),
    ],
)
def test_what_compute_engine_refuses(route: Route, said: str) -> None:
    world = world_of()
    with pytest.raises(Rejected, match=said):
        world.writer(Cloud.GCE).write(creation(route))
    assert len(world.table_history(GCE)) == 1


def test_a_taken_name_is_a_conflict() -> None:
    world = world_of()
    for taken in (world.routes(GCE)[0].name, "default-route-internet"):
        with pytest.raises(Conflict):
            world.writer(Cloud.GCE).write(creation(route_of(taken)))


def test_an_absent_route_and_an_unknown_network_are_not_found() -> None:
    world = world_of()
    with pytest.raises(NotFound):
        world.writer(Cloud.GCE).write(creation(route_of()).inverse())
    with pytest.raises(NotFound):
        world.writer(Cloud.GCE).write(creation(route_of(), table="projects/demo-project/global/networks/other"))
    assert world.reader(Cloud.GCE).read(creation(route_of()).inverse()).routes == ()


def test_what_the_cloud_itself_made_cannot_be_deleted() -> None:
    world = world_of()
    system = next(route for route in table_of(world).routes if route.system)
    with pytest.raises(Rejected, match="cloud's own"):
        world.writer(Cloud.GCE).write(creation(system).inverse())


def test_a_route_cannot_be_changed_in_place() -> None:
    world = world_of()
    change = replacement(world)
    with pytest.raises(Rejected, match="cannot be changed"):
        world.writer(Cloud.GCE).write(change)


def replacement(world: DemoWorld) -> ReplaceRoute:
    create = creation(replace(route_of(vm="gce-linux-4"), destination=ip_network("10.42.4.0/24"), priority=999))
    old = next(route for route in world.routes(GCE) if route.destination == create.after.destination)
    return ReplaceRoute(
        node="gce-linux-4",
        node_uid=world.node("gce-linux-4").uid,
        cloud=create.cloud,
        source=create.source,
        subject=create.subject,
        reason="",
        table=create.table,
        before=old,
        after=create.after,
        method=ReplaceMethod.ADD_THEN_DELETE,
        old_subject=PREFIX + old.name,
    )


def test_the_quota_counts_every_route_and_its_end_is_told() -> None:
    world = world_of("quota")
    quota = table_of(world).quota
    assert quota is not None
    assert (quota.name, quota.limit, quota.used, quota.free) == ("ROUTES of projects/demo-project", 4, 4, 0)
    change = creation(route_of(destination="10.42.2.0/24", vm="gce-linux-2"))
    with pytest.raises(Rejected, match=r"ROUTES of projects/demo-project is at its limit of 4"):
        world.writer(Cloud.GCE).write(change)
    world.drop_route(GCE, world.routes(GCE)[0].name)
    world.writer(Cloud.GCE).write(change)


@pytest.mark.parametrize("echoes", [0, 1, 2])
def test_reads_after_a_write_may_be_late(echoes: int) -> None:
    world = world_of(echoes=echoes)
    change = creation(route_of())
    world.writer(Cloud.GCE).write(change)
    assert "new" in named(world.routes(GCE))
    seen = [bool(world.reader(Cloud.GCE).read(change).routes) for _ in range(echoes + 1)]
    assert seen == [False] * echoes + [True]
    world.writer(Cloud.GCE).write(change.inverse())
    observed = ["new" in named(table_of(world).routes) for _ in range(echoes + 1)]
    assert observed == [True] * echoes + [False]


def test_what_others_do_is_seen_at_once() -> None:
    world = world_of(echoes=2)
    world.writer(Cloud.GCE).write(creation(route_of()))
    world.put_route(GCE, route_of("theirs"))
    assert {"new", "theirs"} <= set(named(table_of(world).routes))


def test_a_write_may_take_effect_although_it_fails() -> None:
    world = world_of()
    change = creation(route_of())
    world.fail_next(Call.WRITE, Indeterminate("the answer was lost"), done=True)
    with pytest.raises(Indeterminate):
        world.writer(Cloud.GCE).write(change)
    assert "new" in named(world.routes(GCE))
    world.lose(GCE, Denied("no"))
    with pytest.raises(Denied):
        world.writer(Cloud.GCE).write(change.inverse())
    with pytest.raises(Denied):
        world.reader(Cloud.GCE).read(change)


def test_every_state_of_a_table_is_remembered() -> None:
    world = world_of(echoes=1)
    start = world.routes(GCE)
    world.writer(Cloud.GCE).write(creation(route_of()))
    world.put_route(GCE, RoutePlan(name="theirs", destination="10.9.0.0/16", to="default-internet-gateway"))
    world.drop_route(GCE, "new")
    states = [[route.name for route in state if route not in start] for state in world.table_history(GCE)]
    assert states == [[], ["new"], ["new", "theirs"], ["theirs"]]
    assert world.table_history(GCE)[0] == start


def test_warnings_say_what_is_wrong_with_a_next_hop() -> None:
    world = world_of()
    world.put_route(GCE, route_of("to-nobody", vm="nobody"))
    world.put_route(GCE, route_of("to-one-that-may-not", vm="gce-win-1"))
    world.put_route(GCE, RoutePlan(name="to-an-address", destination="10.42.3.0/24", to="10.128.0.99"))
    world.put_route(GCE, RoutePlan(name="to-a-held-address", destination="10.42.3.0/24", to="10.128.0.13"))
    world.put_route(GCE, RoutePlan(name="out", destination="10.9.0.0/16", to="default-internet-gateway"))
    machine = next(machine for machine in world.scenario.machines if machine.name == "gce-linux-3")
    world.add_node(replace(machine, name="stopped", addresses=("10.128.0.77",), running=False))
    world.put_route(GCE, route_of("to-a-stopped-one", vm="stopped"))
    seen = {route.name: (route.dead, route.warning) for route in table_of(world).routes}
    assert seen["to-nobody"] == (True, "NEXT_HOP_INSTANCE_NOT_FOUND")
    assert seen["to-a-stopped-one"] == (True, "NEXT_HOP_NOT_RUNNING")
    assert seen["to-one-that-may-not"] == (False, "NEXT_HOP_CANNOT_IP_FORWARD")
    assert seen["to-an-address"] == (True, "NEXT_HOP_ADDRESS_NOT_ASSIGNED")
    assert seen["to-a-held-address"] == seen["out"] == seen["default-route-internet"] == (False, None)


def test_right_routes_are_the_clusters_own_and_named_as_this_program_names_them() -> None:
    world = world_of()
    cluster = replace(world.nodes.cluster(), uid=world.nodes.facts().uid)
    node = world.node("gce-linux-1")
    (cidr,) = node.pod_cidrs
    routes = named(world.routes(GCE))
    route = routes[route_name(cluster, cidr, hop_to("gce-linux-1"), node)]
    assert (route.destination, route.description) == (cidr, route_description(cluster, cidr, node))
    assert [name for name in routes if not is_own(cluster, name)] == ["legacy-pods-6"]


def test_an_active_route_controller_leaves_its_marks() -> None:
    world = world_of("controller")
    facts = world.nodes.facts()
    assert "--configure-cloud-routes=true" in (facts.route_controller or "")
    cluster = replace(world.nodes.cluster(), uid=facts.uid)
    assert {route.description for route in world.routes(GCE)} == {"k8s-node-route"}
    assert not any(is_own(cluster, route.name) for route in world.routes(GCE))
    reasons = {node.name: node.network_reason for node in world.nodes.list().nodes}
    assert reasons == {
        "gce-linux-1": "RouteCreated",
        "gce-linux-2": "RouteCreated",
        "gce-linux-3": "NoRouteCreated",
    }
    without = world_of("mixed").nodes
    assert without.facts().route_controller is None
    assert {node.network_reason for node in without.list().nodes} == {"FlannelIsUp", None}


def test_the_routes_of_a_shared_vpc_are_in_its_host_project() -> None:
    world = world_of("shared-vpc")
    views = views_of(world)
    service, host = views[SHARED_SERVICE.source], views[HOST]
    assert (service.route_tables, service.subnets) == ((), ())
    assert (host.instances, host.node_uids, host.routed_uids) == ((), frozenset(), service.node_uids)
    (table,) = host.route_tables or ()
    assert table.id == table.network == "projects/demo-host/global/networks/shared"
    assert table.route_prefix == "projects/demo-host/global/routes/"
    for instance in service.instances or ():
        (interface,) = instance.interfaces
        assert (interface.network, interface.routed_by) == (table.id, NextHopKind.ADDRESS)
    warnings = {str(route.destination): route.warning for route in world.routes(HOST)}
    assert warnings == {
        "10.42.1.0/24": None,
        "10.42.3.0/24": None,
        "10.42.4.0/24": "NEXT_HOP_ADDRESS_NOT_ASSIGNED",
        "10.42.5.0/24": "NEXT_HOP_CANNOT_IP_FORWARD",
    }
    by_instance = creation(
        replace(route_of(), next_hop=hop_to("svc-linux-2", "demo-service")), table=table.id, source=HOST
    )
    with pytest.raises(Rejected, match="address instead"):
        world.writer(Cloud.GCE).write(by_instance)


def test_a_host_project_may_be_lost_alone() -> None:
    world = world_of("shared-vpc")
    world.lose(HOST, Denied("compute.routes.list is missing on demo-host"))
    views = views_of(world)
    assert views[SHARED_SERVICE.source].instances
    assert views[HOST].route_tables is None


# The CLI twins.


def words_of(world: DemoWorld, change: CreateRoute | DeleteRoute | ReplaceRoute) -> list[str]:
    return shlex.split(world.reader(change.cloud).command(change))


def test_the_gcloud_twins_of_routes() -> None:
    world = world_of()
    change = creation(replace(route_of(), tags=frozenset({"b", "a"})))
    create = words_of(world, change)
    assert create == [
        *("gcloud", "compute", "routes", "create", "new", "--project=demo-project", "--network=demo"),
        *("--destination-range=10.42.3.0/24", "--priority=1000", "--next-hop-instance=gce-linux-3"),
        *("--next-hop-instance-zone=us-central1-a", "--description=it's", "--tags=a,b", "--quiet"),
    ]
    delete = words_of(world, change.inverse())
    assert delete == ["gcloud", "compute", "routes", "delete", "new", "--project=demo-project", "--quiet"]


def test_the_twin_of_a_replacement_is_both_lines_and_the_second_only_after_the_first() -> None:
    world = world_of()
    change = replacement(world)
    words = words_of(world, change)
    assert words.index("create") < words.index("&&") < words.index("delete")
    words = words_of(world, replace(change, method=ReplaceMethod.DELETE_THEN_ADD))
    assert words.index("delete") < words.index("&&") < words.index("create")
    assert "&&" in words_of(world, replace(change, method=ReplaceMethod.IN_PLACE))


def test_twins_lead_to_addresses_and_gateways_too() -> None:
    world = world_of("shared-vpc")
    address = next(route for route in world.routes(HOST) if route.warning is None)
    change = creation(address, table="projects/demo-host/global/networks/shared", source=HOST)
    words = words_of(world, change)
    assert {"--project=demo-host", "--network=shared", f"--next-hop-address={address.next_hop.address}"} <= set(words)
    gateway = replace(
        change,
        after=replace(address, next_hop=NextHop(kind=NextHopKind.OTHER, text="projects/p/global/gateways/a; reboot")),
    )
    assert "--next-hop-gateway=a; reboot" in words_of(world, gateway)


def test_the_twins_are_those_of_the_real_cloud() -> None:
    world = world_of("shared-vpc")
    (table,) = views_of(world)[HOST].route_tables or ()
    changes: list[Change] = []
    for route in (route for route in table.routes if not route.system):
        change = creation(route, table=table.id, prefix=table.route_prefix, source=HOST)
        changes += [change, change.inverse(), replace(change, after=replace(route, tags=frozenset({"a", "b"})))]
    changes += [creation(route_of()), *(change_of(world_of(), "gce-win-1", after=after) for after in (True, False))]
    for wanted in changes:
        assert world.reader(Cloud.GCE).command(wanted) == real_command(wanted)


def test_the_az_twins_of_routes() -> None:
    world = world_of("mixed")
    (table,) = views_of(world, Cloud.AZURE)[AZURE.source].route_tables or ()
    route = table.routes[0]
    change = creation(route, table=table.id, prefix=table.route_prefix, source=AZURE.source)
    scope = ["--subscription", AZURE.scope, "--resource-group", "demo-rg", "--route-table-name", "demo-routes"]
    start = ["az", "network", "route-table", "route"]
    rest = ["--address-prefix", str(route.destination), "--next-hop-type", "VirtualAppliance"]
    rest += ["--next-hop-ip-address", str(route.next_hop.address)]
    assert words_of(world, change) == [*start, "create", *scope, "--name", route.name, *rest]
    assert words_of(world, change.inverse()) == [*start, "delete", *scope, "--name", route.name]
    in_place = ReplaceRoute(
        node=None,
        node_uid=None,
        cloud=Cloud.AZURE,
        source=change.source,
        subject=change.subject,
        reason="",
        table=table.id,
        before=route,
        after=route,
        method=ReplaceMethod.IN_PLACE,
        old_subject=change.subject,
    )
    assert words_of(world, in_place) == [*start, "update", *scope, "--name", route.name, *rest]
