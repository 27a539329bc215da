"""The routes of every table and network in scope, worst first, with the detail of the selected one."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.model.controller import ROUTED
from tui.model.finding import Report
from tui.model.node import Cloud
from tui.model.standing import SOUND, RouteRow, Standing, route_rows
from tui.render_facts import route_facts
from tui.screen.dialog import Notice
from tui.screen.explain import explained
from tui.screen.format import Line, Span, Tone, legible, line, short_id
from tui.screen.grid import Grid
from tui.screen.listkeys import list_keys
from tui.screen.listpane import ListPane
from tui.screen.messages import Failed, FixRequested
from tui.screen.notices import lost_sources, nothing_yet
from tui.screen.route_cells import ROUTE_COLUMNS, counted, parse_routes, state
from tui.screen.route_detail import reason, route_detail
from tui.screen.textview import TextView


class RoutesPane(ListPane[RouteRow]):
    """Every route, every missing one, and every table."""

    TITLE = "routes"
    KEY = "2"
    PLACEHOLDER = "text or regex, !not, @stray"
    BINDINGS: ClassVar[list[BindingType]] = list_keys("routes", "route", filtered="regex, !not, @stray, table:a")

    def __init__(self, *, ascii_only: bool) -> None:
        grid = Grid[RouteRow](ROUTE_COLUMNS, lambda row: row.key, ascii_only=ascii_only, identity="grid")
        super().__init__(grid, TextView(ascii_only=ascii_only, identity="detail"), ascii_only=ascii_only)
        self._joined: tuple[Report | None, Sequence[RouteRow]] = (None, ())
        """The newest report that was shown, and its rows: filtering does not join them again."""
        self._detailed: str | None = None
        """The key of the row whose detail is shown."""

    # What is shown.

    @property
    def rows(self) -> Sequence[RouteRow]:
        """Every row of the report that is shown, whatever the filter."""
        return self._joined[1]

    def _chosen(self, report: Report) -> Sequence[RouteRow]:
        if self._joined[0] is not report:
            self._joined = (report, route_rows(report))
        if not _read(self.rows):
            return ()
        wanted = parse_routes(self.query_text)
        return [row for row in self.rows if not (self.only_wrong and row.standing in SOUND) and wanted(row)]

    def _notice(self, report: Report | None, any_shown: bool) -> list[Line]:
        if any_shown:
            return []
        told = nothing_yet(report)
        if not told and report is not None:
            told = self._nothing_shown() if _read(self.rows) else _nothing_read(report)
        return [*told, *lost_sources(report)]

    def _nothing_shown(self) -> list[Line]:
        if self.query_text:
            return [line(Span("No route matches. ", Tone.STRONG), Span("esc", Tone.KEY), " shows all of them again.")]
        return [line(Span(_all_right(self.rows), Tone.OK), " ", Span("e", Tone.KEY), " shows all of them.")]

    def _show_detail(self, report: Report) -> None:
        row = self.grid.selected
        before, self._detailed = self._detailed, row.key if row is not None else None
        if row is None:
            self.detail.show([line(Span("No route is selected.", Tone.DIM))], top=True)
        else:
            full = self.has_class("-open")
            lines = route_detail(row, report, fix_key=self.fix_key, full=full)
            self.detail.show(lines, top=before != self._detailed)

    def _facts(self, item: RouteRow) -> dict[str, object]:
        return route_facts(item)

    def _identity(self, item: RouteRow) -> str:
        if item.place is None:
            return item.where or str(item.destination)
        table = item.place.table
        return table.id if item.route is None else table.route_prefix + item.route.name

    def _owners(self, item: RouteRow) -> Iterable[str]:
        return (owner.node.name for owner in item.owners)

    def action_explain(self) -> None:
        """Say why the selected route is wrong, in full."""
        row, report = self.grid.selected, self.report
        if row is None or report is None:
            return
        if row.finding is None:
            self.post_message(Failed(f"{_name(row)}: nothing was found about it, so there is nothing to explain."))
        else:
            title = line(state(row), " ", Span(_name(row), Tone.TITLE))
            self.app.push_screen(Notice(title, explained(row.finding), ascii_only=self.ascii_only))

    def hint(self) -> Line:
        """Say what is wrong with the selected route, and which command there is for a stray one."""
        row, report = self.grid.selected, self.report
        if row is None or report is None:
            return Line()
        name, finding = Span(_name(row), Tone.STRONG), row.finding
        if finding is None:
            told = reason(row, report) if row.standing is Standing.OTHER else "nothing to do"
            sound = all(each.standing in SOUND for each in self.rows)
            return line(Span(_all_right(self.rows), Tone.OK)) if sound else line(Span(f"{name.text}: {told}", Tone.DIM))
        if row.standing is Standing.STRAY and finding.fixable and self.fix_key is not None:
            return line(name, " is stray: ", Span(":prune", Tone.KEY), " plans the deletion of every stray route")
        return line(name, f": {legible(finding.summary)}")


class FixingRoutesPane(RoutesPane):
    """The pane of a console that may write. In read-only mode it does not exist, and neither does its key."""

    fix_key = "f"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fix", "Fix", id="routes.fix", tooltip="Plan for the node of this route; asks before it writes"),
    ]

    def action_fix(self) -> None:
        """Ask for a plan for the nodes whose routes they are; a stray one has none, and is deleted by name only."""
        rows = self.grid.taken
        nodes = frozenset(name for row in rows for name in self._owners(row))
        if nodes:
            self.post_message(FixRequested(nodes))
        elif any(row.standing is Standing.STRAY for row in rows):
            self.post_message(Failed("No node has this route, and f deletes nothing: :prune plans its deletion."))
        else:
            self.post_message(Failed("No node relies on this: choose the route of a node."))


def _name(row: RouteRow) -> str:
    """Return what a sentence about the row begins with: what is found tells the range itself."""
    if row.destination is None:
        return legible(row.place.table.name if row.place is not None else short_id(row.where))
    return legible(row.owners[0].node.name) if row.finding is not None and row.owners else str(row.destination)


def _read(rows: Sequence[RouteRow]) -> bool:
    """Tell whether any table was read, or is known to be missing: else nothing is known of any route."""
    return any(row.place is not None or row.standing is Standing.NO_TABLE for row in rows)


def _all_right(rows: Sequence[RouteRow]) -> str:
    relied = sum(row.standing is Standing.OK for row in rows)
    tables = sum(row.standing is Standing.TABLE for row in rows)
    return f"All {counted(relied, 'route')} of the nodes' pod CIDRs in {counted(tables, 'table')} are right."


_WITHOUT = {
    Cloud.AWS: "Amazon EC2 needs none: nodes share a subnet, and their interfaces must let pod packets pass.",
    Cloud.NONE: "Machines of no cloud need none: they exchange pod packets in one layer-2 subnet.",
}


def _nothing_read(report: Report) -> list[Line]:
    """Say why there is no route to show: none is needed, or none was read."""
    clouds = {assessment.cloud for assessment in report.assessments}
    if clouds & ROUTED:
        return [line(Span("No route table could be read yet: nothing is known of any route.", Tone.BAD))]
    return [
        line(Span("There are no routes to look after here.", Tone.STRONG)),
        *(line(told, indent=2) for cloud, told in _WITHOUT.items() if cloud in clouds),
        line(Span("1", Tone.KEY), " shows what is required of each node instead."),
    ]
