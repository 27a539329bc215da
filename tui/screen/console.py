"""The one screen under the dialogs: the panes, the bars around them, and what is called by name.

What the other keys do is the app's business.
"""

from collections.abc import Iterable, Iterator
from time import monotonic
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Input

from tui.model.finding import Report
from tui.model.snapshot import Cluster
from tui.screen.cluster import ClusterFindings
from tui.screen.commands import Command, Named, key_line, live_commands
from tui.screen.format import Line, Span, Tone, counters, legible, line
from tui.screen.grid import Grid
from tui.screen.header import Freshness, title
from tui.screen.messages import ArmRequested, FixRequested, SwitchRequested, UndoRequested
from tui.screen.palette import Palette
from tui.screen.pane import Pane
from tui.screen.textview import Bar

_AGE_CHECK_S = 10.0


class Console(Screen[None], inherit_bindings=False):
    """Title, counters, a pane, message line, key line; one summary line where the terminal is too small for more.

    The screen's classes follow the terminal's size; ``app.tcss`` does the rest.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "colon,ctrl+p",
            "palette",
            "Commands",
            show=False,
            id="console.palette",
            tooltip="Every command by name",
            priority=True,  # so that a name typed in one burst after it is a name already
        ),
    ]
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [  # type: ignore[misc]  # Textual's own way
        (0, "-narrow"),
        (40, "-stacked"),
        (85, "-wide"),
    ]
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [  # type: ignore[misc]
        (0, "-short"),
        (10, "-low"),
        (34, "-tall"),
    ]

    report: reactive[Report | None] = reactive(None, repaint=False)
    armed: reactive[Line] = reactive(Line, repaint=False)
    """What is told of an armed window; empty without one."""

    def __init__(
        self, panes: Iterable[Pane], *, first: str, cluster: Cluster, read_only: bool, login: bool, ascii_only: bool
    ) -> None:
        super().__init__(id="console")
        self._panes = tuple(panes)
        self._cluster = cluster
        self._read_only = read_only
        self._login = login
        self._ascii_only = ascii_only
        self._freshness = Freshness(monotonic)
        self._said = Line()
        self._summary, self._title, self._counters, self._message, self._keys = (
            Bar(ascii_only=ascii_only, identity=identity)
            for identity in ("summary", "title", "counters", "message", "keys")
        )
        self._switcher = ContentSwitcher(initial=first, id="panes")

    def compose(self) -> ComposeResult:
        """Bars around the panes."""
        yield from (self._summary, self._title, self._counters)
        with self._switcher:
            for pane in self._panes:
                yield pane.data_bind(Console.report)
        yield from (self._message, self._keys)

    def on_mount(self) -> None:
        """Keep the bars in step with what they speak of."""
        for pane in self._panes:
            self.watch(pane, "status", self._draw_status, init=False)
        self.bindings_updated_signal.subscribe(self, lambda _: self.draw_keys())
        self.set_interval(_AGE_CHECK_S, self._draw_title)
        self.pane.focus_content()
        self.draw()

    def on_resize(self) -> None:
        """Fit the bars that depend on the width."""
        self.call_after_refresh(self.draw)

    def watch_report(self, report: Report | None) -> None:
        """Draw around a newer report."""
        if report is not None:
            self._freshness.observed(report.snapshot)
            self.call_next(self.draw)  # the panes get the report after this, and the bars speak of what they show

    def watch_armed(self) -> None:
        """Count down."""
        if self.is_mounted:
            self._draw_status()

    @property
    def pane(self) -> Pane:
        """The pane that is shown."""
        return next(pane for pane in self._panes if pane.id == self._switcher.current)

    def show_pane(self, name: str) -> None:
        """Show the pane with this title."""
        self._switcher.current = name
        self.pane.focus_content()
        self.say("")
        self.draw()

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show a sentence on the message line, until the cursor moves on."""
        self._said = line(Span(legible(text), tone)) if text else Line()
        self._draw_message()

    @on(Grid.Moved)
    def _moved(self) -> None:
        self.say("")

    # What is called by name.

    def named(self) -> Iterator[Named]:
        """Return what has no key."""
        about = "What was found beside the nodes, such as stray routes"
        yield Named(name="cluster", explanation=about, action="cluster")
        yield Named(name="copied", explanation="What was copied last, to be selected", action="app.copied")
        if self._login:
            yield Named(name="login", explanation="Log in to the cluster on the terminal", action="app.login")
        yield Named(name="ctx", explanation="Switch to another cluster", action="switch")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let a colon be text while something is typed, and leave the rest to the one place that says so."""
        if action == "palette":
            return not isinstance(self.focused, Input)
        return self.app.check_action(action, parameters)

    async def action_palette(self) -> None:
        """Choose a command by name."""
        palette = Palette(live_commands(self), ascii_only=self._ascii_only)
        await self.app.push_screen(palette, self._run_command)
        palette.focus_input()

    async def _run_command(self, command: Command | None) -> None:
        if command is not None:
            await self.app.run_action(command.action, default_namespace=command.node)

    def action_cluster(self) -> None:
        """Show what was found about no node."""
        findings = self.report.findings if self.report else ()
        self.app.push_screen(ClusterFindings(findings, writable=not self._read_only, ascii_only=self._ascii_only))

    def action_switch(self) -> None:
        """Ask for another cluster."""
        self.post_message(SwitchRequested())

    # What is drawn.

    def draw(self) -> None:
        """Draw every bar."""
        self._draw_title()
        self._draw_status()
        self.draw_keys()

    def draw_keys(self) -> None:
        """Draw the keys that work now."""
        if self.is_running:
            self._keys.show(key_line(live_commands(self), self._keys.size.width))

    def _draw_title(self) -> None:
        age = self._freshness.age()
        self._title.show(*title(self._cluster, self.report, age, self._read_only, self._title.size.width))

    def _draw_status(self) -> None:
        tally = counters(self.report)
        self._counters.show(tally, line(*self.armed.spans, *self.pane.status.spans))
        self._summary.show(tally)
        self._draw_message()

    def _draw_message(self) -> None:
        self._message.show(self._said if self._said.spans else self.pane.hint())


class FixingConsole(Console):
    """The screen of a console that may write. In read-only mode it does not exist, and neither do its commands."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "u",
            "undo",
            "Undo",
            show=False,
            id="console.undo",
            tooltip="Plan that takes the last apply back; asks first",
        ),
        Binding(
            "A",
            "arm",
            "Arm",
            show=False,
            id="console.arm",
            tooltip="Fix new nodes unasked, within limits; asks first; again: disarm",
        ),
    ]

    def named(self) -> Iterator[Named]:
        """Return what has no key: plans that are wanted rarely, and never by a slip of the finger."""
        yield from super().named()
        prune = "Plan that also deletes stray routes; asks before it writes"
        yield Named(name="prune", explanation=prune, action="prune")
        first = "Plan for all; with a full quota old routes go first: a gap"
        yield Named(name="delete-first", explanation=first, action="delete_first")

    def action_undo(self) -> None:
        """Ask for a plan that takes the newest apply back."""
        self.post_message(UndoRequested())

    def action_arm(self) -> None:
        """Ask for a window in which new nodes are fixed unasked, or end it."""
        self.post_message(ArmRequested())

    def action_prune(self) -> None:
        """Ask for a plan that deletes stray routes too."""
        self.post_message(FixRequested(None, prune=True))

    def action_delete_first(self) -> None:
        """Ask for a plan that may leave a pod CIDR without a route for a while."""
        self.post_message(FixRequested(None, delete_first=True))
