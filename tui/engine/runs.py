"""One apply at a time: in a thread of its own if wanted, stopped from any thread, told as it goes.

May import the applier, hindrance, ports and the model.
"""

import threading
from collections.abc import Callable

from tui.engine.applier import Applier
from tui.engine.hindrance import hindrance
from tui.model.finding import Activity, ActivityKind, Report
from tui.model.plan import ApplyResult, Plan, Remark, RunStep
from tui.model.snapshot import Cluster
from tui.ports import Clock, Misconfigured, PortError, Unavailable

NOT_LISTED = "the nodes could not be listed, so that nothing is planned or applied"


class Runs:
    """Runs plans for one cluster.

    ``applier`` makes what applies them, given as ``stop`` the event that ends it; None in read-only mode. ``report``
    returns the newest report, ``recent`` one whose nodes are recent enough to write by. ``note`` takes what happens for
    the timeline, ``ended`` is called after every run.
    """

    def __init__(
        self,
        *,
        cluster: Cluster,
        applier: Callable[..., Applier] | None,
        report: Callable[[], Report],
        recent: Callable[[], Report],
        note: Callable[[Activity], None],
        ended: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._cluster = cluster
        self._applier = applier
        self._report = report
        self._recent = recent
        self._note = note
        self._ended = ended
        self._clock = clock
        self._applying = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def applying(self) -> bool:
        """Tell whether an apply is under way."""
        return self._applying.locked()

    def apply(self, plan: Plan, progress: Callable[[RunStep], None]) -> ApplyResult:
        """Apply a plan in the calling thread. Raises as ``Session.apply``."""
        if self._applier is None:
            raise Misconfigured("nothing can be applied in read-only mode")
        if plan.cluster.server != self._cluster.server:
            raise Misconfigured(f"the plan is for {plan.cluster.server}, this cluster is {self._cluster.server}")
        if not self._applying.acquire(blocking=False):
            raise Misconfigured("an apply is under way: wait for its end")
        try:
            if self._report().synchronising:
                raise Unavailable(NOT_LISTED)
            return self._applier(stop=self._stop).run(
                plan,
                forbids=lambda change: hindrance(change, self._recent()),
                progress=lambda step: self._told(step, progress),
            )
        finally:
            self._stop.clear()
            self._applying.release()
            self._ended()

    def _told(self, step: RunStep, progress: Callable[[RunStep], None]) -> None:
        change, kind = step.change, ActivityKind.APPLYING
        if isinstance(step, Remark):
            text = step.text
        elif step.outcome is None:
            text = step.change.command
        else:
            outcome, kind = step.outcome, ActivityKind.APPLIED
            text = f"{outcome.status}: {outcome.message or step.change.subject}"
        node = None if change is None else change.node
        self._note(Activity(at=self._clock.now(), kind=kind, text=text, node=node))
        progress(step)

    def start(
        self, plan: Plan, progress: Callable[[RunStep], None], done: Callable[[ApplyResult | PortError], None]
    ) -> None:
        """Apply a plan in a thread of its own; ``done`` gets what ``apply`` returned or raised."""

        def run() -> None:
            try:
                result: ApplyResult | PortError = self.apply(plan, progress)
            except PortError as error:
                result = error
            except Exception as error:  # noqa: BLE001 - the thread boundary: what nobody expected must still be seen
                result = PortError(f"internal error, please report it: {error!r}")
            done(result)

        # Not a daemon: the process does not end between a write and its record.
        self._thread = threading.Thread(target=run, name="apply")
        self._thread.start()

    def stop_after_current(self) -> None:
        """Let the apply under way finish its current change and begin no further one; safe in a signal handler."""
        if self.applying:
            self._stop.set()

    def close(self) -> None:
        """Wait for an apply under way to finish its current change."""
        self._stop.set()  # also for one whose thread has only just been started
        if self._thread is not None:
            self._thread.join()
