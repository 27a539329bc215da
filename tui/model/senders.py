"""Who sends pod packets over the VM network: the nodes whose packets the routes of a cloud are to deliver.

Standard library only.
"""

from collections import defaultdict

from tui.model.controller import ROUTED
from tui.model.joined import Joined
from tui.model.node import Cloud

_Network = tuple[Cloud, str]


def senders(joined: Joined) -> tuple[dict[_Network, frozenset[str]], dict[_Network, frozenset[frozenset[str]]]]:
    """Return the subnets and the sets of tags of the nodes that send unencapsulated packets, by network."""
    subnets: defaultdict[_Network, set[str]] = defaultdict(set)
    tags: defaultdict[_Network, set[frozenset[str]]] = defaultdict(set)
    for node, placement in joined.placed():
        interface, instance = placement.interface, placement.instance
        if interface is None or instance is None or node.encapsulated or placement.cloud not in ROUTED:
            continue
        network = (placement.cloud, interface.network)
        tags[network].add(instance.tags)
        if interface.subnet is not None:
            subnets[network].add(interface.subnet)
    return (
        {network: frozenset(found) for network, found in subnets.items()},
        {network: frozenset(found) for network, found in tags.items()},
    )
