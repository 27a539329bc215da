"""Counts the requests to every source. Adapters count, the engine paces reads by it, front ends show it.

May import the model.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tui.model.calls import Calls, Request

_REMEMBERED = 200


class Meter:
    """The requests since the start, by source (a cloud, or ``kubernetes``), and the last of them. For many threads."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._calls: dict[str, Calls] = {}
        self._requests: deque[Request] = deque(maxlen=_REMEMBERED)

    def count(self, source: str, *, made: int = 1, throttled: int = 0) -> None:
        """Add requests; of the ``throttled`` ones the source said that they were too many."""
        with self._lock:
            known = self._calls.get(source, Calls())
            self._calls[source] = Calls(made=known.made + made, throttled=known.throttled + throttled)

    def remember(self, source: str, twin: str, seconds: float, result: str) -> None:
        """Keep what was asked, as a command line would, how long the answer took and what it was."""
        with self._lock:
            self._requests.append(Request(at=self._now(), source=source, twin=twin, seconds=seconds, result=result))

    def told(self) -> Mapping[str, Calls]:
        """Return what was counted so far; without a source that was not asked yet."""
        with self._lock:
            return dict(self._calls)

    def requests(self) -> tuple[Request, ...]:
        """Return the last requests, oldest first."""
        with self._lock:
            return tuple(self._requests)
