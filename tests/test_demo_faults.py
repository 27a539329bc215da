"""The embedded world's faults and its time."""

import math
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.test_demo_ports import change_of, world_of
from tests.test_demo_routes import creation, route_of
from tui.demo import KUBERNETES, Call, DemoClock, DemoWorld, open_world
from tui.demo.sites import COMPUTE_ENGINE
from tui.model.change import CreateRoute, SetForwarding
from tui.model.node import Cloud
from tui.model.snapshot import SourceState
from tui.ports import (
    Denied,
    Indeterminate,
    PortError,
    Throttled,
    Unavailable,
)

PATIENCE_S = 10.0


@pytest.fixture
def world() -> Iterator[DemoWorld]:
    made = world_of()
    yield made
    made.close()


def test_a_call_fails_as_often_as_was_asked_for(world: DemoWorld) -> None:
    change = change_of(world, "linux-3")
    world.fail_next(Call.READ, Throttled("slow down", retry_after_s=2), times=2)
    world.fail_next(Call.READ, Unavailable("gone fishing"), cloud=Cloud.GCE)
    for _ in range(2):
        with pytest.raises(Throttled):
            world.reader(Cloud.AWS).read(change)
    assert world.reader(Cloud.AWS).read(change).forwards is False
    assert world.calls(Call.READ) == 3


def test_a_write_may_take_effect_although_it_fails(world: DemoWorld) -> None:
    change = change_of(world, "linux-3")
    world.fail_next(Call.WRITE, Indeterminate("the answer was lost"), done=True)
    with pytest.raises(Indeterminate):
        world.writer(Cloud.AWS).write(change)
    assert world.interface("linux-3").forwards is True
    world.fail_next(Call.WRITE, Denied("no"))
    with pytest.raises(Denied):
        world.writer(Cloud.AWS).write(replace(change, after=False))
    assert world.interface("linux-3").forwards is True


def test_an_observation_never_raises(world: DemoWorld) -> None:
    nodes = world.nodes.list().nodes
    reader = world.reader(Cloud.AWS)
    (before,) = reader.observe(nodes)
    world.fail_next(Call.OBSERVE, Unavailable("time-out"))
    (failed,) = reader.observe(nodes)
    assert (failed.source.state, failed.source.message) == (SourceState.UNAVAILABLE, "time-out")
    assert failed.source.observed_at == before.source.observed_at is not None
    assert (failed.instances, failed.subnets, failed.route_tables) == (None, None, None)
    assert reader.observe(nodes)[0].source.state is SourceState.OK


def test_a_source_can_be_lost_and_recovered(world: DemoWorld) -> None:
    nodes = world.nodes.list().nodes
    change = change_of(world, "linux-3")
    world.lose("aws:us-east-1", Denied("ec2:DescribeNetworkInterfaces is missing"))
    assert world.reader(Cloud.AWS).observe(nodes)[0].source.state is SourceState.DENIED
    with pytest.raises(Denied):
        world.reader(Cloud.AWS).read(change)
    with pytest.raises(Denied):
        world.writer(Cloud.AWS).write(change)
    world.recover("aws:us-east-1")
    assert world.reader(Cloud.AWS).observe(nodes)[0].source.state is SourceState.OK


def test_who_acts_cannot_be_asked_in_a_source_that_is_lost_or_when_the_call_fails() -> None:
    world = world_of("mixed")
    sources = {site.cloud: site.source for site in world.scenario.sites}
    told = {cloud: world.reader(cloud).identity(source) for cloud, source in sources.items()}
    assert len(set(told.values())) == len(told) == 3
    for cloud, source in sources.items():
        world.lose(source, Denied("no"))
        with pytest.raises(Denied):
            world.reader(cloud).identity(source)
        world.recover(source)
        world.fail_next(Call.IDENTITY, Throttled("slow down"), cloud=cloud)
        with pytest.raises(Throttled):
            world.reader(cloud).identity(source)
        assert world.reader(cloud).identity(source) == told[cloud]
    assert world.calls(Call.IDENTITY) == 12


def test_kubernetes_can_be_lost_under_a_watch(world: DemoWorld) -> None:
    stream = world.nodes.watch(world.nodes.list().version)
    world.cordon("linux-1")
    next(stream)
    world.lose(KUBERNETES, Unavailable("connection refused"))
    for call in (lambda: next(stream), world.nodes.list, world.nodes.facts):
        with pytest.raises(Unavailable):
            call()
    world.recover(KUBERNETES)
    assert len(world.nodes.list().nodes) == 8


def test_a_held_call_waits(world: DemoWorld) -> None:
    change = change_of(world, "linux-3")
    writing = threading.Thread(target=world.writer(Cloud.AWS).write, args=(change,))
    with world.hold(Call.WRITE) as arrived:
        writing.start()
        assert arrived.wait(PATIENCE_S)
        assert world.interface("linux-3").forwards is False
        assert writing.is_alive()
    writing.join(PATIENCE_S)
    assert world.interface("linux-3").forwards is True


def test_many_threads_may_use_one_world() -> None:
    world = world_of("mixed")
    changes = [change_of(world, name) for name in ("aws-win-1", "gce-win-1", "azure-win-1")]
    errors: list[BaseException] = []

    def churn(change: SetForwarding) -> None:
        try:
            for turn in range(30):
                token = world.reader(change.cloud).read(change).token
                world.writer(change.cloud).write(replace(change, token=token, after=turn % 2 == 1))
                world.reader(change.cloud).observe(world.nodes.list().nodes)
                world.cordon(change.node or "", schedulable=turn % 2 == 1)
        except PortError as error:
            errors.append(error)

    threads = [threading.Thread(target=churn, args=(change,)) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not errors
    assert all(world.interface(change.node or "").forwards for change in changes)


def test_many_threads_may_write_routes_at_once() -> None:
    world = world_of("gce")
    world.echoes = 0
    changes = [creation(route_of(f"thread-{number}", f"10.43.{number}.0/24")) for number in range(3)]
    start, errors = world.routes(COMPUTE_ENGINE.source), list[BaseException]()

    def churn(change: CreateRoute) -> None:
        try:
            for _ in range(30):
                for step in (change, change.inverse()):
                    world.writer(Cloud.GCE).write(step)
                    assert bool(world.reader(Cloud.GCE).read(step).routes) is (step is change)
        except (AssertionError, PortError) as error:
            errors.append(error)

    threads = [threading.Thread(target=churn, args=(change,)) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not errors
    assert world.routes(COMPUTE_ENGINE.source) == start
    assert len(world.table_history(COMPUTE_ENGINE.source)) == 1 + 3 * 30 * 2


def test_time_starts_at_a_fixed_instant_and_stands() -> None:
    clock = DemoClock(running=False)
    assert clock.now() == datetime(2026, 1, 1, 12, tzinfo=UTC)
    clock.advance(90)
    assert clock.now() == datetime(2026, 1, 1, 12, 1, 30, tzinfo=UTC)
    assert clock.monotonic_s() == 90


def test_a_short_wait_is_skipped_and_a_long_one_is_not() -> None:
    clock = DemoClock(running=False)
    event = threading.Event()
    assert clock.wait(event, 4) is False
    assert clock.monotonic_s() == 4
    results: queue.SimpleQueue[bool] = queue.SimpleQueue()
    waiting = threading.Thread(target=lambda: results.put(clock.wait(event, 60)), daemon=True)
    waiting.start()
    clock.advance(59)
    with pytest.raises(queue.Empty):
        results.get(timeout=0.1)
    clock.advance(1)
    assert results.get(timeout=PATIENCE_S) is False
    clock.skips_up_to_s = math.inf
    assert clock.wait(event, 3600) is False
    assert clock.monotonic_s() == 3664


@pytest.mark.parametrize("running", [True, False])
def test_an_event_ends_a_wait_at_once(running: bool) -> None:
    clock = DemoClock(running=running)
    event = threading.Event()
    results: queue.SimpleQueue[bool] = queue.SimpleQueue()
    threading.Thread(target=lambda: results.put(clock.wait(event, 3600)), daemon=True).start()
    event.set()
    assert results.get(timeout=PATIENCE_S) is True
    assert clock.wait(event, 1) is True
    assert clock.monotonic_s() < 1800


def test_a_running_clock_follows_the_wall_and_can_be_advanced() -> None:
    clock = DemoClock(running=True)
    before = clock.now()
    assert clock.wait(threading.Event(), 0.02) is False
    assert clock.now() - before >= timedelta(seconds=0.02)
    clock.advance(3600)
    assert clock.now() - before >= timedelta(hours=1)


def test_calls_take_their_time_until_the_world_is_closed() -> None:
    world = open_world("aws")
    began = time.monotonic()
    nodes = world.nodes.list().nodes
    assert time.monotonic() - began >= 0.04
    world.reader(Cloud.AWS).observe(nodes)
    assert time.monotonic() - began >= 0.14
    began = time.monotonic()
    world.nodes.close()
    for _ in range(100):
        world.nodes.list()
    assert time.monotonic() - began < 100 * 0.04, "a closed world delays nobody"
