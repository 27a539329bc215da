"""The Kubernetes API's answers: pages of nodes, lines of a watch, errors, flannel's ConfigMap, a namespace.

May import msgspec, ``objects``, the ports' event types and the model.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from tui.kube.objects import NodeObject, networks_of, node_of
from tui.model.node import IPNetwork, Node
from tui.ports import NodeEvent, NodeEventKind


class Malformed(ValueError):
    """Bytes that are not what the Kubernetes API sends at this place."""


class _ListMetadata(msgspec.Struct, gc=False):
    resource_version: str = msgspec.field(name="resourceVersion")
    continue_: str = msgspec.field(default="", name="continue")


class _NodePage(msgspec.Struct, gc=False):
    metadata: _ListMetadata
    items: list[NodeObject] | None
    """Required: an answer without this key is no node list, and must never be read as "no nodes"."""


class _StatusDetails(msgspec.Struct, gc=False, rename="camel"):
    retry_after_seconds: float | None = None


class Status(msgspec.Struct, gc=False):
    """The API's error object, as the body of a failed request and as the object of an ``ERROR`` event."""

    code: int = 0
    message: str = ""
    reason: str = ""
    details: _StatusDetails | None = None

    @property
    def retry_after_s(self) -> float | None:
        """What the server asked to wait, in seconds; None when it did not say."""
        return self.details.retry_after_seconds if self.details else None


class _NodeChange(msgspec.Struct, gc=False):
    type: str
    object: NodeObject


class _Failure(msgspec.Struct, gc=False):
    type: str
    object: Status


class _ConfigMap(msgspec.Struct, gc=False):
    data: dict[str, str] | None = None


class _Identity(msgspec.Struct, gc=False):
    uid: str = ""


class _Namespace(msgspec.Struct, gc=False):
    metadata: _Identity


class _User(msgspec.Struct, gc=False):
    username: str = ""


class _ReviewStatus(msgspec.Struct, gc=False):
    user: _User = msgspec.field(name="userInfo")


class _Review(msgspec.Struct, gc=False):
    status: _ReviewStatus


class _NetConf(msgspec.Struct, gc=False):
    network: str = msgspec.field(default="", name="Network")
    ipv6_network: str = msgspec.field(default="", name="IPv6Network")


_page_decoder = msgspec.json.Decoder(_NodePage)
_change_decoder = msgspec.json.Decoder(_NodeChange)
_failure_decoder = msgspec.json.Decoder(_Failure)
_status_decoder = msgspec.json.Decoder(Status)
_namespace_decoder = msgspec.json.Decoder(_Namespace)
_config_map_decoder = msgspec.json.Decoder(_ConfigMap)
_review_decoder = msgspec.json.Decoder(_Review)
_net_conf_decoder = msgspec.json.Decoder(_NetConf)
_KINDS = {kind.value.upper(): kind for kind in NodeEventKind}


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a node list. ``next_token`` asks for the part after it; empty on the last one."""

    version: str
    next_token: str
    _items: list[NodeObject]

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes in the API's order."""
        return map(node_of, self._items)


def decode_page(body: bytes) -> Page:
    """Return one page of a node list. Raises ``Malformed``."""
    try:
        page = _page_decoder.decode(body)
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from error
    return Page(page.metadata.resource_version, page.metadata.continue_, page.items or [])


def decode_event(line: bytes) -> NodeEvent | Status:
    """Return one line of a watch; the ``Status`` of an ``ERROR`` event. Raises ``Malformed``."""
    try:
        change = _change_decoder.decode(line)
    except msgspec.DecodeError as error:
        return _decode_failure(line, error)
    kind = _KINDS.get(change.type)
    if kind is None:
        raise Malformed(f"unknown event type {change.type!r}")
    node = None if kind is NodeEventKind.BOOKMARK else node_of(change.object)
    return NodeEvent(kind=kind, node=node, version=change.object.metadata.resource_version)


def _decode_failure(line: bytes, not_a_change: msgspec.DecodeError) -> Status:
    try:
        failure = _failure_decoder.decode(line)
    except msgspec.DecodeError:
        raise Malformed(str(not_a_change)) from not_a_change
    if failure.type != "ERROR":
        raise Malformed(str(not_a_change)) from not_a_change
    return failure.object


def decode_status(body: bytes) -> Status:
    """Return the error object of a failed request; an empty one when a proxy answered with something else."""
    try:
        return _status_decoder.decode(body)
    except msgspec.DecodeError:
        return Status()


def decode_pod_cidrs(body: bytes) -> tuple[IPNetwork, ...]:
    """Return the networks in flannel's ConfigMap, IPv4 first; empty when it names none. Raises ``Malformed``."""
    try:
        net_conf = _net_conf_decoder.decode((_config_map_decoder.decode(body).data or {}).get("net-conf.json", "{}"))
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from error
    return networks_of((net_conf.network, net_conf.ipv6_network))


def decode_uid(body: bytes) -> str | None:
    """Return a namespace's uid; None when it has none. Raises ``Malformed``."""
    try:
        return _namespace_decoder.decode(body).metadata.uid or None
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from error


def decode_username(body: bytes) -> str | None:
    """Return the user name of a SelfSubjectReview; None when it has none. Raises ``Malformed``."""
    try:
        return _review_decoder.decode(body).status.user.username or None
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from error
