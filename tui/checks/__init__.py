"""Judgement: one file per requirement, pure functions from what was observed to findings.

A check answers *unknown* on what was not observed, never *fine*. May import the model only.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from tui.checks import backend, forwarding, identity, layer2, podcidr, routes
from tui.model.finding import Assessment, Finding, Report, by_severity
from tui.model.snapshot import Joined, Snapshot

CHECKS: tuple[Callable[[Joined], Iterable[Finding]], ...] = (
    identity.check,
    backend.check,
    podcidr.check,
    forwarding.check,
    layer2.check,
    routes.check,
)


def diagnose(snapshot: Snapshot) -> Report:
    """Judge a snapshot. The report has no activity and revision 0: the session adds both."""
    joined = snapshot.join()
    findings = by_severity(finding for check in CHECKS for finding in check(joined))
    by_node: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.node is not None:
            by_node[finding.node].append(finding)
    layer2_states = layer2.states(joined)
    route_states = routes.states(joined)
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
