"""How far a drain has come, as the API server's pods tell it, and what a watch makes of that."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripted import ScriptedNodes
from tests.test_rollout import two
from tests.wire.kube import KubeServer
from tests.wire.kube_http import Fault
from tui.demo import Call
from tui.engine.drains import Drains
from tui.engine.observer import Observer
from tui.kube import KubeNodes
from tui.model.rollout import Phase
from tui.ports import NodeList, Unavailable


@pytest.fixture
def server() -> Iterator[KubeServer]:
    with KubeServer() as running:
        yield running


@pytest.fixture
def nodes(server: KubeServer, tmp_path: Path) -> Iterator[KubeNodes]:
    source = KubeNodes.open(kubeconfig=str(server.kubeconfig(tmp_path / "config")), context=None)
    yield source
    source.close()


def test_only_what_a_drain_evicts_is_counted(server: KubeServer, nodes: KubeNodes) -> None:
    assert nodes.remaining("linux-1") == 0
    server.run_pod("web-1", "linux-1")
    server.run_pod("bare", "linux-1", owner="Node")
    server.run_pod("web-2", "linux-2")
    server.run_pod("agent", "linux-1", owner="DaemonSet")
    server.run_pod("static", "linux-1", owner="Node", mirror=True)
    server.run_pod("job-1", "linux-1", owner="Job", phase="Succeeded")
    server.run_pod("job-2", "linux-1", owner="Job", phase="Failed")
    assert nodes.remaining("linux-1") == 2
    server.evict("web-1")
    assert nodes.remaining("linux-1") == 1


def test_without_the_right_nothing_is_said(server: KubeServer, nodes: KubeNodes) -> None:
    server.fail(Fault(path="/api/v1/pods", status=403, message="pods is forbidden"))
    assert nodes.remaining("linux-1") is None


class Asked:
    """Drains of a watched world, asked for by hand; ``told`` counts what is newer."""

    def __init__(self) -> None:
        self.watch = two()
        self.told = 0
        world = self.watch.world
        self.drains = Drains(world.nodes, observer=self.watch.observer, clock=world.clock, told=self._newer)

    def _newer(self) -> None:
        self.told += 1

    def phase(self) -> Phase:
        self.watch.look(1)
        return self.watch.story("n0").phase


def test_a_cordoned_node_without_pods_is_drained() -> None:
    asked = Asked()
    assert asked.drains.ask()
    assert asked.told == 0, "nobody is leaving"
    asked.watch.world.cordon("n0")
    assert asked.phase() is Phase.CORDONED
    asked.drains.ask()
    assert (asked.told, asked.phase()) == (1, Phase.CORDONED)
    asked.drains.ask()
    assert (asked.told, asked.phase()) == (2, Phase.DRAINED)
    calls = asked.watch.world.calls(Call.PODS)
    asked.drains.ask()
    assert asked.watch.world.calls(Call.PODS) == calls, "it is drained: nobody asks again"
    asked.watch.world.cordon("n0", schedulable=True)
    assert asked.phase() is Phase.READY, "it was let in again"
    asked.drains.ask()
    asked.watch.world.cordon("n0")
    assert asked.phase() is Phase.CORDONED, "and what was left on it before says nothing now"


def test_a_server_that_does_not_answer_is_asked_again_and_one_that_cannot_tell_is_not() -> None:
    asked = Asked()
    world = asked.watch.world
    world.cordon("n0")
    asked.watch.look()
    world.fail_next(Call.PODS, Unavailable("down"))
    assert asked.drains.ask()
    assert asked.told == 0
    silent = ScriptedNodes(NodeList(nodes=(), version="1"))
    observer = Observer(nodes=silent, reader=world.reader, clock=world.clock, scope=world.scope)
    drains = Drains(silent, observer=observer, clock=world.clock, told=pytest.fail)
    assert not drains.ask()
    drains.close()
    drains.run()  # comes to its end
