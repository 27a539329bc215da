"""The embedded cluster's watch: events, bookmarks, expiry, closing, the schedule."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tui.demo import Call, DemoWorld, open_world
from tui.demo.sites import ec2
from tui.ports import (
    Expired,
    NodeEvent,
    NodeEventKind,
    PortError,
    Unavailable,
)

PATIENCE_S = 10.0


def world_of(name: str = "aws") -> DemoWorld:
    return open_world(name, latency=False)


class Follower:
    """A watch in a thread of its own; ``events`` is what came, with the error or None at its end."""

    def __init__(self, world: DemoWorld, since: str) -> None:
        self.events: queue.SimpleQueue[NodeEvent | PortError | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._follow, args=(world, since), daemon=True)
        with world.hold(Call.WATCH) as arrived:
            self._thread.start()
            assert arrived.wait(PATIENCE_S)

    def _follow(self, world: DemoWorld, since: str) -> None:
        try:
            for event in world.nodes.watch(since):
                self.events.put(event)
        except PortError as error:
            self.events.put(error)
        else:
            self.events.put(None)

    def next(self) -> NodeEvent:
        event = self.events.get(timeout=PATIENCE_S)
        assert isinstance(event, NodeEvent)
        return event

    def end(self) -> PortError | None:
        event = self.events.get(timeout=PATIENCE_S)
        assert not isinstance(event, NodeEvent)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        return event


@pytest.fixture
def world() -> Iterator[DemoWorld]:
    made = world_of()
    yield made
    made.close()


def test_a_watch_tells_what_happens_after_the_list(world: DemoWorld) -> None:
    follower = Follower(world, world.nodes.list().version)
    world.cordon("linux-1")
    world.remove_node("linux-2")
    world.add_node(ec2("linux-9", 19, 9))
    events = [follower.next() for _ in range(3)]
    assert [(event.kind.value, event.node.name if event.node else None) for event in events] == [
        ("modified", "linux-1"),
        ("deleted", "linux-2"),
        ("added", "linux-9"),
    ]
    assert events[-1].version == world.nodes.list().version
    world.nodes.close()
    assert follower.end() is None


def test_a_watch_continues_from_a_version(world: DemoWorld) -> None:
    since = world.nodes.list().version
    world.cordon("linux-1")
    world.cordon("linux-2")
    stream = world.nodes.watch(since)
    first = next(stream)
    again = next(world.nodes.watch(first.version))
    assert again == next(stream)


def test_the_same_name_with_another_uid_is_deleted_and_added(world: DemoWorld) -> None:
    stream = world.nodes.watch(world.nodes.list().version)
    world.put_node(replace(world.node("linux-1"), uid="another"))
    assert [next(stream).kind for _ in range(2)] == [NodeEventKind.DELETED, NodeEventKind.ADDED]


def test_an_idle_watch_sends_bookmarks(world: DemoWorld) -> None:
    version = world.nodes.list().version
    follower = Follower(world, version)
    # The minute begins when the watch does, which its thread decides: advance until it was heard.
    for _ in range(200):
        world.clock.advance(60)
        try:
            event = follower.events.get(timeout=0.05)
        except queue.Empty:
            continue
        assert event == NodeEvent(kind=NodeEventKind.BOOKMARK, node=None, version=version)
        return
    pytest.fail("no bookmark came")


@pytest.mark.parametrize("since", ["1", "999999999", "nonsense"])
def test_versions_that_nobody_remembers_are_expired(world: DemoWorld, since: str) -> None:
    with pytest.raises(Expired):
        next(world.nodes.watch(since))


def test_history_may_be_forgotten_under_a_watch(world: DemoWorld) -> None:
    since = world.nodes.list().version
    follower = Follower(world, since)
    world.expire_watches()
    assert isinstance(follower.end(), Expired)
    with pytest.raises(Expired):
        next(world.nodes.watch(since))
    assert world.nodes.list().version != since


def test_a_server_may_close_a_watch(world: DemoWorld) -> None:
    since = world.nodes.list().version
    stream = world.nodes.watch(since)
    world.cordon("linux-1")
    next(stream)
    world.end_watches()
    assert list(stream) == []
    stream = world.nodes.watch(world.nodes.list().version)
    world.cordon("linux-2")
    next(stream)
    world.end_watches(Unavailable("the server restarts"))
    with pytest.raises(Unavailable):
        next(stream)


def test_closing_ends_a_watch_at_once_and_for_good(world: DemoWorld) -> None:
    follower = Follower(world, world.nodes.list().version)
    world.nodes.close()
    world.nodes.close()
    assert follower.end() is None
    assert list(world.nodes.watch(world.nodes.list().version)) == []


def test_the_schedule_wakes_a_watch() -> None:
    world = world_of("upgrade")
    follower = Follower(world, world.nodes.list().version)
    world.clock.advance(30)
    event = follower.next()
    assert event.node is not None
    assert (event.node.name, event.node.schedulable) == ("aws-linux-1", False)
    world.close()


def test_a_running_clock_wakes_a_watch_when_the_schedule_is_due() -> None:
    world = open_world("upgrade")
    world.clock.advance(29.5)
    stream = world.nodes.watch(world.nodes.list().version)
    event = next(stream)
    assert event.node is not None
    assert not event.node.schedulable
    world.close()
