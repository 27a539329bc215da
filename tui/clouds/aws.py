"""EC2: network interfaces and subnets are read, one flag per interface is written.

Network interfaces rather than instances are listed, because they say everything at once: the flag, all addresses, the
subnet, and the instance they are attached to. The flag is written per interface: the instance-level call fails on an
instance with several. Routes are not read, since within one subnet EC2 delivers pod packets by themselves.

May import the account, the ports and the model only.
"""

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, assert_never

from tui.clouds.aws_account import Account
from tui.model.change import (
    AssociateRouteTable,
    Change,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
    ReplaceRoute,
    SetForwarding,
)
from tui.model.glance import Glance
from tui.model.network import ForwardingSwitch, Instance, NetworkInterface, Subnet
from tui.model.node import Cloud, IPAddress, IPNetwork, Node
from tui.model.snapshot import CloudView, Source, SourceState
from tui.model.text import printable
from tui.ports import CloudOptions, Denied, NotFound, PortError, Reading, Rejected, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import (
        DescribeNetworkInterfacesRequestPaginateTypeDef,
        FilterTypeDef,
        NetworkInterfaceTypeDef,
        SubnetTypeDef,
    )

_FLAG = "SourceDestCheck"
_PAGE_SIZE = 1000
_FILTER_VALUES = 200
"""The most values that one filter of a Describe call takes."""
_READ_ATTEMPTS = 3
_WRITE_ATTEMPTS = 1
"""The flag could be set twice without harm, but between a lost answer and a second attempt somebody else may have set
it otherwise. So the SDK sends a write once, and the engine looks before it decides."""

_UNKNOWN = "unknown"
"""What the source of nodes is called whose region nothing tells."""

_NO_ROUTES = "no routes are written on EC2: within one subnet it delivers pod packets without"

_WRITABLE_TYPES = frozenset({"interface"})
"""Trunk, branch and EFA interfaces belong to whatever made them what they are."""

_DISSOCIATED = frozenset({"disassociated", "failed"})
"""States in which EC2 still lists a range that is none of the subnet's; one on its way in or out counts."""

_REGION_OF_ZONE = re.compile(r"[a-z]+(?:-[a-z]+)+-\d+")
"""A zone begins with its region; a letter follows, or the name of a Local or Wavelength Zone."""


class AwsReader:
    """The reading side of EC2: one source per region, named ``aws:REGION``. Safe for several threads."""

    cloud = Cloud.AWS

    def __init__(self, options: CloudOptions) -> None:
        self._options = options
        self._account = Account(attempts=_READ_ATTEMPTS, meter=options.meter)

    def observe(self, nodes: Sequence[Node]) -> tuple[CloudView, ...]:
        """Read the regions that these nodes are in, ordered by name; none for no nodes.

        Per region these are the pages of DescribeNetworkInterfaces and of DescribeSubnets. Nodes of which nothing
        tells the region are in a view of the source ``aws:unknown``.
        """
        told = {node.uid: _region_told_by(node) or self._options.aws_region for node in nodes}
        default: str | None = None
        trouble: PortError = Unavailable("nothing tells the region of these nodes: give --aws-region")
        if None in told.values():
            try:
                default = self._account.default_region()
            except PortError as error:
                trouble = error
        regions: dict[str, list[Node]] = {}
        homeless: list[Node] = []
        for node in nodes:
            region = told[node.uid] or default
            (homeless if region is None else regions.setdefault(region, [])).append(node)
        views = [self._observe_region(region, members) for region, members in sorted(regions.items())]
        return (*views, *([_view(_UNKNOWN, homeless, failure=trouble)] if homeless else ()))

    def glance(self, nodes: Sequence[Node]) -> tuple[Glance, ...] | None:
        """Read the interfaces of these nodes' instances alone: one list per region."""
        regions: dict[str, list[Node]] = {}
        for node in nodes:
            region = _region_told_by(node) or self._options.aws_region
            if region is None or _instance_id(node) is None:
                return None
            regions.setdefault(region, []).append(node)
        return tuple(self._glance_at(region, members) for region, members in sorted(regions.items()))

    def _glance_at(self, region: str, nodes: Sequence[Node]) -> Glance:
        told = {instance.key: instance for instance in instances_of(self._interfaces(region, nodes))}
        asked = {node.uid: _instance_id(node) or "" for node in nodes}
        instances = {key: told.get(key) for key in asked.values()}
        return Glance(source=f"aws:{region}", node_uids=frozenset(asked), instances=instances)

    def read(self, change: Change) -> Reading:
        """Read the interface's flag."""
        return Reading(forwards=_forwards(self._interface(_of_flag(change))))

    def command(self, change: Change) -> str:
        """Return the change for ``aws``, with the profile where the environment names one."""
        flag = _of_flag(change)
        profile = os.environ.get("AWS_PROFILE")
        return shlex.join(
            [
                *("aws", "ec2", "modify-network-interface-attribute"),
                *(("--profile", profile) if profile else ()),
                *("--region", _region_of(flag)),
                *("--network-interface-id", flag.subject),
                "--no-source-dest-check" if flag.after else "--source-dest-check",
            ]
        )

    def identity(self, source: str) -> str | None:
        """Return the caller's ARN, which STS in the source's region tells without a permission.

        Raises as the port says; ``Unavailable`` too where only EC2 can be reached, or the source names no region.
        """
        cloud, _, region = source.partition(":")
        if cloud != Cloud.AWS or region in {"", _UNKNOWN}:
            raise Unavailable(f"{printable(source)} names no AWS region to ask who acts: give --aws-region")
        return self._account.caller(region)

    def _observe_region(self, region: str, nodes: Sequence[Node]) -> CloudView:
        instances: tuple[Instance, ...] | None = None
        subnets: tuple[Subnet, ...] | None = None
        failure: PortError | None = None
        try:
            instances = instances_of(self._interfaces(region, nodes))
            subnets = subnets_of(self._subnets(region))
        except PortError as error:
            failure = error
        return _view(region, nodes, instances=instances, subnets=subnets, failure=failure)

    def _interfaces(self, region: str, nodes: Sequence[Node]) -> "Sequence[NetworkInterfaceTypeDef]":
        """Return at least every interface that one of these nodes can turn out to have.

        A few nodes that all name their instance are asked for by name. Otherwise the whole scope is read, the VPC or
        else the region; and because the VPC only narrows the search by address, instances named by nodes and not seen
        in it are asked for by name afterwards.
        """
        named = {_instance_id(node) for node in nodes}
        ids = sorted(id_ for id_ in named if id_ is not None)
        if None not in named and len(ids) <= _FILTER_VALUES:
            return list(self._pages(region, _filter("attachment.instance-id", ids)))
        vpc = self._options.aws_vpc
        if vpc is None:
            return list(self._pages(region))
        found = list(self._pages(region, _filter("vpc-id", [vpc])))
        seen = {interface.get("Attachment", {}).get("InstanceId") for interface in found}
        elsewhere = [id_ for id_ in ids if id_ not in seen]
        for start in range(0, len(elsewhere), _FILTER_VALUES):
            batch = elsewhere[start : start + _FILTER_VALUES]
            found.extend(self._pages(region, _filter("attachment.instance-id", batch)))
        return found

    def _pages(self, region: str, *filters: "FilterTypeDef") -> "Iterator[NetworkInterfaceTypeDef]":
        with self._account.calling("DescribeNetworkInterfaces", region) as client:
            request: DescribeNetworkInterfacesRequestPaginateTypeDef = {
                "Filters": filters,
                "PaginationConfig": {"PageSize": _PAGE_SIZE},
            }
            if _shows_managed(client):
                request["IncludeManagedResources"] = True
            for page in client.get_paginator("describe_network_interfaces").paginate(**request):
                yield from page["NetworkInterfaces"]

    def _subnets(self, region: str) -> "Iterator[SubnetTypeDef]":
        """Yield every subnet of the region: a node that names its instance may be outside of the given VPC."""
        with self._account.calling("DescribeSubnets", region) as client:
            for page in client.get_paginator("describe_subnets").paginate(PaginationConfig={"PageSize": _PAGE_SIZE}):
                yield from page["Subnets"]

    def _interface(self, change: SetForwarding) -> "NetworkInterfaceTypeDef":
        with self._account.calling("DescribeNetworkInterfaces", _region_of(change), change.subject) as client:
            ids = [change.subject]
            answer = (
                client.describe_network_interfaces(NetworkInterfaceIds=ids, IncludeManagedResources=True)
                if _shows_managed(client)
                else client.describe_network_interfaces(NetworkInterfaceIds=ids)
            )
        if not answer["NetworkInterfaces"]:
            raise NotFound(f"{change.subject} does not exist")
        return answer["NetworkInterfaces"][0]


class AwsWriter:
    """The writing side of EC2. Safe for several threads."""

    def __init__(self, options: CloudOptions) -> None:
        self._options = options
        self._account = Account(attempts=_WRITE_ATTEMPTS, meter=options.meter)

    def write(self, change: Change) -> None:
        """Send ModifyNetworkInterfaceAttribute once; EC2 has taken it when it answers, and has no token to check."""
        flag, operation = _of_flag(change), "ModifyNetworkInterfaceAttribute"
        with self._account.calling(operation, _region_of(flag), flag.subject, writes=True) as client:
            client.modify_network_interface_attribute(
                NetworkInterfaceId=flag.subject, SourceDestCheck={"Value": not flag.after}
            )


def _of_flag(change: Change) -> SetForwarding:
    """Return the change if EC2 knows its kind. Raises ``Rejected``."""
    match change:
        case SetForwarding():
            return change
        case CreateRoute() | ReplaceRoute() | DeleteRoute():
            raise Rejected(_NO_ROUTES)
        case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
            raise Rejected(_NO_ROUTES)
        case _:
            assert_never(change)


def instances_of(interfaces: "Iterable[NetworkInterfaceTypeDef]") -> tuple[Instance, ...]:
    """Group the interfaces that are attached to instances; ordered by instance id, interfaces by device index.

    Interfaces of load balancers, endpoints and the like have an attachment too, without an instance or owned by AWS.
    """
    members: dict[str, list[NetworkInterfaceTypeDef]] = {}
    for interface in interfaces:
        attachment = interface.get("Attachment", {})
        instance_id = attachment.get("InstanceId")
        if instance_id and not attachment.get("InstanceOwnerId", "").startswith("amazon-"):
            members.setdefault(instance_id, []).append(interface)
    return tuple(
        Instance(
            cloud=Cloud.AWS,
            id=instance_id,
            key=instance_id,
            name=None,
            zone=attached[0].get("AvailabilityZone"),
            running=None,
            interfaces=tuple(_network_interface(interface) for interface in sorted(attached, key=_device)),
        )
        for instance_id, attached in sorted(members.items())
    )


def subnets_of(subnets: "Iterable[SubnetTypeDef]") -> tuple[Subnet, ...]:
    """Translate subnets, ordered by id, with the ranges that are associated with them, IPv4 first."""
    return tuple(
        sorted(
            (
                Subnet(
                    id=subnet.get("SubnetId", ""),
                    network=subnet.get("VpcId", ""),
                    cidrs=_cidrs([subnet.get("CidrBlock"), *_ipv6_blocks(subnet)]),
                    zone=subnet.get("AvailabilityZone"),
                )
                for subnet in subnets
            ),
            key=lambda subnet: subnet.id,
        )
    )


def _network_interface(interface: "NetworkInterfaceTypeDef") -> NetworkInterface:
    # A set so old, or an interface so bare, that it lists no addresses still names its first one.
    ipv4 = sorted(interface.get("PrivateIpAddresses", ()), key=lambda address: not address.get("Primary", False))
    ipv6 = sorted(interface.get("Ipv6Addresses", ()), key=lambda address: not address.get("IsPrimaryIpv6", False))
    texts = [
        interface.get("PrivateIpAddress"),
        *(address.get("PrivateIpAddress") for address in ipv4),
        *(address.get("Ipv6Address") for address in ipv6),
    ]
    prefixes = [
        *(prefix.get("Ipv4Prefix") for prefix in interface.get("Ipv4Prefixes", ())),
        *(prefix.get("Ipv6Prefix") for prefix in interface.get("Ipv6Prefixes", ())),
    ]
    id_ = interface.get("NetworkInterfaceId", "")
    return NetworkInterface(
        id=id_,
        network=interface.get("VpcId", ""),
        subnet=interface.get("SubnetId"),
        addresses=_addresses(texts),
        forwards=_forwards(interface),
        switch=ForwardingSwitch(subject=id_, flag=_FLAG, inverted=True, refusal=_refusal(interface)),
        owned_cidrs=_cidrs(prefixes),
    )


def _forwards(interface: "NetworkInterfaceTypeDef") -> bool | None:
    check = interface.get("SourceDestCheck")
    return None if check is None else not check


def _refusal(interface: "NetworkInterfaceTypeDef") -> str | None:
    operator = interface.get("Operator", {})
    kind = interface.get("InterfaceType", "interface")
    if operator.get("Managed"):
        return f"the interface is managed by {printable(operator.get('Principal', 'an AWS service'))}: change it there"
    if interface.get("RequesterManaged"):
        return "the interface is managed by the AWS service that created it: change it there"
    if kind not in _WRITABLE_TYPES:
        return f"the interface is of type {printable(kind)}, whose check belongs to what created it: change it there"
    return None


def _device(interface: "NetworkInterfaceTypeDef") -> tuple[int, int, str]:
    attachment = interface.get("Attachment", {})
    id_ = interface.get("NetworkInterfaceId", "")
    return (attachment.get("NetworkCardIndex", 0), attachment.get("DeviceIndex", 0), id_)


def _addresses(texts: Iterable[str | None]) -> tuple[IPAddress, ...]:
    """Parse in order, once each. What is no address is left out: it cannot be a node's either."""
    parsed: dict[IPAddress, None] = {}
    for text in texts:
        try:
            parsed[ip_address(text or "")] = None
        except ValueError:
            continue
    return tuple(parsed)


def _cidrs(texts: Iterable[str | None]) -> tuple[IPNetwork, ...]:
    parsed: dict[IPNetwork, None] = {}
    for text in texts:
        try:
            parsed[ip_network(text or "", strict=False)] = None
        except ValueError:
            continue
    return tuple(parsed)


def _ipv6_blocks(subnet: "SubnetTypeDef") -> Iterator[str | None]:
    for association in subnet.get("Ipv6CidrBlockAssociationSet", ()):
        if association.get("Ipv6CidrBlockState", {}).get("State") not in _DISSOCIATED:
            yield association.get("Ipv6CidrBlock")


def _view(
    region: str,
    nodes: Iterable[Node],
    *,
    instances: tuple[Instance, ...] | None = None,
    subnets: tuple[Subnet, ...] | None = None,
    failure: PortError | None = None,
) -> CloudView:
    """Say what was read. Interfaces stand without subnets, but the source is then no proof of health."""
    state = SourceState.DENIED if isinstance(failure, Denied) else SourceState.UNAVAILABLE
    return CloudView(
        source=Source(
            name=f"aws:{region}",
            state=SourceState.OK if failure is None else state,
            observed_at=None if instances is None else datetime.now(UTC),
            message=None if failure is None else str(failure),
        ),
        cloud=Cloud.AWS,
        node_uids=frozenset(node.uid for node in nodes),
        instances=instances,
        subnets=subnets,
        route_tables=None,
    )


def _instance_id(node: Node) -> str | None:
    return node.provider_id.key if node.provider_id.cloud is Cloud.AWS else None


def _region_told_by(node: Node) -> str | None:
    zone = _REGION_OF_ZONE.match(node.zone or "")
    return node.region or (zone.group() if zone else None)


def _region_of(change: Change) -> str:
    cloud, _, region = change.source.partition(":")
    if cloud != Cloud.AWS or not region:
        raise NotFound(f"{change.source} names no AWS region to look for {change.subject} in")
    return region


def _filter(name: str, values: Sequence[str]) -> "FilterTypeDef":
    return {"Name": name, "Values": values}


def _shows_managed(client: "EC2Client") -> bool:
    """Tell whether the installed SDK can ask for interfaces that an account's settings hide because AWS runs them."""
    shape = client.meta.service_model.operation_model("DescribeNetworkInterfaces").input_shape
    return shape is not None and "IncludeManagedResources" in shape.members
