"""The console: owns what every pane is bound to, routes messages, and is the only one that talks to the session."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from tui.engine.session import Session
from tui.model.finding import Report
from tui.model.plan import Plan
from tui.ports import PortError
from tui.screen.activity import ActivityPane
from tui.screen.commands import Command, live_commands
from tui.screen.confirm import Confirm, Question
from tui.screen.diff import plan_diff, refusals
from tui.screen.format import Line, Span, Tone, legible, line
from tui.screen.frame import ConsoleScreen, Frame
from tui.screen.grid import Grid
from tui.screen.help import Help
from tui.screen.messages import Applied, Failed, FixRequested, Progressed, Proposed, Reported
from tui.screen.nodes import FixingNodesPane, NodesPane
from tui.screen.palette import Palette
from tui.screen.pane import Pane
from tui.screen.run import Run, verdict
from tui.screen.themes import THEMES, choose_theme, needs_ascii
from tui.settings import Settings

PANES: tuple[type[Pane], ...] = (NodesPane, ActivityPane)
"""Every pane, in the order of their keys."""

_AGE_CHECK_S = 10.0


def _pane_key(pane: type[Pane]) -> Binding:
    name = pane.TITLE
    return Binding(
        pane.KEY, f"pane('{name}')", name.capitalize(), show=False, id=f"app.{name}", tooltip=f"The {name} pane"
    )


class L2BridgeApp(App[int], inherit_bindings=False):
    """The console on one session; exits with the program's exit code."""

    TITLE = "l2bridge-tui"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *map(_pane_key, PANES),
        Binding("ctrl+r", "observe", "Refresh", show=False, id="app.observe", tooltip="Read everything again now"),
        Binding("colon,ctrl+p", "palette", "Commands", show=False, id="app.palette", tooltip="Every command by name"),
        Binding("ctrl+c", "interrupt", "Stop", show=False, id="app.interrupt", tooltip="Stop an apply, else quit"),
        Binding("question_mark", "help", "Help", id="app.help", tooltip="The keys that work here"),
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Leave; asks while an apply runs"),
    ]

    report: reactive[Report | None] = reactive(None, repaint=False)

    def __init__(self, session: Session, settings: Settings) -> None:
        theme = choose_theme(settings.theme, os.environ)
        super().__init__(ansi_color=theme.ansi)
        for each in THEMES.values():
            self.register_theme(each)
        self.theme = theme.name
        self.animation_level = "none"
        self.session = session
        self.ascii_only = needs_ascii(settings.ascii, getattr(sys.__stderr__, "encoding", None))
        self.set_class(self.ascii_only, "-ascii")
        self.set_class(theme.ansi, "-native")
        self._frame = Frame(session.cluster, read_only=session.read_only, ascii_only=self.ascii_only)
        self._run_view: Run | None = None
        self._leaving: int | None = None

    def get_default_screen(self) -> Screen[None]:
        """Return the screen under the dialogs."""
        return ConsoleScreen(id="console")

    def compose(self) -> ComposeResult:
        """Bars around the panes."""
        yield from self._frame.above()
        with ContentSwitcher(initial=PANES[0].TITLE, id="panes"):
            for pane in PANES:
                made = FixingNodesPane if pane is NodesPane and not self.session.read_only else pane
                yield made(ascii_only=self.ascii_only).data_bind(L2BridgeApp.report)
        yield from self._frame.below()

    def on_mount(self) -> None:
        """Draw first, then begin to observe."""
        for pane in self.query(Pane):
            self.watch(pane, "status", self._draw_status, init=False)
        self.screen.bindings_updated_signal.subscribe(self, self._draw_keys)
        self.query_one(NodesPane).grid.focus()
        self._draw()
        self.set_interval(_AGE_CHECK_S, self._frame.draw_title)
        self._catch_signals()
        self.call_after_refresh(self._follow_session)

    async def on_unmount(self) -> None:
        """Let an apply under way finish its current change, and end the bridge's iterator with the session."""
        await asyncio.to_thread(self.session.close)

    # The session's words.

    @work(thread=True, group="bridge")
    def _follow_session(self) -> None:
        self.session.start()
        for report in self.session.reports():
            self._tell(Reported(report))

    def _tell(self, message: Message) -> None:
        """Post from any thread. After the end there is nobody to tell, and that is fine."""
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            self.post_message(message)

    @on(Reported)
    def _reported(self, message: Reported) -> None:
        self.report = message.report
        self._frame.observed(message.report)
        self._draw()

    # What surrounds the panes.

    @property
    def panes(self) -> ContentSwitcher:
        """The place of the panes, whatever dialog stands above it."""
        return self.screen_stack[0].query_one("#panes", ContentSwitcher)

    @property
    def pane(self) -> Pane:
        """The pane that is shown."""
        return self.panes.query_one(f"#{self.panes.current}", Pane)

    def _draw(self) -> None:
        self._frame.draw_title()
        self._draw_status()
        self._draw_keys()

    @property
    def _ending(self) -> bool:
        """Whether the screens are gone already: late messages and watchers have nothing to draw on."""
        return not self.screen_stack

    def _draw_status(self) -> None:
        if self._ending:
            return
        self._frame.draw_counters(self.pane.status)
        self._frame.draw_message(self.pane.hint())

    def _draw_keys(self, screen: Screen[object] | None = None) -> None:
        del screen
        if self._ending:
            return
        self._frame.draw_keys(live_commands(self.screen_stack[0]))

    def on_resize(self) -> None:
        """Fit the bars that depend on the width."""
        self.call_after_refresh(self._draw)

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show a sentence on the message line, until the cursor moves on."""
        if self._ending:
            return
        self._frame.say(line(Span(legible(text), tone)) if text else Line())
        self._frame.draw_message(self.pane.hint())

    @on(Grid.Moved)
    def _moved(self) -> None:
        self.say("")

    # Plan, question, deed.

    @on(FixRequested)
    def _fix_requested(self, message: FixRequested) -> None:
        self.say("Planning: nothing is written before you confirm.", Tone.DIM)
        self._propose(message.nodes)

    @work(thread=True, group="plan", exclusive=True)
    def _propose(self, nodes: frozenset[str] | None) -> None:
        try:
            plan = self.session.propose(nodes)
        except PortError as error:
            self._tell(Failed(f"No plan: {error}"))
        else:
            self._tell(Proposed(plan, nodes))

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        self.say(message.text, Tone.BAD)

    @on(Proposed)
    def _proposed(self, message: Proposed) -> None:
        plan = message.plan
        if not plan.changes:
            self.say(refusals(plan, message.nodes), Tone.FIX if plan.refused else Tone.OK)
        elif len(self.screen_stack) == 1:
            self.say("")
            self.push_screen(
                Confirm(plan, plan_diff(plan), ascii_only=self.ascii_only),
                lambda yes: self._apply(plan) if yes else self.say("Cancelled: nothing was changed."),
            )

    def _apply(self, plan: Plan) -> None:
        if self.session.applying:
            self.say("An apply is under way: wait for its end, then ask again.", Tone.BAD)
            return
        self._run_view = Run(plan, ascii_only=self.ascii_only)
        self.push_screen(self._run_view)
        self.session.start_apply(
            plan, lambda step: self._tell(Progressed(step)), lambda ended: self._tell(Applied(plan, ended))
        )
        self._draw_keys()

    @on(Progressed)
    def _progressed(self, message: Progressed) -> None:
        if self._run_view is not None:
            self._run_view.advance(message.progress)
            self.say(f"Applying: {self._run_view.progress()}.", Tone.NEW)

    @on(Applied)
    def _applied(self, message: Applied) -> None:
        if self._leaving is not None:
            self.exit(self._leaving)
            return
        if self._ending:
            return
        self.say("".join(span.text for span in verdict(message.ended)))
        self._draw_keys()
        view, self._run_view = self._run_view, None
        if view is not None:
            view.finish(message.ended)
            if view not in self.screen_stack:
                self.push_screen(Run.of(view))

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tell what is available now: the one place that says so. None shows the key as unavailable."""
        del parameters
        if action in {"fix", "fix_all"}:
            return None if self.report is None or self.session.applying else True
        return True

    def action_pane(self, name: str) -> None:
        """Show a pane."""
        self.panes.current = name
        self.pane.focus_content()
        self.say("")
        self._draw()

    def action_observe(self) -> None:
        """Observe again."""
        self.session.refresh()
        self.say("Reading everything again.", Tone.DIM)

    def action_palette(self) -> None:
        """Choose a command by name."""
        self.push_screen(Palette(live_commands(self.screen), ascii_only=self.ascii_only), self._run_command)

    async def _run_command(self, command: Command | None) -> None:
        if command is not None:
            await self.run_action(command.action, default_namespace=command.node)

    def action_help(self) -> None:
        """Explain the keys that work now."""
        self.push_screen(Help(live_commands(self.screen), ascii_only=self.ascii_only))

    def action_interrupt(self) -> None:
        """Stop the apply after its current change, or quit."""
        if self.session.applying:
            self._ask("Stop after this change?", "stop", self._stop)
        else:
            self.exit(0)

    async def action_quit(self) -> None:
        """Quit, but never silently out of an apply."""
        if self.session.applying:
            question = "An apply is under way. Stop after this change and quit?"
            self._ask(question, "stop and quit", lambda: self._leave(0))
        else:
            self.exit(0)

    def _ask(self, question: str, yes: str, act: Callable[[], None]) -> None:
        told = [line("The change under way is finished, proven and written down; no further one begins.")]
        asked = Question(line(Span(question, Tone.STRONG)), told, yes=yes, ascii_only=self.ascii_only)
        self.push_screen(asked, lambda answer: act() if answer else None)

    def _stop(self) -> None:
        self.session.stop_after_current()
        self.say("Stopping after the current change.")

    # The end.

    def _catch_signals(self) -> None:
        """Hang-up and termination end the console in order: the change under way is finished and written down."""
        if threading.current_thread() is threading.main_thread() and not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self._leave, 128 + number)

    def _leave(self, code: int) -> None:
        self._leaving = code
        self.session.stop_after_current()
        if not self.session.applying:
            self.exit(code)


def run_console(settings: Settings) -> int:
    """Open the session, run the console on it, and return the exit code. Raises ``Misconfigured`` before drawing."""
    from tui.wiring import open_session  # noqa: PLC0415 - a console on a given session needs no adapter

    return asyncio.run(_run(open_session(settings), settings))


async def _run(session: Session, settings: Settings) -> int:
    app = L2BridgeApp(session, settings)
    try:
        code = await app.run_async(mouse="SSH_CONNECTION" not in os.environ)
    finally:
        # Also when the app fell over: the bridge's thread would otherwise hold up the end of the event loop.
        await asyncio.to_thread(session.close)
    return code if code is not None else app.return_code or 0
