"""The whole line over HTTP: a Kubernetes API server and EC2, the real SDKs, the screen or the verbs, and back.

A node with the check on is shown as broken; Cancel changes nothing; a confirmed plan is applied; the node turns healthy
because a later observation says so; EC2 agrees; and the journal holds what was meant and what happened.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.screen.console import picture, until
from tests.wire.ec2 import REGION, Ec2Server, isolate
from tests.wire.kube import KubeServer
from tests.wire.node_objects import node_object
from tui.cli import main
from tui.screen.app import L2BridgeApp
from tui.screen.confirm import Confirm
from tui.screen.run import Run
from tui.settings import Settings
from tui.wiring import open_session

ZONE = f"{REGION}a"
LABELS = {"topology.kubernetes.io/region": REGION, "topology.kubernetes.io/zone": ZONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Two nodes on EC2: ``sound`` forwards, ``broken`` does not. ``interface`` is the broken node's."""

    ec2: Ec2Server
    kube: KubeServer
    interface: str
    kubeconfig: Path
    state: Path

    def journal(self) -> list[dict[str, object]]:
        (file,) = (self.state / "journal").glob("*.jsonl")
        return [json.loads(line) for line in file.read_text().splitlines()]


def node(name: str, *, ip: str, pod_cidr: str, instance: str, uid: str | None = None) -> dict[str, object]:
    provider_id = f"aws:///{ZONE}/{instance}"
    return node_object(name, ip=ip, pod_cidr=pod_cidr, provider_id=provider_id, uid=uid, labels=LABELS)


@pytest.fixture(scope="module")
def ec2() -> Iterator[Ec2Server]:
    with Ec2Server() as server:
        yield server


@pytest.fixture
def cluster(ec2: Ec2Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    ec2.reset()
    isolate(monkeypatch, tmp_path, ec2.url)
    _, subnet = ec2.subnet()
    sound, _ = ec2.instance(subnet, "10.0.0.11", forwards=True)
    broken, interface = ec2.instance(subnet, "10.0.0.12")
    nodes = [
        node("sound", ip="10.0.0.11", pod_cidr="10.42.1.0/24", instance=sound),
        node("broken", ip="10.0.0.12", pod_cidr="10.42.2.0/24", instance=broken),
    ]
    with KubeServer(nodes) as kube:
        kubeconfig = tmp_path / "kubeconfig"
        kube.kubeconfig(kubeconfig)
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        monkeypatch.setenv("L2BRIDGE_STATE_DIR", str(tmp_path / "state"))
        yield Cluster(ec2=ec2, kube=kube, interface=interface, kubeconfig=kubeconfig, state=tmp_path / "state")


async def test_one_node_is_fixed_by_keyboard(cluster: Cluster) -> None:
    settings = Settings(state_dir=cluster.state, kubeconfig=str(cluster.kubeconfig))
    app = L2BridgeApp(open_session(settings), settings)
    async with app.run_test(size=(80, 24)) as pilot:

        def shown() -> str:
            return "\n".join(picture(app))

        await until(pilot, lambda: "FIX ! broken" in shown())
        assert "OK +  sound" in shown()

        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert f"forwarding of {cluster.interface}" in shown()
        assert "SourceDestCheck: true -> false" in shown()
        await pilot.press("enter")  # the focus is on Cancel
        await until(pilot, lambda: not isinstance(app.screen, Confirm))
        assert cluster.ec2.check(cluster.interface) is True
        assert cluster.ec2.count()["ModifyNetworkInterfaceAttribute"] == 0

        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, Run) and app.screen.ended)
        assert "applied" in shown()
        await pilot.press("enter")
        await until(pilot, lambda: "OK +  broken" in shown())
        await pilot.press("q")
        await until(pilot, lambda: app.return_value is not None)
    assert app.return_value == 0
    assert cluster.ec2.check(cluster.interface) is False
    entries = cluster.journal()
    assert [entry["type"] for entry in entries] == ["began", "intent", "outcome", "ended"]
    assert entries[1]["change"]["subject"] == cluster.interface  # type: ignore[index] # JSON
    assert entries[2]["status"] == "applied"


async def test_read_only_has_no_key_that_writes(cluster: Cluster) -> None:
    settings = Settings(state_dir=cluster.state, kubeconfig=str(cluster.kubeconfig), read_only=True)
    app = L2BridgeApp(open_session(settings), settings)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "FIX ! broken" in "\n".join(picture(app)))
        await pilot.press("f", "F", "y")
        assert not isinstance(app.screen, (Confirm, Run))
    assert cluster.ec2.check(cluster.interface) is True


def test_one_node_is_fixed_by_verbs(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> tuple[int, str]:
        code = main(words)
        return code, capsys.readouterr().out

    code, out = run("check", "-o", "json")
    report = json.loads(out)
    assert code == 1
    assert {node["name"]: node["findings"] for node in report["nodes"]} == {"sound": [], "broken": ["forwarding-off"]}
    assert report["sources"][1]["name"] == "aws:us-east-1"

    code, out = run("plan", "broken", "-o", "json")
    (change,) = json.loads(out)["changes"]
    assert code == 1
    assert (change["subject"], change["before"], change["after"]) == (
        cluster.interface,
        {"SourceDestCheck": True},
        {"SourceDestCheck": False},
    )
    assert cluster.ec2.check(cluster.interface) is True

    code, out = run("apply", "--yes", "-o", "json")
    result = json.loads(out)
    assert code == 0
    assert [outcome["status"] for outcome in result["outcomes"]] == ["applied"]
    assert cluster.ec2.check(cluster.interface) is False

    assert run("apply", "--yes")[0] == 0
    assert cluster.ec2.count()["ModifyNetworkInterfaceAttribute"] == 1
    assert run("check")[0] == 0


def test_a_saved_plan_is_refused_change_by_change_once_the_world_has_moved(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "plan.json"
    assert main(["plan", "--out", str(saved)]) == 1
    again = node("broken", ip="10.0.0.12", pod_cidr="10.42.2.0/24", instance="i-new", uid="another-node")
    cluster.kube.put_node(again)
    capsys.readouterr()
    assert main(["apply", "--plan", str(saved), "-o", "json"]) == 4
    (outcome,) = json.loads(capsys.readouterr().out)["outcomes"]
    assert outcome["status"] == "refused"
    assert cluster.ec2.check(cluster.interface) is True


def test_without_credentials_the_source_is_denied_and_the_nodes_are_unknown(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert main(["check", "-o", "json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert [source["state"] for source in report["sources"]] == ["ok", "denied"]
    assert {node["forwarding"] for node in report["nodes"]} == {"unknown"}
    assert report["summary"]["unknown"] == 2
