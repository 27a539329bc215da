"""Who replaces whom in a rolling upgrade, and how far it is. Pure; standard library only."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tui.model.rollout import Phase, Rollout, Story

_LEAVING = (Phase.CORDONED, Phase.DELETING, Phase.GONE)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an upgrade is: ``replaced`` of the ``total`` that were there from the start.

    ``left_s`` are the seconds that are left at the pace measured so far; None before anything was replaced, and when
    nothing is left. ``versions`` counts the present nodes by kubelet version.
    """

    total: int
    replaced: int
    left_s: float | None
    versions: Mapping[str, int]


def pairs(rollout: Rollout) -> tuple[Pair, ...]:
    """Pair those that left, or are on their way out, with those that came; in the order of leaving.

    A pod CIDR or a name that is used again decides. What is left is paired by pool and zone in the order of time, and
    marked as a guess.
    """
    leaving = sorted((story for story in rollout.stories.values() if left_at(story) is not None), key=_left_first)
    unpaired = {story.uid: story for story in leaving}
    free = {story.uid: story for story in rollout.stories.values() if not story.original}
    found: dict[str, Pair] = {}
    for number, fits in enumerate((_shares_a_range, _has_the_name, _in_pool_and_zone, _in_pool)):
        for old in tuple(unpaired.values()):
            new = next((one for one in free.values() if fits(old, one) and one.first_at >= _left_first(old)), None)
            if new is not None:
                found[old.uid] = Pair(old=old, new=new, guess=number >= 2)
                del unpaired[old.uid], free[new.uid]
    return tuple(found.get(old.uid, Pair(old=old, new=None)) for old in leaving)


def left_at(story: Story) -> datetime | None:
    """Return the first observation of its leaving; None for one that stays."""
    return min((story.reached[phase] for phase in _LEAVING if phase in story.reached), default=None)


def _left_first(story: Story) -> datetime:
    return left_at(story) or story.first_at


_Fits = Callable[[Story, Story], bool]


def _shares_a_range(old: Story, new: Story) -> bool:
    return old.uid != new.uid and not set(old.pod_cidrs).isdisjoint(new.pod_cidrs)


def _has_the_name(old: Story, new: Story) -> bool:
    return old.uid != new.uid and old.name == new.name


def _in_pool_and_zone(old: Story, new: Story) -> bool:
    return _in_pool(old, new) and old.zone == new.zone


def _in_pool(old: Story, new: Story) -> bool:
    return old.uid != new.uid and old.pool == new.pool


def progress(rollout: Rollout, told: tuple[Pair, ...], now: datetime) -> Progress:
    """Measure the upgrade, given its pairs."""
    originals = [story for story in rollout.stories.values() if story.original]
    replaced = sum(pair.old.original and pair.replaced for pair in told)
    begun = min((left for story in originals if (left := left_at(story)) is not None), default=None)
    left_s: float | None = None
    if replaced and replaced < len(originals) and begun is not None:
        left_s = (now - begun).total_seconds() / replaced * (len(originals) - replaced)
    versions = Counter(story.version for story in rollout.stories.values() if not story.gone and story.version)
    return Progress(total=len(originals), replaced=replaced, left_s=left_s, versions=dict(versions))
