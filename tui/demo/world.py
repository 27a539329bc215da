"""The embedded world: one scenario, running; behind the same ports as a real cluster and real clouds.

What people see goes through ``nodes``, ``reader`` and ``writer``. Everything under "for tests" reaches behind the
ports, at once and without latency. All of it is thread-safe: there is one lock, the clock's. May import the ports and
the model.
"""

import math
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from tui.demo.azure_cloud import AzureReader, AzureWriter
from tui.demo.azure_tables import AzureTables
from tui.demo.clock import START, DemoClock
from tui.demo.cloud import DemoReader, DemoWriter
from tui.demo.cluster import DemoBoard, DemoLock, DemoNodes
from tui.demo.commands import asked, command
from tui.demo.description import Machine, RoutePlan, Scenario
from tui.demo.faults import KUBERNETES, Call, Faults
from tui.demo.fleet import taints
from tui.demo.state import State
from tui.meter import Meter
from tui.model.change import Change
from tui.model.network import NetworkInterface, Route
from tui.model.node import Cloud, Node
from tui.ports import Denied, PortError

_LATENCY_S = {
    Call.LIST: (0.04, 0.08),
    Call.WATCH: (0.04, 0.08),
    Call.FACTS: (0.04, 0.08),
    Call.OBSERVE: (0.1, 0.25),
    Call.READ: (0.1, 0.25),
    Call.WRITE: (0.2, 0.6),
    Call.IDENTITY: (0.1, 0.25),
    Call.LOCK: (0.04, 0.08),
    Call.POST: (0.04, 0.08),
    Call.PODS: (0.04, 0.08),
}


class DemoWorld:
    """A running scenario.

    ``nodes``, ``cluster_lock``, ``board`` and ``clock`` are the ports of the cluster and of time, ``meter`` counts the
    calls, and ``scope`` is what an operator of this cluster would have said on the command line. ``echoes`` is the
    number of reads that still show the old value after a write; it may be set at any time. With ``latency`` the clock
    runs and calls take their time, without it the clock stands (see ``DemoClock``) and calls answer at once.
    """

    def __init__(self, scenario: Scenario, *, latency: bool = True) -> None:
        self.scenario = scenario
        self.scope = scenario.scope
        self.echoes = scenario.echoes
        self.clock = DemoClock(running=latency)
        self.meter = Meter(self.clock.now)
        self.lock = self.clock.moved
        self.closed = threading.Event()
        self.faults = Faults()
        self._state = State(scenario, START)
        self._steps = list(reversed(scenario.schedule))
        self._latency = latency
        self._random = random.Random(f"latency of {scenario.name}")  # noqa: S311 - a delay is no secret
        for site in scenario.sites:
            if site.denial is not None:
                self.faults.lost[site.source] = Denied(site.denial)
        self.nodes = DemoNodes(self)
        self.cluster_lock = DemoLock(self)
        self.board = DemoBoard(self)

    def reader(self, cloud: Cloud) -> DemoReader:
        """Return the reading side of a cloud; of one that the scenario has not, it finds nothing."""
        return AzureReader(self, cloud) if cloud is Cloud.AZURE else DemoReader(self, cloud)

    def writer(self, cloud: Cloud) -> DemoWriter:
        """Return the writing side of a cloud."""
        return AzureWriter(self, cloud) if cloud is Cloud.AZURE else DemoWriter(self, cloud)

    def close(self) -> None:
        """End watches, held calls and delays at once, from any thread. Everything else keeps answering."""
        self.closed.set()
        with self.lock:
            self.lock.notify_all()

    # For the ports' implementations.

    def current(self) -> State:
        """Return the world as it is now, after what the schedule has due. The caller holds ``lock``."""
        while self._steps and self._steps[-1].at_s <= self.clock.monotonic_s():
            step = self._steps.pop()
            self._state.perform(step, START + timedelta(seconds=step.at_s))
        return self._state

    def due_s(self) -> float:
        """Return the instant of the schedule's next step; infinity when there is none. The caller holds ``lock``."""
        return self._steps[-1].at_s if self._steps else math.inf

    def enter(self, call: Call, cloud: Cloud | None = None, about: Change | None = None) -> PortError | None:
        """Count the call, let it take its time, and raise what it must fail with. Of a write it must be told ``about``.

        Returns an error to be raised after the call has taken effect; None in the usual case.
        """
        self.meter.count(KUBERNETES if cloud is None else cloud)
        with self.lock:
            self.faults.arrive(call)
            delay_s = self._random.uniform(*_LATENCY_S[call]) if self._latency else 0.0
            self.lock.wait_for(lambda: not self.faults.holds(call) or self.closed.is_set())
        if delay_s:
            self.clock.wait(self.closed, delay_s)
        with self.lock:
            lost = self.faults.lost.get(KUBERNETES) if cloud is None else None
            fault = self.faults.take(call, cloud) if lost is None else (lost, False)
        result = "ok" if fault is None else type(fault[0]).__name__
        twin = command(about) if call is Call.WRITE and about else asked(call, cloud, about.subject if about else None)
        self.meter.remember(cloud or KUBERNETES, twin, delay_s, result)
        if fault is None:
            return None
        error, done = fault
        if done:
            return error
        raise error

    # For tests: faults.

    def calls(self, call: Call) -> int:
        """Return how many calls of this kind were made, failed ones included."""
        with self.lock:
            return self.faults.calls[call]

    def fail_next(
        self, call: Call, error: PortError, *, cloud: Cloud | None = None, times: int = 1, done: bool = False
    ) -> None:
        """Let the next ``times`` calls of this kind raise ``error``, one after another; several requests queue up.

        ``cloud`` restricts it to one cloud. ``done``: the call takes effect before it raises, as when the answer got
        lost (``Indeterminate``; writes only). ``OBSERVE`` raises nothing, but shows the error in every view of that
        read; a ``WATCH`` fails when it starts, for one under way see ``end_watches``.
        """
        with self.lock:
            self.faults.add(call, error, cloud=cloud, times=times, done=done)

    @contextmanager
    def hold(self, call: Call) -> Iterator[threading.Event]:
        """Let calls of this kind hang until the block is left (or ``close``); the event tells that one has arrived."""
        arrived = threading.Event()
        with self.lock:
            self.faults.held.append((call, arrived))
        try:
            yield arrived
        finally:
            with self.lock:
                self.faults.held.remove((call, arrived))
                self.lock.notify_all()

    def lose(self, source: str, error: PortError) -> None:
        """Let every call to a source (``kubernetes``, ``aws:us-east-1``) fail until ``recover``; end its watches."""
        with self.lock:
            self.faults.lost[source] = error
        if source == KUBERNETES:
            self.end_watches(error)

    def recover(self, source: str) -> None:
        """End what ``lose``, or the scenario, has begun."""
        with self.lock:
            self.faults.lost.pop(source, None)

    def end_watches(self, error: PortError | None = None) -> None:
        """Let the server close every watch under way, with an error if there is one."""
        with self.lock:
            self.faults.streams += 1
            self.faults.stream_error = error
            self.lock.notify_all()

    def expire_watches(self) -> None:
        """Let the server forget its history: watches under way, and from versions before now, raise ``Expired``."""
        with self.lock:
            self.current().log.forget()
            self.lock.notify_all()

    # For tests: what other people do meanwhile.

    def node(self, name: str) -> Node:
        """Return the Node object. Raises ``KeyError`` when there is none."""
        with self.lock:
            return self.current().log.nodes[name]

    def put_node(self, node: Node) -> None:
        """Add or change a Node object (``dataclasses.replace`` of ``node(name)``); another uid is another node."""
        with self.lock:
            self.current().log.put(node)
            self.lock.notify_all()

    def add_node(self, machine: Machine) -> None:
        """Let a machine join, in a site of the scenario. After ``remove_node`` of the same name it is another node."""
        with self.lock:
            self.current().add(machine, self.clock.now())
            self.lock.notify_all()

    def remove_node(self, name: str, *, vm: bool = True) -> None:
        """Delete a node and, unless ``vm`` is False, its VM; its routes stay. Raises ``KeyError`` without a node."""
        with self.lock:
            self.current().remove(name, vm=vm)
            self.lock.notify_all()

    def terminate(self, name: str) -> None:
        """Let the VM of a node be gone, whether or not the node has left; its routes stay."""
        with self.lock:
            self.current().terminate(name)

    def interface(self, name: str) -> NetworkInterface:
        """Return the interface behind a node as it truly is, echoes or not. Raises ``KeyError`` when its VM is gone."""
        with self.lock:
            return self.current().interface_of(name)

    def change_behind(self, subject: str, forwards: bool) -> None:
        """Let somebody else set the flag: visible at once, with a new token. Raises ``KeyError`` without a subject."""
        with self.lock:
            site = self.current().site_of(subject)
            if site is None:
                raise KeyError(subject)
            site.set_forwarding(subject, forwards, echoes=0)

    def routes(self, source: str) -> tuple[Route, ...]:
        """Return a source's routes as they truly are, of all tables, without those of the cloud's own."""
        with self.lock:
            site = self.current().sites[source]
            return site.azure.now() if site.azure is not None else self.current().judged(site, site.routes.now())

    def table_history(self, source: str) -> tuple[tuple[Route, ...], ...]:
        """Return every state of a source's routes since the start, oldest first.

        The warnings are those that the next hops, as they are now, give cause for.
        """
        with self.lock:
            state = self.current()
            site = state.sites[source]
            return tuple(state.judged(site, routes) for routes in site.routes.history)

    def put_route(self, source: str, route: Route | RoutePlan) -> Route:
        """Let somebody else make a route, visible at once, in the place of one of its name; return it."""
        with self.lock:
            site = self.current().sites[source]
            made = self.current().planned(site, route) if isinstance(route, RoutePlan) else route
            site.put_route(made, route.table if isinstance(route, RoutePlan) else "")
            return made if site.azure is not None else site.routes.now()[-1]

    def drop_route(self, source: str, name: str) -> None:
        """Let somebody else delete a route. Raises ``KeyError`` when there is none."""
        with self.lock:
            site = self.current().sites[source]
            (site.routes if site.azure is None else site.azure).drop(name)

    def limit_routes(self, source: str, limit: int) -> None:
        """Let the cloud change how many routes a project or table may hold."""
        with self.lock:
            site = self.current().sites[source]
            (site.routes if site.azure is None else site.azure).limit = limit

    def tables(self, source: str) -> AzureTables:
        """Return the route tables of an Azure source as they truly are, with their history. Raises ``KeyError``."""
        with self.lock:
            found = self.current().sites[source].azure
            if found is None:
                raise KeyError(source)
            return found

    def cordon(self, name: str, *, schedulable: bool = False) -> None:
        """Let somebody cordon the node, or uncordon it."""
        known = self.node(name)
        self.put_node(replace(known, schedulable=schedulable, taints=taints(schedulable, known.ready)))
