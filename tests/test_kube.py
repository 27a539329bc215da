"""Nodes from the API: what is read, how a list is completed, how a watch begins and ends."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, watch

from tests.wire.kube import Fault, KubeServer, node_object
from tui.kube import KubeNodes
from tui.model.node import Cloud, Node, Taint
from tui.ports import Denied, Expired, NodeEvent, NodeEventKind, Unavailable

FLANNEL = "flannel.alpha.coreos.com/"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[KubeServer]:
    with KubeServer() as running:
        yield running


@pytest.fixture
def nodes(server: KubeServer, tmp_path: Path) -> Iterator[KubeNodes]:
    source = KubeNodes.open(kubeconfig=str(server.kubeconfig(tmp_path / "config")), context=None)
    yield source
    source.close()


def only(nodes: KubeNodes) -> Node:
    (node,) = nodes.list().nodes
    return node


def test_a_node_is_read_with_everything(server: KubeServer, nodes: KubeNodes) -> None:
    taint = {"key": "cattle.io/os", "value": "linux", "effect": "NoSchedule"}
    server.put_node(
        node_object(
            "win-1",
            internal_ips=["10.0.0.4", "10.0.1.4"],
            pod_cidrs=["10.42.1.0/24", "fd00:42:1::/64"],
            provider_id="aws:///eu-west-1a/i-0abc",
            os="windows",
            unschedulable=True,
            backend="Host-GW",
            public_ip="10.0.1.4",
            uid="u-1",
            taints=[taint, {"key": "bare", "effect": "NoExecute"}],
            bulky=True,
        )
    )
    node = only(nodes)
    assert (node.uid, node.name, node.os, node.ready, node.schedulable) == ("u-1", "win-1", "windows", True, False)
    assert (node.provider_id.cloud, node.provider_id.key, node.zone) == (Cloud.AWS, "i-0abc", "eu-west-1a")
    assert node.internal_ips == (ip_address("10.0.0.4"), ip_address("10.0.1.4"))
    assert node.addresses == (ip_address("10.0.1.4"), ip_address("10.0.0.4"))
    assert node.pod_cidrs == (ip_network("10.42.1.0/24"), ip_network("fd00:42:1::/64"))
    assert node.backend == "host-gw"
    assert node.taints == (
        Taint(key="cattle.io/os", value="linux", effect="NoSchedule"),
        Taint(key="bare", value=None, effect="NoExecute"),
    )
    assert node.labels["kubernetes.io/hostname"] == "win-1"
    assert node.kubelet_version == "v1.31.4"
    assert node.created_at == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert not node.deleting


def test_an_almost_empty_node_is_a_node(server: KubeServer, nodes: KubeNodes) -> None:
    server.put_node({"kind": "Node", "metadata": {"name": "bare", "creationTimestamp": None, "labels": None}})
    node = only(nodes)
    assert (node.name, node.os, node.ready, node.schedulable, node.addresses) == ("bare", None, None, True, ())
    assert (node.pod_cidrs, node.backend, node.provider_id.cloud, node.created_at) == ((), None, None, None)


@pytest.mark.parametrize(("ready", "told"), [(True, True), (False, False), (None, None)])
def test_readiness(server: KubeServer, nodes: KubeNodes, ready: bool | None, told: bool | None) -> None:
    server.put_node(node_object("a", ready=ready))
    assert only(nodes).ready is told


def test_the_os_by_label_then_by_old_label_then_by_the_kubelet(server: KubeServer, nodes: KubeNodes) -> None:
    node = node_object("a", os="windows")
    del node["metadata"]["labels"]["kubernetes.io/os"]
    server.put_node(node)
    assert only(nodes).os == "windows"
    del node["metadata"]["labels"]["beta.kubernetes.io/os"]
    server.put_node(node)
    assert only(nodes).os == "windows"


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({"public-ip": "10.0.0.9"}, ["10.0.0.9", "10.0.0.1"]),
        ({"public-ip": "10.0.0.9", "public-ip-overwrite": "10.0.0.8"}, ["10.0.0.8", "10.0.0.1"]),
        ({"public-ip": "10.0.0.9", "public-ip-overwrite": "nonsense"}, ["10.0.0.9", "10.0.0.1"]),
        ({"public-ipv6": "fd00::9"}, ["10.0.0.1", "fd00::9"]),
        (
            {"public-ip": "10.0.0.1", "public-ipv6": "fd00::9", "public-ipv6-overwrite": "fd00::8"},
            ["10.0.0.1", "fd00::8"],
        ),
    ],
)
def test_flannels_word_on_the_address_goes_first(
    server: KubeServer, nodes: KubeNodes, annotations: dict[str, str], expected: list[str]
) -> None:
    told = {FLANNEL + name: value for name, value in annotations.items()}
    server.put_node(node_object("a", backend=None, annotations=told))
    assert sorted(only(nodes).addresses, key=str) == sorted(map(ip_address, expected), key=str)
    assert next(iter(only(nodes).addresses)) == ip_address(
        next(value for value in expected if value in annotations.values())
    )


def test_addresses_of_rke_k3s_and_rke2_come_last(server: KubeServer, nodes: KubeNodes) -> None:
    annotations = {"rke.cattle.io/internal-ip": "10.0.0.2", "rke2.io/internal-ip": "10.0.0.4,fd00::4"}
    labels = {"k3s.io/internal-ip": "10.0.0.3"}
    server.put_node(node_object("a", backend=None, annotations=annotations, labels=labels))
    expected = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "fd00::4"]
    assert only(nodes).addresses == tuple(map(ip_address, expected))
    assert only(nodes).internal_ips == (ip_address("10.0.0.1"),)


def test_pod_cidrs_are_canonical_and_fall_back_to_the_single_field(server: KubeServer, nodes: KubeNodes) -> None:
    node = node_object("a", pod_cidr="10.42.1.7/24")
    server.put_node(node)
    assert only(nodes).pod_cidrs == (ip_network("10.42.1.0/24"),)
    del node["spec"]["podCIDRs"]
    server.put_node(node)
    assert only(nodes).pod_cidrs == (ip_network("10.42.1.0/24"),)


def test_bad_values_do_not_lose_the_node(server: KubeServer, nodes: KubeNodes) -> None:
    server.put_node(
        node_object(
            "a",
            internal_ips=["10.0.0.300", "010.0.0.1", "", "10.0.0.1"],
            pod_cidrs=["10.42.0.0/99", "x", "10.42.2.0/24"],
            public_ip="2001:::1",
            provider_id="://",
        )
    )
    node = only(nodes)
    assert node.addresses == (ip_address("10.0.0.1"),)
    assert node.pod_cidrs == (ip_network("10.42.2.0/24"),)


def test_a_node_that_is_being_deleted(server: KubeServer, nodes: KubeNodes) -> None:
    node = node_object("a")
    node["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    server.put_node(node)
    assert only(nodes).deleting


def test_our_structs_and_the_packages_models_read_the_same(
    server: KubeServer, nodes: KubeNodes, tmp_path: Path
) -> None:
    for number in range(3):
        server.put_node(node_object(f"n{number}", ip=f"10.0.0.{number}", ready=[True, False, None][number], bulky=True))
    config.load_kube_config(str(tmp_path / "config"))  # type: ignore[no-untyped-call]
    theirs: Any = client.CoreV1Api().list_node()
    ours = nodes.list()
    assert ours.version == theirs.metadata.resource_version
    for node, model in zip(ours.nodes, theirs.items, strict=True):
        assert (node.uid, node.name, node.labels) == (model.metadata.uid, model.metadata.name, model.metadata.labels)
        assert node.created_at == model.metadata.creation_timestamp
        assert node.kubelet_version == model.status.node_info.kubelet_version
        assert [str(ip) for ip in node.internal_ips] == [model.status.addresses[0].address]
        ready = next(condition.status for condition in model.status.conditions if condition.type == "Ready")
        assert node.ready is {"True": True, "False": False}.get(ready)


def test_an_empty_cluster(server: KubeServer, nodes: KubeNodes) -> None:
    assert nodes.list().nodes == ()
    assert nodes.list().version == server.version


def fill(server: KubeServer, count: int) -> None:
    for number in range(count):
        server.put_node(node_object(f"n{number:04}", ip=f"10.0.{number // 250}.{number % 250 + 1}"))


def test_a_list_is_read_in_pages_of_one_version(server: KubeServer, nodes: KubeNodes) -> None:
    fill(server, 1001)
    listed = nodes.list()
    assert [node.name for node in listed.nodes] == [f"n{number:04}" for number in range(1001)]
    assert listed.version == server.version
    assert [request.query.get("limit") for request in server.requests] == ["500", "500", "500"]


def test_when_the_pages_expire_the_list_is_read_again_in_one_piece(server: KubeServer, nodes: KubeNodes) -> None:
    fill(server, 600)
    server.fail(Fault(status=410, message="too old", after=1))
    assert len(nodes.list().nodes) == 600
    assert [sorted(request.query) for request in server.requests] == [["limit"], ["continue", "limit"], []]


def test_a_list_that_always_expires_ends(server: KubeServer, nodes: KubeNodes) -> None:
    server.fail(Fault(status=410, times=None))
    with pytest.raises(Unavailable, match="gave up the list of nodes half-way"):
        nodes.list()
    assert len(server.requests) == 2


def test_a_page_that_fails_gives_no_list(server: KubeServer, nodes: KubeNodes) -> None:
    fill(server, 600)
    server.fail(Fault(status=500, message="etcd is gone", after=1))
    with pytest.raises(Unavailable, match="etcd is gone"):
        nodes.list()


@pytest.mark.parametrize(
    "body", [b"<html>log in</html>", b"{}", b'{"items":[]}', b'{"metadata":{"resourceVersion":"1"}}']
)
def test_another_answer_than_a_list_is_not_read_as_no_nodes(server: KubeServer, nodes: KubeNodes, body: bytes) -> None:
    server.fail(Fault(status=200, body=body))
    with pytest.raises(Unavailable, match="does not answer like a Kubernetes API server"):
        nodes.list()


class Watching:
    """A watch in a thread of its own, as the engine runs it."""

    def __init__(self, nodes: KubeNodes, since: str) -> None:
        self.events: list[NodeEvent] = []
        self.error: Exception | None = None
        self._nodes, self._since = nodes, since
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for event in self._nodes.watch(self._since):
                with self._changed:
                    self.events.append(event)
                    self._changed.notify_all()
        except (Unavailable, Expired, Denied) as error:
            self.error = error

    def wait_for(self, count: int) -> list[NodeEvent]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.events) >= count, timeout=10)
        return self.events

    def ended(self) -> bool:
        self._thread.join(timeout=10)
        return not self._thread.is_alive()


def wait_for_watches(server: KubeServer, count: int = 1) -> None:
    deadline = time.monotonic() + 10
    while server.watches() < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_watch_tells_what_happens_to_nodes(server: KubeServer, nodes: KubeNodes) -> None:
    server.put_node(node_object("a"))
    watching = Watching(nodes, nodes.list().version)
    wait_for_watches(server)
    server.put_node(node_object("b"))
    server.put_node(node_object("a", unschedulable=True))
    server.delete_node("b")
    bookmark = server.bookmark()
    events = watching.wait_for(4)
    assert [event.kind.value for event in events] == ["added", "modified", "deleted", "bookmark"]
    assert [event.node and event.node.name for event in events] == ["b", "a", "b", None]
    assert events[1].node is not None
    assert not events[1].node.schedulable
    assert events[3].version == bookmark
    assert [int(event.version) for event in events] == sorted(int(event.version) for event in events)
    query = server.requests[-1].query
    assert (query["allowWatchBookmarks"], int(query["timeoutSeconds"]) > 60) == ("true", True)


def test_a_recreated_node_has_another_uid(server: KubeServer, nodes: KubeNodes) -> None:
    server.put_node(node_object("a", uid="old"))
    since = nodes.list().version
    server.delete_node("a")
    server.put_node(node_object("a", uid="new"))
    watching = Watching(nodes, since)
    assert [event.node and event.node.uid for event in watching.wait_for(2)] == ["old", "new"]


def test_a_watch_continues_from_a_version(server: KubeServer, nodes: KubeNodes) -> None:
    server.put_node(node_object("a"))
    since = server.version
    server.put_node(node_object("b"))
    assert [event.node and event.node.name for event in Watching(nodes, since).wait_for(1)] == ["b"]


def test_a_watch_ends_when_the_server_ends_it(server: KubeServer, nodes: KubeNodes) -> None:
    watching = Watching(nodes, server.version)
    wait_for_watches(server)
    server.end_watches()
    assert watching.ended()
    assert watching.error is None


@pytest.mark.parametrize("broken", [False, True])
def test_a_torn_last_line_is_dropped(server: KubeServer, nodes: KubeNodes, broken: bool) -> None:
    watching = Watching(nodes, server.version)
    wait_for_watches(server)
    server.put_node(node_object("a"))
    watching.wait_for(1)
    server.end_watches(b'{"type":"ADDED","object":{"metadata":{"na', broken=broken)
    assert watching.ended()
    assert watching.error is None
    assert len(watching.events) == 1


@pytest.mark.parametrize("as_event", [True, False])
def test_a_version_that_is_too_old(as_event: bool, tmp_path: Path) -> None:
    with KubeServer(gone_as_event=as_event) as server:
        nodes = KubeNodes.open(kubeconfig=str(server.kubeconfig(tmp_path / "config")), context=None)
        since = nodes.list().version
        server.put_node(node_object("a"))
        server.compact()
        with pytest.raises(Expired):
            next(nodes.watch(since))


def test_an_error_event_that_is_no_410(server: KubeServer, nodes: KubeNodes) -> None:
    watching = Watching(nodes, server.version)
    wait_for_watches(server)
    server.end_watches(b'{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd\\u001b lost"}}\n')
    assert watching.ended()
    assert isinstance(watching.error, Unavailable)
    assert "etcd\\x1b lost" in str(watching.error)


@pytest.mark.parametrize("line", [b"<html>\n", b'{"type":"RENAMED","object":{"metadata":{}}}\n', b'{"type":"ADDED"}\n'])
def test_a_line_that_is_no_event(server: KubeServer, nodes: KubeNodes, line: bytes) -> None:
    watching = Watching(nodes, server.version)
    wait_for_watches(server)
    server.end_watches(line)
    assert watching.ended()
    assert "does not answer like a Kubernetes API server" in str(watching.error)


@pytest.mark.parametrize("tls", [False, True])
def test_close_ends_a_watch_promptly(tls: bool, tmp_path: Path) -> None:
    with KubeServer(tls=tls) as server:
        nodes = KubeNodes.open(kubeconfig=str(server.kubeconfig(tmp_path / "config")), context=None)
        watching = Watching(nodes, server.version)
        wait_for_watches(server)
        server.put_node(node_object("a"))
        watching.wait_for(1)
        started = time.monotonic()
        nodes.close()
        assert watching.ended()
        assert time.monotonic() - started < 2
        assert watching.error is None
        nodes.close()
        assert list(nodes.watch(server.version)) == []


def test_a_server_that_goes_away_ends_a_watch(server: KubeServer, nodes: KubeNodes) -> None:
    watching = Watching(nodes, server.version)
    wait_for_watches(server)
    server.stop()
    assert watching.ended()
    with pytest.raises(Unavailable):
        nodes.list()


def test_a_large_burst_is_read_in_order(server: KubeServer, nodes: KubeNodes) -> None:
    since = server.version
    for number in range(300):
        server.put_node(node_object(f"n{number}", bulky=True))
    watching = Watching(nodes, since)
    assert [event.node and event.node.name for event in watching.wait_for(300)] == [f"n{n}" for n in range(300)]
    assert {event.kind for event in watching.events} == {NodeEventKind.ADDED}


NET_CONF = '{"Network":"10.42.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:42::/56","Backend":{"Type":"host-gw"}}'


@pytest.mark.parametrize(
    ("namespace", "name"),
    [("kube-flannel", "kube-flannel-cfg"), ("kube-system", "kube-flannel-cfg"), ("kube-system", "canal-config")],
)
def test_pod_cidrs_from_flannels_config_map(server: KubeServer, nodes: KubeNodes, namespace: str, name: str) -> None:
    server.put_config_map(namespace, name, {"cni-conf.json": "{}", "net-conf.json": NET_CONF})
    assert nodes.facts().pod_cidrs == (ip_network("10.42.0.0/16"), ip_network("fd00:42::/56"))


def test_no_config_map_of_flannel(server: KubeServer, nodes: KubeNodes) -> None:
    assert nodes.facts().pod_cidrs == ()


@pytest.mark.parametrize("net_conf", ["{", "[]", "{}", '{"Network":"nonsense"}'])
def test_a_config_map_that_says_nothing(server: KubeServer, nodes: KubeNodes, net_conf: str) -> None:
    server.put_config_map("kube-flannel", "kube-flannel-cfg", {"net-conf.json": net_conf})
    assert nodes.facts().pod_cidrs == ()


def test_config_maps_that_may_not_be_read(server: KubeServer, nodes: KubeNodes) -> None:
    server.fail(Fault(status=403, path="/api/v1/namespaces/kube-flannel/"))
    server.put_config_map("kube-system", "canal-config", {"net-conf.json": NET_CONF})
    assert len(nodes.facts().pod_cidrs) == 2


def test_the_packages_own_watch_works_against_the_wire_server(server: KubeServer, tmp_path: Path) -> None:
    config.load_kube_config(str(server.kubeconfig(tmp_path / "config")))  # type: ignore[no-untyped-call]
    server.put_node(node_object("a"))
    server.put_node(node_object("b"))
    package = watch.Watch()  # type: ignore[no-untyped-call]
    stream = package.stream(  # type: ignore[no-untyped-call]
        client.CoreV1Api().list_node, resource_version="1001", timeout_seconds=1
    )
    assert [(event["type"], event["object"].metadata.name) for event in stream] == [("ADDED", "b")]
