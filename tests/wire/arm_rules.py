"""What the Resource Manager takes and refuses: replacing a resource whole, with the network service's own rules.

Names of fields are those of azure-mgmt-network's models; what they do not know is taken only where it stands already.
"""

from collections.abc import Callable, Iterable
from functools import cache
from ipaddress import ip_network
from typing import Any

from tests.wire.arm_world import Json, World, fold, kind_of

READ_ONLY = {
    "networkinterfaces": {
        *("provisioningState", "resourceGuid", "macAddress", "primary", "virtualMachine", "hostedWorkloads"),
        *("tapConfigurations", "dscpConfiguration", "privateEndpoint"),
    },
    "virtualnetworks/subnets": {
        *("provisioningState", "ipConfigurations", "ipConfigurationProfiles", "privateEndpoints", "purpose"),
        *("resourceNavigationLinks", "serviceAssociationLinks"),
    },
    "routetables": {"provisioningState", "resourceGuid", "subnets"},
    "routetables/routes": {"provisioningState", "hasBgpOverride"},
}
_MODELS = {
    "networkinterfaces": ("NetworkInterface", "NetworkInterfacePropertiesFormat"),
    "virtualnetworks/subnets": ("Subnet", "SubnetPropertiesFormat"),
    "routetables": ("RouteTable", "RouteTablePropertiesFormat"),
    "routetables/routes": ("Route", "RoutePropertiesFormat"),
}
_HOPS = {"VirtualNetworkGateway", "VnetLocal", "Internet", "VirtualAppliance", "None"}
LIMIT = 400


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: str, message: str = "", details: Iterable[str] = ()) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message or f"the service says {code}"
        self.details = tuple(details)

    @property
    def body(self) -> Json:
        details = [{"code": code, "message": f"because of {code}"} for code in self.details]
        return {"error": {"code": self.code, "message": self.message, "details": details}}


@cache
def known_fields(model: str) -> frozenset[str]:
    """Return the JSON names of an SDK model's fields."""
    from azure.mgmt.network import models

    made = getattr(models, model)()  # the names are put together with the first object
    return frozenset(field._rest_name for field in made._attr_to_rest_field.values())


def checked(kind: str, body: Any, before: Json | None) -> Json:
    """Return the body if every field of it is known, or stands in the resource already."""
    if not isinstance(body, dict) or not isinstance(body.get("properties", {}), dict):
        raise Refused(400, "InvalidRequestContent", "the body is no resource")
    whole, inner = _MODELS[kind]
    for fields, known, stands in (
        (body, known_fields(whole), before or {}),
        (body.get("properties", {}), known_fields(inner), (before or {}).get("properties", {})),
    ):
        strange = [name for name in fields if name not in known and name not in stands]
        if strange:
            raise Refused(400, "InvalidRequestContent", f"could not find member {strange[0]!r}")
    return body


def put_resource(world: World, id_: str, body: Json) -> Callable[[], None]:
    """Check a PUT and return what makes it so: everything but the read-only properties is replaced."""
    kind = kind_of(id_)
    before = world.resources.get(fold(id_))
    checked(kind, body, before)
    if before is None and kind != "routetables":
        raise Refused(404, "ResourceNotFound", f"the resource {id_} was not found")
    properties = dict(body.get("properties", {}))
    if kind == "routetables":
        _check_routes(properties.get("routes") or [])
        if before is None and "location" not in body:
            raise Refused(400, "LocationRequired")
        if before is not None and body.get("location") != before["location"]:
            raise Refused(409, "InvalidResourceLocation")
    if kind == "virtualnetworks/subnets":
        _check_table(world, id_, properties.get("routeTable"))
        if not properties.get("addressPrefix") and not properties.get("addressPrefixes"):
            raise Refused(400, "InvalidRequestFormat", "a subnet needs an address prefix")
    if kind == "networkinterfaces" and not properties.get("ipConfigurations"):
        raise Refused(400, "NetworkInterfaceMustHaveIpConfiguration")

    def effect() -> None:
        old = {} if before is None else before["properties"]
        kept = {name: old[name] for name in READ_ONLY[kind] if name in old}
        written = {name: value for name, value in properties.items() if name not in READ_ONLY[kind]}
        if kind == "routetables":
            routes = [_stored(id_, route) for route in written.get("routes") or []]
            written["routes"] = routes
        if written.get("routeTable", ...) is None:
            del written["routeTable"]
        document: Json = {"id": before["id"] if before else id_, "name": id_.rpartition("/")[2]}
        document |= {name: body[name] for name in body if name not in {"id", "name", "etag", "type", "properties"}}
        world.resources[fold(id_)] = document | {"properties": written | kept}
        world.touch(id_)

    return effect


def put_route(world: World, id_: str, body: Json) -> Callable[[], None]:
    """Check the PUT of one route and return what makes it so: by its name it is made, or replaced whole."""
    table, _, name = id_.rpartition("/routes/")
    document = _table(world, table)
    routes: list[Json] = document["properties"]["routes"]
    before = next((route for route in routes if route["name"].lower() == name.lower()), None)
    checked("routetables/routes", body, before)
    stored = _stored(table, {**body, "name": before["name"] if before else name})
    changed = [stored if route is before else route for route in routes] + ([] if before else [stored])
    _check_routes(changed)

    def effect() -> None:
        document["properties"]["routes"] = changed
        world.touch(table)

    return effect


def delete(world: World, id_: str) -> Callable[[], None] | None:
    """Check a DELETE and return what makes it so; None when there is nothing to delete."""
    if kind_of(id_) == "routetables/routes":
        table, _, name = id_.rpartition("/routes/")
        document = _table(world, table)
        left = [route for route in document["properties"]["routes"] if route["name"].lower() != name.lower()]
        if len(left) == len(document["properties"]["routes"]):
            return None

        def without() -> None:
            document["properties"]["routes"] = left
            world.touch(table)

        return without
    if fold(id_) not in world.resources:
        return None
    if "subnets" in world.told(id_)["properties"]:
        raise Refused(400, "InUseRouteTableCannotBeDeleted", f"route table {id_} is in use")
    return lambda: world.remove(id_)


def _table(world: World, id_: str) -> Json:
    if fold(id_) not in world.resources:
        raise Refused(404, "ResourceNotFound", f"the resource {id_} was not found")
    return world.raw(id_)


def _stored(table: str, route: Json) -> Json:
    told = {name: value for name, value in route.items() if name not in {"etag", "type", "id"}}
    hidden = READ_ONLY["routetables/routes"]
    properties = {name: value for name, value in route["properties"].items() if name not in hidden}
    return told | {"id": f"{table}/routes/{route['name']}", "properties": properties}


def _check_routes(routes: list[Json]) -> None:
    if len(routes) > LIMIT:
        raise Refused(400, "RouteTableRouteCountLimitReached", f"a route table takes {LIMIT} routes")
    names, prefixes = set(), set()
    for route in routes:
        told, name = route.get("properties", {}), str(route.get("name", "")).lower()
        prefix: object = told.get("addressPrefix")
        if not str(prefix).isalpha():  # else it is a service tag
            try:
                prefix = ip_network(prefix)  # type: ignore[arg-type]
            except ValueError as error:
                raise Refused(400, "InvalidAddressPrefixFormat", str(error)) from error
        if not name or name in names:
            raise Refused(400, "DuplicateResourceName", f"route name {name!r}")
        if prefix in prefixes:
            raise Refused(400, "RouteConflict", f"prefix {prefix} stands twice in the table")
        hop = told.get("nextHopType")
        if hop not in _HOPS or (hop == "VirtualAppliance") != bool(told.get("nextHopIpAddress")):
            raise Refused(400, "InvalidNextHop", f"route {name!r} leads nowhere")
        names.add(name)
        prefixes.add(prefix)


def _check_table(world: World, subnet: str, reference: Json | None) -> None:
    """A table must be there, in the region of the VNet."""
    if reference is None:
        return
    if fold(reference["id"]) not in world.resources:
        raise Refused(400, "InvalidResourceReference", f"{reference['id']} was not found")
    network = subnet.rpartition("/subnets/")[0]
    if world.raw(reference["id"])["location"] != world.raw(network)["location"]:
        raise Refused(400, "InvalidResourceLocation", "the table stands in another region")
