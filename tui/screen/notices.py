"""What stands in place of a list while there is none: nothing is ever just blank."""

from tui.model.finding import Report
from tui.model.snapshot import SourceState
from tui.screen.format import Line, Span, Tone, legible, line


def nothing_yet(report: Report | None) -> list[Line]:
    """Say why there are no nodes to speak of; nothing where there are some."""
    if report is None or report.synchronising:
        if report is not None and report.snapshot.nodes_source.state is not SourceState.OK:
            return [line(Span("The nodes could not be listed yet.", Tone.BAD))]
        return [line(Span("Synchronising: the first complete list of nodes is on its way.", Tone.STRONG))]
    return [] if report.assessments else [line(Span("The cluster has no nodes.", Tone.STRONG))]


def lost_sources(report: Report | None) -> list[Line]:
    """Say what each source that could not be read has to say about it."""
    return [
        line(Span(f"{legible(source.name)} {source.state}: ", Tone.BAD), legible(source.message), indent=2)
        for source in (report.snapshot.sources if report else ())
        if source.message and source.state is not SourceState.OK
    ]
