"""What a watch tells of a rolling upgrade, held against the truth of the simulated world at every instant."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_worlds import GCE, ZONE, leads_to, machine, session_of
from tui.checks import Judgement, diagnose, judge
from tui.demo import DemoWorld, Machine, RoutePlan, Scenario
from tui.demo.description import Deed, Step
from tui.engine.observer import Observer
from tui.model.finding import Code, Report
from tui.model.pairing import progress
from tui.model.rollout import Pair, Phase, Rollout, Story
from tui.model.unfolding import unfold
from tui.ports import Unavailable
from tui.screen.upgrade import upgrade_lines

CIDRS = tuple(f"10.42.{number}.0/24" for number in range(4))


def new(number: int, *, forwards: bool = True, cidr: int | None = None, ready: bool = True) -> Machine:
    """Return a machine that takes the place of another, without a route of its own."""
    made = machine(number, GCE, forwards=forwards, routed=False)
    reused = (CIDRS[cidr],) if cidr is not None else (f"10.42.{100 + number}.0/24",)
    return replace(made, name=f"new-{number}", addresses=(f"10.1.0.{100 + number}",), pod_cidrs=reused, ready=ready)


class Watch:
    """A watch of one world whose every look is asked for. ``rollout`` is what it tells."""

    def __init__(self, *machines: Machine) -> None:
        scenario = Scenario(name="random", pod_cidrs=("10.42.0.0/16",), machines=machines, sites=(GCE,))
        self.world = DemoWorld(scenario, latency=False)
        self.observer = Observer(
            nodes=self.world.nodes, reader=self.world.reader, clock=self.world.clock, scope=self.world.scope
        )
        self._judgement: Judgement | None = None
        self.rollout: Rollout = self.look()

    def look(self, after_s: float = 0) -> Rollout:
        self.world.clock.advance(after_s)
        self.observer.list_nodes()
        self.observer.read_clouds()
        self.rollout = unfold(getattr(self, "rollout", None), self.judged())
        return self.rollout

    def glance(self, *names: str, after_s: float = 0) -> bool:
        """Look at these nodes alone, present or not any more; tell whether that was possible."""
        self.world.clock.advance(after_s)
        self.observer.list_nodes()
        known = [story.node for story in self.rollout.stories.values() if story.name in names and story.node]
        told = self.observer.glance(GCE.cloud, known)
        self.rollout = unfold(self.rollout, self.judged())
        return told

    def judged(self) -> Report:
        """Judge as a session does, which takes over from look to look what has not changed."""
        self._judgement = judge(self.observer.snapshot(), self._judgement)
        return self._judgement.report

    def story(self, name: str) -> Story:
        """Return the newest story of a node of this name."""
        return [story for story in self.rollout.stories.values() if story.name == name][-1]

    def route(self, cidr: str, to: str, name: str = "theirs") -> None:
        self.world.put_route(GCE.source, RoutePlan(destination=cidr, to=f"{ZONE}/{to}", name=name))

    def drop(self, cidr: str) -> None:
        for route in self.world.routes(GCE.source):
            if str(route.destination) == cidr:
                self.world.drop_route(GCE.source, route.name)

    def switch_on(self, name: str) -> None:
        self.world.change_behind(self.world.interface(name).switch.subject, True)

    def seconds(self, name: str) -> tuple[float, float, float]:
        """Return the bounds for a node's seconds unroutable, with what was observed in their middle."""
        now, outages = self.world.clock.now(), self.story(name).outages
        least, most = sum(one.least_s() for one in outages), sum(one.most_s(now) for one in outages)
        return least, self.story(name).unroutable_s(now), most


def two() -> Watch:
    return Watch(machine(0, GCE), machine(1, GCE))


# Phases.


def test_who_was_there_from_the_start_has_no_phases_and_is_done() -> None:
    watch = two()
    assert not watch.rollout.under_way
    assert [(story.original, story.done, story.lacks) for story in watch.rollout.stories.values()] == [
        (True, True, ())
    ] * 2
    assert watch.story("n0").phase is Phase.READY


def test_before_the_first_list_nothing_is_known_and_later_nobody_is_original() -> None:
    watch = two()
    snapshot = replace(watch.observer.snapshot(), nodes=None)
    first = unfold(None, diagnose(snapshot))
    assert not first.listed
    assert all(story.original for story in unfold(first, watch.judged()).stories.values())
    empty = unfold(None, diagnose(replace(snapshot, nodes=())))
    assert empty.listed
    assert not any(story.original for story in unfold(empty, watch.judged()).stories.values())


def test_a_node_is_told_through_all_phases_of_leaving() -> None:
    watch = two()
    watch.world.cordon("n0")
    watch.look(10)
    assert watch.story("n0").phase is Phase.CORDONED
    watch.world.remove_node("n0", vm=False)
    watch.look(10)
    assert watch.story("n0").phase is Phase.GONE
    watch.look(10)
    assert watch.story("n0").phase is Phase.GONE, "its VM still runs"


def test_the_vm_of_a_node_that_left_is_gone_when_a_read_after_that_does_not_show_it() -> None:
    watch = two()
    watch.world.remove_node("n0")
    watch.look(10)
    assert watch.story("n0").phase is Phase.VM_GONE


def test_a_source_that_does_not_answer_proves_no_absence() -> None:
    watch = two()
    watch.world.remove_node("n0")
    watch.world.lose(GCE.source, Unavailable("not now"))
    watch.look(10)
    assert watch.story("n0").phase is Phase.GONE
    watch.world.recover(GCE.source)
    watch.look(10)
    assert watch.story("n0").phase is Phase.VM_GONE


def test_a_node_that_is_let_in_again_is_not_leaving() -> None:
    watch = two()
    watch.world.cordon("n0")
    watch.look(1)
    watch.world.cordon("n0", schedulable=True)
    watch.look(1)
    assert watch.rollout.pairs == ()
    assert not watch.rollout.under_way


def test_a_new_node_is_told_through_all_phases_of_joining() -> None:
    watch = two()
    watch.world.add_node(replace(new(2, forwards=False, ready=False), pod_cidrs=(), backend=None))
    watch.look(1)
    assert watch.story("new-2").lacks == (Phase.ASSIGNED, Phase.FORWARDING, Phase.ROUTED, Phase.READY)
    node = watch.world.node("new-2")
    watch.world.put_node(replace(node, pod_cidrs=(ip_network("10.42.102.0/24"),), backend="host-gw"))
    watch.look(1)
    assert watch.story("new-2").lacks == (Phase.FORWARDING, Phase.ROUTED, Phase.READY)
    watch.switch_on("new-2")
    watch.route("10.42.102.0/24", "new-2")
    watch.look(1)
    assert watch.story("new-2").lacks == (Phase.READY,)
    watch.world.put_node(replace(watch.world.node("new-2"), ready=True))
    watch.look(1)
    assert watch.story("new-2").lacks == ()
    assert watch.story("new-2").done
    assert watch.story("new-2").outages == ()


# Pairs.


def test_a_pair_names_what_its_replacement_waits_for_in_one_line_of_a_small_screen() -> None:
    """A line that wraps pushes the pairs below it down and, at the next event, up again."""
    watch = two()

    def told() -> str:
        (pair,) = (each.text for each in upgrade_lines(watch.rollout, watch.world.clock.now()) if "→" in each.text)
        assert len(pair) <= 78
        return " ".join(pair.partition("→")[2].split())

    watch.world.remove_node("n0")
    watch.look(1)
    assert told() == "no replacement yet"
    bare = replace(new(2, forwards=False, ready=False), pod_cidrs=(), backend=None)
    watch.world.add_node(bare)
    watch.look(1)
    assert told() == "new-2 (a guess) awaits pod CIDR, 3 more"
    node = watch.world.node(bare.name)
    watch.world.put_node(replace(node, pod_cidrs=(ip_network(CIDRS[0]),), backend="host-gw"))
    watch.drop(CIDRS[0])
    watch.look(1)
    assert told() == "new-2 awaits forwarding, 2 more"


def leave_and_join(*joined: Machine) -> tuple[Pair, ...]:
    watch = Watch(machine(0, GCE), machine(1, GCE))
    watch.world.remove_node("n0")
    watch.look(1)
    for one in joined:
        watch.world.add_node(one)
        watch.look(1)
    return watch.rollout.pairs


def test_a_pod_cidr_that_is_used_again_pairs_for_certain() -> None:
    (pair,) = leave_and_join(new(2), new(3, cidr=0))
    assert pair.new is not None
    assert (pair.old.name, pair.new.name, pair.guess) == ("n0", "new-3", False)


def test_a_name_that_is_used_again_pairs_for_certain() -> None:
    (pair,) = leave_and_join(new(2), replace(new(3), name="n0"))
    assert pair.new is not None
    assert (pair.new.pod_cidrs, pair.guess) == ((ip_network("10.42.103.0/24"),), False)


def test_pool_zone_and_order_are_a_guess() -> None:
    (pair,) = leave_and_join(new(2), new(3))
    assert pair.new is not None
    assert (pair.new.name, pair.guess) == ("new-2", True)


def test_another_pool_is_no_replacement() -> None:
    pool = (("node-pool", "gpu"),)
    (pair,) = leave_and_join(replace(new(2), labels=pool))
    assert pair.new is None


def test_who_came_before_anybody_left_replaces_nobody() -> None:
    watch = two()
    watch.world.add_node(new(2))
    watch.look(1)
    watch.world.remove_node("n0")
    watch.look(1)
    (pair,) = watch.rollout.pairs
    assert pair.new is None


# Progress.


def test_progress_counts_what_is_done_and_measures_the_pace() -> None:
    watch = Watch(*(machine(number, GCE) for number in range(4)))
    for number in (0, 1):
        watch.world.cordon(f"n{number}")
        watch.look(60)
        watch.world.remove_node(f"n{number}")
        watch.drop(CIDRS[number])
        watch.world.add_node(new(number, cidr=number))
        watch.route(CIDRS[number], f"new-{number}", name=f"theirs-{number}")
        watch.look(60)
    told = progress(watch.rollout, watch.world.clock.now())
    assert (told.total, told.replaced) == (4, 2)
    assert told.left_s == 180, "two took 180 s from the first cordon"
    assert progress(watch.rollout, watch.world.clock.now() + timedelta(seconds=30)).left_s == 150
    assert progress(watch.rollout, watch.world.clock.now() + timedelta(hours=1)).left_s == 7110, "it has come to a halt"
    assert told.versions == {"v1.34.2": 4}


def test_nothing_is_left_and_no_pace_is_known_at_either_end() -> None:
    watch = two()
    now = watch.world.clock.now()
    assert progress(watch.rollout, now).left_s is None
    assert progress(watch.rollout, now).replaced == 0


# Seconds unroutable.


def test_a_route_that_vanishes_is_counted_from_the_look_that_saw_it_to_the_one_that_saw_it_back() -> None:
    watch = two()
    watch.look(60)
    watch.world.clock.advance(20)
    watch.drop(CIDRS[0])
    watch.look(40)
    watch.look(60)
    watch.world.clock.advance(10)
    watch.route(CIDRS[0], "n0")
    watch.look(50)
    assert watch.seconds("n0") == (60.0, 120.0, 180.0)
    watch.look(600)
    assert watch.seconds("n0") == (60.0, 120.0, 180.0)
    assert watch.rollout.unroutable_s(watch.world.clock.now()) == 120.0


def test_a_node_that_is_not_ready_yet_is_not_counted() -> None:
    watch = two()
    watch.world.add_node(new(2, ready=False))
    watch.look(60)
    watch.look(60)
    assert watch.seconds("new-2") == (0, 0, 0)
    watch.world.put_node(replace(watch.world.node("new-2"), ready=True))
    watch.look(60)
    watch.look(30)
    assert watch.seconds("new-2") == (30.0, 30.0, 30.0)


def test_a_read_from_before_a_node_was_ready_says_nothing_of_it_being_ready() -> None:
    watch = two()
    watch.world.add_node(new(2, ready=False))
    watch.look(60)
    watch.world.put_node(replace(watch.world.node("new-2"), ready=True))
    watch.world.clock.advance(20)
    watch.observer.list_nodes()
    watch.rollout = unfold(watch.rollout, watch.judged())
    assert watch.story("new-2").outages == ()
    watch.look(20)
    watch.look(20)
    assert watch.seconds("new-2") == (20.0, 20.0, 40.0)


def test_a_glance_is_a_read_of_those_that_it_is_about_and_of_nobody_else() -> None:
    watch = two()
    watch.drop(CIDRS[0])
    watch.drop(CIDRS[1])
    assert watch.glance("n0", after_s=10)
    assert watch.story("n0").outage
    assert not watch.story("n1").outage, "its route was not asked for"
    watch.route(CIDRS[0], "n0")
    assert watch.glance("n0", after_s=20)
    assert watch.seconds("n0") == (0.0, 20.0, 30.0)
    watch.look(5)
    watch.glance("n0", after_s=5)
    assert (watch.story("n0").outage, watch.seconds("n1")[1]) == (None, 5.0)


def test_the_vm_of_a_node_that_left_is_gone_when_a_glance_after_that_does_not_show_it() -> None:
    watch = two()
    watch.world.remove_node("n0", vm=False)
    watch.look(10)
    assert watch.glance("n0", after_s=10)
    assert watch.story("n0").phase is Phase.GONE
    watch.world.terminate("n0")
    assert watch.glance("n1", after_s=10)
    assert watch.story("n0").phase is Phase.GONE, "nobody has asked for its VM"
    assert watch.glance("n0", after_s=10)
    assert watch.story("n0").phase is Phase.VM_GONE


def test_a_source_that_is_not_read_well_is_not_glanced_at() -> None:
    watch = two()
    watch.world.lose(GCE.source, Unavailable("not now"))
    assert not watch.glance("n0")
    watch.look()
    watch.world.recover(GCE.source)
    assert not watch.glance("n0"), "what a glance says of one node would make an old view look new"
    watch.look()
    assert watch.glance("n0")


def test_a_node_that_leaves_while_it_is_unroutable_is_counted_until_then() -> None:
    watch = two()
    watch.drop(CIDRS[0])
    watch.look(10)
    watch.world.remove_node("n0")
    watch.look(10)
    watch.look(100)
    assert watch.seconds("n0")[1] == 10.0


def test_a_source_that_does_not_answer_ends_nothing() -> None:
    watch = two()
    watch.drop(CIDRS[0])
    watch.look(10)
    watch.world.lose(GCE.source, Unavailable("not now"))
    watch.look(300)
    watch.route(CIDRS[0], "n0")
    watch.world.recover(GCE.source)
    watch.look(10)
    assert watch.seconds("n0") == (0.0, 310.0, 320.0)


# Races.


def test_a_pod_cidr_that_is_given_on_before_its_route_is_an_alarm() -> None:
    watch = two()
    watch.world.remove_node("n0")
    watch.look(10)
    watch.world.add_node(new(2, cidr=0))
    watch.look(10)
    (race,) = watch.rollout.races
    old, heir = (story.uid for story in (watch.story("n0"), watch.story("new-2")))
    assert (str(race.cidr), race.old, race.new, race.ended_at) == (CIDRS[0], old, heir, None)
    watch.look(60)
    assert [one.seconds(watch.world.clock.now()) for one in watch.rollout.races] == [60.0]
    watch.drop(CIDRS[0])
    watch.route(CIDRS[0], "new-2")
    watch.look(5)
    watch.look(500)
    assert [one.seconds(watch.world.clock.now()) for one in watch.rollout.races] == [65.0]


def test_a_new_pod_cidr_without_a_route_is_no_race() -> None:
    watch = two()
    watch.world.remove_node("n0")
    watch.world.add_node(new(2))
    watch.look(10)
    assert watch.rollout.races == ()


# Strays.


def test_the_route_of_a_node_that_left_becomes_stray_when_its_vm_is_gone(tmp_path: Path) -> None:
    stays, leaves = machine(0, GCE), machine(1, GCE)
    schedule = (
        Step(at_s=10, deed=Deed.LEAVE, machine=leaves),
        Step(at_s=60, deed=Deed.TERMINATE, machine=leaves),
    )
    cidrs = ("10.42.0.0/16",)
    scenario = Scenario(name="leaving", pod_cidrs=cidrs, machines=(stays, leaves), sites=(GCE,), schedule=schedule)
    world = DemoWorld(scenario, latency=False)
    session = session_of(world, tmp_path)
    told = []
    for _ in range(8):
        told.append([finding.code for finding in session.observe().findings])
        assert bool(session.propose(None, prune=True).changes) == bool(told[-1])
        world.clock.advance(10)
    assert told == [[]] * 6 + [[Code.ROUTE_STRAY]] * 2


# The truth.


@dataclass
class Oracle:
    """Knows for how long each node was ready while its pods could not be reached."""

    watch: Watch
    seconds: dict[str, float] = field(default_factory=dict)
    raced: set[str] = field(default_factory=set)
    machines: dict[str, Machine] = field(default_factory=dict)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, during which nothing changes. What nobody can know of, since nobody looked yet, counts not."""
        known = {story.name for story in self.watch.rollout.stories.values()}
        for name in self.cut_off() & known:
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.watch.world.clock.advance(seconds)

    def cut_off(self) -> set[str]:
        routes = self.watch.world.routes(GCE.source)
        found: set[str] = set()
        for node in self.watch.world.nodes.list().nodes:
            one = self.machines[node.name]
            own = [route for route in routes if str(route.destination) in one.pod_cidrs]
            good = own and all(leads_to(route, one) and not route.dead for route in own)
            if node.ready and not (good and self.watch.world.interface(node.name).forwards):
                found.add(node.name)
        return found

    def races(self) -> set[str]:
        """Return the pod CIDRs of new nodes whose route leads to where the old one was."""
        routes = self.watch.world.routes(GCE.source)
        heirs = {cidr: one for name, one in self.machines.items() if name.startswith("new") for cidr in one.pod_cidrs}
        present = {node.name for node in self.watch.world.nodes.list().nodes}
        return {
            str(route.destination)
            for route in routes
            if (heir := heirs.get(str(route.destination))) and heir.name in present and not leads_to(route, heir)
        }


STEPS = ("cordon", "remove", "join", "switch", "route")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_seconds_bracket_the_truth_and_every_race_that_lasts_is_alarmed(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 3))
    originals = [machine(number, GCE) for number in range(count)]
    watch = Watch(*originals)
    oracle = Oracle(watch, machines={one.name: one for one in originals})
    done = [0] * count
    seen: set[str] = set()
    for _ in range(data.draw(st.integers(4, 25))):
        action = data.draw(st.sampled_from(["look", "glance", *range(count)]))
        if action == "look":
            watch.look()
            seen |= oracle.races()
        elif action == "glance":
            watch.glance(*data.draw(st.sets(st.sampled_from(sorted(oracle.machines)), min_size=1)))
        elif isinstance(action, int) and done[action] < len(STEPS):
            perform(watch, oracle, action, STEPS[done[action]], data)
            done[action] += 1
        oracle.pass_time(data.draw(st.sampled_from([0.0, 1.0, 7.0, 60.0])))
    watch.look()
    for name, truth in oracle.seconds.items():
        least, told, most = watch.seconds(name)
        assert least <= told <= most
        assert least <= truth
        if watch.story(name).outages:
            assert truth <= most
    assert {str(race.cidr) for race in watch.rollout.races} >= seen


def perform(watch: Watch, oracle: Oracle, number: int, step: str, data: st.DataObject) -> None:
    world, name, heir = watch.world, f"n{number}", f"new-{number}"
    match step:
        case "cordon":
            world.cordon(name)
        case "remove":
            world.remove_node(name)
        case "join":
            cidr = number if data.draw(st.booleans()) else None
            oracle.machines[heir] = new(number, cidr=cidr, forwards=data.draw(st.booleans()))
            world.add_node(oracle.machines[heir])
        case "switch":
            watch.switch_on(heir)
        case "route":
            (cidr_text,) = oracle.machines[heir].pod_cidrs
            watch.drop(cidr_text)
            watch.route(cidr_text, heir, name=f"theirs-{number}")


@pytest.mark.parametrize("count", [3])
def test_a_story_that_does_not_go_on_stays_the_same_object(count: int) -> None:
    watch = Watch(*(machine(number, GCE) for number in range(count)))
    before = watch.rollout.stories
    watch.look(60)
    assert all(watch.rollout.stories[uid] is story for uid, story in before.items())
