"""Processes that are killed while they change Azure, at every moment of it: over https, with real processes."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deaths import Json, Place, Victim, die_at_every_moment, undisturbed
from tests.wire.arm import ArmServer, Request, serve_arm
from tests.wire.arm_operations import Form
from tests.wire.arm_world import REGION, fold
from tests.wire.kube import KubeServer
from tests.wire.node_objects import node_object
from tui.cli import main

NODES = {
    "healthy": "10.0.1.4",
    "flag": "10.0.1.5",
    "stale": "10.0.1.6",  # its route leads to an address that is nobody's
    "new-1": "10.0.1.7",
    "new-2": "10.0.1.8",
    "new-3": "10.0.1.9",
    "bare": "10.0.2.4",  # its subnet has no table
}
CIDRS = {name: f"10.42.{number}.0/24" for number, name in enumerate(NODES, start=1)}
ONE_BY_ONE = ("flag", "stale", "bare")
AT_ONCE = ("stale", "new-1", "new-2", "new-3", "--prune")


class Azure(Place):
    """Seven nodes in two subnets, and a stray route."""

    def __init__(self, arm: ArmServer, state: Path) -> None:
        super().__init__(state)
        self.arm = arm
        arm.operations.form = Form.AT_ONCE
        routes = {f"r-{name}": (CIDRS[name], NODES[name]) for name in ("healthy", "flag", "bare")}
        routes["r-stale"] = (CIDRS["stale"], "10.0.1.99")
        routes["stray"] = ("10.42.200.0/24", "10.0.1.4")
        table = arm.table("nodes-table", group="rg", region=REGION, **routes)
        network = arm.vnet("net")
        first = arm.subnet("nodes", "10.0.1.0/24", vnet=network, table=table)
        second = arm.subnet("windows", "10.0.2.0/24", vnet=network)
        self._ids = {
            name: arm.vm(name, first if ip.startswith("10.0.1.") else second, ip, forwards=name != "flag")
            for name, ip in NODES.items()
        }

    def nodes(self) -> list[Json]:
        """Return the cluster's nodes."""
        return [
            node_object(name, ip=ip, pod_cidr=CIDRS[name], provider_id=f"azure://{self._ids[name]}")
            for name, ip in NODES.items()
        ]

    def watch(self, victim: Victim) -> None:
        """Let the victim be asked."""

        def watcher(request: Request, done: bool) -> bool:
            return victim.dies(taken=done and request.method in {"PUT", "DELETE"})

        self.arm.watcher = watcher

    def standing(self) -> Json:
        """Return every resource but for the etags that every change gives, and a table's routes in no order."""
        return {id_: _settled(document) for id_, document in self.arm.resources.items()}

    def routes(self) -> Counter[tuple[str, str, str]]:
        """Count routes."""
        return Counter(
            (table["id"], route["properties"]["addressPrefix"], route["properties"].get("nextHopIpAddress", ""))
            for table in self.arm.of_kind("routetables")
            for route in table["properties"]["routes"]
        )

    def steps(self, change: Json) -> list[bool]:
        """Look at the resource; whatever the change, one write makes it."""
        subject, after = fold(change["subject"]), change["after"]
        match change["kind"]:
            case "forwarding":
                return [self.arm.properties(subject)["enableIPForwarding"] is after["enableIPForwarding"]]
            case "route-table":
                return [subject in self.arm.resources]
            case "subnet-association":
                return [self.arm.table_of(subject) == fold(after["routeTable"])]
        told = (change["after"] or change["before"])["destination"]
        hop = self.arm.routes(change["table"]).get(told)
        return [hop == (None if after is None else after["nextHop"]["address"])]

    def settle(self) -> None:
        """Let every operation end."""
        for operation in self.arm.operations.begun.values():
            operation.left = 0


def _settled(document: Json) -> Json:
    properties = dict(document["properties"])
    if "routes" in properties:
        told = ("addressPrefix", "nextHopType", "nextHopIpAddress")
        properties["routes"] = {
            route["name"]: [route["properties"].get(name) for name in told] for route in properties["routes"]
        }
    return {name: value for name, value in document.items() if name != "etag"} | {"properties": properties}


@contextmanager
def azure(folder: Path) -> Iterator[Azure]:
    folder.mkdir()
    with pytest.MonkeyPatch.context() as environment, serve_arm(folder, environment) as arm:
        place = Azure(arm, folder / "state")
        with KubeServer(place.nodes()) as kube:
            environment.setenv("KUBECONFIG", str(kube.kubeconfig(folder / "kubeconfig")))
            environment.setenv("L2BRIDGE_CLUSTER_CIDR", "10.42.0.0/16")
            environment.setenv("L2BRIDGE_STATE_DIR", str(place.state))
            yield place


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (ONE_BY_ONE, ["forwarding", "route", "route-table", "subnet-association"]),
        (AT_ONCE, ["route"] * 5),
    ],
    ids=["one by one", "a whole table at once"],
)
def test_whenever_a_process_is_killed_the_next_one_tells_the_truth_and_can_go_on_or_back(
    words: tuple[str, ...], kinds: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = undisturbed(azure, tmp_path, words)
    assert sorted(change["kind"] for change in planned) == kinds, "some are written side by side"
    die_at_every_moment(azure, tmp_path, words, planned, capsys)


@pytest.mark.parametrize("words", [("flag",), ("stale",), ("bare",), AT_ONCE], ids=" ".join)
def test_what_azure_still_works_on_is_said_to_be_open_and_in_place_once_it_has_ended(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with azure(tmp_path / "place") as place:
        place.arm.operations.form = Form.OPERATION
        assert not Victim(place, words, 1).survived
        begun = [entry["change"] for entry in place.entries() if entry["type"] == "intent"]
        assert told(capsys) == [
            "it is as planned, but its last change has not ended (provisioningState Updating), which may still change"
        ] * len(begun)
        place.settle()
        assert told(capsys) == ["it is in place"] * len(begun)


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what a check says of each change of the apply that was cut off."""
    capsys.readouterr()
    main(["check"])
    return [line.partition("): ")[2] for line in capsys.readouterr().err.splitlines() if "): " in line]
