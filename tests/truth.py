"""What is really so in an embedded world, past its ports, and worlds whose calls end as a test says."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from tui.demo import Call, DemoWorld, Scenario
from tui.demo.ids import network_id
from tui.model.change import (
    AssociateRouteTable,
    Change,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
    ReplaceRoute,
    SetForwarding,
)
from tui.model.history import RecordedApply
from tui.model.network import Route
from tui.model.node import Cloud
from tui.model.plan import Plan
from tui.ports import PortError

SETTLED_S = 601.0
"""After this time what is not there does not come any more."""


@dataclass(frozen=True, slots=True)
class End:
    """How a call ends that does not end well; ``done`` when it takes effect all the same."""

    error: PortError
    done: bool = False


class FaultyWorld(DemoWorld):
    """A world whose reads and writes around changes end one after another as ``reads`` and ``writes`` say."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario, latency=False)
        self._ends: dict[Call, list[End | None]] = {}

    def let(self, *, reads: Sequence[End | None] = (), writes: Sequence[End | None] = ()) -> None:
        """Let the next calls end so; None for one that ends well."""
        self._ends = {Call.READ: list(reads), Call.WRITE: list(writes)}

    def enter(self, call: Call, cloud: Cloud | None = None, about: Change | None = None) -> PortError | None:
        """Begin a call as every world does."""
        ends = self._ends.get(call)
        end = ends.pop(0) if ends else None
        if end is not None:
            self.fail_next(call, end.error, done=end.done)
        return super().enter(call, cloud, about)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Flags by subject, routes by table and name without what only the cloud says of them, tables by subnet."""

    flags: Mapping[str, bool | None]
    tables: Mapping[str, Mapping[str, Route]]
    attached: Mapping[str, str | None]

    @classmethod
    def of(cls, world: DemoWorld) -> "Truth":
        """Look at everything."""
        interfaces = [world.interface(machine.name) for machine in world.scenario.machines]
        tables: dict[str, tuple[Route, ...]] = {}
        attached: dict[str, str | None] = {}
        for site in world.scenario.sites:
            if site.cloud is Cloud.AZURE:
                layout = world.tables(site.source).history[-1]
                tables |= layout.tables
                attached |= layout.attached
            else:
                tables[network_id(site)] = world.routes(site.source)
        return cls(
            flags={interface.switch.subject: interface.forwards for interface in interfaces},
            tables={id_: {route.name: _bare(route) for route in routes} for id_, routes in tables.items()},
            attached=attached,
        )

    def has(self, change: Change) -> bool:
        """Tell whether all of the change is in effect."""
        return all(self._has(step) for step in change.steps())

    def has_of(self, change: Change) -> tuple[bool, ...]:
        """Tell of each step of the change whether it is in effect."""
        return tuple(self._has(step) for step in change.steps())

    def _has(self, step: Change) -> bool:
        match step:
            case SetForwarding():
                return self.flags[step.subject] is step.after
            case CreateRoute() | ReplaceRoute():
                return any(_serves(route, step.after) for route in self.tables[step.table].values())
            case DeleteRoute():
                return step.before.name not in self.tables[step.table]
            case CreateRouteTable():
                made = self.tables.get(step.table)
                return made is not None and all(_bare(route) in made.values() for route in step.after.routes)
            case DeleteRouteTable():
                return step.table not in self.tables
            case AssociateRouteTable():
                return self.attached[step.subject] == step.after
            case _:
                assert_never(step)

    def beside(self, changes: Iterable[Change]) -> "Truth":
        """Return what the changes do not name."""
        steps = [step for change in changes for step in change.steps()]
        named = {
            (step.table, name)
            for step in steps
            if isinstance(step, CreateRoute | ReplaceRoute | DeleteRoute)
            for name in step.names()
        }
        subjects = {step.subject for step in steps}
        return Truth(
            flags={subject: flag for subject, flag in self.flags.items() if subject not in subjects},
            tables={
                id_: {name: route for name, route in routes.items() if (id_, name) not in named}
                for id_, routes in self.tables.items()
                if id_ not in subjects
            },
            attached={subnet: table for subnet, table in self.attached.items() if subnet not in subjects},
        )

    def twins(self) -> Counter[tuple[str, str, str]]:
        """Count the routes by table, destination and next hop, where there is more than one of a kind."""
        kinds = Counter(
            (id_, str(route.destination), route.next_hop.label)
            for id_, routes in self.tables.items()
            for route in routes.values()
        )
        return Counter({kind: number for kind, number in kinds.items() if number > 1})


def left_by(undo: Plan, apply: RecordedApply) -> list[Change]:
    """Return what an undo leaves as it is, as where the cloud takes no route back whose next hop is gone."""
    reasons = [refusal.reason for refusal in undo.refused]
    changes = [recorded.change for recorded in apply.changes]
    return [change for change in changes if any(reason.startswith(f"{change.subject}: ") for reason in reasons)]


def _serves(route: Route, wanted: Route) -> bool:
    """Tell whether a route does what is wanted. On Azure, whose routes have no priorities, it may have another name."""
    return route.same_as(wanted if wanted.priority is not None else replace(wanted, name=route.name))


def _bare(route: Route) -> Route:
    return replace(route, token=None, dead=False, warning=None)
