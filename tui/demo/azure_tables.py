"""The route tables of one Azure site and the subnets that use them, with everything that they have been.

May import the model only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network

from tui.demo.description import Site, SubnetPlan
from tui.demo.fleet import subnets
from tui.demo.ids import arm, network_id, token
from tui.demo.ledger import RouteLedger
from tui.model.network import NextHop, NextHopKind, ReplaceMethod, Route, RouteQuota, RouteTable, Subnet


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """All of it at one instant: the routes of each table, and the table of each subnet, by id."""

    tables: Mapping[str, tuple[Route, ...]]
    attached: Mapping[str, str | None]


class AzureTables:
    """Tables by id. ``history`` are all layouts, oldest first; ``limit`` is how many routes a table may hold."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.limit = site.route_limit
        self.attached: dict[str, str | None] = {subnet.id: subnet.route_table for subnet in subnets(site)}
        self.ledgers: dict[str, RouteLedger] = {}
        self.history: list[Layout] = []
        self._revision = 0
        for name in (*dict.fromkeys(plan.table for plan in site.subnets if plan.table), *site.tables):
            self.ledgers[self.id_of(name)] = RouteLedger(site)
        self.begin()

    def id_of(self, name: str) -> str:
        """Return the id of the table with this short name."""
        return arm(self.site, "Microsoft.Network", "routeTables", name)

    def find(self, id_: str) -> str | None:
        """Return the id as the table calls itself, whatever the casing; None when there is no such table."""
        return next((known for known in self.ledgers if known.lower() == id_.lower()), None)

    def begin(self) -> None:
        """Let the history begin now."""
        self.history = [self._layout()]
        for ledger in self.ledgers.values():
            ledger.begin()

    def put(self, route: Route, table: str = "") -> None:
        """Let the table with this short name have the route, "" for every table that a subnet uses."""
        used = {found for found in self.attached.values() if found is not None}
        for id_ in [self.id_of(table)] if table else [one for one in self.ledgers if one in used]:
            self.ledgers[id_].put(route)
        self._changed()

    def drop(self, name: str) -> None:
        """Take the route of this name out of every table. Raises ``KeyError`` when no table has it."""
        holding = [ledger for ledger in self.ledgers.values() if name in ledger]
        if not holding:
            raise KeyError(name)
        for ledger in holding:
            ledger.drop(name)
        self._changed()

    def rewrite(self, table: str, routes: Iterable[Route], echoes: int) -> None:
        """Let the table have these routes and no others; the next ``echoes`` reads still see the old ones."""
        self.ledgers[table].rewrite(routes, echoes)
        self._changed()

    def make(self, table: str, routes: Iterable[Route]) -> None:
        """Make a table, used by no subnet."""
        self.ledgers[table] = RouteLedger(self.site)
        self.rewrite(table, routes, echoes=0)

    def remove(self, table: str) -> None:
        """Let the table be gone."""
        del self.ledgers[table]
        self._changed()

    def attach(self, subnet: str, table: str | None) -> None:
        """Let the subnet use the table, or none."""
        self.attached[subnet] = table
        self._changed()

    def users(self, table: str) -> tuple[str, ...]:
        """Return the subnets that use the table."""
        return tuple(subnet for subnet, used in self.attached.items() if used == table)

    def now(self) -> tuple[Route, ...]:
        """Return the routes of all tables as they are; a route in several tables as often."""
        return tuple(route for ledger in self.ledgers.values() for route in ledger.now())

    def told_subnets(self) -> tuple[Subnet, ...]:
        """Return the subnets with their tables as they are."""
        return tuple(
            replace(subnet, route_table=self.attached[subnet.id], region=self.site.region)
            for subnet in subnets(self.site)
        )

    def told(self) -> tuple[RouteTable, ...]:
        """Return the tables as the next read sees them, and count that read."""
        return tuple(self._table(id_, ledger.told()) for id_, ledger in self.ledgers.items())

    def _table(self, id_: str, routes: tuple[Route, ...]) -> RouteTable:
        name = f"{self.site.place}/{id_.rpartition('/')[2]} of {self.site.scope}"
        return RouteTable(
            id=id_,
            network=network_id(self.site) if self.users(id_) else None,
            subnets=self.users(id_),
            routes=routes,
            route_prefix=f"{id_}/routes/",
            token=token(self.site.cloud, id_, self._revision),
            quota=RouteQuota(name=f"routes of route table {name}", limit=self.limit, used=len(routes)),
            replaces=ReplaceMethod.IN_PLACE,
            region=self.site.region,
        )

    def effective(self, subnet: str) -> tuple[Route, ...]:
        """Return what the fabric does with packets from the subnet: its own routes, and those of the table."""
        table = self.attached[subnet]
        return (*_system(self.site.subnets), *(() if table is None else self.ledgers[table].now()))

    def _layout(self) -> Layout:
        tables = {id_: ledger.now() for id_, ledger in self.ledgers.items()}
        return Layout(tables=tables, attached=dict(self.attached))

    def _changed(self) -> None:
        self._revision += 1
        self.history.append(self._layout())


def _system(plans: Iterable[SubnetPlan]) -> Iterable[Route]:
    """Yield the routes that every subnet has: to its network, to nowhere for other private ranges, and out."""
    inside = [cidr for plan in plans for cidr in plan.cidrs if ":" not in cidr]
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
    ways = [*((cidr, "VnetLocal") for cidr in inside), *((cidr, "None") for cidr in private), ("0.0.0.0/0", "Internet")]
    for destination, kind in ways:
        hop = NextHop(kind=NextHopKind.OTHER, text=kind)
        yield Route(name="Default", destination=ip_network(destination), next_hop=hop, system=True)
