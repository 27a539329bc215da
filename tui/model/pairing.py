"""Who replaces whom in a rolling upgrade, and how far it is. Pure; standard library only."""

from collections import Counter, deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tui.model.rollout import Pair, Phase, Rollout, Story

_LEAVING = (Phase.CORDONED, Phase.DELETING, Phase.GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an upgrade is: ``replaced`` of the ``total`` that have left or are expected to.

    Expected are those of the same pools that were there from the start, unless their kubelet is as new as the newest.
    ``left_s`` are the seconds that are left at the pace measured so far; None before anything was replaced, and when
    nothing is left. ``versions`` counts the present nodes by kubelet version.
    """

    total: int
    replaced: int
    left_s: float | None
    versions: Mapping[str, int]


def paired(stories: Iterable[Story]) -> tuple[Pair, ...]:
    """Pair those that left, or are on their way out, with those that came; in the order of leaving.

    A pod CIDR or a name that is used again decides. What is left is paired by pool and zone in the order of time, and
    marked as a guess.
    """
    known = tuple(stories)
    leaving = sorted((story for story in known if left_at(story) is not None), key=_left_first)
    if not leaving:
        return ()
    came = [story for story in known if not story.original]
    found: dict[str, Pair] = {}
    taken: set[str] = set()
    for number, marks in enumerate((_ranges, _name, _pool_and_zone, _pool)):
        heirs: dict[Hashable, deque[Story]] = {}
        for story in came:
            for mark in marks(story) if story.uid not in taken else ():
                heirs.setdefault(mark, deque()).append(story)
        for old in leaving:
            if old.uid in found:
                continue
            new = next((one for mark in marks(old) if (one := _heir(old, heirs.get(mark), taken))), None)
            if new is not None:
                found[old.uid] = Pair(old=old, new=new, guess=number >= _GUESSED)
                taken.add(new.uid)
    return tuple(found.get(old.uid, Pair(old=old, new=None)) for old in leaving)


_GUESSED = 2
"""The marks from this one on do not decide."""


def _heir(old: Story, heirs: deque[Story] | None, taken: set[str]) -> Story | None:
    """Return the first of those who bear the mark that came after the old one began to leave."""
    while heirs and heirs[0].uid in taken:
        heirs.popleft()
    candidates = (one for one in heirs or () if one.uid not in taken and one.uid != old.uid)
    return next((one for one in candidates if one.first_at >= _left_first(old)), None)


def _ranges(story: Story) -> Iterable[Hashable]:
    return story.pod_cidrs


def _name(story: Story) -> Iterable[Hashable]:
    return (story.name,)


def _pool_and_zone(story: Story) -> Iterable[Hashable]:
    return ((story.pool, story.zone),)


def _pool(story: Story) -> Iterable[Hashable]:
    return (story.pool,)


def left_at(story: Story) -> datetime | None:
    """Return the first observation of its leaving; None for one that stays."""
    return min((story.reached[phase] for phase in _LEAVING if phase in story.reached), default=None)


def _left_first(story: Story) -> datetime:
    return left_at(story) or story.first_at


def progress(rollout: Rollout, now: datetime) -> Progress:
    """Measure the upgrade."""
    pairs = [pair for pair in rollout.pairs if pair.old.original]
    done = sorted(done_at for pair in pairs if (done_at := pair.done_at) is not None)
    total = len(pairs) + _expected(rollout, pairs)
    left_s: float | None = None
    if done and len(done) < total:
        begun = min(_left_first(pair.old) for pair in pairs)
        pace_s, idle_s = (done[-1] - begun).total_seconds() / len(done), (now - done[-1]).total_seconds()
        # Where the next one is late, all that follow are taken to be as late.
        left_s = max(pace_s, idle_s) * (total - len(done)) - min(pace_s, idle_s)
    versions = Counter(story.version for story in rollout.stories.values() if not story.gone and story.version)
    return Progress(total=total, replaced=len(done), left_s=left_s, versions=dict(versions))


def _expected(rollout: Rollout, pairs: Iterable[Pair]) -> int:
    """Count those that stay for now, in the pools that are being replaced, and are not as new as the replacements."""
    leaving = {pair.old.uid for pair in pairs}
    pools = {pair.old.pool for pair in pairs}
    newer = {pair.old.pool: pair.new.version for pair in pairs if pair.new and pair.new.version != pair.old.version}
    return sum(
        story.original
        and story.uid not in leaving
        and story.pool in pools
        and (story.pool not in newer or story.version != newer[story.pool])
        for story in rollout.stories.values()
    )
