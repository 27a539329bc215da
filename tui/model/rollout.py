"""What happened to each node over time: phases, owners of pod CIDRs, and how long pods could not be reached.

Everything is as it was *observed*: what happens between two observations shows as the span between them, never as
less. Standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tui.model.node import IPNetwork, Node
from tui.model.snapshot import Evidence


class Phase(StrEnum):
    """How far a node has come, in the order of its life."""

    JOINED = "joined"
    ASSIGNED = "pod-cidr"
    FORWARDING = "forwarding"
    ROUTED = "routed"
    READY = "ready"
    CORDONED = "cordoned"
    DRAINED = "drained"
    DELETING = "deleting"
    GONE = "gone"
    VM_GONE = "vm-gone"


_ORDER = tuple(Phase)
_WAY_IN = _ORDER[: _ORDER.index(Phase.READY) + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A stretch of observations at which a ready node's pods could not be reached.

    ``not_before`` is the last instant at which they could, or at which nobody asked for it because the node was not
    ready yet. ``first_bad`` and ``last_bad`` are the first and last observation of the stretch; ``ended_at`` when an
    observation proved that they could, or when the node was not ready any more, None while it lasts.
    """

    not_before: datetime
    first_bad: Evidence
    last_bad: Evidence
    ended_at: datetime | None = None

    def seconds(self, now: datetime) -> float:
        """Return how long it was observed: from the first bad observation to the end, or to now."""
        return _seconds((self.ended_at or now) - self.first_bad.answered_at)

    def least_s(self) -> float:
        """Return how long it lasted at least, if it was not interrupted unseen."""
        return _seconds(self.last_bad.asked_at - self.first_bad.answered_at)

    def most_s(self, now: datetime) -> float:
        """Return how long it can have lasted at most."""
        return _seconds((self.ended_at or now) - self.not_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """A pod CIDR that has a new owner while its route still leads to where the old one was.

    Packets go to the wrong machine or to none. ``since`` is the first observation of it, ``ended_at`` the one that no
    longer showed it; None while it lasts.
    """

    cidr: IPNetwork
    old: str
    new: str
    since: datetime
    ended_at: datetime | None = None

    def seconds(self, now: datetime) -> float:
        """Return how long it was observed."""
        return _seconds((self.ended_at or now) - self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is known of one node, by its ``uid``; kept after it is gone.

    ``pod_cidrs`` are the last ones that it had, ``vm`` the key of its VM as far as it is known. ``reached`` maps each
    phase to the first observation of it. ``original`` when it was there at the first list; of those only the phases of
    leaving are told. ``ready_since`` is the observation since which it is ready, None while it is not; ``reachable`` is
    what the newest evidence says of its pods, and ``good_until`` the last instant at which they could be reached before
    that changed.
    """

    uid: str
    name: str
    original: bool
    first_at: datetime
    pool: str | None
    zone: str | None
    version: str | None
    pod_cidrs: tuple[IPNetwork, ...]
    vm: str | None
    reached: Mapping[Phase, datetime] = field(default_factory=dict)
    ready_since: datetime | None = None
    reachable: bool | None = None
    good_until: datetime | None = None
    outages: tuple[Outage, ...] = ()
    node: Node | None = field(default=None, compare=False, repr=False)
    """The object as it was last seen."""

    @property
    def gone(self) -> bool:
        """Tell whether the node object is deleted."""
        return Phase.GONE in self.reached

    @property
    def phase(self) -> Phase:
        """The last phase that it has come to; ``READY`` for one that was there from the start."""
        return max(self.reached, key=_ORDER.index, default=Phase.READY)

    @property
    def lacks(self) -> tuple[Phase, ...]:
        """What it has not come to yet on its way in; empty for one that was there from the start."""
        return () if self.original else tuple(phase for phase in _WAY_IN if phase not in self.reached)

    @property
    def done(self) -> bool:
        """Tell whether it is ready and its pods can be reached."""
        return not self.gone and self.ready_since is not None and self.reachable is True

    @property
    def outage(self) -> Outage | None:
        """The outage that lasts; None when there is none."""
        return self.outages[-1] if self.outages and self.outages[-1].ended_at is None else None

    def unroutable_s(self, now: datetime) -> float:
        """Return for how long its pods were observed not to be reachable while it was ready."""
        return sum(outage.seconds(now) for outage in self.outages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A node and its replacement, None while there is none. A ``guess`` rests on pool, zone and order only."""

    old: Story
    new: Story | None
    guess: bool = False

    @property
    def replaced(self) -> bool:
        """Tell whether the old node is gone, and the new one ready with pods that can be reached."""
        return self.old.gone and self.new is not None and self.new.done

    @property
    def done_at(self) -> datetime | None:
        """When it was seen that the old one is replaced; None while it is not."""
        if self.new is None or not self.replaced:
            return None
        seen = [self.new.reached[phase] for phase in _WAY_IN if phase in self.new.reached]
        return max((self.old.reached[Phase.GONE], *seen, *(o.ended_at for o in self.new.outages if o.ended_at)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Everything that was seen since ``began_at``. ``stories`` are by uid, in the order in which they were first seen.

    ``listed`` once it is known who was there from the start, ``evidence`` is the newest read of each source, ``races``
    are oldest first, ``pairs`` in the order of leaving.
    """

    began_at: datetime
    listed: bool = False
    stories: Mapping[str, Story] = field(default_factory=dict)
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    races: tuple[Race, ...] = ()
    pairs: tuple[Pair, ...] = ()

    def unroutable_s(self, now: datetime) -> float:
        """Return the seconds of all nodes together."""
        return sum(story.unroutable_s(now) for story in self.stories.values())

    @property
    def under_way(self) -> bool:
        """Tell whether anything of an upgrade was seen: a node on its way out, gone, or new."""
        return any(story.reached for story in self.stories.values())


def _seconds(span: timedelta) -> float:
    return max(0.0, span.total_seconds())
