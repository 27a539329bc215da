"""A cluster of six nodes on Azure, over https: found, planned, mended and proven, by keyboard and by verbs.

Every intermediate state of tables and subnets is looked at, and every subnet is compared with what it was before.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.screen.console import picture, until
from tests.wire.arm import ArmServer, fresh_arm  # noqa: F401 - the fixture
from tests.wire.arm_world import SUBSCRIPTION, Json, Moment, fold
from tests.wire.kube import KubeServer
from tests.wire.node_objects import node_object
from tui.cli import main
from tui.screen.app import L2BridgeApp
from tui.screen.confirm import Confirm
from tui.screen.run import Run
from tui.settings import Settings
from tui.wiring import open_session

NODES = {
    "healthy": "10.0.1.4",
    "missing": "10.0.1.5",  # it has a second NIC, and no route
    "stale": "10.0.1.6",  # its route leads to an address that is another VM's by now
    "member": "10.0.1.7",  # of a uniform scale set, its flag off
    "bare": "10.0.2.4",  # its subnet has no table
    "flag": "10.0.2.5",  # nor has its, and its flag is off
}
CIDRS = {name: f"10.42.{number}.0/24" for number, name in enumerate(NODES, start=1)}
STRAY = "10.42.200.0/24"
MENDED = {name: ip for name, ip in NODES.items() if name != "member"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The servers, the kubeconfig, where the journal is, and what stood in the subscription at first."""

    arm: ArmServer
    kube: KubeServer
    kubeconfig: Path
    state: Path
    table: str
    subnets: tuple[str, str]
    before: dict[str, Json]

    def assert_subnets_lost_nothing(self) -> None:
        """Compare each subnet, field by field, with what it was; only the bare one has got a table."""
        for subnet in self.subnets:
            was, now = self.before[fold(subnet)], self.arm.raw(subnet)
            fields = {*was["properties"], *now["properties"]} - {"routeTable"}
            assert {name: now["properties"].get(name) for name in fields} == {
                name: was["properties"].get(name) for name in fields
            }
            assert {name: now[name] for name in now if name not in {"etag", "properties"}} == {
                name: was[name] for name in was if name not in {"etag", "properties"}
            }
        assert self.arm.table_of(self.subnets[0]) == fold(self.table)

    def assert_foreign_things_are_as_they_were(self) -> None:
        """The table of the first subnet keeps everything but its routes, of these all that is not a node's."""
        was, now = self.before[fold(self.table)], self.arm.raw(self.table)
        assert {n: v for n, v in now.items() if n not in {"etag", "properties"}} == {
            n: v for n, v in was.items() if n not in {"etag", "properties"}
        }
        for document in (was, now):
            kept = [route for route in document["properties"]["routes"] if route["name"] in {"office", "stray", "r1"}]
            assert [route["properties"]["futureMark"] for route in kept] == [["office"], ["stray"], ["r1"]]
        assert now["properties"]["futureSwitch"] == was["properties"]["futureSwitch"]
        assert now["properties"]["disableBgpRoutePropagation"] is True


@pytest.fixture(params=[False, True], ids=["one casing", "odd casing"])
def cluster(
    request: pytest.FixtureRequest, arm: ArmServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    arm.odd = request.param
    table = arm.table(
        "nodes-table",
        group="net",
        office=("172.20.0.0/16", "VirtualNetworkGateway"),
        stray=(STRAY, "10.0.1.4"),
        r1=(CIDRS["healthy"], NODES["healthy"]),
        legacy=(CIDRS["stale"], "10.0.1.99"),
        r4=(CIDRS["member"], NODES["member"]),
        r5=(CIDRS["bare"], NODES["bare"]),
        r6=(CIDRS["flag"], NODES["flag"]),
    )
    network = arm.vnet("net", group="net")
    first = arm.subnet("nodes", "10.0.1.0/24", vnet=network, table=table)
    second = arm.subnet("windows", "10.0.2.0/24", vnet=network)
    ids = {"member": arm.member(3, first, NODES["member"])}
    for name, ip in NODES.items():
        if name != "member":
            also = {"second-nic": (second, "10.0.2.200")} if name == "missing" else {}
            subnet = first if ip.startswith("10.0.1.") else second
            ids[name] = arm.vm(name, subnet, ip, forwards=name != "flag", also=also)
    arm.vm("somebody-elses", first, "10.0.1.99")
    arm.nic("loose", first, "10.0.1.100")
    nodes = [
        node_object(name, ip=ip, pod_cidr=CIDRS[name], provider_id=f"azure://{_as_kubernetes_writes(ids[name])}")
        for name, ip in NODES.items()
    ]
    with KubeServer(nodes) as kube:
        kubeconfig = kube.kubeconfig(tmp_path / "kubeconfig")
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        monkeypatch.setenv("L2BRIDGE_CLUSTER_CIDR", "10.42.0.0/16")
        monkeypatch.setenv("L2BRIDGE_STATE_DIR", str(tmp_path / "state"))
        yield Cluster(
            arm=arm,
            kube=kube,
            kubeconfig=kubeconfig,
            state=tmp_path / "state",
            table=table,
            subnets=(first, second),
            before=copy.deepcopy(arm.resources),
        )
    assert arm.mistakes == []


def _as_kubernetes_writes(vm: str) -> str:
    """The cloud controller manager lower-cases the resource group, and nothing else."""
    words = vm.split("/")
    return "/".join([*words[:4], words[4].lower(), *words[5:]])


def delivered(moment: Moment) -> set[tuple[str, str]]:
    """Return each subnet with the nodes whose pod CIDR its table delivers to them."""
    found = set()
    for subnet, table in moment.subnets.items():
        for route in moment.tables[table].values() if table is not None else ():
            told = route["properties"]
            for name, ip in NODES.items():
                if (told["addressPrefix"], told.get("nextHopIpAddress")) == (CIDRS[name], ip):
                    found.add((subnet, name))
    return found


def assert_nobody_lost_a_working_route(cluster: Cluster) -> None:
    """Go through every moment: what was delivered once is delivered ever after, and in the end everything is."""
    assert cluster.arm.history, "nothing was written"
    reached: set[tuple[str, str]] = set()
    for moment in cluster.arm.history:
        now = delivered(moment)
        assert reached <= now, f"{moment.what} took the delivery of {reached - now} away"
        reached = now
    assert reached == {(fold(subnet), name) for subnet in cluster.subnets for name in NODES}


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = main([*words, "-o", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_six_nodes_are_fixed_by_verbs(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = run(capsys, "check")
    assert code == 1
    assert [(one["name"], one["state"]) for one in report["sources"]] == [
        ("kubernetes", "ok"),
        (f"azure:{SUBSCRIPTION}", "ok"),
    ]
    assert {node["name"]: node["findings"] for node in report["nodes"]} == {
        "healthy": [],
        "missing": ["route-missing"],
        "stale": ["route-wrong-next-hop"],
        "member": ["forwarding-off", "scale-set-member"],
        "bare": ["route-table-missing"],
        "flag": ["forwarding-off", "route-table-missing"],
    }
    (stray,) = [finding for finding in report["findings"] if finding["node"] is None]
    assert (stray["code"], stray["subject"]) == ("route-stray", f"{cluster.table}/routes/stray")

    code, plan = run(capsys, "plan")
    assert code == 1
    assert [(change["action"], change["kind"], change["node"]) for change in plan["changes"]] == [
        ("update", "forwarding", "flag"),
        ("replace", "route", "stale"),
        ("create", "route-table", None),
        ("create", "route", "missing"),
        ("update", "subnet-association", None),
    ]
    assert plan["changes"][-1]["dependsOn"] == ["c3"]
    assert {refusal["node"] for refusal in plan["refused"]} == {"member"}
    assert "az vmss update" in str(plan["refused"])
    assert cluster.arm.writes() == []

    code, result = run(capsys, "apply", "--yes")
    assert (code, {outcome["status"] for outcome in result["outcomes"]}) == (0, {"applied"})
    assert cluster.arm.forwards("flag") is True
    assert_nobody_lost_a_working_route(cluster)
    cluster.assert_subnets_lost_nothing()
    cluster.assert_foreign_things_are_as_they_were()
    assert cluster.arm.routes(cluster.table)[CIDRS["stale"]] == NODES["stale"]
    assert STRAY in cluster.arm.routes(cluster.table)

    code, report = run(capsys, "check")
    assert report["summary"] == {"nodes": 6, "healthy": 5, "error": 1, "warning": 0, "unknown": 0}
    assert run(capsys, "check", *MENDED)[0] == 0
    code, result = run(capsys, "apply", "--prune", "--yes")
    assert (code, [outcome["status"] for outcome in result["outcomes"]]) == (0, ["applied"])
    assert STRAY not in cluster.arm.routes(cluster.table)
    assert run(capsys, "apply", "--yes")[1]["outcomes"] == []


async def test_six_nodes_are_fixed_by_keyboard(cluster: Cluster) -> None:
    settings = Settings(state_dir=cluster.state, kubeconfig=str(cluster.kubeconfig))
    app = L2BridgeApp(open_session(settings), settings)
    async with app.run_test(size=(120, 70)) as pilot:

        def shown() -> str:
            return "\n".join(picture(app))

        await until(pilot, lambda: "FIX ! stale" in shown() and "FIX ! bare" in shown() and "BAD x member" in shown())
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "route-table of" in shown()
        assert cluster.arm.writes() == []
        await pilot.press("shift+tab", *"wire", "enter")
        await until(pilot, lambda: isinstance(app.screen, Run) and app.screen.ended)
        await pilot.press("enter")
        await until(pilot, lambda: all(f"OK +  {name}" in shown() for name in ("stale", "bare", "flag", "missing")))
        await pilot.press("/", *"stale", "enter", "enter")
        await until(pilot, lambda: "the fabric agrees" in shown())
        await pilot.press("escape", "escape", "q")
        await until(pilot, lambda: app.return_value is not None)
    assert cluster.arm.forwards("flag") is True
    assert_nobody_lost_a_working_route(cluster)
    cluster.assert_subnets_lost_nothing()
    cluster.assert_foreign_things_are_as_they_were()


def test_a_table_of_many_nodes_is_written_at_once(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(200):
        name, ip = f"more-{number}", f"10.0.3.{number}"
        vm = cluster.arm.vm(name, cluster.subnets[0], ip)
        cluster.kube.put_node(node_object(name, ip=ip, pod_cidr=f"10.43.{number}.0/24", provider_id=f"azure://{vm}"))
    del cluster.arm.requests[:]
    code, result = run(capsys, "apply", *(f"more-{number}" for number in range(200)), "--max-changes", "200", "--yes")
    assert (code, result["summary"]["applied"]) == (0, 200)
    assert len(cluster.arm.writes()) == 1
    cluster.assert_foreign_things_are_as_they_were()


def test_one_group_of_three_that_may_not_be_read_leaves_its_nodes_unknown(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("L2BRIDGE_AZURE_RESOURCE_GROUP", "rg,net,other")
    cluster.arm.deny("Microsoft.Network/networkInterfaces/read", "/resourceGroups/other/.*networkInterfaces")
    code, report = run(capsys, "check")
    assert code == 3
    (azure,) = [source for source in report["sources"] if source["name"].startswith("azure:")]
    assert azure["state"] == "denied"
    assert "resource group other" in azure["message"]
    _, plan = run(capsys, "plan", "--prune")
    assert {change["action"] for change in plan["changes"]} <= {"update", "create"}
    assert "subnet-association" not in {change["kind"] for change in plan["changes"]}


def test_an_active_route_controller_keeps_tables_as_they_are_while_flags_are_fixed(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    node = cluster.kube.node("healthy")
    condition = {"type": "NetworkUnavailable", "status": "False", "reason": "RouteCreated", "message": "x"}
    node["status"]["conditions"].append(condition)
    cluster.kube.put_node(node)
    _, plan = run(capsys, "plan", "--prune")
    assert [(change["kind"], change["node"]) for change in plan["changes"]] == [("forwarding", "flag")]
    assert run(capsys, "apply", "--yes")[0] == 0
    assert cluster.arm.history[-1].subnets[fold(cluster.subnets[1])] is None


def test_a_named_table_that_is_there_is_put_right_and_attached(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = cluster.arm.table("Pods", group="net", wrong=(CIDRS["healthy"], "10.0.1.99"))
    monkeypatch.setenv("L2BRIDGE_AZURE_ROUTE_TABLE", "pods")
    code, result = run(capsys, "apply", "--yes")
    assert (code, {outcome["status"] for outcome in result["outcomes"]}) == (0, {"applied"})
    assert cluster.arm.table_of(cluster.subnets[1]) == fold(ours)
    assert cluster.arm.routes(ours) == {CIDRS[name]: ip for name, ip in NODES.items()}
    assert_nobody_lost_a_working_route(cluster)


def test_a_lock_on_the_network_is_told_and_everything_else_is_done(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.arm.fail("PUT", "/subnets/", 409, "ScopeLocked", times=None)
    code, result = run(capsys, "apply", "--yes")
    assert code == 4
    statuses = [outcome["status"] for outcome in result["outcomes"]]
    assert statuses == ["applied", "applied", "applied", "applied", "failed"]
    assert "a management lock" in result["outcomes"][-1]["message"]
    cluster.assert_subnets_lost_nothing()
