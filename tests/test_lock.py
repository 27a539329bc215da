"""The cluster's lock: who gets it, who is refused, how it is kept, lost and given back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.scripted import ScriptedClock, SteppedClock
from tui.demo import Call, DemoWorld, open_world
from tui.engine.lock import GIVEN_UP_AFTER_S, LASTS_S, RENEWED_EVERY_S, Hold, Locking
from tui.model.lease import Lease
from tui.ports import Clock, Conflict, Denied, Locked, Rejected, Unavailable

BOB = "bob@elsewhere/2026-01-01T115900Z-abcdef"


@pytest.fixture
def world() -> DemoWorld:
    return open_world("aws", latency=False)


@contextmanager
def held(
    world: DemoWorld,
    *,
    force: bool = False,
    gone: tuple[str, ...] = (),
    stop: threading.Event | None = None,
    clock: Clock | None = None,
) -> Iterator[Hold]:
    locking = Locking(world.cluster_lock, clock or SteppedClock(), force=force)
    with locking.held("alice@here/run", gone=gone.__contains__, stop=stop or threading.Event()) as hold:
        yield hold


def standing(world: DemoWorld) -> Lease:
    lease = world.cluster_lock.read()
    assert lease is not None
    return lease


def until_renewed(world: DemoWorld, clock: SteppedClock) -> Lease:
    """Let the time of a renewal come, and return the lock when it was made."""
    before = standing(world)
    clock.advance(RENEWED_EVERY_S)
    while (now := standing(world)).version == before.version:
        pass
    return now


def test_the_lock_is_held_while_it_lasts_and_given_back(world: DemoWorld) -> None:
    clock = SteppedClock()
    with held(world, clock=clock) as hold:
        lease = standing(world)
        assert (lease.holder, lease.lasts_s, lease.transitions) == ("alice@here/run", LASTS_S, 0)
        assert lease.since == lease.renewed_at == clock.now()
        assert (hold.unlocked, hold.taken_from, hold.lost()) == (None, None, None)
    assert standing(world).holder == ""
    with held(world):
        assert standing(world).transitions == 1


def test_it_is_renewed_for_as_long_as_it_takes(world: DemoWorld) -> None:
    clock = SteppedClock()
    with held(world, clock=clock) as hold:
        began = standing(world).since
        assert began is not None
        for _ in range(9):
            until_renewed(world, clock)
        lease = until_renewed(world, clock)
        assert lease.renewed_at == clock.now()
        assert lease.since == began
        assert lease.renewed_at is not None
        assert lease.renewed_at - began > timedelta(seconds=3 * LASTS_S)
        assert hold.lost() is None


def test_a_second_operator_is_told_who_holds_it_since_when(world: DemoWorld) -> None:
    world.cluster_lock.seized_by(BOB, lasts_s=15)
    with (
        pytest.raises(
            Locked, match=r"^bob@elsewhere/\S+ applies to this cluster since 2026-01-01 12:00:00 UTC"
        ) as told,
        held(world),
    ):
        pytest.fail("two at once")
    assert "Lease kube-system/l2bridge-tui" in str(told.value)
    assert "--force-lock" in str(told.value)
    assert standing(world).holder == BOB


def test_by_force_it_is_taken_and_that_is_known(world: DemoWorld) -> None:
    world.cluster_lock.seized_by(BOB, lasts_s=15)
    with held(world, force=True) as hold:
        assert hold.taken_from == BOB
        assert (standing(world).holder, standing(world).transitions) == ("alice@here/run", 1)


def test_force_on_a_free_lock_takes_it_from_nobody(world: DemoWorld) -> None:
    with held(world, force=True) as hold:
        assert hold.taken_from is None


def test_what_our_own_killed_process_left_is_ours_at_once(world: DemoWorld) -> None:
    world.cluster_lock.seized_by(BOB, lasts_s=15)
    clock = SteppedClock()
    with held(world, gone=(BOB,), clock=clock) as hold:
        assert hold.taken_from is None
    assert clock.monotonic_s() == 0


def test_a_lock_that_ran_out_and_is_not_renewed_while_we_look_is_free(world: DemoWorld) -> None:
    world.cluster_lock.seized_by(BOB, lasts_s=15)
    world.clock.advance(16)
    locking = Locking(world.cluster_lock, world.clock, force=False)
    world.clock.skips_up_to_s = 15
    with locking.held("alice@here/run", gone=lambda _: False, stop=threading.Event()) as hold:
        assert hold.taken_from is None
        assert world.clock.monotonic_s() >= 31


class Rival:
    """Somebody whose clock is an hour behind, and who renews while we wait."""

    def __init__(self, world: DemoWorld, clock: ScriptedClock) -> None:
        self.place = world.cluster_lock.place
        self._world = world
        self._clock = clock
        world.cluster_lock.seized_by(BOB, lasts_s=15)

    def read(self) -> Lease | None:
        lease = standing(self._world)
        behind = self._world.clock.now() - timedelta(hours=1)
        renewed = behind + timedelta(seconds=self._clock.passed_s)
        return replace(lease, renewed_at=renewed, version=f"{lease.version}-{self._clock.passed_s}")

    def write(self, lease: Lease) -> Lease:
        return self._world.cluster_lock.write(lease)


def test_a_holder_whose_clock_is_behind_is_not_taken_for_dead(world: DemoWorld) -> None:
    clock = ScriptedClock()
    locking = Locking(Rival(world, clock), clock, force=False)
    with (
        pytest.raises(Locked, match="bob@elsewhere"),
        locking.held("alice@here/run", gone=lambda _: False, stop=threading.Event()),
    ):
        pytest.fail("two at once")
    assert clock.waits_s == [15.0]


def test_who_stops_while_it_is_looked_at_takes_nothing(world: DemoWorld) -> None:
    world.cluster_lock.seized_by(BOB, lasts_s=15)
    world.clock.advance(16)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Locked), held(world, stop=stop, clock=world.clock):
        pytest.fail("two at once")
    assert standing(world).holder == BOB


@pytest.mark.parametrize("error", [Denied("leases are forbidden"), Rejected("a webhook says no")])
def test_without_the_right_it_goes_on_and_says_so(world: DemoWorld, error: Exception) -> None:
    world.fail_next(Call.LOCK, error)  # type: ignore[arg-type]  # both are port errors
    with held(world, clock=world.clock) as hold:
        assert hold.unlocked == f"without a lock, other operators are not kept out: {error}"
        world.clock.advance(GIVEN_UP_AFTER_S * 2)
        assert hold.lost() is None


def test_an_api_server_that_does_not_answer_is_no_missing_right(world: DemoWorld) -> None:
    world.fail_next(Call.LOCK, Unavailable("connection refused"))
    with pytest.raises(Unavailable), held(world):
        pytest.fail("nobody knows who holds it")


def test_somebody_who_is_faster_is_looked_at_again(world: DemoWorld) -> None:
    class Slow(Rival):
        def __init__(self) -> None:
            self.place = world.cluster_lock.place

        def read(self) -> Lease | None:
            return world.cluster_lock.read()

        def write(self, lease: Lease) -> Lease:
            if world.cluster_lock.read() is None:
                world.cluster_lock.seized_by(BOB, lasts_s=15)
            return world.cluster_lock.write(lease)

    locking = Locking(Slow(), world.clock, force=False)
    with (
        pytest.raises(Locked, match="bob@elsewhere"),
        locking.held("alice@here/run", gone=lambda _: False, stop=threading.Event()),
    ):
        pytest.fail("two at once")


def test_a_lock_that_is_taken_over_is_lost_and_stays_with_the_other(world: DemoWorld) -> None:
    clock = SteppedClock()
    with held(world, clock=clock) as hold:
        world.cluster_lock.seized_by(BOB, lasts_s=15)
        clock.advance(RENEWED_EVERY_S)
        while hold.lost() is None:
            pass
        assert hold.lost() == f"{BOB} has taken the lock over"
    assert standing(world).holder == BOB


def test_a_lock_that_cannot_be_renewed_is_lost_after_a_while_and_comes_back(world: DemoWorld) -> None:
    clock = SteppedClock()
    with held(world, clock=clock) as hold:
        world.lose("kubernetes", Unavailable("connection refused"))
        clock.advance(GIVEN_UP_AFTER_S)
        assert hold.lost() is None
        clock.advance(1)
        assert hold.lost() == "the lock was not renewed for 11 s"
        world.recover("kubernetes")
        until_renewed(world, clock)
        assert hold.lost() is None


def test_a_renewal_whose_answer_was_lost_is_still_ours(world: DemoWorld) -> None:
    clock = SteppedClock()
    with held(world, clock=clock) as hold:
        world.cluster_lock.write(standing(world))  # as the server has it, and the process does not know
        clock.advance(RENEWED_EVERY_S)
        until_renewed(world, clock)
        assert hold.lost() is None
    assert standing(world).holder == ""


def test_a_lock_that_is_not_there_is_not_missed() -> None:
    clock = ScriptedClock()
    with Locking(None, clock, force=False).held("us", gone=lambda _: False, stop=threading.Event()) as hold:
        clock.passed_s = 1000
        assert (hold.unlocked, hold.lost()) == ("", None)


def test_others_who_take_it_again_and_again_end_the_patience(world: DemoWorld) -> None:
    class Contested(Rival):
        def read(self) -> Lease | None:
            return None

        def write(self, lease: Lease) -> Lease:
            raise Conflict("somebody was faster")

    locking = Locking(Contested(world, ScriptedClock()), world.clock, force=False)
    with (
        pytest.raises(Locked, match="again and again"),
        locking.held("alice@here/run", gone=lambda _: False, stop=threading.Event()),
    ):
        pytest.fail("nobody has it")
