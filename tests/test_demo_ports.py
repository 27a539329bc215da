"""The embedded world's clouds behind the ports: writes, tokens, late reads, the CLI twins."""

import shlex
from dataclasses import replace

import pytest

from tui.demo import DemoWorld, open_world
from tui.demo.sites import ec2
from tui.model.change import SetForwarding
from tui.model.network import Disruption
from tui.model.node import Cloud
from tui.ports import (
    Clock,
    CloudReader,
    CloudWriter,
    Conflict,
    NodeSource,
    NotFound,
    Rejected,
)


def world_of(name: str = "aws") -> DemoWorld:
    return open_world(name, latency=False)


def change_of(world: DemoWorld, name: str, *, after: bool = True) -> SetForwarding:
    """Return the change of a node's flag, made from what is true now."""
    node, interface = world.node(name), world.interface(name)
    cloud = node.provider_id.cloud
    assert cloud is not None
    source = next(site.source for site in world.scenario.sites if site.cloud is cloud)
    return SetForwarding(
        node=name,
        node_uid=node.uid,
        cloud=cloud,
        source=source,
        subject=interface.switch.subject,
        flag=interface.switch.flag,
        inverted=interface.switch.inverted,
        before=not after,
        after=after,
        reason="",
        token=interface.switch.token,
        disruption=interface.switch.disruption,
    )


def test_the_world_fits_the_ports() -> None:
    world = world_of()
    ports: tuple[NodeSource, Clock, CloudReader, CloudWriter] = (
        world.nodes,
        world.clock,
        world.reader(Cloud.AWS),
        world.writer(Cloud.AWS),
    )
    assert all(ports)


@pytest.mark.parametrize("name", ["aws-win-1", "gce-win-1", "azure-win-1"])
def test_a_write_is_seen_by_later_reads(name: str) -> None:
    world = world_of("mixed")
    change = change_of(world, name)
    reader = world.reader(change.cloud)
    assert reader.read(change).forwards is False
    world.writer(change.cloud).write(change)
    reading = reader.read(change)
    assert reading.forwards is True
    assert (reading.token is not None) is (change.cloud is Cloud.GCE)
    assert reading.token is None or reading.token != change.token
    (view,) = reader.observe([world.node(name)])
    flags = {i.switch.subject: i.forwards for vm in view.instances or () for i in vm.interfaces}
    assert flags[change.subject] is True


def test_flags_are_as_the_clouds_call_them() -> None:
    world = world_of("mixed")
    changes = {name: change_of(world, name) for name in ("aws-win-1", "gce-win-1", "azure-win-1")}
    assert changes["aws-win-1"].fields(True) == {"SourceDestCheck": False}
    assert changes["aws-win-1"].subject.startswith("eni-")
    assert changes["gce-win-1"].fields(True) == {"canIpForward": True}
    assert changes["gce-win-1"].disruption is Disruption.REFRESH
    assert changes["gce-win-1"].subject == "projects/demo-project/zones/us-central1-a/instances/gce-win-1"
    assert changes["azure-win-1"].fields(True) == {"enableIPForwarding": True}
    assert changes["azure-win-1"].token is None  # the write finds out the etag by itself
    assert "/providers/Microsoft.Network/networkInterfaces/" in changes["azure-win-1"].subject


@pytest.mark.parametrize("name", ["gce-win-1"])
def test_a_stale_token_conflicts_and_changes_nothing(name: str) -> None:
    world = world_of("mixed")
    change = change_of(world, name)
    world.change_behind(change.subject, False)
    with pytest.raises(Conflict):
        world.writer(change.cloud).write(change)
    assert world.interface(name).forwards is False
    world.writer(change.cloud).write(replace(change, token=world.interface(name).switch.token))
    assert world.interface(name).forwards is True


def test_without_a_token_a_write_is_unconditional() -> None:
    world = world_of("mixed")
    change = replace(change_of(world, "gce-win-1"), token=None)
    world.change_behind(change.subject, False)
    world.writer(Cloud.GCE).write(change)
    assert world.interface("gce-win-1").forwards is True


def test_what_is_gone_is_not_found() -> None:
    world = world_of()
    change = change_of(world, "linux-3")
    world.remove_node("linux-3")
    with pytest.raises(NotFound):
        world.reader(Cloud.AWS).read(change)
    with pytest.raises(NotFound):
        world.writer(Cloud.AWS).write(change)
    with pytest.raises(NotFound):
        world.reader(Cloud.AWS).read(replace(change, source="aws:nowhere-1"))


def test_a_recreated_vm_has_another_token() -> None:
    world = world_of("mixed")
    change = change_of(world, "gce-win-1")
    machine = next(machine for machine in world.scenario.machines if machine.name == "gce-win-1")
    world.remove_node("gce-win-1")
    world.add_node(machine)
    assert world.interface("gce-win-1").switch.subject == change.subject
    assert world.node("gce-win-1").uid != change.node_uid
    with pytest.raises(Conflict):
        world.writer(Cloud.GCE).write(change)


def test_a_scale_set_refuses() -> None:
    world = world_of("mixed")
    with pytest.raises(Rejected, match="scale set"):
        world.writer(Cloud.AZURE).write(change_of(world, "azure-pool-000002"))


@pytest.mark.parametrize("echoes", [0, 1, 2])
def test_reads_after_a_write_may_be_late(echoes: int) -> None:
    world = world_of()
    world.echoes = echoes
    change = change_of(world, "linux-3")
    world.writer(Cloud.AWS).write(change)
    assert world.interface("linux-3").forwards is True
    seen = [world.reader(Cloud.AWS).read(change).forwards for _ in range(echoes + 1)]
    assert seen == [False] * echoes + [True]


def test_observations_after_a_write_may_be_late_too() -> None:
    world = world_of()
    assert world.echoes == 1
    change = change_of(world, "linux-3")
    world.writer(Cloud.AWS).write(change)
    seen = []
    for _ in range(2):
        (view,) = world.reader(Cloud.AWS).observe(world.nodes.list().nodes)
        flags = {i.switch.subject: i.forwards for vm in view.instances or () for i in vm.interfaces}
        seen.append(flags[change.subject])
    assert seen == [False, True]


def test_nodes_that_tell_their_source_are_looked_for_only_there() -> None:
    world = world_of("custom")
    nodes = world.nodes.list().nodes
    both = world.reader(Cloud.AWS).observe(nodes)
    assert [view.source.name for view in both] == ["aws:us-east-1", "aws:us-west-2"]
    assert all(view.node_uids == {node.uid for node in nodes} for view in both)
    world.add_node(ec2("told", 99, 9))
    east, west = world.reader(Cloud.AWS).observe(world.nodes.list().nodes)
    assert east.node_uids - west.node_uids == {world.node("told").uid}


# The CLI twins.


def test_the_aws_twin() -> None:
    world = world_of()
    change = change_of(world, "linux-3")
    words = shlex.split(world.reader(Cloud.AWS).command(change))
    assert words[:3] == ["aws", "ec2", "modify-network-interface-attribute"]
    assert words[3:] == ["--region", "us-east-1", "--network-interface-id", change.subject, "--no-source-dest-check"]
    assert world.reader(Cloud.AWS).command(replace(change, after=False)).endswith(" --source-dest-check")


def test_the_gcloud_twin_exports_and_puts_back() -> None:
    world = world_of("mixed")
    text = world.reader(Cloud.GCE).command(change_of(world, "gce-win-1"))
    target = "gce-win-1 --project=demo-project --zone=us-central1-a --quiet"
    assert text == (
        f"{{ echo 'canIpForward: true'; gcloud compute instances export {target} | grep -v '^canIpForward:'; }}"
        f" | gcloud compute instances update-from-file {target} --most-disruptive-allowed-action=REFRESH"
    )


def test_the_az_twin() -> None:
    world = world_of("mixed")
    change = change_of(world, "azure-win-1")
    words = shlex.split(world.reader(Cloud.AZURE).command(change))
    assert words == [
        *("az", "network", "nic", "update", "--ids", change.subject, "--ip-forwarding", "true"),
        *("--subscription", change.source.removeprefix("azure:")),
    ]


def test_twins_are_quoted_for_a_shell() -> None:
    world = world_of("hostile")
    change = change_of(world, "'; reboot #")
    words = shlex.split(world.reader(Cloud.GCE).command(change), comments=True)
    assert words.count("'; reboot #") == 2
    spiteful = replace(change, cloud=Cloud.AZURE, subject="/subscriptions/x; $(reboot)")
    assert "/subscriptions/x; $(reboot)" in shlex.split(world.reader(Cloud.AZURE).command(spiteful))
