"""How much faster and smaller than the ``kubernetes`` package's models the node list and the watch are read.

Run by hand: ``python -m tests.bench.bench_kube [NODES]``. The API server is a process of its own that sends nodes of
some 13 kB from memory. Each measurement runs in a fresh process, five times, the best counts; imports, credentials and
the first connection are made before its clock starts, for a watch also its first event. "watch" is over HTTP, where
both spend the same time on 27 MB in the socket; "lines" has the same chunks in memory. Peak memory is the resident
set's high-water mark; "on top" is what it rose by after the clock started, since the imports alone take tens of
megabytes.
"""

import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
from kubernetes import client, config, watch

from tests.wire.kube import KubeServer, node_object
from tui.kube import KubeNodes
from tui.kube.connection import Response

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_EVENTS = 2000
_RUNS = 5


def _serve(kubeconfig: Path, nodes: int, control: Connection) -> None:
    with KubeServer() as server:
        for number in range(nodes):
            third, fourth = divmod(number, 250)
            ip, pod_cidr = f"10.0.{third}.{fourth + 1}", f"10.{128 + third}.{fourth}.0/24"
            provider_id = f"aws:///eu-west-1a/i-{number:017x}"
            name = f"ip-10-0-{third}-{fourth + 1}.eu-west-1.compute.internal"
            server.put_node(node_object(name, ip=ip, pod_cidr=pod_cidr, provider_id=provider_id, bulky=True))
        server.kubeconfig(kubeconfig)
        listed = server.version
        for number in range(_EVENTS):
            server.put_node(node_object(f"fresh-{number % 100}", bulky=True))
        for number in range(100):
            server.delete_node(f"fresh-{number}")
        size = len(server.list_nodes({}))
        query = {"limit": "500"}  # the answers are kept, so that no measurement waits for their making
        while token := json.loads(server.list_nodes(query))["metadata"].get("continue"):
            query["continue"] = token
        control.send((listed, size / nodes))
        control.recv()


class _Replay:
    """A response whose body is in memory, an event in each chunk, as the API server sends them."""

    status = 200
    connection = None

    def __init__(self, source: KubeNodes, since: str) -> None:
        self._chunks = [
            msgspec.json.encode({"type": "MODIFIED", "object": node_object(event.node.name, bulky=True)}) + b"\n"
            for event in islice(source.watch(since), _EVENTS)
            if event.node is not None
        ]

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        return iter(self._chunks)

    def close(self) -> None:
        pass

    def release_conn(self) -> None:
        pass


def _ours(kubeconfig: str) -> KubeNodes:
    source = KubeNodes.open(kubeconfig=kubeconfig, context=None)
    next(source.watch("0"))
    return source


def _api(kubeconfig: str) -> Any:
    config.load_kube_config(kubeconfig)  # type: ignore[no-untyped-call]
    api = client.CoreV1Api()
    api.list_node(limit=1)
    return api


def _list(kubeconfig: str, _: str) -> Callable[[], int]:
    source = _ours(kubeconfig)
    return lambda: len(source.list().nodes)


def _list_package(kubeconfig: str, _: str) -> Callable[[], int]:
    api = _api(kubeconfig)
    return lambda: len(api.list_node().items)


def _watch(kubeconfig: str, since: str) -> Callable[[], int]:
    return _rest(_ours(kubeconfig).watch(since))


def _watch_package(kubeconfig: str, since: str) -> Callable[[], int]:
    return _rest(_package_stream(_api(kubeconfig).list_node, since))


def _lines(kubeconfig: str, since: str) -> Callable[[], int]:
    source = _ours(kubeconfig)
    replay = cast("BaseHTTPResponse", _Replay(source, since))
    return _rest(source._events(Response(access=source._access, status=200, headers={}, body=replay)))


def _lines_package(kubeconfig: str, since: str) -> Callable[[], int]:
    replay = _Replay(_ours(kubeconfig), since)
    return _rest(_package_stream(lambda **_: replay, since))


def _package_stream(request: Callable[..., object], since: str) -> Iterator[object]:
    package = watch.Watch(return_type="V1Node")  # type: ignore[no-untyped-call]
    return iter(package.stream(request, resource_version=since))  # type: ignore[no-untyped-call]


def _rest(events: Iterator[object]) -> Callable[[], int]:
    next(events)
    return lambda: sum(1 for _ in islice(events, _EVENTS - 1))


_MEASUREMENTS = {
    "list": _list,
    "list-package": _list_package,
    "watch": _watch,
    "watch-package": _watch_package,
    "lines": _lines,
    "lines-package": _lines_package,
}


def _measure(name: str, kubeconfig: str, since: str) -> None:
    run = _MEASUREMENTS[name](kubeconfig, since)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    count = run()
    seconds = time.perf_counter() - started
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"count": count, "s": seconds, "peak_mb": peak_kb / 1024, "top_mb": (peak_kb - before_kb) / 1024}))


def _best(name: str, kubeconfig: Path, since: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.bench_kube", "--measure", name, str(kubeconfig), since]
    runs: list[dict[str, float]] = []
    for _ in range(_RUNS):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    return min(runs, key=lambda run: run["s"])


def main(nodes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / "config"
        control, remote = multiprocessing.Pipe()
        server = multiprocessing.Process(target=_serve, args=(kubeconfig, nodes, remote), daemon=True)
        server.start()
        since, node_bytes = control.recv()
        print(f"{nodes} nodes of {node_bytes / 1000:.1f} kB, {_EVENTS} watch events")
        best = {name: _best(name, kubeconfig, since) for name in _MEASUREMENTS}
        control.send(None)
        server.join()
    for name, result in best.items():
        memory = f"peak {result['peak_mb']:5.0f} MB, on top of imports {result['top_mb']:5.0f} MB"
        print(f"{name:14} {result['count']:5.0f} in {result['s']:6.3f} s, {memory}")
    ours, theirs = best["list"], best["list-package"]
    print(f"list:  {theirs['s'] / ours['s']:.1f} times as fast (wanted: 25)")
    print(f"       peak memory 1/{theirs['peak_mb'] / ours['peak_mb']:.1f} (wanted: 1/6)", end=", ")
    print(f"on top of imports 1/{theirs['top_mb'] / max(ours['top_mb'], 0.1):.1f}")
    print(f"lines: {best['lines-package']['s'] / best['lines']['s']:.1f} times as fast (wanted: 15)")
    print(f"watch: {best['watch-package']['s'] / best['watch']['s']:.1f} times as fast, the shared transport included")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _measure(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
