"""The key that writes what somebody takes away, and says where it stands."""

from pathlib import Path

from textual import on, work

from tui.exporting import export_handover
from tui.ports import PortError
from tui.screen.bridge import SessionApp
from tui.screen.console import Console
from tui.screen.format import Tone
from tui.screen.messages import Exported, ExportRequested, Failed


class ExportingApp(SessionApp, inherit_bindings=False):
    """An app that writes files into the folder ``exports``, in a thread: a disk may be slow."""

    exports: Path
    console_screen: Console

    @on(ExportRequested)
    def _export_requested(self, message: ExportRequested) -> None:
        message.stop()
        self.export()

    @work(thread=True, group="export", exclusive=True)
    def export(self) -> None:
        """Write what was watched, and post where it stands."""
        report = self.session.newest
        if report is None:
            self.tell(Failed("Nothing was observed yet."))
            return
        try:
            self.tell(Exported(export_handover(report, self.exports)))
        except PortError as error:
            self.tell(Failed(str(error)))

    @on(Exported)
    def _exported(self, message: Exported) -> None:
        if self.screen_stack:
            self.console_screen.say(f"Written, with its picture: {message.path}", Tone.OK)
