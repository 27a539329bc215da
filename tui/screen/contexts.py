"""The way to another cluster: the list of contexts with what was last seen of each, and the switch.

The session of the other cluster is opened before this console gives way, so that one that cannot be opened changes
nothing. May import Textual, the engine and the settings.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Protocol

from textual import on, work
from textual.message import Message

from tui.engine.elsewhere import Choice, LastState
from tui.engine.session import Session
from tui.model.finding import VERDICTS_WORST_FIRST
from tui.model.snapshot import Cluster
from tui.ports import PortError
from tui.screen.armed import ArmedApp
from tui.screen.columns import Column
from tui.screen.format import SYMBOLS, TONES, Elide, Span, Tone, legible
from tui.screen.messages import SwitchRequested
from tui.screen.picker import Picker
from tui.settings import Settings, UsageError

_AT_WORK = "something has begun here meanwhile; wait for its end"


class Clusters(Protocol):
    """The clusters that could be looked at. Both may take their time, and are called in a thread."""

    def choices(self) -> Sequence[Choice]:
        """Return them. Raises ``Misconfigured``."""

    def open(self, name: str) -> tuple[Session, Settings]:
        """Return a session on the one with this name, not begun yet, and the settings as they hold there.

        Raises ``Misconfigured`` and ``UsageError``.
        """


class Offered(Message):
    """These can be chosen from, or this stood in the way of telling."""

    def __init__(self, found: Sequence[Choice] | PortError) -> None:
        super().__init__()
        self.found = found


class Opened(Message):
    """The cluster of this name can be switched to, or this stands in the way."""

    def __init__(self, name: str, found: tuple[Session, Settings] | PortError | UsageError) -> None:
        super().__init__()
        self.name = name
        self.found = found


def _access(choice: Choice) -> Span:
    if choice.read_only:
        return Span("RO", Tone.STRONG)
    return Span("protected", Tone.FIX) if choice.protected else Span("RW")


def _counts(choice: Choice) -> Span:
    """Return the nodes by verdict, worst first, in the tone of the worst."""
    if choice.last is None:
        return Span("-", Tone.DIM)
    numbers = {verdict: choice.last.counts.get(verdict, 0) for verdict in VERDICTS_WORST_FIRST}
    total = sum(numbers.values())
    words = [f"{total} node{'' if total == 1 else 's'}"]
    words += [f"{number} {verdict.value} {SYMBOLS[verdict]}" for verdict, number in numbers.items() if number]
    worst = next((TONES[verdict] for verdict, number in numbers.items() if number), Tone.PLAIN)
    return Span("  ".join(words), worst)


def _is(choice: Choice, cluster: Cluster) -> bool:
    there = choice.cluster
    return there is not None and (there.context, there.server) == (cluster.context, cluster.server)


class ClusterPicker(Picker[Choice]):
    """Type a part of a name, enter switches. Empty until the list is there, and waits for it."""

    def __init__(self, here: Cluster, *, ascii_only: bool) -> None:
        self._here = here
        columns: tuple[Column[Choice], ...] = (
            Column(
                title="CONTEXT",
                width=18,
                ideal=32,
                kept=True,
                elide=Elide.MIDDLE,
                cell=lambda choice: Span(legible(choice.name), Tone.STRONG if _is(choice, here) else Tone.PLAIN),
            ),
            Column(title="ACCESS", width=9, kept=True, cell=_access),
            Column(title="LAST SEEN", width=17, cell=self._seen),
            Column(title="NODES", width=27, ideal=48, cell=_counts),
        )
        super().__init__(
            columns,
            key=lambda choice: choice.name,
            text=lambda choice: f"{choice.name} {_access(choice).text}",
            placeholder="context",
            ascii_only=ascii_only,
        )

    def _seen(self, choice: Choice) -> Span:
        if _is(choice, self._here):
            return Span("shown now", Tone.STRONG)
        if choice.last is None:
            return Span("never", Tone.DIM)
        return Span(choice.last.at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ"))

    def choose(self) -> None:
        """Take the one under the cursor, if there is one already."""
        if self.grid.selected is not None:
            super().choose()


class SwitchingApp(ArmedApp, inherit_bindings=False):
    """An app that can give way to one on another cluster."""

    clusters: Clusters | None = None
    """What can be switched to; None where this console stays with its cluster."""
    successor: tuple[Session, Settings] | None = None
    """What is to be shown next, once the app has exited."""
    _opening = False

    @property
    def switch_obstacle(self) -> str | None:
        """What is at work here that would be left alone, or would be taken along; None when nothing is."""
        if self.session.applying:
            return "an apply is under way"
        if self._autofix is not None:
            return "automatic fixes are armed"
        if self.clusters is None:
            return "metrics, automatic fixes or a record are of this cluster"
        return "another cluster is being opened" if self._opening else None

    @on(SwitchRequested)
    def _switch_requested(self, message: SwitchRequested) -> None:
        message.stop()
        if self.clusters is not None:
            picker = ClusterPicker(self.session.cluster, ascii_only=self.ascii_only)
            self.push_screen(picker, self._chosen)
            self._list_clusters(self.clusters)

    @work(thread=True, group="contexts")
    def _list_clusters(self, clusters: Clusters) -> None:
        try:
            self.tell(Offered(clusters.choices()))
        except PortError as error:
            self.tell(Offered(error))

    @on(Offered)
    def _offered(self, message: Offered) -> None:
        picker, found = self.screen_stack[-1] if self.screen_stack else None, message.found
        if not isinstance(picker, ClusterPicker):
            return
        if isinstance(found, PortError) or not found:
            picker.leave(None)
            self.console_screen.say(f"No other cluster: {found or 'the kubeconfig names no context.'}", Tone.BAD)
            return
        now = LastState.of(self.session.newest)
        picker.offer([replace(one, last=now) if now and _is(one, self.session.cluster) else one for one in found])

    def _chosen(self, choice: Choice | None) -> None:
        if choice is None or self.clusters is None:
            return
        if _is(choice, self.session.cluster):
            self.console_screen.say(f"{choice.name} is shown already.")
        elif self.switch_obstacle:
            self._stay(choice.name, _AT_WORK)
        else:
            self._opening = True
            self.console_screen.say(f"Switching to {choice.name}.", Tone.DIM)
            self._open_cluster(self.clusters, choice.name)

    @work(thread=True, group="contexts")
    def _open_cluster(self, clusters: Clusters, name: str) -> None:
        try:
            self.tell(Opened(name, clusters.open(name)))
        except (PortError, UsageError) as error:
            self.tell(Opened(name, error))

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        self._opening = False
        if not self.screen_stack:
            return
        if not isinstance(message.found, tuple):
            self._stay(message.name, str(message.found))
        elif self.switch_obstacle:
            message.found[0].close()
            self._stay(message.name, _AT_WORK)
        else:
            self.successor = message.found
            self.exit(0)

    def _stay(self, name: str, why: str) -> None:
        self.console_screen.say(f"No switch to {name}: {why}", Tone.BAD)
