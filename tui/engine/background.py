"""The threads that keep the facts fresh: one watches nodes, one polls clouds, one judges.

Policy of the whole program about failures of reads lives here: back-off, debouncing, when to list again. May import
ports, model and the observer.
"""

import math
import random
import threading
from collections.abc import Callable, Iterable

from tui.engine.observer import CLOUD_INTERVAL_S, Observer
from tui.engine.pacing import Pacing
from tui.meter import Meter
from tui.model.node import Cloud
from tui.ports import Clock, Expired, NodeSource, PortError, Throttled

_DEBOUNCE_S = 1.0
"""Node events come in bursts; the clouds are read this long after the first of one."""
_LONGEST_BACKOFF_S = 30.0
_AGE_CHECK_S = 10.0
"""How often the age of what is known is looked at when nothing happens."""
_JUDGE_PAUSE_S = 0.2
"""The least time between two judgements, so that a burst of events is judged once."""


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
        self._pacing = Pacing(meter)
        self._touched: set[Cloud] = set()
        """The clouds that something has happened in since they were last read."""
        self._touching = threading.Lock()
        self._read_clouds = threading.Event()
        """Set when a cloud was touched, and when everything is to be read."""
        self._read_all = threading.Event()
        self._list_nodes = threading.Event()
        self._synchronised = threading.Event()
        self._interval_s = CLOUD_INTERVAL_S

    def start(self, interval_s: float = CLOUD_INTERVAL_S) -> None:
        """Begin, and read the clouds at least this often. Call it once."""
        self._interval_s = interval_s
        for work in (self._watch, self._poll, self._judge_on):
            threading.Thread(target=self._guarded, args=(work,), name=work.__name__.strip("_"), daemon=True).start()

    def aside(self, work: Callable[[], object]) -> None:
        """Do this once in a thread of its own, which ends with the process whatever it is at."""

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the thread boundary: what nobody expected must still be seen
                self._broken(error)

        threading.Thread(target=run, name="aside", daemon=True).start()

    def refresh(self) -> None:
        """List the nodes and read the clouds again now."""
        self._list_nodes.set()
        self._read_everything()

    def _read_everything(self) -> None:
        self._read_all.set()
        self._read_clouds.set()

    def wake(self) -> None:
        """Judge again now: something was noted."""
        self._dirty.set()

    def close(self) -> None:
        """End every thread soon; a read under way is not waited for."""
        self._closed.set()
        self._nodes.close()
        for event in (self._dirty, self._read_clouds):
            event.set()

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
            cloud = self._observer.fold(event)
            if cloud is not None:
                self._touch({cloud})
                self._read_clouds.set()
                self._dirty.set()
        self._observer.heard_nodes()
        return version

    def _touch(self, clouds: Iterable[Cloud]) -> None:
        with self._touching:
            self._touched.update(clouds)

    def _back_off(self, failures: int, error: PortError | None = None) -> None:
        """Wait longer the more often it failed, jittered so that many consoles do not return together."""
        if failures <= 0:
            return
        asked_s = error.retry_after_s if isinstance(error, Throttled) else None
        longest_s = min(_LONGEST_BACKOFF_S, 0.5 * 2 ** min(failures, 8))
        jittered_s = random.uniform(longest_s / 2, longest_s)  # noqa: S311 - no secret
        self._clock.wait(self._closed, max(asked_s or 0.0, jittered_s))

    def _poll(self) -> None:
        """Read all clouds at every interval, and in between those that something has happened in."""
        due_s = self._clock.monotonic_s()
        while not self._closed.is_set():
            now_s = self._clock.monotonic_s()
            woken = self._clock.wait(self._read_clouds, max(0.0, min(due_s, self._free_at_s()) - now_s))
            if woken and self._synchronised.is_set() and not self._list_nodes.is_set():
                self._clock.wait(self._closed, _DEBOUNCE_S)
            if self._closed.is_set():
                return
            self._read_clouds.clear()
            if self._list_nodes.is_set():
                self._list_nodes.clear()
                self._list_again()
            everything = self._read_all.is_set() or self._clock.monotonic_s() >= due_s
            if everything:
                self._read_all.clear()
                due_s = self._clock.monotonic_s() + self._interval_s * random.uniform(0.9, 1.0)  # noqa: S311
            clouds = self._due(everything)
            if clouds or everything:
                self._read(clouds)

    def _free_at_s(self) -> float:
        """Return when the first of the touched clouds may be read; infinity when none is."""
        with self._touching:
            return min(map(self._pacing.free_at_s, self._touched), default=math.inf)

    def _due(self, everything: bool) -> frozenset[Cloud]:
        """Return the clouds to be read now, which are not touched any more: all, or those whose pace allows it."""
        now_s = self._clock.monotonic_s()
        with self._touching:
            free = {cloud for cloud in self._touched if self._pacing.free_at_s(cloud) <= now_s}
            due = frozenset(Cloud) if everything else frozenset(free)
            self._touched -= due
        return due

    def _read(self, clouds: frozenset[Cloud]) -> None:
        self._pacing.begin()
        self._observer.read_clouds(self._dirty.set, only=clouds)
        self._pacing.end(clouds, self._clock.monotonic_s())
        self._synchronised.set()
        self._dirty.set()

    def _list_again(self) -> None:
        try:
            self._observer.list_nodes()
        except PortError:
            self._dirty.set()  # the observer has recorded it as the source's state; the watch goes on by itself

    def _judge_on(self) -> None:
        while not self._closed.is_set():
            woken = self._clock.wait(self._dirty, _AGE_CHECK_S)
            self._dirty.clear()
            if not self._closed.is_set():
                self._judge(woken)
                self._clock.wait(self._closed, _JUDGE_PAUSE_S)
