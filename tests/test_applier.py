"""The applier: intent, precondition, write, proof, outcome; and every way in which one of them can fail."""

import json
import stat
import threading
from pathlib import Path

import pytest

from tests import build
from tests.scripted import ScriptedClock, ScriptedCloud
from tui.engine.applier import Applier, Writing
from tui.engine.deed import THROTTLE_BUDGET_S, VERIFY_DEADLINE_S
from tui.engine.journal import Journal
from tui.model.change import Change, SetForwarding
from tui.model.plan import ApplyResult, Outcome, Plan, Progress, Remark, RunStep, Status, build_plan
from tui.ports import (
    Denied,
    Indeterminate,
    Misconfigured,
    PortError,
    Reading,
    Rejected,
    Throttled,
    Unavailable,
)


class Bench:
    """An applier on one scripted cloud, its journal in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.clock = ScriptedClock()
        self.cloud = ScriptedCloud()
        self.journal = Journal.of(folder, build.CLUSTER, self.clock)
        self.stop = threading.Event()
        self.steps: list[RunStep] = []

    def apply(self, *changes: SetForwarding, present: tuple[str, ...] = ("uid-n1", "uid-n2")) -> ApplyResult:
        applier = Applier(
            Writing(writer=lambda _: self.cloud, width=1),
            reader=lambda _: self.cloud,
            journal=self.journal,
            clock=self.clock,
            stop=self.stop,
        )
        return applier.run(
            self.plan(*changes),
            forbids=lambda change: None if change.node_uid in present else "the node is gone",
            progress=self.steps.append,
        )

    @staticmethod
    def plan(*changes: SetForwarding) -> Plan:
        return build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=changes or (build.switch_on(),))

    def only(self, *changes: SetForwarding) -> Outcome:
        (outcome,) = self.apply(*changes).outcomes
        return outcome

    def journalled(self) -> list[str]:
        return [str(entry["type"]) for entry in self.journal.entries()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_change_is_applied_only_after_a_read_that_shows_it(bench: Bench) -> None:
    outcome = bench.only()
    assert (outcome.status, outcome.message) == (Status.APPLIED, None)
    assert bench.cloud.log == ["read eni-1", "write eni-1", "read eni-1"]


def test_the_intent_is_on_disk_before_the_write_and_the_outcome_after_it(bench: Bench) -> None:
    seen: list[list[str]] = []
    bench.cloud.on_write = lambda _: seen.append(bench.journalled())
    bench.apply()
    assert seen == [["began", "intent"]]
    assert bench.journalled() == ["began", "intent", "outcome", "ended"]
    intent = bench.journal.entries()[1]["change"]
    assert isinstance(intent, dict)
    assert (intent["subject"], intent["after"], intent["reason"]) == (
        "eni-1",
        {"SourceDestCheck": False},
        "the check is on",
    )


def test_progress_tells_the_beginning_and_the_end_of_each_change(bench: Bench) -> None:
    bench.cloud.flags = {"eni-1": False, "eni-2": False}
    bench.apply(build.switch_on(), build.switch_on("n2", subject="eni-2"))
    steps = [step for step in bench.steps if isinstance(step, Progress)]
    assert [(step.change.subject, step.outcome is None, step.done, step.total) for step in steps] == [
        ("eni-1", True, 0, 2),
        ("eni-1", False, 1, 2),
        ("eni-2", True, 1, 2),
        ("eni-2", False, 2, 2),
    ]


def test_what_is_already_so_is_not_written(bench: Bench) -> None:
    bench.cloud.flags["eni-1"] = True
    assert bench.only().status is Status.ALREADY_SO
    assert bench.cloud.log == ["read eni-1"]


def test_a_flag_that_the_cloud_does_not_tell_is_not_written(bench: Bench) -> None:
    bench.cloud.flags["eni-1"] = None
    outcome = bench.only()
    assert outcome.status is Status.REFUSED
    assert "SourceDestCheck not told by the cloud" in (outcome.message or "")
    assert bench.cloud.log == ["read eni-1"]


def test_a_resource_with_another_token_is_refused(bench: Bench) -> None:
    bench.cloud.tokens["eni-1"] = "new"
    assert bench.only(build.switch_on(token="old")).status is Status.REFUSED
    assert "write eni-1" not in bench.cloud.log


def test_a_resource_that_is_gone_is_refused(bench: Bench) -> None:
    bench.cloud.flags = {}
    assert bench.only().status is Status.REFUSED


def test_a_node_that_was_replaced_since_the_plan_is_refused_without_a_call(bench: Bench) -> None:
    (outcome,) = bench.apply(present=("uid-of-the-new-n1",)).outcomes
    assert outcome.status is Status.REFUSED
    assert bench.cloud.log == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Denied("ec2:ModifyNetworkInterfaceAttribute is missing"), Status.FAILED),
        (Rejected("limit"), Status.FAILED),
        (Unavailable("refused"), Status.FAILED),
    ],
)
def test_a_refused_write_is_told_and_not_sent_again(bench: Bench, error: PortError, status: Status) -> None:
    bench.cloud.writes = [error]
    outcome = bench.only()
    assert outcome.status is status
    assert str(error) in (outcome.message or "")
    assert bench.cloud.log.count("write eni-1") == 1


def test_an_unreadable_state_means_that_nothing_is_written(bench: Bench) -> None:
    bench.cloud.reads = [Denied("no")]
    assert bench.only().status is Status.FAILED
    assert bench.cloud.log == ["read eni-1"]


def test_a_lost_answer_is_resolved_by_reading_never_by_sending_again(bench: Bench) -> None:
    def lands_but_answers_nothing(change: Change) -> None:
        bench.cloud.flags[change.subject] = True

    bench.cloud.on_write = lands_but_answers_nothing
    bench.cloud.writes = [Indeterminate("connection lost")]
    bench.cloud.reads = [Reading(forwards=False), Unavailable("still down"), Reading(forwards=False)]
    assert bench.only().status is Status.APPLIED
    assert bench.cloud.log.count("write eni-1") == 1


def test_a_write_that_is_never_seen_is_indeterminate_at_the_deadline(bench: Bench) -> None:
    bench.cloud.obeys = False
    outcome = bench.only()
    assert outcome.status is Status.INDETERMINATE
    assert "SourceDestCheck true is still read" in (outcome.message or "")
    assert outcome.seconds == pytest.approx(VERIFY_DEADLINE_S)
    assert bench.cloud.log.count("write eni-1") == 1


def test_throttling_is_waited_out_as_the_cloud_asks(bench: Bench) -> None:
    bench.cloud.writes = [Throttled("slow down", 7.0)]
    assert bench.only().status is Status.APPLIED
    assert bench.clock.waits_s == [7.0]
    (waiting,) = [step for step in bench.steps if isinstance(step, Remark)]
    assert waiting.text == f"throttled, waits 7.0 s of the {THROTTLE_BUDGET_S:.0f} s that are left for that: slow down"
    assert waiting.change is not None
    assert waiting.change.subject == "eni-1"


def test_throttling_beyond_the_budget_is_a_failure(bench: Bench) -> None:
    bench.cloud.writes = [Throttled("slow down", THROTTLE_BUDGET_S + 1)]
    assert bench.only().status is Status.FAILED
    assert bench.clock.waits_s == []


def test_a_change_whose_need_failed_is_skipped_and_others_go_on(bench: Bench) -> None:
    bench.cloud.flags = {"eni-1": False, "eni-2": False, "eni-3": False}
    bench.cloud.writes = [Denied("no")]
    result = bench.apply(
        build.switch_on(),
        build.switch_on(subject="eni-2", depends_on=("c1",)),
        build.switch_on("n2", subject="eni-3"),
    )
    assert [outcome.status for outcome in result.outcomes] == [Status.FAILED, Status.SKIPPED, Status.APPLIED]
    assert result.counts()["skipped"] == 1
    assert not result.good


def test_a_stop_ends_the_run_after_the_current_change(bench: Bench) -> None:
    bench.cloud.flags = {"eni-1": False, "eni-2": False}
    bench.cloud.on_write = lambda _: bench.stop.set()
    result = bench.apply(build.switch_on(), build.switch_on("n2", subject="eni-2"))
    assert [outcome.status for outcome in result.outcomes] == [Status.APPLIED, Status.SKIPPED]
    assert "write eni-2" not in bench.cloud.log


def test_an_unwritable_journal_prevents_the_write(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    bench = Bench(tmp_path)
    with pytest.raises(Misconfigured, match="nothing is changed without it"):
        bench.apply()
    assert bench.cloud.log == []


def test_the_journal_is_private_and_appended_to(bench: Bench) -> None:
    bench.apply()
    bench.apply()
    assert stat.S_IMODE(bench.journal.path.stat().st_mode) == 0o600
    assert bench.journalled().count("began") == 2
    assert {entry["version"] for entry in bench.journal.entries()} == {1}


def test_a_torn_last_line_costs_only_itself(bench: Bench) -> None:
    bench.apply()
    with bench.journal.path.open("ab") as file:
        file.write(b'{"version":1,"type":"int')
    bench.apply()
    assert bench.journalled() == ["began", "intent", "outcome", "ended"] * 2
    torn = bench.journal.path.read_bytes().splitlines()[4]
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(torn)
