"""One write, proven: read → precondition → write → read until it holds or the deadline.

A write is never believed, and never sent a second time when the end of the first is not known. May import ports and
model.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tui.engine.proof import Ending, holds, precondition, told
from tui.model.change import Change, RouteChange
from tui.model.plan import Status
from tui.ports import (
    Clock,
    CloudReader,
    CloudWriter,
    Conflict,
    Indeterminate,
    NotFound,
    PortError,
    Reading,
    Rejected,
    TableWriter,
    Throttled,
)

VERIFY_DEADLINE_S = 30.0
"""How long a written value may take to be seen; EC2 and Azure reads lag behind their writes by seconds."""
THROTTLE_BUDGET_S = 75.0
"""How long one change may wait for throttled calls altogether: past the minute after which quotas are filled again."""
CONFLICTS = 5
"""How often a write that somebody else's came before is judged and sent anew; the pauses add up to half a minute."""
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 4.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How some changes are read, and how those of them that are to be written are written at once."""

    changes: tuple[Change, ...]
    read: Callable[[], Reading]
    write: Callable[[Sequence[Change]], None]


def by_itself(change: Change, reader: CloudReader, writer: Callable[[], CloudWriter]) -> Call:
    """Return how one change is written; ``writer`` is asked for only when there is something to write."""
    return Call(changes=(change,), read=lambda: reader.read(change), write=lambda _: writer().write(change))


def at_once(changes: Sequence[RouteChange], writer: TableWriter) -> Call:
    """Return how changes of one route table are written with one call."""
    planned = {change.id: change for change in changes}
    return Call(
        changes=tuple(changes),
        read=lambda: writer.read_table(changes),
        write=lambda left: writer.write_table([planned[change.id] for change in left]),
    )


class Patience:
    """Waits out throttling as the cloud asks, and other writers, within bounds for the whole of it.

    ``tell`` is told why, before each wait.
    """

    def __init__(self, clock: Clock, tell: Callable[[str], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._left_s = THROTTLE_BUDGET_S
        self._conflicts = CONFLICTS
        self._never = threading.Event()

    def call(self, call: Callable[[], _T]) -> _T:
        """Return the call's result. Raises what it raises, ``Throttled`` once the budget is used up."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return call()
            except Throttled as error:
                wait_s = pause_s if error.retry_after_s is None else error.retry_after_s
                if wait_s > self._left_s:
                    raise
                self._tell(
                    f"throttled, waits {wait_s:.1f} s of the {self._left_s:.0f} s that are left for that: {error}"
                )
                self._left_s -= wait_s
                self._clock.wait(self._never, wait_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S * 4)

    def yields(self, error: Conflict) -> bool:
        """Let another writer finish; False, at once, when that was done often enough."""
        if self._conflicts == 0:
            return False
        wait_s = 2.0 ** (CONFLICTS - self._conflicts)
        self._tell(f"judges it anew in {wait_s:.0f} s: {error}")
        self._clock.wait(self._never, wait_s)
        self._conflicts -= 1
        return True


class Deed:
    """Takes the changes of one call to their end; use it once."""

    def __init__(self, call: Call, clock: Clock, patience: Patience) -> None:
        self._call = call
        self._clock = clock
        self._patience = patience
        self._never = threading.Event()
        self._endings: dict[int, Ending] = {}
        """By position in the call's changes."""
        self._met: Conflict | None = None
        """What the last write came upon, if it was sent before: a conflict may be with what the write itself did."""

    def run(self) -> tuple[Ending, ...]:
        """Return how each change ended, in their order."""
        while self._judge() and not self._write():
            pass
        return tuple(self._endings[number] for number in range(len(self._call.changes)))

    @property
    def _open(self) -> list[tuple[int, Change]]:
        """The changes without an ending, by position."""
        return [(number, change) for number, change in enumerate(self._call.changes) if number not in self._endings]

    def _end(self, ending: Ending) -> None:
        """Give this ending to everything that has none."""
        self._endings |= {number: ending for number, _ in self._open}

    def _judge(self) -> bool:
        """Read, and end what is not to be written; return whether something is left to write."""
        try:
            reading = self._patience.call(self._call.read)
        except NotFound as error:
            self._end(Ending(Status.REFUSED, f"{self._call.changes[0].subject} is gone: {error}"))
            return False
        except PortError as error:
            self._end(_unread(self._met, error))
            return False
        for number, change in self._open:
            ending = precondition(change, reading)
            if ending is not None:
                mine = self._met is not None and ending.status is Status.ALREADY_SO
                self._endings[number] = Ending(Status.APPLIED) if mine else ending
        return bool(self._open)

    def _write(self) -> bool:
        """Write what has no ending; return whether everything has one now, else it is to be judged anew."""
        doubt: str | None = None
        try:
            self._patience.call(lambda: self._call.write([change for _, change in self._open]))
        except Indeterminate as error:
            doubt = str(error)
        except PortError as error:
            seen = self._end_in_place()  # an operation may end in an error and yet have taken effect
            if self._open and isinstance(error, Conflict) and self._patience.yields(error):
                self._met = error
                return False
            self._endings |= {number: self._refused(change, error, seen) for number, change in self._open}
            return True
        self._verify(doubt)
        return True

    def _end_in_place(self) -> Reading | PortError:
        """End what a read shows to be in place already; return what was read, or why nothing was."""
        try:
            reading = self._call.read()
        except PortError as error:
            return error
        for number, change in self._open:
            if holds(change, reading):
                self._endings[number] = Ending(Status.APPLIED)
        return reading

    def _refused(self, change: Change, error: PortError, seen: Reading | PortError) -> Ending:
        """Return how a change ends that is not seen to be in place after its write met with an error."""
        if not isinstance(seen, PortError):
            if holds(change, replace(seen, trouble=None)):
                return Ending(Status.INDETERMINATE, f"{error}; it is as planned all the same, but {seen.trouble}")
        elif self._met is not None or isinstance(error, Conflict | Rejected):
            return _unread(error, seen)
        return Ending(Status.REFUSED if isinstance(error, Conflict) else Status.FAILED, str(error))

    def _verify(self, doubt: str | None) -> None:
        """Read until the wanted values are seen. ``doubt`` is why the end of the write is not known, if so."""
        deadline_s = self._clock.monotonic_s() + VERIFY_DEADLINE_S
        pause_s = _FIRST_PAUSE_S
        while True:
            seen = {number: doubt or "" for number, _ in self._open}
            try:
                reading = self._call.read()
            except PortError as error:
                seen = dict.fromkeys(seen, str(error))
            else:
                for number, change in self._open:
                    if holds(change, reading):
                        self._endings[number] = Ending(Status.APPLIED)
                    else:
                        seen[number] = doubt or f"{told(change, reading)} is still read"
            if not self._open:
                return
            left_s = deadline_s - self._clock.monotonic_s()
            if left_s <= 0:
                for number, _ in self._open:
                    text = f"sent, but not seen after {VERIFY_DEADLINE_S:.0f} s: {seen[number]}"
                    self._endings[number] = Ending(Status.INDETERMINATE, text)
                return
            self._clock.wait(self._never, min(pause_s, left_s))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _unread(refusal: PortError | None, error: PortError) -> Ending:
    """Return how what cannot be read ends, after a write that met with a refusal or, for None, before any."""
    if refusal is None:
        return Ending(Status.FAILED, f"nothing was written, its state could not be read: {error}")
    return Ending(Status.INDETERMINATE, f"{refusal}; whether it took effect all the same could not be read: {error}")
