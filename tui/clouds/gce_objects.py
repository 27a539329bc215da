"""Compute Engine's answers: structs that name only the needed fields, and their translation into the model.

The structs also say which fields are asked for. May import msgspec, the adapter's names and the model only.
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from typing import Generic, TypeVar

import msgspec

from tui.clouds.gce_names import Names, name_of, project_of
from tui.model.network import (
    Disruption,
    ForwardingSwitch,
    Instance,
    NetworkInterface,
    NextHop,
    NextHopKind,
    Route,
    RouteQuota,
    Subnet,
)
from tui.model.node import Cloud, IPAddress, IPNetwork
from tui.model.text import printable

FLAG = "canIpForward"

_RUNNING = {
    "RUNNING": True,
    "STOPPING": False,
    "STOPPED": False,
    "SUSPENDING": False,
    "SUSPENDED": False,
    "TERMINATED": False,
    "DEPROVISIONING": False,
}
"""What is on its way up, or under repair, is neither."""

_WRITABLE = frozenset({"RUNNING", "TERMINATED", "STOPPED", ""})
"""States in which the properties of a VM can be updated; Compute Engine says RESOURCE_NOT_READY in the others."""

_DEAD = frozenset(
    {
        "NEXT_HOP_ADDRESS_NOT_ASSIGNED",
        "NEXT_HOP_INSTANCE_HAS_NO_IPV6_INTERFACE",
        "NEXT_HOP_INSTANCE_NOT_FOUND",
        "NEXT_HOP_INSTANCE_NOT_ON_NETWORK",
        "NEXT_HOP_NOT_RUNNING",
    }
)
"""Warnings that say that packets go nowhere. That the next hop may not forward is the finding of another check."""

_NO_PRIORITY = 1000
"""What Compute Engine gives a route whose priority nobody says."""

_ROUTES_QUOTA = "ROUTES"


class _Answer(msgspec.Struct, rename="camel", gc=False):
    """What every struct here has in common: names as the API writes them."""


class Warning_(_Answer):  # noqa: N801 - the API's word; the plain one is Python's own
    """A warning; only its code is of use."""

    code: str = ""


class AliasRange(_Answer):
    """An alias range of an interface."""

    ip_cidr_range: str = ""


class AccessConfig(_Answer):
    """An address of an interface that is reachable from outside; of IPv6 there are no others on some subnets."""

    external_ipv6: str = ""
    external_ipv6_prefix_length: int = 0


class InterfaceItem(_Answer):
    """``Instance.networkInterfaces[]``."""

    name: str = ""
    network: str = ""
    subnetwork: str = ""
    network_ip: str = msgspec.field(default="", name="networkIP")
    ipv6_address: str = ""
    internal_ipv6_prefix_length: int = 0
    ipv6_access_configs: list[AccessConfig] = []
    alias_ip_ranges: list[AliasRange] = []
    alias_ipv6_ranges: list[AliasRange] = []


class Tags(_Answer):
    """``Instance.tags``."""

    items: list[str] = []


class InstanceItem(_Answer):
    """``Instance``."""

    name: str = ""
    zone: str = ""
    status: str = ""
    can_ip_forward: bool = False
    fingerprint: str | None = None
    tags: Tags | None = None
    network_interfaces: list[InterfaceItem] = []


class SubnetworkItem(_Answer):
    """``Subnetwork``."""

    self_link: str = ""
    network: str = ""
    ip_cidr_range: str = ""
    internal_ipv6_prefix: str = ""
    external_ipv6_prefix: str = ""


class RouteItem(_Answer):
    """``Route``."""

    id: str | None = None
    name: str = ""
    network: str = ""
    dest_range: str = ""
    priority: int = _NO_PRIORITY
    description: str = ""
    tags: list[str] = []
    warnings: list[Warning_] = []
    route_type: str = ""
    next_hop_instance: str = ""
    next_hop_ip: str = ""
    next_hop_gateway: str = ""
    next_hop_vpn_tunnel: str = ""
    next_hop_ilb: str = ""
    next_hop_network: str = ""
    next_hop_peering: str = ""
    next_hop_hub: str = ""
    next_hop_interconnect_attachment: str = ""


class InstanceScope(_Answer):
    """The instances of one zone."""

    instances: list[InstanceItem] = []
    warning: Warning_ | None = None


class SubnetworkScope(_Answer):
    """The subnetworks of one region."""

    subnetworks: list[SubnetworkItem] = []
    warning: Warning_ | None = None


_Scope = TypeVar("_Scope", InstanceScope, SubnetworkScope)


class Page(_Answer):
    """What every page of a list says besides its items."""

    next_page_token: str = ""
    unreachables: list[str] = []
    warning: Warning_ | None = None


class AggregatedPage(Page, Generic[_Scope]):
    """A page of an aggregated list: its items by scope (``zones/us-central1-a``)."""

    items: dict[str, _Scope] = {}


class InstancePage(AggregatedPage[InstanceScope]):
    """A page of ``aggregated/instances``."""


class SubnetworkPage(AggregatedPage[SubnetworkScope]):
    """A page of ``aggregated/subnetworks``."""


class RoutePage(Page):
    """A page of ``global/routes``."""

    items: list[RouteItem] = []


class QuotaItem(_Answer):
    """``Project.quotas[]``; the numbers are floating point in the API."""

    metric: str = ""
    limit: float = 0.0
    usage: float = 0.0


class ProjectItem(_Answer):
    """``Project``; ``id`` is its number, ``name`` what people call its id."""

    id: str = ""
    name: str = ""
    quotas: list[QuotaItem] = []


_LISTED = "nextPageToken,warning/code"
_INSTANCE = (
    "name,zone,status,canIpForward,fingerprint,tags/items,networkInterfaces(name,network,subnetwork,networkIP,"
    "ipv6Address,internalIpv6PrefixLength,ipv6AccessConfigs(externalIpv6,externalIpv6PrefixLength),"
    "aliasIpRanges/ipCidrRange,aliasIpv6Ranges/ipCidrRange)"
)
ROUTE_FIELDS = (
    "id,name,network,destRange,priority,description,tags,warnings/code,routeType,nextHopInstance,nextHopIp,"
    "nextHopGateway,nextHopVpnTunnel,nextHopIlb,nextHopNetwork,nextHopPeering,nextHopHub,nextHopInterconnectAttachment"
)
FLAG_FIELDS = "name,status,canIpForward,fingerprint"
INSTANCE_PAGE_FIELDS = f"{_LISTED},unreachables,items/*/warning/code,items/*/instances({_INSTANCE})"
SUBNETWORK_PAGE_FIELDS = (
    f"{_LISTED},unreachables,items/*/warning/code,"
    "items/*/subnetworks(selfLink,network,ipCidrRange,internalIpv6Prefix,externalIpv6Prefix)"
)
ROUTE_PAGE_FIELDS = f"{_LISTED},items({ROUTE_FIELDS})"
PROJECT_FIELDS = "id,name,quotas(metric,limit,usage)"
NAME_FIELDS = "id,name"


def gaps(page: InstancePage | SubnetworkPage | RoutePage) -> Iterator[str]:
    """Yield what a page says is missing in it, by scope. That a scope is empty is no gap."""
    if page.warning is not None and _is_gap(page.warning):
        yield page.warning.code
    yield from (name_of(unreachable) for unreachable in page.unreachables)
    if isinstance(page, RoutePage):
        return
    for name, scope in page.items.items():
        if scope.warning is not None and _is_gap(scope.warning):
            yield name_of(name)


def _is_gap(warning: Warning_) -> bool:
    return warning.code not in {"", "NO_RESULTS_ON_PAGE"}


def projects_named(items: Iterable[InstanceItem]) -> frozenset[str]:
    """Return the projects whose zones and networks the instances name, as they are written."""
    references = {item.zone for item in items} | {nic.network for item in items for nic in item.network_interfaces}
    return frozenset(project_of(Names(home="").id(reference)) for reference in references) - {""}


def instances_of(items: Iterable[InstanceItem], names: Names) -> tuple[Instance, ...]:
    """Translate instances, ordered by key."""
    return tuple(sorted((instance_of(item, names) for item in items), key=lambda instance: instance.key))


def instance_of(item: InstanceItem, names: Names) -> Instance:
    """Translate one instance, interfaces in the API's order: ``nic0`` is the first one."""
    zone_id = names.id(item.zone)
    zone = name_of(zone_id)
    project = project_of(zone_id) or names.home
    id_ = f"projects/{project}/zones/{zone}/instances/{item.name}"
    switch = ForwardingSwitch(
        subject=id_,
        flag=FLAG,
        inverted=False,
        disruption=Disruption.REFRESH,
        token=item.fingerprint,
        refusal=_refusal(item.status),
    )
    return Instance(
        cloud=Cloud.GCE,
        id=id_,
        key=f"{project}/{zone}/{item.name}",
        name=item.name,
        zone=zone,
        running=_RUNNING.get(item.status),
        interfaces=tuple(
            _interface(nic, names, project, item.can_ip_forward, switch) for nic in item.network_interfaces
        ),
        tags=frozenset(item.tags.items) if item.tags is not None else frozenset(),
    )


def _interface(
    nic: InterfaceItem, names: Names, project: str, forwards: bool, switch: ForwardingSwitch
) -> NetworkInterface:
    """Translate one interface. A VM can only be named as next hop by routes of its own project."""
    network = names.id(nic.network)
    outside = [config.external_ipv6 for config in nic.ipv6_access_configs]
    return NetworkInterface(
        id=nic.name,
        network=network,
        subnet=names.id(nic.subnetwork) or None,
        addresses=_addresses([nic.network_ip, nic.ipv6_address, *outside]),
        forwards=forwards,
        switch=switch,
        owned_cidrs=_cidrs(_delivered(nic)),
        routed_by=NextHopKind.INSTANCE if project_of(network) == project else NextHopKind.ADDRESS,
    )


def _delivered(nic: InterfaceItem) -> Iterator[str]:
    """Yield the ranges that the cloud delivers by itself: aliases, and the IPv6 range behind the address."""
    yield from (alias.ip_cidr_range for alias in nic.alias_ip_ranges)
    yield from (alias.ip_cidr_range for alias in nic.alias_ipv6_ranges)
    if nic.ipv6_address and nic.internal_ipv6_prefix_length:
        yield f"{nic.ipv6_address.partition('/')[0]}/{nic.internal_ipv6_prefix_length}"
    for config in nic.ipv6_access_configs:
        if config.external_ipv6 and config.external_ipv6_prefix_length:
            yield f"{config.external_ipv6}/{config.external_ipv6_prefix_length}"


def _refusal(status: str) -> str | None:
    if status in _WRITABLE:
        return None
    if status == "SUSPENDED":
        return "the VM is suspended, which allows no update: resume it or stop it first"
    return f"the VM is {printable(status).lower()}, which allows no update: wait until it runs or is stopped"


def subnets_of(items: Iterable[SubnetworkItem], names: Names) -> tuple[Subnet, ...]:
    """Translate subnetworks, ordered by id, with their primary ranges, IPv4 first; they span the zones of a region."""
    subnets = (
        Subnet(
            id=names.id(item.self_link),
            network=names.id(item.network),
            cidrs=_cidrs((item.ip_cidr_range, item.internal_ipv6_prefix, item.external_ipv6_prefix)),
        )
        for item in items
    )
    return tuple(sorted(subnets, key=lambda subnet: subnet.id))


def routes_of(items: Iterable[RouteItem], names: Names) -> tuple[Route, ...]:
    """Translate routes, ordered by name. One whose destination is no range leads nowhere and is left out."""
    routes = (route_of(item, names) for item in items)
    return tuple(sorted((route for route in routes if route is not None), key=lambda route: route.name))


def route_of(item: RouteItem, names: Names) -> Route | None:
    """Translate one route; None when its destination is no range."""
    destinations = _cidrs((item.dest_range,))
    if not destinations:
        return None
    codes = [warning.code for warning in item.warnings if warning.code]
    deadly = [code for code in codes if code in _DEAD]
    told = (*deadly, *codes)
    made_by_the_cloud = item.next_hop_network or item.next_hop_peering or item.next_hop_hub
    return Route(
        name=item.name,
        destination=destinations[0],
        next_hop=_next_hop(item, names),
        priority=item.priority,
        description=item.description,
        tags=frozenset(item.tags),
        dead=bool(deadly),
        warning=told[0] if told else None,
        system=bool(made_by_the_cloud) or item.route_type in {"SUBNET", "BGP", "TRANSIT"},
        reserves=bool(item.next_hop_network) or item.route_type == "SUBNET",
        token=item.id,
    )


def _next_hop(item: RouteItem, names: Names) -> NextHop:
    if item.next_hop_instance:
        id_ = names.id(item.next_hop_instance)
        words = id_.split("/")
        if len(words) == 6:
            key = f"{words[1]}/{words[3]}/{words[5]}"
            return NextHop(kind=NextHopKind.INSTANCE, text=id_, instance_key=key)
        return NextHop(kind=NextHopKind.OTHER, text=id_)
    if item.next_hop_ip:
        address = next(iter(_addresses((item.next_hop_ip,))), None)
        kind = NextHopKind.OTHER if address is None else NextHopKind.ADDRESS
        return NextHop(kind=kind, text=item.next_hop_ip, address=address)
    reference = (
        item.next_hop_gateway
        or item.next_hop_vpn_tunnel
        or item.next_hop_ilb
        or item.next_hop_network
        or item.next_hop_interconnect_attachment
    )
    text = names.id(reference) if "/" in reference else reference
    return NextHop(kind=NextHopKind.OTHER, text=text or item.next_hop_peering or item.next_hop_hub or "nothing told")


def quota_of(project: str, item: ProjectItem) -> RouteQuota | None:
    """Return the project's limit on routes; None when it is not told."""
    for quota in item.quotas:
        if quota.metric == _ROUTES_QUOTA:
            name = f"{_ROUTES_QUOTA} of projects/{project}"
            return RouteQuota(name=name, limit=int(quota.limit), used=int(quota.usage))
    return None


def _addresses(texts: Iterable[str]) -> tuple[IPAddress, ...]:
    """Parse in order, once each. What is no address is left out: it cannot be a node's either."""
    parsed = (_address(text) for text in texts if text)
    return tuple(dict.fromkeys(address for address in parsed if address is not None))


def _cidrs(texts: Iterable[str]) -> tuple[IPNetwork, ...]:
    """Parse in order, once each; an address alone is a range of one."""
    parsed = (_cidr(text) for text in texts if text)
    return tuple(dict.fromkeys(cidr for cidr in parsed if cidr is not None))


def _address(text: str) -> IPAddress | None:
    try:
        return ip_address(text.partition("/")[0])
    except ValueError:
        return None


def _cidr(text: str) -> IPNetwork | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
