"""The routes pane: stories on the embedded world, at 80 columns and wider, and with thousands of routes."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.bench_checks import world_of
from tests.screen.console import Console, console
from tests.test_demo import report_of
from tui.checks import diagnose
from tui.demo import Call, Machine, Scenario, open_world
from tui.demo.sites import COMPUTE_ENGINE
from tui.model.standing import route_rows
from tui.screen.commands import live_commands
from tui.screen.confirm import Confirm
from tui.screen.console import Console as Screen
from tui.screen.dialog import Notice
from tui.screen.route_cells import parse_routes

MANY = 5000


async def select(shown: Console, state: str) -> None:
    """Put the cursor on the first row of this state with the keys."""
    rows = shown.routes.grid.items
    number = next(number for number, row in enumerate(rows) if row.standing == state)
    await shown.press("g", *"j" * number)
    assert shown.routes.grid.selected is rows[number]


async def test_what_is_wrong_with_routes_is_seen_explained_and_planned(tmp_path: Path) -> None:
    async with console(tmp_path, "gce") as shown:
        await shown.press("2")
        states = [row[2:13].strip() for row in shown.rows()[3:10]]
        assert states == ["MISSING !", "BLACKHOLE !", "WRONG HOP !", "DUPLICATE !", "STRAY !", "table -", "OK +"]
        assert re.search(r"DUPLICATE ! 10.42.6.0/24 +gce-win-1 +gce-linux-2 +demo +foreign", shown.text())
        assert re.search(r"table - +9/12 used +6 nodes +1 subnet +demo", shown.text())
        await select(shown, "duplicate")
        await shown.press("enter")
        text = shown.unwrapped()
        assert "route-duplicate: several routes compete for pod CIDR 10.42.6.0/24" in text
        assert "legacy-pods-6 (foreign) → us-central1-a/gce-linux-2" in text
        assert re.search(r"beside l2b-\S+ \(ours\) → us-central1-a/gce-win-1", text)
        assert re.search(r"f deletes legacy-pods-6 ", text)
        await shown.press("escape", "f")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        assert "canIpForward: false -> true" in shown.text()
        assert "Plan: 0 to add, 1 to change, 1 to destroy." in shown.text(), "flag and all, and of this node only"
        await shown.press("escape")
        await shown.press("1")
        assert "ROUTE/L2" in shown.text()


async def test_a_stray_route_is_deleted_by_its_command_only(tmp_path: Path) -> None:
    async with console(tmp_path, "gce") as shown:
        await shown.press("2")
        await select(shown, "stray")
        assert "10.42.77.0/24 is stray: :prune plans the deletion of every stray route" in shown.rows()[-2]
        await shown.press("f")
        await shown.until(lambda: "f deletes nothing: :prune plans its deletion." in shown.rows()[-2])
        assert isinstance(shown.app.screen, Screen)
        await shown.press("enter")
        assert re.search(r":prune deletes l2b-\S+ → us-central1-a/gce-linux-7", shown.unwrapped())
        await shown.press("escape", "colon", *"prune", "enter")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        assert "4 to destroy" in shown.text(), "three for the nodes, and the stray one"
        await shown.press("escape")
        await select(shown, "table")
        await shown.press("f")
        await shown.until(lambda: "No node relies on this" in shown.rows()[-2])


async def test_read_only_has_the_pane_and_no_key_that_plans(tmp_path: Path) -> None:
    async with console(tmp_path, "gce", read_only=True) as shown:
        await shown.press("2")
        await select(shown, "stray")
        assert "fix" not in {command.title.lower() for command in live_commands(shown.app.screen)}
        assert ":prune" not in shown.text()
        await shown.press("enter")
        assert "this console is read-only" in shown.unwrapped()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("@stray", ["stray"]),
        ("@wrong", ["wrong-next-hop"]),
        ("demo-routes !@ok !@other !@table", ["missing", "wrong-next-hop", "stray"]),
        ("az-win", ["no-table", "ok", "ok"]),
        ("foreign", ["wrong-next-hop", "other"]),
        ("@fix", ["missing", "no-table", "wrong-next-hop", "stray"]),
        ("@warning", ["stray"]),
        ("10.42.[12].0", ["missing", "ok"]),
        ("route-missing", ["missing"]),
        ("(", []),
    ],
)
def test_the_filter_asks_for_text_states_and_what_is_to_be_done(text: str, left: list[str]) -> None:
    rows = route_rows(report_of(open_world("azure", latency=False)))
    assert [row.standing.value for row in filter(parse_routes(text), rows)] == left


async def test_the_filter_and_what_is_not_ok_narrow_the_list(tmp_path: Path) -> None:
    async with console(tmp_path, "azure") as shown:
        await shown.press("2", "e")
        assert [row.standing.value for row in shown.routes.grid.items] == [
            "missing",
            "no-table",
            "wrong-next-hop",
            "stray",
        ]
        assert "not OK only  1/4" in shown.rows()[1]
        await shown.press("slash", *"@str")
        assert "filter: @str  not OK only  1/1" in shown.rows()[1]
        await shown.press("x", "enter")
        assert "No route matches. esc shows all of them again." in shown.unwrapped()
        await shown.press("escape", "j")
        assert shown.routes.grid.cursor == 1, "the list has its keys again"
        assert len(shown.routes.grid.items) == 10


async def test_a_wide_terminal_shows_the_chain_beside_the_list(tmp_path: Path) -> None:
    async with console(tmp_path, "azure", size=(120, 40)) as shown:
        await shown.press("2")
        await select(shown, "no-table")
        assert "route-table-missing" in shown.text()
        await select(shown, "missing")
        text = shown.unwrapped()
        assert "no route for 10.42.2.0/24 in this table" in text
        assert "table demo-rg/demo-routes: 7 of 400 routes used" in text
        assert "subnet demo-rg/demo-vnet/nodes: 4 nodes" in text
        assert "Node az-linux-2 its pods are NOT reachable" in text
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        await shown.press("y")
        await shown.until(lambda: "applied" in shown.text())
        await shown.press("enter")
        await shown.until(lambda: "missing" not in {row.standing for row in shown.routes.grid.items})
        await select(shown, "other")
        assert "outside of the cluster's ranges (10.42.0.0/16)" in shown.unwrapped()


async def test_where_there_is_nothing_to_show_it_is_said_why(tmp_path: Path) -> None:
    async with console(tmp_path / "aws", "aws", size=(120, 40)) as shown:
        await shown.press("2")
        text = shown.unwrapped()
        assert "There are no routes to look after here." in text
        assert "Amazon EC2 needs none" in text
        assert "Machines of no cloud" not in text
        await shown.press("f", "enter", "1")
        assert "ROUTE/L2" in shown.text()
    async with console(tmp_path / "bare", "bare-metal") as shown:
        await shown.press("2")
        assert "Machines of no cloud need none" in shown.unwrapped()
    async with console(tmp_path / "waiting", "gce", ready=False, held=Call.LIST) as shown:
        await shown.press("2")
        assert "Synchronising" in shown.text()


async def test_where_all_is_right_that_is_said_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy") as shown:
        await shown.press("2")
        assert "All 7 routes of the nodes' pod CIDRs in 2 tables are right." in shown.rows()[-2]
        await shown.press("e")
        assert "are right. e shows all of them." in shown.unwrapped()
        await shown.press("e", "j")
        assert shown.routes.grid.cursor == 1, "the list has its keys again"


async def test_what_was_denied_is_told_with_its_source(tmp_path: Path) -> None:
    async with console(tmp_path / "one", "denied") as shown:
        await shown.press("2")
        assert re.search(r"\?\? \? +10.42.10.0/24 +gce-linux-1 +- +- +-", shown.text())
        assert "gce:demo-project is denied" in shown.rows()[-2]
    denied = replace(COMPUTE_ENGINE, denial="compute.routes.list is missing on demo-project")
    alone = Machine(
        name="n1", site=denied.source, subnet="nodes", addresses=("10.128.0.11",), pod_cidrs=("10.42.1.0/24",)
    )
    only = Scenario(name="alone", pod_cidrs=("10.42.0.0/16",), sites=(denied,), machines=(alone,))
    async with console(tmp_path / "all", only) as shown:
        await shown.press("2")
        assert "No route table could be read yet: nothing is known of any route." in shown.unwrapped()
        assert "gce:demo-project denied: compute.routes.list is missing on demo-project" in shown.unwrapped()


async def test_thousands_of_routes_cost_nothing_while_nobody_looks(tmp_path: Path) -> None:
    fleet = diagnose(world_of(MANY))
    async with console(tmp_path, "gce", size=(120, 40)) as shown:

        async def reported(revision: int) -> None:
            shown.app.console_screen.report = replace(fleet, revision=revision)
            await shown.pilot.pause()

        await reported(1)
        assert shown.routes.rows == ()
        await shown.press("2")
        assert len(shown.routes.grid.items) == MANY + 1
        assert re.search(r"> WRONG HOP ! 100.64.0.0/24 +n0 ", shown.text())
        await shown.press("G")
        assert shown.routes.grid.cursor == MANY
        seen = shown.routes.rows
        await shown.press("1")
        await reported(2)
        assert shown.routes.rows is seen
        await shown.press("2")
        assert shown.routes.rows is not seen
        assert shown.routes.grid.cursor == MANY, "the cursor stays on its row"


async def test_foreign_names_are_shown_harmlessly(tmp_path: Path) -> None:
    async with console(tmp_path, "hostile", size=(160, 50), ascii_only=True) as shown:
        await shown.press("2", "enter")
        assert "\x1b" not in shown.text()
        assert shown.text().isascii()


async def test_a_node_that_no_plan_mends_says_so(tmp_path: Path) -> None:
    async with console(tmp_path, "controller") as shown:
        await shown.press("2")
        assert "MISSING x" in shown.text()
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, Notice))
        assert "a route controller writes these routes" in shown.unwrapped()
