"""The clusters that could be looked at instead, and what was last seen of each: a small file per cluster.

The file is JSON, mode 0600, and is replaced as a whole. One that is torn, of another version or about another cluster
counts as none. May import ports and model.
"""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tui.engine.files import cluster_file, write_whole
from tui.model.document import instant
from tui.model.fields import Fields
from tui.model.finding import Report, Verdict
from tui.model.snapshot import Cluster, PlacementState, SourceState

_SCHEMA = "l2bridge-tui/state/v1"
_MOST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LastState:
    """How many nodes of a cluster had which verdict at an instant."""

    at: datetime
    counts: Mapping[Verdict, int]

    @classmethod
    def of(cls, report: Report | None) -> "LastState | None":
        """Return what a report tells; None where it tells of no node's state: nothing was read, or it is played."""
        if report is None or report.recorded or report.synchronising:
            return None
        snapshot = report.snapshot
        unseen = any(one.placement.state is PlacementState.UNOBSERVED for one in report.assessments)
        if unseen and not snapshot.views:
            return None
        # A quiet watch is not old; one that is lost tells of the past.
        lost = snapshot.nodes_source.state is not SourceState.OK
        at = (snapshot.nodes_source.observed_at if lost else None) or snapshot.taken_at
        return cls(at=at, counts=Counter(one.verdict for one in report.assessments))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A context, or a scenario of the embedded world, that could be looked at.

    ``cluster`` is None where the context cannot be used as it stands; whoever opens it is told why.
    """

    name: str
    cluster: Cluster | None
    read_only: bool
    protected: bool
    last: LastState | None


def state_file(folder: Path, cluster: Cluster) -> Path:
    """Return where it stands what was last seen of a cluster."""
    return cluster_file(folder, "state", cluster, ".json")


def keep_state(folder: Path, report: Report | None) -> None:
    """Write down what a report tells of its cluster. What cannot be written is not missed."""
    state = LastState.of(report)
    if report is None or state is None:
        return
    cluster = report.snapshot.cluster
    path = state_file(folder, cluster)
    document = {
        "schema": _SCHEMA,
        "context": cluster.context,
        "server": cluster.server,
        "at": instant(state.at),
        "counts": {str(verdict): number for verdict, number in state.counts.items()},
    }
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, json.dumps(document) + "\n")


def last_state(folder: Path, cluster: Cluster) -> LastState | None:
    """Return what was last seen of a cluster; None where nothing was, or it cannot be read."""
    try:
        with state_file(folder, cluster).open("rb") as file:
            told = Fields.of(json.loads(file.read(_MOST_BYTES)), "the state")
        if (told.text("schema"), told.text("context"), told.text("server")) != (
            _SCHEMA,
            cluster.context,
            cluster.server,
        ):
            return None
        at = datetime.fromisoformat(told.text("at"))
        counts = told.fields("counts")
        numbers = {Verdict(name): counts.number(name) for name in counts.values}
    except (OSError, ValueError, RecursionError):
        return None
    if at.tzinfo is None or any(type(number) is not int or number < 0 for number in numbers.values()):
        return None
    return LastState(at=at, counts={verdict: int(number) for verdict, number in numbers.items()})
