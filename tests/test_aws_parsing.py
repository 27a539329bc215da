"""EC2's answers become the model's values: recorded ones, and shapes that the emulator never gives."""

import json
import os
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tui.clouds.aws import instances_of, subnets_of
from tui.model.network import NetworkInterface

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import NetworkInterfaceTypeDef

_BESIDE = Path(__file__).parents[2] / "shared" / "recordings"
_RECORDINGS = Path(os.environ.get("L2BRIDGE_RECORDINGS", _BESIDE)) / "aws"


def recorded(name: str) -> dict[str, Any]:
    path = _RECORDINGS / name
    if not path.exists():
        pytest.skip(f"the recording aws/{name} is absent (L2BRIDGE_RECORDINGS names its folder)")
    return cast("dict[str, Any]", json.loads(path.read_text())["data"])


def raw(**changes: object) -> "NetworkInterfaceTypeDef":
    """Build an attached interface as EC2 tells it."""
    made = {
        "NetworkInterfaceId": "eni-1",
        "InterfaceType": "interface",
        "VpcId": "vpc-1",
        "SubnetId": "subnet-1",
        "SourceDestCheck": True,
        "PrivateIpAddress": "10.0.0.4",
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": "10.0.0.4"}],
        "Attachment": {"InstanceId": "i-1", "InstanceOwnerId": "123456789012", "DeviceIndex": 0},
        **changes,
    }
    return cast("NetworkInterfaceTypeDef", made)


def only(**changes: object) -> NetworkInterface:
    (instance,) = instances_of([raw(**changes)])
    (interface,) = instance.interfaces
    return interface


def test_recorded_interfaces_give_the_attached_one() -> None:
    (instance,) = instances_of(recorded("describe-network-interfaces.json")["NetworkInterfaces"])
    assert (instance.key, instance.zone) == ("i-0f94b4d7343149de3", "us-east-1d")
    (interface,) = instance.interfaces
    assert (interface.id, interface.network, interface.subnet) == (
        "eni-0e1324ba169ed7b2f",
        "vpc-d2d616b5",
        "subnet-3a334610",
    )
    assert interface.addresses == (ip_address("172.31.50.32"),)
    assert interface.forwards is False
    assert interface.switch.refusal is None


def test_recorded_interfaces_of_one_instance_come_in_device_order() -> None:
    """DescribeInstances tells the same interfaces, without the instance's id in the attachment."""
    for reservation in recorded("describe-instances-multi-eni.json")["Reservations"]:
        for told in reservation["Instances"]:
            interfaces = told["NetworkInterfaces"]
            for interface in interfaces:
                interface["Attachment"]["InstanceId"] = told["InstanceId"]
            (instance,) = instances_of(reversed(interfaces))
            order = sorted(interfaces, key=lambda interface: interface["Attachment"]["DeviceIndex"])
            assert [interface.id for interface in instance.interfaces] == [one["NetworkInterfaceId"] for one in order]
            assert ip_address(told["PrivateIpAddress"]) in instance.interfaces[0].addresses


@pytest.mark.parametrize(
    "attachment",
    [
        {},
        {"InstanceOwnerId": "amazon-aws", "Status": "attached"},
        {"InstanceId": "i-1", "InstanceOwnerId": "amazon-elb"},
    ],
)
def test_interfaces_of_load_balancers_and_endpoints_are_no_instances(attachment: dict[str, str]) -> None:
    assert instances_of([raw(Attachment=attachment)]) == ()


@pytest.mark.parametrize(("check", "forwards"), [(True, False), (False, True), (None, None)])
def test_an_absent_check_is_unknown(check: bool | None, forwards: bool | None) -> None:
    interface = raw(SourceDestCheck=check)
    if check is None:
        del interface["SourceDestCheck"]
    ((seen,),) = [instance.interfaces for instance in instances_of([interface])]
    assert seen.forwards is forwards


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"RequesterManaged": True}, "managed by the AWS service"),
        ({"Operator": {"Managed": True, "Principal": "eks.amazonaws.com"}}, "managed by eks.amazonaws.com"),
        ({"Operator": {"Managed": True}}, "managed by an AWS service"),
        ({"InterfaceType": "branch"}, "type branch"),
        ({"InterfaceType": "trunk"}, "type trunk"),
        ({"InterfaceType": "efa"}, "type efa"),
        ({"InterfaceType": "efa-only"}, "type efa-only"),
    ],
)
def test_what_belongs_to_somebody_else_is_not_written(changes: dict[str, object], word: str) -> None:
    refusal = only(**changes).switch.refusal
    assert refusal is not None
    assert word in refusal


def test_addresses_are_unique_primary_first_and_ipv6_follow() -> None:
    interface = only(
        PrivateIpAddress="10.0.0.4",
        PrivateIpAddresses=[
            {"Primary": False, "PrivateIpAddress": "10.0.0.9"},
            {"Primary": True, "PrivateIpAddress": "10.0.0.4"},
        ],
        Ipv6Addresses=[
            {"Ipv6Address": "2001:db8::2"},
            {"Ipv6Address": "2001:DB8:0::1", "IsPrimaryIpv6": True},
        ],
    )
    assert list(map(str, interface.addresses)) == ["10.0.0.4", "10.0.0.9", "2001:db8::1", "2001:db8::2"]


def test_an_ipv6_only_interface_has_its_addresses() -> None:
    interface = raw(Ipv6Addresses=[{"Ipv6Address": "2001:db8::1"}], PrivateIpAddresses=[])
    del interface["PrivateIpAddress"]
    (instance,) = instances_of([interface])
    assert instance.interfaces[0].addresses == (ip_address("2001:db8::1"),)


def test_delegated_prefixes_are_delivered_by_ec2_itself() -> None:
    interface = only(
        Ipv4Prefixes=[{"Ipv4Prefix": "10.0.0.16/28"}], Ipv6Prefixes=[{"Ipv6Prefix": "2001:db8:0:0:1::/80"}]
    )
    assert interface.may_carry(ip_network("10.0.0.16/28")) is True
    assert interface.may_carry(ip_network("2001:db8:0:0:1::/96")) is True
    assert interface.may_carry(ip_network("10.42.1.0/24")) is False


def test_text_that_is_no_address_is_left_out() -> None:
    assert only(PrivateIpAddress="", PrivateIpAddresses=[{"PrivateIpAddress": "10.0.0.256"}]).addresses == ()


def test_a_bare_subnet_has_no_ranges() -> None:
    (subnet,) = subnets_of([{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/64"}])
    assert (subnet.id, subnet.network, subnet.cidrs, subnet.zone) == ("subnet-1", "vpc-1", (), None)


def test_ranges_that_left_a_subnet_are_not_its_own() -> None:
    blocks = [
        {"Ipv6CidrBlock": f"2001:db8:{number}::/64", "Ipv6CidrBlockState": {"State": state}}
        for number, state in enumerate(("associated", "disassociated", "associating"))
    ]
    (subnet,) = subnets_of(cast("Any", [{"SubnetId": "subnet-1", "Ipv6CidrBlockAssociationSet": blocks}]))
    assert list(map(str, subnet.cidrs)) == ["2001:db8::/64", "2001:db8:2::/64"]
