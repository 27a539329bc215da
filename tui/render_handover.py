"""What a watch has seen, for whoever takes over: Markdown for a change ticket. Pure; may import the model."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tui.model.document import instant
from tui.model.finding import Report
from tui.model.hands import hands
from tui.model.history import RecordedApply
from tui.model.pairing import progress
from tui.model.rollout import Pair, Phase, Rollout
from tui.model.text import printable
from tui.render_watch import duration


def handover(report: Report, picture: str | None) -> str:
    """Write the report; ``picture`` is the name of the timeline's file beside it."""
    rollout, now = report.rollout or Rollout(began_at=report.snapshot.taken_at), report.snapshot.taken_at
    cluster = report.snapshot.cluster
    lines = [
        f"# Rolling upgrade of {_cell(cluster.context)}",
        "",
        f"Watched from {instant(rollout.began_at)} to {instant(now)} ({_cell(cluster.server)}).",
        "",
        *_summary(rollout, now),
        *([f"![The timeline of every node]({picture})", ""] if picture else []),
        *_section("Needs a hand now", _hands(rollout, now)),
        *_section("Who replaced whom", _pairs(rollout.pairs, now)),
        *_section("Ready, and unroutable", _outages(rollout, now)),
        *_section("Pod CIDRs whose route led to their last owner", _races(rollout, now)),
        *_section("What was changed", _applies(report.applies or (), rollout.began_at)),
        *_section("Everything that happened", _events(report)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    told = list(lines)
    yield from (f"## {title}", "", *(told or ["Nothing."]), "")


def _summary(rollout: Rollout, now: datetime) -> Iterator[str]:
    measured = progress(rollout, now)
    yield f"* {measured.replaced} of {measured.total} nodes replaced"
    versions = ", ".join(f"{_cell(version)} on {count}" for version, count in sorted(measured.versions.items()))
    yield f"* Kubelets: {versions or 'unknown'}"
    lost = sum(1 for story in rollout.stories.values() if story.outages)
    yield f"* Ready nodes were unroutable for {duration(rollout.unroutable_s(now))} in all, {lost} of them at some time"
    yield ""


def _hands(rollout: Rollout, now: datetime) -> Iterator[str]:
    for hand in hands(rollout, now):
        yield f"* since {instant(hand.since)}: **{_cell(hand.node)}** {_cell(hand.text)}"


def _pairs(pairs: Iterable[Pair], now: datetime) -> Iterator[str]:
    told = list(pairs)
    if told:
        yield from ("| old node | gone | new node | ready | replaced | unroutable |", "|---|---|---|---|---|---|")
    for pair in told:
        gone = pair.old.reached.get(Phase.GONE)
        if pair.new is None:
            yield f"| {_cell(pair.old.name)} | {_time(gone)} | none yet | | | |"
            continue
        name = _cell(pair.new.name) + (" (a guess)" if pair.guess else "")
        ready, lost = pair.new.reached.get(Phase.READY), duration(pair.new.unroutable_s(now))
        yield f"| {_cell(pair.old.name)} | {_time(gone)} | {name} | {_time(ready)} | {_time(pair.done_at)} | {lost} |"


def _outages(rollout: Rollout, now: datetime) -> Iterator[str]:
    told = [(outage, story) for story in rollout.stories.values() for outage in story.outages]
    if told:
        yield from ("| node | from | to | seconds | at least | at most |", "|---|---|---|---|---|---|")
    for outage, story in sorted(told, key=lambda one: one[0].first_bad.answered_at):
        first, last = _time(outage.first_bad.answered_at), _time(outage.ended_at) or "still"
        bounds = f"{outage.seconds(now):.0f} | {outage.least_s():.0f} | {outage.most_s(now):.0f}"
        yield f"| {_cell(story.name)} | {first} | {last} | {bounds} |"


def _races(rollout: Rollout, now: datetime) -> Iterator[str]:
    for race in rollout.races:
        names = [_cell(rollout.stories[uid].name) if uid in rollout.stories else "?" for uid in (race.old, race.new)]
        until = _time(race.ended_at) or "now"
        yield f"* {race.cidr}: from {names[0]} to {names[1]}, {_time(race.since)} to {until}, {race.seconds(now):.0f} s"


def _applies(applies: Iterable[RecordedApply], since: datetime) -> Iterator[str]:
    for apply in applies:
        if apply.begun_at >= since:
            done = sum(recorded.may_be_written for recorded in apply.changes)
            who = f"`{_cell(apply.id)}` by {_cell(apply.user)}"
            yield f"* {instant(apply.begun_at)}: {who}, {done} of {apply.total} changes"


def _events(report: Report) -> Iterator[str]:
    for event in report.activity:
        about = f"{_cell(event.node)}: " if event.node else ""
        yield f"* {instant(event.at)} {event.kind} {about}{_cell(event.text)}"


def _time(at: datetime | None) -> str:
    return "" if at is None else instant(at)


def _cell(text: str) -> str:
    """Return foreign text as text: neither the end of a cell, nor markup, nor a link."""
    safe = printable(text)
    for sign in "\\`*_|[]<>":
        safe = safe.replace(sign, f"\\{sign}")
    return safe
