"""What changed about a rolling upgrade between two reports, as activities: pure. May import the model only."""

from collections.abc import Iterator
from datetime import datetime

from tui.model.finding import Activity, ActivityKind
from tui.model.rollout import Outage, Pair, Race, Rollout, Story


def changes(before: Rollout, after: Rollout, at: datetime) -> tuple[Activity, ...]:
    """Return what happened: what could not be reached and can again, races, replacements."""
    return (*_outages(before, after, at), *_races(before, after, at), *_replaced(before, after, at))


def _outages(before: Rollout, after: Rollout, at: datetime) -> Iterator[Activity]:
    for uid, story in after.stories.items():
        known = before.stories.get(uid)
        if known is story:
            continue
        was, now = None if known is None else known.outage, story.outage
        if was is None and now is not None:
            text = f"ready, and its pods cannot be reached ({_ranges(story)})"
            yield Activity(at=at, kind=ActivityKind.UNROUTABLE, node=story.name, text=text)
        elif was is not None and now is None:
            ended = story.outages[-1]
            why = "it is gone" if story.gone else "it is not ready" if story.ready_since is None else "reachable"
            text = f"{why} after {span(ended, at)}"
            yield Activity(at=at, kind=ActivityKind.ROUTABLE, node=story.name, text=text)


def _ranges(story: Story) -> str:
    return ", ".join(map(str, story.pod_cidrs)) or "no pod CIDR"


def span(outage: Outage, now: datetime) -> str:
    """Return how long an outage was observed, and between which bounds it must have lasted."""
    told, least, most = outage.seconds(now), outage.least_s(), outage.most_s(now)
    return f"{told:.0f} s" if most - least < 1 else f"{told:.0f} s ({least:.0f} to {most:.0f} s)"


def _races(before: Rollout, after: Rollout, at: datetime) -> Iterator[Activity]:
    lasted = {(race.cidr, race.new): race for race in before.races if race.ended_at is None}
    for race in after.races:
        key = (race.cidr, race.new)
        if race.ended_at is None and key not in lasted:
            text = f"{race.cidr} was {_name(after, race.old)}'s, and its route still leads there"
            yield Activity(at=at, kind=ActivityKind.RACE_OPENED, node=_name(after, race.new), text=text)
        elif race.ended_at == at and key in lasted:
            yield Activity(at=at, kind=ActivityKind.RACE_CLOSED, node=_name(after, race.new), text=_ended(race, at))


def _ended(race: Race, at: datetime) -> str:
    return f"the route of {race.cidr} does not lead to its old owner any more, after {race.seconds(at):.0f} s"


def _name(rollout: Rollout, uid: str) -> str:
    story = rollout.stories.get(uid)
    return "a node" if story is None else story.name


def _replaced(before: Rollout, after: Rollout, at: datetime) -> Iterator[Activity]:
    if before.pairs is after.pairs:
        return
    done = {pair.old.uid for pair in before.pairs if pair.replaced}
    for pair in after.pairs:
        if pair.replaced and pair.old.uid not in done:
            yield Activity(at=at, kind=ActivityKind.REPLACED, node=pair.old.name, text=_by(pair))


def _by(pair: Pair) -> str:
    guess = ", as pool and order suggest" if pair.guess else ""
    return f"replaced by {pair.new.name if pair.new else 'nobody'}{guess}"
