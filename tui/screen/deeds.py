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
    SetForwarding,
    TableChange,
)
from tui.model.network import ReplaceMethod, Route
from tui.render_plan import DISRUPTIONS, resource_name
from tui.screen.format import legible


def deed(change: Change) -> str:
    """Return what the change does, as words that can follow the key of its plan."""
    match change:
        case SetForwarding():
            flags = ", ".join(f"{name} = {str(value).lower()}" for name, value in change.fields(change.after).items())
            return f"sets {legible(flags)} (disruption: {DISRUPTIONS[change.disruption]})"
        case CreateRoute():
            return f"adds {_lead(change.after)}"
        case DeleteRoute():
            return f"deletes {_lead(change.before)}"
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
            return f"changes {legible(change.before.name)} in place: {_lead(change.after)}"


def _of_table(change: TableChange) -> str:
    match change:
        case CreateRouteTable():
            return f"makes the route table {_named(change.after.id)} with {len(change.after.routes)} routes"
        case DeleteRouteTable():
            return f"deletes the route table {_named(change.before.id)}"
        case AssociateRouteTable():
            verb = "attaches" if change.after is not None else "detaches"
            return f"{verb} the route table {_named(change.table)}"
        case _:
            assert_never(change)


def _named(table: str) -> str:
    return legible(resource_name(table))


def _lead(route: Route) -> str:
    priority = "" if route.priority is None else f" (priority {route.priority})"
    return f"{legible(route.name)} → {legible(route.next_hop.label)}{priority}"
