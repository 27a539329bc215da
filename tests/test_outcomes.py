"""However the calls of an apply end, the journal tells the truth about every change: over random worlds and faults."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import zip_longest

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.test_azure_worlds import AZURE, machine
from tests.test_azure_worlds import worlds as azure_worlds
from tests.test_worlds import opened, routed_worlds
from tests.truth import SETTLED_S, End, FaultyWorld, Truth, left_by
from tui.demo import DemoWorld, Scenario, SubnetPlan
from tui.engine.session import Session
from tui.model.change import Change
from tui.model.history import RecordedApply
from tui.model.plan import Plan
from tui.ports import Conflict, Indeterminate, PortError, Rejected, Throttled, Unavailable

SLOW = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_WRITES = (
    None,
    End(Rejected("a policy forbids it")),
    End(Throttled("slow down")),
    End(Throttled("slow down", retry_after_s=5.0)),
    End(Throttled("come back tomorrow", retry_after_s=3600.0)),
    End(Conflict("somebody else works on it")),
    End(Unavailable("connection refused")),
    End(Indeterminate("the answer was lost")),
    End(Indeterminate("the answer was lost"), done=True),
    End(Conflict("it exists already"), done=True),
    End(Rejected("it exists already"), done=True),
)
_READS = (None, None, None, End(Throttled("slow down")), End(Unavailable("connection refused")))


def ends(of: tuple[End | None, ...]) -> st.SearchStrategy[list[End | None]]:
    return st.lists(st.sampled_from(of), max_size=10)


CROWDED = Scenario(
    name="random",
    pod_cidrs=("10.42.0.0/16",),
    machines=tuple(machine(number, 0, routed=False) for number in range(6)),
    sites=(replace(AZURE, subnets=(SubnetPlan(name="s0", cidrs=("10.2.0.0/24",), table="t0"),)),),
    echoes=1,
)
"""So many routes of one table are missing that they are written at once."""


@SLOW
@given(
    st.one_of(routed_worlds(), azure_worlds(), st.just(CROWDED)),
    st.booleans(),
    st.sets(st.integers(0, 9), max_size=3),
    ends(_WRITES),
    ends(_READS),
)
def test_however_the_calls_end_the_journal_tells_the_truth_about_every_change(
    scenario: Scenario, prune: bool, meanwhile: set[int], writes: list[End | None], reads: list[End | None]
) -> None:
    assume(not scenario.echoes or not hidden(writes))
    world = FaultyWorld(scenario)
    with opened(world) as session:
        plan = session.propose(None, prune=prune)
        for number, step in enumerate(step for change in plan.changes for step in change.steps()):
            if number in meanwhile:
                made_by_somebody_else(world, step)
        before = Truth.of(world)
        world.let(writes=writes, reads=reads)
        result = session.apply(plan, lambda _: None)
        (apply,) = session.applies()
        after = Truth.of(world)
        world.let()
        assert_it_goes_back(session, world, before)
    for change, outcome in zip(plan.changes, result.outcomes, strict=True):
        if outcome.status.good:
            assert after.has(change), f"{outcome.status}, and is not so: {change}"
    for change in unwritten(plan, apply):
        assert after.has_of(change) == before.has_of(change), f"not written, and is so: {change}"
    assert after.beside(plan.changes) == before.beside(plan.changes)
    assert after.twins() <= before.twins()


def assert_it_goes_back(session: Session, world: FaultyWorld, before: Truth) -> None:
    """The undo restores everything but what it says it leaves, and what somebody else made at the same moment.

    Whose that is a writer cannot tell who was told of a conflict and then sees what it wanted.
    """
    world.clock.advance(SETTLED_S)
    session.observe()
    (apply,) = session.applies()
    undo = session.propose_undo(apply.id)
    left = left_by(undo, apply) + [one.change for one in apply.changes if any(before.has_of(one.change))]
    assert not undo.changes or session.apply(undo, lambda _: None).good
    assert Truth.of(world).beside(left) == before.beside(left)


def made_by_somebody_else(world: DemoWorld, step: Change) -> None:
    with suppress(PortError):
        world.writer(step.cloud).write(replace(step, token=None))


def hidden(writes: Sequence[End | None]) -> bool:
    """Tell whether a write takes effect, is refused, and is looked at only once more before it counts as refused.

    Where reads lag, that look may come too early.
    """
    for end, following in zip_longest(writes, writes[1:]):
        if end is None or not end.done or isinstance(end.error, Indeterminate):
            continue
        if following is not None or isinstance(end.error, Rejected):
            return True
    return False


def unwritten(plan: Plan, apply: RecordedApply) -> Iterator[Change]:
    """Yield the changes of which the journal says that nothing was written."""
    written = {recorded.change.id for recorded in apply.written}
    return (change for change in plan.changes if change.id not in written)
