"""What front ends tell: reports, plans and results as JSON documents, and plans as lines.

The documents are the public interface, field by field and in its order. Everything here is pure; other people's text
is made safe in lines and stays exact in documents. May import the model only.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from tui.model.document import cluster_document, instant
from tui.model.finding import Assessment, Finding, Report, Severity
from tui.model.network import Disruption
from tui.model.plan import Action, ApplyResult, Change, Outcome, Plan, Refusal
from tui.model.snapshot import Source, SourceState
from tui.model.text import printable

CHECK_SCHEMA = "l2bridge-tui/check/v1"
APPLY_SCHEMA = "l2bridge-tui/apply/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The part of a report that a verb was asked about. ``assessments`` are in the API server's order.

    ``findings`` are those of the selected nodes and those of no node, worst first; ``sources`` Kubernetes and the ones
    that the selected nodes were looked for in.
    """

    report: Report
    assessments: tuple[Assessment, ...]
    findings: tuple[Finding, ...]
    sources: tuple[Source, ...]

    @classmethod
    def of(cls, report: Report, names: Collection[str] | None) -> "Selection":
        """Select the nodes of these names; None selects all."""
        if names is None:
            return cls(
                report=report,
                assessments=report.assessments,
                findings=report.findings,
                sources=report.snapshot.sources,
            )
        assessments = tuple(assessment for assessment in report.assessments if assessment.node.name in names)
        uids = {assessment.node.uid for assessment in assessments}
        elsewhere = {view.source.name for view in report.snapshot.views if uids.isdisjoint(view.node_uids)}
        return cls(
            report=report,
            assessments=assessments,
            findings=tuple(finding for finding in report.findings if finding.node is None or finding.node in names),
            sources=tuple(source for source in report.snapshot.sources if source.name not in elsewhere),
        )

    @property
    def observed(self) -> bool:
        """Tell whether everything that was asked about could be read and judged."""
        return (
            not self.report.synchronising
            and all(source.state is SourceState.OK for source in self.sources)
            and all(finding.severity is not Severity.UNKNOWN for finding in self.findings)
        )

    @property
    def faultless(self) -> bool:
        """Tell whether there is no finding but informative ones."""
        return all(finding.severity is Severity.INFO for finding in self.findings)

    def counts(self) -> dict[str, int]:
        """Count the selected nodes by their worst finding, as ``Report.counts`` does for all."""
        return replace(self.report, assessments=self.assessments).counts()


# Documents.


def json_text(document: object) -> str:
    """Write a document as indented ASCII that ends in a newline; no character of it can act on a terminal."""
    return json.dumps(document, indent=2).replace("\x7f", "\\u007f") + "\n"


def report_document(report: Report, names: Collection[str] | None = None) -> dict[str, object]:
    """Write a report, or the part of it about the nodes of these names."""
    selection = Selection.of(report, names)
    return {
        "schema": CHECK_SCHEMA,
        "cluster": cluster_document(report.snapshot.cluster),
        "observedAt": instant(report.snapshot.taken_at),
        "sources": [_source_document(source) for source in selection.sources],
        "nodes": [_node_document(assessment) for assessment in selection.assessments],
        "findings": [_finding_document(finding) for finding in selection.findings],
        "summary": selection.counts(),
    }


def _source_document(source: Source) -> dict[str, object]:
    return {
        "name": source.name,
        "state": source.state.value,
        "observedAt": None if source.observed_at is None else instant(source.observed_at),
        "message": source.message,
    }


def _node_document(assessment: Assessment) -> dict[str, object]:
    node, instance = assessment.node, assessment.placement.instance
    return {
        "name": node.name,
        "os": node.os,
        "ready": node.ready,
        "schedulable": node.schedulable,
        "nodeIPs": [str(address) for address in node.addresses],
        "podCIDRs": [str(cidr) for cidr in node.pod_cidrs],
        "backend": node.backend,
        "cloud": assessment.cloud.value,
        "instance": None if instance is None else instance.id,
        "forwarding": assessment.forwarding.value,
        "layer2": assessment.layer2.value,
        "routes": [{"podCIDR": str(route.pod_cidr), "state": route.state.value} for route in assessment.routes],
        "findings": list(dict.fromkeys(finding.code.value for finding in assessment.findings)),
    }


def _finding_document(finding: Finding) -> dict[str, object]:
    return {
        "code": finding.code.value,
        "severity": finding.severity.value,
        "node": finding.node,
        "subject": finding.subject,
        "summary": finding.summary,
        "fixable": finding.fixable,
    }


def apply_document(result: ApplyResult | None, plan: Plan) -> dict[str, object]:
    """Write the outcomes of a run; ``id`` is null and there are no outcomes when there was nothing to run."""
    result = result or ApplyResult(id="", plan=plan.id, outcomes=())
    return {
        "schema": APPLY_SCHEMA,
        "id": result.id or None,
        "plan": result.plan,
        "outcomes": [_outcome_document(outcome) for outcome in result.outcomes],
        "summary": result.counts(),
    }


def _outcome_document(outcome: Outcome) -> dict[str, object]:
    return {
        "change": outcome.change,
        "status": outcome.status.value,
        "message": outcome.message,
        "seconds": round(outcome.seconds, 3),
    }


# Plans as lines.


class LineKind(StrEnum):
    """What a line says, for a front end that wants to paint it."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FIELD = "field"
    REASON = "reason"
    DISRUPTION = "disruption"
    COMMAND = "command"
    HEADING = "heading"
    REFUSED = "refused"
    SUMMARY = "summary"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Line:
    """One safe line of text, indented with spaces; not wrapped, so that a command can be copied whole."""

    kind: LineKind
    text: str = ""


SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.REPLACE: "+/-", Action.DELETE: "-"}
_DISRUPTIONS = {
    Disruption.NONE: "none, the VM keeps running",
    Disruption.REFRESH: "refresh, the VM keeps running while its network is set up anew",
    Disruption.RESTART: "restart, the VM is stopped and started",
}


def plan_lines(plan: Plan) -> Iterator[Line]:
    """Yield a plan as a diff: every change with its reason, cost and command, what is left out, and the sum."""
    for change in plan.changes:
        yield from _change_lines(change)
        yield Line(LineKind.BLANK)
    if plan.refused:
        yield Line(LineKind.HEADING, "Not in this plan:")
        yield from map(_refusal_line, plan.refused)
        yield Line(LineKind.BLANK)
    yield Line(LineKind.SUMMARY, plan_summary(plan))


def _change_lines(change: Change) -> Iterator[Line]:
    title = f"{SYMBOLS[change.action]} {change.kind} of {printable(change.subject)}"
    yield Line(LineKind(change.action.value), f"{title} ({change.id}, node {printable(change.node)}, {change.cloud})")
    before, after = change.fields(change.before), change.fields(change.after)
    for name in before:
        text = f"{printable(name)}: {json.dumps(before[name])} -> {json.dumps(after[name])}"
        yield Line(LineKind.FIELD, f"    {text}")
    yield Line(LineKind.REASON, f"    why:        {printable(change.reason)}")
    yield Line(LineKind.DISRUPTION, f"    disruption: {_DISRUPTIONS[change.disruption]}")
    if change.depends_on:
        yield Line(LineKind.REASON, f"    after:      {', '.join(map(printable, change.depends_on))}")
    yield Line(LineKind.COMMAND, f"    by hand:    {printable(change.command)}")


def _refusal_line(refusal: Refusal) -> Line:
    node = "" if refusal.node is None else f"{printable(refusal.node)}  "
    return Line(LineKind.REFUSED, f"  {node}{printable(refusal.code)}: {printable(refusal.reason)}")


def plan_summary(plan: Plan) -> str:
    """Return the plan's sum in one line; a replacement adds one and destroys one."""
    replaced = plan.count(Action.REPLACE)
    add, destroy = plan.count(Action.CREATE) + replaced, plan.count(Action.DELETE) + replaced
    return f"Plan: {add} to add, {plan.count(Action.UPDATE)} to change, {destroy} to destroy."
