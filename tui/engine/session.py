"""The façade that both front ends hold: observe, report, propose, apply.

May import the rest of the engine, checks, ports and model; never an adapter and never a front end.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from tui.engine.applier import Applier, Writing
from tui.engine.background import Background
from tui.engine.identities import Identities
from tui.engine.journal import Journal
from tui.engine.login import Login
from tui.engine.observer import CLOUD_INTERVAL_S, Observer
from tui.engine.past import Past
from tui.engine.proposals import Proposals
from tui.engine.record import Record
from tui.engine.reports import Reports
from tui.engine.runs import Runs
from tui.engine.witnesses import call_witnesses
from tui.meter import Meter
from tui.model.aftermath import Aftermath
from tui.model.finding import Activity, ActivityKind, Report
from tui.model.history import RecordedApply
from tui.model.node import Cloud
from tui.model.plan import ApplyResult, Plan, RunStep
from tui.model.snapshot import Cluster
from tui.model.witness import Witness
from tui.ports import Clock, CloudReader, Misconfigured, NodeSource, PortError, Unavailable

_TRUSTED = timedelta(seconds=60)
"""How old the nodes may be that a change is judged by right before it is written."""


class Session:
    """One cluster, observed and, unless it is read-only, changed.

    ``writing`` is None in read-only mode: then no writing object exists. Either call ``observe`` (headless), or
    ``start`` and follow ``reports``. ``reader`` returns None for a cloud that this version cannot read.
    ``meter`` counts the requests, ``record`` keeps what is watched. ``protected`` when any write here wants the
    context's name typed before. ``identities`` tells as whom all this is done.
    """

    recorded = False  # it is played from a record in a ``Replay`` only
    login: Login | None = None
    """Lets somebody log in to the cluster on the terminal; None where nothing ever asks."""

    def __init__(
        self,
        *,
        nodes: NodeSource,
        observer: Observer,
        reader: Callable[[Cloud], CloudReader | None],
        writing: Writing | None,
        journal: Journal,
        clock: Clock,
        meter: Meter | None = None,
        record: Record | None = None,
        protected: bool = False,
    ) -> None:
        self.protected = protected
        self.clock = clock
        self._observer = observer
        self._reader = reader
        self._writing = writing
        reports = self._reports = Reports(observer, meter or Meter(), record)
        self._background = Background(
            nodes=nodes, observer=observer, clock=clock, meter=reports.meter, judge=reports.judge, broken=self._broken
        )
        self._past = Past(cluster=observer.cluster, journal=journal, reader=self._readable, clock=clock)
        self.identities = Identities(nodes, reader)
        self._proposals = Proposals(
            cluster=lambda: observer.cluster, reader=self._readable, identities=self.identities, clock=clock
        )
        begun = partial(Applier, writing, reader=self._readable, journal=journal, clock=clock) if writing else None
        self._runs = Runs(
            cluster=observer.cluster,
            applier=begun,
            report=self._report,
            recent=self._recent,
            note=self.note,
            ended=self.refresh,
            clock=clock,
        )

    @property
    def read_only(self) -> bool:
        """Tell whether nothing can be written, because no writer exists."""
        return self._writing is None

    @property
    def cluster(self) -> Cluster:
        """The cluster that is looked at."""
        return self._observer.cluster

    @property
    def applying(self) -> bool:
        """Tell whether an apply is under way."""
        return self._runs.applying

    def observe(self) -> Report:
        """Read everything once, in the calling thread, and judge it. Failures are in the report's sources."""
        try:
            self._observer.list_nodes()
        except PortError:
            return self._reports.judge(True)  # the observer has recorded it as the source's state
        self._observer.read_clouds()
        return self._reports.judge(True)

    @property
    def newest(self) -> Report | None:
        """The newest report; None before the first one."""
        return self._reports.newest

    def _report(self) -> Report:
        return self._reports.newest or self.observe()

    def _recent(self) -> Report:
        """Return a report by whose nodes may be written."""
        report = self._report()
        seen_at = report.snapshot.nodes_source.observed_at
        if seen_at is None or self.clock.now() - seen_at > _TRUSTED:
            with suppress(PortError):  # the observer has recorded it as the source's state
                self._observer.list_nodes()
            report = self._reports.judge(True)
        return report

    def start(self, interval_s: float = CLOUD_INTERVAL_S, *, recorded: bool = True) -> None:
        """Begin to watch, to keep the record and, at least this often, to poll in the background. Call it once."""
        if recorded:
            self._reports.go_on(self.clock.now())
        self._recall()
        self._reports.judge(True)
        self._background.start(interval_s)

    def refresh(self) -> None:
        """Observe everything again now, in the background."""
        self._background.aside(self._recall)
        self._background.refresh()

    def reports(self, timeout_s: float | None = None) -> Iterator[Report]:
        """Yield the newest report whenever there is one newer than the last; end when closed or the time is up."""
        return self._reports.follow(timeout_s)

    def note(self, activity: Activity) -> None:
        """Let the timeline tell of this."""
        self._reports.note(activity)
        self._background.wake()

    def _broken(self, error: Exception) -> None:
        """Show an error that nobody expected: what it fed is no longer fresh."""
        text = f"internal error, please report it: {error!r}"
        self._observer.lost_nodes(Unavailable(text))
        self.note(Activity(at=self.clock.now(), kind=ActivityKind.SOURCE_LOST, text=text))

    def propose(self, nodes: Collection[str] | None, *, prune: bool = False, delete_first: bool = False) -> Plan:
        """Plan the remedies of the newest report's findings about the nodes of these names; None: about all nodes.

        ``prune`` adds the deletion of stray routes, ``delete_first`` replaces a route where the quota has no room for
        two. A plan may be empty and then says why; else whoever would write it is asked for.
        """
        return self._proposals.mending(self._report(), nodes, prune=prune, delete_first=delete_first)

    def applies(self) -> tuple[RecordedApply, ...]:
        """Return what earlier applies did, oldest first. Raises ``Misconfigured`` when the journal cannot be read."""
        return self._past.applies()

    @property
    def journal_path(self) -> Path:
        """Where the journal stands, or will stand."""
        return self._past.path

    def look_back(self, *, record: bool) -> Aftermath | None:
        """Tell what became of the newest apply if it was cut off, by reading the cloud; None if it was not.

        With ``record`` the journal gets what was found, once all of it is known, so that it is told only once. Raises
        ``Misconfigured`` as the journal does, also when another process has begun to apply.
        """
        found = self._past.look_back(record=record)
        if found is not None:
            self._recall()
        return found

    def propose_undo(self, apply_id: str | None) -> Plan:
        """Plan what takes a recorded apply back; None: the newest that still stands. What cannot be is in ``refused``.

        Empty when there is nothing to take back. Raises ``Misconfigured`` when there is no such apply or it is under
        way, ``Unavailable`` when the nodes could not be listed.
        """
        return self.identities.signed(self._past.propose_undo(apply_id, self._report))

    def _recall(self) -> None:
        """Let the reports tell what the journal does."""
        try:
            self._reports.recall(self.applies())
        except Misconfigured as error:
            self.note(Activity(at=self.clock.now(), kind=ActivityKind.SOURCE_LOST, text=str(error)))
        self._background.wake()

    def _readable(self, cloud: Cloud) -> CloudReader:
        reader = self._reader(cloud)
        if reader is None:
            raise Misconfigured(f"this version cannot read {cloud}, so that nothing can be changed there")
        return reader

    def apply(self, plan: Plan, progress: Callable[[RunStep], None]) -> ApplyResult:
        """Apply a plan in the calling thread; ``progress`` is called in it too and must not block.

        Raises ``Locked`` when somebody else applies, ``Misconfigured`` when nothing may be written (read-only, another
        cluster's plan, an apply under way, no journal), and ``Unavailable`` when the nodes could not be listed.
        """
        return self._runs.apply(plan, progress)

    def start_apply(
        self, plan: Plan, progress: Callable[[RunStep], None], done: Callable[[ApplyResult | PortError], None]
    ) -> None:
        """Apply a plan in a thread of its own, which neither screen nor event loop can hold up.

        Both callbacks are called from that thread and must not block. ``done`` gets what ``apply`` raised, if it did.
        """
        self._runs.start(plan, progress, done)

    def witness(self, plan: Plan, result: ApplyResult) -> tuple[Witness, ...]:
        """Ask the fabric what it does with the pod CIDRs whose tables the apply has changed; later reports tell it too.

        Empty where nothing was changed that it could tell of, and where it does not tell. Takes seconds.
        """
        report = self._report()
        found = call_witnesses(plan, result, report, reader=self._reader, clock=self.clock)
        self._reports.bear(found)
        self._background.wake()
        return found

    def start_witness(self, plan: Plan, result: ApplyResult) -> None:
        """Ask the fabric as ``witness`` does, in a thread of its own that nobody waits for."""
        self._background.aside(lambda: self.witness(plan, result))

    def stop_after_current(self) -> None:
        """Let an apply under way finish its current change and begin no further one; safe in a signal handler."""
        self._runs.stop_after_current()

    def close(self) -> None:
        """End the background, and wait for an apply under way to finish its current change."""
        self._runs.close()
        self._background.close()
        self._reports.close()
