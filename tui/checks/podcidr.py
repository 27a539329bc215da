"""Does the node have pod CIDRs, and are they its alone? Decides ``podcidr-missing`` and ``podcidr-overlap``."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tui.model.finding import Code, Finding, Severity
from tui.model.joined import Joined
from tui.model.network import Subnet
from tui.model.node import IPAddress, IPNetwork, Node


def check(joined: Joined) -> Iterator[Finding]:
    """Yield a finding for every node without a pod CIDR, and for every pod CIDR that something else claims too."""
    for node in joined.nodes:
        if not node.pod_cidrs:
            yield Finding(
                code=Code.PODCIDR_MISSING,
                severity=Severity.WARNING,
                node=node.name,
                subject=node.name,
                summary="no pod CIDR is assigned (yet): flannel waits for the controller manager to set spec.podCIDR",
            )
    yield from _between(joined)
    yield from _with_node_addresses(joined.nodes)


@dataclass(frozen=True, slots=True)
class _Range:
    """One claimed range as integers; ``node`` is None for a subnet of the node network."""

    version: int
    first: int
    last: int
    cidr: IPNetwork
    node: str | None
    name: str

    @classmethod
    def of(cls, cidr: IPNetwork, node: str | None, name: str) -> "_Range":
        return cls(cidr.version, int(cidr.network_address), int(cidr.broadcast_address), cidr, node, name)


def _between(joined: Joined) -> Iterator[Finding]:
    """Sweep over all ranges in order: of two that overlap, the second starts before the widest one so far has ended."""
    ranges = sorted(_claims(joined), key=lambda claim: (claim.version, claim.first, -claim.last, claim.name))
    widest: _Range | None = None
    told: set[tuple[str, IPNetwork]] = set()
    for claim in ranges:
        if widest is not None and claim.version == widest.version and claim.first <= widest.last:
            for mine, other in ((widest, claim), (claim, widest)):
                if mine.node is not None and (mine.node, mine.cidr) not in told:
                    told.add((mine.node, mine.cidr))
                    yield _overlap(mine.node, mine.cidr, f"{other.cidr} of {other.name}")
        if widest is None or claim.version != widest.version or claim.last > widest.last:
            widest = claim


def _claims(joined: Joined) -> Iterator[_Range]:
    subnets: dict[str, Subnet] = {}
    for node, placement in joined.placed():
        subnet = joined.subnet_of(placement)
        if subnet is not None:
            subnets[subnet.id] = subnet
        for cidr in node.pod_cidrs:
            if placement.interface is None or not placement.interface.owns(cidr):
                yield _Range.of(cidr, node.name, f"node {node.name}")
    for subnet in subnets.values():
        for cidr in subnet.cidrs:
            yield _Range.of(cidr, None, f"subnet {subnet.id}")
    for cidr in joined.snapshot.scope.node_subnets:
        yield _Range.of(cidr, None, "--node-subnet")


def _with_node_addresses(nodes: Iterable[Node]) -> Iterator[Finding]:
    nodes = tuple(nodes)
    holders: dict[tuple[int, int], tuple[IPAddress, str]] = {
        (address.version, int(address)): (address, node.name) for node in nodes for address in node.addresses
    }
    ordered = sorted(holders)
    for node in nodes:
        for cidr in node.pod_cidrs:
            at = bisect_left(ordered, (cidr.version, int(cidr.network_address)))
            if at < len(ordered) and ordered[at] <= (cidr.version, int(cidr.broadcast_address)):
                address, holder = holders[ordered[at]]
                yield _overlap(node.name, cidr, f"the address {address} of node {holder}")


def _overlap(node: str, cidr: IPNetwork, other: str) -> Finding:
    return Finding(
        code=Code.PODCIDR_OVERLAP,
        severity=Severity.ERROR,
        node=node,
        subject=str(cidr),
        summary=f"pod CIDR {cidr} overlaps {other}: packets for one reach the other",
    )
