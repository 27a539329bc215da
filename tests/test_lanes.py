"""What is written side by side, and what never is."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import build
from tui.engine.lanes import Lanes, Piece, lanes
from tui.model.change import Change, SetForwarding


def change(number: int, lane: str, *needs: int) -> SetForwarding:
    needed = tuple(f"c{one}" for one in needs)
    return replace(build.switch_on(f"n{number}", subject=lane), id=f"c{number}", depends_on=needed)


class Watch:
    """Work that lasts until as many others are under way as there ever will be, and that keeps a record."""

    def __init__(self, together: int = 1) -> None:
        self.most = 0
        self.ended: list[str] = []
        self.wrong: list[str] = []
        self._busy: list[Change] = []
        self._changed = threading.Condition()
        self._together = together

    def work(self, piece: Piece) -> None:
        with self._changed:
            for one in piece:
                self.wrong += [f"{one.id} beside {other.id}" for other in self._busy if other.subject == one.subject]
                self.wrong += [f"{one.id} before {needed}" for needed in one.depends_on if needed not in self.ended]
            self._busy += piece
            self.most = max(self.most, len(self._busy))
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self._together, timeout=5)
            self._busy = [one for one in self._busy if one not in piece]
            self.ended += [one.id for one in piece]


def run(pieces: Sequence[Piece], watch: Watch, width: int) -> None:
    Lanes(pieces).run(watch.work, width=width)


def test_as_many_are_under_way_as_are_allowed_and_no_more() -> None:
    watch = Watch(together=3)
    run([[change(number, f"vm-{number}")] for number in range(6)], watch, width=3)
    assert watch.most == 3
    assert sorted(watch.ended) == [f"c{number}" for number in range(6)]


def test_one_lane_takes_one_write_at_a_time_in_the_plans_order() -> None:
    watch = Watch()
    run([[change(number, "table")] for number in range(6)], watch, width=4)
    assert watch.most == 1
    assert watch.ended == [f"c{number}" for number in range(6)]


def test_a_change_waits_for_what_it_needs() -> None:
    watch = Watch()
    run([[change(1, "vm-1")], [change(2, "vm-2")], [change(3, "table", 1, 2)]], watch, width=4)
    assert watch.wrong == []
    assert watch.ended[-1] == "c3"


def test_with_a_width_of_one_everything_happens_in_the_calling_thread() -> None:
    seen: list[str] = []
    Lanes([[change(1, "a")], [change(2, "b")]]).run(lambda _: seen.append(threading.current_thread().name), width=1)
    assert seen == [threading.current_thread().name] * 2


def test_after_an_error_nothing_begins_and_what_is_under_way_ends() -> None:
    both, ended = threading.Barrier(2, timeout=5), list[str]()

    def work(piece: Piece) -> None:
        if piece[0].id in {"c1", "c2"}:
            both.wait()
        if piece[0].id == "c1":
            raise OSError("the disk is full")
        ended.append(piece[0].id)

    pieces = [[change(1, "vm-1")], [change(2, "vm-2")], [change(3, "vm-3", 1)], [change(4, "vm-4", 1)]]
    with pytest.raises(OSError, match="the disk is full"):
        Lanes(pieces).run(work, width=2)
    assert ended == ["c2"]


def test_lanes_are_tables_the_subnets_of_an_account_and_vms() -> None:
    assert lanes([build.switch_on(subject="eni-1")]) == {"eni-1"}
    route = build.create_route()
    assert lanes([route, replace(route, node="n2")]) == {route.table.lower()}


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 11), max_size=3)), max_size=12),
    st.integers(1, 5),
)
def test_whatever_the_plan_nothing_shares_a_lane_or_comes_before_what_it_needs(
    drawn: list[tuple[int, set[int]]], width: int
) -> None:
    pieces = [
        [change(number, f"lane-{lane}", *(one for one in needs if one < number))]
        for number, (lane, needs) in enumerate(drawn)
    ]
    watch = Watch()
    run(pieces, watch, width)
    assert watch.wrong == []
    assert sorted(watch.ended) == sorted(f"c{number}" for number in range(len(drawn)))
