"""What a watch tells, line by line: as text, and as the JSON lines of the public interface.

Everything here is pure. May import the model and what renders.
"""

import json
from collections.abc import Mapping

from tui.model.document import cluster_document, instant
from tui.model.finding import Activity, ActivityKind, Report
from tui.model.rollout import Rollout
from tui.model.text import printable

WATCH_SCHEMA = "l2bridge-tui/watch/v1"

_ABOUT_A_NODE = frozenset(
    {
        ActivityKind.UNROUTABLE,
        ActivityKind.ROUTABLE,
        ActivityKind.RACE_OPENED,
        ActivityKind.RACE_CLOSED,
        ActivityKind.REPLACED,
    }
)
"""What the interface has no type of its own for: told as a change of the node, named by ``event``."""
_ONLY_TEXT = frozenset({ActivityKind.APPLYING, ActivityKind.ARMED, ActivityKind.DISARMED, ActivityKind.NOTE})
"""What the interface has no type for, and is no news for a program either."""
_WIDEST = max(map(len, ActivityKind))


def watch_line(activity: Activity) -> str:
    """Write one event for people, without the end of the line."""
    about = "" if activity.node is None else f"{printable(activity.node)}: "
    return f"{instant(activity.at)}  {activity.kind:<{_WIDEST}}  {about}{printable(activity.text)}"


def watch_json(activity: Activity, report: Report | None) -> str | None:
    """Write one event as a line of ASCII, without its end; None for what is no news for a program."""
    if activity.kind in _ONLY_TEXT:
        return None
    return json.dumps(watch_document(activity, report)).replace("\x7f", "\\u007f")


def watch_document(activity: Activity, report: Report | None) -> Mapping[str, object]:
    """Write one event, of a report where it is still known."""
    event = activity.kind in _ABOUT_A_NODE
    told: dict[str, object] = {
        "schema": WATCH_SCHEMA,
        "at": instant(activity.at),
        "type": (ActivityKind.NODE_CHANGED if event else activity.kind).value,
    }
    if activity.node is not None:
        told["node"] = activity.node
    if event:
        told["event"] = activity.kind.value
    if activity.finding is not None:
        finding = activity.finding
        told |= {"code": finding.code.value, "severity": finding.severity.value, "subject": finding.subject}
    if activity.kind is ActivityKind.SYNCED and report is not None:
        told |= {"cluster": cluster_document(report.snapshot.cluster), "summary": report.counts()}
    return told | {"text": activity.text}


def farewell(report: Report) -> str:
    """Write what a watch has seen in all, as it ends."""
    rollout = report.rollout or Rollout(began_at=report.snapshot.taken_at)
    now = report.snapshot.taken_at
    replaced = sum(pair.replaced for pair in rollout.pairs)
    lost_s = rollout.unroutable_s(now)
    return (
        f"watched {duration((now - rollout.began_at).total_seconds())}: {replaced} of {len(rollout.pairs)} leaving "
        f"nodes replaced, ready nodes unroutable for {duration(lost_s)} in all"
    )


def duration(seconds: float) -> str:
    """Write a length of time with its two greatest units."""
    whole = int(seconds)
    for unit, size, smaller, divisor in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            rest = whole % size // divisor
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"
