"""What routes are held against: which tables serve a node, where a next hop leads, to whom a route applies.

Several checks ask these questions and must get the same answers. Standard library only.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum

from tui.model.controller import ROUTED, route_controller
from tui.model.joined import Joined
from tui.model.network import Instance, NextHopKind, Route, RouteTable
from tui.model.node import Cloud, IPAddress, IPNetwork
from tui.model.ranges import NOTHING, Ranges, claims_of
from tui.model.senders import senders
from tui.model.snapshot import CloudView, Placement, SourceState

DEFAULT_PRIORITY = 1000
"""What Compute Engine gives to a route that names no priority."""


def rank(route: Route) -> tuple[int, str]:
    """Return the order in which routes of one destination win; names decide nothing in the cloud, only here."""
    return (DEFAULT_PRIORITY if route.priority is None else route.priority, route.name)


class Life(StrEnum):
    """What became of a route's next hop, in words that complete "the next hop …"."""

    RUNS = "runs"
    STOPPED = "does not run"
    GONE = "does not exist"
    UNHELD = "belongs to no VM that was read"
    DEAD = "is not reachable"
    UNSEEN = "was not read"

    @property
    def dead(self) -> bool:
        """Tell whether packets to it are known to be lost."""
        return self in {Life.STOPPED, Life.GONE, Life.UNHELD, Life.DEAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A table, the view that tells of it, and the network in which its next hops are looked up ("" when unknown)."""

    table: RouteTable
    view: CloudView
    network: str

    @property
    def quota(self) -> str | None:
        """The name of the limit that its routes count against; None when it is unknown."""
        return None if self.table.quota is None else self.table.quota.name

    def subject(self, route: Route) -> str:
        """Return the id of a route of this table."""
        return self.table.route_prefix + route.name


_Network = tuple[Cloud, str]
_Subnets = Mapping[_Network, frozenset[str]]
_TagSets = Mapping[_Network, frozenset[frozenset[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fabric:
    """The routed networks of a snapshot, indexed.

    ``views`` are those of clouds with routes; ``tables`` are by id, each once. ``exact`` are the routes of a table by
    destination. ``tag_sets`` are the different sets of tags that the node VMs of a network carry. ``addresses`` are
    looked up within a network: two networks may use the same ones. ``reserved`` are the ranges of a table's
    subnets, in which the cloud takes no route. ``names`` are taken names by route prefix, ``read`` the sources
    that were asked for instances and told all. ``claims`` are the pod CIDRs of all nodes, ``contested`` those that
    overlap another node's. ``controller`` is evidence that something else writes routes.
    """

    joined: Joined
    views: Sequence[CloudView]
    read: frozenset[str]
    tables: Mapping[str, Held]
    exact: Mapping[str, Mapping[IPNetwork, Sequence[Route]]]
    reserved: Mapping[str, Ranges]
    names: Mapping[str, AbstractSet[str]]
    instances: Mapping[tuple[Cloud, str], Instance]
    addresses: Mapping[tuple[Cloud, str, IPAddress], Instance]
    by_network: Mapping[_Network, tuple[Held, ...]]
    by_subnet: Mapping[str, Held]
    node_subnets: _Subnets
    tag_sets: _TagSets
    claims: Ranges = NOTHING
    contested: frozenset[IPNetwork] = frozenset()
    controller: str | None = None

    @classmethod
    def of(cls, joined: Joined, before: "Fabric | None" = None) -> "Fabric":
        """Index a snapshot. An earlier index is taken over where the clouds and the senders are the same."""
        clouds = before if before is not None and before.joined.same_clouds(joined.snapshot) else None
        node_subnets, tag_sets = senders(joined)
        if clouds is None or (node_subnets, tag_sets) != (clouds.node_subnets, clouds.tag_sets):
            clouds = cls._of_clouds(joined, node_subnets, tag_sets)
        claims, disputed = claims_of(tuple(node.pod_cidrs for node in joined.nodes))
        routes = ((held.view.cloud, route) for held in clouds.tables.values() for route in held.table.routes)
        controller = route_controller(joined.snapshot, routes)
        return replace(clouds, joined=joined, claims=claims, contested=disputed, controller=controller)

    @classmethod
    def _of_clouds(cls, joined: Joined, node_subnets: _Subnets, tag_sets: _TagSets) -> "Fabric":
        """Index what the clouds told; what the nodes claim is left out."""
        views = tuple(view for view in joined.snapshot.views if view.cloud in ROUTED)
        tables: dict[str, Held] = {}
        for view in views:
            for table in view.route_tables or ():
                network = table.network or _network_of(table, view.cloud, node_subnets)
                tables.setdefault(table.id, Held(table=table, view=view, network=network))
        by_network: defaultdict[_Network, tuple[Held, ...]] = defaultdict(tuple)
        for held in tables.values():
            if held.table.subnets is None:
                by_network[held.view.cloud, held.network] += (held,)
        names: defaultdict[str, set[str]] = defaultdict(set)
        for held in tables.values():
            names[held.table.route_prefix].update(route.name for route in held.table.routes)
        return cls(
            joined=joined,
            views=views,
            read=frozenset(
                view.source.name
                for view in views
                if view.complete and view.instances is not None and view.node_uids  # else nobody asked for VMs
            ),
            tables=tables,
            exact={held.table.id: _by_destination(held.table) for held in tables.values()},
            reserved={
                held.table.id: Ranges.of(route.destination for route in held.table.routes if route.reserves)
                for held in tables.values()
            },
            names=names,
            instances={(view.cloud, vm.key): vm for view in views for vm in view.instances or ()},
            addresses={
                (view.cloud, interface.network, address): vm
                for view in views
                for vm in view.instances or ()
                for interface in vm.interfaces
                for address in interface.addresses
            },
            by_network=by_network,
            by_subnet=_by_subnet(joined, tables),
            node_subnets=node_subnets,
            tag_sets=tag_sets,
        )

    def serving(self, placement: Placement) -> tuple[Held, ...] | None:
        """Return the tables that must know the pod CIDRs of a node placed here; None when they were not observed.

        On Compute Engine they may stand in any view: a Shared VPC's routes are those of its host project. On Azure
        they are the tables of all subnets that hold nodes, in whatever VNet, as every one of these nodes may send.
        """
        interface = placement.interface
        if interface is None:
            return None
        if placement.cloud is Cloud.GCE:
            return self.by_network.get((placement.cloud, interface.network))
        view = next((view for view in self.views if view.source.name == placement.source), None)
        if view is None or view.route_tables is None:
            return None
        found = {self.by_subnet[subnet].table.id for subnet in self._azure_subnets() if subnet in self.by_subnet}
        return tuple(held for held in self.tables.values() if held.table.id in found)

    def _azure_subnets(self) -> frozenset[str]:
        """Return the subnets that hold nodes on Azure."""
        found = (subnets for (cloud, _), subnets in self.node_subnets.items() if cloud is Cloud.AZURE)
        return frozenset[str]().union(*found)

    def lacks_table(self, subnet: str | None) -> bool | None:
        """Tell whether a subnet on Azure has no route table; None when it was not observed."""
        if subnet is None:
            return None
        if subnet in self.by_subnet:
            return False
        seen = self.joined.subnets.get(subnet)
        return None if seen is None else seen.route_table is None

    def unread(self, placement: Placement) -> tuple[str, ...]:
        """Return the tables that serve subnets with nodes on Azure and were not read; the subnet where it was not."""
        interface = placement.interface
        if interface is None or placement.cloud is not Cloud.AZURE:
            return ()
        subnets = self.joined.subnets
        asked = sorted(self._azure_subnets())
        lost = [subnet for subnet in asked if subnet not in self.by_subnet and not self.lacks_table(subnet)]
        return tuple((subnets[subnet].route_table if subnet in subnets else None) or subnet for subnet in lost)

    def serving_any(self) -> Iterator[Held]:
        """Yield the tables that serve at least one node."""
        subnets = frozenset[str]().union(*self.node_subnets.values())
        attached = {self.by_subnet[subnet].table.id for subnet in subnets & self.by_subnet.keys()}
        for held in self.tables.values():
            if held.table.subnets is None:
                if (held.view.cloud, held.network) in self.tag_sets:
                    yield held
            elif held.table.id in attached:
                yield held

    def life(self, route: Route, held: Held) -> Life:
        """Return what became of the route's next hop.

        What is absent is gone only if the place to look was read completely: an instance's own project, and on Azure
        all subscriptions for an address, which may still be a load balancer's. On Compute Engine an address may be
        another project's; the cloud itself warns of one that nobody has.
        """
        hop, cloud = route.next_hop, held.view.cloud
        if hop.kind is NextHopKind.OTHER:
            return Life.DEAD if route.dead else Life.RUNS
        if hop.kind is NextHopKind.INSTANCE:
            key = hop.instance_key or ""
            found = self.instances.get((cloud, key))
            places = {f"{cloud}:{key.partition('/')[0]}"}
        else:
            found = self._holder(hop.address, held)
            places = set() if cloud is Cloud.GCE else {view.source.name for view in self.views if view.cloud is cloud}
        if found is None and places and places <= self.read:
            return Life.GONE if hop.kind is NextHopKind.INSTANCE else Life.UNHELD
        return life_at(route, found)

    def _holder(self, address: IPAddress | None, held: Held) -> Instance | None:
        """Return the VM with the address: in the table's network, on Azure also in another one with nodes."""
        cloud = held.view.cloud
        others = (network for place, network in self.node_subnets if place is Cloud.AZURE is cloud)
        places = (held.network, *others)
        found = (self.addresses.get((cloud, place, address)) for place in places if address is not None)
        return next((vm for vm in found if vm is not None), None)

    def applies(self, route: Route, placement: Placement) -> tuple[bool, bool]:
        """Tell whether the route applies to at least one node VM of the node's network, and whether to all of them."""
        if not route.tags:
            return True, True
        interface = placement.interface
        network = (placement.cloud, "" if interface is None else interface.network)
        applicable = [not route.tags.isdisjoint(tags) for tags in self.tag_sets.get(network, ())]
        return any(applicable), all(applicable)

    def gap(self, sources: Iterable[str]) -> str | None:
        """Return why nothing may be deleted on what the nodes' source and these told; None when they told all."""
        snapshot = self.joined.snapshot
        if snapshot.nodes_source.state is not SourceState.OK:
            return f"the list of nodes is {snapshot.nodes_source.state}"
        if not snapshot.nodes:
            return "the API server told of no nodes"
        wanted = frozenset(sources)
        for view in self.views:
            if view.source.name in wanted:
                if view.source.state is not SourceState.OK:
                    return f"{view.source.name} is {view.source.state}"
                if not view.complete or view.instances is None:
                    return f"{view.source.name} answered only in part"
        return None


def life_at(route: Route, found: Instance | None) -> Life:
    """Return what became of a next hop that is this VM; of one that was not found, what the cloud says itself."""
    if found is not None and found.running is False:
        return Life.STOPPED
    if route.dead:
        return Life.DEAD
    return Life.UNSEEN if found is None else Life.RUNS


def leads_to(route: Route, placement: Placement) -> bool:
    """Tell whether the route names the node's own VM, or an address of its interface, whether or not that runs."""
    hop, instance, interface = route.next_hop, placement.instance, placement.interface
    if instance is None or interface is None:
        return False
    if hop.kind is NextHopKind.INSTANCE:
        return hop.instance_key == instance.key
    return hop.kind is NextHopKind.ADDRESS and hop.address in interface.addresses


def _network_of(table: RouteTable, cloud: Cloud, node_subnets: _Subnets) -> str:
    """Return the network of the nodes whose subnets use the table; "" when none does."""
    attached = frozenset(table.subnets or ())
    return next((name for (place, name), subnets in node_subnets.items() if place is cloud and attached & subnets), "")


def _by_subnet(joined: Joined, tables: Mapping[str, Held]) -> dict[str, Held]:
    """Return the table of each subnet: both sides name each other, and one of them may not have been read."""
    found = {subnet: held for held in tables.values() for subnet in held.table.subnets or ()}
    for subnet in joined.subnets.values():
        if subnet.route_table is not None and subnet.route_table in tables:
            found[subnet.id] = tables[subnet.route_table]
    return found


def _by_destination(table: RouteTable) -> Mapping[IPNetwork, Sequence[Route]]:
    found: defaultdict[IPNetwork, list[Route]] = defaultdict(list)
    for route in table.routes:
        found[route.destination].append(route)
    return found
