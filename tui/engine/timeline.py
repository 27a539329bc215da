"""What changed between two reports, as activities: pure. May import the model only."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tui.engine import upgrade
from tui.model.finding import Activity, ActivityKind, Finding, Report, Severity
from tui.model.node import Node
from tui.model.snapshot import Source, SourceState

LIMIT = 500
"""How many activities a report carries; the oldest go first."""


def changes(before: Report | None, after: Report) -> tuple[Activity, ...]:
    """Return what happened from one report to the next: sources, nodes, findings, and what became of an upgrade."""
    at = after.snapshot.taken_at
    told = (*_sources(before, after, at), *_nodes(before, after, at), *_findings(before, after, at))
    was, now = before.rollout if before else None, after.rollout
    return told if was is None or now is None else (*told, *upgrade.changes(was, now, at))


def _sources(before: Report | None, after: Report, at: datetime) -> Iterator[Activity]:
    known: dict[str, Source] = {source.name: source for source in before.snapshot.sources} if before else {}
    for source in after.snapshot.sources:
        was = known[source.name].state if source.name in known else SourceState.OK
        if source.state is was:
            continue
        if source.state is SourceState.OK:
            yield Activity(at=at, kind=ActivityKind.SOURCE_RECOVERED, text=f"{source.name} answers again")
        else:
            text = f"{source.name} is {source.state}: {source.message or 'no reason given'}"
            yield Activity(at=at, kind=ActivityKind.SOURCE_LOST, text=text)


def _nodes(before: Report | None, after: Report, at: datetime) -> Iterator[Activity]:
    if after.synchronising:
        return
    if before is None or before.synchronising:
        yield Activity(at=at, kind=ActivityKind.SYNCED, text=f"{len(after.assessments)} nodes listed")
        return
    known = {assessment.node.uid: assessment.node for assessment in before.assessments}
    present = {assessment.node.uid: assessment.node for assessment in after.assessments}
    for uid, node in known.items():
        if uid not in present:
            yield Activity(at=at, kind=ActivityKind.NODE_REMOVED, node=node.name, text="the node is gone")
    for uid, node in present.items():
        if uid not in known:
            ranges = ", ".join(map(str, node.pod_cidrs)) or "no pod CIDR yet"
            yield Activity(at=at, kind=ActivityKind.NODE_ADDED, node=node.name, text=f"a new node, {ranges}")
        elif node is not known[uid] and (text := _difference(known[uid], node)):
            yield Activity(at=at, kind=ActivityKind.NODE_CHANGED, node=node.name, text=text)


def _difference(was: Node, now: Node) -> str:
    """Return what changed about a node, in words; "" when nothing that matters here did."""
    told: list[str] = []
    if was.ready is not now.ready:
        told.append("ready" if now.ready else "not ready")
    if was.schedulable is not now.schedulable:
        told.append("schedulable" if now.schedulable else "cordoned")
    if was.pod_cidrs != now.pod_cidrs:
        told.append(f"pod CIDR {', '.join(map(str, now.pod_cidrs)) or 'removed'}")
    if was.addresses != now.addresses:
        told.append(f"address {', '.join(map(str, now.addresses)) or 'removed'}")
    if was.backend != now.backend:
        told.append(f"flannel backend {now.backend or 'removed'}")
    if was.provider_id != now.provider_id:
        told.append(f"provider id {now.provider_id.raw or 'removed'}")
    if now.deleting and not was.deleting:
        told.append("being deleted")
    return "; ".join(told)


def _findings(before: Report | None, after: Report, at: datetime) -> Iterator[Activity]:
    if after.synchronising:
        return
    known = {**_open(before.activity), **_told(before)} if before else {}
    present = _told(after)
    for identity, finding in known.items():
        if identity not in present and _would_be_seen(finding, after):
            yield _of(finding, ActivityKind.FINDING_CLOSED, at)
    for identity, finding in present.items():
        if identity not in known:
            yield _of(finding, ActivityKind.FINDING_OPENED, at)


_Identity = tuple[str, str | None, str]


def _open(activity: Iterable[Activity]) -> dict[_Identity, Finding]:
    """Return the findings that were opened and not closed since; some are out of sight while a source is lost."""
    opened: dict[_Identity, Finding] = {}
    for event in activity:
        if event.finding is not None and event.kind is ActivityKind.FINDING_OPENED:
            opened[_identity(event.finding)] = event.finding
        elif event.finding is not None and event.kind is ActivityKind.FINDING_CLOSED:
            opened.pop(_identity(event.finding), None)
    return opened


def _would_be_seen(finding: Finding, report: Report) -> bool:
    """Tell whether the report would have the finding if it were still true: what it is about has been read."""
    snapshot = report.snapshot
    uids = {assessment.node.uid for assessment in report.assessments if assessment.node.name == finding.node}
    asked = [
        view
        for view in snapshot.views
        if finding.node is None or not uids.isdisjoint(view.node_uids | view.routed_uids)
    ]
    sources = (snapshot.nodes_source, *(view.source for view in asked))
    return all(source.state in {SourceState.OK, SourceState.STALE} for source in sources)


def _identity(finding: Finding) -> _Identity:
    return (finding.code, finding.node, finding.subject)


def _told(report: Report) -> dict[_Identity, Finding]:
    """Return the findings that are events, by identity. What could not be told is its source's event."""
    return {_identity(finding): finding for finding in report.findings if finding.severity is not Severity.UNKNOWN}


def _of(finding: Finding, kind: ActivityKind, at: datetime) -> Activity:
    return Activity(at=at, kind=kind, node=finding.node, text=f"{finding.code}: {finding.summary}", finding=finding)
