"""What of a rolling upgrade needs a hand now. Pure; standard library only."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tui.model.pairing import left_at
from tui.model.rollout import Phase, Rollout, Story

_PATIENCE = timedelta(minutes=2)
"""How long a replacement may be on its way before somebody should look at it."""
_LACKING = {
    Phase.ASSIGNED: "it has no pod CIDR",
    Phase.FORWARDING: "its VM may not forward",
    Phase.ROUTED: "no route leads to it",
    Phase.READY: "it is not ready",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """One thing that will not come right by itself, or does not. ``node`` is a name; ``dire`` when pods suffer now."""

    since: datetime
    node: str
    text: str
    dire: bool


def hands(rollout: Rollout, now: datetime) -> tuple[Hand, ...]:
    """Return what needs a hand, newest first."""
    races = {race.new: race for race in rollout.races if race.ended_at is None}
    found = (*_races(rollout), *_outages(rollout, races), *_stuck(rollout, now), *_absent(rollout, now))
    return tuple(sorted(found, key=lambda hand: hand.since, reverse=True))


def _races(rollout: Rollout) -> Iterator[Hand]:
    for race in rollout.races:
        if race.ended_at is None:
            old, new = rollout.stories.get(race.old), rollout.stories.get(race.new)
            was = f"was {old.name}'s" if old else "was another node's"
            lost = ": its pods cannot be reached" if new is not None and new.outage is not None else ""
            text = f"{race.cidr} {was}, and its route still leads there{lost}"
            yield Hand(since=race.since, node=new.name if new else "", text=text, dire=True)


def _outages(rollout: Rollout, told: Container[str]) -> Iterator[Hand]:
    """Yield the outages but for those of nodes whose race tells them."""
    for story in rollout.stories.values():
        if story.outage is not None and story.uid not in told:
            text = f"ready, and its pods cannot be reached{_why(story)}"
            yield Hand(since=story.outage.first_bad.answered_at, node=story.name, text=text, dire=True)


def _why(story: Story) -> str:
    told = [_LACKING[phase] for phase in story.lacks if phase in {Phase.FORWARDING, Phase.ROUTED}]
    return f": {' and '.join(told)}" if told else ""


def _stuck(rollout: Rollout, now: datetime) -> Iterator[Hand]:
    for story in rollout.stories.values():
        late = not story.original and not story.gone and now - story.first_at >= _PATIENCE
        if late and story.outage is None and (Phase.ASSIGNED in story.lacks or Phase.READY in story.lacks):
            told = [_LACKING[phase] for phase in story.lacks if phase in _LACKING]
            yield Hand(since=story.first_at, node=story.name, text=f"joined, but {', '.join(told)}", dire=False)


def _absent(rollout: Rollout, now: datetime) -> Iterator[Hand]:
    for pair in rollout.pairs:
        if pair.new is None and (gone_at := pair.old.reached.get(Phase.GONE)) and now - gone_at >= _PATIENCE:
            left = left_at(pair.old) or gone_at
            yield Hand(since=left, node=pair.old.name, text="gone, and no replacement has joined", dire=False)
