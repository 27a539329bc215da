"""Processes that are killed while they change Compute Engine, at every moment of it: over HTTP, with real processes."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deaths import Json, Place, Victim, die_at_every_moment, undisturbed
from tests.wire.gce import ComputeServer, Request, isolate, serve_gce
from tests.wire.kube import KubeServer
from tests.wire.node_objects import node_object

PROJECT, ZONE = "p", "europe-west1-b"
NODES = ("healthy", "flag", "wrong")
"""Named after what is wrong with each; the route of ``wrong`` leads to ``healthy``."""
CIDRS = {name: f"10.42.{number}.0/24" for number, name in enumerate(NODES, start=1)}
_WRITES = ("insert", "update", "delete")


class ComputeEngine(Place):
    """Three nodes and a stray route."""

    def __init__(self, gce: ComputeServer, state: Path) -> None:
        super().__init__(state)
        self._gce = gce
        gce.network("default", project=PROJECT, ranges=("10.0.0.0/24",))
        for number, name in enumerate(NODES, start=1):
            gce.instance(name, project=PROJECT, zone=ZONE, ip=f"10.0.0.{number + 10}", forwards=name != "flag")
        for name in ("healthy", "flag"):
            gce.route(f"route-{name}", CIDRS[name], instance=name, project=PROJECT)
        gce.route("route-wrong", CIDRS["wrong"], instance="healthy", project=PROJECT)
        gce.route("stray", "10.42.200.0/24", instance="healthy", project=PROJECT)

    def nodes(self) -> list[Json]:
        """Return the cluster's nodes."""
        return [
            node_object(name, ip=f"10.0.0.{number}", pod_cidr=CIDRS[name], provider_id=f"gce://{PROJECT}/{ZONE}/{name}")
            for number, name in enumerate(NODES, start=11)
        ]

    def watch(self, victim: Victim) -> None:
        """Let the victim be asked."""

        def watcher(request: Request, done: bool) -> bool:
            return victim.dies(taken=done and request.id.endswith(_WRITES))

        self._gce.watcher = watcher

    def standing(self) -> Json:
        """Return flags by VM, and routes by name."""
        routes = self._gce.routes(PROJECT)
        told = ("destRange", "nextHopInstance", "priority", "network", "description")
        return {name: self._gce.forwards(name) for name in NODES} | {
            f"route {name}": {field: route.get(field) for field in told} for name, route in routes.items()
        }

    def routes(self) -> Counter[tuple[str, str, str]]:
        """Count routes."""
        routes = self._gce.routes(PROJECT).values()
        return Counter((route["network"], route["destRange"], str(route.get("nextHopInstance"))) for route in routes)

    def steps(self, change: Json) -> list[bool]:
        """Look at the VM, or at the routes."""
        if change["kind"] == "forwarding":
            return [self._gce.forwards(change["subject"].rpartition("/")[2]) is change["after"]["canIpForward"]]
        routes = self._gce.routes(PROJECT)
        after, before = change["after"], change["before"]
        made = [] if after is None else [after["name"] in routes]
        gone = [] if before is None else [before["name"] not in routes]
        return made + gone

    def settle(self) -> None:
        """Let every operation end."""
        self._gce.settle()


@contextmanager
def compute_engine(folder: Path) -> Iterator[ComputeEngine]:
    folder.mkdir()
    with pytest.MonkeyPatch.context() as environment, serve_gce() as gce:
        isolate(environment, folder, gce)
        place = ComputeEngine(gce, folder / "state")
        with KubeServer(place.nodes()) as kube:
            environment.setenv("KUBECONFIG", str(kube.kubeconfig(folder / "kubeconfig")))
            environment.setenv("L2BRIDGE_CLUSTER_CIDR", "10.42.0.0/16")
            environment.setenv("L2BRIDGE_STATE_DIR", str(place.state))
            yield place


def test_whenever_a_process_is_killed_the_next_one_tells_the_truth_and_can_go_on_or_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flag, a replacement in two steps and a deletion, each with an operation that ends later."""
    planned = undisturbed(compute_engine, tmp_path, ["--prune"])
    assert sorted((change["action"], change["kind"]) for change in planned) == [
        ("delete", "route"),
        ("replace", "route"),
        ("update", "forwarding"),
    ]
    die_at_every_moment(compute_engine, tmp_path, ["--prune"], planned, capsys)
