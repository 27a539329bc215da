"""How much faster than through the typed client's models the lists of instances and routes are read.

Run by hand: ``python -m tests.bench.bench_gce [OBJECTS]``. The pages of 500 objects are made of what the test server
tells: whole, as the service sends them to a client that asks for everything, and as the field mask leaves them.
"Decoded" is bytes to structs, against bytes to models, and is what counts; "read" goes on to the values that the checks
see, addresses parsed and all, against merely taking the same fields from the models. Medians of five runs for us and
three for the models, after all imports.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from google.cloud import compute_v1

from tests.wire.gce import ZONE, ComputeServer
from tests.wire.gce_masks import apply_mask, parse_mask
from tui.clouds.gce_names import Names
from tui.clouds.gce_objects import (
    INSTANCE_PAGE_FIELDS,
    ROUTE_PAGE_FIELDS,
    InstancePage,
    RoutePage,
    instances_of,
    routes_of,
)

_PAGE = 500
_OUR_RUNS, _THEIR_RUNS = 5, 3
_NAMES = Names(home="p")
_Step = tuple[str, Callable[[list[bytes]], object], Callable[[list[bytes]], object]]


def _pages(count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the pages of both lists as the service tells them."""
    server = ComputeServer()
    server.network(ranges=("10.0.0.0/16",))
    server.instance("n0", ip="10.0.0.2", forwards=True, tags=("node",), alias=("10.200.0.0/24",))
    server.route("r0", "10.42.0.0/24", instance="n0", description='{"by":"l2bridge-tui","cluster":"prod"}')
    machine, route = server.raw_instance("n0"), server.routes()["r0"]
    instances: list[dict[str, Any]] = []
    routes: list[dict[str, Any]] = []
    for start in range(0, count, _PAGE):
        numbers = range(start, min(start + _PAGE, count))
        listed = [
            machine
            | {"name": f"n{number}", "id": str(10**18 + number)}
            | {"networkInterfaces": [machine["networkInterfaces"][0] | {"networkIP": _address(10, 0, number)}]}
            for number in numbers
        ]
        instances.append({"items": {f"zones/{ZONE}": {"instances": listed}}})
        routes.append(
            {
                "items": [
                    route
                    | {"name": f"r{number}", "id": str(10**18 + number), "destRange": f"{_address(100, number, 0)}/24"}
                    | {"nextHopInstance": route["nextHopInstance"].replace("n0", f"n{number}")}
                    for number in numbers
                ]
            }
        )
    return instances, routes


def _address(first: int, middle: int, last: int) -> str:
    number = (middle << 8) + last
    return f"{first + (number >> 24)}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _median(runs: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(runs):
        gc.collect()
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _encoded(pages: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(page).encode() for page in pages]


def _masked(pages: list[dict[str, Any]], fields: str, schema: str) -> list[bytes]:
    mask = parse_mask(fields, schema)
    return _encoded([apply_mask(page, mask) for page in pages])


def _decode_instances(pages: list[bytes]) -> list[InstancePage]:
    return [msgspec.json.decode(page, type=InstancePage) for page in pages]


def _read_instances(pages: list[bytes]) -> int:
    found = _decode_instances(pages)
    items = [item for page in found for scope in page.items.values() for item in scope.instances]
    return len(instances_of(items, _NAMES))


def _decode_routes(pages: list[bytes]) -> list[RoutePage]:
    return [msgspec.json.decode(page, type=RoutePage) for page in pages]


def _read_routes(pages: list[bytes]) -> int:
    return len(routes_of([item for page in _decode_routes(pages) for item in page.items], _NAMES))


def _take_instances(pages: list[bytes]) -> list[object]:
    """Take from the models what the structs hold."""
    taken: list[object] = []
    for page in pages:
        for scope in compute_v1.InstanceAggregatedList.from_json(page, ignore_unknown_fields=True).items.values():
            for one in scope.instances:
                taken.append(
                    (one.name, one.zone, one.status, one.can_ip_forward, one.fingerprint, list(one.tags.items))
                )
                for nic in one.network_interfaces:
                    taken.append((nic.name, nic.network, nic.subnetwork, nic.network_i_p, nic.ipv6_address))
                    taken += [alias.ip_cidr_range for alias in nic.alias_ip_ranges]
    return taken


def _take_routes(pages: list[bytes]) -> list[object]:
    return [
        (
            *(one.id, one.name, one.network, one.dest_range, one.priority, one.description, list(one.tags)),
            *(one.route_type, one.next_hop_instance, one.next_hop_ip, one.next_hop_gateway, one.next_hop_network),
            *(warning.code for warning in one.warnings),
        )
        for page in pages
        for one in compute_v1.RouteList.from_json(page, ignore_unknown_fields=True).items
    ]


def _compare(
    name: str, pages: list[dict[str, Any]], masked: list[bytes], steps: Sequence[_Step]
) -> tuple[float, float]:
    """Print the figures of one list; return our time and theirs for decoding its whole pages."""
    whole = _encoded(pages)
    print(f"{name}: {sum(map(len, whole)) / 1e6:.1f} MB, masked {sum(map(len, masked)) / 1e6:.1f} MB")
    times = []
    for what, ours, theirs in steps:
        their_s = _median(_THEIR_RUNS, partial(theirs, whole))
        our_s, masked_s = (_median(_OUR_RUNS, partial(ours, one)) for one in (whole, masked))
        times.append((our_s, their_s))
        factor = f"{their_s / our_s:5.1f} times"
        print(f"  {what:8} models {their_s:.3f} s, we {our_s:.4f} s ({factor}), masked {masked_s:.4f} s")
    return times[0]


def main(count: int) -> int:
    """Print the figures; return 0 when the same pages are decoded at least 30 times as fast."""
    instances, routes = _pages(count)
    models = {
        kind: lambda pages, kind=kind: [kind.from_json(page, ignore_unknown_fields=True) for page in pages]
        for kind in (compute_v1.InstanceAggregatedList, compute_v1.RouteList)
    }
    machines = _compare(
        f"{count} instances",
        instances,
        _masked(instances, INSTANCE_PAGE_FIELDS, "InstanceAggregatedList"),
        (
            ("decoded", _decode_instances, models[compute_v1.InstanceAggregatedList]),
            ("read", _read_instances, _take_instances),
        ),
    )
    tables = _compare(
        f"{count} routes",
        routes,
        _masked(routes, ROUTE_PAGE_FIELDS, "RouteList"),
        (
            ("decoded", _decode_routes, models[compute_v1.RouteList]),
            ("read", _read_routes, _take_routes),
        ),
    )
    ratio = (machines[1] + tables[1]) / (machines[0] + tables[0])
    print(f"both lists, whole pages: decoded {ratio:.1f} times as fast as to models")
    return 0 if ratio >= 30 else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
