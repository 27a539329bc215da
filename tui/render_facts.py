"""What was observed, as it is: every field by its name, null where nothing was observed.

Pure; may import the model only.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from tui.model.document import instant
from tui.model.finding import Assessment
from tui.model.network import RouteTable
from tui.model.standing import RouteRow

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def node_facts(assessment: Assessment) -> dict[str, object]:
    """Return what is known of a node, and what was concluded."""
    return {
        "node": _plain(assessment.node),
        "placement": _plain(assessment.placement),
        "subnet": _plain(assessment.subnet),
        "routes": _plain(assessment.routes),
        "concluded": {
            "verdict": assessment.verdict.value,
            "forwarding": assessment.forwarding.value,
            "layer2": assessment.layer2.value,
            "findings": [_finding(finding) for finding in assessment.findings],
        },
    }


def route_facts(row: RouteRow) -> dict[str, object]:
    """Return what is known of a route or of a table, and what was concluded."""
    return {
        "route": _plain(row.route),
        "table": None if row.place is None else _plain(row.place.table),
        "source": None if row.place is None else row.place.source.name,
        "concluded": {
            "standing": row.standing.value,
            "nodes": [owner.node.name for owner in row.owners],
            "ours": row.ours,
            "finding": None if row.finding is None else _finding(row.finding),
        },
    }


def _finding(finding: object) -> object:
    told = _plain(finding)
    return {name: value for name, value in told.items() if name != "remedy"} if isinstance(told, dict) else told


def _plain(value: object) -> object:
    """Return a value in JSON's own types."""
    if is_dataclass(value) and not isinstance(value, type):
        value = _told(value)
    match value:
        case Enum():
            return value.value
        case datetime():
            return instant(value)
        case Mapping():
            return {str(name): _plain(each) for name, each in value.items()}
        case frozenset():
            return sorted(map(str, value))
        case tuple() | list():
            return [_plain(each) for each in value]
        case _:
            return value if value is None or isinstance(value, bool | int | float) else str(value)


def _told(value: "DataclassInstance") -> dict[str, object]:
    """Return the fields that stand in a value's repr; of a table the number of its routes, each of which has a row."""
    told = {field.name: getattr(value, field.name) for field in fields(value) if field.repr}
    return told | {"routes": len(value.routes)} if isinstance(value, RouteTable) else told
