"""What each route in scope is for the cluster: the report's judgement, laid over the tables that were read.

Nothing is judged here. What a route is for a pod CIDR was sorted out with the report, the rest stands in its findings;
this joins them in one pass over the pod CIDRs and one over the routes. Standard library only.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from tui.model.controller import ROUTED
from tui.model.delivery import Delivery
from tui.model.finding import Assessment, Code, Finding, PodRoute, Report, RouteState, Severity
from tui.model.naming import route_prefix
from tui.model.network import Route
from tui.model.node import Cloud, IPNetwork
from tui.model.place import Place, places_of
from tui.model.ranges import Ranges, claims_of


class Standing(StrEnum):
    """What a route is for the cluster, or what there is instead of one; worst first.

    ``NO_TABLE`` is a subnet with nodes and without a table, ``FULL`` and ``TABLE`` are a table itself, with and without
    a finding about its limit. ``OTHER`` is a route that no pod CIDR of a present node relies on.
    """

    MISSING = "missing"
    NO_TABLE = "no-table"
    BLACKHOLE = "blackhole"
    WRONG_NEXT_HOP = "wrong-next-hop"
    SHADOWING = "shadowing"
    DUPLICATE = "duplicate"
    FULL = "full"
    UNKNOWN = "unknown"
    STRAY = "stray"
    TABLE = "table"
    OK = "ok"
    OTHER = "other"


_ORDER = {standing: number for number, standing in enumerate(Standing)}
SOUND = frozenset({Standing.TABLE, Standing.OK, Standing.OTHER})
"""What nothing has to be done about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRow:
    """One route, the want of one, or a table.

    ``place`` is None where no table was read or there is none, ``destination`` and ``route`` where there is no such
    thing. ``owners`` are the nodes whose pod CIDR it is, more than one only where they contend for it; of a subnet
    without a table they are its nodes. ``ours`` when this program made it for this cluster. ``where`` is the id of the
    subnet that has no table; "" elsewhere.
    """

    standing: Standing
    place: Place | None = None
    destination: IPNetwork | None = None
    route: Route | None = None
    owners: tuple[Assessment, ...] = ()
    finding: Finding | None = None
    delivery: Delivery | None = None
    ours: bool = False
    where: str = ""

    @property
    def key(self) -> str:
        """What no other row has, and the same row keeps from report to report."""
        table = self.place.table.id if self.place is not None else self.where
        if self.route is not None:
            return f"{table}\n{self.route.name}"
        owner = self.owners[0].node.uid if self.owners and not self.where else ""
        return f"{table}\n\n{self.destination or ''}\n{owner}"


def route_rows(report: Report) -> list[RouteRow]:
    """Return every route of every table that was read, every missing one, and every table; worst first, then by range.

    Empty where no cloud delivers pod packets by route.
    """
    rows = list(_Join(report).rows())
    rows.sort(key=_rank)
    return rows


def _rank(row: RouteRow) -> tuple[int, int, int, str, str]:
    destination = row.destination
    version, first = (0, 0) if destination is None else (destination.version, int(destination.network_address))
    table = row.where if row.place is None else row.place.table.id
    return _ORDER[row.standing], version, first, table, row.route.name if row.route is not None else ""


class _Join:
    """One report, indexed for the join."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._places = places_of(report)
        self._prefix = route_prefix(report.snapshot.cluster)
        self._judged: dict[tuple[str, str], RouteRow] = {}
        self._unread: dict[tuple[Cloud, IPNetwork], tuple[Assessment, ...]] = {}

    def rows(self) -> Iterator[RouteRow]:
        """Yield the rows, in no order."""
        for assessment in self._report.assessments:
            if assessment.cloud in ROUTED:
                for answer in assessment.routes:
                    yield from self._of_node(assessment, answer)
        yield from _without_table(self._report.assessments)
        shadowing, strays = self._blamed()
        for place in self._places.values():
            yield self._of_table(place)
            for route in place.table.routes:
                judged = self._judged.get((place.table.id, route.name))
                subject = place.table.route_prefix + route.name
                if subject in shadowing:
                    owner, finding = shadowing[subject]
                    found = self._row(Standing.SHADOWING, place, route, (owner,), finding=finding)
                    yield found if judged is None else _worse(judged, found)
                elif judged is not None:
                    yield judged
                elif subject in strays:
                    yield self._row(Standing.STRAY, place, route, (), finding=strays[subject])
                else:
                    yield self._beside(place, route)
        for (_, cidr), owners in self._unread.items():
            yield _untold(cidr, owners)

    def _of_node(self, assessment: Assessment, answer: PodRoute) -> Iterator[RouteRow]:
        """Note what the routes for a pod CIDR are, and yield a row for each table that has none."""
        if answer.state is RouteState.UNKNOWN and answer.deliveries:
            yield _untold(answer.pod_cidr, (assessment,))
        elif answer.state is RouteState.UNKNOWN:
            at = (assessment.cloud, answer.pod_cidr)
            self._unread[at] = (*self._unread.get(at, ()), assessment)
        for delivery in answer.deliveries:
            place = self._places[delivery.held.table.id]
            for route in delivery.right:
                self._note(self._row(Standing.OK, place, route, (assessment,), delivery=delivery))
            for route in delivery.limited:
                self._note(self._row(Standing.OTHER, place, route, (assessment,), delivery=delivery))
            if delivery.state is RouteState.OK:
                continue
            standing, finding = Standing(delivery.state.value), _finding_of(assessment, answer.pod_cidr)
            for route in delivery.wrong:
                self._note(self._row(standing, place, route, (assessment,), finding=finding, delivery=delivery))
            if standing is Standing.MISSING:
                yield RouteRow(
                    standing=standing,
                    place=place,
                    destination=answer.pod_cidr,
                    owners=(assessment,),
                    finding=finding,
                    delivery=delivery,
                )

    def _row(
        self,
        standing: Standing,
        place: Place,
        route: Route,
        owners: tuple[Assessment, ...],
        *,
        finding: Finding | None = None,
        delivery: Delivery | None = None,
    ) -> RouteRow:
        return RouteRow(
            standing=standing,
            place=place,
            destination=route.destination,
            route=route,
            owners=owners,
            finding=finding,
            delivery=delivery,
            ours=route.name.lower().startswith(self._prefix),
        )

    def _note(self, row: RouteRow) -> None:
        """Remember what a route is; two nodes that contend for a range see it differently."""
        if row.place is not None and row.route is not None:
            at = (row.place.table.id, row.route.name)
            known = self._judged.get(at)
            self._judged[at] = row if known is None else _worse(known, row)

    def _of_table(self, place: Place) -> RouteRow:
        quota = place.table.quota
        finding = None if quota is None else self._full.get(quota.name)
        return RouteRow(
            standing=Standing.TABLE if finding is None else Standing.FULL,
            place=place,
            finding=finding,
            ours=place.table.name.lower().startswith(self._prefix),
        )

    def _beside(self, place: Place, route: Route) -> RouteRow:
        """Return the row of a route that nobody was found to rely on, with the node in whose pod CIDR it is."""
        unread = self._unread.pop((place.cloud, route.destination), None)
        if unread is not None:
            finding = _finding_of(unread[0], route.destination)
            return self._row(Standing.UNKNOWN, place, route, unread, finding=finding)
        owners = tuple(self._claimants[cidr] for cidr in self._claims.around(route.destination))
        return self._row(Standing.OTHER, place, route, owners)

    @cached_property
    def _claims(self) -> Ranges:
        return claims_of(tuple(assessment.node.pod_cidrs for assessment in self._report.assessments))[0]

    @cached_property
    def _claimants(self) -> Mapping[IPNetwork, Assessment]:
        return {cidr: each for each in self._report.assessments for cidr in each.node.pod_cidrs}

    @cached_property
    def _full(self) -> Mapping[str, Finding]:
        return {found.subject: found for found in self._report.findings if found.code is Code.ROUTE_QUOTA}

    def _blamed(self) -> tuple[Mapping[str, tuple[Assessment, Finding]], Mapping[str, Finding]]:
        """Return the routes that take part of a node's range, and those of no node, by their ids."""
        shadowing = {
            subject: (assessment, finding)
            for assessment in self._report.assessments
            for finding in assessment.findings
            if finding.code is Code.ROUTE_SHADOWED
            for subject in finding.routes
        }
        strays = {found.subject: found for found in self._report.findings if found.code is Code.ROUTE_STRAY}
        return shadowing, strays


def _worse(one: RouteRow, other: RouteRow) -> RouteRow:
    worst = min(one, other, key=lambda row: _ORDER[row.standing])
    return replace(worst, owners=tuple({each.node.uid: each for each in (*one.owners, *other.owners)}.values()))


def _untold(cidr: IPNetwork, owners: tuple[Assessment, ...]) -> RouteRow:
    """Return the row of a pod CIDR of which a table, or the node's own place, was not read."""
    finding = _finding_of(owners[0], cidr)
    return RouteRow(standing=Standing.UNKNOWN, destination=cidr, owners=owners, finding=finding)


def _finding_of(assessment: Assessment, cidr: IPNetwork) -> Finding | None:
    """Return what was found about the routes of a pod CIDR; else the worst about its node, which tells why."""
    subject = str(cidr)
    about = [finding for finding in assessment.findings if finding.subject == subject and finding.code in _ABOUT_ROUTES]
    return next(iter(about or assessment.findings), None)


_ABOUT_ROUTES = frozenset({Code.ROUTE_MISSING, Code.ROUTE_WRONG_NEXT_HOP, Code.ROUTE_BLACKHOLE, Code.ROUTE_DUPLICATE})


def _without_table(assessments: Iterable[Assessment]) -> Iterator[RouteRow]:
    """Yield a row for every subnet with nodes that has no table, or of which nobody knows."""
    found: defaultdict[str, list[tuple[Assessment, Finding]]] = defaultdict(list)
    for assessment in assessments:
        for finding in assessment.findings:
            if finding.code is Code.ROUTE_TABLE_MISSING:
                found[finding.subject].append((assessment, finding))
    for subnet, told in found.items():
        finding = told[0][1]
        yield RouteRow(
            standing=Standing.UNKNOWN if finding.severity is Severity.UNKNOWN else Standing.NO_TABLE,
            owners=tuple(assessment for assessment, _ in told),
            finding=finding,
            where=subnet,
        )
