"""Keeps the facts of one cloud fresh: at every interval, and soon after something happened to a node in it.

One thread per cloud, so that one that does not answer holds up no other. May import ports, model, the observer and the
pacing.
"""

import random
import threading
from collections.abc import Callable

from tui.engine.observer import Observer
from tui.engine.pacing import Pacing
from tui.meter import Meter
from tui.model.node import Cloud
from tui.ports import Clock

_DEBOUNCE_S = 1.0
"""Node events come in bursts; the cloud is read this long after the first of one."""


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
        """Set when that is to be done whatever the pace."""

    def touch(self) -> None:
        """Something has happened to a node in it: read it as soon as its pace allows."""
        self._wanted.set()

    def ask(self) -> None:
        """Read it now, whatever its pace."""
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
            self._hurry.clear()
            self._wanted.clear()
            self._pacing.begin()
            self._observer.read_clouds(self._told, only={self.cloud})
            self._pacing.end(self._clock.monotonic_s())
            self._told()
