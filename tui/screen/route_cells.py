"""From a route's row to cells, and to what the filter finds in it. Pure; may import model, format and query."""

from collections.abc import Callable, Mapping

from tui.model.finding import RouteState, Severity, Verdict
from tui.model.standing import SOUND, RouteRow, Standing
from tui.render_text import ROUTE_WORDS
from tui.screen.columns import Column
from tui.screen.format import SYMBOLS, TONES, Elide, Span, Tone, legible, short_id
from tui.screen.query import parse_rows

_WORDS: Mapping[Standing, str] = {
    Standing.MISSING: ROUTE_WORDS[RouteState.MISSING],
    Standing.NO_TABLE: "NO TABLE",
    Standing.BLACKHOLE: ROUTE_WORDS[RouteState.BLACKHOLE],
    Standing.WRONG_NEXT_HOP: ROUTE_WORDS[RouteState.WRONG_NEXT_HOP],
    Standing.SHADOWING: "SHADOWS",
    Standing.DUPLICATE: ROUTE_WORDS[RouteState.DUPLICATE],
    Standing.FULL: "FULL",
    Standing.UNKNOWN: "??",
    Standing.STRAY: "STRAY",
    Standing.TABLE: "table",
    Standing.OK: "OK",
    Standing.OTHER: "other",
}


def verdict(row: RouteRow) -> Verdict | None:
    """Return the row in one word, as a node's: can a plan mend it? None where there is nothing to judge."""
    if row.standing in SOUND:
        return Verdict.OK if row.standing is Standing.OK else None
    if row.standing is Standing.UNKNOWN:
        return Verdict.UNKNOWN
    return Verdict.FIX if row.finding is not None and row.finding.fixable else Verdict.BAD


def state(row: RouteRow) -> Span:
    """Return word, symbol and tone: the word says what is wrong, the symbol whether a plan can mend it."""
    judged = verdict(row)
    symbol, tone = ("-", Tone.DIM) if judged is None else (SYMBOLS[judged], TONES[judged])
    return Span(f"{_WORDS[row.standing]} {symbol}", tone)


def counted(number: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def room(row: RouteRow) -> str:
    """Return how many routes are in a table, of how many that fit where this is known; "" without a table."""
    if row.place is None:
        return ""
    quota = row.place.table.quota
    return counted(len(row.place.table.routes), "route") if quota is None else f"{quota.used}/{quota.limit} used"


def _absent() -> Span:
    return Span("-", Tone.DIM)


def _destination(row: RouteRow) -> Span:
    if row.destination is not None:
        return Span(str(row.destination))
    return Span(room(row), Tone.DIM) if row.place is not None else _absent()


def _node(row: RouteRow) -> Span:
    if row.destination is None:
        nodes = len(row.owners) if row.place is None else sum(row.place.followers.values())
        return Span(counted(nodes, "node"), Tone.DIM)
    if not row.owners:
        return _absent()
    more = f" +{len(row.owners) - 1}" if len(row.owners) > 1 else ""
    return Span(legible(row.owners[0].node.name) + more)


def _hop(row: RouteRow) -> Span:
    if row.route is not None:
        return Span(legible(short_id(row.route.next_hop.label)))
    if row.place is None or row.destination is not None:
        return _absent()
    return Span(counted(len(row.place.followers), "subnet"), Tone.DIM)


def _table(row: RouteRow) -> Span:
    if row.place is not None:
        return Span(legible(row.place.table.name))
    return Span(f"subnet {legible(short_id(row.where))}", Tone.DIM) if row.where else _absent()


def _whose(row: RouteRow) -> Span:
    if row.route is None:
        return _absent()
    return Span("ours") if row.ours else Span("foreign", Tone.DIM)


def _priority(row: RouteRow) -> Span:
    priority = None if row.route is None else row.route.priority
    return _absent() if priority is None else Span(str(priority))


def _name(row: RouteRow) -> Span:
    return _absent() if row.route is None else Span(legible(row.route.name))


ROUTE_COLUMNS: tuple[Column[RouteRow], ...] = (
    Column(title="STATE", width=11, kept=True, cell=state, order=lambda row: list(Standing).index(row.standing)),
    Column(title="DESTINATION", width=18, ideal=20, kept=True, elide=Elide.MIDDLE, cell=_destination),
    Column(title="NODE", width=13, ideal=40, elide=Elide.HOST, cell=_node),
    Column(title="NEXT HOP", width=13, ideal=24, elide=Elide.MIDDLE, cell=_hop),
    Column(title="TABLE", width=9, ideal=30, elide=Elide.MIDDLE, cell=_table),
    Column(title="WHOSE", width=7, cell=_whose),
    Column(title="PRIO", width=5, cell=_priority),
    Column(title="ROUTE", width=24, ideal=48, elide=Elide.MIDDLE, cell=_name),
)
"""From left to right; where room is short the right ones give way first."""


def parse_routes(text: str) -> Callable[[RouteRow], bool]:
    """Return the predicate of a filter over routes; the empty filter holds for every row."""
    return parse_rows(text, _said, _judged, _FIELDS)


_FIELDS: Mapping[str, Callable[[RouteRow], str]] = {
    "cloud": lambda row: row.place.source.name.partition(":")[0] if row.place is not None else _clouds(row),
    "node": lambda row: " ".join(owner.node.name for owner in row.owners),
    "table": lambda row: _table(row).text,
}


def _clouds(row: RouteRow) -> str:
    return " ".join({owner.cloud for owner in row.owners})


def _said(row: RouteRow) -> str:
    """Return everything that a row says, with the code of what was found."""
    cells = [column.cell(row).text for column in ROUTE_COLUMNS]
    owners = (owner.node.name for owner in row.owners)
    where = () if row.place is None else (row.place.table.id, row.place.source.name)
    return " ".join((*cells, *owners, *where, row.where, row.finding.code if row.finding is not None else ""))


def _judged(word: str) -> Callable[[RouteRow], bool]:
    """Ask for a state, or for how bad it is; the beginning is enough while it is being typed."""
    states = {standing for standing in Standing if standing.startswith(word)}
    states |= {Standing.UNKNOWN} if word in {"?", "??"} else set()
    verdicts = {each for each in (Verdict.FIX, Verdict.BAD) if each.lower().startswith(word)}
    severities = {severity for severity in Severity if severity.startswith(word)}
    return lambda row: (
        row.standing in states
        or verdict(row) in verdicts
        or (row.finding is not None and row.finding.severity in severities)
    )
