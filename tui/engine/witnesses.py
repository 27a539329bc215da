"""After an apply: what the fabric itself does with the pod CIDRs, asked at one or two interfaces.

It costs seconds and rights that not everybody has, so that it is asked once per apply, and silence proves nothing. May
import ports and model.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from tui.model.change import AssociateRouteTable, SetForwarding
from tui.model.finding import Assessment, Report, RouteState
from tui.model.network import NetworkInterface
from tui.model.node import Cloud, IPAddress, IPNetwork
from tui.model.plan import ApplyResult, Plan, Status
from tui.model.witness import Witness, hear
from tui.ports import Clock, CloudReader, FabricReader, PortError

AT_MOST = 2
"""How many interfaces are asked: the question is slow, and the cloud limits how often it is put."""


def call_witnesses(
    plan: Plan, result: ApplyResult, report: Report, *, reader: Callable[[Cloud], CloudReader | None], clock: Clock
) -> tuple[Witness, ...]:
    """Ask interfaces that use a table which the apply has changed; those that cannot be asked are left out."""
    found: list[Witness] = []
    for assessment, interface in _senders(plan, result, report):
        asked: object = reader(assessment.cloud)
        if not isinstance(asked, FabricReader):
            continue
        with suppress(PortError):
            effective = asked.effective_routes(interface)
            owners = _owners(interface.network, report)
            found.append(hear(effective, owners, at=clock.now(), node=assessment.node.name, interface=interface.id))
        if len(found) == AT_MOST:
            break
    return tuple(found)


def _senders(plan: Plan, result: ApplyResult, report: Report) -> Iterator[tuple[Assessment, NetworkInterface]]:
    """Yield at most one node per changed table that sends by it, and then as many to spare."""
    applied = {outcome.change for outcome in result.outcomes if outcome.status is Status.APPLIED}
    subnets: dict[str, set[str]] = {}
    for change in plan.changes:
        if change.id in applied and not isinstance(change, SetForwarding):
            of_table = subnets.setdefault(change.table, set())
            if isinstance(change, AssociateRouteTable) and change.after is not None:
                of_table.add(change.subject)
    for view in report.snapshot.views:
        for table in view.route_tables or ():
            if table.id in subnets:
                subnets[table.id].update(table.subnets or ())
    spare: list[tuple[Assessment, NetworkInterface]] = []
    for used_by in subnets.values():
        using = [found for found in _placed(report) if found[1].subnet in used_by]
        yield from using[:1]
        spare.extend(using[1:AT_MOST])
    yield from spare


def _placed(report: Report) -> Iterator[tuple[Assessment, NetworkInterface]]:
    for assessment in report.assessments:
        interface, instance = assessment.placement.interface, assessment.placement.instance
        if interface is not None and instance is not None and instance.running is not False:
            yield assessment, interface


def _owners(network: str, report: Report) -> dict[IPNetwork, tuple[IPAddress, ...]]:
    """Return whose addresses a pod CIDR is to be led to, for all that this network is asked to deliver."""
    return {
        route.pod_cidr: interface.addresses
        for assessment, interface in _placed(report)
        if interface.network == network
        for route in assessment.routes
        if route.state is not RouteState.NOT_REQUIRED
    }
