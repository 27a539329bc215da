"""What the checks conclude: findings, the assessment of each node, and the report that both front ends show.

Standard library only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from tui.model.calls import Calls, Request
from tui.model.change import Change
from tui.model.history import RecordedApply
from tui.model.network import Route, RouteTable, Subnet
from tui.model.node import Cloud, IPNetwork, Node
from tui.model.rollout import Rollout
from tui.model.snapshot import Placement, Snapshot
from tui.model.witness import Witness

if TYPE_CHECKING:
    from tui.model.delivery import Delivery


class Code(StrEnum):
    """The finding codes of the public interface."""

    FORWARDING_OFF = "forwarding-off"
    ROUTE_MISSING = "route-missing"
    ROUTE_WRONG_NEXT_HOP = "route-wrong-next-hop"
    ROUTE_BLACKHOLE = "route-blackhole"
    ROUTE_DUPLICATE = "route-duplicate"
    ROUTE_STRAY = "route-stray"
    ROUTE_SHADOWED = "route-shadowed"
    ROUTE_QUOTA = "route-quota"
    ROUTE_CONTROLLER_ACTIVE = "route-controller-active"
    ROUTE_TABLE_MISSING = "route-table-missing"
    SCALE_SET_MEMBER = "scale-set-member"
    LAYER2_DIFFERENT = "layer2-different"
    PODCIDR_MISSING = "podcidr-missing"
    PODCIDR_OVERLAP = "podcidr-overlap"
    INSTANCE_NOT_FOUND = "instance-not-found"
    INSTANCE_AMBIGUOUS = "instance-ambiguous"
    BACKEND_NOT_HOST_GW = "backend-not-host-gw"


class Severity(StrEnum):
    """How bad it is; ``UNKNOWN`` says that the question could not be answered, which is never good news."""

    ERROR = "error"
    WARNING = "warning"
    UNKNOWN = "unknown"
    INFO = "info"


_WORST_FIRST = (Severity.ERROR, Severity.UNKNOWN, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it must be, or that could not be told.

    ``node`` is a node's name, None for a finding about no node; ``subject`` the resource or range it is about.
    ``remedy`` are the changes that would mend it, empty when this program cannot; ``obstacle`` may say then why, and
    otherwise what of it stays. ``routes`` are the ids of the routes that do it, where the subject does not tell them.
    """

    code: Code
    severity: Severity
    node: str | None
    subject: str
    summary: str
    remedy: tuple[Change, ...] = ()
    obstacle: str | None = None
    routes: tuple[str, ...] = ()

    @property
    def fixable(self) -> bool:
        """Tell whether a plan can mend it."""
        return bool(self.remedy)


class Forwarding(StrEnum):
    """May the node's VM carry packets that are not its own?"""

    ON = "on"
    OFF = "off"
    NOT_REQUIRED = "not-required"
    UNKNOWN = "unknown"


class Layer2(StrEnum):
    """Is the node in the layer-2 subnet of the others?"""

    SAME = "same"
    DIFFERENT = "different"
    NOT_REQUIRED = "not-required"
    UNKNOWN = "unknown"


class RouteState(StrEnum):
    """Does the cloud deliver packets for a pod CIDR to its node?"""

    OK = "ok"
    MISSING = "missing"
    WRONG_NEXT_HOP = "wrong-next-hop"
    BLACKHOLE = "blackhole"
    DUPLICATE = "duplicate"
    NOT_REQUIRED = "not-required"
    UNKNOWN = "unknown"


_WORST_ROUTE_FIRST = (
    RouteState.MISSING,
    RouteState.BLACKHOLE,
    RouteState.WRONG_NEXT_HOP,
    RouteState.DUPLICATE,
    RouteState.UNKNOWN,
    RouteState.OK,
    RouteState.NOT_REQUIRED,
)


def worst_route(states: Iterable[RouteState]) -> RouteState:
    """Return the state that keeps most packets away; ``NOT_REQUIRED`` for none at all."""
    return min(states, key=_WORST_ROUTE_FIRST.index, default=RouteState.NOT_REQUIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodRoute:
    """The state of the route for one pod CIDR, and the routes that were seen for exactly this range.

    ``reached`` tells whether packets get to the node all the same: a rival that loses keeps none away. ``deliveries``
    are the same routes sorted out, one entry for each table that was read and must know the range.
    """

    pod_cidr: IPNetwork
    state: RouteState
    seen: tuple[tuple[RouteTable, Route], ...] = ()
    reached: bool | None = None
    deliveries: Sequence["Delivery"] = field(default=(), repr=False, compare=False)


class Verdict(StrEnum):
    """A node in one word, as the screen and the text output show it."""

    OK = "OK"
    FIX = "FIX"
    BAD = "BAD"
    UNKNOWN = "??"
    NEW = "NEW"


VERDICTS_WORST_FIRST = (Verdict.BAD, Verdict.FIX, Verdict.UNKNOWN, Verdict.NEW, Verdict.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One node with everything that was concluded about it. ``findings`` are worst first."""

    node: Node
    cloud: Cloud
    placement: Placement
    subnet: Subnet | None
    forwarding: Forwarding
    layer2: Layer2
    routes: tuple[PodRoute, ...]
    findings: tuple[Finding, ...]

    @property
    def reachable(self) -> bool | None:
        """Tell whether the cloud carries packets to and from its pods now; None where that was not observed."""
        answers = [route.reached for route in self.routes]
        answers.append({Forwarding.OFF: False, Forwarding.UNKNOWN: None}.get(self.forwarding, True))
        if False in answers:
            return False
        return None if None in answers or not self.routes else True

    @property
    def worst(self) -> Severity | None:
        """The severity of the worst finding; None without findings and with informative ones only."""
        severity = worst(self.findings)
        return None if severity is Severity.INFO else severity

    @property
    def worst_route(self) -> RouteState:
        """The worst state of its pod CIDRs' routes; ``NOT_REQUIRED`` where layer 2 or nothing is relied on."""
        return worst_route(route.state for route in self.routes)

    @property
    def healthy(self) -> bool:
        """Tell whether everything required of the node was observed and is right."""
        return self.worst is None

    @property
    def verdict(self) -> Verdict:
        """The node in one word: a fault that no plan mends outweighs one that a plan mends."""
        serious = [finding for finding in self.findings if finding.severity is not Severity.INFO]
        if not serious:
            return Verdict.OK
        if {finding.code for finding in serious} == {Code.PODCIDR_MISSING}:
            return Verdict.NEW
        if any(finding.severity is Severity.ERROR and not finding.fixable for finding in serious):
            return Verdict.BAD
        if any(finding.fixable for finding in serious):
            return Verdict.FIX
        return Verdict.UNKNOWN if self.worst is Severity.UNKNOWN else Verdict.BAD


def worst(findings: Iterable[Finding]) -> Severity | None:
    """Return the worst severity among findings; None when there are none."""
    return min((finding.severity for finding in findings), key=_WORST_FIRST.index, default=None)


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Order findings worst first, then by code and subject."""
    return tuple(
        sorted(findings, key=lambda finding: (_WORST_FIRST.index(finding.severity), finding.code, finding.subject))
    )


class ActivityKind(StrEnum):
    """What happened, in the words of the watch interface.

    ``unroutable`` and ``routable`` are about a ready node whose pods could not be reached, a ``race`` about a pod CIDR
    whose route still leads to its old owner, ``armed`` about fixes that are made unasked.
    """

    SYNCED = "synced"
    NODE_ADDED = "node-added"
    NODE_CHANGED = "node-changed"
    NODE_REMOVED = "node-removed"
    FINDING_OPENED = "finding-opened"
    FINDING_CLOSED = "finding-closed"
    APPLYING = "applying"
    APPLIED = "applied"
    SOURCE_LOST = "source-lost"
    SOURCE_RECOVERED = "source-recovered"
    UNROUTABLE = "unroutable"
    ROUTABLE = "routable"
    RACE_OPENED = "race-opened"
    RACE_CLOSED = "race-closed"
    REPLACED = "replaced"
    ARMED = "armed"
    DISARMED = "disarmed"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One event of the timeline. ``finding`` is set for findings, ``node`` (a name) wherever the event is about one."""

    at: datetime
    kind: ActivityKind
    text: str
    node: str | None = None
    finding: Finding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One snapshot, judged. A newer report may replace an older one: the timeline travels inside.

    ``assessments`` are in the API server's order of nodes; ``findings`` worst first, those of no node included;
    ``activity`` oldest first and bounded, the newest of ``happened`` in all; ``revision`` grows by one with every
    report of a session. ``witnesses`` tell what the fabric itself was seen to do after the last apply; empty where it
    was not asked or did not say. ``applies`` are what the journal tells of, oldest first; None while it was not read.
    ``rollout`` is what happened to the nodes since the first report; ``calls`` counts the requests by source,
    ``requests`` are the last of them, oldest first.
    ``recorded`` when it is played from a record, which holds what happened and not what there is.
    """

    snapshot: Snapshot
    assessments: tuple[Assessment, ...]
    findings: tuple[Finding, ...]
    activity: tuple[Activity, ...] = ()
    happened: int = 0
    revision: int = 0
    witnesses: tuple[Witness, ...] = ()
    applies: tuple[RecordedApply, ...] | None = None
    rollout: Rollout | None = None
    calls: Mapping[str, Calls] = field(default_factory=dict)
    requests: tuple[Request, ...] = field(default=(), compare=False)
    recorded: bool = False

    @property
    def synchronising(self) -> bool:
        """Tell whether the first complete node list is still under way."""
        return self.snapshot.nodes is None

    def of(self, name: str) -> Assessment | None:
        """Return the assessment of the node with this name; None when no such node is present."""
        return next((assessment for assessment in self.assessments if assessment.node.name == name), None)

    def counts(self) -> dict[str, int]:
        """Count nodes by their worst finding: keys ``nodes``, ``healthy``, ``error``, ``warning``, ``unknown``."""
        counts = {"nodes": len(self.assessments), "healthy": 0, "error": 0, "warning": 0, "unknown": 0}
        for assessment in self.assessments:
            counts[assessment.worst or "healthy"] += 1
        return counts
