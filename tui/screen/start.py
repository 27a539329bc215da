"""The console as a process: its event loop, the signals that end it, its exit code, and one console after another."""

import asyncio
import os
import shutil
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

from tui.engine.elsewhere import keep_state
from tui.engine.session import Session
from tui.model.arming import Wish
from tui.screen.app import L2BridgeApp
from tui.screen.contexts import Clusters
from tui.settings import Settings

_GRACE_S = 2.0
"""How long the terminal may take to be restored, once a signal came and the session is closed."""


def run_console(
    session: Session,
    settings: Settings,
    pane: str | None = None,
    wish: Wish | None = None,
    clusters: Clusters | None = None,
) -> int:
    """Run the console on a session that has not begun yet, close the session, and return the exit code.

    It begins with the pane of this title, or with the first one, and asks whether the ``wish`` is to be armed. With
    ``clusters`` it can switch to another one, whose console follows in this one's place.
    """
    if 0 in shutil.get_terminal_size(fallback=(0, 0)):
        # A serial line knows no size, and Textual lays out anew for ever in one without.
        os.environ |= {"COLUMNS": "80", "LINES": "24"}
    return asyncio.run(_run(session, settings, pane, wish, clusters))


@dataclass(slots=True)
class _Stage:
    """Who is on the terminal, for the signals; and the exit code that one has asked for."""

    session: Session
    app: L2BridgeApp | None = None
    code: int | None = None


async def _run(
    session: Session, settings: Settings, pane: str | None, wish: Wish | None, clusters: Clusters | None
) -> int:
    stage, ended = _Stage(session), threading.Event()
    code: int | None = None
    _end_on_signals(stage, ended)
    following: tuple[Session, Settings] | None = (session, settings)
    try:
        while following is not None:
            stage.session, settings = following
            app = stage.app = L2BridgeApp(stage.session, settings, pane)
            app.wish, app.clusters = wish, clusters
            code = None
            try:
                if stage.code is None:  # else a signal came between two consoles
                    app.mouse = "SSH_CONNECTION" not in os.environ
                    code = await app.run_async(mouse=app.mouse)
            finally:
                # Also when the app fell over: the bridge's thread would otherwise hold up the end of the event loop.
                await asyncio.to_thread(_close, stage.session, settings.state_dir)
            code = code if code is not None else app.return_code or 0
            following = app.successor
    finally:
        ended.set()
    return stage.code or code or 0


def _close(session: Session, state_dir: Path) -> None:
    """Let an apply finish its current change, and keep what was last seen of the cluster."""
    session.close()
    keep_state(state_dir, session.newest)


def _end_on_signals(stage: _Stage, ended: threading.Event) -> None:
    """End the console on hang-up and termination, whatever has become of the terminal.

    A terminal that is gone, or that nobody reads, blocks Textual's event loop in a write for ever. So the handlers are
    the interpreter's own, which run even then; a thread lets an apply finish its current change; and when the console
    does not come to its end by itself after that, the process does.
    """
    loop = asyncio.get_running_loop()

    def end(session: Session, code: int) -> None:
        session.close()
        if not ended.wait(_GRACE_S):
            os._exit(code)

    def arrived(number: int, _: object) -> None:
        stage.code = 128 + number
        if stage.app is not None:
            loop.call_soon_threadsafe(stage.app.leave, stage.code)
        threading.Thread(target=end, args=(stage.session, stage.code), name="end", daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, arrived)
