"""Compute Engine: instances, subnetworks and routes are read; one flag per VM and single routes are written.

Routes belong to the project that hosts the network, which under a Shared VPC is not the VM's: it is a source of its
own, read only where a node's interface is in one of its networks. A VM is changed by putting it back whole, so it is
never taken apart further than needed. May import the adapter's own files, the ports and the model only.
"""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar, assert_never

import msgspec

from tui.clouds import gce_objects as objects
from tui.clouds.gce_forms import NO_TABLES, command, route_body
from tui.clouds.gce_glance import glance
from tui.clouds.gce_lists import instances_call, routes_call, subnetworks_call
from tui.clouds.gce_names import Names, name_of, project_of
from tui.clouds.gce_project import ComputeApi
from tui.clouds.gce_refusals import Call
from tui.clouds.gce_templates import with_cautions
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
)
from tui.model.glance import Glance
from tui.model.network import Instance, Route, RouteQuota, RouteTable, Subnet
from tui.model.node import Cloud, Node
from tui.model.placing import placed
from tui.model.snapshot import CloudView, Source, SourceState
from tui.model.text import printable
from tui.ports import CloudOptions, Conflict, Denied, NotFound, PortError, Reading, Rejected, Unavailable

_UNNAMED = "nothing tells the project of these nodes: give --gcp-project"

_INSTANCE = re.compile(r"projects/[^/]+/zones/[^/]+/instances/[^/]+")
_ROUTE = re.compile(r"projects/[^/]+/global/routes/[^/]+")

_Page = TypeVar("_Page", objects.InstancePage, objects.SubnetworkPage, objects.RoutePage)


@dataclass(slots=True, kw_only=True)
class _Project:
    """What is known of one project while it is read: first its VMs, then what its networks have."""

    name: str
    nodes: list[Node] = field(default_factory=list)
    networks: dict[str, set[str]] = field(default_factory=dict)
    """The uids of the nodes in each network that it hosts, by network id."""
    instances: tuple[Instance, ...] | None = ()
    subnets: tuple[Subnet, ...] | None = ()
    tables: tuple[RouteTable, ...] | None = ()
    gaps: list[str] = field(default_factory=list)
    is_partial: bool = False
    """Whether VMs that its routes may lead to were listed only in part, here or in another project."""
    failure: PortError | None = None

    def fail(self, error: PortError) -> None:
        """Keep the first trouble."""
        self.failure = self.failure or error


class GceReader:
    """The reading side of Compute Engine: one source per project, named ``gce:PROJECT``. Safe for several threads."""

    cloud = Cloud.GCE

    def __init__(self, options: CloudOptions) -> None:
        self._options = options
        self._api = ComputeApi(options.meter)

    def observe(self, nodes: Sequence[Node]) -> tuple[CloudView, ...]:
        """Read the projects that these nodes are in, and those that host their networks; ordered by name.

        Per project these are the pages of its instances; per project that hosts a node's network the pages of its
        subnetworks and routes, and its quotas; besides a bounded number of calls about the templates of VMs whose flag
        is off. Nodes of which nothing tells the project are in a view of the source ``gce:unknown``.
        """
        projects: dict[str, _Project] = {}
        homeless: list[Node] = []
        for node in nodes:
            name = _project_told_by(node) or self._options.gcp_project
            if name is None:
                homeless.append(node)
            else:
                projects.setdefault(name, _Project(name=name)).nodes.append(node)
        for project in list(projects.values()):
            self._read_instances(project)
            off: set[str] = set()
            for node, interface in placed(Cloud.GCE, project.nodes, project.instances or ()):
                if interface.forwards is False and not all(interface.owns(cidr) for cidr in node.pod_cidrs):
                    off.add(interface.switch.subject)
                if name := project_of(interface.network):
                    host = projects.setdefault(name, _Project(name=name))
                    host.networks.setdefault(interface.network, set()).add(node.uid)
                    host.is_partial |= bool(project.gaps)
            if off and project.instances is not None:
                project.instances = with_cautions(self._api, project.name, project.instances, off)
        for project in projects.values():
            if project.networks:
                self._read_networks(project)
        views = [_view(project) for _, project in sorted(projects.items())]
        return (*views, *([_lost_view(homeless)] if homeless else ()))

    def glance(self, nodes: Sequence[Node]) -> tuple[Glance, ...] | None:
        """Read these nodes alone: one list of VMs per project, and one of routes per project that hosts a network."""
        return glance(self._api, nodes)

    def read(self, change: Change) -> Reading:
        """Read the VM's flag, or the routes by their names."""
        match change:
            case SetForwarding():
                call = _instance_call("GET", "compute.instances.get", change, {"fields": objects.FLAG_FIELDS})
                item = self._api.one(call, objects.InstanceItem)
                return Reading(forwards=item.can_ip_forward, token=item.fingerprint)
            case CreateRoute() | ReplaceRoute() | DeleteRoute():
                routes = (self._route(change, name) for name in sorted(change.names()))
                return Reading(routes=tuple(route for route in routes if route is not None))
            case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
                raise Rejected(NO_TABLES)
            case _:
                assert_never(change)

    def command(self, change: Change) -> str:
        """Return the change for ``gcloud``; a replacement is its steps, one after the other."""
        return " && ".join(command(step) for step in change.steps())

    def identity(self, source: str) -> str | None:
        """Return the email, or the pool, that the credentials tell; the same in every project.

        Raises as the port says.
        """
        return self._api.principal(source.partition(":")[2])

    def _read_instances(self, project: _Project) -> None:
        try:
            if project.name.isdecimal():  # its answers name it by its id, and nothing would be found to be the same
                raise Unavailable(f"project {project.name} is named by its number: its nodes need the id instead")
            items = [
                item
                for page in self._pages(project, instances_call(project.name), objects.InstancePage)
                for scope in page.items.values()
                for item in scope.instances
            ]
            names = self._names(project.name, items)
        except PortError as error:
            project.fail(error)
            project.instances, project.subnets, project.tables = None, None, None
        else:
            project.instances = objects.instances_of(items, names)

    def _read_networks(self, project: _Project) -> None:
        """Read subnetworks and routes, each as far as it goes: one may be allowed where the other is not."""
        role = "" if project.nodes else f"host of network {_named(project.networks)}"
        names = Names(home=project.name)
        try:
            call = subnetworks_call(project.name, role)
            pages = list(self._pages(project, call, objects.SubnetworkPage))
            found = [item for page in pages for scope in page.items.values() for item in scope.subnetworks]
            project.subnets = objects.subnets_of(found, names)
        except PortError as error:
            project.fail(error)
            project.subnets = None
        try:
            routes = [
                item
                for page in self._pages(project, routes_call(project.name, role), objects.RoutePage)
                for item in page.items
            ]
        except PortError as error:
            project.fail(error)
            project.tables = None
        else:
            project.tables = _tables(project, routes, names, self._quota(project.name))

    def _pages(self, project: _Project, call: Call, kind: type[_Page]) -> Iterator[_Page]:
        for page in self._api.pages(call, kind):
            project.gaps += objects.gaps(page)
            yield page

    def _quota(self, project: str) -> RouteQuota | None:
        """Return the project's limit on routes; None when it may not be read, which is no trouble by itself."""
        try:
            return objects.quota_of(project, self._project(project, objects.PROJECT_FIELDS))
        except PortError:
            return None

    def _names(self, project: str, items: Iterable[objects.InstanceItem]) -> Names:
        """Return how to call things when answers name a project by its number, or are asked by it."""
        items = tuple(items)
        others = objects.projects_named(items) - {project}
        aliases: dict[str, str] = {}
        asked = {project} if any(other.isdecimal() or project.isdecimal() for other in others) else set()
        for name in (*asked, *sorted(other for other in others if other.isdecimal())):
            if name in aliases:
                continue
            try:
                found = self._project(name, objects.NAME_FIELDS)
            except PortError:
                continue  # then it keeps the name under which it was told
            used = project if project in {found.id, found.name} else found.name
            aliases |= {found.id: used, found.name: used}
        return Names(home=project, aliases=aliases)

    def _project(self, name: str, fields: str) -> objects.ProjectItem:
        query = {"fields": fields}
        call = Call(path=f"projects/{name}", permission="compute.projects.get", query=query, optional=True)
        return self._api.one(call, objects.ProjectItem)

    def _route(self, change: RouteChange, name: str) -> Route | None:
        """Return the route of this name; None when there is none.

        Raises ``Rejected`` when the name is taken in another network: names are unique in the whole project.
        """
        call = _route_call("GET", "compute.routes.get", change, {"fields": objects.ROUTE_FIELDS}, name)
        try:
            item = self._api.one(call, objects.RouteItem)
        except NotFound:
            return None
        network = name_of(item.network)
        if network != name_of(change.table):
            raise Rejected(f"{call.target} is a route of network {printable(network)}: remove it there first")
        return objects.route_of(item, Names(home=_project_of(change)))


class GceWriter:
    """The writing side of Compute Engine. Safe for several threads."""

    def __init__(self, options: CloudOptions) -> None:
        self._options = options
        self._api = ComputeApi(options.meter)

    def write(self, change: Change) -> None:
        """Send the change once and wait for its operation. A route that is gone already is deleted well enough."""
        match change:
            case SetForwarding():
                self._set_forwarding(change)
            case CreateRoute():
                call = _route_call("POST", "compute.routes.create", change, _once(), None)
                self._api.write(call, msgspec.json.encode(route_body(change)))
            case DeleteRoute():
                call = _route_call("DELETE", "compute.routes.delete", change, _once(), change.before.name)
                try:
                    self._api.write(call, None)
                except NotFound:
                    return
            case ReplaceRoute():
                raise Rejected(
                    "Compute Engine cannot change a route in place: add the new one, then delete the old one"
                )
            case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
                raise Rejected(NO_TABLES)
            case _:
                assert_never(change)

    def _set_forwarding(self, change: SetForwarding) -> None:
        """Put the VM back as it was read, but for the flag. Every other value passes through as the bytes it came in.

        What an update leaves out counts as deleted, and the server knows more fields than any client.
        """
        reading = _instance_call("GET", "compute.instances.get", change, {})
        fields = _fields(self._api.raw(reading), reading)
        if _value(fields, objects.FLAG, bool) is change.after:
            return
        fingerprint = _value(fields, "fingerprint", str)
        if change.token is not None and fingerprint != change.token:
            raise Conflict(f"{printable(change.subject)} was changed by somebody else: its fingerprint is another one")
        fields[objects.FLAG] = msgspec.Raw(b"true" if change.after else b"false")
        query = {"mostDisruptiveAllowedAction": "REFRESH", **_once()}
        self._api.write(_instance_call("PUT", "compute.instances.update", change, query), msgspec.json.encode(fields))


def _fields(content: bytes, call: Call) -> dict[str, msgspec.Raw]:
    try:
        return msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        text = f"what answered for {call.target} is not Compute Engine: check the endpoint and the proxy"
        raise Unavailable(text) from error


_Value = TypeVar("_Value", bool, str)


def _value(fields: Mapping[str, msgspec.Raw], name: str, kind: type[_Value]) -> _Value:
    """Return one field; what is missing is false or empty, as in the API."""
    return msgspec.json.decode(fields[name], type=kind) if name in fields else kind()


def _once() -> dict[str, str]:
    """Return what lets the server tell a request that arrives twice from a second one."""
    return {"requestId": str(uuid.uuid4())}


def _instance_call(method: str, permission: str, change: SetForwarding, query: Mapping[str, str]) -> Call:
    if _INSTANCE.fullmatch(change.subject) is None or project_of(change.subject) != _project_of(change):
        raise NotFound(f"{printable(change.subject)} is no VM of {printable(change.source)}")
    return Call(
        method=method,
        path=change.subject,
        permission=permission,
        query=query,
        subject=change.subject,
        writes=method != "GET",
    )


def _route_call(method: str, permission: str, change: RouteChange, query: Mapping[str, str], name: str | None) -> Call:
    """Return a call about the route of this name, or about the collection that it shall be in."""
    if _ROUTE.fullmatch(change.subject) is None or project_of(change.subject) != _project_of(change):
        raise NotFound(f"{printable(change.subject)} is no route of {printable(change.source)}")
    collection = change.subject.rpartition("/")[0]
    return Call(
        method=method,
        path=collection if name is None else f"{collection}/{name}",
        permission=permission,
        query=query,
        subject=change.subject if name is None else f"{collection}/{name}",
        writes=method != "GET",
    )


def _project_of(change: Change) -> str:
    cloud, _, project = change.source.partition(":")
    return project if cloud == Cloud.GCE else ""


def _project_told_by(node: Node) -> str | None:
    return node.provider_id.account if node.provider_id.cloud is Cloud.GCE else None


def _tables(
    project: _Project, items: Iterable[objects.RouteItem], names: Names, quota: RouteQuota | None
) -> tuple[RouteTable, ...]:
    """Return a table for each network with nodes, even where it has no routes. Routes are of their own project."""
    by_network: dict[str, list[objects.RouteItem]] = {name_of(id_): [] for id_ in project.networks}
    for item in items:
        if (network := name_of(item.network)) in by_network:
            by_network[network].append(item)
    return tuple(
        RouteTable(
            id=id_,
            network=id_,
            subnets=None,
            routes=objects.routes_of(by_network[name_of(id_)], names),
            route_prefix=f"projects/{project.name}/global/routes/",
            quota=quota,
        )
        for id_ in sorted(project.networks)
    )


def _named(networks: Iterable[str]) -> str:
    return ", ".join(sorted(printable(name_of(network)) for network in networks))


def _view(project: _Project) -> CloudView:
    """Say what was read. What stands, stands, but a source with a gap or a refusal is no proof of health."""
    failure = project.failure
    if failure is None and project.gaps:
        missing = ", ".join(sorted({printable(gap) for gap in project.gaps}))
        failure = Unavailable(f"the answer is only in part, without {missing}: try again later")
    state = SourceState.DENIED if isinstance(failure, Denied) else SourceState.UNAVAILABLE
    nothing = project.instances is None if project.nodes else project.tables is None
    uids = frozenset(node.uid for node in project.nodes)
    return CloudView(
        source=Source(
            name=f"gce:{project.name}",
            state=SourceState.OK if failure is None else state,
            observed_at=None if nothing else datetime.now(UTC),
            message=None if failure is None else str(failure),
        ),
        cloud=Cloud.GCE,
        node_uids=uids,
        instances=project.instances,
        subnets=project.subnets,
        route_tables=project.tables,
        complete=not project.gaps and not project.is_partial,
        routed_uids=frozenset().union(*project.networks.values()) - uids,
    )


def _lost_view(nodes: Iterable[Node]) -> CloudView:
    return CloudView(
        source=Source(name="gce:unknown", state=SourceState.UNAVAILABLE, observed_at=None, message=_UNNAMED),
        cloud=Cloud.GCE,
        node_uids=frozenset(node.uid for node in nodes),
        instances=None,
        subnets=None,
        route_tables=None,
    )
