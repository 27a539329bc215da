"""What must be seen before a change is written, and what proves it afterwards. Pure; may import ports and model.

Every function answers for one step: a change as a writer takes it.
"""

from dataclasses import dataclass, replace
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
from tui.model.network import Route, RouteTable
from tui.model.plan import Status
from tui.ports import Reading


@dataclass(frozen=True, slots=True)
class Ending:
    """How a change ended, before it is timed and numbered."""

    status: Status
    message: str | None = None


def precondition(change: Change, reading: Reading) -> Ending | None:
    """Return how the change ends without being written; None when it is to be written."""
    if reading.trouble is not None and _stands(change, reading):
        text = f"{change.subject} is as planned, but {reading.trouble}: nothing shows that it is in force"
        return Ending(Status.REFUSED, text)
    return _judged(change, reading)


def _judged(change: Change, reading: Reading) -> Ending | None:
    match change:
        case SetForwarding():
            return _flag_precondition(change, reading)
        case CreateRoute():
            return _absent(change.after, reading)
        case DeleteRoute():
            return _deletable(change, reading)
        case ReplaceRoute():
            if holds(change, reading):
                return Ending(Status.ALREADY_SO)
            return _unchanged(change.before, reading)
        case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
            return Ending(Status.ALREADY_SO) if holds(change, reading) else _table_precondition(change, reading)
        case _:
            assert_never(change)


def holds(change: Change, reading: Reading) -> bool:
    """Tell whether the reading proves that the change is in place; what is in trouble proves nothing."""
    return reading.trouble is None and _stands(change, reading)


def _stands(change: Change, reading: Reading) -> bool:
    """Tell whether the reading shows what the change wants, be it in force or not."""
    match change:
        case SetForwarding():
            return reading.forwards is change.after
        case CreateRoute() | ReplaceRoute():
            return _is_there(change.after, reading)
        case DeleteRoute():
            return reading.route(change.before.name) is None
        case CreateRouteTable():
            return reading.table is not None and _same_routes(change.after, reading)
        case DeleteRouteTable():
            return reading.table is None
        case AssociateRouteTable():
            return reading.table == change.after
        case _:
            assert_never(change)


def told(change: Change, reading: Reading) -> str:
    """Say what the reading shows of the change's subject."""
    shown = _shown(change, reading)
    return shown if reading.trouble is None else f"{shown}, and {reading.trouble},"


def _shown(change: Change, reading: Reading) -> str:
    match change:
        case SetForwarding():
            if reading.forwards is None:
                return f"{change.flag} not told by the cloud"
            return f"{change.flag} {str(change.fields(reading.forwards)[change.flag]).lower()}"
        case CreateRoute() | ReplaceRoute():
            return _described(reading.route(change.after.name), change.after.name)
        case DeleteRoute():
            return _described(reading.route(change.before.name), change.before.name)
        case CreateRouteTable() | DeleteRouteTable():
            name = change.table.rpartition("/")[2]
            return f"no table {name}" if reading.table is None else f"table {name} with {len(reading.routes)} routes"
        case AssociateRouteTable():
            return "the subnet without a table" if reading.table is None else f"the subnet with {reading.table}"
        case _:
            assert_never(change)


def _table_precondition(change: TableChange, reading: Reading) -> Ending | None:
    """Return why a change that is not in place yet is refused; None when it is to be written."""
    reason: str | None = None
    match change:
        case CreateRouteTable():
            if reading.table is not None:
                reason = f"the name is taken: {told(change, reading)} is there, not all of them the planned ones"
        case DeleteRouteTable():
            if reading.subnets:
                reason = f"{reading.subnets[0]} uses the table"
            elif not _same_routes(change.before, reading):
                reason = f"the plan expected other routes than those of {told(change, reading)}"
        case AssociateRouteTable():
            missing = next((route for route in change.needs if not _is_there(route, reading)), None)
            planned = (*change.needs, *change.beside)
            strange = next((one for one in reading.routes if not any(one.same_as(route) for route in planned)), None)
            if reading.table != change.before:
                reason = f"the plan expected another state than {told(change, reading)}, whose table is not exchanged"
            elif change.after is not None and missing is not None:
                seen = _described(reading.route(missing.name), missing.name)
                reason = f"the table is not whole, the plan expected another state than {seen}"
            elif change.after is not None and strange is not None:
                reason = f"the table has a route that the plan did not show: {_described(strange, strange.name)}"
        case _:
            assert_never(change)
    return None if reason is None else Ending(Status.REFUSED, reason)


def _same_routes(table: RouteTable, reading: Reading) -> bool:
    names = {route.name for route in table.routes}
    return names == {route.name for route in reading.routes} and all(
        _is_there(route, reading) for route in table.routes
    )


def _flag_precondition(change: SetForwarding, reading: Reading) -> Ending | None:
    if reading.forwards is change.after:
        return Ending(Status.ALREADY_SO)
    if reading.forwards is not change.before:
        return Ending(Status.REFUSED, f"the plan expected another state than {told(change, reading)}")
    if change.token is not None and reading.token != change.token:
        return Ending(Status.REFUSED, f"{change.subject} was changed since the plan was made: plan again")
    return None


def _absent(wanted: Route, reading: Reading) -> Ending | None:
    seen = reading.route(wanted.name)
    if seen is None:
        return _untaken(wanted, reading)
    if _is_there(wanted, reading):
        return Ending(Status.ALREADY_SO)
    return Ending(Status.REFUSED, f"the name is taken: {_described(seen, wanted.name)}")


def _untaken(wanted: Route, reading: Reading) -> Ending | None:
    """Refuse a range that another route has already, where routes have no priorities: the table takes one of each."""
    for route in reading.routes:
        if wanted.priority is None and route.destination == wanted.destination:
            if route.same_as(replace(wanted, name=route.name, token=None)):
                return Ending(Status.ALREADY_SO)
            return Ending(Status.REFUSED, f"the range is taken: {_described(route, route.name)}")
    return None


def _deletable(change: DeleteRoute, reading: Reading) -> Ending | None:
    if reading.route(change.before.name) is None:
        return Ending(Status.ALREADY_SO)
    if change.keeps is not None:
        kept = reading.route(change.keeps.name)
        works = kept is not None and (change.undo or not kept.dead)  # an undo restores what did not work as well
        if not works or not _is_there(change.keeps, reading):
            text = f"the route that is to take over does not work: {_described(kept, change.keeps.name)}"
            return Ending(Status.REFUSED, text)
    return _unchanged(change.before, reading)


def _unchanged(planned: Route, reading: Reading) -> Ending | None:
    seen = reading.route(planned.name)
    if seen is not None and seen.same_as(planned):
        return None
    return Ending(Status.REFUSED, f"the plan expected another state than {_described(seen, planned.name)}")


def _is_there(wanted: Route, reading: Reading) -> bool:
    seen = reading.route(wanted.name)
    return seen is not None and seen.same_as(replace(wanted, token=None))


def _described(route: Route | None, name: str) -> str:
    if route is None:
        return f"no route {name}"
    priority = "" if route.priority is None else f", priority {route.priority}"
    warning = f", {route.warning}" if route.warning else ""
    return f"{route.name}: {route.destination} to {route.next_hop.label}{priority}{warning}"
