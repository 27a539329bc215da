"""Where a copied text goes: to tmux, to the terminal as OSC 52, or to the desktop; and into a file in any case.

None of them proves that somebody took it, except tmux and the desktop; so what is told is how it was sent.
"""

import os
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_S = 3.0
_MOST_BYTES = 70_000
"""Terminals and multiplexers drop a longer OSC 52 without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipboard:
    """Sends texts on, and keeps the last one in ``file``. ``environ`` tells what the terminal is."""

    file: Path
    environ: Mapping[str, str]

    def copy(self, text: str, osc52: Callable[[str], None]) -> str:
        """Send a text; return in words how. ``osc52`` writes to the terminal. Blocks for seconds at worst."""
        way = self._sent(text, osc52)
        return way if self._kept(text) else f"{way}, in no file: {self.file.parent} cannot be written"

    def last(self) -> str | None:
        """Return what was copied last, by this console or another one; None when nothing was."""
        try:
            return self.file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def _sent(self, text: str, osc52: Callable[[str], None]) -> str:
        if "TMUX" in self.environ and _to_tmux(text):
            return "In tmux's buffer and the terminal"
        over_ssh = not {"SSH_CONNECTION", "SSH_TTY"}.isdisjoint(self.environ)
        if not over_ssh and _to_desktop(text):
            return "In the desktop's clipboard"
        if len(text.encode()) > _MOST_BYTES:
            return "Too long for the terminal, in a file only"
        osc52(text)
        return "Sent as OSC 52 (no terminal answers to it)"

    def _kept(self, text: str) -> bool:
        with suppress(OSError):
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(
                os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(text)
            return True
        return False


def _to_tmux(text: str) -> bool:
    """Give it to tmux, which hands it on to the terminal that is attached (-w)."""
    with suppress(OSError, subprocess.SubprocessError):
        command = ["tmux", "load-buffer", "-w", "-"]
        subprocess.run(command, input=text.encode(), capture_output=True, check=True, timeout=_PATIENCE_S)  # noqa: S603
        return True
    return False


def _to_desktop(text: str) -> bool:
    import pyperclip  # noqa: PLC0415 - only where somebody copies

    with suppress(pyperclip.PyperclipException, OSError):
        pyperclip.copy(text)
        return True
    return False
