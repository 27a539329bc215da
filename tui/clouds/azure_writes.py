"""Azure, written to: resources are read whole, changed in one place and put back under their etag.

A PUT replaces a resource: whatever its body leaves out is gone. So everything passes through as JSON, fields that
nobody here knows included, and an etag proves that it is still what was read. May import msgspec, the adapter's own
files, the ports and the model only.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never, cast

import msgspec

from tui.clouds import azure_objects as objects
from tui.clouds.azure_arm import Answer, ArmApi, decoded
from tui.clouds.azure_forms import next_hop_body, route_body, table_body
from tui.clouds.azure_names import ResourceId, same
from tui.clouds.azure_operations import settle
from tui.clouds.azure_refusals import Call
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
from tui.model.network import ReplaceMethod, Route
from tui.model.node import Cloud
from tui.model.text import printable
from tui.ports import CloudOptions, Conflict, NotFound, Reading, Rejected

_NIC = "microsoft.network/networkinterfaces"
_SUBNET = "microsoft.network/virtualnetworks/subnets"
_TABLE = "microsoft.network/routetables"
_ROUTE = "microsoft.network/routetables/routes"

_ACTIONS: Mapping[str, str] = {
    _NIC: "Microsoft.Network/networkInterfaces",
    _SUBNET: "Microsoft.Network/virtualNetworks/subnets",
    _TABLE: "Microsoft.Network/routeTables",
    _ROUTE: "Microsoft.Network/routeTables/routes",
}

READ_ONLY: Mapping[str, frozenset[str]] = {
    _NIC: frozenset(
        {
            *("provisioningState", "resourceGuid", "macAddress", "primary", "virtualMachine", "hostedWorkloads"),
            *(
                "tapConfigurations",
                "dscpConfiguration",
                "privateEndpoint",
                "vnetEncryptionSupported",
            ),
            *("defaultOutboundConnectivityEnabled",),
        }
    ),
    _SUBNET: frozenset(
        {
            *("provisioningState", "ipConfigurations", "ipConfigurationProfiles", "privateEndpoints", "purpose"),
            *("resourceNavigationLinks", "serviceAssociationLinks"),
        }
    ),
    _TABLE: frozenset({"provisioningState", "resourceGuid", "subnets"}),
    _ROUTE: frozenset({"provisioningState", "hasBgpOverride"}),
}
"""Properties that are told and never set: a subnet's are as long as the list of everything in it. Left out, as the
SDK's own models leave them out; every other property, known here or not, is sent back as it came."""

_HOPS = frozenset({"nextHopType", "nextHopIpAddress", "nextHop"})
_RESERVED = frozenset({"gatewaysubnet", "azurebastionsubnet", "azurefirewallsubnet", "routeserversubnet"})

_Document = dict[str, Any]


class AzureWriter:
    """The writing side of Azure. One write at a time: tables and subnets of one network lock each other."""

    def __init__(self, options: CloudOptions) -> None:
        self._api = ArmApi(options.meter)
        self._writing = threading.Lock()

    def write(self, change: Change) -> None:
        """Send a change, and wait until Azure has ended it. Raises as ``CloudWriter``."""
        with self._writing:
            match change:
                case SetForwarding():
                    self._set_forwarding(change)
                case CreateRoute():
                    self._create_route(change)
                case ReplaceRoute():
                    self._replace_route(change)
                case DeleteRoute():
                    self._delete_route(change)
                case CreateRouteTable():
                    self._create_table(change)
                case DeleteRouteTable():
                    self._delete_table(change)
                case AssociateRouteTable():
                    self._associate(change)
                case _:
                    assert_never(change)

    def read_table(self, changes: Sequence[RouteChange]) -> Reading:
        """Read the routes of the table that all these changes are of. Raises as ``CloudReader.read``."""
        table = _place(changes[0], changes[0].table, _TABLE)
        try:
            item = self._api.one(_reading(table), objects.TableItem)
        except NotFound:
            return Reading()
        names = (name for change in changes for name in change.names())
        routes = objects.named_as(objects.routes_of(item.properties.routes or ()), names)
        return Reading(routes=routes, trouble=objects.unsettled(item.properties.provisioning_state))

    def write_table(self, changes: Sequence[RouteChange]) -> None:
        """Make all these changes of one table with one write. Raises as ``CloudWriter.write``."""
        with self._writing:
            place = _place(changes[0], changes[0].table, _TABLE)
            found = self._read(place)
            routes = cast("list[_Document]", found.properties.get("routes") or [])
            for change in changes:
                routes = _changed(routes, change)
            found.properties["routes"] = routes
            self._put(place, found)

    def _set_forwarding(self, change: SetForwarding) -> None:
        place = ResourceId.parse(change.subject)
        if place is not None and place.kind == f"{objects.SCALE_SET_MEMBER}/networkinterfaces":
            raise Rejected("an interface of a uniform scale set has no flag of its own: change the scale set's model")
        place = _place(change, change.subject, _NIC)
        found = self._read(place)
        flag = found.properties.get(objects.FLAG)
        if flag is change.after:
            return
        if flag is not change.before:
            raise Conflict(f"{objects.FLAG} of {printable(place.text)} is neither on nor off by now")
        found.properties[objects.FLAG] = change.after
        self._put(place, found)

    def _create_route(self, change: CreateRoute) -> None:
        table = self._read(_place(change, change.table, _TABLE))
        _changed(cast("list[_Document]", table.properties.get("routes") or []), change)  # raises what stands against it
        self._make(_place(change, change.subject, _ROUTE), route_body(change.after), table.answer.version)

    def _replace_route(self, change: ReplaceRoute) -> None:
        place = _place(change, change.subject, _ROUTE)
        found = self._read(place)
        (found.document,) = _changed([found.document], change)
        self._put(place, found)

    def _delete_route(self, change: DeleteRoute) -> None:
        place = _place(change, change.subject, _ROUTE)
        try:
            found = self._read(place)
        except NotFound:
            return
        _changed([found.document], change)
        self._delete(place, found)

    def _create_table(self, change: CreateRouteTable) -> None:
        place = _place(change, change.subject, _TABLE)
        try:
            self._read(place)
        except NotFound:
            self._make(place, table_body(change.after), None)
        else:
            raise Conflict(f"there is a route table {printable(place.text)} by now")

    def _delete_table(self, change: DeleteRouteTable) -> None:
        place = _place(change, change.subject, _TABLE)
        try:
            found = self._read(place)
        except NotFound:
            return
        routes = cast("list[_Document]", found.properties.get("routes") or [])
        for route in change.before.routes:
            routes = _without(routes, route)
        if routes or found.properties.get("subnets"):
            raise Conflict(f"{printable(place.text)} has other routes than planned by now, or a subnet uses it")
        self._delete(place, found)

    def _associate(self, change: AssociateRouteTable) -> None:
        place = _place(change, change.subject, _SUBNET)
        if place.name.lower() in _RESERVED:
            raise Rejected(f"{place.name} is kept for a service of Azure, which a table for pods would break")
        found = self._read(place)
        now = (found.properties.get("routeTable") or {}).get("id")
        if _is_same(now, change.after):
            return
        if not _is_same(now, change.before):
            raise Conflict(f"{printable(place.text)} has the route table {printable(now or 'none')} by now")
        if change.after is None:
            del found.properties["routeTable"]
        else:
            found.properties["routeTable"] = {"id": _place(change, change.after, _TABLE).text}
        self._put(place, found)

    # One resource, read and put back.

    def _read(self, place: ResourceId) -> "_Found":
        call = _reading(place)
        answer = self._api.call(call)
        return _Found(answer=answer, document=decoded(answer, dict[str, Any], call))

    def _put(self, place: ResourceId, found: "_Found") -> None:
        """Put a resource back as it was read and changed, unless somebody else has changed it since."""
        body = {name: value for name, value in found.document.items() if name not in {"etag", "type"}}
        told = READ_ONLY[place.kind]
        body["properties"] = {name: value for name, value in found.properties.items() if name not in told}
        self._write(place, "PUT", found.answer.version, {"If-Match": found.etag}, body)

    def _make(self, place: ResourceId, body: _Document, version: str | None) -> None:
        """Put a resource that must not be there yet."""
        self._write(place, "PUT", version, {"If-None-Match": "*"}, body)

    def _delete(self, place: ResourceId, found: "_Found") -> None:
        try:
            self._write(place, "DELETE", found.answer.version, {"If-Match": found.etag}, None)
        except NotFound:
            return

    def _write(
        self, place: ResourceId, method: str, version: str | None, headers: Mapping[str, str], body: _Document | None
    ) -> None:
        call = Call(
            method=method,
            path=place.text,
            permission=f"{_ACTIONS[place.kind]}/{'delete' if method == 'DELETE' else 'write'}",
            headers=headers,
            body=None if body is None else msgspec.json.encode(body),
            version=version,
            subject=place.text,
            writes=True,
        )
        settle(self._api, call, self._api.call(call))


@dataclass(slots=True, kw_only=True)
class _Found:
    """A resource as it was read; ``document`` is what is changed before it is put back."""

    answer: Answer
    document: _Document

    @property
    def properties(self) -> _Document:
        """What it says of itself."""
        return cast("_Document", self.document.setdefault("properties", {}))

    @property
    def etag(self) -> str:
        """What proves that it is still what was read. Raises ``Rejected`` when Azure has told none."""
        etag = self.document.get("etag") or self.answer.headers.get("ETag")
        if not isinstance(etag, str):
            raise Rejected("Azure told no etag, without which somebody else's change could be written over")
        return etag


def _place(change: Change, id_: str, kind: str) -> ResourceId:
    """Take an id apart. Raises ``NotFound`` for one of another source, or of another kind of resource."""
    place = ResourceId.parse(id_)
    if place is None or place.kind != kind or f"{Cloud.AZURE}:{place.subscription.lower()}" != change.source.lower():
        raise NotFound(f"{printable(id_)} is not in {printable(change.source)}")
    return place


def _reading(place: ResourceId) -> Call:
    return Call(path=place.text, permission=f"{_ACTIONS[place.kind]}/read", subject=place.text)


def _is_same(one: str | None, other: str | None) -> bool:
    return one is other is None or (one is not None and other is not None and same(one, other))


def _changed(routes: Sequence[_Document], change: RouteChange) -> list[_Document]:
    """Return a table's routes with one change made, every other route as it stands.

    Raises ``Conflict`` when they are not what the change was planned on.
    """
    match change:
        case CreateRoute():
            after = change.after
            for route, known in _translated(routes):
                if str(route.get("name", "")).lower() == after.name.lower():
                    raise Conflict(f"there is a route {printable(after.name)} in the table by now")
                if known is not None and known.destination == after.destination:
                    raise Conflict(f"route {printable(known.name)} of the table leads {after.destination} by now")
            return [*routes, route_body(after)]
        case DeleteRoute():
            return _without(routes, change.before)
        case ReplaceRoute(method=ReplaceMethod.IN_PLACE):
            return _replaced(routes, change.before, change.after)
        case ReplaceRoute():
            raise Rejected("Azure takes a prefix once in a table: the route can only be changed in place")
        case _:
            assert_never(change)


def _replaced(routes: Sequence[_Document], before: Route, after: Route) -> list[_Document]:
    """Let one route lead elsewhere. What else it says stays, but for the next hops that it is to have no more."""
    _without(routes, before)  # raises when it is another one by now
    found: list[_Document] = []
    for route in routes:
        if str(route.get("name", "")).lower() != before.name.lower():
            found.append(route)
            continue
        properties = {name: value for name, value in route["properties"].items() if name not in _HOPS}
        found.append({**route, "properties": properties | next_hop_body(after)})
    return found


def _without(routes: Sequence[_Document], route: Route) -> list[_Document]:
    """Take one route out. Raises ``Conflict`` when it is not there, or is another one by now."""
    for document, known in _translated(routes):
        if known is not None and known.name.lower() == route.name.lower():
            if known.same_as(replace(route, name=known.name)):
                return [other for other in routes if other is not document]
            break
    raise Conflict(f"route {printable(route.name)} is not what it was when the plan was made")


def _translated(routes: Sequence[_Document]) -> Iterator[tuple[_Document, Route | None]]:
    """Yield each route with what it means; None for one whose destination is no range."""
    for document in routes:
        try:
            known = objects.route_of(msgspec.convert(document, objects.RouteItem))
        except msgspec.ValidationError:
            known = None
        yield document, known
