"""Why a node has its verdict: the page of each finding, what could not be read, or what was found right."""

from collections.abc import Iterator
from itertools import groupby

from tui.model.finding import Assessment, Code, Finding, Report, Severity, Verdict
from tui.model.snapshot import SourceState
from tui.pages import PAGES
from tui.screen.chain import drawn, links
from tui.screen.cluster import SEVERITY_TONES
from tui.screen.dialog import Notice
from tui.screen.format import MEANINGS, Line, Span, Tone, badge, legible, line, source_name

_LABEL = 9


class Explanation(Notice):
    """The verdict of one node, as far as it can be explained."""

    def __init__(self, assessment: Assessment, report: Report, *, ascii_only: bool) -> None:
        name = Span(legible(assessment.node.name), Tone.TITLE)
        title = line(badge(assessment.verdict), " ", name, f": {MEANINGS[assessment.verdict]}")
        super().__init__(title, explanation(assessment, report), ascii_only=ascii_only)


def explanation(assessment: Assessment, report: Report) -> Iterator[Line]:
    """Yield the findings, worst first, each kind of them with its page; of a healthy node, what was looked at."""
    for (severity, code), found in groupby(assessment.findings, lambda finding: (finding.severity, finding.code)):
        for finding in found:
            yield from _told(finding)
        if severity is not Severity.UNKNOWN:
            yield from _page(code)
        yield line()
    if assessment.worst is Severity.UNKNOWN:
        yield from _lost(assessment, report)
    if assessment.healthy:
        yield from _right(assessment, report)


def explained(finding: Finding) -> Iterator[Line]:
    """Yield what was found, and its page."""
    yield from _told(finding)
    yield from _page(finding.code)


def _told(finding: Finding) -> Iterator[Line]:
    about = Span(f"{finding.severity} {finding.code}: ", SEVERITY_TONES[finding.severity])
    yield line(about, legible(finding.summary), indent=2)
    if finding.obstacle is not None:
        yield line("  ", Span(legible(finding.obstacle), Tone.BAD), indent=2)


def _page(code: Code) -> Iterator[Line]:
    for label, text in PAGES[code].sections():
        yield line("  ", Span(f"{label:<{_LABEL}}", Tone.KEY), text, indent=2 + _LABEL)


def _lost(assessment: Assessment, report: Report) -> Iterator[Line]:
    """Tell what could not be read, of the node's cloud and of the cluster."""
    yield line("Neither a fault nor health is proven. ", Span("ctrl+r", Tone.KEY), " in the list reads again.")
    yield line()
    yield line(Span("Could not be read", Tone.TITLE))
    for source in report.snapshot.sources:
        concerns = source.name.partition(":")[0] in {"kubernetes", assessment.cloud}
        if concerns and source.state is not SourceState.OK:
            why = legible(source.message or "no reason was given")
            yield line(Span(f"{legible(source_name(source.name))} {source.state}: ", Tone.BAD), why, indent=2)
    for link in links(assessment, report):
        if link.verdict is Verdict.UNKNOWN:
            yield from drawn(link, fix_key=None, full=True)


def _right(assessment: Assessment, report: Report) -> Iterator[Line]:
    yield line(Span("Looked at and found right", Tone.TITLE))
    for link in links(assessment, report):
        yield from drawn(link, fix_key=None, full=True)
    yield line()
    unseen = "Not looked at: firewalls, security groups, network policies, and what runs inside of the VM."
    yield line(Span(unseen, Tone.DIM))
