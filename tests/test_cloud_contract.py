"""What every cloud keeps, whether a real SDK against a server or the embedded world; and what the registry promises.

A new cloud joins with one entry in ``_CONTENDERS``.
"""

import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

import tui.clouds
from tests import build
from tests.wire.arm import ArmServer, fresh_arm  # noqa: F401 - the fixture
from tests.wire.ec2 import REGION, Ec2Server, fresh_account, serve_ec2  # noqa: F401 - fixtures
from tests.wire.ec2_rules import UNAUTHORIZED
from tests.wire.gce import ZONE, ComputeServer, fresh_gce, sign_in  # noqa: F401 - the fixture
from tests.wire.gce_refusals import FORBIDDEN
from tui.clouds import CLOUDS, load_reader, load_writer
from tui.demo import Call, open_world
from tui.model.change import SetForwarding
from tui.model.joined import Joined
from tui.model.node import Cloud, Node, ProviderID
from tui.model.snapshot import Evidence, Placement, PlacementState, SourceState
from tui.ports import CloudOptions, CloudReader, CloudWriter, Denied, NotFound

_READ = Evidence(asked_at=build.NOON, answered_at=build.NOON + timedelta(seconds=1))
WORKFORCE = "//iam.googleapis.com/locations/global/workforcePools/staff/providers/idp"


@dataclass(frozen=True, kw_only=True)
class Servers:
    """What answers instead of the clouds."""

    ec2: Ec2Server
    gce: ComputeServer
    arm: ArmServer


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One cloud with healthy VMs behind ``nodes``, at least two of them, all in one source.

    ``truth`` tells past the ports whether a node's interface forwards; ``deny_next`` lets the next observation be
    refused for want of a permission. ``asked_who`` counts the calls that are not about networking, of which an
    identity takes ``asks_who``.
    """

    cloud: Cloud
    reader: CloudReader
    writer: CloudWriter
    nodes: tuple[Node, ...]
    truth: Callable[[Node], bool | None]
    deny_next: Callable[[], None]
    asked_who: Callable[[], int]
    asks_who: int

    def place(self, *nodes: Node) -> tuple[Placement, ...]:
        joined = Joined.of(build.snapshot(*nodes, views=self.reader.observe(nodes)))
        return tuple(placement for _, placement in joined.placed())

    def change(self, node: Node) -> SetForwarding:
        """Return the change that turns the node's flag to what it is not."""
        (placement,) = self.place(node)
        interface = placement.interface
        assert interface is not None
        assert interface.forwards is not None
        return SetForwarding(
            node=node.name,
            node_uid=node.uid,
            cloud=placement.cloud,
            source=placement.source or "",
            subject=interface.switch.subject,
            flag=interface.switch.flag,
            inverted=interface.switch.inverted,
            before=interface.forwards,
            after=not interface.forwards,
            reason="",
            token=interface.switch.token,
            disruption=interface.switch.disruption,
        )


def _ec2(servers: Servers) -> Contender:
    ec2 = servers.ec2
    _, subnet = ec2.subnet("10.0.0.0/24")
    nodes: list[Node] = []
    interfaces: dict[str, str] = {}
    for number in (1, 2, 3):
        instance, eni = ec2.instance(subnet, f"10.0.0.{number + 10}", forwards=number != 2)
        provider_id = ProviderID.parse(f"aws:///{REGION}a/{instance}")
        nodes.append(build.node(f"n{number}", ip=f"10.0.0.{number + 10}", provider_id=provider_id))
        interfaces[f"n{number}"] = eni
    return Contender(
        cloud=Cloud.AWS,
        reader=load_reader(Cloud.AWS)(CloudOptions()),
        writer=load_writer(Cloud.AWS)(CloudOptions()),
        nodes=tuple(nodes),
        truth=lambda node: not ec2.check(interfaces[node.name]),
        deny_next=lambda: ec2.fail("DescribeNetworkInterfaces", UNAUTHORIZED),
        asked_who=lambda: sum(call.service != "ec2" for call in ec2.calls),
        asks_who=1,
    )


def _gce(servers: Servers) -> Contender:
    gce = servers.gce
    # Of a universe of its own, so that google-auth asks nobody about regional access.
    sign_in(audience=WORKFORCE, universe_domain="wire.invalid")
    gce.network(ranges=("10.0.0.0/24",))
    nodes: list[Node] = []
    for number in (1, 2, 3):
        name, ip = f"n{number}", f"10.0.0.{number + 10}"
        gce.instance(name, ip=ip, forwards=number != 2)
        nodes.append(build.node(name, ip=ip, provider_id=ProviderID.parse(f"gce://p/{ZONE}/{name}")))
    return Contender(
        cloud=Cloud.GCE,
        reader=load_reader(Cloud.GCE)(CloudOptions()),
        writer=load_writer(Cloud.GCE)(CloudOptions()),
        nodes=tuple(nodes),
        truth=lambda node: gce.forwards(node.name),
        deny_next=lambda: gce.fail("compute.instances.aggregatedList", FORBIDDEN),
        asked_who=lambda: sum(not request.id for request in gce.requests),
        asks_who=0,
    )


def _azure(servers: Servers) -> Contender:
    arm = servers.arm
    subnet = arm.subnet("nodes", "10.0.0.0/24", table=arm.table())
    nodes: list[Node] = []
    for number in (1, 2, 3):
        name, ip = f"n{number}", f"10.0.0.{number + 10}"
        vm = arm.vm(name, subnet, ip, forwards=number != 2)
        nodes.append(build.node(name, ip=ip, provider_id=ProviderID.parse(f"azure://{vm}")))
    return Contender(
        cloud=Cloud.AZURE,
        reader=load_reader(Cloud.AZURE)(CloudOptions()),
        writer=load_writer(Cloud.AZURE)(CloudOptions()),
        nodes=tuple(nodes),
        truth=lambda node: arm.forwards(node.name),
        deny_next=lambda: arm.fail("GET", "/providers/", 403, "AuthorizationFailed", times=3),
        asked_who=lambda: sum("/providers/microsoft.network/" not in one.path.lower() for one in arm.requests),
        asks_who=0,
    )


def _embedded(cloud: Cloud) -> Callable[[Servers], Contender]:
    def make(_: Servers) -> Contender:
        world = open_world("healthy", latency=False)
        nodes = tuple(node for node in world.nodes.list().nodes if node.provider_id.cloud is cloud)
        return Contender(
            cloud=cloud,
            reader=world.reader(cloud),
            writer=world.writer(cloud),
            nodes=nodes,
            truth=lambda node: world.interface(node.name).forwards,
            deny_next=lambda: world.fail_next(Call.OBSERVE, Denied("a permission is missing"), cloud=cloud),
            asked_who=lambda: world.calls(Call.IDENTITY),
            asks_who=1,
        )

    return make


_CONTENDERS: dict[str, Callable[[Servers], Contender]] = {
    "aws": _ec2,
    "gce": _gce,
    "azure": _azure,
    "embedded aws": _embedded(Cloud.AWS),
    "embedded gce": _embedded(Cloud.GCE),
    "embedded azure": _embedded(Cloud.AZURE),
}


@pytest.fixture(params=_CONTENDERS)
def contender(request: pytest.FixtureRequest, ec2: Ec2Server, gce: ComputeServer, arm: ArmServer) -> Contender:
    return _CONTENDERS[request.param](Servers(ec2=ec2, gce=gce, arm=arm))


def test_it_knows_its_cloud(contender: Contender) -> None:
    assert contender.reader.cloud is contender.cloud
    assert {view.cloud for view in contender.reader.observe(contender.nodes)} == {contender.cloud}


def test_nothing_is_looked_for_where_there_are_no_nodes(contender: Contender) -> None:
    assert contender.reader.observe(()) == ()


def test_every_node_was_looked_for_in_a_source_that_is_named_after_the_cloud(contender: Contender) -> None:
    views = contender.reader.observe(contender.nodes)
    assert frozenset().union(*(view.node_uids for view in views)) == {node.uid for node in contender.nodes}
    assert len({view.source.name for view in views}) == len(views)
    for view in views:
        assert view.source.name.startswith(f"{contender.cloud}:")
        assert (view.source.state, view.source.message, view.complete) == (SourceState.OK, None, True)
        assert view.source.observed_at is not None
        assert view.source.observed_at.utcoffset() is not None


def test_every_healthy_node_has_its_interface(contender: Contender) -> None:
    assert len(contender.nodes) > 1
    for node, placement in zip(contender.nodes, contender.place(*contender.nodes), strict=True):
        assert placement.state is PlacementState.FOUND
        assert placement.instance is not None
        assert placement.instance.key == node.provider_id.key
        assert placement.interface is not None
        assert node.addresses[0] in placement.interface.addresses
        assert placement.interface.forwards is contender.truth(node)


def test_the_subnet_of_every_interface_was_observed_and_holds_its_address(contender: Contender) -> None:
    views = contender.reader.observe(contender.nodes)
    joined = Joined.of(build.snapshot(*contender.nodes, views=views))
    for node, placement in joined.placed():
        subnet = joined.subnet_of(placement)
        assert subnet is not None
        assert placement.interface is not None
        assert subnet.network == placement.interface.network
        assert any(node.addresses[0] in cidr for cidr in subnet.cidrs if cidr.version == node.addresses[0].version)


def test_two_observations_of_an_unchanged_world_are_equal_but_for_their_time(contender: Contender) -> None:
    first, second = (
        [replace(view, source=replace(view.source, observed_at=None)) for view in contender.reader.observe(nodes)]
        for nodes in (contender.nodes, contender.nodes)
    )
    assert first == second


def test_a_glance_tells_of_a_few_nodes_what_observing_all_of_them_does(contender: Contender) -> None:
    node, *others = contender.nodes
    (before,) = contender.reader.observe(contender.nodes)
    for one in contender.nodes:
        contender.writer.write(contender.change(one))
    glances = contender.reader.glance([node])
    assert glances is not None
    (glance,) = glances
    renewed, (after,) = glance.renew(before, _READ), contender.reader.observe(contender.nodes)
    assert renewed is not None
    assert (renewed.source, renewed.subnets, renewed.node_uids) == (before.source, before.subnets, before.node_uids)
    assert renewed.glances == {node.uid: _READ}
    told, all_of_them, earlier = ({one.key: one for one in view.instances or ()} for view in (renewed, after, before))
    assert told.keys() == all_of_them.keys()
    assert told[node.provider_id.key or ""] == all_of_them[node.provider_id.key or ""]
    for other in others:
        assert told[other.provider_id.key or ""] == earlier[other.provider_id.key or ""]


def test_a_glance_at_a_vm_that_is_gone_says_so(contender: Contender) -> None:
    if contender.cloud is Cloud.AZURE:
        pytest.skip("Azure tells the interfaces of a VM that was never read in the list of all only")
    node = contender.nodes[0]
    key = f"{node.provider_id.key}0"
    gone = replace(node, uid="gone", provider_id=replace(node.provider_id, key=key, raw=f"{node.provider_id.raw}0"))
    (before,) = contender.reader.observe(contender.nodes)
    (glance,) = contender.reader.glance([gone, node]) or ()
    assert glance.instances.keys() == {key, node.provider_id.key}
    assert glance.instances[key] is None
    renewed = glance.renew(before, _READ)
    assert renewed is not None
    assert renewed.instances == before.instances
    assert renewed.node_uids == before.node_uids | {"gone"}


def test_nodes_that_do_not_name_their_vms_are_not_glanced_at(contender: Contender) -> None:
    nameless = replace(contender.nodes[0], provider_id=ProviderID.parse(""))
    assert contender.reader.glance([nameless, contender.nodes[1]]) is None


def test_one_value_read_is_what_was_observed(contender: Contender) -> None:
    for node in contender.nodes:
        change = contender.change(node)
        reading = contender.reader.read(change)
        assert (reading.forwards, reading.token) == (change.before, change.token)


def test_a_write_is_seen_by_reads_by_observations_and_in_truth_and_nowhere_else(contender: Contender) -> None:
    node, *others = contender.nodes
    before = [contender.truth(other) for other in others]
    change = contender.change(node)
    contender.writer.write(change)
    assert contender.truth(node) is change.after
    assert contender.reader.read(change).forwards is change.after
    assert contender.change(node).before is change.after
    assert [contender.truth(other) for other in others] == before


def test_the_inverse_restores_exactly(contender: Contender) -> None:
    node = contender.nodes[-1]
    before = contender.truth(node)
    change = contender.change(node)
    contender.writer.write(change)
    contender.writer.write(change.inverse())
    assert contender.truth(node) is before
    assert contender.reader.read(change).forwards is change.before


def test_writing_what_is_already_so_changes_nothing(contender: Contender) -> None:
    node = contender.nodes[0]
    change = contender.change(node)
    contender.writer.write(change)
    contender.writer.write(replace(change, token=None))
    assert contender.truth(node) is change.after


def test_a_subject_that_does_not_exist_is_not_found(contender: Contender) -> None:
    change = contender.change(contender.nodes[0])
    absent = replace(change, subject=f"{change.subject}0", token=None)
    with pytest.raises(NotFound):
        contender.reader.read(absent)
    with pytest.raises(NotFound):
        contender.writer.write(absent)
    assert contender.truth(contender.nodes[0]) is change.before


def test_a_source_that_is_not_its_own_is_not_found(contender: Contender) -> None:
    change = replace(contender.change(contender.nodes[0]), source="elsewhere:1")
    with pytest.raises(NotFound):
        contender.reader.read(change)
    with pytest.raises(NotFound):
        contender.writer.write(change)


def test_the_command_is_one_line_for_a_shell_about_the_subject(contender: Contender) -> None:
    change = contender.change(contender.nodes[0])
    there, back = contender.reader.command(change), contender.reader.command(change.inverse())
    assert there != back
    for command in (there, back):
        assert command.isprintable()
        name = change.subject.rpartition("/")[2]
        assert any(name in word for word in shlex.split(command))


def test_who_acts_is_told_in_every_source_and_with_no_more_calls_than_needed(contender: Contender) -> None:
    for view in contender.reader.observe(contender.nodes):
        before = contender.asked_who()
        told = contender.reader.identity(view.source.name)
        assert told
        assert contender.asked_who() - before == contender.asks_who
        assert contender.reader.identity(view.source.name) == told


def test_observing_does_not_ask_who_acts(contender: Contender) -> None:
    contender.reader.observe(contender.nodes)
    assert contender.asked_who() == 0


def test_what_is_refused_is_unobserved_and_not_empty(contender: Contender) -> None:
    contender.deny_next()
    views = contender.reader.observe(contender.nodes)
    for view in views:
        assert view.source.state is SourceState.DENIED
        assert view.source.message
        assert (view.instances, view.subnets, view.route_tables) == (None, None, None)
    assert frozenset().union(*(view.node_uids for view in views)) == {node.uid for node in contender.nodes}
    placed = Joined.of(build.snapshot(*contender.nodes, views=views)).placed()
    assert {placement.state for _, placement in placed} == {PlacementState.UNOBSERVED}
    assert {placement.state for placement in contender.place(*contender.nodes)} == {PlacementState.FOUND}


def test_a_node_whose_vm_is_gone_is_not_found_in_a_source_that_answered(contender: Contender) -> None:
    node = contender.nodes[0]
    gone = replace(node, uid="gone", provider_id=ProviderID.parse(f"{node.provider_id.raw}0"))
    placements = contender.place(gone, *contender.nodes)
    states = [placement.state for placement in placements]
    assert states == [PlacementState.NOT_FOUND, *(PlacementState.FOUND for _ in contender.nodes)]


def test_every_adapter_file_is_registered_and_every_entry_can_be_loaded() -> None:
    folder = Path(tui.clouds.__file__).parent
    adapters = {path.stem.partition("_")[0] for path in folder.glob("*.py") if path.stem != "__init__"}
    assert adapters == {cloud.value for cloud in CLOUDS}, "aws.py and aws_account.py are one adapter"
    for cloud, entry in CLOUDS.items():
        assert entry.title
        assert load_reader(cloud)(CloudOptions()).cloud is cloud
        writer: CloudWriter = load_writer(cloud)(CloudOptions())
        assert hasattr(writer, "write")


def test_every_registered_cloud_keeps_the_contract() -> None:
    assert {cloud.value for cloud in CLOUDS} <= set(_CONTENDERS)
    assert {f"embedded {cloud.value}" for cloud in Cloud if cloud is not Cloud.NONE} <= set(_CONTENDERS)


def test_neither_naming_nor_making_an_adapter_imports_its_sdk() -> None:
    program = (
        "import sys; from tui.clouds import CLOUDS, load_reader, load_writer; from tui.ports import CloudOptions\n"
        "assert not [name for name in sys.modules if name.startswith('tui.clouds.')]\n"
        "for cloud in CLOUDS: load_reader(cloud)(CloudOptions()), load_writer(cloud)(CloudOptions())\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert not {"boto3", "botocore", "google", "azure", "urllib3", "kubernetes", "textual"} & set(ran.stdout.split())
