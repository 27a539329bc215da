"""The newest report: judged from what the observer knows, published to whoever follows.

May import the checks, ports, model, the observer and the timeline. Safe for several threads.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from time import monotonic

from tui.checks import Judgement, judge
from tui.engine import timeline
from tui.engine.observer import Observer
from tui.engine.record import Page, Record
from tui.meter import Meter
from tui.model.finding import Activity, ActivityKind, Report
from tui.model.history import RecordedApply
from tui.model.rollout import Rollout
from tui.model.snapshot import Snapshot
from tui.model.unfolding import unfold
from tui.model.witness import Witness

_PATIENCE_S = 1.0
"""How long a disk may hold up the end."""


class Reports:
    """Judges what an observer knows, and keeps the newest report, with the timeline inside."""

    def __init__(self, observer: Observer, meter: Meter, record: Record | None) -> None:
        self._observer = observer
        self.meter = meter
        self._record = record
        self._page: Page | None = None
        """What an earlier watch has left; None once there is a report that goes on with it."""
        self._newest: Report | None = None
        self._judgement: Judgement | None = None
        self._pending: list[Activity] = []
        self._witnesses: tuple[Witness, ...] = ()
        self._applies: tuple[RecordedApply, ...] | None = None
        self._changed = threading.Condition()
        self._judging = threading.Lock()
        self._closed = False

    def go_on(self, now: datetime) -> None:
        """Keep a record from now on, and go on with the one that an earlier watch has left."""
        if self._record is not None:
            with self._judging:
                self._record.failed = lambda text: self.note(Activity(at=now, kind=ActivityKind.NOTE, text=text))
                self._page = self._record.go_on(now, timeline.LIMIT)

    @property
    def newest(self) -> Report | None:
        """The newest report; None before the first judgement."""
        return self._newest

    def judge(self, force: bool) -> Report:
        """Judge what is known now and publish it; without ``force`` only when a source has changed its state."""
        with self._judging:
            snapshot = self._observer.snapshot()
            before = self._newest
            if before is not None and not force:
                states = {source.name: source.state for source in before.snapshot.sources}
                if states == {source.name: source.state for source in snapshot.sources}:
                    return before
            known = before.rollout if before else None
            page = None if known is not None and known.listed else self._page
            known = known if page is None else page.rollout()
            snapshot = snapshot if known is None else _with_departed(snapshot, known)
            self._judgement = judge(snapshot, self._judgement)
            judged = self._judgement.report
            judged = replace(judged, rollout=unfold(known, judged))
            with self._changed:
                noted, self._pending = self._pending, []
                new = (*noted, *timeline.changes(before, judged))
                earlier = tuple(page.activity) if page else before.activity if before else ()
                activity = (*earlier, *new)
                self._newest = report = replace(
                    judged,
                    activity=activity[-timeline.LIMIT :],
                    happened=(before.happened if before else 0) + len(new),
                    revision=before.revision + 1 if before else 0,
                    witnesses=self._witnesses,
                    applies=self._applies,
                    calls=self.meter.told(),
                    requests=self.meter.requests(),
                )
                self._changed.notify_all()
            if self._record is not None:
                self._record.add(report, new)
            return report

    def note(self, activity: Activity) -> None:
        """Let the next report tell of this."""
        with self._changed:
            self._pending.append(activity)

    def bear(self, witnesses: tuple[Witness, ...]) -> None:
        """Let the next reports carry these witnesses in place of the last ones."""
        with self._changed:
            self._witnesses = witnesses

    def recall(self, applies: tuple[RecordedApply, ...]) -> None:
        """Let the next reports carry what the journal tells of by now."""
        with self._changed:
            self._applies = applies

    def follow(self, timeout_s: float | None = None) -> Iterator[Report]:
        """Yield the newest report whenever there is one newer than the last; end when closed or the time is up."""
        seen, deadline_s = -1, None if timeout_s is None else monotonic() + timeout_s
        while True:
            with self._changed:
                while not self._closed and (self._newest is None or self._newest.revision <= seen):
                    left_s = None if deadline_s is None else deadline_s - monotonic()
                    if left_s is not None and left_s <= 0:
                        return
                    self._changed.wait(left_s)
                if self._closed or self._newest is None:
                    return
                report = self._newest
            seen = report.revision
            yield report

    def close(self) -> None:
        """Let everybody who follows come to an end, and the record to another process."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._record is not None and self._judging.acquire(timeout=_PATIENCE_S):
            self._record.close()
            self._judging.release()


def _with_departed(snapshot: Snapshot, rollout: Rollout) -> Snapshot:
    """Return the snapshot with what is remembered of nodes that it does not tell of any more."""
    if snapshot.nodes is None:
        return snapshot
    present = {node.uid for node in snapshot.nodes}
    left = (story for uid, story in rollout.stories.items() if uid not in present)
    return replace(snapshot, departed=frozenset(cidr for story in left for cidr in story.pod_cidrs))
