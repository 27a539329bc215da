"""Keeps the facts of one cloud fresh: at every interval, and soon after something happened to a node in it.

One thread per cloud, so that one that does not answer holds up no other. May import ports, model, the observer and the
pacing.
"""

import math
import random
import threading
from collections.abc import Callable

from tui.engine.observer import Observer
from tui.engine.pacing import Pacing
from tui.meter import Meter
from tui.model.node import Cloud, Node
from tui.ports import Clock

_DEBOUNCE_S = 1.0
"""Node events come in bursts; the cloud is read this long after the first of one."""
_RECENT_S = 120.0
"""How long a node that something has happened to is looked at again whenever something happens to another one."""
_A_FEW = 100
"""How many nodes are read by themselves. For more, whole lists cost less."""


class Poller:
    """Reads one cloud until ``close``; ``told`` is called after each read."""

    def __init__(
        self, cloud: Cloud, *, observer: Observer, clock: Clock, meter: Meter, told: Callable[[], None]
    ) -> None:
        self.cloud = cloud
        self._observer = observer
        self._clock = clock
        self._pacing = Pacing(meter, cloud)
        self._told = told
        self._closed = threading.Event()
        self._wanted = threading.Event()
        """Set when something has happened in the cloud, or somebody asks for it."""
        self._hurry = threading.Event()
        """Set when that is to be done whatever the pace, and all of it."""
        self._touched: dict[str, tuple[float, Node]] = {}
        """The nodes that something has happened to, by uid, each with the monotonic instant of it."""
        self._read_s = -math.inf
        """When all of the cloud was read last."""

    def touch(self, node: Node) -> None:
        """Something has happened to a node in it: read that as soon as its pace allows."""
        self._touched[node.uid] = (self._clock.monotonic_s(), node)
        self._wanted.set()

    def ask(self) -> None:
        """Read all of it now, whatever its pace."""
        self._hurry.set()
        self._wanted.set()

    def close(self) -> None:
        """End soon; a read under way is not waited for."""
        self._closed.set()
        self.ask()

    def run(self, interval_s: float) -> None:
        """Read it whenever it is wanted, and at least this often but for some jitter, until closed."""
        while not self._closed.is_set():
            jittered_s = interval_s * random.uniform(0.9, 1.0)  # noqa: S311 - no secret
            if self._clock.wait(self._wanted, jittered_s):
                self._clock.wait(self._hurry, max(_DEBOUNCE_S, self._pacing.pause_s(self._clock.monotonic_s())))
            if self._closed.is_set():
                return
            hurry = self._hurry.is_set()
            self._hurry.clear()
            self._wanted.clear()
            self._pacing.begin()
            overdue = self._clock.monotonic_s() - self._read_s >= jittered_s
            if hurry or overdue or not self._glance():
                self._read_s = self._clock.monotonic_s()
                self._observer.read_clouds(self._told, only={self.cloud})
            self._pacing.end(self._clock.monotonic_s())
            self._told()

    def _glance(self) -> bool:
        """Read the nodes alone that something has happened to; tell whether that was enough."""
        since_s = self._clock.monotonic_s() - _RECENT_S
        for uid in [uid for uid, (at_s, _) in self._touched.copy().items() if at_s < since_s]:
            del self._touched[uid]
        recent = [node for _, node in self._touched.copy().values()]
        return 0 < len(recent) <= _A_FEW and self._observer.glance(self.cloud, recent)
