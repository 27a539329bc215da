"""A watch from its record: the same façade, on which nothing is observed and nothing can be written.

May import the session, the record, ports and the model.
"""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

from tui.engine import timeline
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.record import Page, read_record
from tui.engine.session import Session
from tui.model.aftermath import Aftermath
from tui.model.finding import Report
from tui.model.snapshot import Cluster, Scope, Snapshot, Source, SourceState
from tui.ports import Clock, ClusterFacts, Misconfigured, NodeEvent, NodeList, Unavailable

_LONGEST_PAUSE_S = 2.0
"""However long nothing happened."""


class Replay(Session):
    """Plays a record, ``speed`` times as fast as it was; ``refresh`` plays it from the start.

    Raises ``Misconfigured`` when the file is no record.
    """

    recorded = True

    def __init__(self, path: Path, clock: Clock, *, speed: float) -> None:
        self._path = path
        self._speed = speed
        self._wake = threading.Event()
        self._over = False
        self._shown: Report | None = None
        cluster = Cluster(context=_checked(path).context, server="")
        nobody = _Nobody(cluster)
        super().__init__(
            nodes=nobody,
            observer=Observer(nodes=nobody, reader=lambda _: None, clock=clock, scope=Scope()),
            reader=lambda _: None,
            writing=None,
            journal=Journal(path.parent / "none.jsonl", clock),
            clock=clock,
        )

    @property
    def newest(self) -> Report | None:
        """What is shown now."""
        return self._shown

    def start(self, interval_s: float = 0, *, recorded: bool = False) -> None:
        """There is nothing to begin: the record plays as it is followed."""

    def refresh(self) -> None:
        """Play it from the start."""
        self._wake.set()

    def look_back(self, *, record: bool) -> Aftermath | None:
        """Return None: a record tells of no apply that is cut off."""

    def close(self) -> None:
        """End what follows."""
        self._over = True
        self._wake.set()

    def reports(self, timeout_s: float | None = None) -> Iterator[Report]:
        """Yield a report per line of the record, at its pace, again and again as it is asked for; end when closed."""
        del timeout_s
        revision = 0
        while not self._over:
            self._wake.clear()
            before, happened = None, 0
            for page in read_record(self._path, timeline.LIMIT):
                if self._wake.wait(self._pause_s(before, page.at)):
                    break
                before, happened, revision = page.at, happened + len(page.news), revision + 1
                self._shown = self._report_of(page, happened, revision)
                yield self._shown
            self._wake.wait()

    def _pause_s(self, before: datetime | None, at: datetime) -> float:
        gap = timedelta() if before is None else at - before
        return min(_LONGEST_PAUSE_S, max(0.0, gap.total_seconds() / self._speed))

    def _report_of(self, page: Page, happened: int, revision: int) -> Report:
        source = Source(name="record", state=SourceState.OK, observed_at=page.at)
        return Report(
            snapshot=Snapshot(taken_at=page.at, cluster=self.cluster, scope=Scope(), nodes=None, nodes_source=source),
            assessments=(),
            findings=(),
            activity=tuple(page.activity),
            happened=happened,
            revision=revision,
            rollout=page.rollout(),
            recorded=True,
        )


class _Nobody:
    """A cluster that is not asked."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def cluster(self) -> Cluster:
        return self._cluster

    def list(self) -> NodeList:
        self._refuse()

    def watch(self, since: str) -> Iterator[NodeEvent]:
        del since
        self._refuse()

    def facts(self) -> ClusterFacts:
        self._refuse()

    def identity(self) -> str | None:
        return None

    def close(self) -> None:
        """There is nothing to close."""

    def _refuse(self) -> NoReturn:
        raise Unavailable("a record is played: no cluster is asked")


def _checked(path: Path) -> Page:
    """Return the last page of a record, each of whose lines can be read. Raises ``Misconfigured``."""
    last = None
    for page in read_record(path, timeline.LIMIT):
        last = page
    if last is None:
        raise Misconfigured(f"the record {path} tells of nothing yet")
    return last
