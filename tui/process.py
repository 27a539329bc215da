"""The process around a verb: stdout for data, stderr for talk, stdin for an answer, and the signals that end it.

Imports nothing of the project.
"""

import gc
import io
import os
import signal
import sys
import termios
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self, TextIO

_DRAWN = str.maketrans({"→": "->", "…": "...", "·": "|", "—": "-"})


class Unwritable(OSError):
    """The standard output does not take what was to be told; the text is one sentence."""


class Streams:
    """The three standard streams. A reader that has gone away is no error; talk that nobody can hear is dropped."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        self._ascii_only = ascii_only
        self.heard = True
        """Whether anybody reads the standard output, as far as it was noticed."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")

    def data(self, text: str) -> None:
        """Write to stdout. Raises ``Unwritable``, but not for a pipe whose reader has seen enough."""
        try:
            _write(sys.stdout, self._signs(text))
        except BrokenPipeError:
            self.heard = False
            _silence(sys.stdout)
        except OSError as error:
            _silence(sys.stdout)
            raise Unwritable(f"the standard output cannot be written ({error.strerror})") from error

    def talk(self, text: str, *, end: str = "\n") -> None:
        """Write to stderr, if there is anybody to hear it."""
        try:
            _write(sys.stderr, self._signs(text) + end)
        except OSError:
            _silence(sys.stderr)

    @property
    def interactive(self) -> bool:
        """Tell whether a person can be asked."""
        return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)

    def ask(self, question: str) -> str | None:
        """Return the line that is typed after the question was shown, without its ends' blanks; None at its end."""
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        # What was typed or pasted before the question was there is no answer to it.
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
        self.talk(question, end=" ")
        try:
            line = sys.stdin.readline()
        except Interrupted:
            self.talk("")
            raise
        if not line:
            self.talk("")
            return None
        return line.strip()

    def _signs(self, text: str) -> str:
        if not self._ascii_only or text.isascii():
            return text
        return text.translate(_DRAWN).encode("ascii", "backslashreplace").decode("ascii")


def collect_rarely() -> None:
    """Let the garbage collector look for cycles seldom, for a console that is to answer every key at once.

    What is observed is plain trees of values, which go when nobody holds them any more. At thousands of nodes the
    usual, frequent look through everything that lives holds up the whole process for a quarter of a second at a time.
    """
    gc.set_threshold(100_000, 20, 100)


def has_terminal() -> bool:
    """Tell whether input, output and errors are all a terminal that can do more than print lines."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(map(_is_terminal, streams)) and os.environ.get("TERM") != "dumb"


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _write(stream: TextIO | None, text: str) -> None:
    if stream is not None:  # the caller may have closed it for us (``>&-``)
        stream.write(text)
        stream.flush()


def _silence(stream: TextIO) -> None:
    """Lead a stream that cannot be written nowhere, so that the interpreter's own last flush does not fail on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Interrupted(BaseException):
    """A signal has asked the process to end. No ``Exception``: no library that retries may swallow it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Signals:
    """SIGHUP, SIGINT and SIGTERM within a ``with`` block, in the main thread.

    One raises ``Interrupted`` there. While something is deferred, the first one calls that and later ones do nothing.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        """The exit code that the first signal asks for; None before one."""
        self._deferred: Callable[[], None] | None = None
        self._before: dict[int, signal.Handlers | Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if handler is not signal.SIG_IGN:  # as nohup and a shell's background jobs leave it
                self._before[number] = handler
                signal.signal(number, self._arrived)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def defer(self, act: Callable[[], None] | None) -> None:
        """From now on call ``act`` between any two steps of the main thread; None raises again."""
        self._deferred = act

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        del frame
        first = self.code is None
        self.code = self.code or 128 + number
        if self._deferred is None:
            raise Interrupted(self.code)
        if first:
            self._deferred()
