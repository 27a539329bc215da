"""What every cloud with routes keeps, whether a real SDK against a server or the embedded world.

A new cloud joins with one entry in ``_CONTENDERS``.
"""

import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_network

import pytest

from tests import build
from tests.wire.gce import ZONE, ComputeServer, fresh_gce  # noqa: F401 - the fixture
from tui.clouds import load_reader, load_writer
from tui.demo import DemoWorld, Machine, RoutePlan, Scenario, Site
from tui.demo.sites import COMPUTE_ENGINE, SHARED_HOST, SHARED_SERVICE, compute_engine, shared
from tui.model.change import CreateRoute, DeleteRoute, ReplaceRoute
from tui.model.joined import Joined
from tui.model.network import NextHop, NextHopKind, ReplaceMethod, Route, RouteTable
from tui.model.node import Cloud, Node, ProviderID
from tui.model.snapshot import Evidence
from tui.ports import CloudOptions, CloudReader, CloudWriter, Conflict, NotFound, Rejected


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One cloud with two VMs behind ``nodes``, in one network, whose table has a route to the first.

    ``truth`` tells past the ports which routes there are, by name, with all that makes them what they are; ``limit``
    sets the highest number of routes. ``tool`` is the cloud's own command line.
    """

    cloud: Cloud
    tool: str
    reader: CloudReader
    writer: CloudWriter
    nodes: tuple[Node, ...]
    truth: Callable[[], dict[str, object]]
    limit: Callable[[int], None]

    def table(self) -> tuple[str, RouteTable]:
        """Observe; return the table and the source that tells of it."""
        views = self.reader.observe(self.nodes)
        ((source, table),) = [(view.source.name, table) for view in views for table in view.route_tables or ()]
        return source, table

    def hop(self, node: Node) -> NextHop:
        """Return how a route leads to the node."""
        joined = Joined.of(build.snapshot(node, views=self.reader.observe(self.nodes)))
        ((_, placement),) = joined.placed()
        instance, interface = placement.instance, placement.interface
        assert instance is not None
        assert interface is not None
        if interface.routed_by is NextHopKind.ADDRESS:
            address = node.addresses[0]
            return NextHop(kind=NextHopKind.ADDRESS, text=str(address), address=address)
        assert interface.routed_by is NextHopKind.INSTANCE
        return NextHop(kind=NextHopKind.INSTANCE, text=instance.id, instance_key=instance.key)

    def create(self, name: str = "l2b-new", destination: str = "10.42.2.0/24") -> CreateRoute:
        """Return the change that makes a route to the second node."""
        source, table = self.table()
        node = self.nodes[1]
        return CreateRoute(
            node=node.name,
            node_uid=node.uid,
            cloud=self.cloud,
            source=source,
            subject=table.route_prefix + name,
            reason="",
            table=table.id,
            after=Route(
                name=name,
                destination=ip_network(destination),
                next_hop=self.hop(node),
                priority=900,
                description='{"by":"it\'s me"}',
            ),
        )

    def delete(self) -> DeleteRoute:
        """Return the change that deletes the route that is there."""
        _, table = self.table()
        before = next(route for route in table.routes if route.name == "l2b-old")
        create = self.create()
        return replace(create.inverse(), subject=table.route_prefix + before.name, before=before)


_FIELDS = ("destRange", "nextHopInstance", "nextHopIp", "priority", "description", "network")


def _compute_engine(gce: ComputeServer, *, host: str = "p") -> Contender:
    """Make two VMs in project ``p`` on a network of project ``host``."""
    network = gce.network("net", project=host, ranges=("10.0.0.0/24",))
    nodes = []
    for number in (1, 2):
        gce.instance(f"n{number}", ip=f"10.0.0.{number + 10}", network=network, forwards=True)
        provider_id = ProviderID.parse(f"gce://p/{ZONE}/n{number}")
        nodes.append(build.node(f"n{number}", ip=f"10.0.0.{number + 10}", provider_id=provider_id))
    instance, ip = ("n1", None) if host == "p" else (None, "10.0.0.11")
    gce.route("l2b-old", "10.42.1.0/24", instance=instance, ip=ip, project=host, network="net", description="mine")

    def truth() -> dict[str, object]:
        gce.settle()
        return {name: [route.get(field) for field in _FIELDS] for name, route in gce.routes(host).items()}

    return Contender(
        cloud=Cloud.GCE,
        tool="gcloud",
        reader=load_reader(Cloud.GCE)(CloudOptions()),
        writer=load_writer(Cloud.GCE)(CloudOptions()),
        nodes=tuple(nodes),
        truth=truth,
        limit=lambda routes: setattr(gce.world.at(host), "routes_limit", routes),
    )


def _shared_vpc(gce: ComputeServer) -> Contender:
    return _compute_engine(gce, host="host")


def _embedded(_: ComputeServer) -> Contender:
    return _world((COMPUTE_ENGINE,), compute_engine, to="us-central1-a/n1")


def _embedded_shared_vpc(_: ComputeServer) -> Contender:
    return _world((SHARED_SERVICE, SHARED_HOST), shared, to="10.132.0.11")


def _world(sites: tuple[Site, ...], vm: Callable[[str, int, int], Machine], *, to: str) -> Contender:
    machines = tuple(replace(vm(f"n{number}", 10 + number, number), routed=False) for number in (1, 2))
    scenario = Scenario(name="routes", pod_cidrs=("10.42.0.0/16",), machines=machines, sites=sites)
    world, source = DemoWorld(scenario, latency=False), sites[-1].source
    world.put_route(source, RoutePlan(name="l2b-old", destination="10.42.1.0/24", to=to, description="mine"))
    return Contender(
        cloud=Cloud.GCE,
        tool="gcloud",
        reader=world.reader(Cloud.GCE),
        writer=world.writer(Cloud.GCE),
        nodes=world.nodes.list().nodes,
        truth=lambda: {route.name: replace(route, token=None) for route in world.routes(source)},
        limit=lambda routes: world.limit_routes(source, routes),
    )


_CONTENDERS: dict[str, Callable[[ComputeServer], Contender]] = {
    "gce": _compute_engine,
    "gce shared vpc": _shared_vpc,
    "embedded gce": _embedded,
    "embedded gce shared vpc": _embedded_shared_vpc,
}


@pytest.fixture(params=_CONTENDERS)
def contender(request: pytest.FixtureRequest, gce: ComputeServer) -> Contender:
    return _CONTENDERS[request.param](gce)


def without_tokens(table: RouteTable) -> dict[str, Route]:
    return {route.name: replace(route, token=None) for route in table.routes}


def test_a_created_route_is_seen_by_reads_by_observations_and_in_truth_and_nowhere_else(contender: Contender) -> None:
    (_, before), true = contender.table(), contender.truth()
    change = contender.create()
    contender.writer.write(change)
    (seen,) = contender.reader.read(change).routes
    assert seen.same_as(change.after)
    assert (seen.description, seen.dead, seen.system) == (change.after.description, False, False)
    _, after = contender.table()
    assert without_tokens(after) == without_tokens(before) | {seen.name: replace(seen, token=None)}
    truth = contender.truth()
    assert truth.pop(seen.name)
    assert truth == true


def test_a_glance_tells_of_the_routes_for_a_nodes_pod_cidrs_and_of_no_others(contender: Contender) -> None:
    views = {view.source.name: view for view in contender.reader.observe(contender.nodes)}
    for name, destination in (("l2b-new", "10.42.2.0/24"), ("l2b-other", "10.42.3.0/24")):
        contender.writer.write(contender.create(name, destination))
    contender.writer.write(contender.delete())
    node = replace(contender.nodes[1], pod_cidrs=(ip_network("10.42.2.0/24"),))
    glances = contender.reader.glance([node]) or ()
    assert {glance.source for glance in glances} == views.keys()
    at = Evidence(asked_at=build.NOON, answered_at=build.NOON)
    renewed = [view for glance in glances if (view := glance.renew(views[glance.source], at)) is not None]
    assert len(renewed) == len(glances)
    (told,) = [table for view in renewed for table in view.route_tables or ()]
    _, after = contender.table()
    ((before,),) = [view.route_tables for view in views.values() if view.route_tables]
    assert without_tokens(told).keys() == without_tokens(before).keys() | {"l2b-new"}, "it is about one range only"
    assert without_tokens(told)["l2b-new"] == without_tokens(after)["l2b-new"]
    assert all(view.glances == {node.uid: at} for view in renewed)
    assert [view.node_uids | view.routed_uids for view in renewed] == [
        view.node_uids | view.routed_uids for view in views.values()
    ]


def test_a_deleted_route_is_gone_for_reads_for_observations_and_in_truth_and_no_other_is(contender: Contender) -> None:
    (_, before), true = contender.table(), contender.truth()
    change = contender.delete()
    contender.writer.write(change)
    assert contender.reader.read(change).routes == ()
    left = without_tokens(before)
    del left["l2b-old"], true["l2b-old"]
    assert without_tokens(contender.table()[1]) == left
    assert contender.truth() == true


def test_the_inverse_restores_the_table_but_for_tokens(contender: Contender) -> None:
    (_, before), true = contender.table(), contender.truth()
    for change in (contender.create(), contender.delete()):
        contender.writer.write(change)
        assert contender.truth() != true
        contender.writer.write(change.inverse())
        assert contender.truth() == true
        assert without_tokens(contender.table()[1]) == without_tokens(before)


def test_a_recreated_route_can_be_told_from_the_one_before(contender: Contender) -> None:
    change = contender.delete()
    contender.writer.write(change)
    contender.writer.write(change.inverse())
    (seen,) = contender.reader.read(change).routes
    assert seen.token is not None
    assert seen.token != change.before.token
    assert not seen.same_as(change.before)


def test_a_taken_name_is_a_conflict_and_nothing_is_changed(contender: Contender) -> None:
    true = contender.truth()
    with pytest.raises(Conflict):
        contender.writer.write(contender.create(name="l2b-old"))
    assert contender.truth() == true


def test_deleting_what_is_absent_does_no_harm(contender: Contender) -> None:
    change = contender.delete()
    contender.writer.write(change)
    true = contender.truth()
    with suppress(NotFound):
        contender.writer.write(change)
    assert contender.truth() == true


def test_an_absent_route_reads_as_absent(contender: Contender) -> None:
    change = contender.create()
    assert contender.reader.read(change).routes == ()
    assert contender.reader.read(change).route(change.after.name) is None
    kept = replace(contender.delete(), keeps=change.after)
    assert [route.name for route in contender.reader.read(kept).routes] == ["l2b-old"]


def test_a_read_tells_what_was_observed(contender: Contender) -> None:
    change = contender.delete()
    assert contender.reader.read(change).routes == (change.before,)


def test_a_full_quota_refuses_and_is_named(contender: Contender) -> None:
    _, table = contender.table()
    assert table.quota is not None
    assert table.quota.free > 0
    contender.limit(table.quota.used)
    _, table = contender.table()
    assert table.quota is not None
    assert table.quota.free == 0
    true = contender.truth()
    with pytest.raises(Rejected, match="ROUTES"):
        contender.writer.write(contender.create())
    assert contender.truth() == true


def test_a_next_hop_that_does_not_exist_is_refused_or_known_to_be_dead(contender: Contender) -> None:
    change = contender.create()
    hop = change.after.next_hop
    if hop.address is None:
        nowhere = replace(hop, instance_key=f"{(hop.instance_key or '')[:-1]}9", text=f"{hop.text[:-1]}9")
        with pytest.raises(Rejected):
            contender.writer.write(replace(change, after=replace(change.after, next_hop=nowhere)))
        assert change.after.name not in contender.truth()
        return
    unassigned = hop.address + 100
    nowhere = replace(hop, address=unassigned, text=str(unassigned))
    contender.writer.write(replace(change, after=replace(change.after, next_hop=nowhere)))
    (seen,) = contender.reader.read(change).routes
    assert (seen.dead, seen.warning) == (True, "NEXT_HOP_ADDRESS_NOT_ASSIGNED")


def test_a_route_into_a_subnet_is_refused(contender: Contender) -> None:
    change = contender.create(destination=str(ip_network(f"{contender.nodes[0].addresses[0]}/28", strict=False)))
    with pytest.raises(Rejected):
        contender.writer.write(change)
    assert change.after.name not in contender.truth()


def test_an_immutable_route_is_not_replaced_whole(contender: Contender) -> None:
    change, true = replacement(contender), contender.truth()
    with pytest.raises(Rejected):
        contender.writer.write(change)
    assert contender.truth() == true


def test_the_steps_of_a_replacement_can_be_written_and_its_inverse_restores_the_table(contender: Contender) -> None:
    change, true = replacement(contender), contender.truth()
    for step in change.steps():
        contender.writer.write(step)
    assert set(contender.truth()) == set(true) - {"l2b-old"} | {"l2b-new"}
    for step in change.inverse().steps():
        contender.writer.write(step)
    assert contender.truth() == true


def replacement(contender: Contender) -> ReplaceRoute:
    create, delete = contender.create(destination="10.42.1.0/24"), contender.delete()
    return ReplaceRoute(
        node=create.node,
        node_uid=create.node_uid,
        cloud=create.cloud,
        source=create.source,
        subject=create.subject,
        reason="",
        table=create.table,
        before=delete.before,
        after=create.after,
        method=ReplaceMethod.ADD_THEN_DELETE,
        old_subject=delete.subject,
    )


def test_the_command_is_one_line_of_the_clouds_own_tool_that_names_the_route(contender: Contender) -> None:
    for change in (contender.create(), contender.delete(), replacement(contender)):
        text = contender.reader.command(change)
        assert text.isprintable()
        words = shlex.split(text)
        assert words[0] == contender.tool
        assert change.names() <= set(words)
