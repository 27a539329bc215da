"""Counts the requests to every source. Adapters count, the engine paces reads by it, front ends show it.

May import the model.
"""

import threading
from collections.abc import Mapping

from tui.model.calls import Calls


class Meter:
    """The requests since the start, by source: a cloud, or ``kubernetes``. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, Calls] = {}

    def count(self, source: str, *, made: int = 1, throttled: int = 0) -> None:
        """Add requests; of the ``throttled`` ones the source said that they were too many."""
        with self._lock:
            known = self._calls.get(source, Calls())
            self._calls[source] = Calls(made=known.made + made, throttled=known.throttled + throttled)

    def told(self) -> Mapping[str, Calls]:
        """Return what was counted so far; without a source that was not asked yet."""
        with self._lock:
            return dict(self._calls)
