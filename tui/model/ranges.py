"""Many ranges, asked which of them contain another one: a few look-ups each instead of a comparison with all.

Standard library only.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from tui.model.node import IPNetwork


@dataclass(frozen=True, slots=True)
class Ranges:
    """A set of ranges. Two ranges of one family either lie apart or one contains the other; both answers rely on it."""

    by_length: Mapping[int, Mapping[int, Mapping[int, IPNetwork]]]
    """By family, then by prefix length, then by the prefix itself as a number."""
    starts: Mapping[int, Sequence[tuple[int, int]]]
    """First address and prefix length of every range, by family, in order."""

    @classmethod
    def of(cls, cidrs: Iterable[IPNetwork]) -> "Ranges":
        """Index the ranges; equal ones count once."""
        by_length: defaultdict[int, defaultdict[int, dict[int, IPNetwork]]] = defaultdict(lambda: defaultdict(dict))
        starts: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
        for cidr in cidrs:
            first = int(cidr.network_address)
            by_length[cidr.version][cidr.prefixlen][first >> (cidr.max_prefixlen - cidr.prefixlen)] = cidr
            starts[cidr.version].add((first, cidr.prefixlen))
        return cls(by_length, {version: sorted(found) for version, found in starts.items()})

    def around(self, cidr: IPNetwork) -> Iterator[IPNetwork]:
        """Yield the members that contain the range, an equal one included."""
        lengths = self.by_length.get(cidr.version)
        if not lengths:
            return
        first, bits = int(cidr.network_address), cidr.max_prefixlen
        for length, members in lengths.items():
            if length <= cidr.prefixlen:
                found = members.get(first >> (bits - length))
                if found is not None:
                    yield found

    def wider(self, cidr: IPNetwork) -> Iterator[IPNetwork]:
        """Yield the members that contain the range and more."""
        lengths = self.by_length.get(cidr.version, {})
        if any(length < cidr.prefixlen for length in lengths):
            yield from (member for member in self.around(cidr) if member.prefixlen < cidr.prefixlen)

    def within(self, cidr: IPNetwork) -> bool:
        """Tell whether a member lies inside the range or equals it."""
        starts = self.starts.get(cidr.version, ())
        at = bisect_left(starts, (int(cidr.network_address), cidr.prefixlen))
        return at < len(starts) and starts[at][0] <= int(cidr.broadcast_address)


NOTHING = Ranges({}, {})
"""No range at all."""


@lru_cache(maxsize=2)
def claims_of(claimants: tuple[tuple[IPNetwork, ...], ...]) -> tuple[Ranges, frozenset[IPNetwork]]:
    """Return what the claimants claim, and what of that is contested.

    Remembered, because thousands of nodes keep their pod CIDRs from one look at them to the next.
    """
    claims = Ranges.of(cidr for cidrs in claimants for cidr in cidrs)
    return claims, contested(map(frozenset, claimants), claims)


def contested(claimants: Iterable[AbstractSet[IPNetwork]], claims: Ranges) -> frozenset[IPNetwork]:
    """Return the ranges that overlap another claimant's: equal to it, inside it, or around it.

    ``claims`` are all of them.
    """
    owners = Counter(cidr for cidrs in claimants for cidr in cidrs)
    found = {cidr for cidr, count in owners.items() if count > 1}
    for cidr in owners:
        outer = tuple(claims.wider(cidr))
        found.update((*outer, cidr) if outer else ())
    return frozenset(found)
