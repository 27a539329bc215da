"""The verbs about what was applied before: undo and journal."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tests.test_verbs import BROKEN, House, Open, golden, house  # noqa: F401 - the fixture
from tests.test_worlds import bare
from tui.cli import main
from tui.demo import Call, open_world
from tui.model.change import CreateRoute, ReplaceRoute, SetForwarding
from tui.model.history import RunState
from tui.ports import Indeterminate, Misconfigured, Rejected, Unavailable


def test_an_apply_is_taken_back_and_proven(house: Open) -> None:  # noqa: F811 - the fixture
    here = house()
    assert here.apply() == 0
    assert here.forwards(*BROKEN) == [True, True]
    assert here.undo(as_json=True) == 0
    document = json.loads(here.out)
    assert document["summary"]["applied"] == 2
    assert "DANGER:      the cloud drops the packets of this VM's pods from then on" in here.err
    assert here.forwards(*BROKEN) == [False, False]
    assert [apply.undoes for apply in here.session.applies()] == [None, here.session.applies()[0].id]
    assert here.undo() == 0
    assert here.out == "Nothing to undo: no apply in the journal has changed anything that still stands.\n"
    assert here.undo(as_json=True) == 0
    assert (json.loads(here.out)["id"], json.loads(here.out)["outcomes"]) == (None, [])


def test_the_result_names_what_is_taken_back(house: Open) -> None:  # noqa: F811
    here = house()
    here.apply()
    (first,) = here.session.applies()
    assert here.undo(first.id) == 0
    assert f", which takes back {first.id}: 2 applied." in here.out
    assert here.err.startswith("Cluster demo-aws at ")


def test_what_cannot_be_taken_back_is_said_before_and_ends_with_4(house: Open) -> None:  # noqa: F811
    here = house("gce")
    assert here.apply() == 0
    assert here.undo() == 4
    plan, _, progress = here.err.partition("[1/")
    assert "Not in this plan:\n  gce-linux-5  not-undone: " in plan
    assert "gce takes no route to it" in plan
    assert "gce-linux-5" not in progress
    assert "4 applied." in here.out


def test_an_undo_of_which_something_fails_ends_with_4_and_can_be_tried_again(house: Open) -> None:  # noqa: F811
    here = house()
    here.apply()
    here.world.fail_next(Call.WRITE, Rejected("a policy forbids it"))
    assert here.undo() == 4
    assert "Not everything is taken back. See what is: l2bridge-tui journal 2026-" in here.out
    assert sorted(map(str, here.forwards(*BROKEN))) == ["False", "True"]
    assert here.undo() == 0
    assert here.forwards(*BROKEN) == [False, False]


def test_undo_asks_as_apply_does(house: Open) -> None:  # noqa: F811
    here = house()
    here.apply()
    with pytest.raises(Misconfigured, match="undo asks before it writes, and there is no terminal to ask on: give --y"):
        here.undo(yes=False)
    with pytest.raises(Misconfigured, match="more than --max-changes 1 allows unasked"):
        here.undo(most=1)
    with pytest.raises(Misconfigured, match="the journal has no apply 2020: the verb journal lists them"):
        here.undo("2020")
    assert here.forwards(*BROKEN) == [True, True]
    with pytest.raises(Misconfigured, match="undo writes, and --read-only forbids it"):
        house(read_only=True).undo()


def test_nothing_is_undone_while_the_nodes_cannot_be_listed(house: Open) -> None:  # noqa: F811
    house().apply()
    here = house()
    here.world.lose("kubernetes", Unavailable("it is down"))
    with pytest.raises(Unavailable, match="the nodes could not be listed"):
        here.undo()


def test_the_journal_tells_every_apply_newest_first(house: Open) -> None:  # noqa: F811
    here = house()
    assert here.journalled() == 0
    assert here.out == f"Journal {here.session.journal_path}\nNothing was applied yet.\n"
    here.world.fail_next(Call.WRITE, Indeterminate("the answer was lost"), done=True)
    here.world.fail_next(Call.WRITE, Rejected("a policy forbids it"))
    here.apply()
    here.undo()
    here.journalled()
    first, second = here.session.applies()
    lines = here.out.splitlines()
    heads = [line for line in lines if line.startswith("2026-")]
    assert [head.partition("  ")[0] for head in heads] == [second.id, first.id]
    assert heads[0].endswith(f" on demo-aws, takes back {first.id}: 1 applied")
    assert heads[1].endswith(" on demo-aws: 1 applied, 1 failed")
    assert any(line.endswith("failed: a policy forbids it (0.0 s)") for line in lines)
    assert lines[-1].endswith("l2bridge-tui undo APPLY-ID")


def test_one_apply_is_told_with_every_change_as_a_diff(house: Open) -> None:  # noqa: F811
    here = house("gce")
    here.apply()
    (apply,) = here.session.applies()
    assert here.journalled(apply.id) == 0
    told = here.out.replace(apply.id, "ID").replace(f"  {apply.user} on", "  ME on")
    golden("journal-gce.txt", told)
    with pytest.raises(Misconfigured, match="the journal has no apply 2020"):
        here.journalled("2020")


def test_the_journal_as_json_has_what_was_planned_and_what_became_of_it(house: Open) -> None:  # noqa: F811
    here = house()
    here.apply()
    assert here.journalled(as_json=True) == 0
    document = json.loads(here.out)
    assert (document["schema"], document["cluster"]["context"]) == ("l2bridge-tui/journal/v1", "demo-aws")
    assert document["file"] == str(here.session.journal_path)
    (apply,) = document["applies"]
    assert (apply["state"], apply["planned"], apply["undoes"], apply["unread"]) == ("ended", 2, None, 0)
    first = apply["changes"][0]
    assert first["change"]["before"] == {"SourceDestCheck": True}
    assert first["change"]["command"].startswith("aws ec2 ")
    assert first["change"]["reason"]
    assert first["outcome"]["status"] == "applied"


def test_an_apply_that_was_cut_off_is_told_as_such(house: Open) -> None:  # noqa: F811
    here = house()
    plan = here.session.propose(None)
    here.journal.began("2026-01-01T120000Z-abcdef", plan)
    here.journal.intent("2026-01-01T120000Z-abcdef", plan.changes[0])
    here.journalled()
    assert ", CUT OFF: 1 on their way, 1 not begun" in here.out
    assert "on its way when the journal ends: it may or may not be written" in here.out
    assert here.undo() == 0
    assert "it is not in place, which may still change" in here.err
    assert "1 already-so." in here.out


# As the command line has it.


def test_undo_is_asked_for_on_a_terminal_and_an_apply_is_not_changed_by_a_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("L2BRIDGE_STATE_DIR", str(tmp_path))
    assert main(["--demo=aws", "apply", "--yes"]) == 0
    terminal = Terminal("--demo=aws", "undo", whole=True)
    try:
        terminal.wait_for("Apply it to demo-aws? [y/N]")
        terminal.type("n\n")
        assert terminal.end() == 1
    finally:
        terminal.kill()
    assert "takes back c1 of apply " in terminal.seen
    assert "Nothing was changed." in terminal.seen


@pytest.mark.parametrize(
    "case",
    [
        (["journal", "a", "b"], 2, "unrecognized arguments: b"),
        (["journal", "--prune"], 2, "unrecognized arguments: --prune"),
        (["undo", "--plan", "x"], 2, "unrecognized arguments: --plan"),
        (["undo", "nothing", "--yes"], 2, "the journal has no apply nothing"),
        (["undo"], 2, "undo asks before it writes"),
        (["undo", "--yes", "--read-only"], 2, "undo writes, and --read-only forbids it"),
        (["undo", "--yes"], 0, ""),
        (["journal"], 0, ""),
        (["journal", "--read-only"], 0, ""),
    ],
)
def test_arguments(
    case: tuple[list[str], int, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments, code, told = case
    monkeypatch.setenv("L2BRIDGE_STATE_DIR", str(tmp_path))
    assert main(["--demo", *arguments]) == code
    assert told in capsys.readouterr().err


# What was cut off.


CUT = "2026-01-01T115900Z-abcdef"


def cut_off(here: House, *, written: bool, node: str = "linux-3") -> SetForwarding:
    """Leave the journal, and the world, as a process does that was killed around the first of two writes."""
    plan = here.session.propose(None)
    change = next(change for change in plan.changes if change.node == node)
    assert isinstance(change, SetForwarding)
    here.journal.began(CUT, plan)
    here.journal.intent(CUT, change)
    here.world.echoes = 0
    if written:
        here.world.writer(change.cloud).write(change)
    return change


@pytest.mark.parametrize(
    ("written", "later_s", "told", "counts"),
    [
        (True, 0, "it is in place", {"applied": 1, "not begun": 1}),
        (False, 601, "it is not in place", {"failed": 1, "not begun": 1}),
        (False, 0, "it is not in place, which may still change", {"on their way": 1, "not begun": 1}),
    ],
)
def test_the_next_apply_tells_what_became_of_one_that_was_cut_off(
    written: bool,
    later_s: float,
    told: str,
    counts: dict[str, int],
    house: Open,  # noqa: F811
) -> None:
    here = house()
    change = cut_off(here, written=written)
    here.world.clock.advance(later_s)
    for look in (here.check, here.plan):
        look()
        assert f"Apply {CUT}, begun by " in here.err
        assert ", was cut off: 1 of 2 changes were begun.\n" in here.err
        assert f"  ~ forwarding of {change.subject} (node linux-3): {told}\n" in here.err
        assert f"l2bridge-tui plan shows what is left to do; l2bridge-tui undo {CUT} takes back" in here.err
    assert here.apply(as_json=True) == 0
    assert told in here.err
    first, second = here.session.applies()
    assert first.counts() == counts
    assert (first.state is RunState.CUT_OFF) is ("on their way" in counts)
    assert second.counts() == {"applied": 1 if written else 2}
    assert here.apply() == 0
    assert here.err == ""
    assert here.forwards(*BROKEN) == [True, True]


def test_a_write_that_lands_after_it_was_looked_for_is_taken_back_all_the_same(house: Open) -> None:  # noqa: F811
    here = house()
    change = cut_off(here, written=False)
    here.check()
    assert "it is not in place, which may still change" in here.err
    here.world.writer(change.cloud).write(change)
    assert here.undo() == 0
    assert here.forwards(*BROKEN) == [False, False]


def test_what_a_cut_off_apply_did_is_taken_back(house: Open) -> None:  # noqa: F811
    here = house()
    cut_off(here, written=True)
    assert here.undo() == 0
    assert here.forwards(*BROKEN) == [False, False]
    assert here.session.applies()[-1].undoes == CUT


def test_what_cannot_be_read_stays_open_and_is_told_again(house: Open) -> None:  # noqa: F811
    here = house()
    cut_off(here, written=False)
    here.world.fail_next(Call.READ, Unavailable("it is down"))
    assert here.session.look_back(record=True) is not None
    assert here.session.applies()[0].state is RunState.CUT_OFF
    here.world.fail_next(Call.READ, Unavailable("it is down"))
    here.check()
    assert "nobody knows whether it is in place: it is down" in here.err
    here.check()
    assert "it is not in place" in here.err


def test_a_replacement_that_was_cut_in_two_is_told_as_half_done(house: Open) -> None:  # noqa: F811
    here = house("gce")
    plan = here.session.propose(None)
    change = next(change for change in plan.changes if isinstance(change, ReplaceRoute))
    here.journal.began(CUT, plan)
    here.journal.intent(CUT, change)
    here.world.echoes = 0
    here.world.writer(change.cloud).write(change.steps()[0])
    here.check()
    assert f"it is half done: create of {change.subject} is in place, delete is not" in here.err
    assert here.undo(CUT) == 0
    assert bare(here.world.routes("gce:demo-project")) == bare(open_world("gce").routes("gce:demo-project"))


def test_a_state_that_nobody_planned_is_told_as_it_is(house: Open) -> None:  # noqa: F811
    here = house("gce")
    plan = here.session.propose(None)
    change = next(change for change in plan.changes if isinstance(change, CreateRoute))
    here.journal.began(CUT, plan)
    here.journal.intent(CUT, change)
    here.world.echoes = 0
    theirs = replace(change, after=replace(change.after, priority=7))
    here.world.writer(change.cloud).write(theirs)
    here.check()
    assert "neither the old nor the new state is there: " in here.err
    assert "priority 7" in here.err


def test_an_apply_after_the_one_that_was_cut_off_makes_it_old_news(house: Open) -> None:  # noqa: F811
    here = house()
    cut_off(here, written=False)
    plan = here.session.propose(frozenset({"windows-2"}))
    assert here.session.apply(plan, lambda _: None).good
    here.check()
    assert here.err == ""


def test_looking_does_without_a_journal_and_writing_does_not(house: Open, tmp_path: Path) -> None:  # noqa: F811
    here = house()
    here.journal.path.mkdir(parents=True)
    assert here.check() == 1
    assert "cannot be read" in here.err
    with pytest.raises(Misconfigured, match="cannot be read"):
        here.apply()
