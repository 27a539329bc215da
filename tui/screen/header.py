"""The title row: where we are, what we cannot see, whether we may write, and how old the picture is."""

from collections.abc import Callable
from datetime import timedelta

from rich.cells import cell_len

from tui.model.finding import Report
from tui.model.snapshot import Cluster, Snapshot
from tui.screen.format import Line, Span, Tone, age, age_at_report, legible, line, sources


class Freshness:
    """How old the data is now: its age when it was reported, and what has passed on this machine since."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._then: tuple[float, timedelta] | None = None

    def observed(self, snapshot: Snapshot) -> None:
        """Take a newer snapshot."""
        at_report = age_at_report(snapshot)
        self._then = None if at_report is None else (self._monotonic(), at_report)

    def age(self) -> timedelta | None:
        """Return the age; None before anything was observed."""
        if self._then is None:
            return None
        arrived_s, before = self._then
        return before + timedelta(seconds=self._monotonic() - arrived_s)


def title(
    cluster: Cluster, report: Report | None, elapsed: timedelta | None, read_only: bool, width: int
) -> tuple[Line, Line]:
    """Return the left and the right part of the title row, fitted: what is sound is summed up before it is cut."""
    access = Span("RO", Tone.STRONG) if read_only else Span("RW", Tone.FIX)
    known = age(elapsed) if elapsed is not None else Span("no data yet", Tone.NEW)
    if report is not None and report.recorded:
        known = Span("played", Tone.STRONG)
    right = line("  ", access, "  ", known, " ")
    context = Span(legible(cluster.context), Tone.TITLE)
    named = sources(report.snapshot) if report else []
    lost = [span for span in named if span.tone is Tone.BAD]
    sound = len(named) - len(lost)
    room = width - _cells(right)
    whole = line(" ", context, *_joined(named))
    if _cells(whole) <= room:
        return whole, right
    summed = [*lost, Span(f"{sound} source{'' if sound == 1 else 's'} ok", Tone.DIM)] if sound else lost
    shorter = line(" ", context, *_joined(summed))
    if _cells(shorter) <= room or not lost:
        return shorter, right
    return line(" ", Span(f"{len(lost)} of {len(named)} sources LOST x", Tone.BAD), "  ", context), right


def _joined(spans: list[Span]) -> list[Span]:
    return [part for span in spans for part in (Span("  "), span)]


def _cells(parts: Line) -> int:
    return cell_len(parts.text)
