"""Fixes for new nodes without a question each, within what an operator has armed.

A layer over the session, like an operator's hand: every change goes through the same plan, applier, lock and journal.
May import the session, ports and the model.
"""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from queue import SimpleQueue

from tui.engine.session import Session
from tui.model.arming import Arming
from tui.model.change import Change
from tui.model.finding import Activity, ActivityKind, Assessment, Report
from tui.model.permission import permitted, without
from tui.model.plan import ApplyResult, Outcome, Plan, Status
from tui.model.snapshot import SourceState
from tui.ports import Misconfigured, PortError

_SETTLING = timedelta(seconds=30)
"""How long reads may still show what was before a change that a read has proven already."""
_ATTEMPTED = frozenset({Status.APPLIED, Status.FAILED, Status.INDETERMINATE})


class AutoFix:
    """One armed window. ``left`` is how many changes may still be made; ``ended`` says why it is over, None before."""

    def __init__(self, session: Session, arming: Arming) -> None:
        """Arm. Nodes that are there now are not new. Raises ``Misconfigured`` where nothing can be written."""
        if session.read_only:
            raise Misconfigured("automatic fixes write, and --read-only forbids it, or the config file does")
        self.arming = arming
        self.left = arming.max_changes
        self.ended: str | None = None
        self._session = session
        self._ending = threading.Lock()
        self._applying = False
        self._known = _uids(session.newest)
        self._made: dict[tuple[str, str], datetime] = {}
        """When each change, by kind and subject, was proven to be in place."""
        what = ", ".join(sorted(arming.kinds))
        limits = f"at most {arming.max_changes}, until {arming.until:%H:%M:%S}Z"
        self._note(ActivityKind.ARMED, f"new nodes {arming.nodes}: {what}; {limits}")

    def run(self) -> None:
        """Fix what is armed until it is over, in the calling thread."""
        left_s = (self.arming.until - self._session.clock.now()).total_seconds()
        for report in self._session.reports(timeout_s=max(0.0, left_s)):
            if self.ended is None:
                self.consider(report)
            if self.ended is not None:
                return
        self.disarm("its time is up")

    def start(self) -> None:
        """Run in a thread of its own, which ends with the session."""

        def run() -> None:
            try:
                self.run()
            except Exception as error:  # noqa: BLE001 - the thread boundary: what nobody expected must still be seen
                self.disarm(f"internal error, please report it: {error!r}")

        threading.Thread(target=run, name="autofix", daemon=True).start()

    def disarm(self, why: str) -> None:
        """End it. A change under way is finished, no further one begins."""
        with self._ending:
            if self.ended is not None:
                return
            self.ended = why
        if self._applying:
            self._session.stop_after_current()
        self._note(ActivityKind.DISARMED, why)

    def consider(self, report: Report) -> None:
        """Make the changes that this report gives cause for and that are armed."""
        now = self._session.clock.now()
        if now >= self.arming.until:
            self.disarm("its time is up")
            return
        if report.synchronising or report.snapshot.nodes_source.state is not SourceState.OK or self._session.applying:
            return
        if self._known is None:
            self._known = _uids(report)
        fresh = {one.node.uid: one for one in self._fresh(report)}
        names = {one.node.name for one in fresh.values() if any(finding.fixable for finding in one.findings)}
        if not names:
            return
        try:
            plan = permitted(self._session.propose(names), self.arming, fresh, report.snapshot, self.left)
        except PortError as error:
            self.disarm(f"no plan could be made: {error}")
            return
        plan = without(plan, self._unsettled(plan, report, now))
        if plan.changes and self.ended is None:
            self._apply(plan)

    def _fresh(self, report: Report) -> Iterator[Assessment]:
        """Yield the nodes of the scope that have joined since."""
        known = self._known or frozenset()
        return (one for one in report.assessments if one.node.uid not in known and self.arming.covers(one.node))

    def _unsettled(self, plan: Plan, report: Report, now: datetime) -> set[str]:
        """Return the changes that are wanted again so soon that the read may be an old one; disarm for later ones."""
        asked_at = {view.source.name: view.source.asked_at for view in report.snapshot.views}
        found: set[str] = set()
        for change in plan.changes:
            made_at = self._made.get(_mark(change))
            if made_at is None:
                continue
            found.add(change.id)
            read_at = asked_at.get(change.source)
            if read_at is not None and read_at - made_at > _SETTLING and now - made_at > _SETTLING:
                self.disarm(f"{change.kind} of {change.subject} did not hold: it is wanted again")
        return found

    def _apply(self, plan: Plan) -> None:
        ends: SimpleQueue[ApplyResult | PortError] = SimpleQueue()
        self._applying = True
        try:
            self._session.start_apply(plan, lambda _: self._watch_time(), ends.put)
            ended = ends.get()
        finally:
            self._applying = False
        if isinstance(ended, PortError):
            self.disarm(f"the apply broke off: {ended}")
            return
        changes = {change.id: change for change in plan.changes}
        now = self._session.clock.now()
        for outcome in ended.outcomes:
            self.left -= outcome.status in _ATTEMPTED
            if outcome.status.good:
                self._made[_mark(changes[outcome.change])] = now
        bad = next((outcome for outcome in ended.outcomes if not outcome.status.good), None)
        if bad is not None:
            self.disarm(_failure(changes[bad.change], bad))
        elif self.left <= 0:
            self.disarm("all of its changes are made")

    def _watch_time(self) -> None:
        """Let no change begin when the time is up."""
        if self._session.clock.now() >= self.arming.until:
            self.disarm("its time is up")

    def _note(self, kind: ActivityKind, text: str) -> None:
        self._session.note(Activity(at=self._session.clock.now(), kind=kind, text=text))


def _uids(report: Report | None) -> frozenset[str] | None:
    """Return who is there; None while nobody knows."""
    if report is None or report.synchronising:
        return None
    return frozenset(one.node.uid for one in report.assessments)


def _mark(change: Change) -> tuple[str, str]:
    return change.kind, change.subject


def _failure(change: Change, outcome: Outcome) -> str:
    why = f": {outcome.message}" if outcome.message else ""
    return f"{change.action} of {change.subject} is {outcome.status}{why}"
