"""Judgement: one file per requirement, pure functions from what was observed to findings.

A check answers *unknown* on what was not observed, never *fine*. May import the model only.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
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
from tui.model.finding import Assessment, Finding, Report, by_severity
from tui.model.snapshot import Joined, Snapshot

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


def diagnose(snapshot: Snapshot) -> Report:
    """Judge a snapshot. The report has no activity and revision 0: the session adds both."""
    joined = snapshot.join()
    routing = Routing.of(joined)
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
    route_states = routes.states(routing)
    assessments = tuple(
        Assessment(
            node=node,
            cloud=placement.cloud,
            placement=placement,
            subnet=joined.subnet_of(placement),
            forwarding=forwarding.state(node, placement),
            layer2=layer2_states[node.uid],
            routes=route_states[node.uid],
            findings=tuple(by_node[node.name]),
        )
        for node, placement in joined.placed()
    )
    return Report(snapshot=snapshot, assessments=assessments, findings=findings)
