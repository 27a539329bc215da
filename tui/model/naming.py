"""Names of the routes and tables that this program makes: deterministic, and recognisable as this cluster's own.

A name is ``l2b-CLUSTER-CIDR-HASH``: the cluster's id in 8 hexadecimal digits, the pod CIDR with dashes, and 8 digits of
a hash over next hop and node uid, so that a new node gets another name and the same node the same one. It keeps Compute
Engine's rules (at most 63 characters of ``a-z0-9-``, a letter first), which are narrower than Azure's. Standard library
only.
"""

import hashlib
import json

from tui.model.network import NextHop, Route
from tui.model.node import IPNetwork, Node
from tui.model.snapshot import Cluster

_LONGEST = 63
_LONGEST_TABLE = 80
_DASHES = str.maketrans("./:", "---")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:8]


def route_prefix(cluster: Cluster) -> str:
    """Return what the names of this cluster's routes begin with.

    The cluster's uid decides; where it is not told, the server's address does, which may differ between operators.
    """
    return f"l2b-{_digest(cluster.uid or cluster.server)}-"


def is_own(cluster: Cluster, name: str) -> bool:
    """Tell whether a route of this name was made by this program for this cluster."""
    return name.lower().startswith(route_prefix(cluster))


def route_name(cluster: Cluster, destination: IPNetwork, hop: NextHop, node: Node) -> str:
    """Return the name of the node's route for this destination over this next hop."""
    prefix, digest = route_prefix(cluster), _digest(hop.text, node.uid)
    room = _LONGEST - len(prefix) - len(digest) - 1
    middle = str(destination).translate(_DASHES)
    if len(middle) > room:
        middle = _digest(middle)
    return f"{prefix}{middle}-{digest}"


def table_name(cluster: Cluster, network: str) -> str:
    """Return the name of the table that this program makes for subnets of a VNet (its ARM id) that have none.

    Azure takes 80 characters of letters, digits, ``_``, ``-`` and ``.``, of which a VNet's name is made as well.
    """
    prefix, name = route_prefix(cluster), network.rpartition("/")[2]
    return f"{prefix}{name if len(prefix) + len(name) <= _LONGEST_TABLE else _digest(name)}"


def made_by(cluster: Cluster, route: Route) -> str:
    """Say whether this program made a route, and how its maker described it where somebody else did."""
    if is_own(cluster, route.name):
        return "made by this program"
    described = f": description {route.description!r}" if route.description else ""
    return f"foreign, made by somebody else{described}"


def route_description(cluster: Cluster, destination: IPNetwork, node: Node) -> str:
    """Return one line of JSON that says for whom the route was made."""
    told = {
        "by": "l2bridge-tui",
        "cluster": cluster.context,
        "node": node.name,
        "uid": node.uid,
        "cidr": str(destination),
    }
    return json.dumps(told, separators=(",", ":"))
