"""A Kubernetes node as this program needs it: identity, addresses, pod CIDRs, flannel's word about its backend.

Standard library only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


def contains(outer: IPNetwork, inner: IPNetwork) -> bool:
    """Tell whether every address of ``inner`` is one of ``outer``; never for ranges of different families."""
    return (
        outer.version == inner.version
        and outer.prefixlen <= inner.prefixlen
        and int(outer.network_address) <= int(inner.network_address)
        and int(inner.broadcast_address) <= int(outer.broadcast_address)
    )


class Cloud(StrEnum):
    """Where a node's VM lives; ``NONE`` is bare metal and virtualisation, where only layer 2 can be judged."""

    AWS = "aws"
    GCE = "gce"
    AZURE = "azure"
    NONE = "none"


_CLOUD_SCHEMES = {"aws": Cloud.AWS, "gce": Cloud.GCE, "azure": Cloud.AZURE}
_SAYS_NOTHING = frozenset({"k3s", "rke2"})
"""Schemes of the distributions' embedded controllers: they name the node again, not where it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderID:
    """``spec.providerID``, split at its scheme.

    ``cloud`` is None when the text does not tell where the node runs (empty, ``k3s://``, ``rke2://``), and
    ``Cloud.NONE`` for a scheme that names a place without routes or forwarding flags (``vsphere://``).
    ``key`` identifies the VM within its cloud and is comparable with ``Instance.key``: the instance id on EC2,
    ``project/zone/name`` on Compute Engine, the lower-cased ARM id on Azure; None when the text has another shape.
    """

    raw: str
    cloud: Cloud | None
    key: str | None

    @classmethod
    def parse(cls, raw: str) -> "ProviderID":
        """Split any text; never raises."""
        scheme, separator, path = raw.partition("://")
        if not separator:
            return cls(raw=raw, cloud=Cloud.AWS, key=raw) if _is_ec2_id(raw) else cls(raw=raw, cloud=None, key=None)
        if scheme in _SAYS_NOTHING:
            return cls(raw=raw, cloud=None, key=None)
        cloud = _CLOUD_SCHEMES.get(scheme, Cloud.NONE)
        return cls(raw=raw, cloud=cloud, key=_key(cloud, path))

    @property
    def account(self) -> str | None:
        """The Compute Engine project or the Azure subscription named by the text; None elsewhere."""
        tokens = (self.key or "").split("/")
        if self.cloud is Cloud.GCE and self.key is not None:
            return tokens[0]
        if self.cloud is Cloud.AZURE and tokens[1:2] == ["subscriptions"] and len(tokens) > 2:
            return tokens[2]
        return None

    @property
    def zone(self) -> str | None:
        """The zone named by the text (EC2, Compute Engine), which may be a Local Zone; None when there is none."""
        tokens = [token for token in self.raw.partition("://")[2].split("/") if token]
        if self.cloud is Cloud.AWS and len(tokens) == 2:
            return tokens[0]
        if self.cloud is Cloud.GCE and len(tokens) == 3:
            return tokens[1]
        return None


def _is_ec2_id(text: str) -> bool:
    return re.fullmatch(r"i-[0-9a-zA-Z]+", text) is not None


def _key(cloud: Cloud, path: str) -> str | None:
    tokens = [token for token in path.split("/") if token]
    match cloud:
        case Cloud.AWS:
            return tokens[-1] if tokens and _is_ec2_id(tokens[-1]) else None
        case Cloud.GCE:
            return "/".join(tokens) if len(tokens) == 3 else None
        case Cloud.AZURE:
            return "/" + "/".join(tokens).lower() if tokens else None
        case Cloud.NONE:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """One entry of ``spec.taints``."""

    key: str
    value: str | None
    effect: str


_POOLS = (
    "cloud.google.com/gke-nodepool",
    "eks.amazonaws.com/nodegroup",
    "kubernetes.azure.com/agentpool",
    "agentpool",
    "karpenter.sh/nodepool",
    "node-pool",
)
"""Labels that name a node's pool, the most specific first."""
_UNENCAPSULATED = frozenset({"host-gw", "alloc"})
"""Flannel's backends that leave pod packets as they are; ``alloc`` leaves even the host routes to somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One Node object. Two objects with the same name and another ``uid`` are different nodes."""

    uid: str
    name: str
    provider_id: ProviderID
    os: str | None
    """``linux`` or ``windows``, by the label ``kubernetes.io/os``, else by ``status.nodeInfo``; None without both."""
    ready: bool | None
    """The Ready condition; None when its status is Unknown or it is absent."""
    schedulable: bool
    addresses: tuple[IPAddress, ...]
    """Unique, best first: flannel's public-ip-overwrite or public-ip, then every InternalIP. May be empty."""
    internal_ips: tuple[IPAddress, ...]
    """``status.addresses`` of type InternalIP, in the API's order."""
    pod_cidrs: tuple[IPNetwork, ...]
    """Canonical (host bits cleared), in the API's order; empty until the controller manager has assigned them."""
    backend: str | None
    """Flannel's backend on this node in lower case (``host-gw``); None when flannel has not annotated the node."""
    taints: tuple[Taint, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    kubelet_version: str | None = None
    created_at: datetime | None = None
    network_reason: str | None = None
    """The reason of the condition ``NetworkUnavailable``, which flannel and route controllers both write."""
    network_message: str | None = None
    """The message of that condition."""
    deleting: bool = False
    """True while ``metadata.deletionTimestamp`` is set."""

    @property
    def encapsulated(self) -> bool:
        """Tell whether flannel is known to wrap this node's pod packets, so that the cloud never sees pod addresses."""
        return self.backend is not None and self.backend not in _UNENCAPSULATED

    @property
    def zone(self) -> str | None:
        """The zone by label, else by provider id."""
        labels = self.labels
        return (
            labels.get("topology.kubernetes.io/zone")
            or labels.get("failure-domain.beta.kubernetes.io/zone")
            or self.provider_id.zone
        )

    @property
    def region(self) -> str | None:
        """The region by label; None when the node carries none."""
        return self.labels.get("topology.kubernetes.io/region") or self.labels.get(
            "failure-domain.beta.kubernetes.io/region"
        )

    @property
    def pool(self) -> str | None:
        """The node pool by its provider's label; None when the node carries none."""
        return next((self.labels[label] for label in _POOLS if label in self.labels), None)
