"""Plans as lines: each change as a diff with its reason, its cost and its twin for the cloud's command line.

Everything here is pure, and other people's text is made safe. May import the model and ``render_cost`` only.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from tui.model.change import (
    Action,
    AssociateRouteTable,
    Change,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
    ReplaceRoute,
    SetForwarding,
)
from tui.model.network import ReplaceMethod, Route, RouteTable
from tui.model.plan import Actor, Plan, Refusal
from tui.model.text import printable
from tui.render_cost import cost


class LineKind(StrEnum):
    """What a line says, for a front end that wants to paint it."""

    ACTOR = "actor"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FIELD = "field"
    REASON = "reason"
    COST = "cost"
    DANGER = "danger"
    NOTE = "note"
    COMMAND = "command"
    HEADING = "heading"
    REFUSED = "refused"
    SUMMARY = "summary"
    BLANK = "blank"


_INDENT = 4
_LABEL = 13
_COLUMNS = 80


@dataclass(frozen=True, slots=True)
class Line:
    """One safe line of text, indented with spaces; not wrapped, so that a command can be copied whole.

    Whoever wraps it lets the rest begin at ``indent``.
    """

    kind: LineKind
    text: str = ""
    indent: int = _INDENT


_SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.REPLACE: "+/-", Action.DELETE: "-"}


def symbol(change: Change) -> str:
    """Return the sign of a change, in Terraform's order: what is done first stands first."""
    if _is_in_place(change):
        return _SYMBOLS[Action.UPDATE]
    return "-/+" if _opens_a_gap(change) else _SYMBOLS[change.action]


def change_title(change: Change) -> str:
    """Return a change in one line, without its node."""
    return f"{symbol(change)} {change.kind} of {printable(change.subject)}"


def node_words(change: Change) -> str:
    """Return which node a change is about."""
    if isinstance(change, CreateRouteTable | DeleteRouteTable | AssociateRouteTable):
        return "nodes of the VNet"
    return "no node" if change.node is None else f"node {printable(change.node)}"


def plan_lines(plan: Plan) -> Iterator[Line]:
    """Yield a plan as a diff: who acts, every change with its reason, cost and command, what is left out, the sum."""
    for actor in plan.actors:
        yield Line(LineKind.ACTOR, actor_words(actor))
    if plan.actors:
        yield Line(LineKind.BLANK)
    for change in plan.changes:
        yield from change_lines(change)
        yield Line(LineKind.BLANK)
    if plan.refused:
        yield Line(LineKind.HEADING, "Not in this plan:")
        yield from map(_refusal_line, plan.refused)
        yield Line(LineKind.BLANK)
    danger = plan_danger(plan)
    if danger is not None:
        yield Line(LineKind.DANGER, danger)
    yield Line(LineKind.SUMMARY, plan_summary(plan))


def actor_words(actor: Actor) -> str:
    """Return who acts where."""
    who = "somebody whose name was not told" if actor.identity is None else printable(actor.identity)
    return f"{printable(actor.source)}: as {who}"


def plan_summary(plan: Plan) -> str:
    """Return the plan's sum in one line; a replacement adds one and destroys one, unless it is in place."""
    in_place = sum(map(_is_in_place, plan.changes))
    replaced = plan.count(Action.REPLACE) - in_place
    add, destroy = plan.count(Action.CREATE) + replaced, plan.count(Action.DELETE) + replaced
    return f"Plan: {add} to add, {plan.count(Action.UPDATE) + in_place} to change, {destroy} to destroy."


def plan_danger(plan: Plan) -> str | None:
    """Say how many pod CIDRs lose their route for a while; None when none does."""
    gaps = sum(map(_opens_a_gap, plan.changes))
    if not gaps:
        return None
    if gaps == 1:
        return "DANGER: 1 pod CIDR is unreachable while its route is replaced."
    return f"DANGER: {gaps} pod CIDRs are unreachable, each while its route is replaced."


def _is_in_place(change: Change) -> bool:
    return isinstance(change, ReplaceRoute) and change.method is ReplaceMethod.IN_PLACE


def _opens_a_gap(change: Change) -> bool:
    return isinstance(change, ReplaceRoute) and change.method is ReplaceMethod.DELETE_THEN_ADD


def change_lines(change: Change) -> Iterator[Line]:
    """Yield a change as a diff with its reason, its cost and its command."""
    title = f"{change_title(change)} ({change.id}, {node_words(change)}, {change.cloud})"
    yield Line(LineKind(change.action.value), title)
    yield from _fields(change)
    costs = cost(change)
    yield _labelled(LineKind.DANGER if costs.danger else LineKind.COST, costs.label, costs.text)
    yield _labelled(LineKind.REASON, "why", printable(change.reason))
    if change.caution is not None:
        yield _labelled(LineKind.NOTE, "note", printable(change.caution))
    if change.depends_on:
        yield _labelled(LineKind.REASON, "after", ", ".join(map(printable, change.depends_on)))
    yield _labelled(LineKind.COMMAND, "by hand", printable(change.command))


def _labelled(kind: LineKind, label: str, value: str) -> Line:
    return Line(kind, f"{'':{_INDENT}}{label + ':' if label else '':<{_LABEL}}{value}", _INDENT + _LABEL)


def _refusal_line(refusal: Refusal) -> Line:
    node = "" if refusal.node is None else f"{printable(refusal.node)}  "
    return Line(LineKind.REFUSED, f"  {node}{printable(refusal.code)}: {printable(refusal.reason)}")


# What is written.


def _fields(change: Change) -> Iterator[Line]:
    match change:
        case SetForwarding():
            before, after = change.fields(change.before), change.fields(change.after)
            for name in before:
                text = f"{printable(name)}: {json.dumps(before[name])} -> {json.dumps(after[name])}"
                yield Line(LineKind.FIELD, f"    {text}")
        case CreateRoute():
            yield from _route(change.after)
        case DeleteRoute():
            yield from _route(change.before)
        case ReplaceRoute():
            yield from _difference(change.before, change.after)
        case CreateRouteTable():
            yield from _table(change.after)
        case DeleteRouteTable():
            yield from _table(change.before)
        case AssociateRouteTable():
            yield from _moved("route table", _table_name(change.before), _table_name(change.after))
            if change.after is not None:
                yield _labelled(LineKind.FIELD, "delivers", f"{_counted(len(change.needs), 'pod CIDR')}, checked first")
                for route in change.beside:
                    yield _labelled(LineKind.FIELD, "and applies", f"{route.destination} -> {hop_words(route)}")
        case _:
            assert_never(change)


def _table(table: RouteTable) -> Iterator[Line]:
    yield _labelled(LineKind.FIELD, "region", printable(table.region or "unknown"))
    yield _labelled(LineKind.FIELD, "routes", str(len(table.routes)))
    for route in table.routes:
        yield _labelled(LineKind.FIELD, "", f"{route.destination} -> {hop_words(route)}  {printable(route.name)}")


def _table_name(table: str | None) -> str:
    return "none" if table is None else printable(resource_name(table))


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _route(route: Route) -> Iterator[Line]:
    yield _labelled(LineKind.FIELD, "destination", str(route.destination))
    yield _labelled(LineKind.FIELD, "next hop", hop_words(route))
    if route.priority is not None:
        yield _labelled(LineKind.FIELD, "priority", str(route.priority))
    if route.tags:
        yield _labelled(LineKind.FIELD, "tags", _tags(route))
    if route.description:
        yield _labelled(LineKind.FIELD, "description", _shortened(printable(route.description)))


def _difference(before: Route, after: Route) -> Iterator[Line]:
    """Yield the range and the next hop in any case, and whatever else is not the same."""
    yield from _moved("destination", str(before.destination), str(after.destination))
    yield from _moved("next hop", hop_words(before), hop_words(after))
    for label, old, new in (
        ("name", printable(before.name), printable(after.name)),
        ("priority", _priority(before), _priority(after)),
        ("tags", _tags(before), _tags(after)),
    ):
        if old != new:
            yield from _moved(label, old, new)


def _moved(label: str, before: str, after: str) -> Iterator[Line]:
    """Yield a value before and after, below each other where a terminal's line has no room for both."""
    whole = before if before == after else f"{before} -> {after}"
    if before == after or _INDENT + _LABEL + len(whole) <= _COLUMNS:
        yield _labelled(LineKind.FIELD, label, whole)
    else:
        yield _labelled(LineKind.FIELD, label, before)
        yield Line(LineKind.FIELD, f"{'->':>{_INDENT + _LABEL - 1}} {after}", _INDENT + _LABEL)


def resource_name(resource: str) -> str:
    """Return how people call a resource; its source's name says the project or subscription, and the plan the rest.

    An ARM id becomes resource group and names, a Compute Engine id zone or region and name; others stay as they are.
    """
    parts = resource.strip("/").split("/")
    if len(parts) >= 8 and parts[0].lower() == "subscriptions":
        return "/".join([parts[3], *parts[7::2]])
    if len(parts) >= 5 and parts[0] == "projects":
        return "/".join([*parts[3:-2], parts[-1]])
    return resource


def hop_words(route: Route) -> str:
    """Return where a route leads, with what the cloud has to say against it."""
    told = [printable(route.warning)] if route.warning else ["dead"] if route.dead else []
    return " ".join([printable(route.next_hop.label), *(f"({text})" for text in told)])


def _priority(route: Route) -> str:
    return "none" if route.priority is None else str(route.priority)


def _tags(route: Route) -> str:
    return ", ".join(sorted(map(printable, route.tags))) or "none"


def _shortened(text: str) -> str:
    room = _COLUMNS - _INDENT - _LABEL
    return text if len(text) <= room else text[: room - 3] + "..."
