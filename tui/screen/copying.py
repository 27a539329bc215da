"""The keys that copy: what goes where is said, and the last text can be looked at and selected."""

import os
from collections.abc import Callable
from contextlib import suppress

from textual import on, work

from tui.model.plan import Plan
from tui.ports import PortError
from tui.render_script import commands, counted
from tui.screen.clipboard import Clipboard
from tui.screen.dialog import Notice
from tui.screen.exports import ExportingApp, homely
from tui.screen.format import Span, Tone, legible, line
from tui.screen.messages import CommandsRequested, Copied, CopyRequested, Failed


class CopyingApp(ExportingApp, inherit_bindings=False):
    """An app that copies, in a thread: tmux and the desktop may be slow."""

    ascii_only: bool

    @on(CopyRequested)
    def _copy_requested(self, message: CopyRequested) -> None:
        message.stop()
        self._copy(message.text, message.what)

    @on(CommandsRequested)
    def _commands_requested(self, message: CommandsRequested) -> None:
        message.stop()
        self._copy_commands(lambda: self.session.propose(message.nodes))

    @work(thread=True, group="copy")
    def _copy_commands(self, propose: Callable[[], Plan]) -> None:
        """Copy the commands of a plan."""
        try:
            found = commands(propose())
        except PortError as error:
            self.tell(Failed(f"No plan, so no command: {error}"))
            return
        if found:
            self.tell(CopyRequested("".join(f"{command}\n" for command in found), counted(len(found))))
        else:
            self.tell(Failed("Nothing to copy: a plan for this has no command."))

    @work(thread=True, group="copy")
    def _copy(self, text: str, what: str) -> None:
        with suppress(RuntimeError):  # the console has ended meanwhile
            way = self._copier.copy(text, lambda told: self.call_from_thread(self.copy_to_clipboard, told))
            self.tell(Copied(what, way))

    @property
    def _copier(self) -> Clipboard:
        return Clipboard(file=self.state_dir / "copied", environ=os.environ)

    @on(Copied)
    def _copied(self, message: Copied) -> None:
        self.answer(f"{message.way} (:copied): {message.what}", Tone.OK)

    def action_copied(self) -> None:
        """Show what was copied last."""
        copier = self._copier
        text = copier.last()
        if text is None:
            self.console_screen.say("Nothing was copied yet.")
            return
        title = line(Span("Copied last", Tone.TITLE), f"  {legible(homely(copier.file))}")
        self.push_screen(Notice(title, [line(legible(row)) for row in text.splitlines()], ascii_only=self.ascii_only))
