from dataclasses import dataclass
from time import perf_counter

import pytest
from rich.cells import cell_len
from textual.strip import Strip

from tests.screen.console import Stage, picture
from tui.screen.columns import Column, layout
from tui.screen.format import Elide, Span, legible, line
from tui.screen.grid import Grid
from tui.screen.tones import fit, wrap


@dataclass(frozen=True)
class Row:
    key: str
    value: str = "v"


NAME: Column[Row] = Column(
    title="NAME", width=12, kept=True, cell=lambda row: Span(legible(row.key)), elide=Elide.MIDDLE
)
VALUE: Column[Row] = Column(title="VALUE", width=6, cell=lambda row: Span(legible(row.value)))
NOTE: Column[Row] = Column(title="NOTE", width=10, ideal=20, cell=lambda row: Span("note"))


class CountingGrid(Grid[Row]):
    """Remembers which lines were painted."""

    def __init__(self) -> None:
        super().__init__((NAME, VALUE, NOTE), lambda row: row.key)
        self.painted: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        return super().render_line(y)


def rows(number: int) -> list[Row]:
    return [Row(f"n{index:04}") for index in range(number)]


@pytest.mark.parametrize(
    "text", ["節点-名前-節点", "e\u0301\u0302combining-and-more", "👩‍👩‍👧‍👦-family", "a\ufe0fb", "日" * 30, "", "x"]
)
@pytest.mark.parametrize("width", range(14))
@pytest.mark.parametrize("elide", Elide)
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, width: int, elide: Elide) -> None:
    assert cell_len(fit(legible(text), width, elide)) == width


def test_a_long_name_keeps_both_ends() -> None:
    assert fit("gke-prod-pool-7f3a9-x2x1", 11, Elide.MIDDLE) == "gke-p…-x2x1"
    assert fit("ip-10-0-0-13.ec2.internal", 16, Elide.HOST) == "ip-10-0-0-13.ec…"
    assert fit("ip-10-0-0-13.ec2.internal", 13, Elide.HOST) == "ip-10-0-0-13…"
    assert fit("ip-10-0-0-13.ec2.internal", 12, Elide.HOST) == "ip-10-0-0-13"
    assert fit("ip-10-0-0-13.ec2.internal", 11, Elide.HOST) == "ip-10…-0-13"
    assert fit("gke-prod-pool-7f3a9-x2x1", 11, Elide.HOST) == "gke-p…-x2x1"


def test_ascii_only_text_is_ascii() -> None:
    assert fit(legible("節 → x", ascii_only=True), 14, ascii_only=True) == "\\u7bc0 -> x   "
    assert fit("a very long text", 6, ascii_only=True) == "a ver~"


def test_columns_give_way_from_the_right_and_kept_ones_stay() -> None:
    columns = (NAME, NOTE, VALUE)
    assert [column.title for column, _ in layout(columns, 60)] == ["NAME", "NOTE", "VALUE"]
    assert [column.title for column, _ in layout(columns, 25)] == ["NAME", "NOTE"]
    assert [column.title for column, _ in layout(columns, 5)] == ["NAME"]
    assert [width for _, width in layout(columns, 60)] == [12, 20, 6]


def test_wrapping_drops_nothing_and_never_leaves_an_empty_row() -> None:
    text = "      SourceDestCheck = true on a-very-long-resource-name-that-must-be-broken/in/the/middle of it"
    for width in range(10, 60):
        wrapped = wrap(line(text, indent=4), width)
        assert "".join(row.text for row in wrapped).replace(" ", "") == text.replace(" ", "")
        assert all(cell_len(row.text) <= width for row in wrapped)
        assert all(row.text.strip() for row in wrapped)


async def test_one_changed_row_repaints_one_line() -> None:
    grid = CountingGrid()
    async with Stage(grid).run_test(size=(60, 20)) as pilot:
        before = rows(5000)
        grid.show(before)
        await pilot.pause()
        grid.painted.clear()
        grid.show([Row(row.key, "new" if row.key == "n0007" else row.value) for row in before])
        await pilot.pause()
        assert grid.painted == [8]
        assert "new" in picture(pilot.app)[8]


async def test_the_same_rows_again_and_a_change_out_of_sight_repaint_nothing() -> None:
    grid = CountingGrid()
    async with Stage(grid).run_test(size=(60, 20)) as pilot:
        grid.show(rows(5000))
        await pilot.pause()
        grid.painted.clear()
        grid.show(rows(5000))
        grid.show([Row(row.key, "new" if row.key == "n4000" else row.value) for row in rows(5000)])
        await pilot.pause()
        assert grid.painted == []


async def test_moving_the_cursor_repaints_two_lines() -> None:
    grid = CountingGrid()
    async with Stage(grid).run_test(size=(60, 20)) as pilot:
        grid.show(rows(100))
        await pilot.pause()
        grid.painted.clear()
        grid.action_move(1)
        await pilot.pause()
        assert sorted(grid.painted) == [1, 2]


async def test_five_thousand_rows_fill_quickly() -> None:
    grid = CountingGrid()
    async with Stage(grid).run_test(size=(120, 40)) as pilot:
        many = rows(5000)
        began_s = perf_counter()
        grid.show(many)
        filled_s = perf_counter() - began_s
        await pilot.pause()
        assert "n0030" in "\n".join(picture(pilot.app))
        assert len(grid.painted) <= 80  # work is per visible line, not per row
        assert filled_s < 1.0  # generous: the line above is what keeps it fast


async def test_the_cursor_and_the_marks_stay_with_their_row() -> None:
    grid = CountingGrid()
    async with Stage(grid).run_test(size=(60, 20)) as pilot:
        grid.show(rows(50))
        await pilot.pause()
        for _ in range(30):
            grid.action_move(1)
        grid.toggle_mark()
        grid.action_move(-1)
        await pilot.pause()
        y = next(number for number, row in enumerate(picture(pilot.app)) if "n0030" in row)
        grid.show([Row("new-one"), *reversed(rows(50))])
        await pilot.pause()
        assert grid.selected == Row("n0030")
        assert grid.marks == {"n0030"}
        assert "n0030" in picture(pilot.app)[y]
        grid.show(rows(10))
        assert grid.marks == frozenset()
        assert grid.cursor == 9


async def test_nobody_has_moved_yet_so_the_cursor_stays_on_top() -> None:
    grid = CountingGrid()
    async with Stage(grid).run_test(size=(60, 20)) as pilot:
        grid.show([Row("b")])
        grid.show([Row("a"), Row("b")])
        await pilot.pause()
        assert grid.selected == Row("a")


async def test_foreign_text_is_shown_harmlessly() -> None:
    grid = CountingGrid()
    async with Stage(grid).run_test(size=(60, 20)) as pilot:
        grid.show([Row("[red]x[/]"), Row("\x1b[2J\x07"), Row("[/]")])
        await pilot.pause()
        shown = picture(pilot.app)
        assert "[red]x[/]" in shown[1]
        assert "\\x1b[2J\\x07" in shown[2]
        assert "[/]" in shown[3]
        assert not any(character < " " for row in shown for character in row)
