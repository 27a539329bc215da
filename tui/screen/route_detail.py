"""One route as a chain of links: the route itself, the table it stands in, the node it is for, and its rivals.

Pure; may import model, render and format only.
"""

from collections.abc import Iterator
from dataclasses import replace

from tui.model.change import SetForwarding
from tui.model.fabric import rank
from tui.model.finding import Assessment, Finding, Report, RouteState, Verdict
from tui.model.node import IPNetwork, contains
from tui.model.place import Place
from tui.model.standing import RouteRow, Standing
from tui.render_plan import resource_name
from tui.render_text import next_step
from tui.screen.chain import Link, drawn
from tui.screen.format import Line, Span, Tone, clock, legible, line, source_name
from tui.screen.route_cells import counted, room, state, verdict
from tui.screen.seen_routes import lead, traits
from tui.screen.seen_routes import room as table_room

_MOST = 6
"""How many subnets or tables are named: the rest is counted."""


def route_detail(row: RouteRow, report: Report, *, fix_key: str | None, full: bool) -> list[Line]:
    """Return the chain as lines, what is wrong on top. ``fix_key`` is None where nothing can be written.

    Unless ``full``, links that are as they must be do not say why they matter.
    """
    mark, finding = state(row), row.finding
    lines = [line(mark, "  ", Span(_title(row), Tone.STRONG), indent=6)]
    if finding is not None:
        lines.append(line("      ", Span(f"{finding.code}: ", Tone.BAD), legible(finding.summary), indent=6))
    elif row.standing is Standing.OTHER:
        lines.append(line("      ", reason(row, report), indent=6))
    lines += [line("      ", *_next(row, fix_key), indent=6), line()]
    key = ":prune" if fix_key is not None and row.standing is Standing.STRAY else fix_key
    for link in _links(row, report):
        lines += drawn(link, fix_key=key, full=full or link.verdict not in {None, Verdict.OK})
    return lines


def _title(row: RouteRow) -> str:
    if row.destination is not None:
        return str(row.destination)
    return _named(row.place.table.id if row.place is not None else row.where)


def _next(row: RouteRow, fix_key: str | None) -> list[Span]:
    """Say what the operator can do now."""
    finding = row.finding
    if finding is None:
        return [Span("Nothing to do.", Tone.DIM)]
    if finding.fixable and fix_key is None:
        return [Span("A plan could mend it; this console is read-only.", Tone.DIM)]
    if finding.fixable and row.standing is Standing.STRAY:
        return [Span(":prune", Tone.KEY), Span(" plans the deletion; nothing changes before you confirm.")]
    if finding.fixable:
        return [
            Span(fix_key or "", Tone.KEY),
            Span(" opens the plan that mends it; nothing changes before you confirm."),
        ]
    step = next_step(finding, "l2bridge-tui")
    return [Span("next: ", Tone.KEY), Span(step)] if step else [Span("ctrl+r", Tone.KEY), Span(" reads again.")]


def _links(row: RouteRow, report: Report) -> Iterator[Link]:
    found = () if row.finding is None else (_here(row.finding, row),)
    if row.destination is not None:
        yield _route(row, report, found)
    if row.place is not None:
        yield _table(row, row.place, () if row.destination is not None else found)
    if row.where:
        yield _bare_subnet(row, found)
    for owner in row.owners[:_MOST]:
        yield _node(owner)


def _here(finding: Finding, row: RouteRow) -> Finding:
    """Return the finding with what would be changed in this table only: its plan may be about many."""
    if row.place is None:
        return finding
    here = (c for c in finding.remedy if not isinstance(c, SetForwarding) and c.table == row.place.table.id)
    return replace(finding, remedy=tuple(here))


def _route(row: RouteRow, report: Report, findings: tuple[Finding, ...]) -> Link:
    cluster = report.snapshot.cluster
    told: list[str] = []
    if row.route is not None:
        told = [lead(row.route, cluster), *traits(row.route)]
        if row.route.description:
            told.append(f"description {legible(row.route.description)}")
    elif row.place is not None:
        told = [f"no route for {row.destination} in this table"]
    else:
        told = [f"which table has the route for {row.destination} was not told"]
    return Link(
        title="Route",
        verdict=verdict(row),
        state=_WORDS.get(row.standing, row.standing.value),
        evidence=(*told, *_rivals(row, report), *_elsewhere(row)),
        why="The network knows pod addresses only by their route; it must lead to the node and nowhere else.",
        findings=findings,
    )


_WORDS = {Standing.OTHER: "of no pod CIDR that relies on it", Standing.UNKNOWN: "not observed"}


def _rivals(row: RouteRow, report: Report) -> Iterator[str]:
    """Yield the other routes for this range in this table, and which of them packets take."""
    delivery = row.delivery
    if delivery is None or len(delivery.routes) < 2:
        return
    for route in sorted(delivery.routes, key=rank):
        if route != row.route:
            yield f"beside {' · '.join([lead(route, report.snapshot.cluster), *traits(route)])}"
    if delivery.state is RouteState.DUPLICATE:
        yield f"packets take {', '.join(legible(route.name) for route in delivery.winners)}"


def _elsewhere(row: RouteRow) -> Iterator[str]:
    """Yield what the other tables that must know this range do with it."""
    deliveries = [
        delivery
        for owner in row.owners
        for answer in owner.routes
        if answer.pod_cidr == row.destination
        for delivery in answer.deliveries
        if row.place is not None and delivery.held.table.id != row.place.table.id
    ]
    right = sum(delivery.state is RouteState.OK for delivery in deliveries)
    wrong = [delivery for delivery in deliveries if delivery.state is not RouteState.OK]
    if right:
        yield f"right in {counted(right, 'other table')}"
    for delivery in wrong[:_MOST]:
        yield f"{delivery.state.value} in {_named(delivery.held.table.id)}"
    if len(wrong) > _MOST:
        yield f"and wrong in {len(wrong) - _MOST} more"


def _table(row: RouteRow, place: Place, findings: tuple[Finding, ...]) -> Link:
    table, source = place.table, place.source
    troubles = [f"the cloud says of this table: {legible(table.trouble)}"] if table.trouble else []
    if table.refusal:
        troubles.append(f"not written to: {legible(table.refusal)}")
    read = "" if source.observed_at is None else f"read {clock(source.observed_at)} from "
    stale = "" if source.state == "ok" else f", now {source.state}"
    return Link(
        title="Network" if table.subnets is None else "Table",
        verdict=verdict(row) if row.destination is None else None,
        state=room(row),
        evidence=(
            table_room(table),
            *_followers(place),
            *troubles,
            f"{read}{legible(source_name(source.name))}{stale}",
        ),
        why="Packets of a node follow the table of its own subnet, so each one must know every pod CIDR.",
        findings=findings,
    )


def _followers(place: Place) -> Iterator[str]:
    """Yield the subnets with nodes that use the table."""
    if not place.followers:
        yield "no node of this cluster is in a subnet that uses it"
    for subnet, nodes in list(place.followers.items())[:_MOST]:
        yield f"subnet {_named(subnet)}: {counted(nodes, 'node')}"
    if len(place.followers) > _MOST:
        yield f"and {counted(len(place.followers) - _MOST, 'more subnet')}"


def _bare_subnet(row: RouteRow, findings: tuple[Finding, ...]) -> Link:
    return Link(
        title="Subnet",
        verdict=verdict(row),
        state="no route table" if row.standing is Standing.NO_TABLE else "not read",
        evidence=(f"{_named(row.where)}: {counted(len(row.owners), 'node')}",),
        why="What its nodes send to pods of others goes by no route of ours until it has a table.",
        findings=findings,
    )


def _node(owner: Assessment) -> Link:
    node, instance = owner.node, owner.placement.instance
    reached = {True: "reachable", False: "NOT reachable", None: "not known to be reachable"}[owner.reachable]
    addresses = ", ".join(map(str, node.addresses)) or "no address"
    vm = (f"VM {_named(instance.id)}",) if instance is not None else ()
    return Link(
        title=f"Node {legible(node.name)}",
        verdict=owner.verdict,
        state=f"its pods are {reached}",
        evidence=(f"pods {', '.join(map(str, node.pod_cidrs)) or 'none yet'} · node {addresses}", *vm),
        why="The pod CIDR is this node's: packets for it must arrive there, and the VM must be let to take them.",
    )


def reason(row: RouteRow, report: Report) -> str:
    """Say why a route is nobody's concern here; "" without a route."""
    route, place = row.route, row.place
    if route is None or place is None:
        return ""
    if row.delivery is not None:
        return f"it serves only VMs tagged {', '.join(sorted(map(legible, route.tags)))}: no pod CIDR can rely on it"
    if route.system or not place.followers:
        return "the cloud made it by itself" if route.system else "no node follows this table"
    if row.owners:
        name = legible(row.owners[0].node.name)
        whole = route.destination in row.owners[0].node.pod_cidrs
        return f"{name} needs no route for its pod CIDR" if whole else f"it lies inside the pod CIDR of {name}"
    return _outside(route.destination, report.snapshot.cluster.pod_cidrs)


def _outside(destination: IPNetwork, known: tuple[IPNetwork, ...]) -> str:
    if not known:
        return "which ranges are the cluster's is not known, so that no route is called stray (--cluster-cidr tells)"
    if any(contains(cidr, destination) for cidr in known):
        return "inside of the cluster's range, but not stray: a node's pod CIDR is in it, or one that has just left"
    return f"outside of the cluster's ranges ({', '.join(map(str, known))})"


def _named(resource: str) -> str:
    return legible(resource_name(resource))
