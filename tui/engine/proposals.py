"""From what is wrong to a plan that mends it, signed by those who would write it.

May import identities, ports and the model.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from tui.engine.identities import Identities
from tui.model.change import Change
from tui.model.finding import Code, Report
from tui.model.node import Cloud
from tui.model.plan import Plan
from tui.model.planner import make_plan
from tui.model.snapshot import Cluster
from tui.ports import Clock, CloudReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """Makes plans for one cluster. ``reader`` raises ``Misconfigured`` for a cloud that cannot be read."""

    cluster: Callable[[], Cluster]
    reader: Callable[[Cloud], CloudReader]
    identities: Identities
    clock: Clock

    def mending(self, report: Report, nodes: Collection[str] | None, *, prune: bool, delete_first: bool) -> Plan:
        """Plan the remedies of the report's findings, as ``Session.propose`` says."""
        strays = {Code.ROUTE_STRAY} if prune else set()
        made = make_plan(
            cluster=self.cluster(),
            created_at=self.clock.now(),
            findings=[found for found in report.findings if found.node is not None or found.code in strays],
            nodes=nodes,
            command=self._command,
            quotas=report.snapshot.quotas(),
            delete_first=delete_first,
        )
        return self.identities.signed(made)

    def _command(self, change: Change) -> str:
        return self.reader(change.cloud).command(change)
