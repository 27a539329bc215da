"""Writes that meet other writers, and many changes of one route table at once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from tests import build
from tests.build_tables import SUBNET, TABLE, about, association, creation, replacement, route, table_creation
from tests.scripted import ScriptedClock, ScriptedCloud
from tui.engine.applier import TOGETHER_FROM, Applier, Writing, together
from tui.engine.deed import CONFLICTS
from tui.engine.journal import Journal
from tui.model.change import (
    Change,
    DeleteRoute,
    DeleteRouteTable,
    RouteChange,
    SetForwarding,
)
from tui.model.network import ReplaceMethod, Route
from tui.model.node import Cloud
from tui.model.plan import ApplyResult, Remark, RunStep, Status, build_plan
from tui.ports import Conflict, Denied, Indeterminate, PortError, Reading, Rejected


class ScriptedTables(ScriptedCloud):
    """The scripted cloud, which also takes many changes of one table at once; ``batches`` are their sizes."""

    cloud = Cloud.AZURE

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.table_writes: list[PortError | None] = []

    def read_table(self, changes: Sequence[RouteChange]) -> Reading:
        self.log.append(f"read table for {len(changes)}")
        return Reading(routes=tuple(self.routes.values()))

    def write_table(self, changes: Sequence[RouteChange]) -> None:
        self.log.append(f"write table with {len(changes)}")
        error = self.table_writes.pop(0) if self.table_writes else None
        if error is not None and not isinstance(error, Indeterminate):
            raise error
        self.batches.append(len(changes))
        for change in changes:
            self._obey(change)
        if error is not None:
            raise error


class Bench:
    def __init__(self, folder: Path) -> None:
        self.clock = ScriptedClock()
        self.cloud: ScriptedCloud = ScriptedTables()
        self.journal = Journal.of(folder, build.CLUSTER, self.clock)
        self.forbidden: set[str] = set()
        self.steps: list[RunStep] = []

    def apply(self, *changes: Change) -> ApplyResult:
        applier = Applier(
            Writing(writer=lambda _: self.cloud, width=1),
            reader=lambda _: self.cloud,
            journal=self.journal,
            clock=self.clock,
            stop=Event(),
        )
        plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=changes)
        return applier.run(
            plan,
            forbids=lambda change: "not now" if change.node in self.forbidden else None,
            progress=self.steps.append,
        )

    def statuses(self, *changes: Change) -> list[Status]:
        return [outcome.status for outcome in self.apply(*changes).outcomes]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def tables(bench: Bench) -> ScriptedTables:
    assert isinstance(bench.cloud, ScriptedTables)
    return bench.cloud


# Conflicts: judged anew, within a bound.


def test_a_write_that_another_one_came_before_is_judged_and_sent_anew(bench: Bench) -> None:
    bench.cloud.writes = [Conflict("412"), Conflict("429"), None]
    assert bench.statuses(build.switch_on()) == [Status.APPLIED]
    assert bench.cloud.log.count("write eni-1") == 3
    assert bench.clock.waits_s == [1.0, 2.0]


def test_a_conflict_after_which_the_state_is_no_longer_the_planned_one_is_refused_without_a_second_write(
    bench: Bench,
) -> None:
    def meanwhile(change: Change) -> None:
        bench.cloud.routes["r1"] = route(1, "10.0.0.50")

    bench.cloud.routes["r1"] = route(1, "10.0.0.99")
    bench.cloud.writes, bench.cloud.on_write = [Conflict("412")], meanwhile
    (outcome,) = bench.apply(replacement(1)).outcomes
    assert outcome.status is Status.REFUSED
    assert "expected another state than r1: 10.42.1.0/24 to 10.0.0.50" in (outcome.message or "")
    assert bench.cloud.log.count(f"write {TABLE}/routes/r1") == 1


def test_endless_conflicts_end_within_half_a_minute(bench: Bench) -> None:
    bench.cloud.writes = [Conflict("somebody else is at it")] * 20
    bench.cloud.obeys = False
    (outcome,) = bench.apply(build.switch_on()).outcomes
    assert (outcome.status, outcome.message) == (Status.REFUSED, "somebody else is at it")
    assert bench.cloud.log.count("write eni-1") == CONFLICTS + 1
    assert 20 < bench.clock.passed_s <= 35
    assert [step.text for step in bench.steps if isinstance(step, Remark)][
        -1
    ] == "judges it anew in 16 s: somebody else is at it"


def test_a_conflict_whose_change_is_seen_in_place_is_applied(bench: Bench) -> None:
    def meanwhile(change: Change) -> None:
        bench.cloud.flags["eni-1"] = True

    bench.cloud.writes, bench.cloud.on_write = [Conflict("412")], meanwhile
    assert bench.statuses(build.switch_on()) == [Status.APPLIED]


# Many changes of one table.


def test_two_hundred_routes_of_one_table_are_one_write(bench: Bench, tables: ScriptedTables) -> None:
    changes = [creation(number) for number in range(200)]
    assert set(bench.statuses(*changes)) == {Status.APPLIED}
    assert tables.batches == [200]
    assert tables.log == ["read table for 200", "write table with 200", "read table for 200"]


def test_a_few_are_written_one_by_one(bench: Bench, tables: ScriptedTables) -> None:
    changes = [creation(number) for number in range(TOGETHER_FROM - 1)]
    assert bench.statuses(*changes) == [Status.APPLIED] * len(changes)
    assert tables.batches == []


def test_a_cloud_without_whole_tables_takes_them_one_by_one(bench: Bench) -> None:
    bench.cloud = ScriptedCloud()
    changes = [creation(number) for number in range(TOGETHER_FROM)]
    assert bench.statuses(*changes) == [Status.APPLIED] * len(changes)
    assert sum(line.startswith("write ") for line in bench.cloud.log) == TOGETHER_FROM


def test_every_change_of_a_write_has_an_outcome_of_its_own(bench: Bench, tables: ScriptedTables) -> None:
    tables.routes |= {"r0": route(0), "r1": route(1, "10.0.0.7")}
    bench.forbidden = {"n2"}
    changes: list[Change] = [creation(0), creation(1), creation(2), replacement(3), creation(4), creation(5)]
    tables.routes["r3"] = route(3, "10.0.0.99")
    outcomes = bench.apply(*changes).outcomes
    assert [outcome.status for outcome in outcomes] == [
        Status.ALREADY_SO,
        Status.REFUSED,
        Status.REFUSED,
        Status.APPLIED,
        Status.APPLIED,
        Status.APPLIED,
    ]
    assert [outcome.change for outcome in outcomes] == ["c1", "c2", "c3", "c4", "c5", "c6"]
    assert "the name is taken" in (outcomes[1].message or "")
    assert outcomes[2].message == "not now"
    assert tables.batches == [3]


def test_intents_are_on_disk_before_the_common_write(bench: Bench, tables: ScriptedTables) -> None:
    seen: list[str] = []
    write = tables.write_table

    def watched(changes: Sequence[RouteChange]) -> None:
        seen.extend(str(entry["type"]) for entry in bench.journal.entries())
        write(changes)

    tables.write_table = watched  # type: ignore[method-assign]
    bench.apply(*(creation(number) for number in range(4)))
    assert seen == ["began", *["intent"] * 4]
    assert [entry["type"] for entry in bench.journal.entries()][-5:] == [*["outcome"] * 4, "ended"]


def test_a_common_write_that_conflicts_is_judged_anew(bench: Bench, tables: ScriptedTables) -> None:
    tables.table_writes = [Conflict("412"), None]
    assert set(bench.statuses(*(creation(number) for number in range(4)))) == {Status.APPLIED}
    assert tables.batches == [4]


def test_a_common_write_that_fails_fails_all_of_it(bench: Bench, tables: ScriptedTables) -> None:
    tables.table_writes = [Rejected("the scope is locked")]
    outcomes = bench.apply(*(creation(number) for number in range(4))).outcomes
    assert {(outcome.status, outcome.message) for outcome in outcomes} == {(Status.FAILED, "the scope is locked")}


def test_a_common_write_of_unknown_end_is_proven_by_reading(bench: Bench, tables: ScriptedTables) -> None:
    tables.table_writes = [Indeterminate("lost")]
    assert set(bench.statuses(*(creation(number) for number in range(4)))) == {Status.APPLIED}
    assert tables.batches == [4]


def test_what_relies_on_another_change_is_not_written_with_it() -> None:
    first: list[Change] = [replace(creation(number), id=f"c{number}") for number in range(3)]
    last = DeleteRoute(
        **about(9, f"{TABLE}/routes/r9"),  # type: ignore[arg-type]
        table=TABLE,
        before=route(9),
        keeps=route(2),
        depends_on=("c2",),
    )
    assert [len(piece) for piece in together([*first, last])] == [3, 1]


def test_only_neighbours_of_one_table_are_written_together() -> None:
    switch: SetForwarding = build.switch_on()
    changes: list[Change] = [
        creation(1),
        creation(2),
        creation(3, "other"),
        switch,
        switch,
        creation(4),
        table_creation(),
    ]
    assert [len(piece) for piece in together(changes)] == [2, 1, 1, 1, 1, 1]


def test_a_replacement_in_two_steps_is_never_written_with_others() -> None:
    stepwise = replace(replacement(1), method=ReplaceMethod.ADD_THEN_DELETE)
    assert [len(piece) for piece in together([creation(2), stepwise, creation(3)])] == [1, 1, 1]


# Tables and associations.


def test_a_table_is_made_whole_and_then_attached(bench: Bench) -> None:
    routes = (route(1), route(2))
    assert bench.statuses(table_creation(*routes), association(*routes)) == [Status.APPLIED, Status.APPLIED]
    assert bench.cloud.tables == {TABLE: TABLE, SUBNET: TABLE}


def test_a_table_that_is_there_as_planned_is_not_made_again(bench: Bench) -> None:
    bench.cloud.tables[TABLE], bench.cloud.routes["r1"] = TABLE, route(1)
    assert bench.statuses(table_creation(route(1))) == [Status.ALREADY_SO]


@pytest.mark.parametrize("there", [(), (route(1, "10.0.0.7"),), (route(1), route(2))])
def test_a_table_with_other_routes_is_never_overwritten(bench: Bench, there: tuple[Route, ...]) -> None:
    bench.cloud.tables[TABLE] = TABLE
    bench.cloud.routes = {found.name: found for found in there}
    (outcome,) = bench.apply(table_creation(route(1))).outcomes
    assert outcome.status is Status.REFUSED
    assert "the name is taken" in (outcome.message or "")
    assert f"write {TABLE}" not in bench.cloud.log


def test_a_subnet_is_never_taken_from_one_table_to_another(bench: Bench) -> None:
    bench.cloud.tables[SUBNET] = "/their/table"
    (outcome,) = bench.apply(association()).outcomes
    assert outcome.status is Status.REFUSED
    assert "/their/table" in (outcome.message or "")
    assert bench.cloud.tables[SUBNET] == "/their/table"


@pytest.mark.parametrize("there", [(), (route(1, "10.0.0.7"),)])
def test_a_table_that_is_not_whole_is_not_attached(bench: Bench, there: tuple[Route, ...]) -> None:
    bench.cloud.routes = {found.name: found for found in there}
    (outcome,) = bench.apply(association(route(1))).outcomes
    assert outcome.status is Status.REFUSED
    assert "the table is not whole" in (outcome.message or "")
    assert SUBNET not in bench.cloud.tables


def test_an_association_is_taken_back_whatever_the_table_holds(bench: Bench) -> None:
    bench.cloud.tables[SUBNET] = TABLE
    inverse = association(route(1)).inverse()
    assert (inverse.before, inverse.after, inverse.undo) == (TABLE, None, True)
    assert bench.statuses(inverse) == [Status.APPLIED]
    assert bench.cloud.tables[SUBNET] is None


def test_only_the_table_as_it_was_made_is_deleted(bench: Bench) -> None:
    inverse = table_creation(route(1)).inverse()
    assert isinstance(inverse, DeleteRouteTable)
    bench.cloud.tables[TABLE], bench.cloud.routes = TABLE, {"r1": route(1), "r2": route(2)}
    (outcome,) = bench.apply(inverse).outcomes
    assert outcome.status is Status.REFUSED
    del bench.cloud.routes["r2"]
    assert bench.statuses(inverse) == [Status.APPLIED]
    assert bench.statuses(inverse) == [Status.ALREADY_SO]


def test_a_table_in_use_is_not_deleted(bench: Bench) -> None:
    bench.cloud.reads = [Reading(table=TABLE, routes=(route(1),), subnets=(SUBNET,))]
    (outcome,) = bench.apply(table_creation(route(1)).inverse()).outcomes
    assert (outcome.status, outcome.message) == (Status.REFUSED, f"{SUBNET} uses the table")


def test_a_denied_association_is_told(bench: Bench) -> None:
    bench.cloud.writes = [Denied("Microsoft.Network/routeTables/join/action is missing")]
    bench.cloud.obeys = False
    (outcome,) = bench.apply(association()).outcomes
    assert (outcome.status, outcome.message) == (Status.FAILED, "Microsoft.Network/routeTables/join/action is missing")
