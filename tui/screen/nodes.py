"""The node list with the chain of the selected node: the pane that everything starts from."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.model.finding import Assessment, Report, Verdict
from tui.render import json_text, report_document
from tui.render_facts import node_facts
from tui.screen.explain import Explanation
from tui.screen.format import Line, Span, Tone, beside_nodes, legible, line
from tui.screen.grid import Grid
from tui.screen.listkeys import list_keys
from tui.screen.listpane import ListPane
from tui.screen.messages import Failed, FixRequested
from tui.screen.node import NodeDetail
from tui.screen.node_cells import NODE_COLUMNS, worst_first
from tui.screen.notices import lost_sources, nothing_yet
from tui.screen.query import parse


class NodesPane(ListPane[Assessment]):
    """Every node, worst first."""

    TITLE = "nodes"
    KEY = "1"
    PLACEHOLDER = "text or regex, !not, @error"
    BINDINGS: ClassVar[list[BindingType]] = list_keys("nodes", "node", filtered="regex, !not, @fix, os:win, pool:a")

    def __init__(self, *, ascii_only: bool) -> None:
        grid = Grid[Assessment](NODE_COLUMNS, lambda a: a.node.uid, ascii_only=ascii_only, identity="grid")
        detail = NodeDetail(ascii_only=ascii_only, identity="detail")
        detail.fix_key = self.fix_key
        super().__init__(grid, detail, ascii_only=ascii_only)
        self._node = detail
        self.wanted: str | None = None
        """The name of the node to begin on, until it was looked for."""

    # What is shown.

    def _redraw(self) -> None:
        super()._redraw()
        if self.wanted is None or self.report is None or self.report.synchronising:
            return
        name, self.wanted = self.wanted, None
        row = next((row for row, item in enumerate(self.grid.items) if item.node.name == name), None)
        if row is None:
            self.post_message(Failed(f"There is no node {name}."))
        else:
            self.grid.go(row)

    def _chosen(self, report: Report) -> list[Assessment]:
        wanted = parse(self.query_text)
        return worst_first(
            assessment
            for assessment in report.assessments
            if not (self.only_wrong and assessment.verdict is Verdict.OK) and wanted(assessment)
        )

    def _notice(self, report: Report | None, any_shown: bool) -> list[Line]:
        return [] if any_shown else [*(nothing_yet(report) or self._nothing_shown()), *lost_sources(report)]

    def _nothing_shown(self) -> list[Line]:
        if self.query_text:
            return [line(Span("No node matches. ", Tone.STRONG), Span("esc", Tone.KEY), " shows all of them again.")]
        return [line(Span("Every node is OK. ", Tone.OK), Span("e", Tone.KEY), " shows all of them again.")]

    def _show_detail(self, report: Report) -> None:
        self._node.show_node(self.grid.selected, report, full=self.has_class("-open"))

    def _facts(self, item: Assessment) -> dict[str, object]:
        return node_facts(item)

    def _identity(self, item: Assessment) -> str:
        placed = item.placement.instance
        return placed.id if placed is not None else item.node.provider_id.raw or item.node.name

    def _owners(self, item: Assessment) -> Iterable[str]:
        return (item.node.name,)

    def _document(self, items: Sequence[Assessment]) -> str:
        report = self.report
        names = {item.node.name for item in items}
        return "" if report is None else json_text(report_document(report, names))

    def hint(self) -> Line:
        """Say what is wrong with the selected node, or that nothing is."""
        selected, report = self.grid.selected, self.report
        if selected is None or report is None:
            return Line()
        if selected.findings:
            finding = selected.findings[0]
            return line(Span(legible(selected.node.name), Tone.STRONG), f": {legible(finding.summary)}")
        beside = beside_nodes(report)
        if beside:
            told = Span(f"{legible(selected.node.name)}: nothing to do; ", Tone.DIM)
            return line(told, Span(":cluster", Tone.KEY), f" tells of {beside}")
        if report.findings:
            return line(Span(f"{legible(selected.node.name)}: nothing to do", Tone.DIM))
        return line(Span(f"All {len(report.assessments)} nodes are OK.", Tone.OK))

    # What the keys do.

    def action_explain(self) -> None:
        """Say why the selected node has its verdict."""
        if self.grid.selected is not None and self.report is not None:
            self.app.push_screen(Explanation(self.grid.selected, self.report, ascii_only=self.ascii_only))


class FixingNodesPane(NodesPane):
    """The pane of a console that may write. In read-only mode it does not exist, and neither do its keys."""

    fix_key = "f"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f", "fix", "Fix", id="nodes.fix", tooltip="Plan for this node or the marked ones; asks before writing"
        ),
        Binding(
            "F", "fix_all", "Fix all", id="nodes.fix-all", tooltip="Plan for every fixable node; asks before it writes"
        ),
    ]

    def action_fix(self) -> None:
        """Ask for a plan for the marked nodes, else for the selected one."""
        names = frozenset(item.node.name for item in self.grid.taken)
        if names:
            self.post_message(FixRequested(names))

    def action_fix_all(self) -> None:
        """Ask for a plan for everything that can be fixed."""
        self.post_message(FixRequested(None))
