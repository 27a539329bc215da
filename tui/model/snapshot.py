"""What was observed, when, and by which source; and the VM behind each node.

``None`` means "not observed", an empty tuple "observed and empty". Standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tui.model.network import Instance, NetworkInterface, RouteQuota, RouteTable, Subnet
from tui.model.node import Cloud, IPNetwork, Node


class SourceState(StrEnum):
    """How the last read of a source ended; anything but ``OK`` means that its facts are missing or old."""

    OK = "ok"
    DENIED = "denied"
    UNAVAILABLE = "unavailable"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A place that facts come from: ``kubernetes``, ``aws:REGION``, ``gce:PROJECT``, ``azure:SUBSCRIPTION``.

    ``observed_at`` is the instant of the last successful read, None when there was none, ``asked_at`` when that was
    begun, where it is known: what it tells was so at some instant between them. ``message`` says in one sentence what
    went wrong and what to do, None when nothing did.
    """

    name: str
    state: SourceState
    observed_at: datetime | None
    message: str | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One read: what it tells was so at some instant from ``asked_at`` to ``answered_at``."""

    asked_at: datetime
    answered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The cluster that is looked at. ``server`` identifies it; the context's name is the operator's own."""

    context: str
    server: str
    pod_cidrs: tuple[IPNetwork, ...] = ()
    """From ``--cluster-cidr``, else flannel's ConfigMap; empty when neither told."""
    uid: str | None = None
    """The uid of the namespace ``kube-system``, which is the same for every operator; None when it was not told."""
    route_controller: str | None = None
    """Evidence, in words, that a control plane component writes routes; None when none was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudView:
    """One read of one source of one cloud.

    ``node_uids`` are the nodes that were looked for in it. Each of ``instances``, ``subnets`` and ``route_tables`` is
    None when it was not permitted or not available. ``complete`` is False when parts may be missing: nothing is deleted
    on such a view. ``routed_uids`` are nodes whose VMs are elsewhere while the routes of their network are here (the
    host project of a Shared VPC). ``glances`` are later reads of some of these nodes alone, by node uid.
    """

    source: Source
    cloud: Cloud
    node_uids: frozenset[str]
    instances: tuple[Instance, ...] | None
    subnets: tuple[Subnet, ...] | None
    route_tables: tuple[RouteTable, ...] | None
    complete: bool = True
    routed_uids: frozenset[str] = frozenset()
    glances: Mapping[str, Evidence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the operator said about where nodes are, for nodes that cannot tell themselves.

    ``cloud`` is the answer for every node (``--cloud`` other than ``auto``); ``fallback`` the answer for nodes whose
    provider id says nothing. ``node_subnets`` are the layer-2 subnets of nodes of no cloud (``--node-subnet``).
    ``route_table`` is the name of the table that subnets without one are to get (``--azure-route-table``).
    """

    cloud: Cloud | None = None
    fallback: Cloud = Cloud.NONE
    node_subnets: tuple[IPNetwork, ...] = ()
    route_table: str | None = None

    def cloud_of(self, node: Node) -> Cloud:
        """Return the cloud that the node is looked for in."""
        return self.cloud or node.provider_id.cloud or self.fallback

    def key_of(self, node: Node) -> str | None:
        """Return the instance key that the node's provider id names in its cloud; None: match by address."""
        return node.provider_id.key if node.provider_id.cloud is self.cloud_of(node) else None


class PlacementState(StrEnum):
    """What the join found out about a node's VM."""

    FOUND = "found"
    NOT_FOUND = "not-found"
    AMBIGUOUS = "ambiguous"
    UNOBSERVED = "unobserved"
    NO_CLOUD = "no-cloud"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The VM and the interface behind a node.

    ``instance`` and ``interface`` are both set exactly when ``state`` is ``FOUND``, and ``source`` is then the name
    of the source that told. ``candidates`` are the resources that could not be told apart, or, when an instance was
    found but none of its interfaces holds a node address, that instance. ``reason`` says why nothing can be told; None
    otherwise.
    """

    state: PlacementState
    cloud: Cloud
    source: str | None = None
    instance: Instance | None = None
    interface: NetworkInterface | None = None
    candidates: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything known at one instant. ``nodes`` is None before the first complete list (synchronising, not empty).

    ``departed`` are the pod CIDRs of nodes that left while somebody watched. ``remaining`` is how many pods a drain has
    still to move, by the uid of cordoned nodes; without an entry that was not seen.
    """

    taken_at: datetime
    cluster: Cluster
    scope: Scope
    nodes: tuple[Node, ...] | None
    nodes_source: Source
    views: tuple[CloudView, ...] = ()
    departed: frozenset[IPNetwork] = frozenset()
    remaining: Mapping[str, int] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every source, Kubernetes first, the clouds by name."""
        return (self.nodes_source, *sorted((view.source for view in self.views), key=lambda source: source.name))

    def quotas(self) -> tuple[RouteQuota, ...]:
        """Return the limits on routes, each once."""
        tables = (table for view in self.views for table in view.route_tables or ())
        return tuple({table.quota.name: table.quota for table in tables if table.quota is not None}.values())
