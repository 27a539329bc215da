"""Do the routes that are needed fit the limit? Decides ``route-quota``.

Tables that share a limit are counted together. A replacement that leaves no gap needs room for one route more, except
on Azure, which replaces in place.
"""

from collections import defaultdict
from collections.abc import Iterator

from tui.model.delivery import Routing
from tui.model.finding import Code, Finding, RouteState, Severity
from tui.model.network import ReplaceMethod, RouteQuota
from tui.model.node import IPNetwork


def check(routing: Routing) -> Iterator[Finding]:
    """Yield one finding for every limit that is too low for what is missing, or too full for a replacement."""
    fabric = routing.fabric
    quotas: dict[str, RouteQuota] = {}
    for held in fabric.tables.values():
        quota = held.table.quota
        if quota is not None and (quota.name not in quotas or quota.free < quotas[quota.name].free):
            quotas[quota.name] = quota
    if not quotas:
        return
    missing: defaultdict[str, set[tuple[str, IPNetwork]]] = defaultdict(set)
    replaced: defaultdict[str, set[tuple[str, IPNetwork]]] = defaultdict(set)
    for node, _ in routing.routed():
        for answer in routing.answers[node.uid]:
            for delivery in () if answer.state is RouteState.OK else answer.deliveries:
                table = delivery.held.table
                if table.quota is None or delivery.state is RouteState.OK:
                    continue
                if delivery.state is RouteState.MISSING:
                    missing[table.quota.name].add((table.id, answer.cidr))
                elif not delivery.right and table.replaces is not ReplaceMethod.IN_PLACE and fabric.controller is None:
                    replaced[table.quota.name].add((table.id, answer.cidr))
    for name, quota in sorted(quotas.items()):
        finding = _judge(quota, needed=len(missing[name]), replaced=len(replaced[name]))
        if finding is not None:
            yield finding


def _judge(quota: RouteQuota, *, needed: int, replaced: int) -> Finding | None:
    tight = replaced > 0 and quota.free == 0
    if needed <= quota.free and not tight:
        return None
    told = []
    if needed > quota.free:
        told.append(f"{needed} routes are needed and {quota.free} fit" if needed > 1 else "1 route is needed and 0 fit")
    if tight:
        told.append(
            f"{replaced} must be replaced, which takes one spare route: --delete-first does it without, and leaves the "
            "pod CIDR without a route for seconds"
        )
    return Finding(
        code=Code.ROUTE_QUOTA,
        severity=Severity.ERROR if needed > quota.free else Severity.WARNING,
        node=None,
        subject=quota.name,
        summary=f"{'; '.join(told)} (limit {quota.limit}, {quota.used} used)",
        obstacle=f"{quota.name}: {quota.advice}",
    )
