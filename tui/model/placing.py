"""Which interfaces nodes have, as far as an adapter must know it to read on. Standard library only."""

from collections.abc import Iterable, Iterator

from tui.model.network import Instance, NetworkInterface
from tui.model.node import Cloud, IPAddress, Node


def placed(
    cloud: Cloud, nodes: Iterable[Node], instances: Iterable[Instance]
) -> Iterator[tuple[Node, NetworkInterface]]:
    """Yield each node with the interface that its first known address is on; several when that cannot be told."""
    by_key = {instance.key: instance for instance in instances}
    by_address: dict[IPAddress, list[NetworkInterface]] = {}
    for instance in by_key.values():
        for interface in instance.interfaces:
            for address in interface.addresses:
                by_address.setdefault(address, []).append(interface)
    for node in nodes:
        key = node.provider_id.key if node.provider_id.cloud is cloud else None
        own = by_key[key].interfaces if key in by_key else ()
        for address in node.addresses:
            candidates = by_address.get(address, ()) if key is None else own
            holding = [interface for interface in candidates if address in interface.addresses]
            yield from ((node, interface) for interface in holding)
            if holding:
                break
