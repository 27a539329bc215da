"""The rules of static routes: what may be inserted, and what the service says about those that lead nowhere."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from tests.wire.gce_refusals import Refusal, invalid_field
from tests.wire.gce_world import Json, Project, World

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_HOPS = ("nextHopInstance", "nextHopIp", "nextHopGateway", "nextHopIlb", "nextHopVpnTunnel", "nextHopNetwork")
_SET_BY_SERVER = ("kind", "id", "creationTimestamp", "selfLink", "warnings", "nextHopNetwork", "nextHopPeering")


def check_route(world: World, project: Project, body: Json) -> None:
    """Raise ``Refusal`` for what the service would not insert."""
    for name in ("name", "network", "destRange"):
        if not body.get(name):
            raise Refusal(400, "required", f"Required field 'resource.{name}' not specified")
    if not _NAME.fullmatch(body["name"]):
        why = "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'"
        raise invalid_field("resource.name", body["name"], why)
    for name in _SET_BY_SERVER:
        if name in body:
            raise invalid_field(f"resource.{name}", body[name], "The field is set by the server.")
    if not 0 <= body.get("priority", 1000) <= 65535:
        raise invalid_field("resource.priority", body["priority"], "Must be between 0 and 65535, inclusive.")
    network = _network(world, project, body["network"])
    _check_destination(world, network, body["destRange"])
    _check_hop(world, project, body)


def is_static(route: Json) -> bool:
    """Tell whether the route counts against the project's limit."""
    return "nextHopNetwork" not in route and "nextHopPeering" not in route


def told_route(world: World, route: Json, addresses: Mapping[tuple[str, str], Json]) -> Json:
    """Return the route as it is told now: with the warnings that hold at this moment."""
    warnings = [
        {"code": code, "message": f"Next hop of '{route['name']}': {code}."}
        for code in _warned(world, route, addresses)
    ]
    return route | {"warnings": warnings} if warnings else route


def addresses(world: World) -> dict[tuple[str, str], Json]:
    """Return which instance holds an address as a primary one: by network path and address."""
    return {
        (world.path(interface["network"]), interface[name]): instance
        for instance in world.instances()
        for interface in instance.get("networkInterfaces", [])
        for name in ("networkIP", "ipv6Address")
        if name in interface
    }


def _warned(world: World, route: Json, held: Mapping[tuple[str, str], Json]) -> Iterator[str]:
    network = world.path(route["network"])
    if "nextHopInstance" in route:
        instance = world.find(route["nextHopInstance"])
        if instance is None:
            yield "NEXT_HOP_INSTANCE_NOT_FOUND"
            return
        on = [one for one in instance["networkInterfaces"] if world.path(one["network"]) == network]
        if not on:
            yield "NEXT_HOP_INSTANCE_NOT_ON_NETWORK"
        elif ":" in route["destRange"] and not any("ipv6Address" in one for one in on):
            yield "NEXT_HOP_INSTANCE_HAS_NO_IPV6_INTERFACE"
    elif "nextHopIp" in route:
        instance = held.get((network, route["nextHopIp"]))
        if instance is None:
            yield "NEXT_HOP_ADDRESS_NOT_ASSIGNED"
            return
    else:
        return
    if instance["status"] != "RUNNING":
        yield "NEXT_HOP_NOT_RUNNING"
    if not instance.get("canIpForward"):
        yield "NEXT_HOP_CANNOT_IP_FORWARD"


def _network(world: World, project: Project, told: str) -> str:
    path = _full_path(world, project, told)
    if path.split("/")[1] != project.id:
        raise invalid_field("resource.network", told, "Cross project referencing is not allowed for this resource.")
    if world.find(path) is None:
        raise invalid_field("resource.network", told, "The referenced network resource cannot be found.")
    return path


def _check_destination(world: World, network: str, told: str) -> None:
    try:
        wanted = ip_network(told)
    except ValueError:
        why = "Must be a CIDR address range that is contained in RFC-1918."
        raise invalid_field("resource.destRange", told, why) from None
    taken: list[Any] = [world.get(network).get("IPv4Range")]
    for subnet in world.subnetworks(network):
        taken += [subnet["ipCidrRange"], subnet.get("internalIpv6Prefix")]
        taken += [one["ipCidrRange"] for one in subnet["secondaryIpRanges"]]
    for one in filter(None, taken):
        if _within(wanted, ip_network(one)):
            why = f"{told} hides the address space of the network ({one}). Cannot change the routing of packets "
            raise invalid_field("resource.destRange", told, f"{why}destined for the network.")


def _within(wanted: IPv4Network | IPv6Network, taken: IPv4Network | IPv6Network) -> bool:
    same = wanted.version == taken.version
    return same and wanted.prefixlen >= taken.prefixlen and wanted.network_address in taken


def _check_hop(world: World, project: Project, body: Json) -> None:
    hops = [name for name in _HOPS if name in body]
    if len(hops) != 1:
        told = "A Route must specify at least one type of next hop."
        told = told if not hops else "A Route must specify only one type of next hop."
        raise Refusal(400, "invalidResourceUsage", f"Invalid resource usage: '{told}'.")
    if "nextHopInstance" in body:
        told = body["nextHopInstance"]
        path = _full_path(world, project, told)
        if path.split("/")[1] != project.id:
            why = "Cross project referencing is not allowed for this resource."
            raise invalid_field("resource.nextHopInstance", told, why)
        if world.find(path) is None:
            raise Refusal(404, "notFound", f"The resource '{path}' was not found")
        body["nextHopInstance"] = path
    body["network"] = _full_path(world, project, body["network"])


def _full_path(world: World, project: Project, told: str) -> str:
    return world.path(told if "projects/" in told else f"projects/{project.id}/{told}")
