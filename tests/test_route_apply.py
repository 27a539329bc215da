"""Applying route changes: proven step by step, and never a deletion whose stand-in does not work."""

import threading
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests import build
from tests.scripted import ScriptedClock, ScriptedCloud
from tui.checks import diagnose
from tui.engine.applier import Applier, Writing
from tui.engine.hindrance import hindrance
from tui.engine.journal import Journal
from tui.model.change import Change
from tui.model.finding import Code, Finding, Report, Severity
from tui.model.network import Instance, NextHopKind, ReplaceMethod
from tui.model.node import Cloud, Node, ProviderID
from tui.model.plan import Outcome, Status, build_plan
from tui.model.snapshot import Source, SourceState
from tui.ports import Conflict, Denied, Indeterminate, Rejected, Throttled


class Bench:
    """An applier on one scripted cloud that holds the route ``old-n1``."""

    def __init__(self, folder: Path) -> None:
        self.clock = ScriptedClock()
        self.cloud = ScriptedCloud()
        self.cloud.routes = {"old-n1": build.delete_route().before}
        self.journal = Journal.of(folder, build.CLUSTER, self.clock)
        self.forbids: Callable[[Change], str | None] = lambda _: None

    def apply(self, *changes: Change) -> tuple[Outcome, ...]:
        applier = Applier(
            Writing(writer=lambda _: self.cloud, width=1),
            reader=lambda _: self.cloud,
            journal=self.journal,
            clock=self.clock,
            stop=threading.Event(),
        )
        plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=changes)
        return applier.run(plan, forbids=self.forbids, progress=lambda _: None).outcomes

    def only(self, change: Change) -> Outcome:
        (outcome,) = self.apply(change)
        return outcome

    def journalled(self) -> list[str]:
        return [str(entry["type"]) for entry in self.journal.entries()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


NEW, OLD = "projects/p/global/routes/new-n1", "projects/p/global/routes/old-n1"


def test_a_created_route_is_applied_after_a_read_that_shows_it(bench: Bench) -> None:
    assert bench.only(build.create_route()).status is Status.APPLIED
    assert bench.cloud.log == [f"read {NEW}", f"write {NEW}", f"read {NEW}"]
    assert set(bench.cloud.routes) == {"old-n1", "new-n1"}


def test_a_route_that_is_there_already_is_not_written(bench: Bench) -> None:
    bench.cloud.routes["new-n1"] = replace(build.create_route().after, token="77", description="other words")
    assert bench.only(build.create_route()).status is Status.ALREADY_SO
    assert bench.cloud.log == [f"read {NEW}"]


def test_a_name_taken_by_another_route_is_refused_and_told(bench: Bench) -> None:
    bench.cloud.routes["new-n1"] = replace(build.create_route().after, destination=ip_network("10.9.0.0/24"))
    outcome = bench.only(build.create_route())
    assert outcome.status is Status.REFUSED
    assert "10.9.0.0/24 to z/n1" in (outcome.message or "")


def test_a_deleted_route_is_applied_after_a_read_without_it(bench: Bench) -> None:
    assert bench.only(build.delete_route()).status is Status.APPLIED
    assert bench.cloud.routes == {}


def test_a_route_that_is_gone_already_is_so(bench: Bench) -> None:
    bench.cloud.routes = {}
    assert bench.only(build.delete_route()).status is Status.ALREADY_SO


@pytest.mark.parametrize("change", [{"priority": 5}, {"token": "2"}, {"destination": ip_network("10.42.0.0/16")}])
def test_a_route_that_is_no_longer_the_planned_one_is_not_deleted(bench: Bench, change: dict[str, object]) -> None:
    bench.cloud.routes["old-n1"] = replace(bench.cloud.routes["old-n1"], **change)  # type: ignore[arg-type]
    assert bench.only(build.delete_route()).status is Status.REFUSED
    assert "old-n1" in bench.cloud.routes


@pytest.mark.parametrize("state", ["absent", "dead", "elsewhere"])
def test_nothing_is_deleted_while_its_stand_in_does_not_work(bench: Bench, state: str) -> None:
    keeps = build.create_route().after
    if state == "dead":
        bench.cloud.routes["new-n1"] = replace(keeps, dead=True, warning="NEXT_HOP_NOT_RUNNING")
    elif state == "elsewhere":
        bench.cloud.routes["new-n1"] = replace(keeps, next_hop=build.route("10.42.1.0/24", to="p/z/x").next_hop)
    outcome = bench.only(build.delete_route(keeps=keeps))
    assert outcome.status is Status.REFUSED
    assert "does not work" in (outcome.message or "")
    assert "old-n1" in bench.cloud.routes


def test_a_replacement_adds_proves_and_then_deletes(bench: Bench) -> None:
    assert bench.only(build.replace_route()).status is Status.APPLIED
    assert bench.cloud.log == [
        *(f"read {NEW}", f"write {NEW}", f"read {NEW}"),
        *(f"read {OLD}", f"write {OLD}", f"read {OLD}"),
    ]
    assert set(bench.cloud.routes) == {"new-n1"}
    assert bench.journalled() == ["began", "intent", "step", "step", "outcome", "ended"]


def test_the_old_route_stays_when_the_new_one_is_never_seen(bench: Bench) -> None:
    bench.cloud.obeys = False
    assert bench.only(build.replace_route()).status is Status.INDETERMINATE
    assert bench.cloud.log.count(f"write {OLD}") == 0
    assert set(bench.cloud.routes) == {"old-n1"}


def test_the_old_route_stays_when_the_new_one_turns_out_dead(bench: Bench) -> None:
    def die(change: Change) -> None:
        bench.cloud.routes["new-n1"] = replace(build.replace_route().after, dead=True, warning="NEXT_HOP_NOT_RUNNING")
        bench.cloud.obeys = False

    bench.cloud.on_write = die
    outcome = bench.only(build.replace_route())
    assert outcome.status is Status.REFUSED
    assert (outcome.message or "").startswith(f"{NEW} is in place; then: the route that is to take over does not work")
    assert "old-n1" in bench.cloud.routes


@pytest.mark.parametrize(
    ("error", "status"),
    [(Rejected("quota"), Status.FAILED), (Denied("no right"), Status.FAILED), (Conflict("taken"), Status.REFUSED)],
)
def test_a_refused_creation_leaves_the_old_route_alone(bench: Bench, error: Exception, status: Status) -> None:
    bench.cloud.writes = [error] * 10  # type: ignore[list-item]
    assert bench.only(build.replace_route()).status is status
    assert set(bench.cloud.routes) == {"old-n1"}


def test_a_deletion_that_fails_tells_that_the_new_route_is_in_place(bench: Bench) -> None:
    bench.cloud.writes = [None, Denied("compute.routes.delete is missing")]
    outcome = bench.only(build.replace_route())
    assert (outcome.status, outcome.message) == (
        Status.FAILED,
        f"{NEW} is in place; then: compute.routes.delete is missing",
    )
    assert set(bench.cloud.routes) == {"old-n1", "new-n1"}


def test_a_replacement_cut_off_half_way_goes_on_where_it_was(bench: Bench) -> None:
    bench.cloud.routes["new-n1"] = build.replace_route().after
    assert bench.only(build.replace_route()).status is Status.APPLIED
    assert set(bench.cloud.routes) == {"new-n1"}
    assert bench.only(build.replace_route()).status is Status.ALREADY_SO


def test_the_node_is_asked_for_again_before_the_old_route_goes(bench: Bench) -> None:
    asked: list[str] = []

    def forbids(change: Change) -> str | None:
        asked.append(change.action.value)
        return "the node is gone" if change.action.value == "delete" else None

    bench.forbids = forbids
    outcome = bench.only(build.replace_route())
    assert asked == ["replace", "delete"]
    assert (outcome.status, outcome.message) == (Status.REFUSED, f"{NEW} is in place; then: the node is gone")
    assert "old-n1" in bench.cloud.routes


def test_deleting_first_happens_only_when_the_plan_says_so(bench: Bench) -> None:
    assert bench.only(build.replace_route(method=ReplaceMethod.DELETE_THEN_ADD)).status is Status.APPLIED
    assert [entry for entry in bench.cloud.log if entry.startswith("write")] == [f"write {OLD}", f"write {NEW}"]


def test_deleting_first_is_not_begun_when_the_new_name_is_taken(bench: Bench) -> None:
    bench.cloud.routes["new-n1"] = replace(build.create_route().after, destination=ip_network("10.9.0.0/24"))
    assert bench.only(build.replace_route(method=ReplaceMethod.DELETE_THEN_ADD)).status is Status.REFUSED
    assert set(bench.cloud.routes) == {"old-n1", "new-n1"}


def test_deleting_first_says_what_is_missing_when_the_new_route_is_refused(bench: Bench) -> None:
    bench.cloud.writes = [None, Rejected("quota")]
    outcome = bench.only(build.replace_route(method=ReplaceMethod.DELETE_THEN_ADD))
    assert (outcome.status, outcome.message) == (Status.FAILED, f"{OLD} is deleted; then: quota")


def test_a_lost_answer_is_looked_up_and_not_sent_again(bench: Bench) -> None:
    bench.cloud.on_write = lambda change: bench.cloud.routes.update({"new-n1": build.create_route().after})
    bench.cloud.writes = [Indeterminate("no answer")]
    assert bench.only(build.create_route()).status is Status.APPLIED
    assert bench.cloud.log.count(f"write {NEW}") == 1


def test_throttling_is_waited_out_in_every_step(bench: Bench) -> None:
    bench.cloud.writes = [Throttled("slow", 7), None, Throttled("slow", 9), None]
    assert bench.only(build.replace_route()).status is Status.APPLIED
    assert {7, 9} <= set(bench.clock.waits_s)


def test_a_route_is_skipped_when_the_flag_it_relies_on_was_not_switched(bench: Bench) -> None:
    bench.cloud.writes = [Denied("no right")]
    flag, route = bench.apply(build.switch_on(), build.create_route(depends_on=("c1",)))
    assert (flag.status, route.status) == (Status.FAILED, Status.SKIPPED)
    assert "new-n1" not in bench.cloud.routes


def vm(name: str = "n1", *, ip: str = "10.0.0.4", key: str | None = None) -> Instance:
    return build.instance(key or f"p/z/{name}", build.eni(ip=ip, network=build.NETWORK), cloud=Cloud.GCE)


def gce(name: str = "n1", **changes: object) -> Node:
    return build.node(name, **{"provider_id": ProviderID.parse(f"gce://p/z/{name}"), **changes})  # type: ignore[arg-type]


def reported(
    *nodes: Node,
    state: SourceState = SourceState.OK,
    findings: tuple[Finding, ...] = (),
    vms: tuple[Instance, ...] = (vm(),),
) -> Report:
    view = build.view(*vms, nodes=nodes, cloud=Cloud.GCE, name="gce:p")
    source = Source(name="kubernetes", state=state, observed_at=build.NOON, message="it does not answer")
    snapshot = replace(build.snapshot(*nodes, views=[view]), nodes_source=source)
    return replace(diagnose(snapshot), findings=findings)


CONTROLLER = Finding(
    code=Code.ROUTE_CONTROLLER_ACTIVE, severity=Severity.INFO, node=None, subject="c", summary="it writes routes"
)


KEEPS = build.create_route().after
TO_ADDRESS = build.route("10.42.1.0/24", to="10.0.0.4", name="new", kind=NextHopKind.ADDRESS)
MOVED = reported(gce(ip="10.0.0.9"), vms=(vm(ip="10.0.0.9"),))


@pytest.mark.parametrize(
    ("change", "report", "told"),
    [
        (build.create_route(), reported(gce("n1")), None),
        (build.create_route(), reported(gce("n1", cidrs=("10.42.7.0/24",))), "no longer a pod CIDR of node n1"),
        (build.create_route(), reported(gce("n1", uid="another")), "is gone"),
        (build.switch_on(), reported(gce("n1", cidrs=())), None),
        (build.delete_route(None), reported(gce("n1", cidrs=("10.42.2.0/24",))), None),
        (build.delete_route(None), reported(gce("n1")), "overlaps a pod CIDR of node n1 now"),
        (build.delete_route(None, "10.42.0.0/16"), reported(gce("n1")), "overlaps a pod CIDR of node n1 now"),
        (build.delete_route(None, "10.42.1.0/28"), reported(gce("n1")), "overlaps a pod CIDR of node n1 now"),
        (build.delete_route(None), reported(), "tells of no nodes"),
        (build.create_route(), reported(gce(), gce("n2", ip="10.0.0.5")), "overlaps a pod CIDR of node n2 now"),
        (build.delete_route(keeps=KEEPS), reported(gce()), None),
        (build.create_route(), reported(gce(), vms=()), "the VM of node n1 cannot be told now"),
        (build.create_route(), reported(gce(ip="10.0.0.9")), "the VM of node n1 cannot be told now"),
        (
            build.create_route(after=TO_ADDRESS),
            MOVED,
            "no longer where",
        ),
        (
            build.delete_route(keeps=TO_ADDRESS),
            MOVED,
            "no longer where",
        ),
        (build.delete_route(before=TO_ADDRESS), reported(gce()), "new leads to node n1 by now"),
        (build.create_route().inverse(), reported(gce()), None),
        (build.replace_route().inverse(), reported(gce()), None),
        (build.create_route(), reported(gce("n1"), state=SourceState.UNAVAILABLE), None),
        (build.switch_on(), reported(gce("n1"), state=SourceState.UNAVAILABLE), None),
        (
            build.delete_route(),
            reported(gce("n1"), state=SourceState.UNAVAILABLE),
            "nothing is deleted, replaced or attached on old",
        ),
        (build.replace_route(), reported(gce("n1"), state=SourceState.STALE), "kubernetes is stale"),
        (build.create_route(), reported(gce("n1"), findings=(CONTROLLER,)), "a route controller writes"),
        (build.switch_on(), reported(gce("n1"), findings=(CONTROLLER,)), None),
    ],
)
def test_the_cluster_may_forbid_what_was_planned(change: Change, report: Report, told: str | None) -> None:
    reason = hindrance(change, report)
    assert reason is None if told is None else told in (reason or "")


def test_a_write_that_ends_in_an_error_and_has_taken_effect_is_applied(bench: Bench) -> None:
    bench.cloud.on_write = lambda _: bench.cloud.routes.update({"new-n1": build.create_route().after})
    bench.cloud.writes = [Rejected("the operation ended with an internal error")]
    assert bench.only(build.create_route()).status is Status.APPLIED
