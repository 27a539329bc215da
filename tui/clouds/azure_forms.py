"""What Azure is sent when something is changed, and the same change for its own command line.

May import the adapter's names, the ports and the model only.
"""

import shlex
from typing import Any, assert_never

from tui.clouds.azure_names import ResourceId
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
from tui.model.network import NextHopKind, Route, RouteTable
from tui.model.text import printable
from tui.ports import NotFound, Rejected

APPLIANCE = "VirtualAppliance"
_OTHER_HOPS = frozenset({"VirtualNetworkGateway", "VnetLocal", "Internet", "None"})


def route_body(route: Route) -> dict[str, Any]:
    """Return a ``Route`` as the API takes it. Raises ``Rejected`` for a next hop that cannot be written here."""
    return {"name": route.name, "properties": {"addressPrefix": str(route.destination), **next_hop_body(route)}}


def next_hop_body(route: Route) -> dict[str, Any]:
    """Return the fields of a route that say where it leads. Raises as ``route_body``."""
    hop = route.next_hop
    if hop.kind is NextHopKind.ADDRESS and hop.address is not None:
        return {"nextHopType": APPLIANCE, "nextHopIpAddress": str(hop.address)}
    known = next((kind for kind in _OTHER_HOPS if kind.lower() == hop.text.lower()), None)
    if known is not None:
        return {"nextHopType": known}
    raise Rejected(f"a route to {printable(hop.text)} cannot be made here: make it where it came from")


def table_body(table: RouteTable) -> dict[str, Any]:
    """Return a ``RouteTable`` as the API takes it. Routes learned from gateways go on to count in its subnets."""
    return {
        "location": table.region,
        "properties": {
            "disableBgpRoutePropagation": False,
            "routes": [route_body(route) for route in table.routes],
        },
    }


def command(change: Change) -> str:
    """Return a change for ``az`` and a POSIX shell; several commands are joined by ``&&``. Raises ``Rejected``."""
    match change:
        case SetForwarding():
            value = str(change.after).lower()
            return _line(
                *("network", "nic", "update", "--ids", change.subject, "--ip-forwarding", value),
                *("--subscription", _place(change.subject).subscription),
            )
        case CreateRoute() | ReplaceRoute() | DeleteRoute():
            return " && ".join(map(_route_command, (step for step in change.steps() if not isinstance(step, _OTHERS))))
        case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
            return _table_command(change)
        case _:
            assert_never(change)


_OTHERS = (SetForwarding, CreateRouteTable, DeleteRouteTable, AssociateRouteTable)


def _route_command(change: RouteChange) -> str:
    match change:
        case CreateRoute():
            return _route_line("create", change.table, change.after)
        case ReplaceRoute():
            return _route_line("update", change.table, change.after)
        case DeleteRoute():
            return _line(
                *_of_table("network", "route-table", "route", "delete", table=change.table, named=False),
                *("--name", change.before.name),
            )
        case _:
            assert_never(change)


def _route_line(verb: str, table: str, route: Route) -> str:
    hop = next_hop_body(route)
    address = hop.get("nextHopIpAddress")
    return _line(
        *_of_table("network", "route-table", "route", verb, table=table, named=False),
        *("--name", route.name, "--address-prefix", str(route.destination)),
        *("--next-hop-type", hop["nextHopType"]),
        *(() if address is None else ("--next-hop-ip-address", address)),
    )


def _table_command(change: TableChange) -> str:
    match change:
        case CreateRouteTable():
            table = change.after
            made = _line(
                *_of_table("network", "route-table", "create", table=table.id),
                *("--location", table.region or "", "--disable-bgp-route-propagation", "false"),
            )
            return " && ".join([made, *(_route_line("create", table.id, route) for route in table.routes)])
        case DeleteRouteTable():
            return _line(*_of_table("network", "route-table", "delete", table=change.before.id))
        case AssociateRouteTable():
            place = _place(change.subject)
            way = ("--remove", "routeTable") if change.after is None else ("--route-table", change.after)
            return _line(
                *("network", "vnet", "subnet", "update", "--subscription", place.subscription),
                *("--resource-group", place.group, "--vnet-name", place.names[0], "--name", place.name, *way),
            )
        case _:
            assert_never(change)


def _of_table(*verb: str, table: str, named: bool = True) -> tuple[str, ...]:
    """Return the words that say which table is meant: by its own name, or as the table of a route."""
    place = _place(table)
    name = ("--name" if named else "--route-table-name", place.name)
    return (*verb, "--subscription", place.subscription, "--resource-group", place.group, *name)


def _place(id_: str) -> ResourceId:
    place = ResourceId.parse(id_)
    if place is None:
        raise NotFound(f"{printable(id_)} is no id of an Azure resource")
    return place


def _line(*words: str) -> str:
    """Quote what strangers have named for a shell, and for the terminal that it is pasted into."""
    return shlex.join(["az", *(printable(word) for word in words)])
