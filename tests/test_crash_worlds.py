"""A process that dies at any moment of an apply, and what the next one makes of it: at every call, in random worlds.

Between two calls a process changes nothing that outlives it, so that it may as well die right before a call: to the
cluster, to a cloud, or to the disk where the journal is. Deaths of real processes are in ``test_crash*``.
"""

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.test_azure_worlds import worlds as azure_worlds
from tests.test_outcomes import CROWDED
from tests.test_worlds import first_of, remediable, routed_worlds
from tests.truth import SETTLED_S, Truth, left_by
from tui.demo import Call, DemoClock, DemoWorld, Scenario
from tui.engine.applier import Writing
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.session import Session
from tui.model.aftermath import Fate
from tui.model.change import Change, SetForwarding
from tui.model.network import Route
from tui.model.node import Cloud
from tui.model.plan import Status
from tui.ports import PortError


class Killed(BaseException):
    """The process is no more. Nobody can answer that."""


class Life:
    """How many calls a process has left. A dead one makes no more of them, in whatever thread."""

    def __init__(self) -> None:
        self.left = math.inf

    def spend(self) -> None:
        if self.left <= 0:
            raise Killed
        self.left -= 1


class MortalWorld(DemoWorld):
    """A world that a process calls until its life ends."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario, latency=False)
        self.clock.skips_up_to_s = math.inf
        self.life = Life()

    def enter(self, call: Call, cloud: Cloud | None = None, about: Change | None = None) -> PortError | None:
        """Begin a call."""
        self.life.spend()
        return super().enter(call, cloud, about)


class MortalClock(DemoClock):
    """The journal's clock: every entry carries its time, and asking for that is the last thing before it is written."""

    def __init__(self, world: MortalWorld) -> None:
        super().__init__(running=False)
        self._world = world

    def now(self) -> datetime:
        """Return the world's time."""
        self._world.life.spend()
        return self._world.clock.now()


def process(world: MortalWorld, folder: Path) -> Session:
    """Return a session that has observed the world once, and tells with the calls to the world those to the disk."""
    observer = Observer(nodes=world.nodes, reader=world.reader, clock=world.clock, scope=world.scope)
    session = Session(
        nodes=world.nodes,
        observer=observer,
        reader=world.reader,
        writing=Writing(writer=world.writer, width=1),
        journal=Journal.of(folder, observer.cluster, MortalClock(world)),
        clock=world.clock,
    )
    session.observe()
    return session


class Death:
    """An apply in a world of its own that died after ``calls``, if it did; ``session`` is the next process."""

    def __init__(self, scenario: Scenario, folder: Path, calls: int, *, prune: bool) -> None:
        self.world = MortalWorld(scenario)
        self.before = Truth.of(self.world)
        self.dead_routes = {
            route.name for site in scenario.sites for route in self.world.routes(site.source) if route.dead
        }
        first = process(self.world, folder)
        self.plan = first.propose(None, prune=prune)
        self.world.life.left = calls
        self.survived = True
        try:
            first.apply(self.plan, lambda _: None)
        except Killed:
            self.survived = False
        self.world.life.left = math.inf
        self.found = Truth.of(self.world)
        self.session = process(self.world, folder)


@contextmanager
def deaths(scenario: Scenario, calls: int, *, prune: bool) -> Iterator[Death]:
    with tempfile.TemporaryDirectory() as folder:
        yield Death(scenario, Path(folder), calls, prune=prune)


SLOW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCENARIOS = st.one_of(routed_worlds(), azure_worlds(), st.just(CROWDED))


@SLOW
@given(SCENARIOS, st.booleans(), st.booleans())
def test_whenever_a_process_dies_the_next_one_tells_the_truth_and_can_go_on_or_back(
    scenario: Scenario, prune: bool, back: bool
) -> None:
    survived, calls = False, 0
    while not survived:
        with deaths(scenario, calls, prune=prune) as death:
            assert_nothing_was_written_before_it_was_said(death)
            assert_the_truth_is_told(death)
            if not back:
                assert_it_goes_on(death, prune=prune)
            assert_it_goes_back(death)
            survived = death.survived
        calls += 1


def assert_nothing_was_written_before_it_was_said(death: Death) -> None:
    applies = death.session.applies()
    assert all(apply.unread == 0 for apply in applies)
    said = {recorded.change.id for apply in applies for recorded in apply.changes}
    for change in death.plan.changes:
        if change.id not in said:
            assert death.found.has_of(change) == death.before.has_of(change)
    assert death.found.beside(death.plan.changes) == death.before.beside(death.plan.changes)
    assert death.found.twins() <= death.before.twins()


def assert_the_truth_is_told(death: Death) -> None:
    for apply in death.session.applies():
        for recorded in apply.changes:
            if recorded.outcome is not None and recorded.outcome.status.good:
                assert death.found.has(recorded.change)
    early = death.session.look_back(record=False)
    for fate in early.fates if early is not None else ():
        assert_true(fate, death, early=True)
    death.world.clock.advance(SETTLED_S)
    for _ in range(death.world.echoes):
        death.session.look_back(record=False)
    late = death.session.look_back(record=True)
    for fate in late.fates if late is not None else ():
        assert_true(fate, death, early=False)
    assert death.session.look_back(record=True) is None


def assert_true(fate: Fate, death: Death, *, early: bool) -> None:
    """Right after a death a read may lag, and what was sent may land later: then no absence is certain."""
    steps = death.found.has_of(fate.recorded.change)
    if fate.text == "it is in place":
        assert (fate.outcome is not None, all(steps)) == (True, True)
        return
    if early:
        assert (fate.outcome, "may still change" in fate.text) == (None, True), fate.text
        assert death.world.echoes or not all(steps)
        return
    assert fate.outcome is not None
    if fate.outcome.status is Status.FAILED:
        assert (fate.text, any(steps)) == ("it is not in place", False)
    else:
        assert fate.outcome.status is Status.INDETERMINATE
        assert "half done" in fate.text
        assert (any(steps), all(steps)) == (True, False)


def assert_it_goes_on(death: Death, *, prune: bool) -> None:
    session = death.session
    session.observe()
    assert session.apply(session.propose(None, prune=prune), lambda _: None).good
    assert remediable(session.observe(), strays=prune) == []
    now = Truth.of(death.world)
    assert now.beside(death.plan.changes) == death.before.beside(death.plan.changes)
    assert now.twins() <= death.before.twins()


def assert_it_goes_back(death: Death) -> None:
    session = death.session
    stuck: list[Change] = []
    for apply in reversed(session.applies()):
        session.observe()
        undo = session.propose_undo(apply.id)
        stuck += left_by(undo, apply)
        assert not undo.changes or session.apply(undo, lambda _: None).good
    assert {change.before.name for change in first_of(stuck) if isinstance(change.before, Route)} <= death.dead_routes
    switches = {change.node for change in stuck if isinstance(change, SetForwarding)}
    assert switches <= {change.node for change in stuck if isinstance(change.before, Route)}
    assert Truth.of(death.world).beside(stuck) == death.before.beside(stuck)
