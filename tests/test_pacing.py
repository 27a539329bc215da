"""How often sources are asked: what is counted, what a node event sets off, and how far apart reads are kept."""

import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests import build
from tests.test_worlds import session_of
from tests.wire.arm import ArmServer, fresh_arm  # noqa: F401 - the fixture
from tests.wire.ec2 import Ec2Server, fresh_account, serve_ec2  # noqa: F401 - fixtures
from tests.wire.ec2_rules import THROTTLED
from tests.wire.gce import ZONE, ComputeServer, fresh_gce  # noqa: F401 - the fixture
from tests.wire.gce_refusals import RATE_LIMITED
from tui.clouds import load_reader
from tui.demo import DemoWorld, open_world
from tui.demo.cloud import DemoReader
from tui.engine.pacing import MOST_PER_S, Pacing
from tui.engine.session import Session
from tui.meter import Meter
from tui.model.calls import Calls
from tui.model.finding import Report
from tui.model.node import Cloud, Node, ProviderID
from tui.model.snapshot import CloudView
from tui.ports import CloudOptions


def observed(cloud: Cloud, provider_id: str, meter: Meter | None = None) -> Calls:
    """Look for one node; return what was counted."""
    options = CloudOptions(meter=meter or Meter())
    load_reader(cloud)(options).observe([build.node(ip="10.0.0.11", provider_id=ProviderID.parse(provider_id))])
    return options.meter.told()[cloud]


def twins(meter: Meter) -> set[tuple[str, str]]:
    """Return what was asked, and what was answered."""
    assert all(0 < request.seconds < 30 for request in meter.requests())
    return {(request.twin, request.result) for request in meter.requests()}


def test_every_request_to_ec2_is_counted_and_those_that_were_too_many(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet("10.0.0.0/24")
    instance, _ = ec2.instance(subnet, "10.0.0.11")
    ec2.fail("DescribeNetworkInterfaces", THROTTLED)
    meter = Meter()
    told = observed(Cloud.AWS, f"aws:///us-east-1a/{instance}", meter)
    assert twins(meter) == {
        ("aws ec2 describe-network-interfaces --region us-east-1", "RequestLimitExceeded"),
        ("aws ec2 describe-network-interfaces --region us-east-1", "ok"),
        ("aws ec2 describe-subnets --region us-east-1", "ok"),
    }
    assert told == Calls(made=sum(ec2.count().values()), throttled=1)
    assert told.made > 2, "the throttled one was sent again"


def test_every_request_to_compute_engine_is_counted_and_those_that_were_too_many(gce: ComputeServer) -> None:
    gce.network(ranges=("10.0.0.0/24",))
    gce.instance("n1", ip="10.0.0.11")
    asked = len(gce.requests)
    gce.fail("compute.routes.list", RATE_LIMITED)
    meter = Meter()
    told = observed(Cloud.GCE, f"gce://p/{ZONE}/n1", meter)
    assert {
        ("gcloud compute instances list --project p", "200"),
        ("gcloud compute networks subnets list --project p", "200"),
        ("gcloud compute routes list --project p", "403"),
    } <= twins(meter)
    assert told == Calls(made=len(gce.requests) - asked, throttled=1)
    assert told.made > 2


def test_every_request_to_azure_is_counted_and_those_that_were_too_many(arm: ArmServer) -> None:
    subnet = arm.subnet("nodes", "10.0.0.0/24", table=arm.table())
    vm = arm.vm("n1", subnet, "10.0.0.11")
    arm.fail("GET", "/routetables", 429, "TooManyRequests", times=1)
    meter = Meter()
    told = observed(Cloud.AZURE, f"azure://{vm}", meter)
    for kind, answer in (("networkInterfaces", "200"), ("virtualNetworks", "200"), ("routeTables", "429")):
        ((asked, result),) = [told_of for told_of in twins(meter) if f"/{kind}?" in told_of[0]]
        assert shlex.split(asked)[:5] == ["az", "rest", "--method", "get", "--url"]
        assert result == answer
    assert told == Calls(made=len(arm.requests) + 1, throttled=1), "it does not list what it refuses"
    assert told.made > 2


def test_sources_are_counted_apart() -> None:
    meter = Meter()
    meter.count("aws", made=2)
    meter.count("gce")
    meter.count("aws", throttled=1)
    assert meter.told() == {"aws": Calls(made=3, throttled=1), "gce": Calls(made=1)}


# How far apart.


class Paced:
    """The pace of reads of one cloud, each at a cost."""

    def __init__(self, cloud: Cloud = Cloud.AZURE) -> None:
        self._meter = Meter()
        self._cloud = cloud
        self.pacing = Pacing(self._meter, cloud)

    def after(self, cost: Calls) -> float:
        """Read once; return how long it is until the next read."""
        self.pacing.begin()
        self._meter.count(self._cloud, made=cost.made, throttled=cost.throttled)
        self.pacing.end(100.0)
        return self.pacing.pause_s(100.0)


def test_a_cloud_that_was_never_read_may_be_read_at_once() -> None:
    assert Paced().pacing.pause_s(0.5) == 0


@pytest.mark.parametrize("cloud", list(MOST_PER_S))
def test_the_dearer_a_read_the_longer_the_pause(cloud: Cloud) -> None:
    paced = Paced(cloud)
    assert paced.after(Calls(made=1)) == 1
    assert paced.after(Calls(made=30)) == 30 / MOST_PER_S[cloud]
    assert paced.pacing.pause_s(101.0) == pytest.approx(30 / MOST_PER_S[cloud] - 1)
    assert paced.after(Calls(made=10_000)) == 60, "the interval of the polls"
    assert paced.pacing.pause_s(161.0) == 0


def test_throttling_doubles_the_pause_until_it_is_over() -> None:
    paced, throttled = Paced(), Calls(made=1, throttled=1)
    assert [paced.after(throttled) for _ in range(3)] == [2, 4, 8]
    assert paced.after(Calls(made=1)) == 1
    assert paced.after(throttled) == 2


# What an event sets off.


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[DemoWorld, Session, Iterator[Report]]]:
    """Return a session that has read everything once; the clock stands, so that no poll is due."""
    world = open_world("rolling-upgrade", latency=False)
    session = session_of(world, tmp_path)
    session.start()
    reports = session.reports()
    until(reports, lambda report: all(one.reachable for one in report.assessments) and bool(report.assessments))
    yield world, session, reports
    world.close()
    session.close()


def until(reports: Iterator[Report], holds: Callable[[Report], bool]) -> Report:
    return next(report for report in reports if holds(report))


def made(world: DemoWorld) -> Mapping[str, int]:
    return {source: calls.made for source, calls in world.meter.told().items() if source in MOST_PER_S}


def read_since(world: DemoWorld, before: Mapping[str, int]) -> set[str]:
    return {source for source, count in made(world).items() if count > before[source]}


def test_an_event_reads_the_cloud_of_its_node_and_no_other(
    watched: tuple[DemoWorld, Session, Iterator[Report]],
) -> None:
    world, _, reports = watched
    before, asked_at = made(world), world.clock.now()
    world.cordon("gce-pool-1")
    until(reports, lambda report: bool(read_since(world, before)))
    assert read_since(world, before) == {"gce"}
    assert (world.clock.now() - asked_at).total_seconds() <= 2


def test_an_event_reads_just_the_nodes_that_something_has_happened_to_lately(tmp_path: Path) -> None:
    world = open_world("healthy", latency=False)
    session = session_of(world, tmp_path)
    first, second, third = [node.name for node in world.nodes.list().nodes if node.provider_id.cloud is Cloud.GCE][:3]
    observe = DemoReader.observe
    asked: list[set[str]] = []

    def told(self: DemoReader, nodes: Sequence[Node]) -> tuple[CloudView, ...]:
        asked.append({node.name for node in nodes})
        return observe(self, nodes)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DemoReader, "observe", told)
        session.start()
        reports = session.reports()
        until(reports, lambda _: len(asked) == 3)
        for name, number, lately in ((first, 4, {first}), (second, 5, {first, second})):
            world.cordon(name)
            until(reports, lambda _: len(asked) == number)  # noqa: B023 - called before the next turn
            assert asked[-1] == lately
        world.clock.advance(130)
        until(reports, lambda _: len(asked) == 8)
        assert set().union(*asked[5:]) == {node.name for node in world.nodes.list().nodes}, "the polls read all"
        world.cordon(third)
        until(reports, lambda _: len(asked) == 9)
        assert asked[-1] == {third}
        session.refresh()
        until(reports, lambda _: len(asked) == 12)
        assert set().union(*asked[9:]) == {node.name for node in world.nodes.list().nodes}
    world.close()
    session.close()


def test_an_event_that_changes_nothing_reads_nothing(watched: tuple[DemoWorld, Session, Iterator[Report]]) -> None:
    world, _, reports = watched
    before = made(world)
    world.put_node(replace(world.node("aws-pool-1")))
    world.cordon("az-pool-1")
    until(reports, lambda report: bool(read_since(world, before)))
    assert read_since(world, before) == {"azure"}


def test_what_is_read_alone_leaves_the_other_clouds_as_they_were_told(
    watched: tuple[DemoWorld, Session, Iterator[Report]],
) -> None:
    world, _, reports = watched
    before = made(world)
    world.remove_node("aws-pool-1")
    report = until(reports, lambda report: bool(read_since(world, before)) and len(report.assessments) == 11)
    assert all(one.reachable for one in report.assessments)
    assert {view.cloud for view in report.snapshot.views} == set(Cloud) - {Cloud.NONE}


def test_a_cloud_that_does_not_answer_holds_up_no_other(tmp_path: Path) -> None:
    world = open_world("rolling-upgrade", latency=False)
    session = session_of(world, tmp_path)
    session.start()
    reports = session.reports()
    until(reports, lambda report: bool(report.assessments) and all(one.reachable for one in report.assessments))
    stuck = threading.Event()
    observe = DemoReader.observe

    def hangs(self: DemoReader, nodes: Sequence[Node]) -> tuple[CloudView, ...]:
        if self.cloud is Cloud.AZURE:
            stuck.wait(30)
        return observe(self, nodes)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DemoReader, "observe", hangs)
        world.cordon("az-pool-1")
        before = made(world)
        world.cordon("gce-pool-1")
        until(reports, lambda report: "gce" in read_since(world, before))
        stuck.set()
    world.close()
    session.close()
