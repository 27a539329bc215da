"""How long the console's event loop is held up: while the first observation comes in, and while a plan is opened.

Run by hand: ``python -m tests.bench.bench_loop [NODES]``. Servers of Kubernetes and Compute Engine run in a process of
their own; one node in ten has its flag off, one in ten no route. A task on the console's loop sleeps 1 ms again and
again, and what it sleeps longer is what a key would have had to wait.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from time import perf_counter

import pytest

from tests.wire.gce import ZONE, ComputeServer, isolate
from tests.wire.kube import KubeServer
from tests.wire.node_objects import node_object
from tui.process import collect_rarely
from tui.screen.app import L2BridgeApp
from tui.screen.confirm import Confirm
from tui.screen.nodes import NodesPane
from tui.settings import Settings
from tui.wiring import open_session

_NODES = 5_000
_TICK_S = 0.001
_LONGEST_S, _MEDIAN_S = 0.25, 0.01
_NAMES = (
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CLOUDSDK_CONFIG",
    "NO_GCE_CHECK",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE",
)


def _serve(count: int, folder: Path) -> None:
    """Run both servers, print the environment that leads to them, and stay until standard input is closed."""
    with ComputeServer() as gce, KubeServer() as kube:
        gce.validates = False
        gce.network("default", ranges=("10.0.0.0/16",))
        for number in range(count):
            name, ip = f"n{number:05}", str(IPv4Address("10.0.0.2") + number)
            pods = f"{IPv4Address('100.64.0.0') + number * 256}/24"
            gce.instance(name, ip=ip, forwards=number % 10 != 1)
            if number % 10 != 2:
                gce.route(f"r{number}", pods, instance=name)
            kube.put_node(node_object(name, ip=ip, pod_cidr=pods, provider_id=f"gce://p/{ZONE}/{name}", bulky=True))
        isolate(pytest.MonkeyPatch(), folder, gce)
        told = {name: os.environ[name] for name in _NAMES}
        told["KUBECONFIG"] = str(kube.kubeconfig(folder / "kubeconfig"))
        print(json.dumps(told), flush=True)
        sys.stdin.read()


async def _measure(settings: Settings, count: int) -> dict[str, list[float]]:
    """Return how late the loop was, tick by tick and phase by phase, in seconds."""
    late: dict[str, list[float]] = {}
    app = L2BridgeApp(open_session(settings), settings)
    async with app.run_test(size=(120, 40)) as pilot:

        async def phase(name: str, holds: Callable[[], bool]) -> None:
            ticks = late.setdefault(name, [])
            while not holds():
                before_s = perf_counter()
                await asyncio.sleep(_TICK_S)
                ticks.append(perf_counter() - before_s - _TICK_S)

        def judged() -> int:
            report = app.console_screen.query_one(NodesPane).report
            counts = report.counts() if report is not None else {}
            return counts.get("healthy", 0) + counts.get("error", 0)

        await phase("first observation", lambda: judged() == count)
        app.simulate_key("F")
        await phase("plan opened", lambda: isinstance(app.screen, Confirm))
        await pilot.pause()
        app.simulate_key("escape")
        await phase("plan closed", lambda: not isinstance(app.screen, Confirm))
    return late


def main() -> int:
    """Print the longest and the median delay of each phase; fail when one is too long."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else _NODES
    collect_rarely()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.bench.bench_loop", "--serve", str(count), folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as servers:
            assert servers.stdout is not None
            os.environ.update(json.loads(servers.stdout.readline()))
            late = asyncio.run(_measure(Settings(state_dir=Path(folder)), count))
            servers.terminate()
    good = True
    for name, ticks in late.items():
        longest_s, median_s = max(ticks), statistics.median(ticks)
        good = good and longest_s < _LONGEST_S and median_s < _MEDIAN_S
        print(f"{name:18} {len(ticks):6} ticks  longest {longest_s * 1e3:7.1f} ms  median {median_s * 1e3:5.2f} ms")
    return 0 if good else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        _serve(int(sys.argv[2]), Path(sys.argv[3]))
        sys.exit(0)
    sys.exit(main())
