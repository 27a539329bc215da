"""A program in a real pseudo-terminal: typed at, read, hung up. What it writes is kept in ``seen``."""

import os
import pty
import select
import subprocess
import sys
import time

LIMIT_S = 30.0


class Terminal:
    """The program with these arguments; its input and errors are the terminal, its stdout too if ``whole``.

    ``typed`` is in the terminal before the program begins; ``changes`` are made to the environment.
    """

    def __init__(self, *arguments: str, whole: bool = False, typed: str = "", **changes: str) -> None:
        self._ours, theirs = pty.openpty()
        if typed:
            self.type(typed)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui", *arguments],
            env={**os.environ, "TERM": "xterm-256color", **changes},
            stdin=theirs,
            stdout=theirs if whole else subprocess.PIPE,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str) -> None:
        """Read until the text was written; fail at the limit, or when the program has ended without."""
        while text not in self.seen:
            assert self._read(), self.seen[-4000:]

    def until_quiet(self, seconds: float) -> int:
        """Read until nothing was written for so long; return how many bytes came before that."""
        before, deadline_s = len(self.seen.encode()), time.monotonic() + LIMIT_S
        while self._read(seconds):
            assert time.monotonic() < deadline_s, f"it never stops writing: {self.seen[-400:]!r}"
        return len(self.seen.encode()) - before

    def end(self) -> int:
        """Read until the program has ended, and return its exit code."""
        deadline_s = time.monotonic() + LIMIT_S
        while self._read():
            assert time.monotonic() < deadline_s, f"it never stops writing: {self.seen[-400:]!r}"
        self.hang_up()
        return self.wait()

    def wait(self) -> int:
        """Return the exit code of a program that nobody reads any more."""
        return self.process.wait(LIMIT_S)

    def hang_up(self) -> None:
        """Take the terminal away."""
        if self.process.stdout is not None:
            self.process.stdout.close()
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def kill(self) -> None:
        """End everything, whatever the program does."""
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def _read(self, limit_s: float = LIMIT_S) -> bool:
        if not select.select([self._ours], [], [], limit_s)[0]:
            return False
        try:
            self.seen += os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # the other side has ended
            return False
        return True
