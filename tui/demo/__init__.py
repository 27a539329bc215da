"""The embedded world: a simulated cluster and clouds behind the ports, for ``--demo``, screenshots and tests.

Imports no SDK and opens no socket. Scenarios are data, a world is reproducible: the same name gives the same ids,
addresses and timestamps in every run. May import the ports and the model only.

For a test::

    world = open_world("aws", latency=False)
    world.fail_next(Call.WRITE, Throttled("slow down", retry_after_s=1))
    world.change_behind(world.interface("linux-3").switch.subject, True)
    world.clock.advance(60)

or, with a cluster of the test's own, ``DemoWorld(Scenario(...), latency=False)``.
"""

from dataclasses import replace

from tui.demo import ids
from tui.demo.clock import DemoClock
from tui.demo.description import Deed, Machine, RoutePlan, Scenario, Site, Step, SubnetPlan
from tui.demo.faults import KUBERNETES, Call
from tui.demo.scenarios import SCENARIOS, scenario
from tui.demo.world import DemoWorld
from tui.model.snapshot import Cluster
from tui.ports import Misconfigured

__all__ = [
    "KUBERNETES",
    "SCENARIOS",
    "Call",
    "Deed",
    "DemoClock",
    "DemoWorld",
    "Machine",
    "RoutePlan",
    "Scenario",
    "Site",
    "Step",
    "SubnetPlan",
    "cluster_named",
    "open_world",
]


def cluster_named(scenario: str) -> Cluster:
    """Return the cluster of a scenario as a kubeconfig would name it, without starting the scenario."""
    return replace(ids.cluster(scenario), uid=None)


def open_world(name: str, *, latency: bool = True) -> DemoWorld:
    """Start a scenario from its beginning. Without ``latency`` calls answer at once and the clock stands.

    Raises ``Misconfigured`` for a name that is not in ``SCENARIOS``.
    """
    if name not in SCENARIOS:
        raise Misconfigured(f"there is no demo scenario {name!r}: choose one of {', '.join(SCENARIOS)}")
    return DemoWorld(scenario(name), latency=latency)
