"""Stories: keys are pressed on the embedded world, and what the terminal shows is compared."""

import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual import events
from textual.binding import BindingsMap
from textual.dom import DOMNode

from tests.screen.console import Console, console
from tui.demo import SCENARIOS, Call
from tui.model.node import Cloud
from tui.model.plan import Outcome, Progress, Status
from tui.ports import Denied, Throttled, Unavailable
from tui.screen.activity import ActivityPane
from tui.screen.cluster import ClusterFindings
from tui.screen.commands import live_commands
from tui.screen.confirm import MOST_BY_KEY, Cancel, Confirm, StopQuestion
from tui.screen.dialog import Dialog, Notice
from tui.screen.help import Help
from tui.screen.palette import Palette
from tui.screen.pane import Pane
from tui.screen.panes import PANES
from tui.screen.run import Run

NEVER = re.compile(r"r|ctrl\+[zsqba]|f\d+|alt\+.*|escape.+")


def broken(shown: Console) -> str:
    """Return the first node that a plan can mend."""
    return next(item.node.name for item in shown.nodes.grid.items if item.verdict == "FIX")


async def test_see_plan_fix_and_prove_one_node(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        name = broken(shown)
        await shown.select(name)
        assert re.search(rf"> FIX ! {name}", shown.text())
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        interface = shown.world.interface(name)
        assert interface.id in shown.text()
        assert "SourceDestCheck: true -> false" in shown.text()
        assert "aws ec2 modify-network-interface-attribute" in shown.text()
        assert "Plan: 0 to add, 1 to change, 0 to destroy." in shown.text()
        await shown.press("enter")
        assert shown.world.interface(name).forwards is False
        assert "nothing was changed" in shown.rows()[-2]
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        await shown.press("y")
        await shown.until(lambda: isinstance(shown.app.screen, Run) and shown.app.screen.ended)
        assert "applied       +" in shown.text()
        assert shown.world.interface(name).forwards is True
        await shown.press("enter")
        await shown.until(lambda: (found := shown.app.report and shown.app.report.of(name)) and found.healthy)
        assert re.search(rf"> OK \+  {name}", shown.text())


async def test_after_an_apply_the_chain_tells_what_the_fabric_does(tmp_path: Path) -> None:
    async with console(tmp_path, "azure", size=(160, 50)) as shown:
        await shown.select("az-linux-2")
        assert "fabric" not in shown.text()
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        await shown.press("y")
        await shown.until(lambda: isinstance(shown.app.screen, Run) and shown.app.screen.ended)
        await shown.press("enter")
        await shown.until(lambda: "the fabric agrees: seen from az-linux-1 at " in shown.text())


async def test_the_list_turns_only_with_an_observation(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        name = broken(shown)
        await shown.select(name)
        with shown.world.hold(Call.OBSERVE):
            await shown.press("f")
            await shown.until(lambda: isinstance(shown.app.screen, Confirm))
            await shown.press("y")
            await shown.until(lambda: isinstance(shown.app.screen, Run) and shown.app.screen.ended)
            await shown.press("enter")
            assert re.search(rf"> FIX ! {name}", shown.text())
        await shown.until(lambda: re.search(rf"> OK \+  {name}", shown.text()))


async def test_a_healthy_node_says_why_there_is_no_plan(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed") as shown:
        await shown.select("aws-linux-1")
        await shown.press("f")
        await shown.until(lambda: "Nothing to fix: aws-linux-1 needs nothing." in shown.rows()[-2])
        await shown.select("aws-linux-3")
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, Notice))
        assert "aws-linux-3 layer2-different: in subnet-" in shown.unwrapped()
        assert "host-gw needs all nodes in one layer-2 subnet" in shown.unwrapped()


async def test_marked_nodes_are_planned_together_and_fix_all_takes_all(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed", size=(120, 40)) as shown:
        for name in ("aws-win-1", "gce-win-1"):
            await shown.select(name)
            await shown.press("space")
        assert "2 marked" in shown.rows()[1]
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        assert "2 to change" in shown.text()
        await shown.press("escape", "F")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        assert "5 to change" in shown.text(), "three flags, a route in place, a subnet that gets its table"


async def test_a_failed_change_is_told_as_it_was_observed(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await shown.select(broken(shown))
        shown.world.fail_next(Call.WRITE, Unavailable("the region is down [red]"))
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        await shown.press("y")
        await shown.until(lambda: isinstance(shown.app.screen, Run) and shown.app.screen.ended)
        assert f"{Status.FAILED.value:<13} x" in shown.text()
        assert "the region is down [red]" in shown.text()


async def test_the_bar_tells_what_is_done_what_is_left_and_how_long_it_took(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        plan, now = shown.session.propose(None), [100.0]
        view = Run(plan, ascii_only=False, monotonic=lambda: now[0])
        await shown.app.push_screen(view)
        assert "[----------] 0 of 2, 2 left, 0:00   ctrl+c stop   esc list" in shown.text()
        now[0] += 62.9
        outcome = Outcome(change="c1", status=Status.APPLIED, message=None, seconds=62.0)
        view.advance(Progress(change=plan.changes[0], outcome=outcome, done=1, total=2))
        await shown.pilot.pause()
        assert "[#####-----] 1 of 2, 1 left, 1:02 " in shown.text()


async def test_a_wait_is_told_while_it_lasts(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await shown.select("linux-3")
        shown.world.fail_next(Call.WRITE, Throttled("slow down", 40.0))
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        await shown.press("y")
        await shown.until(lambda: "throttled, waits 40.0 s of the 75 s" in shown.unwrapped())
        await shown.until(lambda: isinstance(shown.app.screen, Run) and shown.app.screen.ended)
        assert "throttled" not in shown.unwrapped()
        assert "Proven + 1 applied" in shown.text()


async def test_quitting_during_an_apply_asks_and_lets_the_change_finish(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await shown.press("F")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        with shown.world.hold(Call.WRITE) as arrived:
            await shown.press("y")
            await shown.until(arrived.is_set)
            assert "working" in shown.text()
            await shown.press("escape")
            assert "Applying: 0 of 2" in shown.rows()[-2]
            assert "f fix" not in shown.rows()[-1]
            await shown.press("q")
            assert type(shown.app.screen) is StopQuestion
            await shown.press("enter")
            assert len(shown.app.screen_stack) == 1
            await shown.press("ctrl+c")
            assert "Stop after this change?" in shown.text()
            await shown.press("y")
        await shown.until(lambda: "skipped" in shown.text())
        assert isinstance(shown.app.screen, Run)
        assert "Stopping" not in shown.text()
        assert [shown.world.interface(f"{name}").forwards for name in sorted(fixed(shown))].count(True) == 1


def fixed(shown: Console) -> set[str]:
    plan = shown.app.screen.plan if isinstance(shown.app.screen, Run) else None
    assert plan is not None
    return {f"{change.node}" for change in plan.changes}


async def test_a_stop_that_was_asked_for_is_said_at_once(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await shown.press("F")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        with shown.world.hold(Call.WRITE) as arrived:
            await shown.press("y")
            await shown.until(arrived.is_set)
            assert "waiting" in shown.text()
            await shown.press("ctrl+c")
            await shown.press("y")
            assert "Stopping after this change" in shown.rows()[-2]
            assert "waiting" not in shown.text()
            assert "not begun" in shown.text()
        await shown.until(lambda: "skipped" in shown.text())


async def test_q_quits_at_once_when_nothing_is_under_way(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await shown.press("q")
        await shown.until(lambda: shown.app.return_value is not None)
        assert shown.app.return_value == 0


async def test_read_only_has_no_dangerous_key(tmp_path: Path) -> None:
    async with console(tmp_path, read_only=True) as shown:
        assert not {"f", "F"} & shown.app.screen.active_bindings.keys()
        assert not hasattr(shown.nodes, "action_fix")
        assert "RO" in shown.rows()[0]
        await shown.select(broken(shown))
        await shown.press("f", "F", "enter")
        assert "read-only" in shown.text()
        assert len(shown.app.screen_stack) == 1


def every_binding(shown: Console) -> list[tuple[DOMNode, BindingsMap]]:
    nodes: list[DOMNode] = [shown.app]
    for screen in shown.app.screen_stack:
        nodes += [screen, *screen.walk_children()]
    return [(node, node._bindings) for node in nodes]


async def test_forbidden_keys_are_bound_nowhere(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        for opened in ("", "f", "question_mark", "colon"):
            if opened:
                await shown.select(broken(shown))
                await shown.press(opened)
                await shown.until(lambda: len(shown.app.screen_stack) == 2)
            keys = {key for _, bindings in every_binding(shown) for key, _ in bindings}
            assert not [key for key in keys if NEVER.fullmatch(key)]
            if opened:
                await shown.press("escape")


async def test_every_binding_has_id_and_description(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        for _, bindings in every_binding(shown):
            for _, binding in bindings:
                assert binding.id
                assert binding.description
        mine = [a.binding for a in shown.app.screen.active_bindings.values()]
        assert all(binding.tooltip for binding in mine)


async def test_help_and_palette_list_the_live_bindings(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 50)) as shown:
        live = [active.binding for active in shown.app.screen.active_bindings.values()]
        await shown.press("question_mark")
        assert isinstance(shown.app.screen, Help)
        for binding in live:
            assert binding.description in shown.text()
        await shown.press("escape", "ctrl+p")
        assert isinstance(shown.app.screen, Palette)
        for binding in live:
            assert binding.description in shown.text()
        await shown.press(*"activity", "enter")
        await shown.until(lambda: shown.app.console_screen.pane.id == "activity")


async def test_read_only_help_has_no_fix(tmp_path: Path) -> None:
    async with console(tmp_path, read_only=True, size=(100, 50)) as shown:
        await shown.press("question_mark")
        assert "Plan for" not in shown.text()


def test_every_pane_is_registered() -> None:
    def leaves(kind: type[Pane]) -> set[type[Pane]]:
        below = kind.__subclasses__()
        return {sub for sub in below if "TITLE" in sub.__dict__}.union(*map(leaves, below))

    assert set(PANES) == leaves(Pane)
    assert len({pane.KEY for pane in PANES}) == len(PANES)


@pytest.mark.parametrize(
    "size", [(40, 10), (39, 9), (39, 24), (80, 9), (80, 24), (84, 24), (85, 24), (120, 40), (200, 60)]
)
@pytest.mark.parametrize("scenario", ["mixed", "hostile"])
async def test_every_size_is_drawn_to_its_edges(tmp_path: Path, size: tuple[int, int], scenario: str) -> None:
    async with console(tmp_path, scenario, size=size) as shown:
        await shown.press("j", "enter", "escape", "G")
        rows = shown.rows()
        assert len(rows) == size[1]
        assert all(cell_len(row) == size[0] for row in rows)
        assert not any(character < " " for row in rows for character in row)
        if size[0] < 40 or size[1] < 10:
            assert "nodes" in rows[0]
            assert not "".join(rows[1:]).strip()
        else:
            assert "STATE" in rows[2]
            assert ("│" in rows[5]) is (size[0] > 84)
        await shown.press("question_mark", "escape")


async def test_a_live_resize_keeps_the_cursor(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed", size=(200, 60)) as shown:
        await shown.select("gce-win-1")
        for size in ((80, 24), (39, 9), (40, 10), (120, 40)):
            await shown.pilot.resize_terminal(*size)
            await shown.pilot.pause()
            if size >= (40, 10):
                assert "gce-win-1" in next(row for row in shown.rows() if row.startswith(">"))


async def test_filter_by_text_expression_inverse_and_verdict(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed") as shown:
        total = len(shown.nodes.grid.items)
        await shown.press("slash", *"win-[12]$|aws", "enter")
        assert {item.node.name.split("-")[0] for item in shown.nodes.grid.items} >= {"aws"}
        assert "filter: win-[12]$|aws" in shown.rows()[1]
        await shown.press("escape")
        assert len(shown.nodes.grid.items) == total
        await shown.press("slash", *"aws !win @error", "enter")
        shown_now = list(shown.nodes.grid.items)
        assert shown_now
        assert all("aws" in i.node.name and "win" not in i.node.name and i.worst == "error" for i in shown_now)
        await shown.press("escape", "slash", *"zzz", "enter")
        assert "No node matches." in shown.text()
        await shown.press("escape", "e")
        assert shown.nodes.grid.items
        assert all(item.verdict != "OK" for item in shown.nodes.grid.items)


async def test_keys_in_the_filter_are_text(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await shown.press("slash", *"fFqe1/")
        assert shown.nodes.query_text == "fFqe1/"
        assert len(shown.app.screen_stack) == 1


async def test_a_burst_after_the_slash_is_text_already(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        for key in ("slash", *"fF"):
            shown.app.post_message(events.Key(key, "/" if key == "slash" else key))
        await shown.until(lambda: shown.nodes.query_text == "fF")
        assert len(shown.app.screen_stack) == 1


async def test_a_burst_after_the_slash_is_text_among_the_events_too(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await shown.press("4")
        for key in ("slash", *"tx"):
            shown.app.post_message(events.Key(key, "/" if key == "slash" else key))
        pane = shown.app.console_screen.query_one(ActivityPane)
        await shown.until(lambda: pane.query_text == "tx")
        assert not (tmp_path / "exports").exists()


async def test_synchronising_is_not_empty(tmp_path: Path) -> None:
    async with console(tmp_path, "empty") as shown:
        assert "The cluster has no nodes." in shown.text()


async def test_before_the_first_list_it_synchronises(tmp_path: Path) -> None:
    async with console(tmp_path, ready=False, held=Call.LIST) as shown:
        assert "Synchronising: the first complete list" in shown.text()
        assert "synchronising" in shown.rows()[1]
        assert "no data yet" in shown.rows()[0]


async def test_a_lost_source_stands_in_the_title(tmp_path: Path) -> None:
    async with console(tmp_path, "denied") as shown:
        assert "gce:demo-project DENIED x" in shown.rows()[0]


async def test_all_healthy_says_so(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy") as shown:
        assert re.search(r"All \d+ nodes are OK.", shown.rows()[-2])


async def test_ascii_only_writes_ascii_only(tmp_path: Path) -> None:
    async with console(tmp_path, "hostile", ascii_only=True, size=(120, 40)) as shown:
        for keys in ((), ("question_mark",), ("escape", "4"), ("1", "enter"), ("escape", "colon")):
            await shown.press(*keys)
            assert shown.text().isascii()


async def test_nothing_changing_paints_nothing(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed") as shown:
        grid = shown.nodes.grid
        before = grid._painted
        shown.app.console_screen.report = shown.app.report
        await shown.pilot.pause()
        assert grid._painted is before


async def confirm(shown: Console, key: str) -> None:
    await shown.press(key)
    await shown.until(lambda: isinstance(shown.app.screen, Confirm))


async def test_confirm_stands_on_cancel_and_a_paste_answers_nothing(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await confirm(shown, "F")
        assert isinstance(shown.app.focused, Cancel)
        for text in ("\n", "y\n", "y"):
            shown.app.screen.post_message(events.Paste(text))
            await shown.pilot.pause()
            assert isinstance(shown.app.screen, Confirm)
        await shown.press("escape")
        assert not isinstance(shown.app.screen, Dialog)
        assert not shown.session.applying


async def test_a_word_that_comes_in_one_burst_after_tab_is_typed_into_the_field(tmp_path: Path) -> None:
    async with console(tmp_path, protected=True) as shown:
        await confirm(shown, "f")
        for key in ("tab", *shown.session.cluster.context, "enter"):
            shown.app.post_message(events.Key({"-": "minus"}.get(key, key), key if len(key) == 1 else None))
        await shown.until(lambda: "1 applied" in shown.text())


async def test_a_paste_outside_of_an_input_is_ignored(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        before = shown.rows()
        shown.app.post_message(events.Paste("Fyq/e\n"))
        await shown.pilot.pause()
        assert (len(shown.app.screen_stack), shown.rows()) == (1, before)
        await shown.press("slash")
        shown.app.post_message(events.Paste("win\nq"))
        await shown.until(lambda: shown.nodes.query_text == "win")
        assert shown.nodes.input.has_focus, "nor does a pasted newline submit"


async def test_many_changes_want_the_context_typed(tmp_path: Path) -> None:
    async with console(tmp_path, "large") as shown:
        for item in shown.nodes.grid.items[-2:]:
            shown.world.change_behind(shown.world.interface(item.node.name).switch.subject, False)
        await shown.press("ctrl+r")
        await shown.until(lambda: len(shown.session.propose(None).changes) > MOST_BY_KEY)
        await confirm(shown, "F")
        assert isinstance(shown.app.focused, Cancel)
        await shown.press("y")
        assert isinstance(shown.app.screen, Confirm)
        await shown.press("tab", *"wrong", "enter")
        assert "nothing was confirmed" in shown.text()
        await shown.press("ctrl+u")
        context = shown.session.cluster.context
        assert shown.app.focused is not None
        shown.app.focused.post_message(events.Paste(f"{context}\n"))
        await shown.pilot.pause()
        assert isinstance(shown.app.screen, Confirm)
        await shown.press("escape")
        assert not shown.session.applying


async def test_in_a_protected_context_a_single_change_wants_its_name_typed(tmp_path: Path) -> None:
    async with console(tmp_path, protected=True) as shown:
        await shown.select("linux-3")
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        await shown.press("y")
        assert isinstance(shown.app.screen, Confirm)
        await shown.press("tab", *"demo-aws", "enter")
        await shown.until(lambda: isinstance(shown.app.screen, Run) and shown.app.screen.ended)
        assert shown.world.interface("linux-3").forwards is True


@pytest.mark.parametrize("scenario", list(SCENARIOS))
async def test_every_scenario_is_shown(tmp_path: Path, scenario: str) -> None:
    async with console(tmp_path, scenario, size=(120, 40)) as shown:
        await shown.press("j", "G", "enter", "escape", "4", "1")
        assert "nodes" in shown.rows()[1] or "no nodes" in shown.text()


async def test_the_detail_is_the_chain_with_evidence(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed", size=(84, 60)) as shown:
        await shown.select("gce-win-1")
        await shown.press("enter")
        text = shown.text()
        links = [text.index(title) for title in ("Node  Ready", "VM (Compute Engine)", "Interface", "Forwarding  OFF")]
        assert links == sorted(links)
        assert "canIpForward = false on us-central1-a/gce-win-1" in text
        assert re.search(r"read \d\d:\d\d:\d\dZ from gce:demo-project", text)
        assert "f opens the plan that mends it" in text


async def test_enter_opens_and_escape_returns_on_a_small_terminal(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed") as shown:
        await shown.press("enter")
        assert "STATE" not in shown.rows()[2]
        await shown.press("escape")
        assert "STATE" in shown.rows()[2]


async def test_the_activity_tells_what_happened(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await shown.press("4")
        assert "finding-opened" in shown.text()
        assert re.search(r"Requests so far: aws \d+, kubernetes \d+", shown.text())
        await shown.press("1")
        assert "STATE" in shown.rows()[2]


async def test_the_activity_is_filtered_by_node(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed", size=(120, 40)) as shown:
        await shown.press("4")
        everything = shown.text()
        assert "azure-win-1" in everything
        assert "gce-linux-2" in everything
        await shown.press("slash", *({"-": "minus"}.get(sign, sign) for sign in "gce-linux-2"), "enter")
        assert "filter: gce-linux-2  2 of " in shown.rows()[1]
        assert "azure-win-1" not in shown.text()
        await shown.press("slash", "space", "exclamation_mark", *"finding", "enter")
        assert "filter: gce-linux-2 !finding  1 of " in shown.rows()[1]
        await shown.press("escape", "slash", *"zzz", "enter")
        assert "None of the events has that." in shown.text()
        await shown.press("escape")
        assert shown.text() == everything


async def test_the_last_requests_are_told_as_commands(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed", size=(120, 40)) as shown:
        await shown.press("4", "t")
        assert "requests, newest first" in shown.rows()[1]
        assert "s  ok   aws ec2 describe-network-interfaces" in shown.text()
        assert "s  ok   kubectl get nodes" in shown.text()
        await shown.press("slash", *"gcloud", "enter")
        assert "1 of " in shown.rows()[1]
        assert "kubectl" not in shown.text()
        shown.world.fail_next(Call.OBSERVE, Denied("a permission is missing"), cloud=Cloud.GCE)
        await shown.press("ctrl+r")
        await shown.until(lambda: "s  Denied gcloud compute instances list" in shown.text())
        await shown.press("t")
        assert "events, newest first" in shown.rows()[1]


# Routes.


def diff(shown: Console) -> str:
    """Return the whole diff that is asked about, the part below the fold included."""
    asked = shown.app.screen
    assert isinstance(asked, Confirm)
    return "\n".join(line.text for line in asked.text.lines)


async def test_a_stray_route_is_counted_listed_and_pruned_after_the_context_is_typed(tmp_path: Path) -> None:
    async with console(tmp_path, "gce", size=(100, 40)) as shown:
        assert "1 stray route !" in shown.rows()[1]
        await shown.press(*":cluster", "enter")
        await shown.until(lambda: isinstance(shown.app.screen, ClusterFindings))
        assert "warning route-stray: " in shown.text()
        await shown.press("escape")
        await shown.press(*":prune", "enter")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        assert ", no node, gce)" in diff(shown)
        await shown.press("y", "tab", *"demo-gce", "enter")
        await shown.until(lambda: isinstance(shown.app.screen, Run) and shown.app.screen.ended)
        assert re.search(r"applied +\+ +no node +- route of", shown.text())
        await shown.press("enter")
        await shown.until(lambda: "6 nodes  6 OK +" in shown.rows()[1] and "stray" not in shown.rows()[1])


async def test_fix_all_deletes_no_stray_route(tmp_path: Path) -> None:
    async with console(tmp_path, "gce", size=(100, 40)) as shown:
        await shown.press("F")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        assert "no node" not in diff(shown)


async def test_deleting_first_is_asked_for_by_name_and_its_danger_stands_on_top(tmp_path: Path) -> None:
    async with console(tmp_path, "quota") as shown:
        await shown.press("F")
        await shown.until(lambda: isinstance(shown.app.screen, Notice))
        assert "no room for one route more" in shown.unwrapped()
        assert ":delete-first plans the replacements all the same" in shown.unwrapped()
        await shown.press("escape", *":delete-first", "enter")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        assert "DANGER: 1 pod CIDR is unreachable while its route is replaced." in shown.text()
        await shown.press("y")
        assert isinstance(shown.app.screen, Confirm)


async def test_read_only_has_no_command_that_writes(tmp_path: Path) -> None:
    async with console(tmp_path, "gce", read_only=True) as shown:
        names = {key for command in live_commands(shown.app.screen) for key in command.keys}
        assert ":cluster" in names
        assert not {":prune", ":delete-first"} & names
        assert not hasattr(shown.app.screen, "action_prune")


async def test_a_colon_in_the_filter_is_text(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await shown.press("slash", *"2001:db8")
        assert shown.nodes.query_text == "2001:db8"
