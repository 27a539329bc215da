"""What of a rolling upgrade needs a hand, and how many nodes it will replace."""

from dataclasses import replace

from tests.test_rollout import CIDRS, Watch, new, two
from tests.test_worlds import GCE, machine
from tui.demo import Machine
from tui.model.hands import Hand, hands
from tui.model.pairing import progress


def told(watch: Watch) -> list[tuple[str, str, bool]]:
    return [(hand.node, hand.text, hand.dire) for hand in found(watch)]


def found(watch: Watch) -> tuple[Hand, ...]:
    return hands(watch.rollout, watch.world.clock.now())


def in_pool(made: Machine, pool: str, version: str = "v1.34.2") -> Machine:
    return replace(made, labels=(("node-pool", pool),), version=version)


def test_nothing_needs_a_hand_where_nothing_is_wrong() -> None:
    watch = two()
    watch.look(600)
    assert told(watch) == []


def test_a_ready_node_that_cannot_be_reached_does_and_says_what_it_lacks() -> None:
    watch = two()
    watch.world.add_node(new(2, forwards=False))
    watch.look(1)
    watch.look(1)
    assert told(watch) == [
        ("new-2", "ready, and its pods cannot be reached: its VM may not forward and no route leads to it", True)
    ]


def test_the_newest_is_first() -> None:
    watch = two()
    watch.drop(CIDRS[1])
    watch.look(30)
    watch.drop(CIDRS[0])
    watch.look(30)
    assert [(hand.node, hand.since) for hand in found(watch)] == [
        ("n0", watch.world.clock.now()),
        ("n1", watch.story("n1").outages[0].first_bad.answered_at),
    ]


def test_a_race_tells_the_outage_that_it_makes() -> None:
    watch = two()
    watch.world.remove_node("n0")
    watch.look(10)
    watch.world.add_node(new(2, cidr=0))
    watch.look(10)
    watch.look(10)
    lost = f"{CIDRS[0]} was n0's, and its route still leads there: its pods cannot be reached"
    assert told(watch) == [("new-2", lost, True)]


def test_who_does_not_become_ready_needs_a_hand_after_two_minutes() -> None:
    watch = two()
    watch.world.add_node(replace(new(2, ready=False), pod_cidrs=()))
    watch.look(119)
    watch.look(0)
    assert told(watch) == []
    watch.look(121)
    assert told(watch) == [
        ("new-2", "joined, but it has no pod CIDR, no route leads to it, it is not ready", False),
    ]


def test_a_node_without_a_replacement_needs_a_hand_after_two_minutes_and_not_before() -> None:
    watch = two()
    watch.world.cordon("n0")
    watch.look(600)
    assert told(watch) == []
    left = watch.rollout.pairs[0].old.reached
    watch.world.remove_node("n0")
    watch.look(1)
    watch.look(119)
    assert told(watch) == []
    watch.look(1)
    assert told(watch) == [("n0", "gone, and no replacement has joined", False)]
    assert found(watch)[0].since == min(left.values())


def test_a_replacement_ends_it() -> None:
    watch = two()
    watch.world.remove_node("n0")
    watch.look(1)
    watch.look(200)
    assert [node for node, _, _ in told(watch)] == ["n0"]
    watch.drop(CIDRS[0])
    watch.world.add_node(new(2, cidr=0))
    watch.route(CIDRS[0], "new-2")
    watch.look(1)
    assert told(watch) == []


def test_what_stays_in_other_pools_is_not_waited_for() -> None:
    watch = Watch(*(in_pool(machine(number, GCE), "ab"[number % 2]) for number in range(4)))
    watch.world.cordon("n0")
    watch.look(1)
    assert progress(watch.rollout, watch.world.clock.now()).total == 2


def test_who_has_the_new_version_already_is_not_waited_for() -> None:
    ahead = in_pool(machine(3, GCE), "a", "v1.35.0")
    watch = Watch(*(in_pool(machine(number, GCE), "a") for number in range(3)), ahead)
    watch.world.cordon("n0")
    watch.look(1)
    assert progress(watch.rollout, watch.world.clock.now()).total == 4, "what the new version will be is not known"
    watch.world.remove_node("n0")
    watch.drop(CIDRS[0])
    watch.world.add_node(in_pool(new(5, cidr=0), "a", "v1.35.0"))
    watch.route(CIDRS[0], "new-5")
    watch.look(60)
    told = progress(watch.rollout, watch.world.clock.now())
    assert (told.total, told.replaced) == (3, 1)
    assert told.versions == {"v1.34.2": 2, "v1.35.0": 2}
