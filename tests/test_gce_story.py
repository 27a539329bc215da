"""A cluster of six nodes on Compute Engine, over HTTP: found, planned, mended and proven, by keyboard and by verbs.

Every intermediate state of the route tables is looked at: no pod CIDR that had a working route loses it for an instant.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.screen.console import picture, until
from tests.wire.gce import ComputeServer, fresh_gce  # noqa: F401 - the fixture
from tests.wire.kube import KubeServer
from tests.wire.node_objects import node_object
from tui.cli import main
from tui.screen.app import L2BridgeApp
from tui.screen.confirm import Confirm
from tui.screen.run import Run
from tui.settings import Settings
from tui.wiring import open_session

PROJECT, ZONE = "p", "europe-west1-b"
NODES = ("healthy", "flag", "missing", "wrong", "dead", "double")
"""Named after what is wrong with each; ``wrong``'s route leads to ``healthy``, ``double`` has a second, better one."""
CIDRS = {name: f"10.42.{number}.0/24" for number, name in enumerate(NODES, start=1)}
STRAY = "10.42.200.0/24"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The servers, the kubeconfig and where the journal is."""

    gce: ComputeServer
    kube: KubeServer
    kubeconfig: Path
    state: Path

    def routes(self) -> dict[str, str]:
        """Return where the static routes of pod CIDRs lead, by destination; several are joined."""
        found: dict[str, list[str]] = {}
        for route in self.gce.routes(PROJECT).values():
            if route["destRange"].startswith("10.42."):
                found.setdefault(route["destRange"], []).append(route["nextHopInstance"].rpartition("/")[2])
        return {destination: "+".join(sorted(hops)) for destination, hops in found.items()}


@pytest.fixture
def cluster(gce: ComputeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    gce.network("default", project=PROJECT, ranges=("10.0.0.0/24",))
    for number, name in enumerate(NODES, start=1):
        gce.instance(name, project=PROJECT, zone=ZONE, ip=f"10.0.0.{number + 10}", forwards=name != "flag")
    for name in ("healthy", "flag", "double"):
        gce.route(f"route-{name}", CIDRS[name], instance=name, project=PROJECT)
    gce.instance("gone", project=PROJECT, zone=ZONE, ip="10.0.0.99")
    gce.route("route-wrong", CIDRS["wrong"], instance="healthy", project=PROJECT)
    gce.route("route-dead", CIDRS["dead"], instance="gone", project=PROJECT)
    gce.route("rival", CIDRS["double"], instance="healthy", priority=900, project=PROJECT)
    gce.route("stray", STRAY, instance="gone", project=PROJECT)
    gce.delete_instance("gone")
    gce.history.clear()
    nodes = [
        node_object(
            name,
            ip=f"10.0.0.{number + 10}",
            pod_cidr=CIDRS[name],
            provider_id=f"gce://{PROJECT}/{ZONE}/{name}",
        )
        for number, name in enumerate(NODES, start=1)
    ]
    with KubeServer(nodes) as kube:
        kubeconfig = kube.kubeconfig(tmp_path / "kubeconfig")
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        monkeypatch.setenv("L2BRIDGE_CLUSTER_CIDR", "10.42.0.0/16")
        monkeypatch.setenv("L2BRIDGE_STATE_DIR", str(tmp_path / "state"))
        yield Cluster(gce=gce, kube=kube, kubeconfig=kubeconfig, state=tmp_path / "state")


def delivered(routes: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the nodes whose pod CIDR is delivered to them: every route that wins leads to their own, running VM."""
    found = set()
    for name, cidr in CIDRS.items():
        rivals = [route for route in routes.values() if route["destRange"] == cidr]
        best = min((route["priority"] for route in rivals), default=None)
        winners = [route for route in rivals if route["priority"] == best]
        if winners and all(
            route["nextHopInstance"].endswith(f"/{name}") and not fatal(route.get("warnings", ())) for route in winners
        ):
            found.add(name)
    return found


def fatal(warnings: Any) -> bool:
    return any(warning["code"] != "NEXT_HOP_CANNOT_IP_FORWARD" for warning in warnings)


def assert_nobody_lost_a_working_route(server: ComputeServer, *, at_first: set[str]) -> None:
    """Go through every moment: a node that was reached once is reached ever after, and in the end all are."""
    assert server.history, "nothing was written"
    reached = at_first
    for moment in server.history:
        now = delivered(moment.routes[PROJECT])
        assert reached <= now, f"{moment.what} took the route of {reached - now} away"
        reached = now
    assert reached == set(NODES)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = main([*words, "-o", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_six_nodes_are_fixed_by_verbs(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = run(capsys, "check")
    assert code == 1
    assert [(source["name"], source["state"]) for source in report["sources"]] == [
        ("kubernetes", "ok"),
        ("gce:p", "ok"),
    ]
    assert {node["name"]: node["findings"] for node in report["nodes"]} == {
        "healthy": [],
        "flag": ["forwarding-off"],
        "missing": ["route-missing"],
        "wrong": ["route-wrong-next-hop"],
        "dead": ["route-blackhole"],
        "double": ["route-duplicate"],
    }
    (stray,) = [finding for finding in report["findings"] if finding["node"] is None]
    assert (stray["code"], stray["subject"], stray["fixable"]) == (
        "route-stray",
        "projects/p/global/routes/stray",
        True,
    )

    code, plan = run(capsys, "plan")
    assert code == 1
    assert {(change["action"], change["kind"], change["node"]) for change in plan["changes"]} == {
        ("update", "forwarding", "flag"),
        ("create", "route", "missing"),
        ("replace", "route", "wrong"),
        ("replace", "route", "dead"),
        ("delete", "route", "double"),
    }
    assert plan["changes"][0]["disruption"] == "refresh"
    assert cluster.gce.history == []

    code, result = run(capsys, "apply", "--yes")
    assert (code, {outcome["status"] for outcome in result["outcomes"]}) == (0, {"applied"})
    assert cluster.gce.forwards("flag") is True
    assert_nobody_lost_a_working_route(cluster.gce, at_first={"healthy", "flag"})
    assert cluster.routes() == {cidr: name for name, cidr in CIDRS.items()} | {STRAY: "gone"}

    code, report = run(capsys, "check")
    assert (code, report["summary"]) == (1, {"nodes": 6, "healthy": 6, "error": 0, "warning": 0, "unknown": 0})
    code, result = run(capsys, "apply", "--prune", "--yes")
    assert (code, [outcome["status"] for outcome in result["outcomes"]]) == (0, ["applied"])
    assert STRAY not in cluster.routes()
    assert run(capsys, "check")[0] == 0
    assert run(capsys, "apply", "--yes")[0] == 0


async def test_six_nodes_are_fixed_by_keyboard(cluster: Cluster) -> None:
    settings = Settings(state_dir=cluster.state, kubeconfig=str(cluster.kubeconfig))
    app = L2BridgeApp(open_session(settings), settings)
    async with app.run_test(size=(120, 40)) as pilot:

        def shown() -> str:
            return "\n".join(picture(app))

        await until(pilot, lambda: "FIX ! wrong" in shown() and "FIX ! flag" in shown())
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "route of projects/p/global/routes/" in shown()
        await pilot.press("y")  # something is destroyed: a key is too quick for that
        assert isinstance(app.screen, Confirm)
        assert cluster.gce.history == []
        await pilot.press("shift+tab", *"wire", "enter")
        await until(pilot, lambda: isinstance(app.screen, Run) and app.screen.ended)
        await pilot.press("enter")
        await until(pilot, lambda: "OK +  flag" in shown() and "OK +  wrong" in shown() and "OK +  double" in shown())
        await pilot.press("q")
        await until(pilot, lambda: app.return_value is not None)
    assert cluster.gce.forwards("flag") is True
    assert_nobody_lost_a_working_route(cluster.gce, at_first={"healthy", "flag"})
    assert cluster.routes() == {cidr: name for name, cidr in CIDRS.items()} | {STRAY: "gone"}


def test_a_vm_that_came_back_under_its_name_and_another_pod_cidr_gets_its_own_route(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """The old route leads to the new VM by its name, for a pod CIDR that is not the new node's."""
    code, _ = run(capsys, "apply", "--yes")
    assert code == 0
    cluster.kube.delete_node("missing")
    again = node_object(
        "missing",
        ip="10.0.0.13",
        pod_cidr="10.42.77.0/24",
        provider_id=f"gce://{PROJECT}/{ZONE}/missing",
        uid="another",
    )
    cluster.kube.put_node(again)
    _, report = run(capsys, "check")
    assert {node["name"]: node["findings"] for node in report["nodes"]}["missing"] == ["route-missing"]
    assert {finding["code"] for finding in report["findings"] if finding["node"] is None} == {"route-stray"}
    assert run(capsys, "apply", "--prune", "--yes")[0] == 0
    assert cluster.routes() == {cidr: name for name, cidr in CIDRS.items() if name != "missing"} | {
        "10.42.77.0/24": "missing"
    }


def test_a_zone_that_does_not_answer_lets_nothing_be_deleted(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.gce.unreachable("us-central1-a", project=PROJECT)
    code, report = run(capsys, "check")
    assert code == 3
    assert "us-central1-a" in str([source["message"] for source in report["sources"]])
    _, plan = run(capsys, "plan", "--prune")
    assert {change["action"] for change in plan["changes"]} == {"update", "create"}
    assert {refusal["node"] for refusal in plan["refused"]} >= {"wrong", "dead", "double"}


def test_a_full_quota_is_said_before_the_first_write_and_the_gap_is_the_operators_choice(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.gce.use_up_routes(PROJECT)
    _, report = run(capsys, "check")
    assert "route-quota" in {finding["code"] for finding in report["findings"]}
    _, plan = run(capsys, "plan", "wrong")
    assert (plan["changes"], [refusal["code"] for refusal in plan["refused"]]) == ([], ["route-quota"])
    assert run(capsys, "apply", "wrong", "--delete-first", "--yes")[0] == 0
    assert cluster.routes()[CIDRS["wrong"]] == "wrong"
    assert [
        CIDRS["wrong"] in {r["destRange"] for r in moment.routes[PROJECT].values()} for moment in cluster.gce.history
    ] == [
        False,
        True,
    ]


def test_an_active_route_controller_keeps_routes_as_they_are_while_flags_are_fixed(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    condition = {
        "type": "NetworkUnavailable",
        "status": "False",
        "reason": "RouteCreated",
        "message": "RouteController created a route",
    }
    node = cluster.kube.node("healthy")
    node["status"]["conditions"].append(condition)
    cluster.kube.put_node(node)
    _, plan = run(capsys, "plan", "--prune")
    assert [(change["kind"], change["node"]) for change in plan["changes"]] == [("forwarding", "flag")]
    assert run(capsys, "apply", "--yes")[0] == 0
    assert cluster.gce.forwards("flag") is True
    assert cluster.routes()[CIDRS["wrong"]] == "healthy"


@pytest.fixture
def shared(gce: ComputeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ComputeServer]:
    """Two nodes in the project ``service`` on a network of the project ``host``; one of them has no route there."""
    network = gce.network("shared", project="host", ranges=("10.0.0.0/24",))
    for name, ip in (("one", "10.0.0.11"), ("two", "10.0.0.12")):
        gce.instance(name, project="service", zone=ZONE, ip=ip, network=network, forwards=True)
    gce.route("route-one", "10.42.1.0/24", ip="10.0.0.11", project="host", network="shared")
    nodes = [
        node_object(name, ip=ip, pod_cidr=cidr, provider_id=f"gce://service/{ZONE}/{name}")
        for name, ip, cidr in (("one", "10.0.0.11", "10.42.1.0/24"), ("two", "10.0.0.12", "10.42.2.0/24"))
    ]
    with KubeServer(nodes) as kube:
        monkeypatch.setenv("KUBECONFIG", str(kube.kubeconfig(tmp_path / "kubeconfig")))
        monkeypatch.setenv("L2BRIDGE_STATE_DIR", str(tmp_path / "state"))
        yield gce


def test_with_a_shared_vpc_the_route_is_made_in_the_host_project_to_the_nodes_address(
    shared: ComputeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    _, report = run(capsys, "check")
    assert [source["name"] for source in report["sources"]] == ["kubernetes", "gce:host", "gce:service"]
    assert {node["name"]: node["findings"] for node in report["nodes"]} == {"one": [], "two": ["route-missing"]}
    assert run(capsys, "apply", "--yes")[0] == 0
    (made,) = [route for route in shared.routes("host").values() if route["destRange"] == "10.42.2.0/24"]
    assert (made["nextHopIp"], "nextHopInstance" in made) == ("10.0.0.12", False)
    assert run(capsys, "check")[0] == 0


def test_rights_that_are_missing_in_the_host_project_are_told_as_such_and_nothing_is_called_healthy(
    shared: ComputeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    shared.deny("host", "compute.routes.list")
    code, report = run(capsys, "check", "one")
    assert code == 3
    (host,) = [source for source in report["sources"] if source["name"] == "gce:host"]
    assert host["state"] == "denied"
    assert "compute.routes.list is missing on project host (host of network shared)" in host["message"]
    (node,) = report["nodes"]
    assert (node["forwarding"], node["routes"]) == ("on", [{"podCIDR": "10.42.1.0/24", "state": "unknown"}])
    assert run(capsys, "apply", "--yes")[0] == 3
    assert shared.history == []
