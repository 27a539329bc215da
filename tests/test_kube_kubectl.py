"""The wire server against the real kubectl: what our tests rest on answers like a Kubernetes API server."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.wire.kube import Fault, KubeServer, node_object
from tui.kube import ApiServer, KubeLock, KubeNodes
from tui.model.lease import NEVER_HELD
from tui.ports import Denied

pytestmark = [
    pytest.mark.kubectl,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on the PATH"),
]


@pytest.fixture
def server() -> Iterator[KubeServer]:
    nodes = [node_object(f"n{number}", ip=f"10.0.0.{number}", pod_cidr=f"10.42.{number}.0/24") for number in (1, 2)]
    with KubeServer(nodes, tls=True, authorizations=["Bearer good"]) as running:
        yield running


@pytest.fixture
def kubeconfig(server: KubeServer, tmp_path: Path) -> Path:
    return server.kubeconfig(tmp_path / "config", user={"token": "good"})


def environment(kubeconfig: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
    return {**kept, "HOME": str(kubeconfig.parent), "KUBECONFIG": str(kubeconfig)}


def kubectl(kubeconfig: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        ["kubectl", *arguments], env=environment(kubeconfig), capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def test_get_nodes_in_columns(kubeconfig: Path, server: KubeServer) -> None:
    table = kubectl(kubeconfig, "get", "nodes", "-o", "custom-columns=NAME:.metadata.name,CIDR:.spec.podCIDR")
    assert [line.split() for line in table.splitlines()] == [
        ["NAME", "CIDR"],
        ["n1", "10.42.1.0/24"],
        ["n2", "10.42.2.0/24"],
    ]
    assert "n1" in kubectl(kubeconfig, "get", "nodes")
    assert kubectl(kubeconfig, "get", "nodes", "-l", "kubernetes.io/hostname=n2", "-o", "name") == "node/n2\n"


def test_get_nodes_in_chunks(kubeconfig: Path, server: KubeServer) -> None:
    names = kubectl(kubeconfig, "get", "nodes", "-o", "name", "--chunk-size=1").split()
    assert names == ["node/n1", "node/n2"]
    assert [request.query.get("limit") for request in server.requests if request.path.endswith("/nodes")] == ["1", "1"]


def test_get_nodes_watching(kubeconfig: Path, server: KubeServer) -> None:
    command = ["kubectl", "get", "nodes", "-w", "-o", "name"]
    with subprocess.Popen(command, env=environment(kubeconfig), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert [process.stdout.readline() for _ in range(2)] == ["node/n1\n", "node/n2\n"]
            server.put_node(node_object("n3"))
            assert process.stdout.readline() == "node/n3\n"
        finally:
            process.terminate()


def test_cordon_and_patches(kubeconfig: Path, server: KubeServer) -> None:
    since = server.version
    assert kubectl(kubeconfig, "cordon", "n1") == "node/n1 cordoned\n"
    assert server.node("n1")["spec"]["unschedulable"] is True
    kubectl(kubeconfig, "label", "node", "n1", "a=b")
    assert server.node("n1")["metadata"]["labels"]["a"] == "b"
    patch = json.dumps([{"op": "replace", "path": "/metadata/labels/a", "value": "c"}])
    kubectl(kubeconfig, "patch", "node", "n1", "--type=json", "-p", patch)
    assert server.node("n1")["metadata"]["labels"]["a"] == "c"
    kubectl(kubeconfig, "patch", "node", "n1", "--type=merge", "-p", '{"spec":{"unschedulable":null}}')
    assert "unschedulable" not in server.node("n1")["spec"]
    nodes = KubeNodes.open(kubeconfig=str(kubeconfig), context=None)
    told = [event.node for _, event in zip(range(4), nodes.watch(since), strict=False)]
    assert [node and (node.schedulable, node.labels.get("a")) for node in told] == [
        (False, None),
        (False, "b"),
        (False, "c"),
        (True, "c"),
    ]


def test_a_patch_on_an_old_version_is_a_conflict(kubeconfig: Path, server: KubeServer) -> None:
    patch = '{"metadata":{"resourceVersion":"1"},"spec":{"unschedulable":true}}'
    assert "the object has been modified" in kubectl(kubeconfig, "patch", "node", "n1", "-p", patch, code=1)
    assert "unschedulable" not in server.node("n1")["spec"]


def test_delete_node(kubeconfig: Path, server: KubeServer) -> None:
    assert kubectl(kubeconfig, "delete", "node", "n1") == 'node "n1" deleted\n'
    assert 'nodes "n1" not found' in kubectl(kubeconfig, "get", "node", "n1", code=1)


def test_kubectl_shows_who_holds_the_lock(kubeconfig: Path, server: KubeServer) -> None:
    lock = KubeLock(ApiServer(str(kubeconfig), None), "kube-system")
    lock.write(NEVER_HELD.passed_to("alice@here/run", datetime(2026, 1, 1, tzinfo=UTC), lasts_s=15))
    told = kubectl(kubeconfig, "get", "lease", "l2bridge-tui", "-n", "kube-system", "-o", "jsonpath={.spec}")
    assert json.loads(told)["holderIdentity"] == "alice@here/run"


def test_errors_as_kubectl_tells_them(kubeconfig: Path, server: KubeServer, tmp_path: Path) -> None:
    assert "n9" in kubectl(kubeconfig, "get", "node", "n9", code=1)
    server.fail(Fault(status=403, message="nodes is forbidden", path="/api/v1/nodes"))
    assert re.search("Forbidden.*nodes is forbidden", kubectl(kubeconfig, "get", "nodes", code=1))
    assert "unknown query parameter: mode" in kubectl(kubeconfig, "get", "--raw", "/api/v1/nodes?mode=x", code=1)
    stranger = server.kubeconfig(tmp_path / "stranger", user={"token": "bad"})
    assert "You must be logged in" in kubectl(stranger, "get", "nodes", code=1)


def test_kubectl_and_we_choose_the_same_context(server: KubeServer, kubeconfig: Path, tmp_path: Path) -> None:
    other = server.kubeconfig(tmp_path / "other", context="other", user={"token": "bad"})
    environ = environment(kubeconfig) | {"KUBECONFIG": f"{tmp_path}/missing:{other}:{kubeconfig}"}
    done = subprocess.run(
        ["kubectl", "config", "current-context"], env=environ, capture_output=True, text=True, check=True
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", environ["KUBECONFIG"])
        nodes = KubeNodes.open(kubeconfig=None, context=None)
        assert nodes.cluster().context == done.stdout.strip() == "other"
        with pytest.raises(Denied):
            nodes.list()
        chosen = KubeNodes.open(kubeconfig=None, context="wire")
        assert [node.pod_cidrs for node in chosen.list().nodes] == [
            (ip_network("10.42.1.0/24"),),
            (ip_network("10.42.2.0/24"),),
        ]
