"""The console: owns what every pane is bound to, routes messages, and is the only one that talks to the session."""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.engine.session import Session
from tui.model.finding import Report
from tui.model.plan import ApplyResult, Plan
from tui.render_text import NOTHING_TO_UNDO
from tui.screen.columns import chosen_columns
from tui.screen.commands import live_commands
from tui.screen.confirm import Confirm
from tui.screen.console import Console, FixingConsole
from tui.screen.contexts import SwitchingApp
from tui.screen.copying import CopyingApp
from tui.screen.cutoff import CutOff, FixingCutOff, Way
from tui.screen.dialog import Notice
from tui.screen.diff import nothing_planned, nothing_to_fix, plan_diff, refusal_lines
from tui.screen.format import Span, Tone, line
from tui.screen.help import Help
from tui.screen.leaving import LeavingApp
from tui.screen.listpane import ListPane
from tui.screen.login import LoginApp
from tui.screen.messages import Applied, Failed, FixRequested, LookedBack, Progressed, Proposed, Reported, UndoRequested
from tui.screen.mouse import MOUSE, MouseApp
from tui.screen.nodes import NodesPane
from tui.screen.panes import PANES, panes_of
from tui.screen.routes import RoutesPane
from tui.screen.run import Run, verdict
from tui.screen.themes import THEMES, choose_theme, encodings, needs_ascii
from tui.settings import Settings


class L2BridgeApp(SwitchingApp, CopyingApp, LeavingApp, LoginApp, MouseApp, inherit_bindings=False):
    """The console on one session, which begins with the pane of this title; exits with the program's exit code."""

    TITLE = "l2bridge-tui"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(pane.key_binding() for pane in PANES),
        Binding("ctrl+r", "observe", "Refresh", show=False, id="app.observe", tooltip="Read everything again now"),
        MOUSE,
        Binding("ctrl+c", "interrupt", "Stop", show=False, id="app.interrupt", tooltip="Stop an apply, else quit"),
        Binding("question_mark", "help", "Help", id="app.help", tooltip="The keys that work here"),
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Leave; asks while an apply runs"),
    ]

    def __init__(self, session: Session, settings: Settings, pane: str | None = None) -> None:
        theme = choose_theme(settings.theme, os.environ)
        super().__init__(ansi_color=theme.ansi)
        for each in THEMES.values():
            self.register_theme(each)
        self.theme = theme.name
        self.animation_level = "none"
        self.session = session
        self.state_dir = settings.state_dir
        self.ascii_only = needs_ascii(settings.ascii, *encodings(os.environ))
        self.set_class(self.ascii_only, "-ascii")
        self.set_class(theme.ansi, "-native")
        self.set_class(theme.variables["cursor"] == theme.background, "-reversing")
        self._run_view: Run | None = None
        self._panes = panes_of(session)
        self._select = settings.select
        self._columns = {NodesPane.TITLE: settings.node_columns, RoutesPane.TITLE: settings.route_columns}
        self._first = pane or self._panes[0].TITLE

    def get_default_screen(self) -> Console:
        """Make the screen under the dialogs; Textual asks once, when the app runs."""
        session, ascii_only = self.session, self.ascii_only
        panes = [pane(ascii_only=ascii_only) for pane in self._panes]
        for pane in panes:
            if isinstance(pane, ListPane):
                pane.grid.columns = chosen_columns(pane.grid.columns, self._columns[pane.TITLE])
            if isinstance(pane, NodesPane):
                pane.wanted = self._select
        # Read-only is the absence of what writes, keys and commands included.
        kind = Console if session.read_only else FixingConsole
        self.console_screen = kind(
            panes,
            first=self._first,
            cluster=session.cluster,
            read_only=session.read_only,
            login=self.may_log_in,
            ascii_only=ascii_only,
        )
        return self.console_screen

    @property
    def report(self) -> Report | None:
        """The newest report; None before the first."""
        return self.console_screen.report

    def on_mount(self) -> None:
        """Draw first, then begin to observe."""
        self.delay_update()
        self.call_after_refresh(self.follow_session)
        self.call_after_refresh(self.look_back)

    async def on_unmount(self) -> None:
        """Let an apply under way finish its current change, and end the bridge's iterator with the session."""
        await asyncio.to_thread(self.session.close)

    @on(Reported)
    def _reported(self, message: Reported) -> None:
        self.console_screen.report = message.report
        self.heed(message.report)

    @property
    def _ending(self) -> bool:
        return not self.screen_stack  # late messages have nothing to draw on

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show a sentence on the message line."""
        if not self._ending:
            self.console_screen.say(text, tone)

    # Plan, question, deed.

    @on(FixRequested)
    def _fix_requested(self, wanted: FixRequested) -> None:
        propose = partial(self.session.propose, wanted.nodes, prune=wanted.prune, delete_first=wanted.delete_first)
        self._plan(propose, nothing_to_fix(wanted.nodes))

    @on(UndoRequested)
    def _undo_requested(self, wanted: UndoRequested) -> None:
        self._plan(partial(self.session.propose_undo, wanted.apply_id), NOTHING_TO_UNDO)

    @on(LookedBack)
    def _looked_back(self, message: LookedBack) -> None:
        found = message.aftermath
        ways = {Way.RESUME: FixRequested(None), Way.UNDO: UndoRequested(found.apply.id), None: None}
        kind = CutOff if self.session.read_only else FixingCutOff
        self.push_screen(kind(found, ascii_only=self.ascii_only), lambda way: self._go(ways[way]))

    def _go(self, wanted: Message | None) -> None:
        if wanted is not None:
            self.post_message(wanted)

    def _plan(self, propose: Callable[[], Plan], empty: str) -> None:
        self.say("Planning: nothing is written before you confirm.", Tone.DIM)
        self.propose(propose, empty)

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        self.say(message.text, Tone.BAD)

    @on(Proposed)
    def _proposed(self, message: Proposed) -> None:
        plan = message.plan
        if not plan.changes and not plan.refused:
            self.say(message.empty, Tone.OK)
        elif len(self.screen_stack) > 1:
            return
        elif not plan.changes:
            title = line(Span(nothing_planned(plan), Tone.TITLE))
            self.push_screen(Notice(title, refusal_lines(plan), ascii_only=self.ascii_only))
        else:
            self.say("")
            self.push_screen(
                Confirm(plan, plan_diff(plan), protected=self.session.protected, ascii_only=self.ascii_only),
                lambda yes: self._apply(plan) if yes else self.say("Cancelled: nothing was changed."),
            )

    def _apply(self, plan: Plan) -> None:
        if self.session.applying:
            self.say("An apply is under way: wait for its end, then ask again.", Tone.BAD)
            return
        self._run_view = Run(plan, ascii_only=self.ascii_only)
        self.push_screen(self._run_view)
        self.session.start_apply(
            plan, lambda step: self.tell(Progressed(step)), lambda ended: self.tell(Applied(plan, ended))
        )
        self.console_screen.draw_keys()

    @on(Progressed)
    def _progressed(self, message: Progressed) -> None:
        if self._run_view is not None:
            self._run_view.advance(message.step)
            self.say(f"Applying: {self._run_view.progress()}.", Tone.NEW)

    @on(Applied)
    def _applied(self, message: Applied) -> None:
        if self.leaving is not None:
            self.exit(self.leaving)
            return
        if self._ending:
            return
        if isinstance(message.ended, ApplyResult):
            self.session.start_witness(message.plan, message.ended)
        self.say("".join(span.text for span in verdict(message.ended)))
        self.console_screen.draw_keys()
        view, self._run_view = self._run_view, None
        if view is not None:
            view.finish(message.ended)
            if view not in self.screen_stack:
                self.push_screen(Run.of(view))

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tell what is available now: the one place that says so. None shows the key as unavailable."""
        if action == "pane":
            return parameters[0] in {pane.TITLE for pane in self._panes}
        return None if self.obstacle(action) else True

    def obstacle(self, action: str) -> str | None:
        """Tell why something that there is can not be done now; None when it can."""
        if action == "switch":
            return self.switch_obstacle
        if action not in {"fix", "fix_all", "undo", "prune", "delete_first"}:
            return None
        return "an apply is under way" if self.session.applying else None if self.report else "nothing was read yet"

    def action_pane(self, name: str) -> None:
        """Show a pane."""
        self.console_screen.show_pane(name)

    def action_observe(self) -> None:
        """Observe again."""
        self.session.refresh()
        self.say("Reading everything again.", Tone.DIM)

    def action_help(self) -> None:
        """Explain the keys that work now."""
        self.push_screen(Help(live_commands(self.screen), read_only=self.session.read_only, ascii_only=self.ascii_only))
