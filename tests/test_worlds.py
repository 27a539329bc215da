"""What must hold in every world: a plan mends all it promised, its inverse restores the world exactly."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.demo import SCENARIOS, DemoWorld, Machine, Scenario, Site, SubnetPlan, open_world
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.session import Session
from tui.model.finding import Report
from tui.model.node import Cloud
from tui.model.plan import build_plan

SITES = (
    Site(
        cloud=Cloud.AWS,
        scope="us-east-1",
        network="vpc",
        subnets=(SubnetPlan(name="a", cidrs=("10.0.0.0/24",), zone="us-east-1a"),),
    ),
    Site(
        cloud=Cloud.GCE,
        scope="project",
        network="net",
        place="us-central1",
        subnets=(SubnetPlan(name="a", cidrs=("10.1.0.0/24",)),),
    ),
)


def session_of(world: DemoWorld, folder: Path) -> Session:
    observer = Observer(nodes=world.nodes, reader=world.reader, clock=world.clock, scope=world.scope)
    return Session(
        nodes=world.nodes,
        observer=observer,
        reader=world.reader,
        writer=world.writer,
        journal=Journal.of(folder, observer.cluster, world.clock),
        clock=world.clock,
    )


def remediable(report: Report) -> list[str]:
    return [f"{finding.node}: {finding.code}" for finding in report.findings if finding.fixable]


def truth(world: DemoWorld, names: Iterable[str]) -> dict[str, tuple[str, bool | None]]:
    interfaces = {name: world.interface(name) for name in names}
    return {name: (interface.id, interface.forwards) for name, interface in interfaces.items()}


def machines() -> st.SearchStrategy[tuple[Machine, ...]]:
    one = st.tuples(
        st.sampled_from(SITES),
        st.sampled_from([True, False]),
        st.sampled_from(["linux", "windows"]),
        st.sampled_from(["host-gw", "vxlan", None]),
        st.booleans(),
    )
    return st.lists(one, min_size=1, max_size=8).map(
        lambda drawn: tuple(
            Machine(
                name=f"n{number}",
                site=site.source,
                subnet="a",
                addresses=(f"10.{SITES.index(site)}.0.{number + 10}",),
                pod_cidrs=(f"10.42.{number}.0/24",) if assigned else (),
                zone="us-east-1a" if site.cloud is Cloud.AWS else "us-central1-a",
                os=os,
                backend=backend,
                forwards=forwards,
            )
            for number, (site, forwards, os, backend, assigned) in enumerate(drawn)
        )
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(machines())
def test_applying_a_plan_leaves_nothing_remediable_and_its_inverse_restores_the_world(
    machines: tuple[Machine, ...],
) -> None:
    world = DemoWorld(
        Scenario(name="random", pod_cidrs=("10.42.0.0/16",), machines=machines, sites=SITES), latency=False
    )
    names = [machine.name for machine in machines]
    with tempfile.TemporaryDirectory() as folder:
        session = session_of(world, Path(folder))
        session.observe()
        before = truth(world, names)
        plan = session.propose(None)
        result = session.apply(plan, lambda _: None)
        assert result.good
        report = session.observe()
        assert remediable(report) == []
        assert session.propose(None).changes == ()
        undo = build_plan(
            cluster=plan.cluster,
            created_at=plan.created_at,
            changes=[change.inverse() for change in reversed(plan.changes)],
        )
        assert session.apply(undo, lambda _: None).good
        assert truth(world, names) == before


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_mended_as_far_as_its_plan_promises(name: str, tmp_path: Path) -> None:
    world = open_world(name, latency=False)
    session = session_of(world, tmp_path)
    promised = remediable(session.observe())
    plan = session.propose(None)
    assert {change.node for change in plan.changes} == {text.partition(":")[0] for text in promised}
    assert session.apply(plan, lambda _: None).good
    assert remediable(session.observe()) == []
