"""The embedded clouds: a ``CloudReader`` and a ``CloudWriter`` over a demo world."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, assert_never

from tui.demo import ids
from tui.demo.commands import command
from tui.demo.faults import Call
from tui.demo.routing import system_routes
from tui.demo.state import SiteState
from tui.demo.writing import write_route
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
from tui.model.glance import Glance
from tui.model.network import NetworkInterface, Route
from tui.model.node import Cloud, IPNetwork, Node
from tui.model.snapshot import CloudView, Source, SourceState
from tui.ports import Conflict, Denied, NotFound, PortError, Reading, Rejected

if TYPE_CHECKING:
    from tui.demo.world import DemoWorld


class DemoReader:
    """The reading side of one cloud of a demo world."""

    def __init__(self, world: "DemoWorld", cloud: Cloud) -> None:
        self.cloud = cloud
        self._world = world

    def observe(self, nodes: Sequence[Node]) -> tuple[CloudView, ...]:
        """Return one view for every source that these nodes may be in; none for no nodes."""
        world = self._world
        error: PortError | None = None
        try:
            world.enter(Call.OBSERVE, self.cloud)
        except PortError as failure:
            error = failure
        with world.lock:
            sites = tuple(world.current().sites_of(self.cloud))
            wanted = {source: frozenset(uids) for source, uids in _by_source(sites, nodes)}
            routed = {site.site.source: _routed(site, sites, wanted) for site in sites}
            return tuple(
                self._view(site, wanted[site.site.source], routed[site.site.source], error)
                for site in sites
                if wanted[site.site.source] or routed[site.site.source]
            )

    def glance(self, nodes: Sequence[Node]) -> tuple[Glance, ...] | None:
        """Return what is observed of these nodes alone; None where any of them does not name its VM."""
        keys = {node.uid: node.provider_id.key for node in nodes if node.provider_id.cloud is self.cloud}
        if len(keys) < len(nodes) or None in keys.values():
            return None
        views = self.observe(nodes)
        if any(view.source.state is not SourceState.OK for view in views):
            return None
        cidrs = frozenset(cidr for node in nodes for cidr in node.pod_cidrs)
        return tuple(_glance(view, keys, cidrs) for view in views)

    def read(self, change: Change) -> Reading:
        """Read the flag and its token, or the routes that the change names."""
        world = self._world
        world.enter(Call.READ, self.cloud, change)
        with world.lock:
            site = _site(world, self.cloud, change)
            if isinstance(change, CreateRoute | ReplaceRoute | DeleteRoute):
                names = change.names()
                return Reading(routes=tuple(route for route in _told(world, site) if route.name in names))
            if not isinstance(change, SetForwarding):
                raise Rejected(f"there are no route tables to attach in {change.source}")
            interface = site.told_interface(change.subject)
            if interface is None:
                raise NotFound(f"{change.subject} does not exist")
            return Reading(forwards=interface.forwards, token=interface.switch.token)

    def site(self, change: Change) -> SiteState:
        """Return the site that a change is about. The caller holds the lock. Raises ``NotFound`` and what was lost."""
        return _site(self._world, self.cloud, change)

    def command(self, change: Change) -> str:
        """Return the change for ``aws``, ``gcloud`` or ``az``."""
        return command(change)

    def identity(self, source: str) -> str | None:
        """Return who acts, the same in every source of the cloud; None for a cloud that is none."""
        world = self._world
        world.enter(Call.IDENTITY, self.cloud)
        with world.lock:
            if source in world.faults.lost:
                raise world.faults.lost[source]
        return ids.identity(self.cloud)

    def _view(
        self, site: SiteState, node_uids: frozenset[str], routed_uids: frozenset[str], error: PortError | None
    ) -> CloudView:
        world, source = self._world, site.site.source
        error = error or world.faults.lost.get(source)
        if error is None:
            site.seen_at = world.clock.now()
        state = SourceState.OK if error is None else _state_of(error)
        return CloudView(
            source=Source(
                name=source,
                state=state,
                observed_at=site.seen_at,
                message=None if error is None else str(error),
            ),
            cloud=self.cloud,
            node_uids=node_uids,
            instances=None if error else site.told_instances(),
            subnets=None if error else site.subnets,
            route_tables=None if error else world.current().told_tables(site),
            routed_uids=routed_uids,
        )


def _glance(view: CloudView, keys: Mapping[str, str | None], cidrs: frozenset[IPNetwork]) -> Glance:
    told = {instance.key: instance for instance in view.instances or ()}
    return Glance(
        source=view.source.name,
        node_uids=view.node_uids,
        routed_uids=view.routed_uids,
        instances={key: told.get(key) for uid, key in keys.items() if key is not None and uid in view.node_uids},
        pod_cidrs=cidrs,
        routes={
            table.id: tuple(route for route in table.routes if route.destination in cidrs)
            for table in view.route_tables or ()
        },
    )


class DemoWriter:
    """The writing side of one cloud of a demo world."""

    def __init__(self, world: "DemoWorld", cloud: Cloud) -> None:
        self.cloud = cloud
        self._world = world

    def write(self, change: Change) -> None:
        """Switch the flag, or make or delete the route.

        A flag's change without a token is unconditional; one with another token is a ``Conflict``.
        """
        world = self._world
        afterwards = world.enter(Call.WRITE, self.cloud, change)
        with world.lock:
            match change:
                case SetForwarding():
                    self._set_forwarding(change)
                case CreateRoute() | ReplaceRoute() | DeleteRoute():
                    self._write_routing(change)
                case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
                    self._write_routing(change)
                case _:
                    assert_never(change)
        if afterwards is not None:
            raise afterwards

    def site(self, change: Change) -> SiteState:
        """Return the site that a change is about. The caller holds the lock. Raises ``NotFound`` and what was lost."""
        return _site(self._world, self.cloud, change)

    def _write_routing(self, change: RouteChange | TableChange) -> None:
        """Change routes or tables. Only Azure knows tables."""
        if isinstance(change, CreateRouteTable | DeleteRouteTable | AssociateRouteTable):
            raise Rejected(f"there are no route tables to attach in {change.source}")
        write_route(self._world.current(), self.site(change), change, self._world.echoes)

    def _set_forwarding(self, change: SetForwarding) -> None:
        site = _site(self._world, self.cloud, change)
        interface = site.interface(change.subject)
        if interface is None:
            raise NotFound(f"{change.subject} does not exist")
        if interface.switch.refusal is not None:
            raise Rejected(interface.switch.refusal)
        if _stale(change, interface):
            raise Conflict(f"{change.subject} was changed by somebody else meanwhile")
        site.set_forwarding(change.subject, change.after, self._world.echoes)


def _stale(change: SetForwarding, interface: NetworkInterface) -> bool:
    return interface.switch.token is not None and change.token not in {None, interface.switch.token}


def _site(world: "DemoWorld", cloud: Cloud, change: Change) -> SiteState:
    """Return the site that the change is about. Raises the error of a lost source, ``NotFound`` for an unknown one."""
    site = world.current().sites.get(change.source)
    if site is None or site.site.cloud is not cloud:
        raise NotFound(f"there is no {change.source} to look for {change.subject} in")
    if change.source in world.faults.lost:
        raise world.faults.lost[change.source]
    return site


def _by_source(sites: Iterable[SiteState], nodes: Sequence[Node]) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield each source with the uids of the nodes to look for in it: those that name it, and those that name none."""
    sites = tuple(sites)
    named = {node.uid: next((site for site in sites if _names(node, site)), None) for node in nodes}
    for site in sites:
        yield site.site.source, (node.uid for node in nodes if named[node.uid] in {None, site})


def _routed(site: SiteState, sites: Iterable[SiteState], wanted: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the nodes whose VMs are looked for elsewhere while the routes of their network are in this site."""
    source = site.site.source
    guests = (other.site.source for other in sites if other is not site and other.site.network_source == source)
    return frozenset(uid for guest in guests for uid in wanted[guest])


def _told(world: "DemoWorld", site: SiteState) -> Iterator[Route]:
    """Yield the routes as the next read sees them, those of the cloud's own included."""
    state = world.current()
    if site.site.cloud is Cloud.GCE and not site.site.host:
        yield from system_routes(site.site)
    yield from state.told_routes(site)


def _names(node: Node, site: SiteState) -> bool:
    """Tell whether the node's provider id says that its VM is in this site."""
    cloud, key, scope = node.provider_id.cloud, node.provider_id.key or "", site.site.scope
    if cloud is not site.site.cloud:
        return False
    match cloud:
        case Cloud.AWS:
            return (node.provider_id.zone or "").startswith(scope)
        case Cloud.GCE:
            return key.startswith(f"{scope}/")
        case Cloud.AZURE:
            return key.startswith(f"/subscriptions/{scope.lower()}/")
        case _:
            return False


def _state_of(error: PortError) -> SourceState:
    return SourceState.DENIED if isinstance(error, Denied) else SourceState.UNAVAILABLE
