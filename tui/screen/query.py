"""The filter's grammar: what the operator types after ``/``, turned into a predicate. May import format only.

Terms are separated by spaces and must all hold: ``win`` is a regular expression searched in everything the row says,
``!win`` must not be found, ``@error`` asks for a verdict or a severity, ``os:win`` is searched in that field alone. A
broken expression is taken as plain text.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from tui.model.finding import Assessment, Severity, Verdict
from tui.screen.node_cells import NODE_COLUMNS

Item = TypeVar("Item")
Predicate = Callable[[Assessment], bool]

_VERDICTS = {
    "ok": Verdict.OK,
    "healthy": Verdict.OK,
    "fix": Verdict.FIX,
    "bad": Verdict.BAD,
    "?": Verdict.UNKNOWN,
    "??": Verdict.UNKNOWN,
    "new": Verdict.NEW,
}


def parse(text: str) -> Predicate:
    """Return the predicate of a filter over nodes; the empty filter holds for every node."""
    return parse_rows(text, haystack, _judgement, _FIELDS)


def parse_rows(
    text: str,
    said: Callable[[Item], str],
    judged: Callable[[str], Callable[[Item], bool]],
    fields: Mapping[str, Callable[[Item], str]],
) -> Callable[[Item], bool]:
    """Return the predicate of a filter over rows; the empty filter always holds.

    ``said`` is all that a row says, ``judged`` what the word after an ``@`` asks for, ``fields`` what else can be
    asked for, by name.
    """

    def read(term: str) -> Callable[[Item], bool]:
        if term.startswith("!") and len(term) > 1:
            inner = read(term[1:])
            return lambda item: not inner(item)
        if term.startswith("@") and len(term) > 1:
            return judged(term[1:].lower())
        name, _, wanted = term.partition(":")
        where = fields.get(name.lower()) if wanted else None
        pattern = _pattern(term if where is None else wanted)
        return lambda item: pattern.search((where or said)(item)) is not None

    terms = [read(term) for term in text.split()]
    return lambda item: all(term(item) for term in terms)


def parse_text(text: str) -> Callable[[str], bool]:
    """Return the predicate of a filter over plain text: expressions and ``!`` alone; the empty filter always holds."""
    terms = [(term.startswith("!") and len(term) > 1, term) for term in text.split()]
    wanted = [(inverse, _pattern(term.removeprefix("!") if inverse else term)) for inverse, term in terms]
    return lambda line: all((pattern.search(line) is None) is inverse for inverse, pattern in wanted)


def _pattern(term: str) -> re.Pattern[str]:
    try:
        return re.compile(term, re.IGNORECASE)
    except re.error:
        return re.compile(re.escape(term), re.IGNORECASE)


def _judgement(word: str) -> Predicate:
    """Ask for a verdict or a severity; the beginning of one is enough while it is being typed."""
    verdicts = {verdict for name, verdict in _VERDICTS.items() if name.startswith(word)}
    severities = {severity for severity in Severity if severity.startswith(word)}
    return lambda assessment: (
        assessment.verdict in verdicts or any(finding.severity in severities for finding in assessment.findings)
    )


_FIELDS: Mapping[str, Callable[[Assessment], str]] = {
    "cloud": lambda a: a.cloud,
    "os": lambda a: a.node.os or "",
    "pool": lambda a: a.node.pool or "",
    "zone": lambda a: a.node.zone or "",
    "label": lambda a: " ".join(f"{name}={value}" for name, value in a.node.labels.items()),
}


def haystack(assessment: Assessment) -> str:
    """Return everything that a row says about its node, and the codes of its findings."""
    node = assessment.node
    return " ".join(
        [
            *(column.cell(assessment).text for column in NODE_COLUMNS[1:]),
            node.os or "",
            assessment.cloud,
            *map(str, node.pod_cidrs),
            *map(str, node.addresses),
            *(finding.code for finding in assessment.findings),
        ]
    )
