"""How the console ends: never silently out of an apply, and never in the middle of a change."""

from collections.abc import Callable

from tui.screen.bridge import SessionApp
from tui.screen.confirm import StopQuestion
from tui.screen.console import Console
from tui.screen.run import Run


class LeavingApp(SessionApp, inherit_bindings=False):
    """An app that asks before it leaves an apply. ``leaving`` is the exit code once it shall end; None before."""

    console_screen: Console
    ascii_only: bool
    leaving: int | None = None
    _run_view: Run | None = None

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
            self._ask(question, "stop and quit", lambda: self.leave(0))
        else:
            self.exit(0)

    def _ask(self, question: str, yes: str, act: Callable[[], None]) -> None:
        asked = StopQuestion(question, yes=yes, ascii_only=self.ascii_only)
        self.push_screen(asked, lambda answer: act() if answer else None)

    def _stop(self) -> None:
        self.session.stop_after_current()
        self.console_screen.say("Stopping after the current change.")
        if self._run_view is not None:
            self._run_view.stop()

    def leave(self, code: int) -> None:
        """End with this exit code as soon as the change under way, if any, is finished and written down."""
        self.leaving = code
        self.session.stop_after_current()
        if not self.session.applying:
            self.exit(code)
