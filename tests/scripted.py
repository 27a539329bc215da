"""Fakes at the border: a cloud that answers as scripted, a clock that only waiting moves, nodes from a list."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from queue import SimpleQueue
from typing import assert_never

from tests import build
from tui.model.change import (
    AssociateRouteTable,
    Change,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
    ReplaceRoute,
    SetForwarding,
)
from tui.model.network import Route
from tui.model.node import Cloud, Node
from tui.model.snapshot import CloudView, Cluster
from tui.ports import ClusterFacts, NodeEvent, NodeList, NotFound, PortError, Reading


class ScriptedClock:
    """Time stands still until somebody waits, and waiting takes no time at all."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self.waits_s: list[float] = []

    def now(self) -> datetime:
        return build.NOON + timedelta(seconds=self.passed_s)

    def monotonic_s(self) -> float:
        return self.passed_s

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        if not event.is_set():
            self.passed_s += timeout_s
            self.waits_s.append(timeout_s)
        return event.is_set()


class SteppedClock:
    """Time moves only when the test says so, once somebody waits for it. For one who waits at a time."""

    def __init__(self) -> None:
        self._passed_s = 0.0
        self._deadline_s: float | None = None
        self._changed = threading.Condition()

    def now(self) -> datetime:
        return build.NOON + timedelta(seconds=self._passed_s)

    def monotonic_s(self) -> float:
        return self._passed_s

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        deadline_s = self._passed_s + timeout_s
        self._tell(deadline_s)
        while not event.wait(0.002) and self._passed_s < deadline_s:
            pass
        self._tell(None)
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Let time pass when somebody waits for it, and wait until a wait that this ends has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._deadline_s is not None)
            self._passed_s += seconds
            self._changed.wait_for(lambda: self._deadline_s is None or self._deadline_s > self._passed_s)

    def _tell(self, deadline_s: float | None) -> None:
        with self._changed:
            self._deadline_s = deadline_s
            self._changed.notify_all()


class ScriptedCloud:
    """One cloud whose resources are flags by subject, routes by name, and tables by their own or a subnet's id.

    ``reads`` and ``writes`` are answered before these are: an exception in them is raised, a value returned, None falls
    through. Without ``obeys`` a write changes nothing. ``log`` is every observation, read and write.
    """

    cloud = Cloud.AWS

    def __init__(self, flags: dict[str, bool | None] | None = None) -> None:
        self.flags: dict[str, bool | None] = {"eni-1": False} if flags is None else flags
        self.tokens: dict[str, str] = {}
        self.routes: dict[str, Route] = {}
        self.tables: dict[str, str | None] = {}
        self.reads: list[PortError | Reading] = []
        self.writes: list[PortError | None] = []
        self.obeys = True
        self.on_write: Callable[[Change], None] = lambda _: None
        self.views: list[tuple[CloudView, ...]] = []
        self.log: list[str] = []

    def glance(self, nodes: Sequence[Node]) -> None:
        return None

    def observe(self, nodes: Sequence[Node]) -> tuple[CloudView, ...]:
        self.log.append(f"observe {len(nodes)}")
        return self.views.pop(0) if len(self.views) > 1 else self.views[0]

    def read(self, change: Change) -> Reading:
        self.log.append(f"read {change.subject}")
        if self.reads:
            answer = self.reads.pop(0)
            if isinstance(answer, PortError):
                raise answer
            return answer
        if not isinstance(change, SetForwarding):
            return Reading(routes=tuple(self.routes.values()), table=self.tables.get(change.subject))
        if change.subject not in self.flags:
            raise NotFound("no such interface")
        return Reading(forwards=self.flags[change.subject], token=self.tokens.get(change.subject))

    def write(self, change: Change) -> None:
        self.log.append(f"write {change.subject}")
        self.on_write(change)
        error = self.writes.pop(0) if self.writes else None
        if self.obeys and error is None:
            self._obey(change)
        if error is not None:
            raise error

    def _obey(self, change: Change) -> None:
        match change:
            case SetForwarding():
                self.flags[change.subject] = change.after
            case CreateRoute():
                self.routes[change.after.name] = change.after
            case DeleteRoute():
                del self.routes[change.before.name]
            case ReplaceRoute():
                self.routes[change.after.name] = change.after
            case CreateRouteTable():
                self.tables[change.subject] = change.subject
                self.routes |= {route.name: route for route in change.after.routes}
            case DeleteRouteTable():
                del self.tables[change.subject]
            case AssociateRouteTable():
                self.tables[change.subject] = change.after
            case _:
                assert_never(change)

    def command(self, change: Change) -> str:
        return f"aws change {change.subject}"

    def identity(self, source: str) -> str | None:
        return f"somebody in {source}"


class ScriptedNodes:
    """A cluster whose lists and watch streams are given in advance; a watch without a script waits until ``close``."""

    def __init__(self, *lists: NodeList | PortError) -> None:
        self.lists = list(lists)
        self.watches: list[list[NodeEvent] | PortError] = []
        self.since: SimpleQueue[str] = SimpleQueue()
        self._closed = threading.Event()

    def cluster(self) -> Cluster:
        return build.CLUSTER

    def list(self) -> NodeList:
        answer = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(answer, PortError):
            raise answer
        return answer

    def watch(self, since: str) -> Iterator[NodeEvent]:
        self.since.put(since)
        if not self.watches:
            self._closed.wait()
            return
        answer = self.watches.pop(0)
        if isinstance(answer, PortError):
            raise answer
        yield from answer

    def facts(self) -> ClusterFacts:
        return ClusterFacts(pod_cidrs=(ip_network("10.42.0.0/16"),))

    def identity(self) -> str:
        return "somebody"

    def close(self) -> None:
        self._closed.set()
