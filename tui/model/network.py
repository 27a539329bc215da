"""What a cloud says about a VM's network: instances, interfaces, subnets, route tables.

The adapters translate their cloud's words into these; nothing here knows a cloud's API. Standard library only.
"""

from dataclasses import dataclass
from enum import StrEnum

from tui.model.node import Cloud, IPAddress, IPNetwork


class Disruption(StrEnum):
    """What a change does to the running VM."""

    NONE = "none"
    REFRESH = "refresh"
    RESTART = "restart"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardingSwitch:
    """How the permission to carry foreign packets is stored, and what it costs to change it.

    ``subject`` is the id of the resource that holds the flag, exactly as the cloud's API takes it: an EC2 network
    interface, a Compute Engine instance, an Azure NIC. ``inverted`` is true where the flag says the opposite of
    forwarding (EC2's source/destination check). ``token`` is the cloud's concurrency token, None where it has none.
    ``refusal`` says in one sentence why the flag cannot be written; None when it can.
    """

    subject: str
    flag: str
    inverted: bool
    disruption: Disruption = Disruption.NONE
    token: str | None = None
    refusal: str | None = None

    def value(self, forwards: bool) -> bool:
        """Return the flag's value for "may forward" or "may not"."""
        return forwards is not self.inverted


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInterface:
    """One interface of a VM.

    ``network`` is the id of the network in which its addresses are unique (VPC, network, VNet); ``subnet`` the id of
    a ``Subnet``, None on a legacy network. ``forwards`` is None when the cloud did not say. ``owned_cidrs`` are ranges
    that the cloud delivers to this interface by itself (Compute Engine alias ranges), so that they need neither the
    flag nor a route.
    """

    id: str
    network: str
    subnet: str | None
    addresses: tuple[IPAddress, ...]
    forwards: bool | None
    switch: ForwardingSwitch
    owned_cidrs: tuple[IPNetwork, ...] = ()

    def owns(self, cidr: IPNetwork) -> bool:
        """Tell whether the cloud itself delivers the whole range to this interface."""
        return any(_contains(owned, cidr) for owned in self.owned_cidrs)

    def may_carry(self, cidr: IPNetwork) -> bool | None:
        """Tell whether packets from and to the range may pass; None when that was not observed."""
        return True if self.owns(cidr) else self.forwards


def _contains(outer: IPNetwork, inner: IPNetwork) -> bool:
    return (
        outer.version == inner.version
        and outer.prefixlen <= inner.prefixlen
        and int(outer.network_address) <= int(inner.network_address)
        and int(inner.broadcast_address) <= int(outer.broadcast_address)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One VM. ``key`` is comparable with ``ProviderID.key``; ``id`` is what people call it (contract: ``instance``).

    ``running`` is None where the cloud call that was made does not tell (EC2 network interfaces).
    """

    cloud: Cloud
    id: str
    key: str
    name: str | None
    zone: str | None
    running: bool | None
    interfaces: tuple[NetworkInterface, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """One subnet. ``cidrs`` is empty when the cloud did not say; ``route_table`` is the id of the associated table."""

    id: str
    network: str
    cidrs: tuple[IPNetwork, ...]
    zone: str | None = None
    route_table: str | None = None


class NextHopKind(StrEnum):
    """What a route leads to."""

    INSTANCE = "instance"
    ADDRESS = "address"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop:
    """Where a route leads: an instance by ``Instance.key``, an address, or something that cannot be a node.

    ``text`` is how the cloud writes it, for people.
    """

    kind: NextHopKind
    text: str
    instance_key: str | None = None
    address: IPAddress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route.

    A lower ``priority`` wins; None where the cloud has no priorities. ``dead`` when the cloud itself says that the next
    hop does not exist or does not run. ``owned`` when its name carries this cluster's id.
    """

    name: str
    destination: IPNetwork
    next_hop: NextHop
    priority: int | None = None
    dead: bool = False
    owned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable:
    """The routes that a network (Compute Engine) or a set of subnets (Azure) uses.

    ``network`` is the network it serves, ``subnets`` the associated ones; None means every subnet of the network.
    ``capacity`` is the number of routes it can hold, None when unknown.
    """

    id: str
    network: str | None
    subnets: tuple[str, ...] | None
    routes: tuple[Route, ...]
    token: str | None = None
    capacity: int | None = None
