"""Two operators, a lock and what the cluster is told: whole applies, over HTTP and in the embedded world."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests import build
from tests.scripted import ScriptedClock, ScriptedCloud, SteppedClock
from tests.test_crash import WRITE, Victim, before_the_write
from tests.test_story import Cluster, cluster, ec2  # noqa: F401 - the fixtures
from tests.wire.ec2_rules import Call
from tests.wire.kube import Fault
from tui.cli import main
from tui.demo import Call as DemoCall
from tui.demo import DemoWorld, open_world
from tui.engine.applier import Applier, Writing
from tui.engine.journal import Journal
from tui.engine.lock import RENEWED_EVERY_S
from tui.model.change import Change
from tui.model.plan import ApplyResult, Remark, RunStep, Status, build_plan
from tui.ports import Clock, Denied, Indeterminate, Locked, Unavailable

BOB = "bob@elsewhere/2026-01-01T115900Z-abcdef"
LEASE_PATH = "/apis/coordination.k8s.io"


def another_operator(state: Path, *arguments: str) -> tuple[int, str]:
    """Apply from another machine: a process with a state folder of its own."""
    command = [sys.executable, "-m", "tui", "apply", "--yes", *arguments]
    environment = {**os.environ, "L2BRIDGE_STATE_DIR": str(state)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_second_operator_is_refused_and_told_who_applies(cluster: Cluster, tmp_path: Path) -> None:  # noqa: F811
    ends: list[tuple[int, str]] = []

    def second_comes(call: Call, done: bool, writes: int) -> bool:
        if before_the_write(call, done, writes) and not ends:
            ends.append(another_operator(tmp_path / "elsewhere"))
        return False

    first = Victim(cluster, second_comes)
    assert first.process.returncode == 0, first.said
    ((code, said),) = ends
    assert code == 4
    assert " applies to this cluster since " in said
    assert "the Lease kube-system/l2bridge-tui" in said
    assert "--force-lock" in said
    assert not list((tmp_path / "elsewhere").rglob("*.jsonl")) or "intent" not in (
        next((tmp_path / "elsewhere").rglob("*.jsonl")).read_text()
    )
    assert cluster.ec2.count()[WRITE] == 1
    assert "holderIdentity" not in cluster.kube.coordination.lease()["spec"], "it was given back"


def test_force_takes_the_lock_and_the_journal_says_from_whom(
    cluster: Cluster,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    far = {"holderIdentity": BOB, "leaseDurationSeconds": 15, "leaseTransitions": 3}
    times = dict.fromkeys(("acquireTime", "renewTime"), "2999-01-01T12:00:00.000000Z")
    cluster.kube.coordination.put_lease({**far, **times})
    assert main(["apply", "--yes"]) == 4
    assert f"{BOB} applies to this cluster since 2999-01-01 12:00:00 UTC" in capsys.readouterr().err
    assert main(["apply", "--yes", "--force-lock"]) == 0
    assert cluster.journal()[0]["lockTakenFrom"] == BOB
    assert cluster.kube.coordination.lease()["spec"]["leaseTransitions"] == 4
    capsys.readouterr()
    assert main(["journal", str(cluster.journal()[0]["apply"])]) == 0
    assert f"the cluster's lock was taken by force from {BOB}" in capsys.readouterr().out


def test_without_the_right_to_leases_and_events_it_says_so_and_applies(
    cluster: Cluster,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster.kube.fail(Fault(status=403, message="leases is forbidden", path=LEASE_PATH, times=None))
    cluster.kube.fail(Fault(status=403, path="/api/v1/namespaces/default/events", method="POST", times=None))
    assert main(["apply", "--yes"]) == 0
    assert "without a lock, other operators are not kept out: " in capsys.readouterr().err
    assert cluster.ec2.check(cluster.interface) is False


def test_every_change_of_a_node_is_an_event_of_it(cluster: Cluster) -> None:  # noqa: F811
    assert main(["apply", "--yes"]) == 0
    (event,) = cluster.kube.coordination.events
    assert event["involvedObject"]["name"] == "broken"
    assert event["involvedObject"]["uid"] == cluster.kube.node("broken")["metadata"]["uid"]
    assert (event["type"], event["reason"]) == ("Normal", "ForwardingChanged")
    assert f"update forwarding {cluster.interface}" in event["message"]
    assert str(cluster.journal()[0]["apply"]) in event["message"]


def test_a_namespace_for_the_lock_can_be_named_and_must_exist(
    cluster: Cluster,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["apply", "--yes", "--lock-namespace", "ops"]) == 2
    assert "there is no namespace ops" in capsys.readouterr().err
    cluster.kube.coordination.namespaces.add("ops")
    assert main(["apply", "--yes", "--lock-namespace", "ops"]) == 0
    assert cluster.kube.coordination.lease("ops")["spec"]["leaseTransitions"] == 0


def test_the_journal_and_the_plan_name_who_acts(
    cluster: Cluster,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan"]) == 1
    out = capsys.readouterr().out
    assert "kubernetes: as alice\n" in out
    assert "aws:us-east-1: as arn:aws:sts::123456789012:user/moto\n" in out
    assert main(["apply", "--yes"]) == 0
    began, intent, *_ = cluster.journal()
    assert began["who"]["identities"] == {  # type: ignore[index] # JSON
        "kubernetes": "alice",
        "aws:us-east-1": "arn:aws:sts::123456789012:user/moto",
    }
    assert intent["change"]["findings"] == ["forwarding-off"]  # type: ignore[index] # JSON


# The applier on its own.


class Bench:
    """An applier on one scripted cloud, with the lock and the board of an embedded world."""

    def __init__(self, folder: Path, *, width: int = 1, locks: bool = True) -> None:
        self.world = open_world("aws", latency=False)
        self.stepped = SteppedClock()
        self.clock: Clock = self.stepped if locks else ScriptedClock()
        self.cloud = ScriptedCloud({f"eni-{number}": False for number in range(1, 4)})
        self.said: list[str] = []
        lock = self.world.cluster_lock if locks else None
        self.applier = Applier(
            Writing(writer=lambda _: self.cloud, lock=lock, board=self.world.board, width=width),
            reader=lambda _: self.cloud,
            journal=Journal.of(folder, build.CLUSTER, self.clock),
            clock=self.clock,
            stop=threading.Event(),
        )

    def apply(self, number: int = 3) -> ApplyResult:
        changes = [build.switch_on(f"n{one}", subject=f"eni-{one}") for one in range(1, number + 1)]
        plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=changes)
        return self.applier.run(plan, forbids=lambda _: None, progress=self._told)

    def _told(self, step: RunStep) -> None:
        if isinstance(step, Remark):
            self.said.append(step.text)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_an_apply_whose_lock_is_taken_finishes_its_change_and_begins_no_other(bench: Bench) -> None:
    def bob_comes(_: Change) -> None:
        bench.world.cluster_lock.seized_by(BOB, lasts_s=15)
        bench.stepped.advance(RENEWED_EVERY_S)

    bench.cloud.on_write = bob_comes
    first, *rest = bench.apply().outcomes
    assert first.status is Status.APPLIED
    assert [(one.status, one.message) for one in rest] == [
        (Status.SKIPPED, f"{BOB} has taken the lock over: nothing further is begun")
    ] * 2
    assert bench.cloud.log.count("write eni-2") == 0
    lease = bench.world.cluster_lock.read()
    assert lease is not None
    assert lease.holder == BOB


def test_the_lock_of_our_own_dead_process_is_taken_at_once(bench: Bench, tmp_path: Path) -> None:
    journal = Journal.of(tmp_path, build.CLUSTER, bench.clock)
    plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=[build.switch_on()])
    journal.began("2026-01-01T115900Z-abcdef", plan)
    bench.world.cluster_lock.seized_by(BOB, lasts_s=15)
    assert bench.apply().good
    assert journal.applies()[-1].lock_taken_from is None


def test_the_lock_of_somebody_elses_apply_is_not(bench: Bench) -> None:
    bench.world.cluster_lock.seized_by(BOB, lasts_s=15)
    with pytest.raises(Locked):
        bench.apply()
    assert bench.cloud.log == []


def test_an_api_server_that_is_lost_during_the_apply_ends_it_after_the_changes_under_way(bench: Bench) -> None:
    def lost(_: Change) -> None:
        bench.world.lose("kubernetes", Unavailable("connection refused"))
        bench.stepped.advance(11)

    bench.cloud.on_write = lost
    outcomes = bench.apply().outcomes
    assert [one.status for one in outcomes] == [Status.APPLIED, Status.SKIPPED, Status.SKIPPED]
    assert outcomes[1].message == "the lock was not renewed for 11 s: nothing further is begun"


def told(world: DemoWorld) -> list[tuple[str, str, bool]]:
    return [(notice.node, notice.reason, notice.warning) for notice in world.board.posted]


def test_what_is_not_known_is_a_warning_and_what_was_not_written_is_no_event(tmp_path: Path) -> None:
    bench = Bench(tmp_path, locks=False)
    bench.cloud.writes = [Indeterminate("the answer was lost"), Denied("not allowed"), None]
    bench.apply()
    assert told(bench.world) == [("n1", "ForwardingUnproven", True), ("n3", "ForwardingChanged", False)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Denied("events is forbidden"), []),
        (Unavailable("gone"), ["the nodes' events do not tell of the changes any more: gone"]),
    ],
)
def test_a_board_that_takes_nothing_is_asked_once_and_holds_nothing_up(
    bench: Bench, error: Exception, said: list[str]
) -> None:
    bench.world.fail_next(DemoCall.POST, error)  # type: ignore[arg-type]  # both are port errors
    assert bench.apply().good
    assert bench.world.calls(DemoCall.POST) == 1
    assert bench.said == said


def test_a_change_that_is_about_no_node_is_no_event(bench: Bench) -> None:
    plan = build_plan(
        cluster=build.CLUSTER,
        created_at=build.NOON,
        changes=[replace(build.switch_on(), node=None, node_uid=None)],
    )
    assert bench.applier.run(plan, forbids=lambda _: None, progress=lambda _: None).good
    assert bench.world.calls(DemoCall.POST) == 0


def test_writes_go_side_by_side_and_the_journal_tells_each_whole(tmp_path: Path) -> None:
    bench = Bench(tmp_path, width=3)
    together = threading.Barrier(3, timeout=10)

    def meets(_: Change) -> None:
        together.wait()

    bench.cloud.on_write = meets
    result = bench.apply()
    assert result.good
    assert [outcome.change for outcome in result.outcomes] == ["c1", "c2", "c3"]
    (apply,) = Journal.of(tmp_path, build.CLUSTER, bench.clock).applies()
    assert apply.good
    assert len(apply.changes) == 3
