"""What a scenario is made of: frozen records, so that a world can be read as data before it runs.

Addresses and ranges are text here, parsed once when the world is made. May import the model only.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from tui.model.node import Cloud
from tui.model.snapshot import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetPlan:
    """One subnet of a site. ``zone`` on EC2; ``table`` is the short name of an Azure route table, None without one."""

    name: str
    cidrs: tuple[str, ...]
    zone: str | None = None
    table: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan:
    """A route that no present machine asks for.

    ``to`` is ``zone/instance`` (Compute Engine; it need not exist), an address, or the name of a gateway. ``name`` ""
    stands for one that this program would have given in this cluster. ``table`` is the short name of an Azure route
    table, "" for all that subnets use.
    """

    destination: str
    to: str
    name: str = ""
    priority: int = 1000
    description: str = ""
    tags: tuple[str, ...] = ()
    table: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One network in one source of a cloud.

    ``scope`` is the region, project or subscription; ``network`` the short name of the VPC, network or VNet; ``place``
    the region of subnets (Compute Engine) or the resource group (Azure). ``denial`` is the message of a cloud that lets
    nobody read, None of one that does. ``host`` is the project of the Shared VPC to which the network, its subnets and
    its routes belong, with a site of its own; "" for a site with its own network. ``route_limit`` is how many routes a
    project (Compute Engine) or a table (Azure) may hold. ``tables`` are the short names of Azure route tables that no
    subnet uses, and ``region`` is where those and the VNet stand.
    """

    cloud: Cloud
    scope: str
    network: str
    subnets: tuple[SubnetPlan, ...]
    place: str = ""
    routes: tuple[RoutePlan, ...] = ()
    denial: str | None = None
    host: str = ""
    route_limit: int = 300
    tables: tuple[str, ...] = ()
    region: str = "westeurope"

    @property
    def source(self) -> str:
        """The source's name, as reports show it."""
        return f"{self.cloud}:{self.scope}"

    @property
    def network_source(self) -> str:
        """The name of the source that holds the network and its routes."""
        return f"{self.cloud}:{self.host or self.scope}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One VM and the node on it; what is not said is healthy."""

    name: str
    site: str
    """The source's name of a ``Site`` of the scenario; "" for bare metal."""
    subnet: str
    """The short name of a subnet of the site."""
    addresses: tuple[str, ...]
    pod_cidrs: tuple[str, ...] = ()
    """Of both families in a dual-stack cluster; empty for a node that has none yet."""
    zone: str = ""
    os: str = "linux"
    forwards: bool | None = True
    """The truth about its interface; None for a cloud that does not say."""
    running: bool = True
    """False for a VM that is stopped; EC2's interfaces do not tell."""
    scale_set: str | None = None
    """``name/number`` for an Azure machine of a uniform scale set, whose flag cannot be written."""
    routed: bool = True
    """Whether each pod CIDR has the right route, where the cloud has routes."""
    backend: str | None = "host-gw"
    ready: bool | None = True
    schedulable: bool = True
    identified: bool = True
    """Whether the node has a provider id and topology labels."""
    vm: bool = True
    """False for a node whose VM is gone."""
    node: bool = True
    """False for a VM on which no node runs."""
    spare_address: str | None = None
    """The address of a second interface, on which forwarding is left off (EC2, Azure)."""
    labels: tuple[tuple[str, str], ...] = ()
    version: str = "v1.34.2"
    """The kubelet's."""


class Deed(StrEnum):
    """What a step of a schedule does to a machine."""

    CORDON = "cordon"
    REMOVE = "remove"
    """The node and its VM are gone; its routes stay behind."""
    LEAVE = "leave"
    """The node is deleted, its VM still runs."""
    TERMINATE = "terminate"
    """The VM of a node that has left is gone too."""
    REGISTER = "register"
    """A new VM exists and its kubelet has registered: no pod CIDR, no flannel, not ready."""
    ASSIGN = "assign"
    """The controller manager has assigned the pod CIDRs and flannel has started."""
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happens ``at_s`` seconds after the start, to the node with the machine's name."""

    at_s: float
    deed: Deed
    machine: Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A whole world at its start, and what will happen in it.

    ``scope`` is what an operator of this cluster would have said on the command line. ``echoes`` is the number of reads
    that still show the old value after a write (eventual consistency). ``schedule`` is in the order of time.
    ``route_controller`` says in words which component of the control plane writes the routes; None: nobody does.
    """

    name: str
    pod_cidrs: tuple[str, ...]
    machines: tuple[Machine, ...]
    sites: tuple[Site, ...] = ()
    scope: Scope = field(default_factory=Scope)
    echoes: int = 0
    schedule: tuple[Step, ...] = ()
    route_controller: str | None = None
