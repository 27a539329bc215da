"""Changes as JSON documents, and back: written and read side by side, so that they cannot drift apart.

Standard library only, no I/O.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, assert_never

from tui.model.change import (
    Action,
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
from tui.model.fields import BadPlan, Fields
from tui.model.network import Disruption, NextHop, NextHopKind, ReplaceMethod, Route, RouteTable
from tui.model.node import Cloud
from tui.model.snapshot import Cluster


def instant(at: datetime) -> str:
    """Write an instant in UTC, to the second: ``2026-01-01T12:00:00Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cluster_document(cluster: Cluster) -> dict[str, object]:
    """Write a cluster with its pod CIDRs."""
    return {"context": cluster.context, "server": cluster.server, "podCIDRs": [str(cidr) for cidr in cluster.pod_cidrs]}


def change_document(change: Change) -> dict[str, object]:
    """Write a change with its precondition; ``before`` and ``after`` are None where nothing stands."""
    before, after, details = _details(change)
    return {
        "id": change.id,
        "action": change.action.value,
        "kind": change.kind,
        "cloud": change.cloud.value,
        "node": change.node,
        "subject": change.subject,
        "before": before,
        "after": after,
        "disruption": change.disruption.value,
        "dependsOn": list(change.depends_on),
        "command": change.command,
        "reason": change.reason,
        "findings": list(change.findings),
        "caution": change.caution,
        "nodeUID": change.node_uid,
        "source": change.source,
        "token": change.token,
        "undo": change.undo,
        **details,
    }


_Details = tuple[Mapping[str, object] | None, Mapping[str, object] | None, dict[str, object]]


def _details(change: Change) -> _Details:
    """Return what stood there, what shall stand there, and what only this kind of change has."""
    match change:
        case SetForwarding():  # in the cloud's own words
            before, after = change.fields(change.before), change.fields(change.after)
            return before, after, {"inverted": change.inverted}
        case CreateRoute():
            return None, _route_document(change.after), _table(change)
        case DeleteRoute():
            keeps = None if change.keeps is None else _route_document(change.keeps)
            return _route_document(change.before), None, {**_table(change), "keeps": keeps}
        case ReplaceRoute():
            details = {**_table(change), "method": change.method.value, "oldSubject": change.old_subject}
            return _route_document(change.before), _route_document(change.after), details
        case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
            return _table_details(change)
        case _:
            assert_never(change)


def _table_details(change: TableChange) -> _Details:
    match change:
        case CreateRouteTable():
            return None, _table_document(change.after), {}
        case DeleteRouteTable():
            return _table_document(change.before), None, {}
        case AssociateRouteTable():
            routes = {"needs": change.needs, "beside": change.beside}
            details = {name: [_route_document(route) for route in told] for name, told in routes.items()}
            return {"routeTable": change.before}, {"routeTable": change.after}, {**details}
        case _:
            assert_never(change)


def _table(change: RouteChange) -> dict[str, object]:
    return {"table": change.table, "quota": change.quota}


def _table_document(table: RouteTable) -> dict[str, object]:
    return {
        "id": table.id,
        "network": table.network,
        "region": table.region,
        "routePrefix": table.route_prefix,
        "replaces": table.replaces.value,
        "routes": [_route_document(route) for route in table.routes],
    }


def _route_document(route: Route) -> dict[str, object]:
    hop = route.next_hop
    return {
        "name": route.name,
        "destination": str(route.destination),
        "nextHop": {
            "kind": hop.kind.value,
            "text": hop.text,
            "instance": hop.instance_key,
            "address": None if hop.address is None else str(hop.address),
        },
        "priority": route.priority,
        "description": route.description,
        "tags": sorted(route.tags),
        "token": route.token,
    }


def change_from_document(fields: Fields) -> Change:
    """Read what ``change_document`` wrote. Raises ``ValueError``, mostly as ``BadPlan``."""
    kind, action = fields.text("kind"), fields.text("action")
    shared: dict[str, Any] = {
        "id": fields.text("id"),
        "node": fields.optional_text("node"),
        "node_uid": fields.optional_text("nodeUID"),
        "cloud": Cloud(fields.text("cloud")),
        "source": fields.text("source"),
        "subject": fields.text("subject"),
        "reason": fields.text("reason"),
        "findings": tuple(fields.texts("findings")) if "findings" in fields.values else (),
        "caution": fields.optional_text("caution"),
        "token": fields.optional_text("token"),
        "disruption": Disruption(fields.text("disruption")),
        "depends_on": tuple(fields.texts("dependsOn")),
        "command": fields.text("command"),
        "undo": fields.flag("undo"),
    }
    if kind == SetForwarding.kind:
        return _set_forwarding(fields, shared)
    if kind == CreateRoute.kind:
        change = _route_change(action, fields, shared)
    else:
        change = _table_change(kind, action, fields, shared)
    if change is None:
        raise BadPlan(
            f"the saved plan has a change of the unknown kind {kind!r} ({action}): make it again with this version"
        )
    return change


def _route_change(action: str, fields: Fields, shared: dict[str, Any]) -> Change | None:
    shared |= {"table": fields.text("table"), "quota": fields.optional_text("quota")}
    match action:
        case Action.CREATE:
            return CreateRoute(**shared, after=_route(fields.fields("after")))
        case Action.DELETE:
            keeps = fields.optional_fields("keeps")
            kept = None if keeps is None else _route(keeps)
            return DeleteRoute(**shared, before=_route(fields.fields("before")), keeps=kept)
        case Action.REPLACE:
            return ReplaceRoute(
                **shared,
                before=_route(fields.fields("before")),
                after=_route(fields.fields("after")),
                method=ReplaceMethod(fields.text("method")),
                old_subject=fields.text("oldSubject"),
            )
    return None


def _table_change(kind: str, action: str, fields: Fields, shared: dict[str, Any]) -> Change | None:
    match kind, action:
        case CreateRouteTable.kind, Action.CREATE:
            return CreateRouteTable(**shared, after=_route_table(fields.fields("after")))
        case DeleteRouteTable.kind, Action.DELETE:
            return DeleteRouteTable(**shared, before=_route_table(fields.fields("before")))
        case AssociateRouteTable.kind, Action.UPDATE:
            return AssociateRouteTable(
                **shared,
                before=fields.fields("before").optional_text("routeTable"),
                after=fields.fields("after").optional_text("routeTable"),
                needs=tuple(_route(route) for route in fields.objects("needs")),
                beside=tuple(_route(route) for route in fields.objects("beside")),
            )
    return None


def _set_forwarding(fields: Fields, shared: Mapping[str, Any]) -> SetForwarding:
    inverted = fields.flag("inverted")
    before, after = fields.fields("before"), fields.fields("after")
    if len(before.values) != 1 or before.values.keys() != after.values.keys():
        raise BadPlan("the saved plan changes several fields of one flag at once: make it again with plan --out")
    (flag,) = before.values
    return SetForwarding(
        **shared,
        flag=flag,
        inverted=inverted,
        before=before.flag(flag) is not inverted,
        after=after.flag(flag) is not inverted,
    )


def _route_table(fields: Fields) -> RouteTable:
    return RouteTable(
        id=fields.text("id"),
        network=fields.optional_text("network"),
        subnets=(),
        routes=tuple(_route(route) for route in fields.objects("routes")),
        route_prefix=fields.text("routePrefix"),
        replaces=ReplaceMethod(fields.text("replaces")),
        region=fields.optional_text("region"),
    )


def _route(fields: Fields) -> Route:
    hop = fields.fields("nextHop")
    address = hop.optional_text("address")
    return Route(
        name=fields.text("name"),
        destination=ip_network(fields.text("destination")),
        next_hop=NextHop(
            kind=NextHopKind(hop.text("kind")),
            text=hop.text("text"),
            instance_key=hop.optional_text("instance"),
            address=None if address is None else ip_address(address),
        ),
        priority=fields.optional_number("priority"),
        description=fields.text("description"),
        tags=frozenset(fields.texts("tags")),
        token=fields.optional_text("token"),
    )
