"""Which pods a drain moves off a node, by kubectl's rules. May import msgspec and ``answers``."""

import msgspec

from tui.kube.answers import Malformed

_MIRROR = "kubernetes.io/config.mirror"
"""The annotation of a static pod's mirror, which only the node's own kubelet can take away."""


class _Owner(msgspec.Struct, gc=False):
    kind: str = ""
    controller: bool = False


class _Metadata(msgspec.Struct, rename="camel", gc=False):
    owner_references: list[_Owner] | None = None
    annotations: dict[str, str] | None = None

    @property
    def moves(self) -> bool:
        """Tell whether a drain with ``--ignore-daemonsets`` evicts the pod."""
        is_daemon = any(owner.controller and owner.kind == "DaemonSet" for owner in self.owner_references or ())
        return not is_daemon and _MIRROR not in (self.annotations or {})


class _Item(msgspec.Struct, gc=False):
    metadata: _Metadata


class _Page(msgspec.Struct, gc=False):
    items: list[_Item] | None = None


_decoder = msgspec.json.Decoder(_Page)


def on_node(node: str) -> str:
    """Return the field selector for the pods of a node that have not come to their end."""
    return f"spec.nodeName={node},status.phase!=Succeeded,status.phase!=Failed"


def count_evictable(body: bytes) -> int:
    """Return how many pods of a list a drain moves. Raises ``Malformed``."""
    try:
        return sum(item.metadata.moves for item in _decoder.decode(body).items or ())
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from error
