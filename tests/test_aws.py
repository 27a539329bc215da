"""EC2 through real boto3: what is read, with how many calls, and how nodes find their interfaces in it."""

import threading
from collections.abc import Callable, Sequence
from ipaddress import IPv6Network, ip_address, ip_network

import pytest

from tests import build
from tests.wire.ec2 import REGION, Ec2Server, fresh_account, serve_ec2  # noqa: F401 - fixtures
from tui.clouds.aws import AwsReader, AwsWriter
from tui.model.change import SetForwarding
from tui.model.joined import Joined
from tui.model.network import Disruption
from tui.model.node import Node, ProviderID
from tui.model.snapshot import CloudView, Placement, PlacementState, Scope, SourceState
from tui.ports import CloudOptions, CloudReader, CloudWriter, NotFound


def named(instance: str, *, name: str = "n1", ip: str = "10.0.0.4", zone: str = f"{REGION}a") -> Node:
    return build.node(name, ip=ip, provider_id=ProviderID.parse(f"aws:///{zone}/{instance}"))


def nameless(name: str = "n1", *, ip: str = "10.0.0.4", region: str | None = REGION) -> Node:
    """Build a node whose provider id is empty."""
    labels = {"topology.kubernetes.io/region": region} if region else {}
    return build.node(name, ip=ip, provider_id=ProviderID.parse(""), labels=labels)


def join(nodes: Sequence[Node], views: Sequence[CloudView]) -> Joined:
    return Joined.of(build.snapshot(*nodes, views=views, scope=Scope(cloud=next(view.cloud for view in views))))


def place(node: Node, *views: CloudView) -> Placement:
    return join([node], views).placements[node.uid]


def change(subject: str, *, after: bool = True, source: str = f"aws:{REGION}") -> SetForwarding:
    return build.switch_on(subject=subject, before=not after, after=after, source=source)


def test_the_adapter_fits_the_ports() -> None:
    ports: tuple[CloudReader, CloudWriter] = (AwsReader(CloudOptions()), AwsWriter(CloudOptions()))
    assert all(ports)


def test_a_region_is_read_into_instances_interfaces_and_subnets(ec2: Ec2Server) -> None:
    vpc, subnet = ec2.subnet("10.0.0.0/24")
    instance, eni = ec2.instance(subnet, "10.0.0.4")
    node = named(instance)
    (view,) = AwsReader(CloudOptions()).observe([node])
    assert (view.source.name, view.source.state, view.source.message) == (f"aws:{REGION}", SourceState.OK, None)
    assert view.source.observed_at is not None
    assert view.node_uids == {node.uid}
    assert view.complete
    assert view.route_tables is None, "EC2 needs no routes, so none were read"
    (seen,) = view.instances or ()
    assert (seen.id, seen.key, seen.zone, seen.running) == (instance, instance, f"{REGION}a", None)
    (interface,) = seen.interfaces
    assert (interface.id, interface.network, interface.subnet) == (eni, vpc, subnet)
    assert interface.addresses == (ip_address("10.0.0.4"),)
    assert interface.forwards is False
    switch = interface.switch
    assert (switch.subject, switch.flag, switch.inverted, switch.token) == (eni, "SourceDestCheck", True, None)
    assert (switch.disruption, switch.refusal) == (Disruption.NONE, None)
    (ours,) = [known for known in view.subnets or () if known.id == subnet]
    assert (ours.network, ours.cidrs, ours.zone) == (vpc, (ip_network("10.0.0.0/24"),), f"{REGION}a")


def test_no_nodes_are_no_calls(ec2: Ec2Server) -> None:
    assert AwsReader(CloudOptions()).observe([]) == ()
    assert not ec2.calls


def test_the_interface_that_holds_the_node_ip_is_judged(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet("10.0.0.0/24")
    instance, primary = ec2.instance(subnet, "10.0.0.4")
    second = ec2.attach(instance, subnet, "10.0.0.7", "10.0.0.8")
    ec2.set_check(second, False)
    for ip, eni, forwards in (
        ("10.0.0.4", primary, False),
        ("10.0.0.7", second, True),
        ("10.0.0.8", second, True),
    ):
        node = named(instance, ip=ip)
        placed = place(node, *AwsReader(CloudOptions()).observe([node]))
        assert placed.interface is not None
        assert (placed.interface.id, placed.interface.forwards) == (eni, forwards)


def test_interfaces_of_an_instance_are_in_device_order(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet("10.0.0.0/24")
    instance, primary = ec2.instance(subnet, "10.0.0.4")
    third = ec2.attach(instance, subnet, "10.0.0.9", index=2)
    second = ec2.attach(instance, subnet, "10.0.0.7", "10.0.0.5", index=1)
    (view,) = AwsReader(CloudOptions()).observe([named(instance)])
    (seen,) = view.instances or ()
    assert [interface.id for interface in seen.interfaces] == [primary, second, third]
    assert seen.interfaces[1].addresses == (ip_address("10.0.0.7"), ip_address("10.0.0.5")), "the primary one first"


def test_ipv6_addresses_and_ranges_are_read(ec2: Ec2Server) -> None:
    owner = ec2.client()
    vpc = owner.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    blocks = owner.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    block = next(IPv6Network(blocks[0]["Ipv6CidrBlock"]).subnets(new_prefix=64))
    subnet = owner.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", Ipv6CidrBlock=str(block))["Subnet"]["SubnetId"]
    instance, _ = ec2.instance(subnet, "10.0.0.4")
    address = str(block.network_address + 7)
    eni = owner.create_network_interface(
        SubnetId=subnet, PrivateIpAddress="10.0.0.9", Ipv6Addresses=[{"Ipv6Address": address}]
    )["NetworkInterface"]["NetworkInterfaceId"]
    owner.attach_network_interface(NetworkInterfaceId=eni, InstanceId=instance, DeviceIndex=1)
    node = named(instance, ip=address)
    (view,) = AwsReader(CloudOptions()).observe([node])
    placed = place(node, view)
    assert placed.interface is not None
    assert placed.interface.id == eni
    assert placed.interface.addresses == (ip_address("10.0.0.9"), ip_address(address))
    (ours,) = [known for known in view.subnets or () if known.id == subnet]
    assert ours.cidrs == (ip_network("10.0.0.0/24"), block)


def test_a_node_without_provider_id_is_found_by_its_address(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet("10.0.0.0/24")
    instance, _ = ec2.instance(subnet, "10.0.0.4")
    node = nameless()
    placed = place(node, *AwsReader(CloudOptions()).observe([node]))
    assert (placed.state, placed.source) == (PlacementState.FOUND, f"aws:{REGION}")
    assert placed.instance is not None
    assert placed.instance.id == instance


def test_one_address_in_two_vpcs_is_ambiguous_until_a_vpc_is_given(ec2: Ec2Server) -> None:
    (one, in_one), (_, in_two) = ec2.subnet("10.0.0.0/24"), ec2.subnet("10.0.0.0/24")
    (_, first), (_, second) = ec2.instance(in_one, "10.0.0.4"), ec2.instance(in_two, "10.0.0.4")
    node = nameless()
    placed = place(node, *AwsReader(CloudOptions()).observe([node]))
    assert placed.state is PlacementState.AMBIGUOUS
    assert sorted(candidate.partition(" ")[0] for candidate in placed.candidates) == sorted([first, second])
    placed = place(node, *AwsReader(CloudOptions(aws_vpc=one)).observe([node]))
    assert placed.interface is not None
    assert placed.interface.id == first


def test_a_vpc_does_not_hide_instances_that_nodes_name(ec2: Ec2Server) -> None:
    (one, in_one), (_, in_two) = ec2.subnet("10.0.0.0/24"), ec2.subnet("10.1.0.0/24")
    ec2.instance(in_one, "10.0.0.4")
    elsewhere, _ = ec2.instance(in_two, "10.1.0.4")
    nodes = [nameless("n1"), named(elsewhere, name="n2", ip="10.1.0.4")]
    joined = join(nodes, AwsReader(CloudOptions(aws_vpc=one)).observe(nodes))
    assert [placed.state for _, placed in joined.placed()] == [PlacementState.FOUND, PlacementState.FOUND]
    assert all(joined.subnet_of(placed) for _, placed in joined.placed())


def test_an_instance_that_is_gone_is_not_found(ec2: Ec2Server) -> None:
    node = named("i-0123456789abcdef0")
    placed = place(node, *AwsReader(CloudOptions()).observe([node]))
    assert placed.state is PlacementState.NOT_FOUND


def test_an_unattached_interface_is_nobodys(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet("10.0.0.0/24")
    ec2.client().create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.0.4")
    node = nameless()
    placed = place(node, *AwsReader(CloudOptions()).observe([node]))
    assert placed.state is PlacementState.NOT_FOUND


def test_the_number_of_calls_does_not_grow_with_the_nodes(ec2: Ec2Server) -> None:
    vpc, subnet = ec2.subnet("10.0.0.0/20")
    answer = ec2.client().run_instances(ImageId="ami-12345678", MinCount=1005, MaxCount=1005, SubnetId=subnet)
    nodes = [
        named(instance["InstanceId"], name=f"n{number}", ip=instance["PrivateIpAddress"])
        for number, instance in enumerate(answer["Instances"])
    ]
    reader = AwsReader(CloudOptions())
    counts = {}
    for many in (10, 1000):
        (view,) = reader.observe(nodes[:many])
        assert {placed.state for _, placed in join(nodes[:many], [view]).placed()} == {PlacementState.FOUND}
        counts[many] = ec2.count()
    assert counts[10] == {"DescribeNetworkInterfaces": 1, "DescribeSubnets": 1}
    assert counts[1000] == {"DescribeNetworkInterfaces": 2, "DescribeSubnets": 1}, "1,005 interfaces are two pages"
    (view,) = AwsReader(CloudOptions(aws_vpc=vpc)).observe(nodes)
    assert len(view.instances or ()) == 1005
    assert ec2.count() == {"DescribeNetworkInterfaces": 2, "DescribeSubnets": 1}


def test_two_reads_of_an_unchanged_account_are_equal_whatever_its_order(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet("10.0.0.0/24")
    instances = [ec2.instance(subnet, f"10.0.0.{last}")[0] for last in (9, 5, 7)]
    reader = AwsReader(CloudOptions())
    (view,) = reader.observe([nameless()])
    assert [instance.id for instance in view.instances or ()] == sorted(instances)
    (again,) = reader.observe([nameless()])
    assert (again.instances, again.subnets) == (view.instances, view.subnets)


def test_a_write_sets_one_interface_and_leaves_its_neighbour(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet("10.0.0.0/24")
    instance, primary = ec2.instance(subnet, "10.0.0.4")
    second = ec2.attach(instance, subnet, "10.0.0.7")
    reader, writer = AwsReader(CloudOptions()), AwsWriter(CloudOptions())
    writer.write(change(second))
    assert (ec2.check(primary), ec2.check(second)) == (True, False)
    assert reader.read(change(second)).forwards is True
    assert reader.read(change(primary)).forwards is False
    writer.write(change(second).inverse())
    assert ec2.check(second) is True
    assert reader.read(change(second)).forwards is False


def test_the_change_is_sent_to_the_region_of_its_source(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet("10.0.0.0/24", region="eu-west-1")
    _, eni = ec2.instance(subnet, "10.0.0.4", region="eu-west-1")
    AwsWriter(CloudOptions(aws_region=REGION)).write(change(eni, source="aws:eu-west-1"))
    assert ec2.check(eni, region="eu-west-1") is False


@pytest.mark.parametrize("source", ["gce:project", "aws:", "nowhere"])
def test_a_source_that_names_no_region_is_never_called(ec2: Ec2Server, source: str) -> None:
    with pytest.raises(NotFound, match="names no AWS region"):
        AwsReader(CloudOptions()).read(change("eni-1", source=source))
    with pytest.raises(NotFound, match="names no AWS region"):
        AwsWriter(CloudOptions()).write(change("eni-1", source=source))
    assert not ec2.calls


def test_reading_and_observing_work_from_several_threads_at_once(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet("10.0.0.0/24")
    instance, eni = ec2.instance(subnet, "10.0.0.4")
    reader = AwsReader(CloudOptions())
    start = threading.Barrier(6)
    answers: list[bool] = []

    def observe() -> bool:
        (view,) = reader.observe([named(instance)])
        return view.source.state is SourceState.OK and len(view.instances or ()) == 1

    def read() -> bool:
        return reader.read(change(eni)).forwards is False

    def run(ask: Callable[[], bool]) -> None:
        start.wait(10)
        answers.extend(ask() for _ in range(3))

    threads = [threading.Thread(target=run, args=(ask,)) for ask in (observe, read) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [True] * 18
