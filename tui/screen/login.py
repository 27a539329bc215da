"""Logging in while the console is open: it gives the terminal away for as long as that takes, and goes on."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from textual.app import SuspendNotSupported

from tui.engine.login import Login
from tui.model.finding import Report
from tui.model.snapshot import SourceState
from tui.model.text import printable
from tui.ports import PortError
from tui.screen.bridge import SessionApp
from tui.screen.console import Console
from tui.screen.format import Tone


class LoginApp(SessionApp, inherit_bindings=False):
    """An app that tells when the login has expired, and lets somebody log in again."""

    console_screen: Console
    _told = False
    """Whether it was said that the cluster does not let this program in."""

    @property
    def may_log_in(self) -> bool:
        """Tell whether there is anything that could ask."""
        login = self.session.login
        return login is not None and login.possible

    def heed(self, report: Report) -> None:
        """Say once that the login is over, each time it is."""
        source = report.snapshot.nodes_source
        denied = source.state is SourceState.DENIED
        if denied and not self._told and self.may_log_in:
            self.console_screen.say(f":login asks you for credentials again. {source.message}", Tone.BAD)
        self._told = denied

    def action_login(self) -> None:
        """Give the terminal to whatever asks, until it has its answer or somebody ends it."""
        login = self.session.login
        if login is None:
            return
        try:
            with self.suspend(), _unhurt():
                # An error that left the block would leave the terminal as it is there.
                trouble = _attempted(login, self.session.cluster.context)
        except SuspendNotSupported:
            trouble = "this terminal cannot be given away: log in from another one"
        if trouble is None:
            self.console_screen.say("Logged in: reading everything again.", Tone.OK)
            self.session.refresh()
        else:
            self.console_screen.say(f"Not logged in: {trouble}", Tone.BAD)


def _attempted(login: Login, context: str) -> str | None:
    """Let it ask; return what stood in the way, None when nothing did."""
    print(f"Logging in to {printable(context)}; ctrl+c ends it.", file=sys.stderr)  # noqa: T201 - nothing is drawn now
    try:
        login.log_in()
    except PortError as error:
        return str(error)
    return None


@contextmanager
def _unhurt() -> Iterator[None]:
    """Let ctrl+c end what asks, and not this program; an ignored signal would be ignored by both."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
