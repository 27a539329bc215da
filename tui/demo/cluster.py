"""The embedded cluster: a ``NodeSource`` over a demo world, its lock, and its board for notices.

A watch blocks on the world's condition: it wakes for an event, for the schedule's next step, and to close.
"""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING

from tui.demo.faults import Call
from tui.demo.ids import cluster
from tui.model.lease import NEVER_HELD, Lease
from tui.model.snapshot import Cluster
from tui.ports import ClusterFacts, Conflict, Expired, NodeEvent, NodeEventKind, NodeList, Notice

if TYPE_CHECKING:
    from tui.demo.world import DemoWorld

_BOOKMARK_S = 60.0


class DemoNodes:
    """The nodes of a demo world. ``close`` is final: a later watch ends at once."""

    def __init__(self, world: "DemoWorld") -> None:
        self._world = world
        self._drained: set[str] = set()
        """The uids of the cordoned nodes whose pods were counted."""

    def cluster(self) -> Cluster:
        """Return a context named after the scenario, and a server that cannot exist."""
        return replace(cluster(self._world.scenario.name), uid=None)

    def list(self) -> NodeList:
        """Return all nodes by name, which is the order of an API server's storage."""
        self._world.enter(Call.LIST)
        with self._world.lock:
            log = self._world.current().log
            return NodeList(nodes=tuple(log.nodes[name] for name in sorted(log.nodes)), version=str(log.version))

    def watch(self, since: str) -> Iterator[NodeEvent]:
        """Yield events after ``since``, and a bookmark after every minute of the clock without one."""
        self._world.enter(Call.WATCH)
        stream = self._world.faults.streams
        version = int(since) if since.isdecimal() else -1
        while (event := self._next(version, stream)) is not None:
            version = int(event.version)
            yield event

    def facts(self) -> ClusterFacts:
        """Return the scenario's pod CIDRs and route controller, and the cluster's uid."""
        self._world.enter(Call.FACTS)
        scenario = self._world.scenario
        return ClusterFacts(
            pod_cidrs=tuple(map(ip_network, scenario.pod_cidrs)),
            uid=cluster(scenario.name).uid,
            route_controller=scenario.route_controller,
        )

    def remaining(self, node: str) -> int | None:
        """Return four pods, and none once a cordoned node was asked about before: that is how fast drains are here."""
        self._world.enter(Call.PODS)
        with self._world.lock:
            known = self._world.current().log.nodes.get(node)
            if known is None or known.schedulable or known.uid in self._drained:
                return 4 if known is not None and known.schedulable else 0
            self._drained.add(known.uid)
            return 4

    def identity(self) -> str:
        """Return somebody who may do everything."""
        self._world.enter(Call.IDENTITY)
        return "operator@example.com"

    def close(self) -> None:
        """End watches under way, and what delays there are."""
        self._world.close()

    def _next(self, version: int, stream: int) -> NodeEvent | None:
        """Return the next event; None when the stream has ended."""
        world = self._world
        with world.lock:
            bookmark_s = world.clock.monotonic_s() + _BOOKMARK_S
            while not world.closed.is_set():
                log = world.current().log
                if world.faults.streams != stream:
                    if world.faults.stream_error is not None:
                        raise world.faults.stream_error
                    return None
                if not log.floor <= version <= log.version:
                    raise Expired(f"the version {version} is not remembered any more: list the nodes again")
                event = log.after(version)
                if event is not None:
                    return event
                if world.clock.monotonic_s() >= bookmark_s:
                    return NodeEvent(kind=NodeEventKind.BOOKMARK, node=None, version=str(version))
                world.clock.sleep_until(min(bookmark_s, world.due_s()))
        return None


class DemoLock:
    """A lock that nobody has held yet. ``seized_by`` lets somebody else hold it."""

    place = "Lease kube-system/l2bridge-tui"

    def __init__(self, world: "DemoWorld") -> None:
        self._world = world
        self._lease: Lease | None = None
        self._version = 0

    def read(self) -> Lease | None:
        """Return the lock as it stands."""
        self._world.enter(Call.LOCK)
        with self._world.lock:
            return self._lease

    def write(self, lease: Lease) -> Lease:
        """Let the lock be so, unless it has another version by now."""
        self._world.enter(Call.LOCK)
        with self._world.lock:
            if lease.version != ("" if self._lease is None else self._lease.version):
                raise Conflict("the lock was changed by somebody else")
            return self._put(lease)

    def seized_by(self, holder: str, *, lasts_s: float) -> None:
        """Let somebody else hold it from now on, whoever held it before (for tests)."""
        now = self._world.clock.now()
        with self._world.lock:
            self._put((self._lease or NEVER_HELD).passed_to(holder, now, lasts_s=lasts_s))

    def _put(self, lease: Lease) -> Lease:
        self._version += 1
        self._lease = replace(lease, version=str(self._version))
        return self._lease


class DemoBoard:
    """Keeps what was posted, oldest first."""

    def __init__(self, world: "DemoWorld") -> None:
        self._world = world
        self._posted: list[Notice] = []

    @property
    def posted(self) -> tuple[Notice, ...]:
        """What was posted (for tests)."""
        with self._world.lock:
            return tuple(self._posted)

    def post(self, notice: Notice) -> None:
        """Keep it."""
        self._world.enter(Call.POST)
        with self._world.lock:
            self._posted.append(notice)
