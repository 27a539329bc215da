"""Changes, plans and outcomes: what would be done, under which conditions, and what became of it.

``make_plan`` merges the remedies that findings carry; it knows no finding by name. Standard library only.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from tui.model.network import Disruption
from tui.model.node import Cloud
from tui.model.snapshot import Cluster


class Action(StrEnum):
    """What a change does to its subject."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetForwarding:
    """Switch the permission to carry foreign packets on the resource ``subject``.

    ``before`` and ``after`` answer "may it forward?"; ``flag`` and ``inverted`` say how the cloud writes that.
    The precondition of the change is that ``before`` still holds and, where the cloud has one, that ``token`` is still
    the resource's concurrency token. ``source`` is the observing source's name. ``command`` is the same change for the
    cloud's own command line, "" until a plan is made. ``id`` is unique within a plan, "" outside of one.
    """

    kind = "forwarding"
    action = Action.UPDATE

    node: str
    node_uid: str
    cloud: Cloud
    source: str
    subject: str
    flag: str
    inverted: bool
    before: bool
    after: bool
    reason: str
    token: str | None = None
    disruption: Disruption = Disruption.NONE
    depends_on: tuple[str, ...] = ()
    command: str = ""
    id: str = ""

    def fields(self, forwards: bool) -> dict[str, bool]:
        """Return the answer to "may it forward?" in the cloud's own words, such as ``{"SourceDestCheck": True}``."""
        return {self.flag: forwards is not self.inverted}

    def inverse(self) -> "SetForwarding":
        """Return the change that puts the flag back, given that nobody has touched it since."""
        return replace(self, before=self.after, after=self.before, token=None, command="", id="")


Change = SetForwarding
"""The closed union of what can be written. Matches over it end in ``assert_never``."""


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
) -> Plan:
    """Merge the remedies of findings into one plan.

    ``nodes`` limits the plan to findings about these node names; None means all. Equal changes are made once; changes
    that contradict each other (same subject, different result) are refused together. ``command`` gives a change's twin
    for the cloud's own command line.
    """
    wanted = [finding for finding in findings if nodes is None or finding.node in nodes]
    changes: dict[tuple[str, str], Change] = {}
    contradicted: set[tuple[str, str]] = set()
    refused: list[Refusal] = []
    for finding in wanted:
        if not finding.remedy:
            refused.append(Refusal(node=finding.node, code=finding.code, reason=finding.obstacle or finding.summary))
        for change in finding.remedy:
            key = (change.kind, change.subject)
            if key in changes and changes[key].after != change.after:
                contradicted.add(key)
            changes.setdefault(key, change)
    for key in sorted(contradicted):
        change = changes.pop(key)
        refused.append(Refusal(node=change.node, code=key[0], reason=f"two findings want {key[1]} to be different"))
    ordered = [
        replace(change, command=command(change))
        for change in sorted(changes.values(), key=lambda change: (change.kind, change.node, change.subject))
    ]
    return build_plan(cluster=cluster, created_at=created_at, changes=ordered, refused=refused)


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
    """Return the id of a plan with these changes for this cluster."""
    content = [
        cluster.server,
        *(
            (c.id, c.kind, c.cloud, c.source, c.node, c.node_uid, c.subject, c.flag, c.inverted, c.before, c.after)
            for c in changes
        ),
        *((c.token, c.command, c.reason, c.disruption, c.depends_on) for c in changes),
    ]
    return "sha256:" + hashlib.sha256(json.dumps(content).encode()).hexdigest()


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
