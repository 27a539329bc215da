"""What a change would do, in one sentence without its subject: ``adds …``, ``deletes …``. May import render and format.

The plan has every detail; this is for the chain, where the operator decides whether to open it.
"""

from typing import assert_never

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
from tui.model.network import ReplaceMethod, Route
from tui.model.node import Cloud
from tui.render_cost import DISRUPTIONS
from tui.render_plan import resource_name
from tui.screen.format import legible


def deed(change: Change) -> str:
    """Return what the change does, as words that can follow the key of its plan."""
    match change:
        case SetForwarding():
            flags = ", ".join(f"{name} = {str(value).lower()}" for name, value in change.fields(change.after).items())
            return f"sets {legible(flags)} (disruption: {DISRUPTIONS[change.disruption]})"
        case CreateRoute():
            return f"adds {_lead(change.after)}{_where(change)}"
        case DeleteRoute():
            return f"deletes {_lead(change.before)}{_where(change)}"
        case ReplaceRoute():
            return _replacement(change)
        case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
            return _of_table(change)
        case _:
            assert_never(change)


def _replacement(change: ReplaceRoute) -> str:
    match change.method:
        case ReplaceMethod.ADD_THEN_DELETE:
            return f"adds {_lead(change.after)}, proves it, and then deletes {legible(change.before.name)}"
        case ReplaceMethod.DELETE_THEN_ADD:
            return f"deletes {legible(change.before.name)} FIRST and then adds {_lead(change.after)}"
        case ReplaceMethod.IN_PLACE:
            return f"changes {legible(change.before.name)} in place: {_lead(change.after)}{_where(change)}"


def _of_table(change: TableChange) -> str:
    match change:
        case CreateRouteTable():
            number = len(change.after.routes)
            return f"makes the route table {_named(change.after.id)} with {number} route{'' if number == 1 else 's'}"
        case DeleteRouteTable():
            return f"deletes the route table {_named(change.before.id)}"
        case AssociateRouteTable():
            verb, to = ("attaches", "to") if change.after is not None else ("detaches", "from")
            return f"{verb} the route table {_named(change.table)} {to} subnet {_named(change.subject)}"
        case _:
            assert_never(change)


def _where(change: RouteChange) -> str:
    """Name the table where the nodes of one network may have several."""
    return f" in {_named(change.table)}" if change.cloud is Cloud.AZURE else ""


def _named(resource: str) -> str:
    return legible(resource_name(resource))


def _lead(route: Route) -> str:
    priority = "" if route.priority is None else f" (priority {route.priority})"
    return f"{legible(route.name)} → {legible(route.next_hop.label)}{priority}"
