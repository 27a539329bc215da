"""Does something else write the cloud's routes? The evidence that nodes, pods and routes give.

Standard library only.
"""

from collections.abc import Iterable

from tui.model.network import Route
from tui.model.node import Cloud, Node
from tui.model.snapshot import Snapshot

ROUTED = frozenset({Cloud.GCE, Cloud.AZURE})
"""The clouds that deliver pod packets by route; elsewhere layer 2 does."""

_MARK = "k8s-node-route"
"""The description that Compute Engine's cloud controller manager gives to its routes; their names end in a node uid."""
_SEPARATOR = "____"
"""What Azure's puts between node name and pod CIDR in a dual-stack cluster; else a route has the node's name alone, as
people name theirs too, which proves nothing."""
_STRIPPED = str.maketrans("", "", ".:/")


def route_controller(snapshot: Snapshot, routes: Iterable[tuple[Cloud, Route]]) -> str | None:
    """Return evidence, in words, that something else writes the nodes' routes; None when there is none.

    The kubelet itself writes the reason ``NoRouteCreated`` with another message. That flannel has written the condition
    proves nothing: a controller leaves a condition that already says so alone.
    """
    nodes = [node for node in snapshot.nodes or () if snapshot.scope.cloud_of(node) in ROUTED]
    if not nodes:
        return None
    marked = [node for node in nodes if _reconciled(node)]
    if marked:
        others = f" and {len(marked) - 1} more" if len(marked) > 1 else ""
        return f"the condition NetworkUnavailable of {marked[0].name}{others} has the reason {marked[0].network_reason}"
    if snapshot.cluster.route_controller is not None:
        return snapshot.cluster.route_controller
    uids = {node.uid for node in nodes}
    lengths = {len(uid) for uid in uids}
    names = {node.name.lower(): node for node in nodes}
    for cloud, route in routes:
        if cloud is Cloud.GCE:
            if route.description == _MARK and any(route.name[-length:] in uids for length in lengths):
                return f"route {route.name} is marked {_MARK} and belongs to a present node"
        elif _SEPARATOR in route.name and _is_of(names.get(route.name.partition(_SEPARATOR)[0].lower()), route):
            return f"route {route.name} is named as the cloud controller manager names those of a present node"
    return None


def _is_of(node: Node | None, route: Route) -> bool:
    """Tell whether the name ends in a pod CIDR of the node, written without its dots, colons and slash."""
    cidrs = () if node is None else node.pod_cidrs
    told = route.name.partition(_SEPARATOR)[2].lower()
    return any(str(cidr).translate(_STRIPPED) == told for cidr in cidrs)


def _reconciled(node: Node) -> bool:
    if node.network_reason == "NoRouteCreated":
        return (node.network_message or "").startswith("RouteController")
    return node.network_reason == "RouteCreated"
