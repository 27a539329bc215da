"""What each route is for the cluster, as rows: from the report alone, nothing left out and nothing judged anew."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_network
from time import perf_counter

import pytest

from tests import build, build_azure
from tests.bench.bench_checks import world_of
from tests.test_demo import report_of
from tui.checks import diagnose
from tui.demo import SCENARIOS, open_world
from tui.model.finding import Report, RouteState
from tui.model.network import RouteTable
from tui.model.node import Cloud, Node
from tui.model.snapshot import SourceState
from tui.model.standing import SOUND, RouteRow, Standing, route_rows

SMALL = [name for name in SCENARIOS if name != "large"]


def told(rows: Iterable[RouteRow]) -> list[tuple[str, str, str]]:
    """Return state, range and nodes of the rows that are about a route, or about the want of one."""
    return [
        (row.standing.value, str(row.destination), ",".join(owner.node.name for owner in row.owners))
        for row in rows
        if row.destination is not None
    ]


def gce(*nodes: Node, table: RouteTable | None, cluster: str = "10.42.0.0/16") -> Report:
    """Judge Compute Engine nodes whose VMs all run."""
    vms = [build.gce_vm(int(node.name[1:]), tags={"web"} if node.name == "n1" else ()) for node in nodes]
    tables = None if table is None else (table,)
    view = build.view(*vms, nodes=nodes, cloud=Cloud.GCE, name="gce:p", tables=tables)
    snapshot = build.snapshot(*nodes, views=[view])
    ranges = (ip_network(cluster),) if cluster else ()
    return diagnose(replace(snapshot, cluster=replace(snapshot.cluster, pod_cidrs=ranges)))


def test_everything_that_a_network_can_have_wrong_stands_above_what_is_right() -> None:
    rows = route_rows(report_of(open_world("gce", latency=False)))
    assert told(rows) == [
        ("missing", "10.42.3.0/24", "gce-linux-3"),
        ("blackhole", "10.42.5.0/24", "gce-linux-5"),
        ("wrong-next-hop", "10.42.4.0/24", "gce-linux-4"),
        ("duplicate", "10.42.6.0/24", "gce-win-1"),
        ("stray", "10.42.77.0/24", ""),
        ("ok", "10.42.1.0/24", "gce-linux-1"),
        ("ok", "10.42.2.0/24", "gce-linux-2"),
        ("ok", "10.42.6.0/24", "gce-win-1"),
        ("other", "0.0.0.0/0", ""),
        ("other", "10.128.0.0/20", ""),
    ]
    (table,) = (row for row in rows if row.standing is Standing.TABLE)
    assert table.place is not None
    assert sum(table.place.followers.values()) == 6
    assert [row.ours for row in rows if row.route is not None and row.route.name.startswith("legacy")] == [False]
    assert all(row.finding is not None for row in rows if row.standing not in SOUND)


def test_a_full_limit_and_a_subnet_without_a_table_are_rows_of_their_own() -> None:
    (full,) = (row for row in route_rows(report_of(open_world("quota", latency=False))) if row.standing == "full")
    assert full.finding is not None
    assert full.finding.code == "route-quota"
    (bare,) = (row for row in route_rows(report_of(open_world("azure", latency=False))) if row.standing == "no-table")
    assert bare.where.endswith("/subnets/windows")
    assert [owner.node.name for owner in bare.owners] == ["az-win-1", "az-win-2"]


@pytest.mark.parametrize("name", SMALL)
def test_every_route_has_one_row_and_every_key_is_its_own(name: str) -> None:
    report = report_of(open_world(name, latency=False))
    rows = route_rows(report)
    assert len({row.key for row in rows}) == len(rows)
    assert [row.key for row in route_rows(report_of(open_world(name, latency=False)))] == [row.key for row in rows]
    tables = [table for view in report.snapshot.views for table in view.route_tables or ()]
    assert Counter(id(row.route) for row in rows if row.route) == Counter(id(r) for t in tables for r in t.routes)
    serious = any(state not in {RouteState.OK, RouteState.NOT_REQUIRED} for state in states(report))
    assert serious <= any(row.standing not in SOUND for row in rows)


def states(report: Report) -> list[RouteState]:
    return [answer.state for assessment in report.assessments for answer in assessment.routes]


def test_each_table_of_azure_tells_for_itself_what_it_lacks() -> None:
    n1, n2 = build_azure.node(1), build_azure.node(2, subnet=2)
    vms = [build_azure.vm(n1), build_azure.vm(n2, subnet=2)]
    wrong = build_azure.route(2, to="10.0.1.1")
    idle = build_azure.table("idle", build_azure.route(1), subnets=())
    first = build_azure.table("a", build_azure.route(1), wrong)
    second = build_azure.table("b", build_azure.route(2, subnet=2), subnets=(2,))
    view = build_azure.view(vms, nodes=[n1, n2], tables=(first, second, idle), subnets={1: "a", 2: "b"})
    rows = route_rows(diagnose(build_azure.snapshot(n1, n2, views=[view])))
    assert [(row.standing.value, row.place.table.name, str(row.destination)) for row in rows if row.place] == [
        ("missing", "b", "10.42.1.0/24"),
        ("wrong-next-hop", "a", "10.42.2.0/24"),
        ("table", "a", "None"),
        ("table", "b", "None"),
        ("table", "idle", "None"),
        ("ok", "a", "10.42.1.0/24"),
        ("ok", "b", "10.42.2.0/24"),
        ("other", "idle", "10.42.1.0/24"),
    ]
    followers = {row.place.table.name: [*row.place.followers.values()] for row in rows if row.place}
    assert followers == {"a": [1], "b": [1], "idle": []}


def test_what_takes_a_part_counts_for_nothing_or_is_outside_is_told_apart() -> None:
    routes = (
        build.route("10.42.1.0/24", to="p/z/n1", name="right"),
        build.route("10.42.1.0/24", to="p/z/n2", name="limited", tags={"nobody"}),
        build.route("10.42.1.128/25", to="p/z/n2", name="part"),
        build.route("10.42.1.0/25", to="p/z/n1", name="own-part"),
        build.route("10.42.2.0/24", to="p/z/n2", name="second"),
        build.route("172.16.0.0/12", to="p/z/n2", name="office"),
    )
    rows = route_rows(gce(build.gce_node(1), build.gce_node(2), table=build.table(*routes)))
    found = {row.route.name: row for row in rows if row.route is not None}
    assert {name: row.standing.value for name, row in found.items()} == {
        "right": "ok",
        "limited": "other",
        "part": "shadowing",
        "own-part": "other",
        "second": "ok",
        "office": "other",
    }
    assert [owner.node.name for owner in found["part"].owners] == ["n1"]
    assert [owner.node.name for owner in found["own-part"].owners] == ["n1"]
    assert found["office"].owners == ()
    assert rows[0] is found["part"]


def test_two_nodes_that_contend_for_a_range_both_own_its_row_and_the_worse_is_told() -> None:
    nodes = (build.gce_node(1), build.gce_node(2, cidrs=["10.42.1.0/24"]))
    rows = route_rows(gce(*nodes, table=build.table(build.route("10.42.1.0/24", to="p/z/n1"))))
    assert told(rows) == [("wrong-next-hop", "10.42.1.0/24", "n1,n2")]


def test_what_was_not_read_is_unknown_and_never_right() -> None:
    unread = gce(build.gce_node(1), build.gce_node(2), table=None)
    assert told(route_rows(unread)) == [("unknown", "10.42.1.0/24", "n1"), ("unknown", "10.42.2.0/24", "n2")]
    node = build.gce_node(1)
    table = build.table(build.route("10.42.1.0/24", to="p/z/n1"))
    view = build.view(
        nodes=[node], cloud=Cloud.GCE, name="gce:p", tables=(table,), state=SourceState.DENIED, readable=False
    )
    (row, _) = route_rows(diagnose(build.snapshot(node, views=[view])))
    assert (row.standing, row.route) == (Standing.UNKNOWN, table.routes[0])
    assert row.finding is not None
    assert "not observed" in row.finding.summary


def test_without_a_cloud_that_routes_there_are_no_rows() -> None:
    for name in ("aws", "bare-metal", "empty"):
        assert route_rows(report_of(open_world(name, latency=False))) == []


def test_thousands_of_rows_are_made_while_nobody_notices() -> None:
    report = diagnose(world_of(5000))
    assert Counter(row.standing.value for row in route_rows(report)) == {"ok": 4900, "wrong-next-hop": 100, "full": 1}
    taken_s = []
    for _ in range(3):
        started_s = perf_counter()
        route_rows(report)
        taken_s.append(perf_counter() - started_s)
    assert min(taken_s) < 0.1
