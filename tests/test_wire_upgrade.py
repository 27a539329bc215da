"""Rolling upgrades against servers of Kubernetes and of a cloud, and an oracle that knows what was delivered when.

Over HTTP, with the real clients and the real time: what a watch reports must bracket what was so.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

from tests.wire.arm import ArmServer, serve_arm
from tests.wire.gce import ZONE, ComputeServer, isolate, serve_gce
from tests.wire.gce_refusals import BROKEN
from tests.wire.kube import KubeServer
from tests.wire.node_objects import node_object
from tui.engine.autofix import AutoFix
from tui.engine.session import Session
from tui.model.arming import FixKind, Wish
from tui.model.finding import ActivityKind, Report
from tui.model.rollout import Rollout
from tui.settings import Settings
from tui.wiring import open_session

PROJECT = "p"
WISH = Wish(nodes="new-*", kinds=frozenset(FixKind), max_changes=10, span_s=600)
SLACK_S = 0.4
"""How long it takes to hear of what happened, and how much later a computer that is busy sees it."""
DEADLINE_S = 40.0


@dataclass(slots=True)
class Node:
    """A node as its owner means it to be."""

    name: str
    number: int
    cidr: str
    generation: int = 0
    ready: bool = True
    present: bool = True

    @property
    def ip(self) -> str:
        return f"10.0.{self.generation}.{self.number + 10}"


class Ground(Protocol):
    """A cloud as its owner has it."""

    def provider_id(self, node: Node) -> str: ...
    def make(self, node: Node, *, forwards: bool) -> None: ...
    def terminate(self, node: Node) -> None: ...
    def allow(self, name: str, forwards: bool) -> None: ...
    def forwards(self, name: str) -> bool: ...

    def route(self, node: Node) -> None:
        """Lead the pod CIDR to the node, and to no other any more."""

    def hops(self, cidr: str) -> set[str]:
        """Return the names of the VMs that routes for a range lead to, those included that are gone."""

    def fall_over(self) -> None:
        """Let the reads of the next moments fail."""


class ComputeEngine:
    """A project whose only network has the nodes."""

    def __init__(self, server: ComputeServer) -> None:
        self._server = server
        server.network("default", project=PROJECT, ranges=("10.0.0.0/16",))

    def provider_id(self, node: Node) -> str:
        return f"gce://{PROJECT}/{ZONE}/{node.name}"

    def make(self, node: Node, *, forwards: bool) -> None:
        self._server.instance(node.name, project=PROJECT, ip=node.ip, forwards=forwards)

    def terminate(self, node: Node) -> None:
        self._server.delete_instance(node.name)

    def allow(self, name: str, forwards: bool) -> None:
        self._server.edit(name, canIpForward=forwards)

    def forwards(self, name: str) -> bool:
        return self._server.forwards(name)

    def route(self, node: Node) -> None:
        for name, route in list(self._server.routes(PROJECT).items()):
            if route["destRange"] == node.cidr:
                self._server.delete_route(name, project=PROJECT)
        self._server.route(f"to-{node.name}", node.cidr, instance=node.name, project=PROJECT)

    def hops(self, cidr: str) -> set[str]:
        routes = list(self._server.routes(PROJECT).values())
        return {str(one.get("nextHopInstance")).rpartition("/")[2] for one in routes if one["destRange"] == cidr}

    def fall_over(self) -> None:
        """Each of two reads is tried three times."""
        self._server.fail("compute.instances.aggregatedList", BROKEN, times=6)


class Azure:
    """A subscription with one subnet, whose table leads to addresses."""

    def __init__(self, server: ArmServer) -> None:
        self._server = server
        self._table = server.table()
        self._subnet = server.subnet("nodes", "10.0.0.0/16", table=self._table)
        self._names: dict[str, str] = {}

    def provider_id(self, node: Node) -> str:
        return f"azure://{self._server.group()}/providers/Microsoft.Compute/virtualMachines/{node.name}"

    def make(self, node: Node, *, forwards: bool) -> None:
        with self._server.lock:
            self._names[node.ip] = node.name
            self._server.vm(node.name, self._subnet, node.ip, forwards=forwards)

    def _nic(self, name: str) -> str:
        return f"{self._server.group()}/providers/Microsoft.Network/networkInterfaces/{name}-nic"

    def terminate(self, node: Node) -> None:
        with self._server.lock:
            self._server.remove(self._nic(node.name))

    def allow(self, name: str, forwards: bool) -> None:
        with self._server.lock:
            self._server.properties(self._nic(name))["enableIPForwarding"] = forwards
            self._server.touch(self._nic(name))

    def forwards(self, name: str) -> bool:
        return bool(self._server.forwards(name))

    def route(self, node: Node) -> None:
        with self._server.lock:
            told = self._server.properties(self._table)
            told["routes"] = [one for one in told["routes"] if one["properties"]["addressPrefix"] != node.cidr]
            self._server.route(self._table, f"to-{node.name}", node.cidr, node.ip)
            self._server.touch(self._table)

    def hops(self, cidr: str) -> set[str]:
        with self._server.lock:
            routes = self._server.properties(self._table)["routes"]
            told = [one["properties"] for one in routes]
            return {self._names[one["nextHopIpAddress"]] for one in told if one["addressPrefix"] == cidr}

    def fall_over(self) -> None:
        """One read is tried three times, with pauses in between."""
        self._server.fail("GET", "/networkInterfaces", 503, "ServiceUnavailable", times=3)


@dataclass(slots=True)
class Upgrade:
    """Does to a cluster what an upgrade does, and keeps account of what was delivered."""

    kube: KubeServer
    ground: Ground
    nodes: dict[str, Node] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    raced: set[str] = field(default_factory=set)
    _since_s: float = 0.0

    def __post_init__(self) -> None:
        self._since_s = time.monotonic()

    # The truth.

    def undelivered(self) -> set[str]:
        """Return the nodes that are ready while no packet gets to their pods."""
        found = set()
        for node in self.nodes.values():
            delivered = self.ground.hops(node.cidr) == {node.name}
            if node.present and node.ready and not (delivered and self.ground.forwards(node.name)):
                found.add(node.name)
        return found

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Account for the time until now, and let something change."""
        now_s = time.monotonic()
        for name in self.undelivered():
            self.seconds[name] = self.seconds.get(name, 0.0) + now_s - self._since_s
        self._since_s = now_s
        yield

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass."""
        time.sleep(seconds)  # of the world itself: nothing is waited for
        with self._changing():
            pass

    # What happens.

    def join(self, node: Node, *, forwards: bool = True, ready: bool = True) -> None:
        with self._changing():
            self.ground.make(node, forwards=forwards)
            node.ready, node.present = ready, True
            self.nodes[node.name] = node
            self._told(node)

    def _told(self, node: Node, *, cordoned: bool = False) -> None:
        self.kube.put_node(
            node_object(
                node.name,
                ip=node.ip,
                pod_cidr=node.cidr,
                provider_id=self.ground.provider_id(node),
                ready=node.ready,
                unschedulable=cordoned,
                uid=f"uid-{node.name}",
            )
        )

    def cordon(self, node: Node, *, cordoned: bool = True) -> None:
        with self._changing():
            self._told(node, cordoned=cordoned)

    def ready(self, node: Node) -> None:
        with self._changing():
            node.ready = True
            self._told(node)

    def leave(self, node: Node) -> None:
        with self._changing():
            node.present = False
            self.kube.delete_node(node.name)

    def terminate(self, node: Node) -> None:
        with self._changing():
            self.ground.terminate(node)

    def allow(self, node: Node) -> None:
        with self._changing():
            self.ground.allow(node.name, True)

    def route(self, node: Node) -> None:
        """Let somebody lead the pod CIDR to the node, and to no other any more."""
        with self._changing():
            self.ground.route(node)

    def forget_the_past(self) -> None:
        """Let every watch end, and its version be too old."""
        self.kube.compact()
        self.kube.end_watches()


@pytest.fixture(params=["Compute Engine", "Azure"])
def upgrade(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upgrade]:
    with ExitStack() as stack:
        kube = stack.enter_context(KubeServer())
        if request.param == "Azure":
            ground: Ground = Azure(stack.enter_context(serve_arm(tmp_path, monkeypatch)))
        else:
            gce = stack.enter_context(serve_gce())
            isolate(monkeypatch, tmp_path, gce)
            ground = ComputeEngine(gce)
        monkeypatch.setenv("KUBECONFIG", str(kube.kubeconfig(tmp_path / "kubeconfig")))
        made = Upgrade(kube, ground)
        for number in range(4):
            node = Node(f"old-{number}", number, f"10.42.{number}.0/24")
            made.join(node)
            made.route(node)
        yield made


class Eye:
    """Watches in a thread, and keeps the newest report."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.newest: Report | None = None
        self._thread = threading.Thread(target=self._follow)

    def __enter__(self) -> "Eye":
        self.session.start(interval_s=1)
        self._thread.start()
        self.until(lambda report: all(one.reachable for one in report.assessments) and bool(report.assessments))
        return self

    def _follow(self) -> None:
        for report in self.session.reports():
            self.newest = report

    def until(self, holds: Callable[[Report], bool]) -> Report:
        deadline_s = time.monotonic() + DEADLINE_S
        while not (self.newest is not None and holds(self.newest)):
            assert time.monotonic() < deadline_s, self.newest
            time.sleep(0.02)
        return self.newest

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self._thread.join(10)
        assert not self._thread.is_alive()


def replace_one(upgrade: Upgrade, number: int, chance: random.Random, *, lasts_s: float = 2.5) -> None:
    """Replace a node, as a cluster does it: never twice in the same order."""
    old = upgrade.nodes[f"old-{number}"]
    new = Node(f"new-{number}", number, old.cidr, generation=1)
    upgrade.cordon(old)
    if chance.random() < 0.5:  # somebody changes their mind
        upgrade.cordon(old, cordoned=False)
        upgrade.cordon(old)
    lingers = chance.random() < 0.5
    upgrade.leave(old)
    if not lingers:
        upgrade.terminate(old)
    upgrade.pass_time(chance.uniform(0.2, 1.0))
    forwards, at_once = chance.random() < 0.5, chance.random() < 0.5
    upgrade.join(new, forwards=forwards, ready=at_once)
    upgrade.raced.add(new.cidr)
    if not at_once:
        upgrade.pass_time(0.3)
        upgrade.ready(new)
    upgrade.pass_time(chance.uniform(lasts_s, lasts_s + 1))
    if lingers:
        upgrade.terminate(old)
    if not forwards:
        upgrade.allow(new)
    upgrade.route(new)


@pytest.mark.parametrize("seed", [1])
def test_what_is_reported_brackets_what_was_delivered_and_every_race_is_alarmed(
    seed: int, upgrade: Upgrade, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    session = open_session(Settings(state_dir=tmp_path / "state"))
    with Eye(session) as eye:
        upgrade.pass_time(0)
        upgrade.seconds.clear()  # what was before the first look counts not
        replace_one(upgrade, 0, chance)
        upgrade.forget_the_past()
        replace_one(upgrade, 1, chance)
        upgrade.ground.fall_over()
        replace_one(upgrade, 2, chance, lasts_s=6)
        report = eye.until(is_over)
        upgrade.pass_time(0)
    rollout = report.rollout
    assert rollout is not None
    assert_brackets(upgrade, rollout, report)
    assert {str(race.cidr) for race in rollout.races} >= upgrade.raced
    assert all(race.ended_at is not None for race in rollout.races)
    assert [(pair.old.name, pair.new and pair.new.name, pair.guess) for pair in rollout.pairs] == [
        (f"old-{number}", f"new-{number}", False) for number in range(3)
    ]
    kinds = [activity.kind for activity in report.activity]
    assert kinds.count(ActivityKind.RACE_OPENED) == kinds.count(ActivityKind.RACE_CLOSED) >= 3
    assert kinds.count(ActivityKind.REPLACED) == 3
    assert {ActivityKind.SOURCE_LOST, ActivityKind.SOURCE_RECOVERED} <= set(kinds)


def is_over(report: Report) -> bool:
    names = {one.node.name for one in report.assessments if one.reachable}
    stories = report.rollout.stories.values() if report.rollout else ()
    return names == {"old-3", "new-0", "new-1", "new-2"} and not any(story.outage for story in stories)


def assert_brackets(upgrade: Upgrade, rollout: Rollout, report: Report) -> None:
    now = report.snapshot.taken_at
    stories = {story.name: story for story in rollout.stories.values()}
    for name, truth in upgrade.seconds.items():
        outages = stories[name].outages
        assert outages, f"{name} was unreachable for {truth:.1f} s, and nobody noticed"
        least = sum(outage.least_s() for outage in outages)
        most = sum(outage.most_s(now) for outage in outages)
        assert least - SLACK_S <= truth <= most + SLACK_S, f"{name}: {least:.1f} <= {truth:.1f} <= {most:.1f}"
    for name, story in stories.items():
        assert not story.outages or name in upgrade.seconds, f"{name} was always reachable"


def test_an_armed_watch_mends_new_nodes_by_itself_and_no_others(upgrade: Upgrade, tmp_path: Path) -> None:
    session = open_session(Settings(state_dir=tmp_path / "state"))
    with Eye(session) as eye:
        upgrade.ground.allow("old-3", False)
        AutoFix(session, WISH.from_now(session.clock.now())).start()
        gone, lingering = upgrade.nodes["old-0"], upgrade.nodes["old-1"]
        for old in (gone, lingering):
            upgrade.leave(old)
            upgrade.join(Node(f"new-{old.number}", old.number, old.cidr, generation=1), forwards=False)
        upgrade.terminate(gone)
        eye.until(lambda report: (one := report.of("new-0")) is not None and one.reachable is True)
        assert upgrade.ground.hops(lingering.cidr) == {"old-1"}, "the VM that it leads to still runs"
        upgrade.terminate(lingering)
        eye.until(lambda report: (one := report.of("new-1")) is not None and one.reachable is True)
        assert upgrade.undelivered() == {"old-3"}
        assert not upgrade.ground.forwards("old-3"), "it was there when this was armed"
    written = [recorded.change.node for apply in session.applies() for recorded in apply.changes]
    assert set(written) == {"new-0", "new-1"}
