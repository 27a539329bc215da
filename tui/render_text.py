"""What a person reads without the screen: reports, plans and results as lines of text.

Pure; signs of our own are ASCII, other people's text is made safe. May import the model, ``render`` and
``render_plan`` only.
"""

import shlex
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from tui.model.change import Change
from tui.model.document import instant
from tui.model.finding import (
    VERDICTS_WORST_FIRST,
    Assessment,
    Code,
    Finding,
    Forwarding,
    Layer2,
    Report,
    RouteState,
    Severity,
    Verdict,
)
from tui.model.plan import ApplyResult, Outcome, Plan, Remark, RunStep, Status
from tui.model.snapshot import SourceState
from tui.model.text import printable
from tui.model.witness import Witness
from tui.render import Selection
from tui.render_plan import change_title, node_words, plan_lines

_VERDICTS = {
    Verdict.BAD: "BAD x",
    Verdict.FIX: "FIX !",
    Verdict.UNKNOWN: "??  ?",
    Verdict.NEW: "NEW *",
    Verdict.OK: "OK  +",
}
FORWARDING_WORDS = {
    Forwarding.ON: "on",
    Forwarding.OFF: "OFF",
    Forwarding.NOT_REQUIRED: "-",
    Forwarding.UNKNOWN: "?",
}
LAYER2_WORDS = {
    Layer2.SAME: "same L2",
    Layer2.DIFFERENT: "OTHER L2",
    Layer2.NOT_REQUIRED: "-",
    Layer2.UNKNOWN: "L2 ?",
}
ROUTE_WORDS = {
    RouteState.OK: "route ok",
    RouteState.MISSING: "MISSING",
    RouteState.BLACKHOLE: "BLACKHOLE",
    RouteState.WRONG_NEXT_HOP: "WRONG HOP",
    RouteState.DUPLICATE: "DUPLICATE",
    RouteState.UNKNOWN: "route ?",
}
"""Every state of a route but ``NOT_REQUIRED``: there, layer 2 is spoken of."""

_NEXT_STEPS = {
    Code.LAYER2_DIFFERENT: "move the node into the others' subnet, or use a flannel backend that can cross subnets",
    Code.PODCIDR_MISSING: "wait; if it stays, see that the controller manager allocates node CIDRs and has some left",
    Code.PODCIDR_OVERLAP: "pod CIDRs are assigned for good: drain and delete one of the two, and let it register anew",
    Code.INSTANCE_NOT_FOUND: "if the VM is gone, delete the Node object; else say where it is (--cloud, --aws-region, "
    "--gcp-project)",
    Code.BACKEND_NOT_HOST_GW: "nothing, if that is meant; else set host-gw in flannel's configuration and restart it",
    Code.ROUTE_SHADOWED: "delete the more specific route, or move what it is for out of the pod CIDR",
}
"""What a person can do about what no plan mends."""
_OBSERVE_AGAIN = "nothing is proven: check again once it can be observed"


def text_of(lines: Iterable[str]) -> str:
    """Return lines as one text."""
    return "".join(f"{line}\n" for line in lines)


def report_lines(report: Report, names: Collection[str] | None, *, program: str) -> Iterator[str]:
    """Yield a report, or its part about the nodes of these names. ``program`` is how hints call this program."""
    selection = Selection.of(report, names)
    yield from _heading(selection)
    yield ""
    if report.synchronising:
        yield "The nodes could not be listed, so that nothing can be judged."
    elif not report.assessments:
        yield "The cluster has no nodes."
    else:
        yield from _table(selection.assessments)
    yield from _findings(selection, program)
    yield from _lost_sources(selection)
    yield ""
    yield from _closing(selection, names, program)


def _heading(selection: Selection) -> Iterator[str]:
    snapshot = selection.report.snapshot
    cidrs = ", ".join(map(str, snapshot.cluster.pod_cidrs)) or "unknown"
    sound = ", ".join(printable(source.name) for source in selection.sources if source.state is SourceState.OK)
    yield f"Cluster {printable(snapshot.cluster.context)} at {printable(snapshot.cluster.server)}, pod CIDRs {cidrs}"
    yield f"Observed {instant(snapshot.taken_at)} from {sound or 'no source at all'}"


# The table.


def _table(assessments: Iterable[Assessment]) -> Iterator[str]:
    ordered = sorted(assessments, key=lambda assessment: VERDICTS_WORST_FIRST.index(assessment.verdict))
    return aligned([("STATE", "NODE", "OS", "POD CIDR", "FWD", "ROUTE/L2"), *map(_row, ordered)])


def _row(assessment: Assessment) -> tuple[str, ...]:
    node = assessment.node
    return (
        _VERDICTS[assessment.verdict],
        printable(node.name),
        printable(node.os or "-"),
        ",".join(map(str, node.pod_cidrs)) or "none yet",
        FORWARDING_WORDS[assessment.forwarding],
        _way(assessment),
    )


def _way(assessment: Assessment) -> str:
    """Return how pod packets reach the node: by the worst of its routes, else by layer 2."""
    return ROUTE_WORDS.get(assessment.worst_route, LAYER2_WORDS[assessment.layer2])


_WIDEST = 64


def aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows of equally many cells as lines whose columns stand below each other on a terminal.

    A cell of more than 64 columns shifts the rest of its own row only.
    """
    widths = [max(min(cells(cell), _WIDEST) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell + " " * (width - cells(cell)) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()


def cells(text: str) -> int:
    """Return how many columns of a terminal a safe text takes: East Asian wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(character) in {"Mn", "Me"} else 2 if _is_wide(character) else 1 for character in text
    )


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in {"W", "F"}


# The findings.


def _findings(selection: Selection, program: str) -> Iterator[str]:
    order = {
        assessment.node.name: VERDICTS_WORST_FIRST.index(assessment.verdict) for assessment in selection.assessments
    }
    found = sorted(selection.findings, key=lambda finding: (order.get(finding.node or "", -1), finding.node or ""))
    for node, findings in groupby(found, key=lambda finding: finding.node):
        yield ""
        yield "Cluster" if node is None else printable(node)
        for finding in findings:
            yield f"  {finding.severity} {finding.code}: {printable(finding.summary)}"
            step = next_step(finding, program)
            if step is not None:
                yield f"    next: {step}"


def next_step(finding: Finding, program: str) -> str | None:
    """Say what to do about a finding; None where its summary says everything."""
    if finding.fixable:
        about = "--prune" if finding.node is None else shlex.quote(printable(finding.node))
        return f"{program} plan {about}"
    if finding.severity is Severity.UNKNOWN:
        return _OBSERVE_AGAIN
    if finding.obstacle is not None:
        return f"by hand: {printable(finding.obstacle)}"
    return _NEXT_STEPS.get(finding.code)


def _lost_sources(selection: Selection) -> Iterator[str]:
    lost = [source for source in selection.sources if source.state is not SourceState.OK]
    if lost:
        yield ""
        yield "Not everything could be observed:"
        for source in lost:
            yield f"  {printable(source.name)} {source.state}: {printable(source.message or 'no reason was given')}"


def _closing(selection: Selection, names: Collection[str] | None, program: str) -> Iterator[str]:
    yield counted(selection)
    fixable = {finding.node for finding in selection.findings if finding.fixable and finding.node is not None}
    strays = sum(finding.fixable and finding.node is None for finding in selection.findings)
    if strays:
        them = "it" if strays == 1 else "them"
        yield f"{_number(strays, 'stray route')}. See the plan that deletes {them}: {program} plan --prune"
    if fixable:
        arguments = "" if names is None else " " + shlex.join(map(printable, sorted(fixable)))
        yield f"{_number(len(fixable), 'node')} can be fixed. See what would be changed: {program} plan{arguments}"
    elif not strays and selection.observed and selection.faultless:
        yield "Everything required was observed and is right."


def counted(selection: Selection) -> str:
    """Return the counters in one line."""
    counts = selection.counts()
    total = _number(counts.pop("nodes"), "node")
    return f"{total}: " + ", ".join(f"{count} {name}" for name, count in counts.items())


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


# Plans and results.


def plan_text(plan: Plan) -> Iterator[str]:
    """Yield a plan for a named cluster as a diff."""
    yield f"Cluster {printable(plan.cluster.context)} at {printable(plan.cluster.server)}"
    yield ""
    for line in plan_lines(plan):
        yield line.text


_STATUSES = {
    Status.APPLIED: "applied and verified",
    Status.ALREADY_SO: "already so",
    Status.REFUSED: "REFUSED",
    Status.FAILED: "FAILED",
    Status.INDETERMINATE: "INDETERMINATE",
    Status.SKIPPED: "skipped",
}


def step_line(step: RunStep) -> str:
    """Return one step of a run."""
    if isinstance(step, Remark):
        about = "" if step.change is None else f"{_title(step.change)}: "
        return f"{about}{printable(step.text)}"
    if step.outcome is None:
        return f"{_title(step.change)} ..."
    return f"[{step.done}/{step.total}] {_title(step.change)}: {_outcome(step.outcome)}"


def result_lines(result: ApplyResult, plan: Plan, *, program: str) -> Iterator[str]:
    """Yield every change with its outcome, the sum, and what to do about what did not succeed."""
    changes = {change.id: change for change in plan.changes}
    for outcome in result.outcomes:
        yield f"{_title(changes[outcome.change])}: {_outcome(outcome)}"
    yield ""
    counts = ", ".join(f"{count} {status}" for status, count in result.counts().items() if count)
    yield f"Apply {result.id}{_taking_back(plan)}: {counts}."
    if result.good:
        return
    if plan.undoes is None:
        yield f"Not everything is done. See what is left: {program} plan"
    else:
        yield f"Not everything is taken back. See what is: {program} journal {result.id}"


def _taking_back(plan: Plan) -> str:
    return "" if plan.undoes is None else f", which takes back {plan.undoes}"


NOTHING_TO_UNDO = "Nothing to undo: no apply in the journal has changed anything that still stands."
_DIFFERENCES = 3


def witness_line(witness: Witness) -> str:
    """Return what the fabric was seen to do, with the first few of the pod CIDRs that it does not deliver."""
    asked, seen = len(witness.agrees) + len(witness.differs), f"seen from {printable(witness.node)}"
    if not witness.differs:
        return f"the fabric agrees on {_number(asked, 'pod CIDR')}, {seen}"
    told = [f"{cidr}: {printable(what)}" for cidr, what in list(witness.differs.items())[:_DIFFERENCES]]
    more = [f"{len(witness.differs) - len(told)} more"] if len(witness.differs) > len(told) else []
    number = f"{len(witness.differs)} of {_number(asked, 'pod CIDR')}"
    return f"the fabric differs on {number}, {seen}: {'; '.join(told + more)}"


def _title(change: Change) -> str:
    return f"{change_title(change)} ({node_words(change)})"


def _outcome(outcome: Outcome) -> str:
    why = f": {printable(outcome.message)}" if outcome.message else ""
    return f"{_STATUSES[outcome.status]}{why} ({outcome.seconds:.1f} s)"
