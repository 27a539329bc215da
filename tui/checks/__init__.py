"""Judgement: one file per requirement, pure functions from what was observed to findings.

A check answers *unknown* on what was not observed, never *fine*. May import the model only.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from tui.checks import (
    backend,
    controller,
    forwarding,
    identity,
    layer2,
    podcidr,
    quota,
    routes,
    scale_set,
    shadows,
    strays,
    tables,
)
from tui.model.delivery import Routing
from tui.model.finding import Assessment, Finding, PodRoute, Report, by_severity
from tui.model.joined import Joined
from tui.model.snapshot import Snapshot

CHECKS: tuple[Callable[[Joined], Iterable[Finding]], ...] = (
    identity.check,
    backend.check,
    podcidr.check,
    forwarding.check,
    scale_set.check,
    layer2.check,
)
ROUTE_CHECKS: tuple[Callable[[Routing], Iterable[Finding]], ...] = (
    routes.check,
    tables.check,
    shadows.check,
    strays.check,
    quota.check,
    controller.check,
)
"""Those that ask about routes, which are sorted out once for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A judged snapshot, and what the next judgement takes over from it.

    ``report`` has no activity and revision 0: the session adds both. ``pod_routes`` are by node uid.
    """

    report: Report
    routing: Routing
    pod_routes: Mapping[str, tuple[PodRoute, ...]]


def diagnose(snapshot: Snapshot) -> Report:
    """Judge a snapshot by itself."""
    return judge(snapshot).report


def judge(snapshot: Snapshot, before: Judgement | None = None) -> Judgement:
    """Judge a snapshot, faster where an earlier judgement was made of the same objects; the result is the same."""
    known = None if before is None else before.routing
    joined = Joined.of(snapshot, None if known is None else known.joined)
    routing = Routing.of(joined, known)
    findings = by_severity(
        chain(
            (finding for check in CHECKS for finding in check(joined)),
            (finding for check in ROUTE_CHECKS for finding in check(routing)),
        )
    )
    by_node: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.node is not None:
            by_node[finding.node].append(finding)
    layer2_states = layer2.states(joined)
    pod_routes = _pod_routes(routing, before)
    assessments = tuple(
        Assessment(
            node=node,
            cloud=placement.cloud,
            placement=placement,
            subnet=joined.subnet_of(placement),
            forwarding=forwarding.state(node, placement),
            layer2=layer2_states[node.uid],
            routes=pod_routes[node.uid],
            findings=tuple(by_node.get(node.name, ())),
        )
        for node, placement in joined.placed()
    )
    report = Report(snapshot=snapshot, assessments=assessments, findings=findings)
    return Judgement(report=report, routing=routing, pod_routes=pod_routes)


def _pod_routes(routing: Routing, before: Judgement | None) -> dict[str, tuple[PodRoute, ...]]:
    """Return the routes of every node, the very same objects for those of which nothing was sorted out anew."""
    answers = {} if before is None else before.routing.answers
    return {
        uid: before.pod_routes[uid] if before is not None and answers.get(uid) is found else routes.states(found)
        for uid, found in routing.answers.items()
    }
