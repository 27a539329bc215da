"""The console as a process: its event loop, the signals that end it in order, and its exit code."""

import asyncio
import os
import signal

from tui.engine.session import Session
from tui.screen.app import L2BridgeApp
from tui.settings import Settings


def run_console(session: Session, settings: Settings) -> int:
    """Run the console on a session that has not begun yet, close the session, and return the exit code."""
    return asyncio.run(_run(session, settings))


async def _run(session: Session, settings: Settings) -> int:
    app = L2BridgeApp(session, settings)
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, app.leave, 128 + number)
    try:
        # Without the mouse over SSH, so that the terminal's own selection works there.
        code = await app.run_async(mouse="SSH_CONNECTION" not in os.environ)
    finally:
        # Also when the app fell over: the bridge's thread would otherwise hold up the end of the event loop.
        await asyncio.to_thread(session.close)
    return code if code is not None else app.return_code or 0
