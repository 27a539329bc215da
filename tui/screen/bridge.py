"""Where the session's blocking calls meet the event loop: each in a thread of its own, answered by a message."""

import contextlib
from collections.abc import Callable

from textual import work
from textual.app import App
from textual.message import Message

from tui.engine.session import Session
from tui.model.plan import Plan
from tui.ports import PortError
from tui.screen.messages import Failed, LookedBack, Proposed, Reported


class SessionApp(App[int], inherit_bindings=False):
    """An app on one session, which it asks in threads."""

    session: Session

    @work(thread=True, group="bridge")
    def follow_session(self) -> None:
        """Begin to observe, and post every report."""
        self.session.start()
        for report in self.session.reports():
            self.tell(Reported(report))

    @work(thread=True, group="past")
    def look_back(self) -> None:
        """Post what became of an apply that was cut off, if there was one."""
        try:
            found = self.session.look_back(record=not self.session.read_only)
        except PortError as error:
            self.tell(Failed(str(error)))
        else:
            if found is not None:
                self.tell(LookedBack(found))

    @work(thread=True, group="plan", exclusive=True)
    def propose(self, plan: Callable[[], Plan], empty: str) -> None:
        """Post a plan; ``empty`` is what to say when there is nothing in it."""
        try:
            self.tell(Proposed(plan(), empty))
        except PortError as error:
            self.tell(Failed(f"No plan: {error}"))

    def tell(self, message: Message) -> None:
        """Post from any thread."""
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody is left to tell
            self.post_message(message)
