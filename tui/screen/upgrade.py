"""A rolling upgrade: how far it is, what needs a hand now, and who replaces whom."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.model.finding import Verdict
from tui.model.hands import Hand, hands
from tui.model.pairing import Progress, progress
from tui.model.rollout import Pair, Phase, Rollout, Story
from tui.render_watch import duration
from tui.screen.format import Elide, Line, Span, Tone, badge, clock, legible, line
from tui.screen.messages import EXPORTS, ExportRequested, FixRequested
from tui.screen.pane import Pane
from tui.screen.textview import TextView
from tui.screen.tones import fit

_MOST_PAIRS = 200
_NARROWEST, _WIDEST = 10, 24
_TICKS_S = 120
"""Up to which sum seconds are told; later minutes are, so that a screen that nobody looks at costs nothing."""
_PHASES = {
    Phase.CORDONED: "cordoned",
    Phase.DRAINED: "drained",
    Phase.DELETING: "deleting",
    Phase.GONE: "gone",
    Phase.VM_GONE: "VM gone",
}
_NAMED = 2
"""How many things that a replacement waits for are named."""
_AWAITED = {
    Phase.ASSIGNED: "pod CIDR",
    Phase.FORWARDING: "forwarding",
    Phase.ROUTED: "route",
    Phase.READY: "Ready",
}
"""What has not been seen yet; what the cloud says of it may not even have been read."""
_FAULTY = {Phase.FORWARDING: "forwarding off", Phase.ROUTED: "no route", Phase.READY: "not ready"}
"""What was seen to keep packets away from a node that was ready."""


class UpgradePane(Pane):
    """What happened to the nodes since the console was opened."""

    TITLE = "upgrade"
    KEY = "3"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "export", "Export", id="upgrade.export", tooltip=EXPORTS),
    ]

    def compose(self) -> ComposeResult:
        """One scrollable text."""
        yield TextView(ascii_only=self.ascii_only, identity="rollout")

    def focus_content(self) -> None:
        """Give the keys to the text."""
        self.query_one(TextView).focus()

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self._redraw()

    def watch_report(self) -> None:
        """Draw the newer picture."""
        if self.is_mounted:
            self._redraw()

    def action_export(self) -> None:
        """Ask for the files."""
        self.post_message(ExportRequested())

    def _redraw(self) -> None:
        rollout = self.report.rollout if self.report else None
        text = self.query_one(TextView)
        if self.report is None or rollout is None or not rollout.listed:
            text.show([line(Span("The nodes are not listed yet.", Tone.DIM))])
            return
        now = self.report.snapshot.taken_at
        text.show(upgrade_lines(rollout, now))
        measured = progress(rollout, now)
        self.status = (
            line(Span(f"{measured.replaced} of {measured.total} replaced", Tone.DIM)) if measured.total else Line()
        )


class FixingUpgradePane(UpgradePane):
    """The pane of a console that may write."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f", "fix", "Fix", id="upgrade.fix", tooltip="Plan for the nodes that need a hand; asks before it writes"
        ),
    ]

    def action_fix(self) -> None:
        """Ask for a plan for what needs a hand now."""
        rollout = self.report.rollout if self.report else None
        if self.report is not None and rollout is not None:
            found = hands(rollout, self.report.snapshot.taken_at)
            self.post_message(FixRequested(frozenset(hand.node for hand in found if hand.dire)))


def upgrade_lines(rollout: Rollout, now: datetime) -> Iterator[Line]:
    """Return everything that is told of an upgrade."""
    yield from _summary(rollout, now)
    yield line()
    found = hands(rollout, now)
    if found:
        yield line(Span("Needs a hand, newest first", Tone.TITLE))
        yield from map(_hand, found)
        yield line()
    if not rollout.pairs:
        yield line(Span("No node has begun to leave since then.", Tone.DIM))
        return
    yield line(Span("Who replaces whom", Tone.TITLE))
    yield from _pairs(rollout.pairs, now)


def _summary(rollout: Rollout, now: datetime) -> Iterator[Line]:
    measured = progress(rollout, now)
    since = Span(f"  watched since {clock(rollout.began_at)}", Tone.DIM)
    if measured.total:
        left = "" if measured.left_s is None else f", about {_roughly(measured.left_s)} left"
        yield line(Span(f"{measured.replaced} of {measured.total} replaced{left}", Tone.STRONG), since)
    else:
        yield line(Span("No upgrade is under way", Tone.STRONG), since)
    yield _versions(measured)
    lost_s = rollout.unroutable_s(now)
    suffering = sum(story.outage is not None for story in rollout.stories.values())
    nodes = "1 node" if suffering == 1 else f"{suffering} nodes"
    current = Span(f"{nodes} now", Tone.BAD if suffering else Tone.OK)
    told = duration(lost_s) if lost_s < _TICKS_S else _roughly(lost_s)
    yield line(f"Ready nodes were unroutable for {told} in all, ", current)


def _versions(measured: Progress) -> Line:
    told = [f"{legible(version)} on {number}" for version, number in sorted(measured.versions.items())]
    return line(Span("Kubelets: " + (", ".join(told) or "unknown"), Tone.DIM))


def _roughly(seconds: float) -> str:
    """Return an estimate in minutes: it is not known better than that."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.0f} h"


def _hand(hand: Hand) -> Line:
    sign = Span("x " if hand.dire else "! ", Tone.BAD if hand.dire else Tone.FIX)
    since, node = Span(f"{clock(hand.since)}  ", Tone.DIM), Span(f"{legible(hand.node)}  ", Tone.STRONG)
    return line("  ", sign, since, node, legible(hand.text), indent=15)


def _pairs(pairs: Sequence[Pair], now: datetime) -> Iterator[Line]:
    """Return a line per pair: those under way first, as they began, so that none moves for a new one; then the rest."""
    under_way = [pair for pair in pairs if not pair.replaced]
    ordered = [*under_way, *(pair for pair in reversed(pairs) if pair.replaced)]
    shown = ordered[:_MOST_PAIRS]
    names = [legible(story.name) for pair in shown for story in (pair.old, pair.new) if story is not None]
    width = min(_WIDEST, max(_NARROWEST, *map(len, names)))
    for pair in shown:
        yield _pair(pair, now, width)
    if len(ordered) > len(shown):
        yield line(Span(f"  and {len(ordered) - len(shown)} more", Tone.DIM))


def _pair(pair: Pair, now: datetime, width: int) -> Line:
    verdict = _verdict(pair)
    old = f"{fit(legible(pair.old.name), width, Elide.MIDDLE)} "
    state = Span(f"{_PHASES.get(pair.old.phase, pair.old.phase.value):<9}", Tone.DIM)
    if pair.new is None:
        return line("  ", badge(verdict), "  ", old, state, Span("→ no replacement yet", Tone.DIM), indent=6)
    new = Span(fit(legible(pair.new.name), width, Elide.MIDDLE), Tone.STRONG)
    guess = Span(" (a guess)", Tone.UNKNOWN) if pair.guess else Span("")
    return line("  ", badge(verdict), "  ", old, state, "→ ", new, guess, "  ", _arrival(pair, pair.new, now), indent=6)


def _verdict(pair: Pair) -> Verdict:
    if pair.replaced:
        return Verdict.OK
    return Verdict.BAD if pair.new is not None and pair.new.outage is not None else Verdict.NEW


def _arrival(pair: Pair, new: Story, now: datetime) -> Span:
    """Return what the replacement waits for, what keeps packets from it, or when it was there with everything."""
    lost = _lost(new, now)
    if pair.done_at is not None:
        return Span(f"at {clock(pair.done_at)}{lost}", Tone.OK)
    if new.outage is not None:
        faults = [_FAULTY[phase] for phase in new.lacks if phase in _FAULTY]
        return Span(f"{', '.join(faults)}{lost}".removeprefix(", "), Tone.BAD)
    awaited = [_AWAITED[phase] for phase in new.lacks if phase in _AWAITED]
    # In one line at 80 columns: a second one would push all pairs below it down, and up again.
    named = awaited if len(awaited) <= _NAMED else [awaited[0], f"{len(awaited) - 1} more"]
    return Span(f"awaits {', '.join(named)}{lost}" if named else f"not gone yet{lost}", Tone.NEW)


def _lost(story: Story, now: datetime) -> str:
    """Return how long its pods were not reachable, or since when they are not: what goes on does not tick."""
    if story.outage is not None:
        return f", unroutable since {clock(story.outage.first_bad.answered_at)}"
    lost_s = story.unroutable_s(now)
    return f", unroutable for {duration(lost_s)}" if lost_s >= 1 else ""
