"""How soon a cloud may be read again: its limits count for the whole account, and this program leaves most of them.

May import the model and the meter.
"""

from collections.abc import Mapping

from tui.meter import Meter
from tui.model.calls import Calls
from tui.model.node import Cloud

MOST_PER_S: Mapping[Cloud, float] = {Cloud.AWS: 5.0, Cloud.GCE: 6.0, Cloud.AZURE: 3.0}
"""Requests per second. EC2 refills its buckets with 10 or more a second, Compute Engine grants 1,500 a minute. Azure's
Resource Manager refills 25 a second, in clouds with the older rules 12,000 an hour, and the network service 33."""
_SHORTEST_S = 1.0
_LONGEST_S = 60.0


class Pacing:
    """Measures what reads of one cloud cost, and tells how soon the next one may begin. For one thread."""

    def __init__(self, meter: Meter, cloud: Cloud) -> None:
        self._meter = meter
        self._cloud = cloud
        self._before = Calls()
        self._pause_s = 0.0
        self._ended_s = 0.0
        self._throttled = False

    def begin(self) -> None:
        """A read begins now."""
        self._before = self._told()

    def end(self, now_s: float) -> None:
        """The read has ended at this monotonic instant. One that was throttled doubles the pause, each time."""
        before, after = self._before, self._told()
        pause_s = max(_SHORTEST_S, (after.made - before.made) / MOST_PER_S.get(self._cloud, 1.0))
        throttled = after.throttled > before.throttled
        if throttled:
            pause_s = max(pause_s, 2 * (self._pause_s if self._throttled else _SHORTEST_S))
        self._ended_s, self._pause_s, self._throttled = now_s, min(pause_s, _LONGEST_S), throttled

    def pause_s(self, now_s: float) -> float:
        """Return how long it is from this monotonic instant until the next read may begin."""
        return max(0.0, self._ended_s + self._pause_s - now_s) if self._pause_s else 0.0

    def _told(self) -> Calls:
        return self._meter.told().get(self._cloud, Calls())
