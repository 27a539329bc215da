"""A picture of a rolling upgrade: a row per node over time, as an SVG for a change ticket. Pure; may import the model.

The picture is whole in itself: no script, no font, nothing from elsewhere. What a colour means is also said in words or
told by a pattern.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from tui.model.rollout import Outage, Phase, Rollout, Story
from tui.model.text import printable

_LEFT, _WIDTH, _ROW, _TOP = 220, 900, 22, 64
_MOST_ROWS = 200
_STEPS_S = (60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400)
_MOST_STEPS = 10
_STYLE = (
    "text{font:12px sans-serif;fill:#222}.dim{fill:#666}.old{fill:#9aa7b4}.new{fill:#5b9bd5}.ok{fill:#2e8b57}"
    ".lost{fill:#c0392b;stroke:#fff;stroke-width:.5}.race{fill:none;stroke:#c0392b;stroke-width:2;stroke-dasharray:4 2}"
    ".grid{stroke:#ddd}"
)


def timeline_svg(rollout: Rollout, now: datetime, title: str) -> str:
    """Draw everything that happened to nodes that left or came, from the beginning until now."""
    moved = [story for story in _in_order(rollout) if story.reached or story.outages]
    rows = moved[:_MOST_ROWS]
    scale = _Scale(rollout.began_at, max(now, rollout.began_at + timedelta(seconds=60)))
    height = _TOP + _ROW * max(1, len(rows)) + 56
    width = _LEFT + _WIDTH + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<title>{_text(title)}</title><style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="8" y="20" font-weight="bold">{_text(title)}</text>',
        *scale.grid(_TOP - 8, height - 52),
    ]
    for number, story in enumerate(rows):
        parts.extend(_row(story, rollout, scale, _TOP + number * _ROW, now))
    if not rows:
        parts.append(f'<text x="8" y="{_TOP + 14}" class="dim">No node has left or come.</text>')
    if len(moved) > len(rows):
        parts.append(f'<text x="8" y="{height - 36}" class="dim">and {len(moved) - len(rows)} more nodes</text>')
    parts.extend(_legend(height - 14))
    return "\n".join([*parts, "</svg>", ""])


class _Scale:
    """Where an instant stands."""

    def __init__(self, first: datetime, last: datetime) -> None:
        self._first = first
        self._span_s = (last - first).total_seconds()

    def x(self, at: datetime) -> float:
        share = (at - self._first).total_seconds() / self._span_s
        return _LEFT + _WIDTH * min(1.0, max(0.0, share))

    def grid(self, top: int, bottom: int) -> Iterator[str]:
        """Yield lines at round times."""
        step_s = next((step for step in _STEPS_S if self._span_s / step <= _MOST_STEPS), _STEPS_S[-1])
        first_s = self._first.timestamp()
        at_s = first_s - first_s % step_s + step_s
        while at_s < first_s + self._span_s:
            at = datetime.fromtimestamp(at_s, tz=self._first.tzinfo)
            x = self.x(at)
            yield f'<line class="grid" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}"/>'
            yield f'<text x="{x:.1f}" y="{top - 6}" text-anchor="middle" class="dim">{at:%H:%M}Z</text>'
            at_s += step_s


def _in_order(rollout: Rollout) -> Iterator[Story]:
    """Yield each pair together, in the order of leaving, then everybody else."""
    told: set[str] = set()
    for pair in rollout.pairs:
        for story in (pair.old, pair.new):
            if story is not None and story.uid not in told:
                told.add(story.uid)
                yield story
    yield from (story for uid, story in rollout.stories.items() if uid not in told)


def _row(story: Story, rollout: Rollout, scale: _Scale, y: int, now: datetime) -> Iterator[str]:
    begun = rollout.began_at if story.original else story.first_at
    ended = story.reached.get(Phase.GONE, now)
    ready = begun if story.original else story.reached.get(Phase.READY)
    leaving = story.reached.get(Phase.CORDONED) or story.reached.get(Phase.DELETING) or ended
    mark = " (left)" if story.gone else ""
    yield f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{_text(_short(story.name))}{mark}</text>'
    whole = _Strip(scale, y, 16)
    if ready is None or ready > begun:
        yield whole.part("new", begun, ready or ended, "joined, not ready")
    if ready is not None:
        yield whole.part("ok", ready, min(leaving, ended), "ready")
        yield whole.part("old", max(ready, leaving), ended, "cordoned or leaving")
    for outage in story.outages:
        yield _lost(outage, _Strip(scale, y + 5, 6), now)
    for race in rollout.races:
        if race.new == story.uid:
            about = f"the route of {race.cidr} leads to its last owner"
            yield whole.part("race", race.since, race.ended_at or now, about)


def _lost(outage: Outage, strip: "_Strip", now: datetime) -> str:
    seconds, most = outage.seconds(now), outage.most_s(now)
    about = f"unroutable for {seconds:.0f} s ({outage.least_s():.0f} to {most:.0f} s)"
    return strip.part("lost", outage.first_bad.answered_at, outage.ended_at or now, about)


@dataclass(frozen=True, slots=True)
class _Strip:
    """A part of a row, at this height and so high."""

    scale: _Scale
    y: int
    height: int

    def part(self, kind: str, begun: datetime, ended: datetime, about: str) -> str:
        """Draw what was so from one instant to another; nothing where no time passed."""
        if ended <= begun:
            return ""
        x = self.scale.x(begun)
        width = max(1.5, self.scale.x(ended) - x)
        title = f"<title>{_text(about)}</title>"
        return (
            f'<rect class="{kind}" x="{x:.1f}" y="{self.y}" width="{width:.1f}" height="{self.height}">{title}</rect>'
        )


def _legend(y: int) -> Iterator[str]:
    told: Sequence[tuple[str, str]] = (
        ("new", "joined, not ready"),
        ("ok", "ready"),
        ("old", "cordoned or leaving"),
        ("lost", "ready, pods unroutable"),
        ("race", "route leads to the last owner"),
    )
    x = 8
    for kind, about in told:
        yield f'<rect class="{kind}" x="{x}" y="{y - 10}" width="16" height="10"/>'
        yield f'<text x="{x + 22}" y="{y}">{about}</text>'
        x += 40 + 7 * len(about)


def _short(name: str) -> str:
    return name if len(name) <= 30 else f"{name[:14]}…{name[-15:]}"


def _text(text: str) -> str:
    return escape(printable(text))
