"""What a cloud says about a VM's network: instances, interfaces, subnets, route tables.

The adapters translate their cloud's words into these; nothing here knows a cloud's API. Standard library only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import collapse_addresses

from tui.model.node import Cloud, IPAddress, IPNetwork, contains


class Disruption(StrEnum):
    """What a change does to the running VM."""

    NONE = "none"
    REFRESH = "refresh"
    RESTART = "restart"


class ReplaceMethod(StrEnum):
    """How a route is replaced. Only ``DELETE_THEN_ADD`` opens a gap, and is never chosen unasked."""

    ADD_THEN_DELETE = "add-then-delete"
    DELETE_THEN_ADD = "delete-then-add"
    IN_PLACE = "in-place"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardingSwitch:
    """How the permission to carry foreign packets is stored, and what it costs to change it.

    ``subject`` is the id of the resource that holds the flag, exactly as the cloud's API takes it: an EC2 network
    interface, a Compute Engine instance, an Azure NIC. ``inverted`` is true where the flag says the opposite of
    forwarding (EC2's source/destination check). ``token`` is the cloud's concurrency token, None where it has none.
    ``refusal`` says in one sentence why the flag cannot be written; None when it can. ``caution`` says in one sentence
    what will undo a write (an instance template with the flag off); None when nothing is known to.
    """

    subject: str
    flag: str
    inverted: bool
    disruption: Disruption = Disruption.NONE
    token: str | None = None
    refusal: str | None = None
    caution: str | None = None

    def value(self, forwards: bool) -> bool:
        """Return the flag's value for "may forward" or "may not"."""
        return forwards is not self.inverted


class NextHopKind(StrEnum):
    """What a route leads to."""

    INSTANCE = "instance"
    ADDRESS = "address"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInterface:
    """One interface of a VM.

    ``network`` is the id of the network in which its addresses are unique (VPC, network, VNet); ``subnet`` the id of
    a ``Subnet``, None on a legacy network. ``forwards`` is None when the cloud did not say. ``owned_cidrs`` are ranges
    that the cloud delivers to this interface by itself (Compute Engine alias ranges), so that they need neither the
    flag nor a route. ``routed_by`` is how a route must name this interface as its next hop: by its VM, or by one of its
    addresses (Azure; on Compute Engine in the network of another project); None where no routes are asked for.
    ``trouble`` is what the cloud says went wrong with its last change; None when nothing did.
    """

    id: str
    network: str
    subnet: str | None
    addresses: tuple[IPAddress, ...]
    forwards: bool | None
    switch: ForwardingSwitch
    owned_cidrs: tuple[IPNetwork, ...] = ()
    routed_by: NextHopKind | None = None
    trouble: str | None = None

    def owns(self, cidr: IPNetwork) -> bool:
        """Tell whether the cloud itself delivers the whole range to this interface."""
        if not self.owned_cidrs:
            return False
        if cidr.version == 4:
            joined: Iterable[IPNetwork] = collapse_addresses(one for one in self.owned_cidrs if one.version == 4)
        else:
            joined = collapse_addresses(one for one in self.owned_cidrs if one.version == 6)
        return any(contains(one, cidr) for one in joined)

    def may_carry(self, cidr: IPNetwork) -> bool | None:
        """Tell whether packets from and to the range may pass; None when that was not observed."""
        return True if self.owns(cidr) else self.forwards


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One VM. ``key`` is comparable with ``ProviderID.key``; ``id`` is what people call it (contract: ``instance``).

    ``running`` is None where the cloud call that was made does not tell (EC2 network interfaces). ``tags`` are the
    network tags that a route may be limited to (Compute Engine). ``scale_set`` is the id of the uniform scale set whose
    model decides the flags of its interfaces (Azure); None for a VM with interfaces of its own.
    """

    cloud: Cloud
    id: str
    key: str
    name: str | None
    zone: str | None
    running: bool | None
    interfaces: tuple[NetworkInterface, ...]
    tags: frozenset[str] = frozenset()
    scale_set: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """One subnet. ``cidrs`` is empty when the cloud did not say; ``route_table`` is the id of the associated table.

    ``region`` is where a table for it must be made (Azure); None when unknown. ``trouble`` is what the cloud says went
    wrong with its last change; None when nothing did.
    """

    id: str
    network: str
    cidrs: tuple[IPNetwork, ...]
    zone: str | None = None
    route_table: str | None = None
    region: str | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop:
    """Where a route leads: an instance by ``Instance.key``, an address, or something that cannot be a node.

    ``text`` is how the cloud writes it, for people.
    """

    kind: NextHopKind
    text: str
    instance_key: str | None = None
    address: IPAddress | None = None

    @property
    def label(self) -> str:
        """Where it leads, in few words: an instance without its project, anything else as the cloud writes it."""
        return (self.instance_key or "").partition("/")[2] or self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route. ``name`` is unique in its table, and on Compute Engine in its project.

    A lower ``priority`` wins; None where the cloud has no priorities. ``tags`` limit it to VMs that carry one of them;
    empty: it applies to all. ``dead`` when the cloud itself says that the next hop does not exist or does not run, and
    ``warning`` is its own word for that or for a lesser trouble. ``system`` when the cloud made it and nobody can
    delete it (subnet ranges, peerings, learned ones), ``reserves`` when the cloud takes no other route inside of its
    destination, because that is a subnet's. ``token`` tells this route from a later one of the same name; None when
    unknown.
    """

    name: str
    destination: IPNetwork
    next_hop: NextHop
    priority: int | None = None
    description: str = ""
    tags: frozenset[str] = frozenset()
    dead: bool = False
    warning: str | None = None
    system: bool = False
    reserves: bool = False
    token: str | None = None

    def same_as(self, other: "Route") -> bool:
        """Tell whether the two would deliver the same packets to the same place under the same name.

        Next hops are compared by instance or address, and by how they are written only where they have neither.
        """
        mine, others = self.next_hop, other.next_hop
        return (
            (self.name, self.destination, self.priority, self.tags)
            == (other.name, other.destination, other.priority, other.tags)
            and (mine.kind, mine.instance_key, mine.address) == (others.kind, others.instance_key, others.address)
            and (mine.kind is not NextHopKind.OTHER or mine.text.lower() == others.text.lower())
            and (self.token is None or other.token is None or self.token == other.token)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteQuota:
    """A limit on the number of routes. Tables that share it have the same ``name``; ``advice`` is what helps."""

    name: str
    limit: int
    used: int
    advice: str = "raise the limit"

    @property
    def free(self) -> int:
        """How many more routes fit; never negative."""
        return max(0, self.limit - self.used)


ROUTES_PER_TABLE = 400
"""How many user-defined routes Azure takes in one table (its documented networking limits)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable:
    """The routes that a network (Compute Engine) or a set of subnets (Azure) uses.

    ``network`` is the network it serves, ``subnets`` the associated ones; None means every subnet of the network. A
    route's own id is ``route_prefix`` and its name. ``quota`` is None when it is unknown. ``replaces`` is how its cloud
    replaces a route without a gap. ``region`` is where it stands (Azure). ``refusal`` says in one sentence why nothing
    may be written to it; None when it may. ``trouble`` is what the cloud says went wrong with its last change.
    """

    id: str
    network: str | None
    subnets: tuple[str, ...] | None
    routes: tuple[Route, ...]
    route_prefix: str = ""
    token: str | None = None
    quota: RouteQuota | None = None
    replaces: ReplaceMethod = ReplaceMethod.ADD_THEN_DELETE
    region: str | None = None
    refusal: str | None = None
    trouble: str | None = None

    @property
    def name(self) -> str:
        """Its name among the tables of its project or resource group."""
        return self.id.rpartition("/")[2]
