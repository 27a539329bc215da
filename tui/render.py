"""What front ends tell of a report: the part that was asked about, and reports and results as JSON documents.

The documents are the public interface, field by field and in its order, with other people's text as it is. Everything
here is pure. May import the model only.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from tui.model.document import cluster_document, instant
from tui.model.finding import Assessment, Finding, Report, Severity
from tui.model.plan import ApplyResult, Outcome, Plan
from tui.model.snapshot import Source, SourceState

CHECK_SCHEMA = "l2bridge-tui/check/v1"
APPLY_SCHEMA = "l2bridge-tui/apply/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The part of a report that a verb was asked about. ``assessments`` are in the API server's order.

    ``findings`` are those of the selected nodes and those of no node, worst first; ``sources`` Kubernetes and the ones
    that the selected nodes, or the routes of their networks, were looked for in. ``whole`` when it was about the whole
    cluster: else what was found about no node is told, but neither good nor bad news about the nodes that were named.
    """

    report: Report
    assessments: tuple[Assessment, ...]
    findings: tuple[Finding, ...]
    sources: tuple[Source, ...]
    whole: bool

    @classmethod
    def of(cls, report: Report, names: Collection[str] | None) -> "Selection":
        """Select the nodes of these names; None selects all."""
        if names is None:
            return cls(
                report=report,
                assessments=report.assessments,
                findings=report.findings,
                sources=report.snapshot.sources,
                whole=True,
            )
        assessments = tuple(assessment for assessment in report.assessments if assessment.node.name in names)
        uids = {assessment.node.uid for assessment in assessments}
        elsewhere = {
            view.source.name
            for view in report.snapshot.views
            if uids.isdisjoint(view.node_uids) and uids.isdisjoint(view.routed_uids)
        }
        return cls(
            report=report,
            assessments=assessments,
            findings=tuple(finding for finding in report.findings if finding.node is None or finding.node in names),
            sources=tuple(source for source in report.snapshot.sources if source.name not in elsewhere),
            whole=False,
        )

    @property
    def observed(self) -> bool:
        """Tell whether everything that was asked about could be read and judged."""
        return (
            not self.report.synchronising
            and all(source.state is SourceState.OK for source in self.sources)
            and all(finding.severity is not Severity.UNKNOWN for finding in self._asked())
        )

    @property
    def faultless(self) -> bool:
        """Tell whether there is no finding but informative ones about what was asked."""
        return all(finding.severity is Severity.INFO for finding in self._asked())

    def _asked(self) -> Iterator[Finding]:
        return (finding for finding in self.findings if self.whole or finding.node is not None)

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
        "outcomes": [outcome_document(outcome) for outcome in result.outcomes],
        "summary": result.counts(),
    }


def outcome_document(outcome: Outcome) -> dict[str, object]:
    """Write what became of one change."""
    return {
        "change": outcome.change,
        "status": outcome.status.value,
        "message": outcome.message,
        "seconds": round(outcome.seconds, 3),
    }
