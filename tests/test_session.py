"""The session: one observation, a life in the background, and an apply that only a later observation confirms."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests import build
from tests.scripted import ScriptedClock, ScriptedCloud, ScriptedNodes
from tui.engine.applier import Writing
from tui.engine.journal import Journal
from tui.engine.observer import CLOUD_INTERVAL_S, Observer
from tui.engine.session import Session
from tui.model.finding import ActivityKind, Report
from tui.model.network import RouteTable
from tui.model.node import Cloud, Node, ProviderID
from tui.model.plan import ApplyResult, Status, build_plan
from tui.model.snapshot import CloudView, Cluster, Scope, SourceState
from tui.ports import Denied, Expired, Misconfigured, NodeEvent, NodeEventKind, NodeList, PortError, Unavailable
from tui.wiring import SystemClock

LIMIT_S = 10.0


class House:
    """A session over scripted borders."""

    def __init__(
        self,
        folder: Path,
        *lists: NodeList | PortError,
        clock: ScriptedClock | SystemClock | None = None,
        read_only: bool = False,
    ) -> None:
        self.clock = clock or ScriptedClock()
        self.nodes = ScriptedNodes(*lists)
        self.cloud = ScriptedCloud()
        self.journal = Journal.of(folder, build.CLUSTER, self.clock)
        self.observer = Observer(nodes=self.nodes, reader=self.reader, clock=self.clock, scope=Scope())
        self.session = Session(
            nodes=self.nodes,
            observer=self.observer,
            reader=self.reader,
            writing=None if read_only else Writing(writer=lambda _: self.cloud, width=1),
            journal=self.journal,
            clock=self.clock,
        )

    def reader(self, cloud: Cloud) -> ScriptedCloud | None:
        return self.cloud if cloud is Cloud.AWS else None


def listing(*nodes: Node, version: str = "10") -> NodeList:
    return NodeList(nodes=nodes, version=version)


def seen(node: Node, *, forwards: bool) -> tuple[CloudView, ...]:
    return (build.view(build.instance("i-n1", build.eni(forwards=forwards)), nodes=[node]),)


def wait_for(reports: Iterator[Report], wanted: Callable[[Report], bool]) -> Report:
    """Return the first report that is wanted; the session is closed, and this fails, after the limit."""
    for report in reports:
        if wanted(report):
            return report
    raise AssertionError("the session was closed before the wanted report came")


@pytest.fixture
def closing() -> Iterator[Callable[[Session], Session]]:
    """Close sessions at the end, and at the limit, so that a test that waits in vain fails instead of hanging."""
    timers: list[threading.Timer] = []
    sessions: list[Session] = []

    def register(session: Session) -> Session:
        sessions.append(session)
        timers.append(threading.Timer(LIMIT_S, session.close))
        timers[-1].start()
        return session

    yield register
    for timer in timers:
        timer.cancel()
    for session in sessions:
        session.close()


def test_one_observation_reads_nodes_and_clouds_and_judges(tmp_path: Path) -> None:
    node = build.node()
    house = House(tmp_path, listing(node))
    house.cloud.views = [seen(node, forwards=False)]
    report = house.session.observe()
    assert [finding.code for finding in report.findings] == ["forwarding-off"]
    assert str(report.snapshot.cluster.pod_cidrs[0]) == "10.42.0.0/16"
    assert [(source.name, source.state) for source in report.snapshot.sources] == [
        ("kubernetes", "ok"),
        ("aws:us-east-1", "ok"),
    ]


def test_a_cluster_that_does_not_answer_is_synchronising_not_empty(tmp_path: Path) -> None:
    house = House(tmp_path, Denied("the token has expired"))
    report = house.session.observe()
    assert report.synchronising
    assert report.snapshot.nodes_source.state is SourceState.DENIED
    assert report.snapshot.nodes_source.message == "the token has expired"
    assert house.cloud.log == []


def test_nodes_of_a_cloud_that_cannot_be_read_are_told_by_their_account(tmp_path: Path) -> None:
    node = build.node(provider_id=ProviderID.parse("gce://my-project/z/n1"))
    report = House(tmp_path, listing(node)).session.observe()
    (source,) = report.snapshot.sources[1:]
    assert (source.name, source.state) == ("gce:my-project", SourceState.UNAVAILABLE)
    assert report.counts()["unknown"] == 1


def test_facts_of_a_failing_source_are_kept_for_a_while_and_then_dropped(tmp_path: Path) -> None:
    node = build.node()
    clock = ScriptedClock()
    house = House(tmp_path, listing(node), clock=clock)
    failing = (build.view(nodes=[node], readable=False, state=SourceState.UNAVAILABLE),)
    house.cloud.views = [seen(node, forwards=True), failing]
    assert house.session.observe().counts()["healthy"] == 1
    clock.passed_s += CLOUD_INTERVAL_S
    soon = house.session.observe()
    assert soon.counts()["healthy"] == 1
    assert soon.snapshot.sources[1].state is SourceState.UNAVAILABLE
    assert soon.snapshot.sources[1].observed_at == build.NOON
    clock.passed_s += 2 * CLOUD_INTERVAL_S
    assert house.session.observe().counts()["unknown"] == 1


def test_denied_facts_are_dropped_at_once(tmp_path: Path) -> None:
    node = build.node()
    house = House(tmp_path, listing(node))
    denied = (build.view(nodes=[node], readable=False, state=SourceState.DENIED),)
    house.cloud.views = [seen(node, forwards=True), denied]
    house.session.observe()
    assert house.session.observe().counts()["unknown"] == 1


def test_an_answer_older_than_twice_its_interval_is_stale(tmp_path: Path) -> None:
    node = build.node()
    clock = ScriptedClock()
    house = House(tmp_path, listing(node), clock=clock)
    house.cloud.views = [seen(node, forwards=True)]
    house.session.observe()
    clock.passed_s += 2 * CLOUD_INTERVAL_S + 1
    assert house.observer.snapshot().views[0].source.state is SourceState.STALE


def test_a_node_created_again_under_its_name_is_another_node(tmp_path: Path) -> None:
    old, new = build.node(), build.node(uid="uid-2")
    house = House(tmp_path, listing(old), listing(new))
    house.cloud.views = [seen(old, forwards=True), seen(new, forwards=True)]
    house.session.observe()
    report = house.session.observe()
    kinds = [(activity.kind, activity.node) for activity in report.activity[1:]]
    assert kinds == [
        (ActivityKind.NODE_REMOVED, "n1"),
        (ActivityKind.NODE_ADDED, "n1"),
        (ActivityKind.REPLACED, "n1"),
    ]


def test_a_lost_source_is_one_event_and_not_one_per_node(tmp_path: Path) -> None:
    nodes = [build.node(f"n{i}", ip=f"10.0.0.{i}", cidrs=[f"10.42.{i}.0/24"]) for i in range(1, 6)]
    house = House(tmp_path, listing(*nodes))
    sound = build.view(
        *(build.instance(f"i-n{i}", build.eni(f"eni-{i}", ip=f"10.0.0.{i}")) for i in range(1, 6)), nodes=nodes
    )
    house.cloud.views = [(sound,), (build.view(nodes=nodes, readable=False, state=SourceState.DENIED),)]
    before = house.session.observe()
    after = house.session.observe()
    assert after.counts()["unknown"] == 5
    assert [event.kind for event in after.activity[len(before.activity) :]] == [ActivityKind.SOURCE_LOST]


def test_what_is_out_of_sight_is_neither_closed_nor_opened_again(tmp_path: Path) -> None:
    node = build.node()
    house = House(tmp_path, listing(node))
    lost = (build.view(nodes=[node], readable=False, state=SourceState.DENIED),)
    house.cloud.views = [seen(node, forwards=False), lost, seen(node, forwards=False), lost, seen(node, forwards=True)]
    told: list[list[ActivityKind]] = []
    count = 0
    for _ in range(5):
        activity = house.session.observe().activity
        told.append([event.kind for event in activity[count:] if event.finding is not None])
        count = len(activity)
    assert told == [[ActivityKind.FINDING_OPENED], [], [], [], [ActivityKind.FINDING_CLOSED]]


def test_read_only_has_no_writer_and_refuses(tmp_path: Path) -> None:
    node = build.node()
    house = House(tmp_path, listing(node), read_only=True)
    house.cloud.views = [seen(node, forwards=False)]
    house.session.observe()
    assert house.session.read_only
    with pytest.raises(Misconfigured, match="read-only"):
        house.session.apply(house.session.propose(None), lambda _: None)
    assert "write eni-1" not in house.cloud.log


def test_a_plan_of_another_cluster_is_refused_whole(tmp_path: Path) -> None:
    house = House(tmp_path, listing(build.node()))
    other = Cluster(context="prod", server="https://elsewhere:6443")
    plan = build_plan(cluster=other, created_at=build.NOON, changes=[build.switch_on()])
    with pytest.raises(Misconfigured, match="https://elsewhere:6443"):
        house.session.apply(plan, lambda _: None)
    assert house.cloud.log == []


def test_the_list_turns_healthy_because_a_later_observation_says_so(
    tmp_path: Path, closing: Callable[[Session], Session]
) -> None:
    node = build.node()
    house = House(tmp_path, listing(node), clock=SystemClock())
    session = closing(house.session)
    broken = seen(node, forwards=False)
    house.cloud.views = [broken]
    session.start()
    reports = session.reports()
    wait_for(reports, lambda report: [finding.fixable for finding in report.findings] == [True])
    result: list[ApplyResult | PortError] = []
    ended = threading.Event()
    held = threading.Event()

    def observe_the_write(_: object) -> None:
        # Nothing but the next read of the cloud may turn the screen green.
        house.cloud.views = [seen(node, forwards=True)]
        held.set()

    house.cloud.on_write = observe_the_write

    def done(told: ApplyResult | PortError) -> None:
        result.append(told)
        ended.set()

    session.start_apply(session.propose(["n1"]), lambda _: None, done)
    report = wait_for(reports, lambda report: not report.findings)
    assert ended.wait(LIMIT_S)
    assert held.is_set()
    assert isinstance(result[0], ApplyResult)
    assert [outcome.status for outcome in result[0].outcomes] == [Status.APPLIED]
    kinds = [activity.kind for activity in report.activity]
    # Before the cloud's first answer there may have been another finding, that nothing was known yet.
    assert ActivityKind.FINDING_CLOSED in kinds[kinds.index(ActivityKind.APPLIED) :]


def event(kind: NodeEventKind, node: Node | None, version: str) -> NodeEvent:
    return NodeEvent(kind=kind, node=node, version=version)


def test_watch_events_are_folded_and_the_clouds_read_for_them(
    tmp_path: Path, closing: Callable[[Session], Session]
) -> None:
    first, second = build.node(), build.node("n2", ip="10.0.0.5", cidrs=["10.42.2.0/24"])
    house = House(tmp_path, listing(first), clock=SystemClock())
    house.nodes.watches = [
        [
            event(NodeEventKind.ADDED, second, "11"),
            event(NodeEventKind.BOOKMARK, None, "12"),
            event(NodeEventKind.DELETED, first, "13"),
        ]
    ]
    house.cloud.views = [(build.view(nodes=[first, second]),)]
    session = closing(house.session)
    session.start()
    report = wait_for(session.reports(), lambda report: [a.node.name for a in report.assessments] == ["n2"])
    assert report.snapshot.nodes == (second,)
    assert (house.nodes.since.get(timeout=LIMIT_S), house.nodes.since.get(timeout=LIMIT_S)) == ("10", "13")


def test_an_expired_watch_lists_again(tmp_path: Path, closing: Callable[[Session], Session]) -> None:
    first, second = build.node(), build.node("n2", ip="10.0.0.5")
    house = House(tmp_path, listing(first), listing(second, version="99"), clock=SystemClock())
    house.nodes.watches = [Expired("410")]
    house.cloud.views = [(build.view(nodes=[first, second]),)]
    session = closing(house.session)
    session.start()
    wait_for(session.reports(), lambda report: [a.node.name for a in report.assessments] == ["n2"])
    assert (house.nodes.since.get(timeout=LIMIT_S), house.nodes.since.get(timeout=LIMIT_S)) == ("10", "99")


def test_a_lost_server_is_shown_and_comes_back(tmp_path: Path, closing: Callable[[Session], Session]) -> None:
    node = build.node()
    house = House(tmp_path, listing(node), Unavailable("refused"), listing(node, version="20"), clock=SystemClock())
    house.nodes.watches = [Unavailable("connection reset")]
    house.cloud.views = [seen(node, forwards=True)]
    session = closing(house.session)
    session.start()
    reports = session.reports()
    lost = wait_for(reports, lambda report: report.snapshot.nodes_source.state is SourceState.UNAVAILABLE)
    assert lost.snapshot.nodes == (node,)
    back = wait_for(reports, lambda r: any(a.kind is ActivityKind.SOURCE_RECOVERED for a in r.activity))
    assert back.snapshot.nodes_source.state is SourceState.OK


def test_an_error_that_nobody_expected_is_shown_and_survived(
    tmp_path: Path, closing: Callable[[Session], Session]
) -> None:
    node = build.node()
    house = House(tmp_path, listing(node), clock=SystemClock())
    session = closing(house.session)
    session.start()  # no view is scripted: the fake raises IndexError, as a bug in an adapter would
    reports = session.reports()
    report = wait_for(reports, lambda report: any("internal error" in a.text for a in report.activity))
    # The source itself is lost only until the API server is heard again, which may be at once.
    assert ActivityKind.SOURCE_LOST in {activity.kind for activity in report.activity}
    house.cloud.views = [seen(node, forwards=True)]
    session.refresh()
    wait_for(reports, lambda report: report.counts()["healthy"] == 1)


def test_one_apply_at_a_time(tmp_path: Path) -> None:
    node = build.node()
    house = House(tmp_path, listing(node))
    house.cloud.views = [seen(node, forwards=False)]
    house.session.observe()
    plan = house.session.propose(None)
    refused: list[str] = []

    def meanwhile(_: object) -> None:
        assert house.session.applying
        with pytest.raises(Misconfigured) as told:
            house.session.apply(plan, lambda _: None)
        refused.append(str(told.value))

    house.cloud.on_write = meanwhile
    assert house.session.apply(plan, lambda _: None).good
    assert refused == ["an apply is under way: wait for its end"]
    assert not house.session.applying


def two_broken_of_which_one_goes(folder: Path, clock: ScriptedClock) -> House:
    """Observe two nodes with their flags off; every later list has only the first."""
    nodes = [build.node("n1"), build.node("n2", ip="10.0.0.5", cidrs=["10.42.2.0/24"])]
    house = House(folder, listing(*nodes), listing(nodes[0]), clock=clock)
    view = build.view(
        build.instance("i-n1", build.eni("eni-1", forwards=False)),
        build.instance("i-n2", build.eni("eni-2", ip="10.0.0.5", forwards=False)),
        nodes=nodes,
    )
    house.cloud.views = [(view,)]
    house.cloud.flags = {"eni-1": False, "eni-2": False}
    house.session.observe()
    return house


def test_a_node_that_goes_during_an_apply_is_not_written_for(tmp_path: Path) -> None:
    house = two_broken_of_which_one_goes(tmp_path, ScriptedClock())

    def observe_again(_: object) -> None:
        house.session.observe()

    house.cloud.on_write = observe_again
    result = house.session.apply(house.session.propose(None), lambda _: None)
    assert [outcome.status for outcome in result.outcomes] == [Status.APPLIED, Status.REFUSED]
    assert "write eni-2" not in house.cloud.log


def test_an_apply_without_a_watch_lists_the_nodes_again_when_they_are_old(tmp_path: Path) -> None:
    clock = ScriptedClock()
    house = two_broken_of_which_one_goes(tmp_path, clock)

    def take_long(_: object) -> None:
        clock.passed_s += 61

    house.cloud.on_write = take_long
    result = house.session.apply(house.session.propose(None), lambda _: None)
    assert [outcome.status for outcome in result.outcomes] == [Status.APPLIED, Status.REFUSED]


def test_routes_of_a_failing_source_are_kept_as_an_incomplete_view_until_they_are_old(tmp_path: Path) -> None:
    node = build.node()
    clock = ScriptedClock()
    house = House(tmp_path, listing(node), clock=clock)
    instance = build.instance("i-n1", build.eni())
    table = RouteTable(id="t", network="net", subnets=None, routes=())
    without = build.view(instance, nodes=[node], state=SourceState.UNAVAILABLE)
    house.cloud.views = [(build.view(instance, nodes=[node], tables=(table,)),), (without,)]

    def tables() -> tuple[tuple[RouteTable, ...] | None, bool]:
        (view,) = house.session.observe().snapshot.views
        return view.route_tables, view.complete

    assert tables() == ((table,), True)
    clock.passed_s += CLOUD_INTERVAL_S
    assert tables() == ((table,), False)
    clock.passed_s += 2 * CLOUD_INTERVAL_S
    assert tables() == (None, True)


def test_a_list_under_way_does_not_bring_back_what_the_watch_has_seen_go(tmp_path: Path) -> None:
    stays, goes = build.node("n1"), build.node("n2", ip="10.0.0.5", cidrs=["10.42.2.0/24"])
    house = House(tmp_path, listing(stays, goes))
    house.observer.list_nodes()
    late = house.nodes.list

    def list_while_the_watch_goes_on() -> NodeList:
        answer = late()
        house.observer.fold(event(NodeEventKind.DELETED, goes, "11"))
        return answer

    house.nodes.list = list_while_the_watch_goes_on  # type: ignore[method-assign] # the fake's own answer, later
    house.observer.list_nodes()
    assert house.observer.snapshot().nodes == (stays,)


def test_a_closed_session_begins_no_change(tmp_path: Path) -> None:
    node = build.node()
    house = House(tmp_path, listing(node))
    house.cloud.views = [seen(node, forwards=False)]
    house.session.observe()
    plan = house.session.propose(None)
    house.session.close()
    result = house.session.apply(plan, lambda _: None)
    assert [outcome.status for outcome in result.outcomes] == [Status.SKIPPED]
    assert house.cloud.log == ["observe 1"]


def test_the_clock_of_a_report_is_the_observers(tmp_path: Path) -> None:
    clock = ScriptedClock()
    clock.passed_s = 60
    house = House(tmp_path, listing(), clock=clock)
    assert house.session.observe().snapshot.taken_at == build.NOON + timedelta(seconds=60)
