"""Plans and outcomes: what would be done, under which conditions, and what became of it. Standard library only."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum

from tui.model.change import (
    Action,
    Change,
)
from tui.model.network import Route, RouteTable
from tui.model.snapshot import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that is wrong and that the plan does not mend, with the reason."""

    node: str | None
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts in one source (``Source.name``), as it calls them; None when that was not told."""

    source: str
    identity: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Changes in the order in which they are applied, and what was left out.

    ``id`` is ``sha256:…`` over everything that the plan would do and to which cluster: equal plans have equal ids, and
    a plan that was altered on disk no longer matches its id. ``undoes`` is the id of the apply that it takes back.
    ``actors`` are those who would write it, by source, the cluster's own first; empty when nobody has asked.
    """

    id: str
    cluster: Cluster
    created_at: datetime
    changes: tuple[Change, ...]
    refused: tuple[Refusal, ...] = ()
    undoes: str | None = None
    actors: tuple[Actor, ...] = ()

    def count(self, action: Action) -> int:
        """Return how many changes do this."""
        return sum(change.action is action for change in self.changes)

    @property
    def destroys(self) -> bool:
        """Tell whether something that exists is deleted or led elsewhere, be it in place."""
        return self.count(Action.DELETE) + self.count(Action.REPLACE) > 0


def build_plan(
    *, cluster: Cluster, created_at: datetime, changes: Sequence[Change], refused: Iterable[Refusal] = ()
) -> Plan:
    """Number the changes ``c1``, ``c2``, … in the given order and seal the plan with its id."""
    numbered = tuple(replace(change, id=f"c{number}") for number, change in enumerate(changes, start=1))
    return Plan(
        id=seal(cluster, numbered),
        cluster=cluster,
        created_at=created_at,
        changes=numbered,
        refused=tuple(refused),
    )


def seal(cluster: Cluster, changes: Iterable[Change]) -> str:
    """Return the id of a plan with these changes for this cluster.

    Everything that a change says counts, its preconditions and its twin included.
    """
    content = [
        cluster.server,
        *([type(change).__name__, *(f"{name}={value!r}" for name, value in _said(change))] for change in changes),
    ]
    return "sha256:" + hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _said(change: Change) -> Iterator[tuple[str, object]]:
    for field in fields(change):
        value = getattr(change, field.name)
        if isinstance(value, Route):
            value = _promised(value)
        elif isinstance(value, RouteTable):
            value = (value.id, value.network, value.region, *map(_promised, value.routes))
        elif field.name in {"needs", "beside"}:
            value = tuple(map(_promised, value))
        yield field.name, value


def _promised(route: Route) -> tuple[Route, list[str]]:
    """Return what a plan says of a route: a set has no order, and what was only seen is no part of the plan."""
    told = replace(route, tags=frozenset(), dead=False, warning=None, system=False, reserves=False)
    return told, sorted(route.tags)


class Status(StrEnum):
    """What became of a change."""

    APPLIED = "applied"
    ALREADY_SO = "already-so"
    REFUSED = "refused"
    FAILED = "failed"
    INDETERMINATE = "indeterminate"
    SKIPPED = "skipped"

    @property
    def good(self) -> bool:
        """Tell whether a later read has shown the wanted state."""
        return self in {Status.APPLIED, Status.ALREADY_SO}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one change, as observed. ``message`` says why in one sentence; None when nothing needs saying."""

    change: str
    status: Status
    message: str | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One step of a run: a change begins (``outcome`` None), or has ended. ``done`` of ``total`` have ended."""

    change: Change
    outcome: Outcome | None
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something said while a run goes on: why ``change`` waits or, without a change, something about the whole run."""

    change: Change | None
    text: str


RunStep = Progress | Remark
"""What is told of a run while it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """The outcomes of one run, in the plan's order; ``id`` names the run in the journal."""

    id: str
    plan: str
    outcomes: tuple[Outcome, ...]

    def counts(self) -> dict[str, int]:
        """Count outcomes by status, every status present."""
        return {status.value: sum(outcome.status is status for outcome in self.outcomes) for status in Status}

    @property
    def good(self) -> bool:
        """Tell whether every change is proven to be in place."""
        return all(outcome.status.good for outcome in self.outcomes)
