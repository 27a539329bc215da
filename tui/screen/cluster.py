"""What was found about the cluster as a whole: stray routes, quotas, another writer of routes."""

from collections.abc import Iterable, Iterator

from tui.model.finding import Code, Finding, Severity
from tui.render_text import next_step
from tui.screen.dialog import Notice
from tui.screen.format import Line, Span, Tone, legible, line

SEVERITY_TONES = {
    Severity.ERROR: Tone.BAD,
    Severity.WARNING: Tone.FIX,
    Severity.UNKNOWN: Tone.UNKNOWN,
    Severity.INFO: Tone.DIM,
}


class ClusterFindings(Notice):
    """Every finding about no node, worst first, with what to do about it."""

    def __init__(self, findings: Iterable[Finding], *, writable: bool, ascii_only: bool) -> None:
        title = line(Span("Found beside the nodes", Tone.TITLE))
        super().__init__(title, cluster_lines(findings, writable=writable), ascii_only=ascii_only)


def cluster_lines(findings: Iterable[Finding], *, writable: bool) -> Iterator[Line]:
    """Yield the findings about no node. ``writable`` says whether the console can plan a deletion."""
    found = [finding for finding in findings if finding.node is None]
    if not found:
        yield line("Nothing: all that was found is about nodes.")
    strays = sum(finding.code is Code.ROUTE_STRAY and finding.fixable for finding in found)
    if strays:
        routes = "1 stray route leads" if strays == 1 else f"{strays} stray routes lead"
        yield line(Span(routes, Tone.STRONG), " pod addresses to where no node has them.", indent=2)
        if writable:
            yield line(Span(":prune", Tone.KEY), " plans the deletion; nothing changes before you confirm.", indent=2)
        yield line()
    for finding in found:
        about = Span(f"{finding.severity} {finding.code}: ", SEVERITY_TONES[finding.severity])
        yield line(about, legible(finding.summary), indent=2)
        done = finding.fixable or finding.severity is Severity.INFO
        step = None if done else next_step(finding, "l2bridge-tui")
        if step is not None:
            yield line("  ", Span("next: ", Tone.KEY), legible(step), indent=4)
