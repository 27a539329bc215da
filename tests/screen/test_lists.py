"""What every list can do: sorted, shifted, marked, filtered by field, shown raw, copied, and taken away as a file."""

import csv
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.screen.console import Console, console
from tui import options
from tui.model.finding import VERDICTS_WORST_FIRST
from tui.screen.choices import Forms, Orders
from tui.screen.clipboard import Clipboard
from tui.screen.columns import Column, Sorting, natural
from tui.screen.confirm import Confirm
from tui.screen.dialog import Notice
from tui.screen.format import Span
from tui.screen.node_cells import NODE_COLUMNS
from tui.screen.query import parse
from tui.screen.route_cells import ROUTE_COLUMNS


@pytest.fixture(autouse=True)
def _over_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the tmux nor the desktop of whoever runs the tests gets anything."""
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")


def names(shown: Console) -> list[str]:
    return [item.node.name for item in shown.nodes.grid.items]


async def sort(shown: Console, title: str) -> None:
    await shown.press("o")
    await shown.until(lambda: isinstance(shown.app.screen, Orders))
    await shown.press(*title, "enter")
    await shown.until(lambda: len(shown.app.screen_stack) == 1)


def text_column(*, order: dict[str, int] | None = None) -> Column[str]:
    return Column(title="T", width=1, cell=Span, order=order.__getitem__ if order else None)


def test_numbers_in_texts_count_as_numbers_and_what_is_absent_comes_last_both_ways() -> None:
    given = ["n10", "-", "N9", "n9a", "10.42.10.0/24", "10.42.9.0/24"]
    rising = ["10.42.9.0/24", "10.42.10.0/24", "N9", "n9a", "n10", "-"]
    assert Sorting(text_column()).sorted(given) == rising
    assert Sorting(text_column(), descending=True).sorted(given) == [*reversed(rising[:-1]), "-"]
    assert Sorting(text_column(order={"a": 2, "b": 1})).sorted(["a", "b"]) == ["b", "a"]
    assert natural("²3") < natural("³")


async def test_rows_are_sorted_by_any_column_and_the_other_way_and_worst_first_again(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed") as shown:
        first = names(shown)
        await sort(shown, "node")
        assert names(shown) == sorted(first)
        assert "NODE↑" in shown.rows()[2]
        await sort(shown, "node")
        assert names(shown) == sorted(first, reverse=True)
        assert "NODE↓" in shown.rows()[2]
        shown.session.observe()
        assert names(shown) == sorted(first, reverse=True), "a newer report keeps the order"
        await sort(shown, "state")
        verdicts = [VERDICTS_WORST_FIRST.index(item.verdict) for item in shown.nodes.grid.items]
        assert verdicts == sorted(verdicts)
        await sort(shown, "worst")
        assert names(shown) == first
        assert "↑" not in shown.rows()[2]


@pytest.mark.parametrize("columns", [NODE_COLUMNS, ROUTE_COLUMNS])
async def test_every_column_can_be_sorted_by(tmp_path: Path, columns: tuple[Column[object], ...]) -> None:
    async with console(tmp_path, "mixed", size=(220, 40)) as shown:
        await shown.press("2" if columns is ROUTE_COLUMNS else "1")
        grid = shown.routes.grid if columns is ROUTE_COLUMNS else shown.nodes.grid
        for column in columns:
            assert len(Sorting(column).sorted(list(grid.items))) == len(grid.items) > 0


async def test_columns_without_room_are_reached_with_the_arrows_and_the_whole_width_with_w(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed", size=(100, 24)) as shown:
        assert "IP" not in shown.rows()[2]
        await shown.press("w")
        assert "IP" in shown.rows()[2]
        assert "SINCE" not in shown.rows()[2]
        assert "│" not in shown.rows()[5]
        await shown.press(*["right"] * 12)
        header = shown.rows()[2]
        assert header.split()[-1] == "SINCE"
        assert header.split()[:4] == ["STATE", "NODE", "POD", "CIDR"], "what a row is known by stays"
        await shown.press(*["left"] * 12)
        assert "FWD" in shown.rows()[2]
        await shown.press("w")
        assert "IP" not in shown.rows()[2]
        assert "│" in shown.rows()[5]


def test_the_columns_that_can_be_chosen_are_those_that_there_are() -> None:
    assert tuple(column.name for column in NODE_COLUMNS) == options.NODE_COLUMNS
    assert tuple(column.name for column in ROUTE_COLUMNS) == options.ROUTE_COLUMNS


async def test_columns_are_chosen_in_the_config(tmp_path: Path) -> None:
    nodes, routes = ("zone", "node", "state"), ("route", "state")
    async with console(tmp_path, "mixed", size=(200, 24), node_columns=nodes, route_columns=routes) as shown:
        assert shown.rows()[2].split("│")[0].split() == ["ZONE", "NODE", "STATE"]
        await shown.press("2")
        assert shown.rows()[2].split("│")[0].split() == ["ROUTE", "STATE"]


async def test_it_begins_on_the_selected_node(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed", select="gce-win-1") as shown:
        assert next(row for row in shown.rows() if row.startswith(">")).split()[3] == "gce-win-1"
        await shown.press("g")
        shown.session.observe()
        await shown.pilot.pause()
        assert shown.nodes.grid.cursor == 0, "it was looked for once"


async def test_a_selected_node_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed", select="gone-1") as shown:
        assert "There is no node gone-1." in shown.rows()[-2]


async def test_a_range_is_marked_from_the_last_mark_to_the_cursor(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed") as shown:
        grid = shown.nodes.grid
        await shown.press("j", "space", "j", "j", "v")
        assert grid.marks == {item.node.uid for item in grid.items[1:5]}
        assert "4 marked" in shown.rows()[1]
        await shown.press("escape", "G", "v")
        assert grid.marks >= {grid.items[-1].node.uid}


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("cloud:gce", lambda a: a.cloud == "gce"),
        ("os:win", lambda a: a.node.os == "windows"),
        ("!os:win cloud:aws|azure", lambda a: a.node.os != "windows" and a.cloud in {"aws", "azure"}),
        ("zone:us-east-1b", lambda a: a.node.zone == "us-east-1b"),
        ("label:os=windows", lambda a: a.node.os == "windows"),
    ],
)
async def test_a_filter_asks_for_one_field_alone(tmp_path: Path, query: str, holds: object) -> None:
    assert callable(holds)
    async with console(tmp_path, "mixed") as shown:
        assert shown.app.report is not None
        found = parse(query)
        for assessment in shown.app.report.assessments:
            assert found(assessment) is holds(assessment), assessment.node.name


async def test_a_pool_is_asked_for_by_its_providers_label(tmp_path: Path) -> None:
    async with console(tmp_path, "rolling-upgrade") as shown:
        pools = {item.node.pool for item in shown.nodes.grid.items}
        assert len(pools - {None}) > 1
        one = min(filter(None, pools))
        await shown.press("slash", *f"POOL:^{one}$", "enter")
        assert {item.node.pool for item in shown.nodes.grid.items} == {one}


async def test_an_address_with_colons_is_no_field(tmp_path: Path) -> None:
    async with console(tmp_path, "aws") as shown:
        assert shown.app.report is not None
        dual = [a for a in shown.app.report.assessments if parse("2001:db8:")(a)]
        assert all(any(":" in str(address) for address in a.node.addresses) for a in dual)


async def test_routes_are_filtered_by_table_node_and_cloud(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed") as shown:
        await shown.press("2", "slash", *"cloud:azure !table:windows node:azure-linux-1", "enter")
        rows = shown.routes.grid.items
        assert rows
        assert all("azure-linux-1" in [owner.node.name for owner in row.owners] for row in rows)


async def test_what_was_observed_is_shown_as_it_is(tmp_path: Path) -> None:
    async with console(tmp_path, "gce", size=(120, 200)) as shown:
        await shown.select("gce-linux-4")
        await shown.press("y")
        assert isinstance(shown.app.screen, Notice)
        text = "\n".join(line.text for line in shown.app.screen.text.lines)
        facts = json.loads(text)
        assert facts["node"]["provider_id"]["key"] == "demo-project/us-central1-a/gce-linux-4"
        assert facts["concluded"]["findings"][0]["code"] == "route-wrong-next-hop"
        assert "remedy" not in text
        await shown.press("escape", "2", "y")
        facts = json.loads("\n".join(line.text for line in shown.app.screen.text.lines))
        assert facts["concluded"]["standing"] == "missing"
        assert facts["table"]["routes"] == 9, "a table tells the number, not every route of it"


async def test_a_route_is_explained(tmp_path: Path) -> None:
    async with console(tmp_path, "gce") as shown:
        await shown.press("2", "d")
        assert isinstance(shown.app.screen, Notice)
        assert "error route-missing: " in shown.unwrapped()
        await shown.press("escape", "G", "d")
        assert "there is nothing to explain" in shown.rows()[-2]


async def test_ids_are_copied_and_how_is_said(tmp_path: Path) -> None:
    async with console(tmp_path, "gce") as shown:
        await shown.select("gce-win-1")
        await shown.press("c")
        await shown.until(lambda: "Sent as OSC 52" in shown.text())
        expected = "projects/demo-project/zones/us-central1-a/instances/gce-win-1"
        assert shown.app.clipboard == (tmp_path / "copied").read_text() == expected
        assert (tmp_path / "copied").stat().st_mode & 0o777 == 0o600
        await shown.press("g", "space", "space", "c")
        await shown.until(lambda: "2 ids" in shown.text())
        assert len(shown.app.clipboard.splitlines()) == 2
        await shown.press("2", "c")
        await shown.until(lambda: shown.app.clipboard.endswith("/global/networks/demo"))
        await shown.press("colon", *"copied", "enter")
        await shown.until(lambda: isinstance(shown.app.screen, Notice))
        assert "projects/demo-project/global/networks/demo" in shown.text()


async def test_commands_are_copied_as_the_plan_has_them(tmp_path: Path) -> None:
    async with console(tmp_path, "gce") as shown:
        await shown.select("gce-linux-3")
        await shown.press("C")
        await shown.until(lambda: "OSC 52" in shown.text())
        copied = shown.app.clipboard
        assert copied.startswith("gcloud compute routes create ")
        assert copied.count("\n") == 1
        await shown.select("gce-linux-1")
        await shown.press("C")
        await shown.until(lambda: "Nothing to copy" in shown.text())
        assert shown.app.clipboard == copied
        await shown.press("F")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        await shown.press("C")
        await shown.until(lambda: shown.app.clipboard != copied)
        assert copied in shown.app.clipboard
        await shown.press("x")
        await shown.until(lambda: "Written: " in shown.rows()[-2])
        (script,) = (tmp_path / "exports").glob("*-plan.sh")
        subprocess.run(["sh", "-n", script], check=True)
        assert all(command in script.read_text() for command in shown.app.clipboard.splitlines())
        assert os.access(script, os.X_OK)
        await shown.press("escape")


def _written(state: Path, pattern: str) -> list[Path]:
    return list((state / "exports").glob(pattern))


async def test_the_list_is_written_in_every_form_as_it_is_shown(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed") as shown:
        await shown.press("slash", *"cloud:gce", "enter")
        await sort(shown, "node")
        for form in ("csv", "markdown", "json"):
            await shown.press("x")
            await shown.until(lambda: isinstance(shown.app.screen, Forms))
            await shown.press(*form, "enter")
            ending = "md" if form == "markdown" else form
            await shown.until(partial(_written, tmp_path, f"*-nodes.{ending}"))
        (table,) = (tmp_path / "exports").glob("*.csv")
        rows = list(csv.DictReader(table.open()))
        assert [row["node"] for row in rows] == names(shown)
        assert {row["version"] for row in rows} == {"v1.34.2"}, "columns without room on the screen too"
        (page,) = (tmp_path / "exports").glob("*.md")
        assert page.read_text().splitlines()[2].split("|")[2].strip() == names(shown)[0]
        (document,) = (tmp_path / "exports").glob("*.json")
        told = json.loads(document.read_text())
        assert told["schema"] == "l2bridge-tui/check/v1"
        assert sorted(node["name"] for node in told["nodes"]) == names(shown)
        await shown.press("2", "g", "space", "x", *"csv", "enter")
        await shown.until(partial(_written, tmp_path, "*-routes.csv"))
        (routes,) = (tmp_path / "exports").glob("*-routes.csv")
        assert len(routes.read_text().splitlines()) == 2, "the marked one only"


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "exports").write_text("in the way")
    async with console(tmp_path, "gce") as shown:
        await shown.press("x", "enter")
        await shown.until(lambda: "cannot be written" in shown.rows()[-2])


async def test_the_mouse_is_turned_on_and_off(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        await shown.press("m")
        assert "Mouse off: the terminal selects." in shown.rows()[-2]
        await shown.press("m")
        assert "Mouse on" in shown.rows()[-2]


# Where a text goes.


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment inside of a tmux server of its own."""
    program = shutil.which("tmux")
    if program is None:
        pytest.skip("tmux is not installed")
    call = [program, "-S", str(tmp_path / "tmux"), "-f", os.devnull]
    subprocess.run([*call, "new-session", "-d", "cat"], check=True)
    yield {"TMUX": f"{tmp_path / 'tmux'},1,0"}
    subprocess.run([*call, "kill-server"], check=True)


def test_inside_of_tmux_its_buffer_holds_the_text(
    tmp_path: Path, tmux: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", tmux["TMUX"])
    way = Clipboard(file=tmp_path / "copied", environ=os.environ).copy("gcloud 'it''s'\n", pytest.fail)
    assert way == "In tmux's buffer and the terminal"
    shown = subprocess.run(["tmux", "show-buffer"], capture_output=True, text=True, check=True)
    assert shown.stdout == "gcloud 'it''s'\n"


def test_a_tmux_that_is_gone_leaves_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", f"{tmp_path}/nowhere,1,0")
    sent: list[str] = []
    environ = {"TMUX": "gone", "SSH_TTY": "/dev/pts/9"}
    assert "OSC 52" in Clipboard(file=tmp_path / "copied", environ=environ).copy("text", sent.append)
    assert sent == ["text"]


def test_without_a_desktop_the_terminal_gets_it_and_what_is_too_long_stays_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    sent: list[str] = []
    clipboard = Clipboard(file=tmp_path / "kept" / "copied", environ={})
    assert clipboard.last() is None
    assert "OSC 52" in clipboard.copy("text", sent.append)
    assert clipboard.copy("x" * 100_000, sent.append) == "Too long for the terminal, in a file only"
    assert sent == ["text"]
    assert clipboard.last() == "x" * 100_000


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    way = Clipboard(file=tmp_path / "file" / "copied", environ={"SSH_TTY": "x"}).copy("text", lambda _: None)
    assert way.endswith("cannot be written")
