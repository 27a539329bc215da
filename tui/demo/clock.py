"""The embedded world's time: begins at a fixed instant, so that two runs of a scenario show the same.

Knows two ways of running, chosen when the clock is made. Standard library only.
"""

import threading
import time
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

_SKIPPED_S = 5.0
_YIELD_S = 0.001
_LOOK_S = 0.02


class DemoClock:
    """A ``Clock`` that starts at ``START``.

    Running (``running=True``, for people): as fast as the wall clock, plus whatever ``advance`` adds.

    Standing (``running=False``, for tests): time moves only by ``wait`` and ``advance``. A wait of at most
    ``skips_up_to_s`` seconds (back-off, debouncing) is skipped: the clock jumps to its end at once. A longer one (a
    poll interval) blocks until the event is set or somebody advances the clock past its end. So nothing runs ahead
    while a test looks. Waits that overlap do not add up. Set ``skips_up_to_s`` to ``math.inf`` to skip every wait, as a
    test with a single thread must whose back-offs may become longer, to 0 to skip none.

    ``moved`` is notified on every jump; it is also the lock of the world that lives by this clock. Thread-safe.
    """

    def __init__(self, *, running: bool) -> None:
        self.running = running
        self.skips_up_to_s = _SKIPPED_S
        self.moved = threading.Condition()
        self._began_s = time.monotonic()
        self._jumped_s = 0.0

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        return START + timedelta(seconds=self.monotonic_s())

    def monotonic_s(self) -> float:
        """Return the seconds since ``START``."""
        with self.moved:
            return self._jumped_s + (time.monotonic() - self._began_s if self.running else 0.0)

    def advance(self, seconds: float) -> None:
        """Jump forward. Waits that this ends return within milliseconds in a standing clock."""
        with self.moved:
            self._jumped_s += seconds
            self.moved.notify_all()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until the event is set or the time is up; return whether it is set."""
        if self.running:
            return event.wait(min(max(0.0, timeout_s), threading.TIMEOUT_MAX))
        deadline_s = self.monotonic_s() + timeout_s
        if timeout_s <= self.skips_up_to_s:
            if event.wait(_YIELD_S):
                return True
            self._reach(deadline_s)
            return event.is_set()
        # The event belongs to the caller, so that a jump cannot wake the one who waits for it: hence the second look.
        while not event.wait(_LOOK_S):
            if self.monotonic_s() >= deadline_s:
                return event.is_set()
        return True

    def sleep_until(self, instant_s: float) -> None:
        """Wait in ``moved``, which the caller holds, until it is notified or the instant has come."""
        remaining_s = instant_s - self.monotonic_s()
        if remaining_s > 0:
            self.moved.wait(min(remaining_s, threading.TIMEOUT_MAX) if self.running else None)

    def _reach(self, instant_s: float) -> None:
        with self.moved:
            if instant_s > self._jumped_s:
                self._jumped_s = instant_s
                self.moved.notify_all()
