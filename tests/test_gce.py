"""Compute Engine over HTTP: what is read, with how many calls, and how nodes find their VMs in it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_network

import pytest

from tests import build
from tests.wire.gce import ZONE, ComputeServer, Nic, fresh_gce  # noqa: F401 - the fixture
from tui.clouds.gce import GceReader, GceWriter
from tui.model.joined import Joined
from tui.model.network import Disruption, NextHopKind, RouteQuota
from tui.model.node import Cloud, Node, ProviderID
from tui.model.snapshot import CloudView, Placement, PlacementState, Scope, SourceState
from tui.ports import CloudOptions, CloudReader, CloudWriter

INSTANCES, SUBNETWORKS = "compute.instances.aggregatedList", "compute.subnetworks.aggregatedList"
ROUTES, PROJECT = "compute.routes.list", "compute.projects.get"


def named(name: str = "n1", *, ip: str = "10.0.0.11", project: str = "p", zone: str = ZONE) -> Node:
    return build.node(name, ip=ip, provider_id=ProviderID.parse(f"gce://{project}/{zone}/{name.partition('.')[0]}"))


def nameless(name: str = "n1", *, ip: str = "10.0.0.11") -> Node:
    return build.node(name, ip=ip, provider_id=ProviderID.parse(""))


def observe(*nodes: Node, project: str | None = None) -> tuple[CloudView, ...]:
    return GceReader(CloudOptions(gcp_project=project)).observe(nodes)


def place(node: Node, views: Sequence[CloudView]) -> Placement:
    return Joined.of(build.snapshot(node, views=views, scope=Scope(cloud=Cloud.GCE))).placements[node.uid]


def test_the_adapter_fits_the_ports() -> None:
    ports: tuple[CloudReader, CloudWriter] = (GceReader(CloudOptions()), GceWriter(CloudOptions()))
    assert all(ports)


def test_a_project_is_read_into_instances_subnets_and_the_routes_of_its_network(gce: ComputeServer) -> None:
    gce.network(ranges=("10.0.0.0/24",))
    gce.instance("n1", ip="10.0.0.11", tags=("web",))
    gce.route("r1", "10.42.1.0/24", instance="n1", priority=900, description="mine", tags=("web",))
    (view,) = observe(named())
    assert (view.source.name, view.source.state, view.source.message) == ("gce:p", SourceState.OK, None)
    assert view.source.observed_at is not None
    assert (view.node_uids, view.routed_uids, view.complete) == (frozenset({"uid-n1"}), frozenset(), True)
    (seen,) = view.instances or ()
    assert (seen.id, seen.key) == (f"projects/p/zones/{ZONE}/instances/n1", f"p/{ZONE}/n1")
    assert (seen.name, seen.zone, seen.running, seen.tags) == ("n1", ZONE, True, frozenset({"web"}))
    (interface,) = seen.interfaces
    assert (interface.id, interface.network) == ("nic0", "projects/p/global/networks/default")
    assert interface.subnet == "projects/p/regions/europe-west1/subnetworks/default"
    assert (interface.addresses, interface.forwards) == ((ip_address("10.0.0.11"),), False)
    assert interface.routed_by is NextHopKind.INSTANCE
    switch = interface.switch
    assert (switch.subject, switch.flag, switch.inverted) == (seen.id, "canIpForward", False)
    assert (switch.disruption, switch.refusal) == (Disruption.REFRESH, None)
    assert switch.token == gce.raw_instance("n1")["fingerprint"]
    (subnet,) = view.subnets or ()
    assert (subnet.id, subnet.network, subnet.cidrs) == (
        interface.subnet,
        interface.network,
        (ip_network("10.0.0.0/24"),),
    )
    (table,) = view.route_tables or ()
    assert (table.id, table.network, table.subnets) == (interface.network, interface.network, None)
    assert table.route_prefix == "projects/p/global/routes/"
    assert table.quota == RouteQuota(name="ROUTES of projects/p", limit=250, used=2)
    (route,) = [route for route in table.routes if route.name == "r1"]
    assert (route.destination, route.priority, route.description) == (ip_network("10.42.1.0/24"), 900, "mine")
    assert (route.tags, route.system, route.dead) == (frozenset({"web"}), False, False)
    assert route.warning == "NEXT_HOP_CANNOT_IP_FORWARD"
    assert (route.next_hop.kind, route.next_hop.instance_key) == (NextHopKind.INSTANCE, seen.key)
    assert {route.name: route.system for route in table.routes if route.destination.prefixlen in {0, 24}}
    assert place(named(), [view]).interface == interface


def test_no_nodes_are_no_calls(gce: ComputeServer) -> None:
    assert observe() == ()
    assert not gce.requests


def test_calls_grow_with_pages_and_not_with_nodes(gce: ComputeServer) -> None:
    gce.network(ranges=("10.0.0.0/16",))
    nodes = []
    for number in range(501):
        ip = f"10.0.{number // 250}.{number % 250 + 2}"
        gce.instance(f"n{number}", ip=ip, forwards=True)
        nodes.append(named(f"n{number}", ip=ip))
    (view,) = observe(*nodes)
    assert len(view.instances or ()) == 501
    assert gce.count() == {INSTANCES: 2, SUBNETWORKS: 1, ROUTES: 1, PROJECT: 1}
    observe(nodes[0])
    assert gce.count() == {INSTANCES: 2, SUBNETWORKS: 1, ROUTES: 1, PROJECT: 1}


def test_lists_are_asked_for_in_the_largest_pages_and_in_parts(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11", forwards=True)
    observe(named())
    (listed,) = [request for request in gce.requests if request.id == INSTANCES]
    assert (listed.query["maxResults"], listed.query["returnPartialSuccess"]) == ("500", "true")
    assert "metadata" not in listed.query["fields"]


def test_a_node_without_provider_id_is_found_by_its_address_in_the_given_project(gce: ComputeServer) -> None:
    gce.instance("vm-1", ip="10.0.0.11")
    node = nameless("n1.example.com")
    views = observe(node, project="p")
    placed = place(node, views)
    assert placed.instance is not None
    assert placed.instance.name == "vm-1"
    assert [table.id for table in views[0].route_tables or ()] == ["projects/p/global/networks/default"]


def test_a_node_named_by_its_domain_is_found_by_its_provider_id(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    node = named("n1.c.p.internal")
    assert place(node, observe(node)).state is PlacementState.FOUND


def test_a_node_whose_project_nothing_tells_asks_for_it_and_guesses_nothing(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    known, unknown, view = named(), nameless("n2"), observe(named(), nameless("n2"))[1]
    assert (view.source.name, view.source.state) == ("gce:unknown", SourceState.UNAVAILABLE)
    assert "--gcp-project" in (view.source.message or "")
    assert (view.node_uids, view.instances, view.route_tables) == (frozenset({unknown.uid}), None, None)
    assert place(known, observe(known, unknown)).state is PlacementState.FOUND
    assert place(unknown, observe(known, unknown)).state is PlacementState.UNOBSERVED


def test_an_address_held_in_two_networks_of_the_project_is_ambiguous(gce: ComputeServer) -> None:
    gce.instance("a", ip="10.0.0.11")
    gce.instance("b", ip="10.0.0.11", network="other")
    node = nameless()
    assert place(node, observe(node, project="p")).state is PlacementState.AMBIGUOUS


def test_under_a_shared_vpc_the_host_project_is_a_source_of_its_own(gce: ComputeServer) -> None:
    network = gce.network("shared", project="host", ranges=("10.0.0.0/24",))
    gce.instance("n1", project="s1", ip="10.0.0.11", network=network)
    gce.instance("n2", project="s2", ip="10.0.0.12", network=network)
    gce.route("r1", "10.42.1.0/24", ip="10.0.0.11", project="host", network="shared")
    first, second = named(project="s1"), named("n2", ip="10.0.0.12", project="s2")
    host, one, two = observe(first, second)
    assert [view.source.name for view in (host, one, two)] == ["gce:host", "gce:s1", "gce:s2"]
    assert {view.source.state for view in (host, one, two)} == {SourceState.OK}
    assert (host.node_uids, host.routed_uids, host.instances) == (frozenset(), frozenset({first.uid, second.uid}), ())
    (table,) = host.route_tables or ()
    assert (table.id, table.route_prefix) == (network, "projects/host/global/routes/")
    (route,) = [route for route in table.routes if route.name == "r1"]
    assert (route.next_hop.kind, route.next_hop.address) == (NextHopKind.ADDRESS, ip_address("10.0.0.11"))
    assert (one.node_uids, one.subnets, one.route_tables, one.routed_uids) == (
        frozenset({first.uid}),
        (),
        (),
        frozenset(),
    )
    placed = place(first, [host, one, two])
    assert placed.interface is not None
    assert placed.interface.routed_by is NextHopKind.ADDRESS
    assert [subnet.id for subnet in host.subnets or ()] == [placed.interface.subnet]


def test_a_host_project_with_nodes_of_its_own_is_one_source(gce: ComputeServer) -> None:
    network = gce.network("shared", project="host", ranges=("10.0.0.0/24",))
    gce.instance("n1", project="s1", ip="10.0.0.11", network=network)
    gce.instance("n2", project="host", ip="10.0.0.12", network=network)
    guest, own = named(project="s1"), named("n2", ip="10.0.0.12", project="host")
    host, service = observe(guest, own)
    assert (host.node_uids, host.routed_uids) == (frozenset({own.uid}), frozenset({guest.uid}))
    assert len(host.route_tables or ()) == 1
    assert service.route_tables == ()
    kinds = {view.source.name: place(node, [host, service]) for view, node in ((host, own), (service, guest))}
    assert {name: placed.interface and placed.interface.routed_by for name, placed in kinds.items()} == {
        "gce:host": NextHopKind.INSTANCE,
        "gce:s1": NextHopKind.ADDRESS,
    }


def test_rights_missing_in_the_host_project_are_told_as_such(gce: ComputeServer) -> None:
    network = gce.network("shared", project="host", ranges=("10.0.0.0/24",))
    gce.instance("n1", project="s1", ip="10.0.0.11", network=network)
    gce.deny("host", "compute.routes.list")
    node = named(project="s1")
    host, service = observe(node)
    assert service.source.state is SourceState.OK
    assert (host.source.state, host.route_tables) == (SourceState.DENIED, None)
    assert "compute.routes.list is missing on project host (host of network shared)" in (host.source.message or "")
    assert host.subnets
    assert host.routed_uids == {node.uid}
    assert place(node, [host, service]).state is PlacementState.FOUND


def test_projects_named_by_number_are_the_same_projects(gce: ComputeServer) -> None:
    network = gce.network("shared", project="host", ranges=("10.0.0.0/24",))
    number = gce.project("host").number
    told = f"https://compute.example/compute/v1/projects/{number}/global/networks/shared"
    gce.instance("n1", project="s1", ip="10.0.0.11", network=network, extra={"networkInterfaces": [{"network": told}]})
    host, _ = observe(named(project="s1"))
    assert host.source.name == "gce:host"
    assert [table.id for table in host.route_tables or ()] == [network]


def test_a_project_that_nodes_name_by_its_number_is_not_judged(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11", forwards=True)
    (view,) = observe(named(project=gce.project("p").number))
    assert (view.source.state, view.instances, view.route_tables) == (SourceState.UNAVAILABLE, None, None)
    assert "is named by its number" in (view.source.message or "")
    assert gce.count().total() == 0


def test_only_networks_with_nodes_have_a_table_even_without_a_route(gce: ComputeServer) -> None:
    gce.network("quiet", ranges=("10.0.0.0/24",))
    gce.instance("n1", ip="10.0.0.11", network="quiet")
    gce.instance("db", ip="10.9.0.2", network="other")
    gce.route("foreign", "10.42.9.0/24", instance="db", network="other")
    for name in list(gce.routes()):
        if name != "foreign":
            gce.delete_route(name)
    (view,) = observe(named())
    (table,) = view.route_tables or ()
    assert (table.id, table.routes) == ("projects/p/global/networks/quiet", ())


def test_the_interface_that_holds_the_node_ip_decides_the_network(gce: ComputeServer) -> None:
    gce.network("default", ranges=("10.0.0.0/24",))
    gce.network("second", ranges=("10.9.0.0/24",))
    gce.instance("n1", ip="10.0.0.11", extra_nics=(Nic(network="second", ip="10.9.0.7"),))
    node = named(ip="10.9.0.7")
    views = observe(node)
    placed = place(node, views)
    assert placed.interface is not None
    assert (placed.interface.id, placed.interface.network) == ("nic1", "projects/p/global/networks/second")
    assert [table.id for table in views[0].route_tables or ()] == ["projects/p/global/networks/second"]


def test_an_alias_range_needs_neither_flag_nor_route(gce: ComputeServer) -> None:
    gce.network(ranges=("10.0.0.0/24",))
    gce.instance("n1", ip="10.0.0.11", alias=("10.42.1.0/24",))
    placed = place(named(), observe(named()))
    assert placed.interface is not None
    assert placed.interface.forwards is False
    assert placed.interface.may_carry(ip_network("10.42.1.0/24")) is True
    assert placed.interface.addresses == (ip_address("10.0.0.11"),), "an alias is no next hop"


def test_a_legacy_network_has_no_subnets(gce: ComputeServer) -> None:
    gce.network("old", legacy=True, ranges=("10.240.0.0/16",))
    gce.instance("n1", ip="10.240.0.2", network="old")
    node = named(ip="10.240.0.2")
    views = observe(node)
    placed = place(node, views)
    assert placed.interface is not None
    assert placed.interface.subnet is None
    assert len(views[0].route_tables or ()) == 1


def test_ipv6_addresses_and_ranges_are_read(gce: ComputeServer) -> None:
    gce.network("six", ranges=())
    gce.subnetwork("six", "10.0.0.0/24", network="six", ipv6="fd20:1::/64")
    gce.instance("n1", ip="10.0.0.11", network="six", ipv6="fd20:1::5")
    node = named(ip="fd20:1::5")
    views = observe(node)
    placed = place(node, views)
    assert placed.interface is not None
    assert placed.interface.addresses == (ip_address("10.0.0.11"), ip_address("fd20:1::5"))
    assert (views[0].subnets or ())[0].cidrs == (ip_network("10.0.0.0/24"), ip_network("fd20:1::/64"))


def test_a_zone_that_cannot_be_reached_makes_the_answer_incomplete_and_is_named(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    gce.instance("n2", ip="10.0.0.12", zone="us-central1-a")
    gce.unreachable("us-central1-a")
    here, there = named(), named("n2", ip="10.0.0.12", zone="us-central1-a")
    (view,) = observe(here, there)
    assert view.complete is False
    assert view.source.state is SourceState.UNAVAILABLE, "an exit code must not say that everything was seen"
    assert view.source.observed_at is not None
    assert "us-central1-a" in (view.source.message or "")
    assert place(here, [view]).state is PlacementState.FOUND
    assert place(there, [view]).state is PlacementState.UNOBSERVED


def test_routes_to_vms_that_were_listed_in_part_are_in_an_incomplete_view_too(gce: ComputeServer) -> None:
    network = gce.network("shared", project="host", ranges=("10.0.0.0/24",))
    gce.instance("n1", project="s1", ip="10.0.0.11", network=network)
    gce.unreachable("us-central1-a", project="s1")
    host, service = observe(named(project="s1"))
    assert (service.complete, host.complete) == (False, False), "nothing is deleted on either"
    assert (service.source.state, host.source.state) == (SourceState.UNAVAILABLE, SourceState.OK)


def test_a_vm_of_another_name_at_the_nodes_address_is_not_the_nodes(gce: ComputeServer) -> None:
    gce.instance("n2", ip="10.0.0.11")
    (view,) = observe(named())
    assert place(named(), [view]).state is PlacementState.NOT_FOUND
    assert view.route_tables == ()


def test_one_reader_serves_several_threads(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    reader = GceReader(CloudOptions())
    with ThreadPoolExecutor(max_workers=6) as pool:
        seen = list(pool.map(lambda _: reader.observe([named()])[0], range(12)))
    assert {view.source.state for view in seen} == {SourceState.OK}
    assert {view.instances for view in seen} == {seen[0].instances}


def test_a_denial_that_is_no_trouble_costs_no_login(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    gce.deny("p", "compute.projects.get")
    reader = GceReader(CloudOptions())
    for _ in range(3):
        assert {view.source.state for view in reader.observe([named()])} == {SourceState.OK}
    assert gce.grants == 1


def test_a_quota_that_may_not_be_read_is_unknown_and_no_trouble(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    gce.deny("p", "compute.projects.get")
    (view,) = observe(named())
    assert view.source.state is SourceState.OK
    assert [table.quota for table in view.route_tables or ()] == [None]


@pytest.mark.parametrize(
    ("route", "code", "dead"),
    [
        ({"instance": "gone"}, "NEXT_HOP_INSTANCE_NOT_FOUND", True),
        ({"instance": "stopped"}, "NEXT_HOP_NOT_RUNNING", True),
        ({"ip": "10.0.0.200"}, "NEXT_HOP_ADDRESS_NOT_ASSIGNED", True),
        ({"instance": "off"}, "NEXT_HOP_CANNOT_IP_FORWARD", False),
        ({"instance": "n1"}, None, False),
    ],
)
def test_the_clouds_own_warnings_are_read(
    gce: ComputeServer, route: dict[str, str], code: str | None, dead: bool
) -> None:
    gce.network(ranges=("10.0.0.0/24",))
    gce.instance("n1", ip="10.0.0.11", forwards=True)
    gce.instance("stopped", ip="10.0.0.12", status="TERMINATED")
    gce.instance("off", ip="10.0.0.13")
    gce.route("r1", "10.42.1.0/24", **route)  # type: ignore[arg-type] # only hops
    (view,) = observe(named())
    (table,) = view.route_tables or ()
    (seen,) = [route for route in table.routes if route.name == "r1"]
    assert (seen.warning, seen.dead) == (code, dead)


def test_reading_and_writing_never_import_the_typed_client(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    program = (
        "import sys\n"
        "from tests import build\n"
        "from tui.clouds.gce import GceReader, GceWriter\n"
        "from tui.model.node import Cloud, ProviderID\n"
        "from tui.ports import CloudOptions\n"
        "assert 'google.auth' not in sys.modules and 'requests' not in sys.modules\n"
        f"node = build.node(ip='10.0.0.11', provider_id=ProviderID.parse('gce://p/{ZONE}/n1'))\n"
        "reader = GceReader(CloudOptions())\n"
        "(view,) = reader.observe([node])\n"
        "switch = view.instances[0].interfaces[0].switch\n"
        "change = build.switch_on(subject=switch.subject, cloud=Cloud.GCE, source='gce:p', flag=switch.flag)\n"
        "GceWriter(CloudOptions()).write(change)\n"
        "assert reader.read(change).forwards\n"
        "print(*sorted(name for name in sys.modules if name.startswith('google.cloud')))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
    assert gce.forwards("n1")
