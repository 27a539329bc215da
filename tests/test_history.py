"""What the journal tells of earlier applies, and the plan that takes one back."""

import fcntl
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests import build
from tests.scripted import ScriptedClock, ScriptedCloud
from tests.test_worlds import GCE, OFF_AND_ASTRAY, bare, flags, opened
from tui.demo import Call, DemoWorld, open_world
from tui.engine.applier import Applier, Writing
from tui.engine.journal import Journal
from tui.engine.undoing import chosen, recorded_as
from tui.model.change import Change, CreateRoute, DeleteRoute, SetForwarding
from tui.model.history import RecordedApply, RecordedChange, RunState, latest_to_undo
from tui.model.plan import Outcome, Plan, Status, build_plan
from tui.model.undo import NOT_UNDONE, undo_plan
from tui.ports import Indeterminate, Locked, Misconfigured, Rejected, Unavailable

SWITCH = build.switch_on("n1", id="c1")
ROUTE = build.create_route("n1", id="c2", depends_on=("c1",))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.of(tmp_path, build.CLUSTER, ScriptedClock())


def plan(*changes: Change) -> Plan:
    return build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=changes or (build.switch_on(),))


def recorded(change: Change, status: Status | None = Status.APPLIED, *, touched: bool = False) -> RecordedChange:
    outcome = None if status is None else Outcome(change=change.id, status=status, message=None, seconds=1.0)
    return RecordedChange(change=change, begun_at=build.NOON, outcome=outcome, touched=touched)


def an_apply(*changes: RecordedChange, **fields: object) -> RecordedApply:
    made = RecordedApply(
        id="a1",
        begun_at=build.NOON,
        user="me",
        context="prod",
        plan="sha256:0",
        total=len(changes),
        changes=changes,
        state=RunState.ENDED,
    )
    return replace(made, **fields)  # type: ignore[arg-type] # test builder: names are checked at run time


def undone(apply: RecordedApply, *stuck: str) -> Plan:
    return undo_plan(
        apply,
        cluster=build.CLUSTER,
        created_at=build.NOON,
        command=lambda change: f"cli {change.subject}",
        hinders=lambda change: "it is gone" if change.subject in stuck else None,
    )


# The journal.


def test_an_apply_is_told_as_it_was(journal: Journal) -> None:
    cloud, clock = ScriptedCloud({"eni-1": False, "eni-2": False}), ScriptedClock()
    cloud.writes.extend([None, Rejected("a policy forbids it")])
    applier = Applier(
        Writing(writer=lambda _: cloud, width=1),
        reader=lambda _: cloud,
        journal=journal,
        clock=clock,
        stop=threading.Event(),
    )
    wanted = replace(plan(build.switch_on(), build.switch_on("n2", subject="eni-2")), undoes="another")
    result = applier.run(wanted, forbids=lambda _: None, progress=lambda _: None)
    (apply,) = journal.applies()
    assert (apply.id, apply.plan, apply.undoes, apply.total, apply.state) == (
        result.id,
        wanted.id,
        "another",
        2,
        RunState.ENDED,
    )
    assert [one.change for one in apply.changes] == list(wanted.changes)
    assert [one.outcome for one in apply.changes] == [
        replace(outcome, seconds=round(outcome.seconds, 3)) for outcome in result.outcomes
    ]
    assert [one.change.id for one in apply.written] == ["c1"]
    assert apply.counts() == {"applied": 1, "failed": 1}
    assert not apply.good


def test_an_intent_without_an_outcome_is_on_its_way(journal: Journal) -> None:
    whole = plan(build.switch_on(), build.switch_on("n2", subject="eni-2"))
    journal.began("r", whole)
    journal.intent("r", whole.changes[0])
    (apply,) = journal.applies()
    assert (apply.state, apply.on_their_way, apply.written) == (RunState.CUT_OFF, apply.changes, apply.changes)
    assert apply.counts() == {"on their way": 1, "not begun": 1}


@pytest.mark.parametrize(
    ("status", "taken", "may_be_written"),
    [("failed", "applied", True), ("failed", "indeterminate", True), ("failed", "failed", False)],
)
def test_a_step_that_was_taken_is_something_to_undo(
    status: str, taken: str, may_be_written: bool, journal: Journal
) -> None:
    whole = plan(build.replace_route())
    (change,) = whole.changes
    journal.began("r", whole)
    journal.intent("r", change)
    journal.step("r", change.steps()[0], Status(taken))
    journal.outcome("r", Outcome(change=change.id, status=Status(status), message="no", seconds=1.0))
    assert journal.applies()[0].changes[0].may_be_written is may_be_written


@pytest.mark.parametrize(
    ("line", "unread"),
    [
        ({"version": 1, "apply": "r", "type": "intent", "at": "2026-01-01T12:00:00Z", "change": {"kind": "odd"}}, 1),
        ({"version": 2, "apply": "r", "type": "outcome", "change": "c1", "status": "applied"}, 1),
        ({"version": 1, "apply": "r", "type": "outcome", "change": "c9", "status": "applied", "seconds": 1}, 1),
        ({"version": 1, "apply": "r", "type": "prophecy"}, 1),
        ({"version": 1, "apply": "unknown", "type": "intent"}, 0),
        ({"version": 1, "apply": 7}, 0),
    ],
)
def test_what_cannot_be_read_is_counted_with_its_apply(line: object, unread: int, journal: Journal) -> None:
    journal.began("r", plan())
    with journal.path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    (apply,) = journal.applies()
    assert (apply.unread, apply.good) == (unread, False)


def test_an_apply_of_another_version_is_not_passed_over_in_silence(journal: Journal) -> None:
    journal.began("old", plan())
    journal.intent("old", plan().changes[0])
    journal.began("new", plan())
    *older, began = journal.path.read_text().splitlines()
    journal.path.write_text("\n".join([*older, began.replace('"version":1', '"version":2')]) + "\n")
    newest = latest_to_undo(journal.applies())
    assert newest is not None
    assert (newest.id, newest.unread, undone(newest).changes) == ("new", 1, ())


def test_a_journal_that_cannot_be_read_is_named(journal: Journal) -> None:
    journal.path.mkdir(parents=True)
    with pytest.raises(Misconfigured, match=r"the journal .* cannot be read"):
        journal.applies()


# Two processes.


HOLDER = """
import sys
from pathlib import Path
from tests import build
from tests.scripted import ScriptedClock
from tui.engine.journal import Journal
journal = Journal.of(Path(sys.argv[1]), build.CLUSTER, ScriptedClock())
with journal.reserved():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time_applies_and_its_death_frees_the_journal(journal: Journal, tmp_path: Path) -> None:
    journal.began("older", plan())
    journal.began("newer", plan())
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert [apply.state for apply in journal.applies()] == [RunState.CUT_OFF, RunState.UNDER_WAY]
        with pytest.raises(Locked, match="another l2bridge-tui on this machine"), journal.reserved():
            pytest.fail("two at once")
    finally:
        other.kill()
        other.communicate()
    with journal.reserved() as alone:
        assert alone
        assert [apply.state for apply in journal.applies()] == [RunState.CUT_OFF, RunState.UNDER_WAY]
    assert [apply.state for apply in journal.applies()] == [RunState.CUT_OFF, RunState.CUT_OFF]


def test_a_file_system_without_locks_keeps_nobody_from_applying(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_: int, __: int) -> None:
        raise OSError(95, os.strerror(95))

    monkeypatch.setattr(fcntl, "flock", none)
    journal.began("r", plan())
    with journal.reserved() as alone:
        assert not alone
        assert [apply.state for apply in journal.applies()] == [RunState.CUT_OFF]


# What is taken back.


def test_the_newest_apply_that_still_stands_is_taken_back() -> None:
    one = an_apply(recorded(SWITCH), id="one")
    idle = an_apply(recorded(SWITCH, Status.ALREADY_SO), recorded(ROUTE, Status.REFUSED), id="idle")
    back = an_apply(recorded(SWITCH), id="back", undoes="one")
    assert latest_to_undo([]) is None
    assert latest_to_undo([one, idle]) is one
    assert latest_to_undo([one, idle, back]) is None
    partly = replace(back, changes=(recorded(SWITCH, Status.REFUSED),))
    assert latest_to_undo([one, partly]) is one
    assert chosen([one, back], "back") is back


def test_an_apply_under_way_is_not_taken_back_and_an_unknown_one_is_a_mistake() -> None:
    running = an_apply(recorded(SWITCH, None), state=RunState.UNDER_WAY)
    for wanted in (None, "a1"):
        with pytest.raises(Misconfigured, match="is under way"):
            chosen([running], wanted)
    with pytest.raises(Misconfigured, match="has no apply a2: the verb journal lists them"):
        recorded_as([running], "a2")


def test_inverses_come_newest_first_and_wait_for_what_relied_on_them() -> None:
    made = undone(an_apply(recorded(SWITCH), recorded(ROUTE)))
    take, switch = made.changes
    assert isinstance(take, DeleteRoute)
    assert isinstance(switch, SetForwarding)
    assert (take.depends_on, switch.depends_on, switch.after) == ((), (take.id,), False)
    assert (take.before, take.command) == (ROUTE.after, f"cli {ROUTE.subject}")
    assert "takes back c2 of apply a1, made because no route" in take.reason
    assert (made.undoes, made.refused) == ("a1", ())


def test_what_cannot_be_taken_back_is_said_with_all_that_would_have_to_follow() -> None:
    other = build.switch_on("n2", subject="eni-2", id="c3")
    made = undone(an_apply(recorded(SWITCH), recorded(ROUTE), recorded(other)), ROUTE.subject)
    assert [change.subject for change in made.changes] == ["eni-2"]
    assert [(refusal.code, refusal.reason) for refusal in made.refused] == [
        (NOT_UNDONE, f"{ROUTE.subject}: it is gone"),
        (NOT_UNDONE, "eni-1: c2, which relies on it, cannot be taken back"),
    ]


def test_entries_that_cannot_be_read_are_said() -> None:
    (refusal,) = undone(an_apply(recorded(SWITCH), unread=2)).refused
    assert "2 entries of apply a1 cannot be read" in refusal.reason


# In the embedded world.


def test_an_undo_restores_the_world_but_for_routes_to_vms_that_are_gone() -> None:
    world = DemoWorld(OFF_AND_ASTRAY, latency=False)
    names = [machine.name for machine in OFF_AND_ASTRAY.machines]
    before = flags(world, names), bare(world.routes(GCE.source))
    with opened(world) as session:
        assert session.apply(session.propose(None, prune=True), lambda _: None).good
        assert (flags(world, names), bare(world.routes(GCE.source))) != before
        undo = session.propose_undo(None)
        assert session.apply(undo, lambda _: None).good
        assert (flags(world, names), bare(world.routes(GCE.source))) == before
        assert session.propose_undo(None).changes == ()
        again = session.propose_undo(session.applies()[-1].id)
        assert {change.undo for change in again.changes} == {False}


def test_a_route_to_a_vm_that_is_gone_is_refused_in_the_plan() -> None:
    world = open_world("gce", latency=False)
    with opened(world) as session:
        assert session.apply(session.propose(None), lambda _: None).good
        undo = session.propose_undo(None)
        (refusal,) = undo.refused
        assert (refusal.node, refusal.code) == ("gce-linux-5", NOT_UNDONE)
        assert "gce-linux-5-old does not exist any more, and gce takes no route to it" in refusal.reason
        assert session.apply(undo, lambda _: None).good


def test_what_somebody_else_has_taken_back_already_is_left_alone() -> None:
    world = open_world("aws", latency=False)
    world.echoes = 0
    with opened(world) as session:
        plan = session.propose(frozenset({"linux-3"}))
        assert session.apply(plan, lambda _: None).good
        (change,) = plan.changes
        world.writer(change.cloud).write(change.inverse())
        writes = world.calls(Call.WRITE)
        (outcome,) = session.apply(session.propose_undo(None), lambda _: None).outcomes
        assert (outcome.status, world.calls(Call.WRITE)) == (Status.ALREADY_SO, writes)


def test_what_is_no_longer_as_it_was_left_is_refused() -> None:
    world = open_world("gce", latency=False)
    world.echoes = 0
    with opened(world) as session:
        plan = session.propose(frozenset({"gce-linux-3"}))
        assert session.apply(plan, lambda _: None).good
        (change,) = plan.changes
        assert isinstance(change, CreateRoute)
        theirs = replace(change, after=replace(change.after, priority=7))
        world.writer(change.cloud).write(change.inverse())
        world.writer(change.cloud).write(theirs)
        (outcome,) = session.apply(session.propose_undo(None), lambda _: None).outcomes
        assert outcome.status is Status.REFUSED
        assert "priority 7" in (outcome.message or "")
        assert session.propose_undo(None).undoes == session.applies()[0].id


def test_nothing_is_planned_while_the_nodes_are_unknown() -> None:
    world = open_world("aws", latency=False)
    with opened(world) as session:
        assert session.propose_undo(None).changes == ()
        session.apply(session.propose(None), lambda _: None)
        restarted = open_world("aws", latency=False)
        restarted.lose("kubernetes", Unavailable("it is down"))
        with opened(restarted) as fresh:
            fresh.journal_path.parent.mkdir(parents=True)
            fresh.journal_path.write_bytes(session.journal_path.read_bytes())
            with pytest.raises(Unavailable, match="the nodes could not be listed"):
                fresh.propose_undo(None)


def test_a_change_whose_answer_was_lost_is_taken_back_if_it_was_made() -> None:
    for done in (True, False):
        world = open_world("aws", latency=False)
        with opened(world) as session:
            world.fail_next(Call.WRITE, Indeterminate("the answer was lost"), done=done)
            session.apply(session.propose(frozenset({"linux-3"})), lambda _: None)
            session.apply(session.propose_undo(None), lambda _: None)
            assert world.interface("linux-3").forwards is False
