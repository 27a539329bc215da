"""How soon a cloud may be read again: its limits count for the whole account, and this program leaves most of them.

May import the model and the meter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tui.meter import Meter
from tui.model.calls import Calls
from tui.model.node import Cloud

MOST_PER_S: Mapping[Cloud, float] = {Cloud.AWS: 5.0, Cloud.GCE: 6.0, Cloud.AZURE: 1.5}
"""Requests per second. EC2 refills its buckets with 10 or more a second, Compute Engine grants 1,500 a minute, and
Azure's Resource Manager 12,000 reads an hour."""
_SHORTEST_S = 1.0
_LONGEST_S = 60.0


@dataclass(slots=True)
class _Past:
    """The last read of a cloud: when it ended, and how long after that the next one may begin."""

    ended_s: float
    pause_s: float
    throttled: bool


class Pacing:
    """Measures what reads cost, and tells when each cloud may be read again. For one thread."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._past: dict[Cloud, _Past] = {}
        self._before: Mapping[str, Calls] = {}

    def begin(self) -> None:
        """A read begins now."""
        self._before = self._meter.told()

    def end(self, clouds: frozenset[Cloud], now_s: float) -> None:
        """The read of these clouds has ended now. One that was throttled doubles the pause, each time."""
        after = self._meter.told()
        for cloud in clouds:
            known, now = self._before.get(cloud, Calls()), after.get(cloud, Calls())
            pause_s = max(_SHORTEST_S, (now.made - known.made) / MOST_PER_S.get(cloud, 1.0))
            throttled = now.throttled > known.throttled
            last = self._past.get(cloud)
            if throttled:
                pause_s = max(pause_s, 2 * last.pause_s if last is not None and last.throttled else 2 * _SHORTEST_S)
            self._past[cloud] = _Past(ended_s=now_s, pause_s=min(pause_s, _LONGEST_S), throttled=throttled)

    def free_at_s(self, cloud: Cloud) -> float:
        """Return the monotonic instant from which the cloud may be read again."""
        last = self._past.get(cloud)
        return 0.0 if last is None else last.ended_s + last.pause_s
