"""Who would write: what the API server tells, and how a plan is signed with it and with what the clouds tell."""

import threading
from pathlib import Path

import pytest

from tests import build
from tests.scripted import ScriptedCloud, ScriptedNodes
from tests.wire.kube import Fault, KubeServer
from tui.engine import identities
from tui.engine.identities import Identities
from tui.kube import KubeNodes
from tui.model.plan import Actor, Plan, build_plan
from tui.ports import Denied, NodeList, PortError

PLAN = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=[build.switch_on(source="aws:us-east-1")])


# Kubernetes.


def test_the_api_server_names_whom_it_lets_in(tmp_path: Path) -> None:
    with KubeServer() as server:
        server.coordination.user = "system:serviceaccount:ops:l2bridge"
        nodes = KubeNodes.open(kubeconfig=str(server.kubeconfig(tmp_path / "config")), context=None)
        assert nodes.identity() == "system:serviceaccount:ops:l2bridge"
        path = "/apis/authentication"
        server.fail(Fault(status=404, message="not found", path=path, method="POST"))
        assert nodes.identity() is None
        server.fail(Fault(status=201, body=b"{}", path=path, method="POST"))
        assert nodes.identity() is None
        server.fail(Fault(status=403, message="forbidden", path=path, method="POST"))
        with pytest.raises(Denied):
            nodes.identity()


# The plan.


class Mute(ScriptedCloud):
    """A cloud that does not tell who acts: it refuses, or does not answer before ``answers`` is set."""

    def __init__(self, error: PortError | None = None) -> None:
        super().__init__()
        self.answers = threading.Event()
        self._error = error

    def identity(self, source: str) -> str | None:
        if self._error is not None:
            raise self._error
        self.answers.wait()
        return super().identity(source)


def signed(cloud: ScriptedCloud, plan: Plan = PLAN) -> tuple[Actor, ...]:
    return Identities(ScriptedNodes(NodeList(nodes=(), version="1")), lambda _: cloud).signed(plan).actors


def test_a_plan_names_the_clusters_user_and_one_for_each_source() -> None:
    assert signed(ScriptedCloud()) == (
        Actor(source="kubernetes", identity="somebody"),
        Actor(source="aws:us-east-1", identity="somebody in aws:us-east-1"),
    )


def test_an_empty_plan_is_signed_by_nobody() -> None:
    assert signed(ScriptedCloud(), build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=[])) == ()


def test_who_is_not_told_is_unknown_and_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert signed(Mute(Denied("no")))[1].identity is None
    monkeypatch.setattr(identities, "_PATIENCE_S", 0.05)
    silent = Mute()
    assert signed(silent)[1].identity is None
    silent.answers.set()


def test_signing_does_not_change_what_a_plan_is() -> None:
    plan = Identities(ScriptedNodes(NodeList(nodes=(), version="1")), lambda _: ScriptedCloud()).signed(PLAN)
    assert plan.id == PLAN.id
