"""What hours of a rolling upgrade cost: memory, the time from an event to its report, and the size of the record.

Run by hand: ``python -m tests.bench.bench_upgrade [NODES] [MINUTES]``. A simulated cluster on Compute Engine replaces
ten nodes a minute, each with six node events and a route that somebody else puts right; everything is looked at every
ten seconds, as a watch does in which something happens all the time. The first tenth is not measured: caches fill.
"""

import gc
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from tests.test_worlds import GCE, ZONE
from tui.demo import DemoWorld, Machine, RoutePlan, Scenario, Site, SubnetPlan
from tui.engine import timeline
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.record import MOST_BYTES, Record, read_record
from tui.engine.session import Session
from tui.process import collect_rarely

_NODES, _MINUTES = 5_000, 120
_STEP_S = 10
_REPLACED_A_MINUTE = 10
_MOST_GROWTH = 0.10
"""Of the memory in use, over the measured time, beside what is remembered of nodes that left."""
_MOST_PER_NODE = 6_000
"""Bytes that may be remembered of one node that left."""
_MOST_S = 1.0
SITE = replace(GCE, subnets=(SubnetPlan(name="a", cidrs=("10.1.0.0/16",)),))


def machine(number: int, generation: int = 0) -> Machine:
    """Return a node, or the one that takes its place under another name and with its pod CIDR."""
    place = number + generation * 10_000
    return Machine(
        name=f"n{place:05}",
        site=GCE.source,
        subnet="a",
        zone=ZONE,
        addresses=(f"10.1.{number % 60_000 // 250}.{number % 250 + 2}",),
        pod_cidrs=(f"100.{64 + (number >> 8)}.{number & 255}.0/24",),
        version=f"v1.{34 + min(generation, 1)}.0",
        routed=generation == 0,
    )


class House:
    """A watch of a cluster that is upgraded. Where it is ``live`` time passes by itself and somebody else begins."""

    def __init__(self, nodes: int, folder: Path, *, live: bool = False) -> None:
        sites: tuple[Site, ...] = (SITE,)
        machines = tuple(machine(number) for number in range(nodes))
        scenario = Scenario(name="bench", pod_cidrs=("100.64.0.0/10",), machines=machines, sites=sites)
        self.world = DemoWorld(scenario, latency=live)
        self.world.clock.skips_up_to_s = math.inf
        self.world.limit_routes(GCE.source, 10 * nodes)
        observer = Observer(
            nodes=self.world.nodes, reader=self.world.reader, clock=self.world.clock, scope=self.world.scope
        )
        self.record = Record(folder / "record.jsonl", "bench")
        self.session = Session(
            nodes=self.world.nodes,
            observer=observer,
            reader=self.world.reader,
            writing=None,
            journal=Journal.of(folder, observer.cluster, self.world.clock),
            clock=self.world.clock,
            record=self.record,
        )
        if not live:
            self.session._reports.go_on(self.world.clock.now())
        self._next = 0
        self._nodes = nodes

    def minute(self) -> Iterator[float]:
        """Let a minute pass, and yield how long each look at it takes."""
        batch = [self._next + number for number in range(_REPLACED_A_MINUTE)]
        self._next += len(batch)
        for step in range(60 // _STEP_S):
            self.world.clock.advance(_STEP_S)
            for count in batch:
                self._go_on(count % self._nodes, count // self._nodes, step)
            began_s = perf_counter()
            self.session.observe()
            yield perf_counter() - began_s

    def forget(self) -> None:
        """Let the simulated cloud forget earlier states of its routes: they are its own, and not the watch's."""
        self.world.current().sites[GCE.source].routes.begin()

    def _go_on(self, number: int, generation: int, step: int) -> None:
        old, new = machine(number, generation), machine(number, generation + 1)
        match step:
            case 0:
                self.world.cordon(old.name)
            case 1:
                self.world.remove_node(old.name)
            case 2:
                self.world.add_node(replace(new, ready=False))
            case 3:
                self.world.put_node(replace(self.world.node(new.name), ready=True))
            case 4:
                cidr = new.pod_cidrs[0]
                for name in [one.name for one in self.world.routes(GCE.source) if str(one.destination) == cidr]:
                    self.world.drop_route(GCE.source, name)
                plan = RoutePlan(destination=new.pod_cidrs[0], to=f"{ZONE}/{new.name}", name=f"r-{new.name}")
                self.world.put_route(GCE.source, plan)


def resident_bytes() -> int:
    """Return what the process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def main(nodes: int, minutes: int) -> int:
    """Print the figures; return 0 when they are within their limits."""
    collect_rarely()  # as the program does
    with tempfile.TemporaryDirectory() as folder:
        house = House(nodes, Path(folder))
        house.session.observe()
        spans: list[float] = []
        warm = max(1, minutes // 10)
        before = 0
        for minute in range(minutes):
            if minute == warm:
                before = resident_bytes()
            spans += list(house.minute())
            house.forget()
        after = resident_bytes()
        left = (minutes - warm) * _REPLACED_A_MINUTE
        report = house.session.newest
        size = house.record.path.stat().st_size
        assert report is not None
        assert report.rollout is not None
        assert sum(1 for _ in read_record(house.record.path, timeline.LIMIT)) > 0
    grown = after - before
    slow = quantiles(spans, n=100)[98]
    print(f"{nodes} nodes, {minutes} minutes, {minutes * _REPLACED_A_MINUTE} replaced")
    print(f"memory {before / 1e6:.1f} MB -> {after / 1e6:.1f} MB, {grown / max(1, left):.0f} bytes per node that left")
    print(f"a look and its report: median {median(spans):.3f} s, 99th percentile {slow:.3f} s (limit {_MOST_S} s)")
    print(f"record {size / 1e6:.1f} MB (limit {2 * MOST_BYTES / 1e6:.0f} MB)")
    flat = grown < _MOST_GROWTH * before + left * _MOST_PER_NODE
    return 0 if flat and slow < _MOST_S and size < 2 * MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main(*(int(given) for given in sys.argv[1:3])) if len(sys.argv) > 2 else main(_NODES, _MINUTES))
