"""How long it takes from a node event to the report that the console shows, at thousands of nodes in an upgrade.

Run by hand: ``python -m tests.bench.bench_event [NODES] [SECONDS]``. On Compute Engine nodes are cordoned, removed,
added and become ready, 200 events a minute. What is measured ends when the console has drawn the first report with
the event in it; beside it, how long the console's event loop is held up. Ends with 1 above a limit.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from tests.bench.bench_upgrade import House, machine
from tui.model.finding import Report
from tui.model.node import Node
from tui.process import collect_rarely
from tui.screen.app import L2BridgeApp
from tui.screen.nodes import NodesPane
from tui.settings import Settings

_NODES, _SECONDS = 5_000, 30.0
_EVENTS_A_MINUTE = 200
_LONGEST_S, _LONGEST_HELD_S = 0.25, 0.1
_SETTLE_S = 3.0
_TICK_S = 0.001

_Shown = Callable[[Node | None], bool]


def _events(house: House) -> Iterator[tuple[str, _Shown]]:
    """Let one event after another happen; yield the node's name, and what tells from its Node that it is shown."""
    world, number = house.world, 0
    while True:
        old, new = machine(number), machine(number, 1)
        world.cordon(old.name)
        yield old.name, lambda node: node is not None and not node.schedulable
        world.remove_node(old.name)
        yield old.name, lambda node: node is None
        world.add_node(replace(new, ready=False))
        yield new.name, lambda node: node is not None
        world.put_node(replace(world.node(new.name), ready=True))
        yield new.name, lambda node: node is not None and node.ready is True
        number += 1


async def _measure(house: House, folder: Path, seconds: float) -> tuple[list[float], list[float]]:
    """Return the seconds from each event to its drawing, and how late the loop was at each tick."""
    app = L2BridgeApp(house.session, Settings(state_dir=folder))
    spans: list[float] = []
    late: list[float] = []
    async with app.run_test(size=(80, 24)):

        def shown() -> Report | None:
            return app.console_screen.query_one(NodesPane).report

        def drawn(began: list[float]) -> None:
            spans.extend(perf_counter() - began_s for began_s in began)

        while (
            (report := shown()) is None
            or not report.assessments
            or report.counts()["healthy"] < len(report.assessments)
        ):
            await asyncio.sleep(_TICK_S)
        await asyncio.sleep(_SETTLE_S)  # let the first look at everything be over
        events, began_s = _events(house), perf_counter()
        waiting: list[tuple[float, str, _Shown]] = []
        happened, seen = 0, shown()
        while waiting or perf_counter() - began_s < seconds:
            now = perf_counter()
            due_s = began_s + happened * 60 / _EVENTS_A_MINUTE
            if due_s <= now < began_s + seconds:
                waiting.append((perf_counter(), *next(events)))
                happened += 1
            if (newest := shown()) is not seen and newest is not None:
                seen = newest
                nodes = {assessment.node.name: assessment.node for assessment in newest.assessments}
                over = [event for event in waiting if event[2](nodes.get(event[1]))]
                waiting = [event for event in waiting if event not in over]
                app.screen.call_after_refresh(drawn, [began_s for began_s, _, _ in over])
            ticked_s = perf_counter()
            await asyncio.sleep(_TICK_S)
            late.append(perf_counter() - ticked_s - _TICK_S)
    return spans, late


def main(nodes: int, seconds: float) -> int:
    """Print the figures; return 0 when they are within their limits."""
    collect_rarely()  # as the program does
    with tempfile.TemporaryDirectory() as folder:
        house = House(nodes, Path(folder), live=True)
        spans, late = asyncio.run(_measure(house, Path(folder), seconds))
    ninety = quantiles(spans, n=10)[8]
    print(f"{nodes} nodes, {len(spans)} events in {seconds:.0f} s")
    print(f"event to screen: median {median(spans):.3f} s, 90 % {ninety:.3f} s, longest {max(spans):.3f} s")
    print(f"the loop was held up {max(late):.3f} s at most")
    return 0 if max(spans) < _LONGEST_S and max(late) < _LONGEST_HELD_S else 1


if __name__ == "__main__":
    told = (*map(float, sys.argv[1:]), *(_NODES, _SECONDS)[len(sys.argv) - 1 :])
    sys.exit(main(int(told[0]), told[1]))
