"""The threads that keep the facts fresh: one watches nodes, one drains, one polls each cloud, one judges.

Policy of the whole program about failures of reads lives here: back-off, when to list again. May import ports, model,
the observer and the pollers.
"""

import random
import threading
from collections.abc import Callable
from functools import partial

from tui.engine.drains import Drains
from tui.engine.observer import CLOUD_INTERVAL_S, Observer
from tui.engine.poller import Poller
from tui.meter import Meter
from tui.model.node import Cloud
from tui.ports import Clock, Expired, NodeSource, PortError, Throttled

_LONGEST_BACKOFF_S = 30.0
_AGE_CHECK_S = 10.0
"""How often the age of what is known is looked at when nothing happens."""
_JUDGE_EVERY_S = 0.1
"""The least time from one judgement's beginning to the next, so that a burst of events is judged once."""


class Background:
    """Runs until ``close``.

    ``judge(force)`` is called from one thread of its own, ``broken(error)`` from a thread in which nobody expected it.
    """

    def __init__(
        self,
        *,
        nodes: NodeSource,
        observer: Observer,
        clock: Clock,
        meter: Meter,
        judge: Callable[[bool], object],
        broken: Callable[[Exception], None],
    ) -> None:
        self._nodes = nodes
        self._observer = observer
        self._clock = clock
        self._judge = judge
        self._broken = broken
        self._closed = threading.Event()
        self._dirty = threading.Event()
        self._started = False
        self._drains = Drains(nodes, observer=observer, clock=clock, told=self._dirty.set)
        self._pollers = {
            cloud: Poller(cloud, observer=observer, clock=clock, meter=meter, told=self._dirty.set)
            for cloud in Cloud
            if cloud is not Cloud.NONE
        }

    def start(self, interval_s: float = CLOUD_INTERVAL_S) -> None:
        """Begin, and read the clouds at least this often. Call it once."""
        self._started = True
        work = {"watch": self._watch, "judge": self._judge_on, "drains": self._drains.run}
        work |= {f"poll {cloud}": partial(poller.run, interval_s) for cloud, poller in self._pollers.items()}
        for name, each in work.items():
            threading.Thread(target=self._guarded, args=(each,), name=name, daemon=True).start()

    def aside(self, work: Callable[[], object]) -> None:
        """Do this once in a thread of its own, which ends with the process whatever it is at."""

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the thread boundary: what nobody expected must still be seen
                self._broken(error)

        threading.Thread(target=run, name="aside", daemon=True).start()

    def refresh(self) -> None:
        """List the nodes and read the clouds again now, if anything is kept fresh at all."""
        if self._started:
            self.aside(self._observe_again)

    def _observe_again(self) -> None:
        try:
            self._observer.list_nodes()
        except PortError:
            self._dirty.set()  # the observer has recorded it as the source's state; the watch goes on by itself
        self._read_everything()

    def _read_everything(self) -> None:
        for poller in self._pollers.values():
            poller.ask()

    def wake(self) -> None:
        """Judge again now: something was noted."""
        self._dirty.set()

    def close(self) -> None:
        """End every thread soon; a read under way is not waited for."""
        self._closed.set()
        self._nodes.close()
        self._dirty.set()
        self._drains.close()
        for poller in self._pollers.values():
            poller.close()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run ``work`` until the end; what nobody expected is told, and the work begun anew after a while."""
        failures = 0
        while not self._closed.is_set():
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the thread boundary: what nobody expected must still be seen
                failures += 1
                self._broken(error)
                self._back_off(failures)

    def _watch(self) -> None:
        version: str | None = None
        failures = 0
        while not self._closed.is_set():
            try:
                if version is None:
                    version = self._observer.list_nodes().version
                    self._read_everything()
                    self._dirty.set()
                began_s = self._clock.monotonic_s()
                version = self._follow(version)
                # A server that ends every watch at once must not be asked in a tight loop.
                failures = 0 if self._clock.monotonic_s() - began_s > 1 else failures + 1
                self._back_off(failures)
            except Expired:
                version = None
                self._back_off(failures)
                failures += 1
            except PortError as error:
                version = None
                failures += 1
                if not self._closed.is_set():
                    self._observer.lost_nodes(error)
                    self._dirty.set()
                self._back_off(failures, error)

    def _follow(self, version: str) -> str:
        """Fold a watch until it ends and return the version to continue from."""
        for event in self._nodes.watch(version):
            version = event.version
            changed = self._observer.fold(event)
            if changed is not None:
                self._dirty.set()
                cloud, node = changed
                self._drains.touch(node)
                if cloud in self._pollers:
                    self._pollers[cloud].touch(node)
        self._observer.heard_nodes()
        return version

    def _back_off(self, failures: int, error: PortError | None = None) -> None:
        """Wait longer the more often it failed, jittered so that many consoles do not return together."""
        if failures <= 0:
            return
        asked_s = error.retry_after_s if isinstance(error, Throttled) else None
        longest_s = min(_LONGEST_BACKOFF_S, 0.5 * 2 ** min(failures, 8))
        jittered_s = random.uniform(longest_s / 2, longest_s)  # noqa: S311 - no secret
        self._clock.wait(self._closed, max(asked_s or 0.0, jittered_s))

    def _judge_on(self) -> None:
        while not self._closed.is_set():
            woken = self._clock.wait(self._dirty, _AGE_CHECK_S)
            self._dirty.clear()
            if not self._closed.is_set():
                began_s = self._clock.monotonic_s()
                self._judge(woken)
                self._clock.wait(self._closed, max(0.0, began_s + _JUDGE_EVERY_S - self._clock.monotonic_s()))
