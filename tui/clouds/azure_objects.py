"""Azure's answers: structs that name only the needed fields, and their translation into the model.

May import msgspec, the adapter's names and the model only.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Generic, TypeVar

import msgspec

from tui.clouds.azure_names import ResourceId, Spellings, fold, name_of
from tui.model.network import (
    ROUTES_PER_TABLE,
    ForwardingSwitch,
    Instance,
    NetworkInterface,
    NextHop,
    NextHopKind,
    ReplaceMethod,
    Route,
    RouteQuota,
    RouteTable,
    Subnet,
)
from tui.model.node import Cloud, IPAddress, IPNetwork
from tui.model.text import printable

FLAG = "enableIPForwarding"
SCALE_SET_MEMBER = "microsoft.compute/virtualmachinescalesets/virtualmachines"

_NO_ROOM = "delete routes that nobody needs, or ask Azure for a higher limit"
_RAISED_LIMIT = 1000
"""How many routes fit into a table of which the limit was raised, as a table with more than the usual number shows."""
_MANAGED_GROUP = "avnm_managed_"
"""What the names of the groups begin with in which Azure Virtual Network Manager keeps its route tables."""


_Listed = TypeVar("_Listed")


class _Answer(msgspec.Struct, rename="camel", gc=False):
    """What every struct here has in common: names as the API writes them."""


class Reference(_Answer):
    """A resource that another one names."""

    id: str = ""


class AddressProperties(_Answer):
    """``NetworkInterfaceIPConfiguration.properties``."""

    private_ip_address: str | None = msgspec.field(default=None, name="privateIPAddress")
    subnet: Reference | None = None


class AddressItem(_Answer):
    """``NetworkInterfaceIPConfiguration``."""

    name: str | None = None
    properties: AddressProperties | None = None


class NicProperties(_Answer):
    """``NetworkInterface.properties``."""

    enable_ip_forwarding: bool | None = msgspec.field(default=None, name=FLAG)
    ip_configurations: list[AddressItem] | None = None
    virtual_machine: Reference | None = None
    provisioning_state: str | None = None


class NicItem(_Answer):
    """``NetworkInterface``."""

    id: str
    name: str | None = None
    properties: NicProperties = msgspec.field(default_factory=NicProperties)


class SubnetProperties(_Answer):
    """``Subnet.properties``; ``ip_configurations`` are the interfaces in it, of scale sets too."""

    address_prefix: str | None = None
    address_prefixes: list[str] | None = None
    route_table: Reference | None = None
    ip_configurations: list[Reference] | None = None
    provisioning_state: str | None = None


class SubnetItem(_Answer):
    """``Subnet``."""

    id: str
    name: str | None = None
    properties: SubnetProperties = msgspec.field(default_factory=SubnetProperties)


class NetworkProperties(_Answer):
    """``VirtualNetwork.properties``."""

    subnets: list[SubnetItem] | None = None


class NetworkItem(_Answer):
    """``VirtualNetwork``."""

    id: str
    location: str | None = None
    properties: NetworkProperties = msgspec.field(default_factory=NetworkProperties)


class RouteProperties(_Answer):
    """``Route.properties``."""

    address_prefix: str | None = None
    next_hop_type: str | None = None
    next_hop_ip_address: str | None = None
    provisioning_state: str | None = None


class RouteItem(_Answer):
    """``Route``."""

    name: str = ""
    properties: RouteProperties = msgspec.field(default_factory=RouteProperties)


class TableProperties(_Answer):
    """``RouteTable.properties``."""

    routes: list[RouteItem] | None = None
    subnets: list[Reference] | None = None
    provisioning_state: str | None = None


class TableItem(_Answer):
    """``RouteTable``."""

    id: str
    location: str | None = None
    properties: TableProperties = msgspec.field(default_factory=TableProperties)


class Page(_Answer, Generic[_Listed]):
    """A page of a list."""

    value: list[_Listed]
    next_link: str | None = None


class NicPage(Page[NicItem]):
    """A page of interfaces."""


class NetworkPage(Page[NetworkItem]):
    """A page of virtual networks."""


class TablePage(Page[TableItem]):
    """A page of route tables."""


class EffectiveRouteItem(_Answer):
    """``EffectiveRoute``: destinations and next hops are lists."""

    name: str | None = None
    source: str | None = None
    state: str | None = None
    address_prefix: list[str] | None = None
    next_hop_type: str | None = None
    next_hop_ip_address: list[str] | None = None


class EffectiveRoutes(_Answer):
    """``EffectiveRouteListResult``."""

    value: list[EffectiveRouteItem] | None = None


def spellings(networks: Iterable[NetworkItem], tables: Iterable[TableItem], nics: Iterable[NicItem]) -> Spellings:
    """Return how the resources that were read call themselves."""
    networks = tuple(networks)
    return Spellings(
        [
            *(network.id for network in networks),
            *(subnet.id for network in networks for subnet in network.properties.subnets or ()),
            *(table.id for table in tables),
            *(nic.id for nic in nics),
        ]
    )


def instances_of(nics: Iterable[NicItem], names: Spellings) -> tuple[Instance, ...]:
    """Translate interfaces into the VMs that they belong to, ordered by key. Those of no VM are left out."""
    by_vm: dict[str, list[NicItem]] = {}
    ids: dict[str, ResourceId] = {}
    seen: set[str] = set()
    for nic in nics:
        reference = nic.properties.virtual_machine
        vm = ResourceId.parse(reference.id) if reference is not None else None
        if vm is None or fold(nic.id) in seen:
            continue
        seen.add(fold(nic.id))
        key = _key(vm)
        ids.setdefault(key, vm)
        by_vm.setdefault(key, []).append(nic)
    return tuple(_instance(key, ids[key], members, names) for key, members in sorted(by_vm.items()))


def _key(vm: ResourceId) -> str:
    """Return the VM's id in lower case, a scale set's member by its number alone, as provider ids have it."""
    key = fold(vm.text)
    if vm.kind == SCALE_SET_MEMBER:
        number = vm.name.lower().removeprefix(f"{vm.names[0].lower()}_")
        return f"{key.rpartition('/')[0]}/{number}"
    return key


def _instance(key: str, vm: ResourceId, nics: Iterable[NicItem], names: Spellings) -> Instance:
    is_member = vm.kind == SCALE_SET_MEMBER
    return Instance(
        cloud=Cloud.AZURE,
        id=vm.text,
        key=key,
        name=f"{vm.names[0]}_{name_of(key)}" if is_member else vm.name,
        zone=None,
        running=None,
        interfaces=tuple(_interface(nic, vm, names) for nic in sorted(nics, key=lambda nic: fold(nic.id))),
        scale_set=vm.parent if is_member else None,
    )


def _interface(nic: NicItem, vm: ResourceId, names: Spellings) -> NetworkInterface:
    """Translate one interface. All of its addresses are in one subnet, which the first that has one tells."""
    held = [item.properties for item in nic.properties.ip_configurations or () if item.properties is not None]
    subnet = next((names.of(one.subnet.id) for one in held if one.subnet is not None and one.subnet.id), None)
    id_ = names.of(nic.id)
    refusal = _model_commands(vm, nic) if vm.kind == SCALE_SET_MEMBER else None
    return NetworkInterface(
        id=id_,
        network=names.of(_network_of(subnet)) if subnet else "",
        subnet=subnet,
        addresses=_addresses(one.private_ip_address for one in held),
        forwards=nic.properties.enable_ip_forwarding,
        switch=ForwardingSwitch(subject=id_, flag=FLAG, inverted=False, refusal=refusal),
        routed_by=NextHopKind.ADDRESS,
        trouble=_trouble(nic.properties.provisioning_state),
    )


def _network_of(subnet: str) -> str:
    return subnet.rsplit("/", 2)[0]


def _model_commands(vm: ResourceId, nic: NicItem) -> str:
    """Say how the flag is changed where it is decided: in the model of the scale set, then in its VMs."""
    scale_set = vm.names[0]
    where = shlex.join(["--resource-group", vm.group, "--name", scale_set, "--subscription", vm.subscription])
    path = f"virtualMachineProfile.networkProfile.networkInterfaceConfigurations[name={nic.name or name_of(nic.id)}]"
    model = f"az vmss update {where} --set {shlex.quote(f'{path}.{FLAG}=true')}"
    members = f"az vmss update-instances {where} --instance-ids {shlex.quote('*')}"
    return printable(
        f"the model of scale set {scale_set} decides it for all of its VMs: run {model} && {members}, which also "
        "brings every other pending change of the model to the VMs"
    )


def subnets_of(networks: Iterable[NetworkItem], names: Spellings) -> tuple[Subnet, ...]:
    """Translate the subnets of virtual networks, ordered by id. A table that was not read is named as it is written."""
    subnets = (
        Subnet(
            id=names.of(item.id),
            network=names.of(network.id),
            cidrs=_cidrs(item.properties.address_prefixes or (item.properties.address_prefix,)),
            route_table=table_of(item, names),
            region=network.location,
            trouble=_trouble(item.properties.provisioning_state),
        )
        for network in networks
        for item in network.properties.subnets or ()
    )
    return tuple(sorted(subnets, key=lambda subnet: subnet.id))


def table_of(subnet: SubnetItem, names: Spellings) -> str | None:
    """Return the id of the table that a subnet has; None for none."""
    table = subnet.properties.route_table
    return names.of(table.id) if table is not None and table.id else None


def scale_sets_of(networks: Iterable[NetworkItem]) -> Iterator[str]:
    """Yield the ids of uniform scale sets that have interfaces in the networks; each many times."""
    for network in networks:
        for subnet in network.properties.subnets or ():
            for reference in subnet.properties.ip_configurations or ():
                if found := scale_set_of(reference.id):
                    yield found


def scale_set_of(id_: str) -> str | None:
    """Return the id of the uniform scale set that a VM, an interface or an address of one belongs to; None if none."""
    words = id_.split("/")
    if len(words) > 10 and words[7].lower() == "virtualmachinescalesets" and words[9].lower() == "virtualmachines":
        return "/".join(words[:9])
    return None


def tables_of(items: Iterable[TableItem], subnets: Iterable[Subnet], names: Spellings) -> tuple[RouteTable, ...]:
    """Translate route tables, ordered by id; which subnets use one is told by either side."""
    users: dict[str, list[str]] = {}
    for subnet in subnets:
        if subnet.route_table is not None:
            users.setdefault(subnet.route_table, []).append(subnet.id)
    tables = (table_from(item, names, users.get(names.of(item.id), ())) for item in items)
    return tuple(sorted(tables, key=lambda table: table.id))


def table_from(item: TableItem, names: Spellings, users: Sequence[str] = ()) -> RouteTable:
    """Translate one route table. ``users`` are ids of subnets that name it."""
    own = (names.of(reference.id) for reference in item.properties.subnets or () if reference.id)
    subnets = tuple(sorted({*own, *users}))
    networks = {names.of(_network_of(subnet)) for subnet in subnets}
    id_ = names.of(item.id)
    return RouteTable(
        id=id_,
        network=networks.pop() if len(networks) == 1 else None,
        subnets=subnets,
        routes=routes_of(item.properties.routes or ()),
        route_prefix=f"{id_}/routes/",
        quota=_quota(id_, len(item.properties.routes or ())),
        replaces=ReplaceMethod.IN_PLACE,
        region=item.location,
        refusal=_refusal(id_),
        trouble=_trouble(item.properties.provisioning_state),
    )


def _quota(id_: str, used: int) -> RouteQuota:
    place = ResourceId.parse(id_)
    called = id_ if place is None else f"{place.group}/{place.name} of {place.subscription}"
    limit = ROUTES_PER_TABLE if used <= ROUTES_PER_TABLE else _RAISED_LIMIT
    return RouteQuota(name=f"routes of route table {called}", limit=limit, used=used, advice=_NO_ROOM)


def _refusal(id_: str) -> str | None:
    place = ResourceId.parse(id_)
    if place is None or not place.group.lower().startswith(_MANAGED_GROUP):
        return None
    return (
        f"route table {printable(place.name)} is made by Azure Virtual Network Manager, which would not keep it right "
        "after a change by hand: add the routes to its routing configuration"
    )


def routes_of(items: Iterable[RouteItem]) -> tuple[Route, ...]:
    """Translate routes, ordered by name. One whose destination is no range (a service tag) is left out."""
    routes = (route_of(item) for item in items)
    return tuple(sorted((route for route in routes if route is not None), key=lambda route: route.name))


def named_as(routes: Iterable[Route], names: Iterable[str]) -> tuple[Route, ...]:
    """Return the routes, names in the spelling in which they are given: Azure tells no casings apart."""
    known = {name.lower(): name for name in names}
    return tuple(replace(route, name=known.get(route.name.lower(), route.name)) for route in routes)


def route_of(item: RouteItem) -> Route | None:
    """Translate one route; None when its destination is no range."""
    told = item.properties
    destinations = _cidrs((told.address_prefix,))
    if not destinations:
        return None
    hops = (told.next_hop_ip_address,) if told.next_hop_ip_address else ()
    return Route(
        name=item.name,
        destination=destinations[0],
        next_hop=_next_hop(told.next_hop_type, hops),
        warning=_trouble(told.provisioning_state),
    )


def effective_routes_of(items: Iterable[EffectiveRouteItem]) -> tuple[Route, ...]:
    """Translate what the fabric does, in its order: one route for each destination. What is not active is ``dead``."""
    return tuple(
        Route(
            name=item.name or item.source or "",
            destination=destination,
            next_hop=_next_hop(item.next_hop_type, item.next_hop_ip_address or ()),
            dead=(item.state or "").lower() != "active",
            warning=None if (item.state or "").lower() == "active" else item.state,
            system=(item.source or "").lower() == "default",
        )
        for item in items
        for destination in _cidrs(item.address_prefix or ())
    )


def _next_hop(kind: str | None, hops: Sequence[str]) -> NextHop:
    """Translate a next hop. Only one address is a place; what is spread over several is something else."""
    addresses = _addresses(hops)
    if (kind or "").lower() == "virtualappliance" and len(addresses) == 1:
        return NextHop(kind=NextHopKind.ADDRESS, text=str(addresses[0]), address=addresses[0])
    return NextHop(kind=NextHopKind.OTHER, text=" ".join([kind or "nothing told", *hops]))


def unsettled(state: str | None) -> str | None:
    """Return why what a resource says may not be in force: Azure keeps what it was told, whatever became of it."""
    if state is None or state.lower() == "succeeded":
        return None
    return _trouble(state) or f"its last change has not ended (provisioningState {state})"


def _trouble(state: str | None) -> str | None:
    """Return what to say about a resource whose last change failed. One that is being changed is in no trouble."""
    if state is None or state.lower() not in {"failed", "canceled"}:
        return None
    return f"its last change {state.lower()} (provisioningState {state})"


def _addresses(texts: Iterable[str | None]) -> tuple[IPAddress, ...]:
    """Parse in order, once each. What is no address is left out: it cannot be a node's either."""
    parsed = (_address(text) for text in texts if text)
    return tuple(dict.fromkeys(address for address in parsed if address is not None))


def _cidrs(texts: Iterable[str | None]) -> tuple[IPNetwork, ...]:
    """Parse in order, once each; an address alone is a range of one."""
    parsed = (_cidr(text) for text in texts if text)
    return tuple(dict.fromkeys(cidr for cidr in parsed if cidr is not None))


def _address(text: str) -> IPAddress | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _cidr(text: str) -> IPNetwork | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
