"""Fixes that are made unasked: what an operator has armed, for new nodes, within limits, and nothing else."""

import json
import math
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_rollout import CIDRS, new
from tests.test_session import House
from tests.test_worlds import GCE, ZONE, leads_to, machine, session_of
from tui.cli import main
from tui.demo import Call, DemoWorld, Machine, RoutePlan, Scenario
from tui.demo.description import Step
from tui.engine.autofix import AutoFix
from tui.engine.session import Session
from tui.model.arming import Arming, FixKind, Wish
from tui.model.finding import ActivityKind, Report
from tui.ports import Conflict, Misconfigured, Rejected, Unavailable
from tui.process import Streams
from tui.watching import Watch, watch

ALL = frozenset(FixKind)


class Armed:
    """A world of nodes ``n0``, ``n1``, … that an operator has armed, looked at only when a test says so."""

    def __init__(self, folder: Path, *machines: Machine, schedule: tuple[Step, ...] = ()) -> None:
        cidrs = ("10.42.0.0/16",)
        sites = (GCE,)
        scenario = Scenario(name="random", pod_cidrs=cidrs, machines=machines, sites=sites, schedule=schedule)
        self.world = DemoWorld(scenario, latency=False)
        self.world.clock.skips_up_to_s = math.inf
        self.session: Session = session_of(self.world, folder)
        self.session.observe()

    def arm(
        self, nodes: str = "new-*", kinds: frozenset[FixKind] = ALL, most: int = 10, for_s: float = 3600
    ) -> AutoFix:
        until = self.world.clock.now() + timedelta(seconds=for_s)
        return AutoFix(self.session, Arming(nodes=nodes, kinds=kinds, max_changes=most, until=until))

    def look(self, armed: AutoFix, after_s: float = 1) -> Report:
        self.world.clock.advance(after_s)
        armed.consider(self.session.observe())
        return self.session.observe()

    def forwards(self, name: str) -> bool | None:
        return self.world.interface(name).forwards

    def routes(self) -> list[str]:
        """Return what each route delivers, and to which VM."""
        found = self.world.routes(GCE.source)
        return sorted(f"{route.destination} {route.next_hop.text.rpartition('/')[2]}" for route in found)

    def told(self, kind: ActivityKind) -> list[str]:
        report = self.session.observe()
        return [activity.text for activity in report.activity if activity.kind is kind]


@pytest.fixture
def house(tmp_path: Path) -> Armed:
    return Armed(tmp_path, machine(0, GCE, forwards=False), machine(1, GCE))


def test_a_new_node_is_fixed_and_an_old_one_is_left_alone(house: Armed) -> None:
    armed = house.arm()
    house.world.add_node(new(2, forwards=False))
    report = house.look(armed)
    assert (house.forwards("new-2"), house.forwards("n0")) == (True, False)
    assert house.routes() == [f"{CIDRS[0]} n0", f"{CIDRS[1]} n1", "10.42.102.0/24 new-2"]
    assert {one.node.name: one.reachable for one in report.assessments} == {"n0": False, "n1": True, "new-2": True}
    assert (armed.left, armed.ended) == (8, None)
    (apply,) = house.session.applies()
    assert len(apply.changes) == 2, "the same journal as any apply"


def test_who_was_there_when_it_was_armed_is_not_new(house: Armed) -> None:
    house.world.add_node(new(2, forwards=False))
    house.session.observe()
    armed = house.arm(nodes="*")
    house.look(armed)
    assert house.forwards("new-2") is False


@pytest.mark.parametrize(
    ("nodes", "fixed"),
    [
        ("new-2", True),
        ("new-?", True),
        ("n?", False),
        ("agentpool=win*", True),
        ("agentpool=linux", False),
        ("x=y", False),
    ],
)
def test_only_the_scope_is_touched(house: Armed, nodes: str, fixed: bool) -> None:
    armed = house.arm(nodes=nodes)
    house.world.add_node(replace(new(2, forwards=False), labels=(("agentpool", "win-1"),)))
    house.look(armed)
    assert house.forwards("new-2") is fixed


def test_only_the_kinds_are_touched_and_nothing_before_what_it_needs(house: Armed) -> None:
    armed = house.arm(kinds=frozenset({FixKind.CREATE_ROUTE}))
    house.world.add_node(new(2, forwards=False))
    house.world.add_node(new(3))
    house.look(armed)
    assert house.forwards("new-2") is False
    assert house.routes()[2:] == ["10.42.103.0/24 new-3"], "a route to a VM that may not forward would wait for that"


def test_a_route_to_a_vm_that_still_runs_is_replaced_only_once_that_is_gone(house: Armed) -> None:
    armed = house.arm()
    house.world.remove_node("n1", vm=False)
    house.world.add_node(new(2, cidr=1))
    house.look(armed)
    house.look(armed, 60)
    assert f"{CIDRS[1]} n1" in house.routes()
    house.world.put_node(replace(house.world.node("new-2"), labels={"touched": "yes"}))
    house.world.terminate("n1")
    house.look(armed)
    assert house.routes() == [f"{CIDRS[0]} n0", f"{CIDRS[1]} new-2"]
    assert armed.ended is None


def test_several_routes_for_one_pod_cidr_are_left_to_people(house: Armed) -> None:
    armed = house.arm()
    house.world.remove_node("n1")
    house.world.put_route(GCE.source, RoutePlan(destination=CIDRS[1], to=f"{ZONE}/n0", name="other"))
    house.world.add_node(new(2, cidr=1))
    before = house.routes()
    house.look(armed)
    assert house.routes() == before


def test_no_more_changes_than_armed_are_made(house: Armed) -> None:
    armed = house.arm(most=3)
    house.world.add_node(new(2, forwards=False))
    house.world.add_node(new(3, forwards=False))
    house.look(armed)
    assert (armed.left, armed.ended) == (0, "all of its changes are made")
    (apply,) = house.session.applies()
    assert len(apply.changes) == 3
    house.world.add_node(new(4, forwards=False))
    house.look(armed)
    assert house.forwards("new-4") is False


def test_it_ends_when_its_time_is_up(house: Armed) -> None:
    armed = house.arm(for_s=60)
    house.world.add_node(new(2, forwards=False))
    house.look(armed, 60)
    assert armed.ended == "its time is up"
    assert house.forwards("new-2") is False
    assert house.told(ActivityKind.DISARMED) == ["its time is up"]


@pytest.mark.parametrize("error", [Rejected("a policy forbids it"), Unavailable("nobody answers")])
def test_it_ends_with_the_first_failure(house: Armed, error: Rejected | Unavailable) -> None:
    armed = house.arm()
    house.world.fail_next(Call.WRITE, error)
    house.world.add_node(new(2, forwards=False))
    house.look(armed)
    assert armed.ended is not None
    assert str(error) in armed.ended
    house.world.add_node(new(3, forwards=False))
    house.look(armed)
    assert house.forwards("new-3") is False


def test_it_ends_when_what_was_mended_does_not_hold(house: Armed) -> None:
    armed = house.arm()
    house.world.add_node(new(2, forwards=False))
    house.look(armed)
    house.world.change_behind(house.world.interface("new-2").switch.subject, False)
    house.look(armed)
    assert house.told(ActivityKind.DISARMED) == [], "so soon it may be an old read"
    house.look(armed, 31)
    (why,) = house.told(ActivityKind.DISARMED)
    assert "did not hold" in why
    assert house.forwards("new-2") is False


def test_an_operator_disarms_it(house: Armed) -> None:
    armed = house.arm()
    armed.disarm("by hand")
    armed.disarm("again")
    house.world.add_node(new(2, forwards=False))
    house.look(armed)
    assert house.forwards("new-2") is False
    assert house.told(ActivityKind.DISARMED) == ["by hand"]


def test_a_source_that_does_not_answer_is_waited_for(house: Armed) -> None:
    armed = house.arm()
    house.world.lose("kubernetes", Unavailable("not now"))
    house.world.add_node(new(2, forwards=False))
    house.look(armed)
    house.world.recover("kubernetes")
    house.world.lose(GCE.source, Unavailable("not now"))
    house.look(armed)
    assert (house.forwards("new-2"), armed.ended) == (False, None)
    house.world.recover(GCE.source)
    house.look(armed)
    assert house.forwards("new-2") is True


def test_nothing_is_armed_where_nothing_may_be_written(tmp_path: Path) -> None:
    house = House(tmp_path, read_only=True)
    with pytest.raises(Misconfigured, match="--read-only forbids it"):
        AutoFix(house.session, Arming(nodes="*", kinds=ALL, max_changes=1, until=house.clock.now()))


# Whatever happens.


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_armed_run_leads_a_pod_cidr_to_a_wrong_vm_or_takes_a_route_that_is_in_use(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _rolling(data, Armed(Path(folder), *(machine(number, GCE) for number in range(3))))


def _rolling(data: st.DataObject, house: Armed) -> None:
    armed, world = house.arm(nodes="*", most=50), house.world
    machines = {f"n{number}": machine(number, GCE) for number in range(3)}
    done: Counter[int] = Counter()
    for _ in range(data.draw(st.integers(3, 14))):
        number = data.draw(st.integers(0, 2))
        match data.draw(st.sampled_from(["step", "step", "look", "fault"])):
            case "step":
                _step(house, machines, number, done, data)
            case "fault":
                error = data.draw(st.sampled_from([Rejected("no"), Conflict("moved"), Unavailable("gone")]))
                world.fail_next(
                    data.draw(st.sampled_from([Call.WRITE, Call.READ])), error, done=data.draw(st.booleans())
                )
        before = world.routes(GCE.source)
        made = len(world.table_history(GCE.source))
        house.look(armed, data.draw(st.sampled_from([0.0, 5.0, 40.0])))
        present = {node.name for node in world.nodes.list().nodes}
        owners = {cidr: machines[name] for name in present for cidr in machines[name].pod_cidrs}
        for state in world.table_history(GCE.source)[made:]:
            for route in state:
                owner = owners.get(str(route.destination))
                assert route.name in {one.name for one in before} or (owner is not None and leads_to(route, owner))
            for route in before:
                holder = next((one for one in machines.values() if leads_to(route, one)), None)
                in_use = holder is not None and runs(world, holder.name)
                assert not in_use or route.name in {one.name for one in state}, "its VM still runs"


def runs(world: DemoWorld, name: str) -> bool:
    try:
        world.interface(name)
    except KeyError:
        return False
    return True


def _step(house: Armed, machines: dict[str, Machine], number: int, done: Counter[int], data: st.DataObject) -> None:
    """Let the next thing happen that happens to a node in an upgrade."""
    world, old, heir = house.world, f"n{number}", f"new-{number}"
    match done[number]:
        case 0:
            world.cordon(old)
        case 1:
            world.remove_node(old, vm=False)
        case 2:
            reused = number if data.draw(st.booleans()) else None
            machines[heir] = new(number, cidr=reused, forwards=data.draw(st.booleans()))
            world.add_node(machines[heir])
        case 3:
            world.terminate(old)
    done[number] += 1


# Without a screen.


def test_a_watch_fixes_what_is_armed_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house = Armed(tmp_path, machine(0, GCE))
    wish = Wish(nodes="new-*", kinds=ALL, max_changes=2, span_s=3600)
    house.session.observe()

    class Reader(Streams):
        """Lets a node join as soon as it is armed, and leaves once the window is over."""

        def talk(self, text: str, *, end: str = "\n") -> None:
            super().talk(text, end=end)
            if "armed  " in text and "disarmed" not in text:
                house.world.add_node(new(2, forwards=False))
            self.heard = self.heard and "disarmed" not in text

    assert watch(house.session, Reader(), Watch(json=True), wish) == 0
    house.session.close()
    out, err = capsys.readouterr()
    assert house.forwards("new-2") is True
    assert "Only nodes named new-* that join from now on are touched: let a VM forward; create a route" in err
    assert "At most 2 changes, until 13:00:00Z. Nothing is only deleted." in err
    assert "disarmed" in err.splitlines()[-1]
    assert "all of its changes are made" in err.splitlines()[-1]
    applied = [event for event in map(json.loads, out.splitlines()) if event["type"] == "applied"]
    assert [event["node"] for event in applied] == ["new-2", "new-2"]


FLAGS = ["--nodes", "win-*", "--kinds", "forwarding,create-route,replace-route", "--max-changes", "5", "--for", "1h"]


@pytest.mark.parametrize("missing", ["--nodes", "--kinds", "--max-changes", "--for"])
def test_each_limit_must_be_given(missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    at = FLAGS.index(missing)
    assert main(["--demo", "watch", "--auto-fix", *FLAGS[:at], *FLAGS[at + 2 :]]) == 2
    err = capsys.readouterr().err
    assert err == f"l2bridge-tui: --auto-fix writes unasked: say how far it may go with {missing}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--nodes", "win-*"], "--nodes belongs to --auto-fix"),
        (["--for", "1h"], "--for belongs to --auto-fix"),
        (["--auto-fix", *FLAGS[:3], "delete-route", *FLAGS[4:]], "--kinds: must be some of forwarding,create-route"),
        (["--auto-fix", *FLAGS[:7], "soon"], "--for: must be a length of time"),
        (["--auto-fix", *FLAGS, "--read-only"], "watch --auto-fix writes, and --read-only forbids it"),
    ],
)
def test_what_cannot_be_armed_is_a_usage_error(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--demo", "watch", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert sentence in err


def test_in_a_protected_context_the_name_is_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text('protected = ["demo-*"]\n')
    assert main(["--demo", "watch", "--config", str(config), "--auto-fix", *FLAGS]) == 2
    assert "is protected: watch --auto-fix wants its name typed, at a terminal" in capsys.readouterr().err
