"""A Node object of the API as structs that name only the needed fields, and the model's ``Node`` from it.

Everything that is not named here is skipped by the decoder without becoming an object, which is where the speed and
the small memory come from. May import msgspec and the model.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from socket import AF_INET, inet_pton
from typing import TypeVar

import msgspec

from tui.model.node import IPAddress, IPNetwork, Node, ProviderID, Taint

_FLANNEL = "flannel.alpha.coreos.com/"


class _Annotations(msgspec.Struct, gc=False):
    """The annotations of flannel, RKE, k3s and RKE2. Flannel's prefix can be configured; this is its default."""

    backend_type: str = msgspec.field(default="", name=_FLANNEL + "backend-type")
    public_ip: str = msgspec.field(default="", name=_FLANNEL + "public-ip")
    public_ip_overwrite: str = msgspec.field(default="", name=_FLANNEL + "public-ip-overwrite")
    public_ipv6: str = msgspec.field(default="", name=_FLANNEL + "public-ipv6")
    public_ipv6_overwrite: str = msgspec.field(default="", name=_FLANNEL + "public-ipv6-overwrite")
    rke: str = msgspec.field(default="", name="rke.cattle.io/internal-ip")
    k3s: str = msgspec.field(default="", name="k3s.io/internal-ip")
    rke2: str = msgspec.field(default="", name="rke2.io/internal-ip")


_NO_ANNOTATIONS = _Annotations()


class _Metadata(msgspec.Struct, gc=False, rename="camel"):
    resource_version: str = ""
    uid: str = ""
    name: str = ""
    labels: dict[str, str] | None = None
    annotations: _Annotations | None = None
    creation_timestamp: datetime | None = None
    deletion_timestamp: str | None = None


class _Taint(msgspec.Struct, gc=False):
    key: str = ""
    value: str | None = None
    effect: str = ""


class _Spec(msgspec.Struct, gc=False):
    provider_id: str = msgspec.field(default="", name="providerID")
    unschedulable: bool | None = None
    pod_cidr: str = msgspec.field(default="", name="podCIDR")
    pod_cidrs: list[str] | None = msgspec.field(default=None, name="podCIDRs")
    taints: list[_Taint] | None = None


class _Address(msgspec.Struct, gc=False):
    type: str = ""
    address: str = ""


class _Condition(msgspec.Struct, gc=False):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class _NodeInfo(msgspec.Struct, gc=False, rename="camel"):
    operating_system: str = ""
    kubelet_version: str = ""


class _NodeStatus(msgspec.Struct, gc=False, rename="camel"):
    addresses: list[_Address] | None = None
    conditions: list[_Condition] | None = None
    node_info: _NodeInfo | None = None


_NO_SPEC, _NO_STATUS, _NO_INFO = _Spec(), _NodeStatus(), _NodeInfo()


class NodeObject(msgspec.Struct, gc=False):
    """A Node as the API sends it; everything but ``metadata`` may be missing."""

    metadata: _Metadata
    spec: _Spec | None = None
    status: _NodeStatus | None = None


def node_of(raw: NodeObject) -> Node:
    """Return the node. Values that cannot be read are left out; the node never is."""
    metadata = raw.metadata
    spec, status = raw.spec or _NO_SPEC, raw.status or _NO_STATUS
    annotations, labels = metadata.annotations or _NO_ANNOTATIONS, metadata.labels or {}
    info = status.node_info or _NO_INFO
    network = _condition(status, "NetworkUnavailable")
    os = labels.get("kubernetes.io/os") or labels.get("beta.kubernetes.io/os") or info.operating_system
    entries = [_address(entry.address) for entry in status.addresses or () if entry.type == "InternalIP"]
    internal_ips = tuple([address for address in entries if address is not None])
    return Node(
        uid=metadata.uid,
        name=metadata.name,
        provider_id=ProviderID.parse(spec.provider_id),
        os=os.lower() or None,
        ready=_ready(status),
        schedulable=not spec.unschedulable,
        addresses=_node_addresses(annotations, labels, internal_ips),
        internal_ips=internal_ips,
        pod_cidrs=networks_of(spec.pod_cidrs or (spec.pod_cidr,)),
        backend=annotations.backend_type.strip().lower() or None,
        taints=_taints(spec.taints) if spec.taints else (),
        labels=labels,
        kubelet_version=info.kubelet_version or None,
        created_at=metadata.creation_timestamp,
        network_reason=(network.reason or None) if network else None,
        network_message=(network.message or None) if network else None,
        deleting=metadata.deletion_timestamp is not None,
    )


def _taints(taints: list[_Taint]) -> tuple[Taint, ...]:
    return tuple([Taint(key=taint.key, value=taint.value, effect=taint.effect) for taint in taints])


_TRUTH = {"True": True, "False": False}


def _condition(status: _NodeStatus, kind: str) -> _Condition | None:
    for condition in status.conditions or ():
        if condition.type == kind:
            return condition
    return None


def _ready(status: _NodeStatus) -> bool | None:
    condition = _condition(status, "Ready")
    return _TRUTH.get(condition.status) if condition else None


def _node_addresses(
    annotations: _Annotations, labels: dict[str, str], internal_ips: tuple[IPAddress, ...]
) -> tuple[IPAddress, ...]:
    """Order the addresses as ``Node.addresses`` has them: what flannel's peers really use as next hop comes first."""
    candidates = [
        _address(annotations.public_ip_overwrite) or _address(annotations.public_ip),
        _address(annotations.public_ipv6_overwrite) or _address(annotations.public_ipv6),
        *internal_ips,
    ]
    for annotation, label in (
        (annotations.rke, "rke.cattle.io/internal-ip"),
        (annotations.k3s, "k3s.io/internal-ip"),
        (annotations.rke2, "rke2.io/internal-ip"),
    ):
        listed = annotation or labels.get(label)
        if listed:
            candidates += map(_address, listed.split(","))
    return _unique(candidates)


_Value = TypeVar("_Value", IPAddress, IPNetwork)


def _unique(values: Iterable[_Value | None]) -> tuple[_Value, ...]:
    """Keep the first of equal values. There are few, and ``in`` finds the cached, identical ones without comparing."""
    unique: list[_Value] = []
    for value in values:
        if value is not None and value not in unique:
            unique.append(value)
    return tuple(unique)


@lru_cache(maxsize=1 << 15)
def _address(text: str) -> IPAddress | None:
    """Return the address; None for anything else, since a node must not be lost for one bad value.

    The same few texts come with every event of a node, hence the cache, here and in ``_network``. The C library parses
    the usual case in a quarter of the time that ``ipaddress`` takes.
    """
    try:
        return IPv4Address(inet_pton(AF_INET, text))
    except (OSError, ValueError):
        pass
    try:
        return ip_address(text.strip()) if text else None
    except ValueError:
        return None


@lru_cache(maxsize=1 << 15)
def _network(text: str) -> IPNetwork | None:
    """Return the network, host bits cleared; None for anything else."""
    address, _, length = text.partition("/")
    try:
        return IPv4Network((inet_pton(AF_INET, address), int(length)), strict=False)
    except (OSError, ValueError):
        pass
    try:
        return ip_network(text.strip(), strict=False) if text else None
    except ValueError:
        return None


def networks_of(texts: Iterable[str]) -> tuple[IPNetwork, ...]:
    """Return the texts that are networks, host bits cleared, each once."""
    return _unique(map(_network, texts))
