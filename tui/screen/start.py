"""The console as a process: its event loop, the signals that end it, and its exit code."""

import asyncio
import os
import shutil
import signal
import threading

from tui.engine.session import Session
from tui.model.arming import Wish
from tui.screen.app import L2BridgeApp
from tui.settings import Settings

_GRACE_S = 2.0
"""How long the terminal may take to be restored, once a signal came and the session is closed."""


def run_console(session: Session, settings: Settings, pane: str | None = None, wish: Wish | None = None) -> int:
    """Run the console on a session that has not begun yet, close the session, and return the exit code.

    It begins with the pane of this title, or with the first one, and asks whether the ``wish`` is to be armed.
    """
    if 0 in shutil.get_terminal_size(fallback=(0, 0)):
        # A serial line knows no size, and Textual lays out anew for ever in one without.
        os.environ |= {"COLUMNS": "80", "LINES": "24"}
    return asyncio.run(_run(session, settings, pane, wish))


async def _run(session: Session, settings: Settings, pane: str | None, wish: Wish | None) -> int:
    app = L2BridgeApp(session, settings, pane)
    app.wish = wish
    ended = threading.Event()
    _end_on_signals(app, session, ended)
    try:
        app.mouse = "SSH_CONNECTION" not in os.environ
        code = await app.run_async(mouse=app.mouse)
    finally:
        # Also when the app fell over: the bridge's thread would otherwise hold up the end of the event loop.
        await asyncio.to_thread(session.close)
        ended.set()
    return code if code is not None else app.return_code or 0


def _end_on_signals(app: L2BridgeApp, session: Session, ended: threading.Event) -> None:
    """End the console on hang-up and termination, whatever has become of the terminal.

    A terminal that is gone, or that nobody reads, blocks Textual's event loop in a write for ever. So the handlers are
    the interpreter's own, which run even then; a thread lets an apply finish its current change; and when the console
    does not come to its end by itself after that, the process does.
    """
    loop = asyncio.get_running_loop()

    def end(code: int) -> None:
        session.close()
        if not ended.wait(_GRACE_S):
            os._exit(code)

    def arrived(number: int, _: object) -> None:
        loop.call_soon_threadsafe(app.leave, 128 + number)
        threading.Thread(target=end, args=(128 + number,), name="end", daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, arrived)
