"""How long one judgement takes when every node has a pod CIDR, a VM and a route, and some routes are wrong.

Run by hand: ``python -m tests.bench.bench_checks [NODES]``. The best of five counts.
"""

import sys
import time
from dataclasses import replace
from ipaddress import ip_network

from tests import build
from tui.checks import diagnose
from tui.model.network import NextHopKind
from tui.model.node import Cloud, ProviderID
from tui.model.snapshot import Snapshot

_NODES = 5000
_RUNS = 5
_EVERY_WRONG = 50
_MOST_S = 0.5


def world_of(many: int) -> Snapshot:
    """Return a network of this many nodes, each with its route; every fiftieth leads to the wrong VM."""
    nodes, vms, routes = [], [], []
    for number in range(many):
        name, ip = f"n{number}", f"10.{number >> 8}.{number & 255}.4"
        cidr = f"100.{64 + (number >> 8)}.{number & 255}.0/24"
        nodes.append(build.node(name, ip=ip, cidrs=[cidr], provider_id=ProviderID.parse(f"gce://p/z/{name}")))
        nic = replace(build.eni(f"nic-{number}", ip=ip, network=build.NETWORK), routed_by=NextHopKind.INSTANCE)
        vms.append(build.instance(f"p/z/{name}", nic, cloud=Cloud.GCE, running=True))
        to = number if number % _EVERY_WRONG else (number + 1) % many
        routes.append(build.route(cidr, to=f"p/z/n{to}", name=f"r{number}", priority=1000))
    tables = (build.table(*routes),)
    view = build.view(*vms, nodes=nodes, cloud=Cloud.GCE, name="gce:p", tables=tables)
    snapshot = build.snapshot(*nodes, views=[view])
    return replace(snapshot, cluster=replace(snapshot.cluster, pod_cidrs=(ip_network("100.64.0.0/10"),)))


def main(many: int) -> int:
    """Print the figure; return 0 when it is within its limit."""
    snapshot = world_of(many)
    findings = len(diagnose(snapshot).findings)
    times = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        diagnose(snapshot)
        times.append(time.perf_counter() - started)
    best_s = min(times)
    print(f"{many} nodes and routes judged in {best_s:.3f} s, {findings} findings (limit {_MOST_S} s)")
    return 0 if best_s < _MOST_S else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else _NODES))
