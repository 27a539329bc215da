"""The key that writes what somebody takes away, and says where it stands."""

from collections.abc import Callable
from pathlib import Path

from textual import on, work

from tui.exporting import export_handover, export_list, export_script
from tui.model.finding import Report
from tui.ports import PortError
from tui.screen.bridge import SessionApp
from tui.screen.console import Console
from tui.screen.dialog import Dialog
from tui.screen.format import Tone
from tui.screen.messages import Exported, ExportRequested, Failed, ListRequested, ScriptRequested


class ExportingApp(SessionApp, inherit_bindings=False):
    """An app that writes files into the folder ``exports``, in a thread: a disk may be slow."""

    state_dir: Path
    console_screen: Console

    @property
    def _exports(self) -> Path:
        return self.state_dir / "exports"

    @on(ExportRequested)
    def _export_requested(self, message: ExportRequested) -> None:
        message.stop()
        self._export(lambda report: export_handover(report, self._exports))

    @on(ListRequested)
    def _list_requested(self, message: ListRequested) -> None:
        message.stop()
        what, form, write = message.what, message.form, message.write
        self._export(lambda report: export_list(write(), what, form, report, self._exports))

    @on(ScriptRequested)
    def _script_requested(self, message: ScriptRequested) -> None:
        message.stop()
        self._export(lambda _: export_script(message.plan, self._exports))

    @work(thread=True, group="export", exclusive=True)
    def _export(self, write: Callable[[Report], Path]) -> None:
        """Write it, and post where it stands."""
        report = self.session.newest
        if report is None:
            self.tell(Failed("Nothing was observed yet."))
            return
        try:
            self.tell(Exported(write(report)))
        except PortError as error:
            self.tell(Failed(str(error)))

    @on(Exported)
    def _exported(self, message: Exported) -> None:
        self.answer(f"Written: {message.path.name} in {homely(message.path.parent)}", Tone.OK)

    def answer(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Say how it went, where the eyes are: in a dialog, else on the message line."""
        if self.screen_stack:
            screen = self.screen
            (screen if isinstance(screen, Dialog) else self.console_screen).say(text, tone)


def homely(path: Path) -> str:
    """Return a path as people write it."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
