"""What a cluster tells besides its nodes: who it is, and whether a control plane component writes routes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.kube import Fault, KubeServer, node_object
from tui.kube.control_plane import Pod, route_writer
from tui.kube.nodes import KubeNodes
from tui.ports import Throttled, Unavailable

CLOUD, KUBE = "cloud-controller-manager", "kube-controller-manager"
SYSTEM = "/api/v1/namespaces/kube-system"


@pytest.fixture
def server() -> Iterator[KubeServer]:
    with KubeServer() as server:
        yield server


@pytest.fixture
def nodes(server: KubeServer, tmp_path: Path) -> KubeNodes:
    return KubeNodes.open(kubeconfig=str(server.kubeconfig(tmp_path / "config")), context=None)


def told(*words: str) -> str | None:
    return route_writer([Pod(name="cm", running=True, words=(words,))])


@pytest.mark.parametrize(
    "words",
    [
        (CLOUD, "--cluster-cidr=10.42.0.0/16"),
        (f"/usr/local/bin/{CLOUD}", "--cloud-provider=gce", "--cluster-cidr", "10.42.0.0/16"),
        (CLOUD, "--cluster-cidr=10.42.0.0/16", "--configure-cloud-routes"),
        (CLOUD, "--cluster-cidr=10.42.0.0/16", "--configure-cloud-routes=true"),
        (CLOUD, "--cluster-cidr=10.42.0.0/16", "--configure-cloud-routes=false", "--configure-cloud-routes=true"),
        (CLOUD, "--cluster-cidr=10.42.0.0/16", "--controllers=*,-service"),
        (CLOUD, "--cluster-cidr=10.42.0.0/16", "--controllers=cloud-node,route"),
        ("--cluster-cidr=10.42.0.0/16",),
        (KUBE, "--cloud-provider=gce", "--allocate-node-cidrs", "--cluster-cidr=10.42.0.0/16"),
        (KUBE, "--cloud-provider=aws", "--allocate-node-cidrs=true"),
        (CLOUD, "--kubeconfig", f"/etc/kubernetes/{KUBE}.conf", "--cluster-cidr=10.42.0.0/16"),
        (CLOUD, "--cluster-cidr=10.42.0.0/16", "--configure-cloud-routes", "false"),
        (KUBE, "--cloud-provider=gce", "--allocate-node-cidrs", "1>>/var/log/kcm.log"),
    ],
)
def test_these_arguments_write_routes(words: tuple[str, ...]) -> None:
    assert (told(*words) or "").startswith("pod kube-system/cm ")


@pytest.mark.parametrize(
    "words",
    [
        (),
        (CLOUD,),
        (CLOUD, "--cluster-cidr="),
        (CLOUD, "--cluster-cidr=10.42.0.0/16", "--configure-cloud-routes=false"),
        (CLOUD, "--cluster-cidr=10.42.0.0/16", "--controllers=*,-route"),
        (CLOUD, "--cluster-cidr=10.42.0.0/16", "--controllers=*,-node-route-controller"),
        (CLOUD, "--cluster-cidr=10.42.0.0/16", "--controllers=cloud-node"),
        (KUBE, "--allocate-node-cidrs=true", "--cluster-cidr=10.42.0.0/16"),
        (KUBE, "--cloud-provider=external", "--allocate-node-cidrs=true", "--cluster-cidr=10.42.0.0/16"),
        (KUBE, "--cloud-provider=gce", "--allocate-node-cidrs=false"),
        (KUBE, "--cloud-provider=gce"),
    ],
)
def test_these_arguments_do_not(words: tuple[str, ...]) -> None:
    assert told(*words) is None


def test_the_evidence_says_whether_it_was_switched_on_or_only_not_off() -> None:
    assert told(CLOUD, "--cluster-cidr=10.0.0.0/8", "--configure-cloud-routes=true") == (
        "pod kube-system/cm runs with --configure-cloud-routes=true"
    )
    assert told(CLOUD, "--cluster-cidr=10.0.0.0/8") == "pod kube-system/cm does not switch --configure-cloud-routes off"


def test_a_pod_of_the_control_plane_is_found_by_either_label(server: KubeServer, nodes: KubeNodes) -> None:
    assert nodes.facts().route_controller is None
    server.put_pod("other", CLOUD, "--cluster-cidr=10.0.0.0/8", labels={"component": "etcd"})
    assert nodes.facts().route_controller is None
    server.put_pod("ccm-1", args=("--cluster-cidr=10.0.0.0/8",), labels={"k8s-app": CLOUD})
    assert "pod kube-system/ccm-1" in (nodes.facts().route_controller or "")
    server.put_pod(
        "kcm-1", "/bin/sh", "-c", f"{KUBE} --cloud-provider=gce --allocate-node-cidrs", labels={"component": KUBE}
    )
    assert "pod kube-system/kcm-1" in (nodes.facts().route_controller or "")


@pytest.mark.parametrize("provider", ["aws-", "gcp-", "azure-", ""])
def test_every_providers_controller_manager_is_found(server: KubeServer, nodes: KubeNodes, provider: str) -> None:
    server.put_pod("ccm", CLOUD, "--cluster-cidr=10.0.0.0/8", labels={"k8s-app": f"{provider}{CLOUD}"})
    assert nodes.facts().route_controller is not None


def test_what_a_pod_is_by_its_labels_counts_where_no_program_is_named(server: KubeServer, nodes: KubeNodes) -> None:
    arguments = ("--cloud-provider=external", "--cluster-cidr=10.0.0.0/8", "--allocate-node-cidrs=true")
    server.put_pod("cm", args=arguments, labels={"component": KUBE})
    assert nodes.facts().route_controller is None
    server.put_pod("cm", args=arguments, labels={"component": CLOUD})
    assert nodes.facts().route_controller is not None


def test_one_part_that_is_denied_takes_no_other_with_it(server: KubeServer, nodes: KubeNodes) -> None:
    server.put_pod("ccm", CLOUD, "--cluster-cidr=10.0.0.0/8", labels={"component": CLOUD})
    server.put_config_map("kube-flannel", "kube-flannel-cfg", {"net-conf.json": '{"Network": "10.42.0.0/16"}'})
    server.fail(Fault(status=403, path=f"{SYSTEM}/pods", times=2))
    facts = nodes.facts()
    assert (facts.uid is None, facts.route_controller, len(facts.pod_cidrs)) == (False, None, 1)
    server.fail(Fault(status=403, path=SYSTEM))
    facts = nodes.facts()
    assert (facts.uid, facts.route_controller is None, len(facts.pod_cidrs)) == (None, False, 1)


def test_a_pod_that_does_not_run_writes_nothing(server: KubeServer, nodes: KubeNodes) -> None:
    server.put_pod("ccm", CLOUD, "--cluster-cidr=10.0.0.0/8", labels={"component": CLOUD}, phase="Pending")
    assert nodes.facts().route_controller is None


def test_the_cluster_is_identified_by_its_system_namespace(server: KubeServer, nodes: KubeNodes) -> None:
    assert nodes.facts().uid == server.get_namespace("kube-system")["metadata"]["uid"]


@pytest.mark.parametrize(
    "fault", [Fault(status=403), Fault(status=404), Fault(status=200, body=b"<html>"), Fault(status=200, body=b"[]")]
)
def test_what_is_denied_missing_or_no_answer_is_left_out(server: KubeServer, nodes: KubeNodes, fault: Fault) -> None:
    server.put_pod("ccm", CLOUD, "--cluster-cidr=10.0.0.0/8", labels={"component": CLOUD})
    fault.path, fault.times = SYSTEM, None
    server.fail(fault)
    facts = nodes.facts()
    assert (facts.uid, facts.route_controller, facts.pod_cidrs) == (None, None, ())


@pytest.mark.parametrize(("status", "kind"), [(429, Throttled), (500, Unavailable)])
def test_a_server_that_cannot_answer_now_is_told_as_such(
    server: KubeServer, nodes: KubeNodes, status: int, kind: type[Exception]
) -> None:
    server.fail(Fault(status=status, path=f"{SYSTEM}/pods"))
    with pytest.raises(kind):
        nodes.facts()


def test_who_wrote_the_network_condition_is_known(server: KubeServer, nodes: KubeNodes) -> None:
    plain, told = node_object("plain"), node_object("told", ip="10.0.0.2")
    plain["status"]["conditions"] = [one for one in plain["status"]["conditions"] if one["type"] == "Ready"]
    condition = {
        "type": "NetworkUnavailable",
        "status": "False",
        "reason": "RouteCreated",
        "message": "RouteController",
    }
    told["status"]["conditions"] = [*plain["status"]["conditions"], condition]
    server.put_node(plain)
    server.put_node(told)
    found = {node.name: (node.network_reason, node.network_message) for node in nodes.list().nodes}
    assert found == {"plain": (None, None), "told": ("RouteCreated", "RouteController")}
