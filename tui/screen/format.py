"""From the model to cells and lines of toned text: what every pane shows, decided without a terminal.

Pure; may import the model and ``render_text``. Other people's text passes ``legible`` here, so that what leaves this
file is safe.
"""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from tui.model.finding import (
    VERDICTS_WORST_FIRST,
    Code,
    Report,
    Severity,
    Verdict,
)
from tui.model.node import Cloud
from tui.model.snapshot import Snapshot, SourceState
from tui.model.text import printable


class Tone(StrEnum):
    """What a piece of text means; the theme decides how that looks. Never the only carrier of a meaning."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    TITLE = "title"
    KEY = "key"
    OK = "ok"
    FIX = "fix"
    BAD = "bad"
    UNKNOWN = "unknown"
    NEW = "new"


class Elide(StrEnum):
    """Where a text that does not fit loses characters.

    Ids differ at both ends, so they lose their ``MIDDLE``. Host names share their domain, so a ``HOST`` loses that
    first, and then its middle.
    """

    END = "end"
    MIDDLE = "middle"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of safe text on one line."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Line:
    """A line of spans; continuation lines are indented by ``indent`` cells when it must be wrapped."""

    spans: tuple[Span, ...] = ()
    indent: int = 0

    @property
    def text(self) -> str:
        """The line without its tones."""
        return "".join(span.text for span in self.spans)


def line(*spans: Span | str, indent: int = 0) -> Line:
    """Make a line; bare strings are plain."""
    return Line(tuple(Span(span) if isinstance(span, str) else span for span in spans), indent)


_DRAWN = str.maketrans(
    {"·": "|", "→": "->", "…": "~", "─": "-", "│": "|", "—": "-", "↑": "^", "↓": "v", "≤": "<=", "±": "+-"}
)
_SELECTORS = dict.fromkeys([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
"""Variation selectors change a glyph's width in some terminals only, which would shift the rest of the row."""


def legible(text: str, *, ascii_only: bool = False) -> str:
    """Return anybody's text as one safe line of predictable width."""
    if text.isascii() and text.isprintable():
        return text
    safe = printable(unicodedata.normalize("NFC", text).translate(_SELECTORS))
    return to_ascii(safe) if ascii_only else safe


def to_ascii(text: str) -> str:
    """Return the text with our own signs replaced and other characters as escapes."""
    return text if text.isascii() else text.translate(_DRAWN).encode("ascii", "backslashreplace").decode("ascii")


SYMBOLS = {Verdict.OK: "+", Verdict.FIX: "!", Verdict.BAD: "x", Verdict.UNKNOWN: "?", Verdict.NEW: "*"}
TONES = {
    Verdict.OK: Tone.OK,
    Verdict.FIX: Tone.FIX,
    Verdict.BAD: Tone.BAD,
    Verdict.UNKNOWN: Tone.UNKNOWN,
    Verdict.NEW: Tone.NEW,
}
MEANINGS = {
    Verdict.OK: "everything required was observed and is right",
    Verdict.FIX: "something is wrong and a plan can mend it",
    Verdict.BAD: "something is wrong that this program cannot mend",
    Verdict.UNKNOWN: "something could not be observed: no proof of health",
    Verdict.NEW: "the node has no pod CIDR yet",
}


def badge(verdict: Verdict) -> Span:
    """Return word, symbol and tone of a verdict, always five cells wide."""
    return Span(f"{verdict.value} {SYMBOLS[verdict]}".ljust(5), TONES[verdict])


def short_id(resource: str) -> str:
    """Return the last segment of a resource path; the whole text where there are no segments."""
    return resource.rstrip("/").rpartition("/")[2] or resource


def source_name(name: str) -> str:
    """Return a source's name with a subscription's UUID cut to its first group."""
    cloud, separator, scope = name.partition(":")
    return f"{cloud}{separator}{scope[:8]}" if len(scope) == 36 and scope.count("-") == 4 else name


# The rows above and below.


def counters(report: Report | None) -> Line:
    """Count the nodes by verdict, worst first."""
    if report is not None and report.recorded:
        return line(Span(f"as it was at {clock(report.snapshot.taken_at)}", Tone.STRONG))
    if report is None or report.synchronising:
        return line(Span("synchronising", Tone.NEW))
    tally = dict.fromkeys(VERDICTS_WORST_FIRST, 0)
    for assessment in report.assessments:
        tally[assessment.verdict] += 1
    total = len(report.assessments)
    spans = [Span(f"{total} node{'' if total == 1 else 's'}", Tone.STRONG)]
    for verdict, number in tally.items():
        if number:
            spans += [Span("  "), Span(f"{number} {verdict.value} {SYMBOLS[verdict]}", TONES[verdict])]
    beside = beside_nodes(report)
    serious = any(finding.node is None and finding.severity is not Severity.INFO for finding in report.findings)
    if beside:
        spans.append(Span(f"  {beside} !", Tone.FIX) if serious else Span(f"  {beside}", Tone.DIM))
    return line(*spans)


_BESIDE = {
    Code.ROUTE_STRAY: "stray route",
    Code.ROUTE_QUOTA: "full quota",
    Code.ROUTE_CONTROLLER_ACTIVE: "route controller",
}


def beside_nodes(report: Report) -> str:
    """Count what was found about no node, in words; "" when nothing was."""
    counts = Counter(_BESIDE.get(finding.code, "other finding") for finding in report.findings if finding.node is None)
    return ", ".join(f"{number} {what}{'' if number == 1 else 's'}" for what, number in counts.items())


def sources(snapshot: Snapshot) -> list[Span]:
    """Name every source, the lost ones first and with their state in words."""
    lost = [source for source in snapshot.sources if source.state is not SourceState.OK]
    sound = [source for source in snapshot.sources if source.state is SourceState.OK]
    return [
        Span(f"{legible(source_name(source.name))} {source.state.value.upper()} x", Tone.BAD) for source in lost
    ] + [Span(legible(source_name(source.name)), Tone.DIM) for source in sound]


def age_at_report(snapshot: Snapshot) -> timedelta | None:
    """Return how old the oldest cloud read was when the report was made; None before anything was observed.

    A quiet watch is not old, so Kubernetes counts only when it is lost or alone.
    """
    clouds = [view.source for view in snapshot.views]
    counted = clouds if clouds and snapshot.nodes_source.state is SourceState.OK else [snapshot.nodes_source, *clouds]
    instants = [source.observed_at for source in counted if source.observed_at is not None]
    return snapshot.taken_at - min(instants) if instants else None


def age(elapsed: timedelta) -> Span:
    """Return an age in the coarsest words that still tell: nothing on the screen ticks while data is fresh."""
    minutes = int(elapsed.total_seconds() // 60)
    if minutes < 1:
        return Span("data <1m", Tone.DIM)
    words = f"{minutes}m" if minutes < 120 else f"{minutes // 60}h"
    return Span(f"data {words} OLD !" if minutes >= 3 else f"data {words} old", Tone.BAD if minutes >= 3 else Tone.FIX)


def clock(at: datetime) -> str:
    """Return the time of day in UTC, to the second."""
    return at.astimezone(UTC).strftime("%H:%M:%SZ")


CLOUD_NAMES = {Cloud.AWS: "EC2", Cloud.GCE: "Compute Engine", Cloud.AZURE: "Azure", Cloud.NONE: "no cloud"}
