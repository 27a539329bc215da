"""Plans and outcomes: what would be done, under which conditions, and what became of it.

``make_plan`` merges the remedies that findings carry; it knows no finding by name. Standard library only.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol, assert_never

from tui.model.change import Action, Change, CreateRoute, DeleteRoute, ReplaceMethod, ReplaceRoute, SetForwarding
from tui.model.network import Route, RouteQuota
from tui.model.snapshot import Cluster


class Remediable(Protocol):
    """What ``make_plan`` needs to know of a finding."""

    @property
    def code(self) -> str:
        """The finding's code."""

    @property
    def node(self) -> str | None:
        """The node it is about."""

    @property
    def summary(self) -> str:
        """What is wrong."""

    @property
    def remedy(self) -> tuple[Change, ...]:
        """The changes that would mend it; empty when it cannot be mended."""

    @property
    def obstacle(self) -> str | None:
        """Why it cannot be mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that is wrong and that the plan does not mend, with the reason."""

    node: str | None
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Changes in the order in which they are applied, and what was left out.

    ``id`` is ``sha256:…`` over everything that the plan would do and to which cluster: equal plans have equal ids, and
    a plan that was altered on disk no longer matches its id.
    """

    id: str
    cluster: Cluster
    created_at: datetime
    changes: tuple[Change, ...]
    refused: tuple[Refusal, ...] = ()

    def count(self, action: Action) -> int:
        """Return how many changes do this."""
        return sum(change.action is action for change in self.changes)

    @property
    def destroys(self) -> bool:
        """Tell whether something that exists is deleted, be it for a replacement."""
        return self.count(Action.DELETE) + self.count(Action.REPLACE) > 0


def make_plan(
    *,
    cluster: Cluster,
    created_at: datetime,
    findings: Iterable[Remediable],
    nodes: Collection[str] | None,
    command: Callable[[Change], str],
    quotas: Iterable[RouteQuota] = (),
    delete_first: bool = False,
) -> Plan:
    """Merge the remedies of findings into one plan.

    ``nodes`` limits the plan to findings about these node names and those about no node; None means all. Equal changes
    are made once; changes that contradict each other (same flag or same destination, different result) are refused
    together. Routes come after the flags they rely on, and as many as ``quotas`` have room for: a replacement needs
    room for one route more, unless ``delete_first`` accepts a gap. ``command`` gives a change's twin for the cloud's
    own command line.
    """
    wanted = [finding for finding in findings if nodes is None or finding.node is None or finding.node in nodes]
    changes, refused = _merged(wanted)
    fitting, crowded = _fitted(sorted(changes, key=_order), quotas, delete_first=delete_first)
    ordered = [replace(change, command=command(change)) for change in fitting]
    return build_plan(cluster=cluster, created_at=created_at, changes=_chained(ordered), refused=[*refused, *crowded])


def _merged(findings: Iterable[Remediable]) -> tuple[list[Change], list[Refusal]]:
    changes: dict[Change, None] = {}
    refused: list[Refusal] = []
    for finding in findings:
        if not finding.remedy:
            refused.append(Refusal(node=finding.node, code=finding.code, reason=finding.obstacle or finding.summary))
        changes |= dict.fromkeys(finding.remedy)
    by_target: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        by_target.setdefault(_target(change), []).append(change)
    merged: list[Change] = []
    for target, members in sorted(by_target.items()):
        if len({_result(change) for change in members}) == 1:
            merged.append(members[0])
            continue
        reason = f"two findings want {target[-1]} to be different"
        about = dict.fromkeys(change.node for change in members)
        refused.extend(Refusal(node=node, code=members[0].kind, reason=reason) for node in about)
    return merged, refused


def _target(change: Change) -> tuple[str, ...]:
    """Return what can have only one outcome: a flag, what a table does with a destination, a route's existence."""
    match change:
        case SetForwarding():
            return (change.kind, change.subject)
        case CreateRoute() | ReplaceRoute():
            return (change.kind, change.table, str(change.after.destination))
        case DeleteRoute():
            return (change.kind, change.subject)
        case _:
            assert_never(change)


def _result(change: Change) -> object:
    return change.after if isinstance(change, SetForwarding) else (change.before, change.after)


_STAGES = {Action.UPDATE: 0, Action.REPLACE: 1, Action.CREATE: 2, Action.DELETE: 3}


def _order(change: Change) -> tuple[int, str, str]:
    """Flags first, and nothing is taken away before what stands in for it has been added."""
    return (_STAGES[change.action], change.node or "", change.subject)


def _fitted(
    changes: Iterable[Change], quotas: Iterable[RouteQuota], *, delete_first: bool
) -> tuple[list[Change], list[Refusal]]:
    """Leave out what the quotas have no room for when its turn comes, and deletions that need what was left out."""
    free = {quota.name: quota.free for quota in quotas}
    fitting: list[Change] = []
    refused: list[Refusal] = []
    lost: set[Route] = set()
    for change in changes:
        quota = None if isinstance(change, SetForwarding) else change.quota
        if isinstance(change, DeleteRoute) and change.keeps in lost:
            reason = f"{change.before.name} stays until the route that is to take over can be added"
            refused.append(Refusal(node=change.node, code="route-quota", reason=reason))
        elif quota is None or quota not in free:
            fitting.append(change)
        elif isinstance(change, DeleteRoute):
            free[quota] += 1
            fitting.append(change)
        elif free[quota] > 0:
            free[quota] -= isinstance(change, CreateRoute)
            fitting.append(change)
        elif isinstance(change, ReplaceRoute) and delete_first:
            fitting.append(replace(change, method=ReplaceMethod.DELETE_THEN_ADD))
        elif isinstance(change, CreateRoute | ReplaceRoute):
            lost.add(change.after)
            reason = f"{quota} has no room for one route more: raise the limit"
            if isinstance(change, ReplaceRoute):
                reason += ", or plan with --delete-first, which leaves the pod CIDR without a route for seconds"
            refused.append(Refusal(node=change.node, code="route-quota", reason=reason))
    return fitting, refused


def _chained(changes: Sequence[Change]) -> Sequence[Change]:
    """Let each route change depend on the flags of its node, and each deletion on the route that it keeps.

    The ids are those that ``build_plan`` gives to this order.
    """
    switches: dict[str | None, list[str]] = {}
    makers: dict[Route, str] = {}
    chained: list[Change] = []
    for number, change in enumerate(changes, start=1):
        if isinstance(change, SetForwarding):
            switches.setdefault(change.node_uid, []).append(f"c{number}")
            chained.append(change)
            continue
        needed = [] if change.node_uid is None else list(switches.get(change.node_uid, ()))
        if isinstance(change, DeleteRoute):
            if change.keeps is not None and change.keeps in makers:
                needed.append(makers[change.keeps])
        else:
            makers[change.after] = f"c{number}"
        chained.append(replace(change, depends_on=tuple(needed)))
    return chained


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
        if isinstance(value, Route):  # a set has no order, and what was only seen is no part of the plan
            told = replace(value, tags=frozenset(), dead=False, warning=None, system=False, reserves=False)
            value = (told, sorted(value.tags))
        yield field.name, value


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
    """One step of a run: a change begins (``outcome`` None) or has ended. ``done`` of ``total`` have ended."""

    change: Change
    outcome: Outcome | None
    done: int
    total: int


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
