"""A read of a few nodes alone, and what it makes of the view that it renews.

A whole source takes as many pages as it is large, but an event is about one node. Pure; standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tui.model.network import Instance, Route, RouteTable
from tui.model.node import IPNetwork
from tui.model.snapshot import CloudView, Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What one source, by its name, tells of some nodes' VMs and of the routes for their pod CIDRs.

    ``instances`` are by the keys that were asked for, None for a VM that does not exist. ``routes`` are, by the id of
    their table, all routes of that table for exactly one of ``pod_cidrs``. ``node_uids`` are the nodes whose VMs were
    asked for, ``routed_uids`` those of which the source has the routes only.
    """

    source: str
    node_uids: frozenset[str] = frozenset()
    routed_uids: frozenset[str] = frozenset()
    instances: Mapping[str, Instance | None] = field(default_factory=dict)
    pod_cidrs: frozenset[IPNetwork] = frozenset()
    routes: Mapping[str, tuple[Route, ...]] = field(default_factory=dict)

    @property
    def subnets(self) -> frozenset[str]:
        """The ids of the subnets in which the VMs were seen to be."""
        return frozenset(
            interface.subnet
            for instance in self.instances.values()
            for interface in (() if instance is None else instance.interfaces)
            if interface.subnet is not None
        )

    def renew(self, view: CloudView, read: Evidence) -> CloudView | None:
        """Return the view with this in place of what it told of the same; all else in it stays as old as it was.

        None when there are routes of a table that the view does not know: then the whole source must be read.
        """
        if not self.routes.keys() <= {table.id for table in view.route_tables or ()}:
            return None
        return replace(
            view,
            node_uids=view.node_uids | self.node_uids,
            routed_uids=(view.routed_uids | self.routed_uids) - self.node_uids,
            instances=None if view.instances is None else self._instances(view.instances),
            route_tables=None if view.route_tables is None else tuple(map(self._table, view.route_tables)),
            glances={**view.glances, **dict.fromkeys(self.node_uids | self.routed_uids, read)},
        )

    def _instances(self, known: tuple[Instance, ...]) -> tuple[Instance, ...]:
        """Return the VMs in the order in which they were known, new ones last."""
        new = dict(self.instances)
        kept = [new.pop(instance.key, None) if instance.key in new else instance for instance in known]
        return tuple(instance for instance in (*kept, *new.values()) if instance is not None)

    def _table(self, table: RouteTable) -> RouteTable:
        if table.id not in self.routes:
            return table
        others = tuple(route for route in table.routes if route.destination not in self.pod_cidrs)
        return replace(table, routes=(*others, *self.routes[table.id]))
