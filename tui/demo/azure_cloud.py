"""The embedded Azure: what its reader and writer offer besides those of the other clouds.

May import the ports and the model only.
"""

from collections.abc import Sequence
from typing import assert_never

from tui.demo.azure_tables import AzureTables
from tui.demo.cloud import DemoReader, DemoWriter
from tui.demo.faults import Call
from tui.model.change import (
    AssociateRouteTable,
    Change,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
    ReplaceRoute,
    RouteChange,
    SetForwarding,
    TableChange,
)
from tui.model.network import NetworkInterface, NextHopKind, ReplaceMethod, Route
from tui.ports import Conflict, NotFound, Reading, Rejected

_RESERVED = frozenset({"gatewaysubnet", "azurebastionsubnet", "azurefirewallsubnet", "routeserversubnet"})


class AzureReader(DemoReader):
    """The reading side, which also tells what the fabric does."""

    def read(self, change: Change) -> Reading:
        """Read a flag, a table's routes, a table, or a subnet's table."""
        if isinstance(change, SetForwarding):
            return super().read(change)
        self._world.enter(Call.READ, self.cloud, change)
        with self._world.lock:
            tables = _tables(self, change)
            match change:
                case CreateRoute() | ReplaceRoute() | DeleteRoute():
                    return Reading(
                        routes=tuple(one for one in _told(tables, change.table) if one.name in change.names())
                    )
                case CreateRouteTable() | DeleteRouteTable():
                    found = tables.find(change.subject)
                    if found is None:
                        return Reading()
                    return Reading(table=change.subject, routes=_told(tables, found), subnets=tables.users(found))
                case AssociateRouteTable():
                    if change.subject not in tables.attached:
                        raise NotFound(f"there is no subnet {change.subject}")
                    routes = () if change.after is None else _told(tables, change.after)
                    return Reading(table=tables.attached[change.subject], routes=routes)
                case _:
                    assert_never(change)

    def effective_routes(self, interface: NetworkInterface) -> tuple[Route, ...]:
        """Return the routes of the interface's subnet and its table."""
        self._world.enter(Call.READ, self.cloud)
        with self._world.lock:
            for site in self._world.current().sites_of(self.cloud):
                for vm in site.vms():
                    if interface.id in {held.id for held in vm.interfaces} and site.azure is not None:
                        if site.site.source in self._world.faults.lost:
                            raise self._world.faults.lost[site.site.source]
                        if not vm.running:
                            raise Rejected("effective routes are told of running VMs only")
                        return site.azure.effective(interface.subnet or "")
        raise NotFound(f"{interface.id} does not exist")


class AzureWriter(DemoWriter):
    """The writing side, which also takes many changes of a table at once."""

    def read_table(self, changes: Sequence[RouteChange]) -> Reading:
        """Read all routes of the table."""
        self._world.enter(Call.READ, self.cloud, changes[0])
        with self._world.lock:
            return Reading(routes=_told(_tables(self, changes[0]), changes[0].table))

    def write_table(self, changes: Sequence[RouteChange]) -> None:
        """Make all these changes at once, or none."""
        afterwards = self._world.enter(Call.WRITE, self.cloud, changes[0])
        with self._world.lock:
            tables = _tables(self, changes[0])
            table = _existing(tables, changes[0].table)
            routes = tables.ledgers[table].now()
            for change in changes:
                if isinstance(change, DeleteRoute) and _found(routes, change.before) is None:
                    raise Conflict(f"there is no route {change.before.name} by now")
                routes = _changed(routes, change)
            _check_room(routes, tables.limit)
            tables.rewrite(table, routes, self._world.echoes)
        if afterwards is not None:
            raise afterwards

    def _write_routing(self, change: RouteChange | TableChange) -> None:
        tables = _tables(self, change)
        match change:
            case CreateRoute() | ReplaceRoute() | DeleteRoute():
                table = _existing(tables, change.table)
                routes = tables.ledgers[table].now()
                changed = _changed(routes, change)
                _check_room(changed, tables.limit)
                if changed != routes:
                    tables.rewrite(table, changed, self._world.echoes)
            case CreateRouteTable():
                if tables.find(change.subject) is not None:
                    raise Conflict(f"there is a route table {change.subject} by now")
                tables.make(change.subject, change.after.routes)
            case DeleteRouteTable():
                _delete(tables, change)
            case AssociateRouteTable():
                _associate(tables, change)
            case _:
                assert_never(change)


def _tables(port: DemoReader | DemoWriter, change: Change) -> AzureTables:
    found = port.site(change).azure
    if found is None:
        raise NotFound(f"there are no route tables in {change.source}")
    return found


def _existing(tables: AzureTables, id_: str) -> str:
    found = tables.find(id_)
    if found is None:
        raise NotFound(f"there is no route table {id_}")
    return found


def _told(tables: AzureTables, id_: str) -> tuple[Route, ...]:
    found = tables.find(id_)
    return () if found is None else tables.ledgers[found].told()


def _check_room(routes: tuple[Route, ...], limit: int) -> None:
    if len(routes) > limit:
        raise Rejected(f"the table is full with {limit} routes: delete some")


def _changed(routes: tuple[Route, ...], change: RouteChange) -> tuple[Route, ...]:
    """Return a table's routes after one change. Raises ``Conflict`` where they are not what it was planned on."""
    match change:
        case CreateRoute():
            _check(change.after)
            for route in routes:
                if route.name.lower() == change.after.name.lower():
                    raise Conflict(f"there is a route {route.name} in the table by now")
                if route.destination == change.after.destination:
                    raise Conflict(f"route {route.name} of the table leads {route.destination} by now")
            return (*routes, change.after)
        case ReplaceRoute(method=ReplaceMethod.IN_PLACE):
            _check(change.after)
            before = _found(routes, change.before)
            if before is None:
                raise Conflict(f"there is no route {change.before.name} by now")
            return tuple(change.after if route is before else route for route in routes)
        case ReplaceRoute():
            raise Rejected("Azure takes a prefix once in a table: the route can only be changed in place")
        case DeleteRoute():
            before = _found(routes, change.before)
            return tuple(route for route in routes if route is not before)
        case _:
            assert_never(change)


def _check(route: Route) -> None:
    if route.next_hop.kind is NextHopKind.INSTANCE:
        raise Rejected(f"a route on Azure leads to an address and not to {route.next_hop.text}")


def _found(routes: tuple[Route, ...], planned: Route) -> Route | None:
    """Return the route of that name; None when there is none. Raises ``Conflict`` when it is another one by now."""
    found = next((route for route in routes if route.name == planned.name), None)
    if found is not None and not found.same_as(planned):
        raise Conflict(f"route {planned.name} is not what it was when the plan was made")
    return found


def _delete(tables: AzureTables, change: DeleteRouteTable) -> None:
    found = tables.find(change.subject)
    if found is None:
        return
    left = list(tables.ledgers[found].now())
    for route in change.before.routes:
        left = [other for other in left if not other.same_as(route)]
    if left or tables.users(found):
        raise Conflict(f"{change.subject} has other routes by now, or a subnet uses it")
    tables.remove(found)


def _associate(tables: AzureTables, change: AssociateRouteTable) -> None:
    if change.subject not in tables.attached:
        raise NotFound(f"there is no subnet {change.subject}")
    if change.subject.rpartition("/")[2].lower() in _RESERVED:
        raise Rejected(f"{change.subject} is kept for a service of Azure")
    now = tables.attached[change.subject]
    if now == change.after:
        return
    if now != change.before:
        raise Conflict(f"{change.subject} has the route table {now} by now")
    after = None if change.after is None else tables.find(change.after)
    if change.after is not None and after is None:
        raise Rejected(f"there is no route table {change.after} to attach")
    tables.attach(change.subject, after)
