"""Has the node's subnet a route table? Decides ``route-table-missing``, which only Azure knows.

The remedy gives the subnet a table of ours that delivers the pod CIDR of every node on Azure: one that is there, put
right first, or a new one. A subnet that has a table keeps it, and foreign tables get no further subnets.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tui.model.change import AssociateRouteTable, Change, CreateRouteTable, DeleteRoute, RouteChange
from tui.model.delivery import Delivery, Routing, deliver
from tui.model.fabric import Held
from tui.model.finding import Code, Finding, RouteState, Severity
from tui.model.mending import Blocked, Owner, mend
from tui.model.naming import is_own, table_name
from tui.model.network import ROUTES_PER_TABLE, ReplaceMethod, Route, RouteTable, Subnet
from tui.model.node import Cloud, IPNetwork, Node
from tui.model.snapshot import CloudView, Placement, PlacementState

_RESERVED = frozenset({"gatewaysubnet", "azurebastionsubnet", "azurefirewallsubnet", "routeserversubnet"})
"""Subnets of Azure's own services, which a table for pods would break; lower-cased."""
_NAMED = 3
_REASON = "the node's subnet has no route table, so that no route of ours applies in it"


def check(routing: Routing) -> Iterator[Finding]:
    """Yield a finding for every node that relies on routes and whose subnet has no table."""
    remedies: dict[str, tuple[Change, ...] | Blocked] = {}
    for node, placement in routing.routed():
        interface = placement.interface
        if interface is None or interface.subnet is None or placement.cloud is not Cloud.AZURE:
            continue
        if all(answer.state is RouteState.NOT_REQUIRED for answer in routing.answers[node.uid]):
            continue
        lacks = routing.fabric.lacks_table(interface.subnet)
        if lacks is None and routing.fabric.serving(placement) is not None:
            yield Finding(
                code=Code.ROUTE_TABLE_MISSING,
                severity=Severity.UNKNOWN,
                node=node.name,
                subject=interface.subnet,
                summary="the node's subnet was not read, so that nobody knows its route table",
            )
        if not lacks:
            continue
        if interface.subnet not in remedies:
            remedies[interface.subnet] = _remedy(interface.subnet, placement, routing)
        mended = remedies[interface.subnet]
        yield Finding(
            code=Code.ROUTE_TABLE_MISSING,
            severity=Severity.ERROR,
            node=node.name,
            subject=interface.subnet,
            summary=_REASON,
            remedy=() if isinstance(mended, Blocked) else mended,
            obstacle=mended.reason if isinstance(mended, Blocked) else None,
        )


def _remedy(subnet_id: str, placement: Placement, routing: Routing) -> tuple[Change, ...] | Blocked:
    """Return the changes that give the subnet its table; the same value for every node in it."""
    fabric = routing.fabric
    subnet = fabric.joined.subnets[subnet_id]
    view = next(view for view in fabric.views if view.source.name == placement.source)
    if subnet_id.rpartition("/")[2].lower() in _RESERVED:
        return Blocked(
            "Azure keeps this subnet for a service of its own, which a route table would break: move the node"
        )
    if fabric.controller is not None:
        return Blocked(f"a route controller writes these routes ({fabric.controller}): change them there")
    gap = _gap(view, routing)
    if gap is not None:  # a subnet that gets a table with holes is worse off than one without
        return Blocked(f"{gap}: no table is attached before everything has been read")
    wanted = _wanted(subnet, view, routing)
    return wanted if isinstance(wanted, Blocked) else _changes(wanted, subnet, view, routing)


def _gap(view: CloudView, routing: Routing) -> str | None:
    """Return what was not read of all that decides which routes the VNet needs; None when everything was."""
    gap = routing.fabric.gap({view.source.name})
    if gap is not None or view.route_tables is None:
        return gap or f"the route tables of {view.source.name} were not read"
    for node, placement in _elsewhere(routing):
        if placement.state is PlacementState.UNOBSERVED:
            return f"the VM of {node.name} was not observed ({placement.reason})"
    return None


def _elsewhere(routing: Routing) -> Iterator[tuple[Node, Placement]]:
    """Yield the nodes on Azure that rely on routes and whose VNet is not known."""
    for node, placement in routing.joined.placed():
        if placement.cloud is Cloud.AZURE and placement.interface is None and not node.encapsulated and node.pod_cidrs:
            yield node, placement


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The table that the subnet is to get, and whether it is there already."""

    held: Held
    exists: bool


def _wanted(subnet: Subnet, view: CloudView, routing: Routing) -> _Wanted | Blocked:
    """Choose a table of ours that serves the VNet already, else the one of the wanted name, else a new one."""
    fabric, snapshot = routing.fabric, routing.joined.snapshot
    group = subnet.network[: max(0, subnet.network.lower().find("/providers/"))]
    if subnet.region is None or not group:
        return Blocked(f"the region of {subnet.network} was not told, and its table must stand in the same one")
    name = snapshot.scope.route_table or table_name(snapshot.cluster, subnet.network)
    id_ = f"{group}/providers/Microsoft.Network/routeTables/{name}"
    siblings = {found.id for found in view.subnets or () if found.network == subnet.network}
    there = sorted((fabric.tables[table.id] for table in view.route_tables or ()), key=lambda held: held.table.id)
    named = next((held for held in there if held.table.id.lower() == id_.lower()), None)
    if named is not None and named.table.subnets and siblings.isdisjoint(named.table.subnets):
        return Blocked(f"the table {named.table.id} serves another VNet: name another one with --azure-route-table")
    ours = [held for held in there if is_own(snapshot.cluster, held.table.name)]
    for held in (*(held for held in ours if siblings.intersection(held.table.subnets or ())), *filter(None, [named])):
        if held.table.refusal is not None:
            return Blocked(held.table.refusal)
        if _place_of(held.table.region or "") == _place_of(subnet.region):
            return _Wanted(held=held, exists=True)
    if named is not None:
        return Blocked(
            f"the table {named.table.id} stands in {named.table.region} and the subnet in {subnet.region}: "
            "name another one with --azure-route-table"
        )
    table = RouteTable(
        id=id_,
        network=subnet.network,
        subnets=(),
        routes=(),
        route_prefix=f"{id_}/routes/",
        replaces=ReplaceMethod.IN_PLACE,
        region=subnet.region,
    )
    return _Wanted(held=Held(table=table, view=view, network=subnet.network), exists=False)


def _place_of(region: str) -> str:
    """Return what is equal for two spellings of a region: ``West Europe`` is ``westeurope``."""
    return region.replace(" ", "").lower()


def _changes(wanted: _Wanted, subnet: Subnet, view: CloudView, routing: Routing) -> tuple[Change, ...] | Blocked:
    """Return what makes the table deliver every range of the VNet's nodes, and then attaches it."""
    held = wanted.held
    reason = f"route table {held.table.name} is to serve one more subnet, and must deliver every pod CIDR"
    changes: list[RouteChange] = []
    needs: list[Route] = []
    left_out: list[str] = []
    for cidr, owner in _owners(routing):
        known = deliver(cidr, owner.placement, held, routing.fabric) if wanted.exists else None
        delivery = known or Delivery(cidr=cidr, held=held)
        mended = [] if delivery.state is RouteState.OK else mend(delivery, owner, reason)
        if isinstance(mended, Blocked):
            left_out.append(f"{cidr} of {owner.node.name} ({mended.reason})")
            continue
        made = [change.after for change in mended if not isinstance(change, DeleteRoute)]
        needs.extend(made or delivery.right[:1])
        changes.extend(mended)
    if not needs:
        return Blocked(f"no route can be written yet: {left_out[0]}")
    left_out.extend(f"{node.name} ({placement.reason})" for node, placement in _elsewhere(routing))
    limit = ROUTES_PER_TABLE if held.table.quota is None else held.table.quota.limit
    if len(needs) > limit:
        return Blocked(f"{len(needs)} routes are needed, and Azure takes {limit} in one table")
    needs.sort(key=lambda route: (route.destination.version, int(route.destination.network_address)))
    shared: dict[str, Any] = {
        "node": None,
        "node_uid": None,
        "cloud": Cloud.AZURE,
        "source": view.source.name,
        "reason": _REASON,
    }
    planned = {route.name for route in needs} | {c.before.name for c in changes if isinstance(c, DeleteRoute)}
    beside = tuple(route for route in held.table.routes if route.name not in planned)
    attachment = AssociateRouteTable(
        **shared,
        subject=subnet.id,
        before=None,
        after=held.table.id,
        needs=tuple(needs),
        beside=beside,
        caution=_caution(left_out, held.table, beside),
    )
    if wanted.exists:
        return (*changes, attachment)
    table = replace(held.table, routes=tuple(needs))
    return (CreateRouteTable(**shared, subject=table.id, after=table, caution=attachment.caution), attachment)


def _caution(left_out: Sequence[str], table: RouteTable, beside: Sequence[Route]) -> str | None:
    """Say what the table does not deliver yet and what else it does, in a length that people read."""
    others = [f"{route.name} ({route.destination} → {route.next_hop.label})" for route in beside]
    said = [
        f"left out of the table for now: {_counted(left_out)}" if left_out else "",
        f"the subnet's packets will also follow {_counted(others)}" if others else "",
        f"the cloud says of the table: {table.trouble}" if table.trouble else "",
    ]
    return "; ".join(filter(None, said)) or None


def _counted(texts: Sequence[str]) -> str:
    more = len(texts) - _NAMED
    return "; ".join(texts[:_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _owners(routing: Routing) -> Iterator[tuple[IPNetwork, Owner]]:
    """Yield every pod CIDR that Azure is asked to deliver, with its node: each node sends to all others."""
    for node, placement in routing.routed():
        instance, interface = placement.instance, placement.interface
        if instance is None or interface is None or placement.cloud is not Cloud.AZURE:
            continue
        for cidr in node.pod_cidrs:
            if not interface.owns(cidr):
                yield cidr, Owner(node, placement, instance, interface, routing.fabric)
