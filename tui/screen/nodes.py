"""The node list with the chain of the selected node: the pane that everything starts from."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.widgets import Input

from tui.model.finding import Assessment, Report, Verdict
from tui.model.snapshot import SourceState
from tui.screen.format import NODE_COLUMNS, Line, Span, Tone, beside_nodes, legible, line, worst_first
from tui.screen.grid import Grid
from tui.screen.lineinput import LineInput
from tui.screen.messages import FixRequested
from tui.screen.node import NodeDetail
from tui.screen.pane import Pane
from tui.screen.query import parse
from tui.screen.textview import TextView


class NodesPane(Pane):
    """Every node, worst first."""

    TITLE = "nodes"
    KEY = "1"
    fix_key: ClassVar[str | None] = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Detail", id="nodes.open", tooltip="The chain of the selected node, link by link"),
        Binding("escape", "back", "Back", show=False, id="nodes.back", tooltip="Back; then clears filter and marks"),
        Binding(
            "slash",
            "filter",
            "Filter",
            id="nodes.filter",
            tooltip="text or regex, !not, @error @fix @unknown",
            priority=True,  # so that keys typed in one burst after it are text already, not commands
        ),
        Binding("space", "mark", "Mark", id="nodes.mark", tooltip="Mark the node for a plan over several"),
        Binding("e", "only_wrong", "Not OK", id="nodes.not-ok", tooltip="Only what is not OK, or everything again"),
    ]

    query_text: reactive[str] = reactive("", repaint=False)
    only_wrong: reactive[bool] = reactive(False, repaint=False)

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__(ascii_only=ascii_only)
        self.grid = Grid[Assessment](NODE_COLUMNS, lambda a: a.node.uid, ascii_only=ascii_only, identity="grid")
        self.detail = NodeDetail(ascii_only=ascii_only, identity="detail")
        self.notice = TextView(ascii_only=ascii_only, identity="notice")
        self.input = LineInput(placeholder="text or regex, !not, @error", identity="filter")

    def compose(self) -> ComposeResult:
        """List, what stands there while there is none, detail, filter."""
        yield self.notice
        yield self.grid
        yield self.detail
        yield self.input

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.notice.can_focus = False
        self.input.display = False
        self.detail.can_focus = False
        self.detail.fix_key = self.fix_key
        self._redraw()

    # What is shown.

    def watch_report(self) -> None:
        """Draw the newer report."""
        self._draw()

    def watch_query_text(self) -> None:
        """Filter again."""
        self._draw()

    def watch_only_wrong(self) -> None:
        """Filter again."""
        self._draw()

    def _draw(self) -> None:
        if self.is_mounted:
            self._redraw()

    def _redraw(self) -> None:
        report = self.report
        assessments = self._chosen(report) if report else []
        notice = _notice(report, bool(assessments))
        self.set_class(bool(notice), "-notice")
        self.notice.show(notice)
        self.grid.show(assessments)
        self._draw_detail()

    def _chosen(self, report: Report) -> list[Assessment]:
        wanted = parse(self.query_text)
        return worst_first(
            assessment
            for assessment in report.assessments
            if not (self.only_wrong and assessment.verdict is Verdict.OK) and wanted(assessment)
        )

    def _draw_detail(self) -> None:
        if self.report is not None:
            self.detail.show_node(self.grid.selected, self.report, full=self.has_class("-open"))
        self.status = self._status()

    def _status(self) -> Line:
        spans = [Span(" ")]
        if self.query_text:
            spans.append(Span(f"filter: {legible(self.query_text)}  ", Tone.KEY))
        if self.only_wrong:
            spans.append(Span("not OK only  ", Tone.KEY))
        if self.grid.marks:
            spans.append(Span(f"{len(self.grid.marks)} marked  ", Tone.KEY))
        number = len(self.grid.items)
        spans.append(Span(f"{self.grid.cursor + 1}/{number}" if number else "0/0", Tone.DIM))
        return line(*spans)

    def focus_content(self) -> None:
        """Give the keys to the detail if it is open, else to the list."""
        (self.detail if self.has_class("-open") else self.grid).focus()

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

    @on(Grid.Moved)
    def _moved(self) -> None:
        self._draw_detail()

    @on(Grid.Chosen)
    def _clicked_twice(self) -> None:
        self.action_open()

    # What the keys do.

    def action_open(self) -> None:
        """Go into the detail."""
        if self.grid.selected is not None:
            self.add_class("-open")
            self.detail.can_focus = True
            self.detail.focus()
            self._draw_detail()

    def action_back(self) -> None:
        """Leave the detail; in the list, clear the filter, then the marks."""
        if self.has_class("-open"):
            self.remove_class("-open")
            self.grid.focus()
            self.detail.can_focus = False
            self._draw_detail()
        elif self.input.has_focus or self.query_text or self.only_wrong:
            self.only_wrong = False
            self.input.value = ""
            self.query_text = ""
            self._end_filter()
        else:
            self.grid.mark(())
            self._draw_detail()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let a slash be text while the filter is typed."""
        return False if action == "filter" and self.input.has_focus else super().check_action(action, parameters)

    def action_filter(self) -> None:
        """Type a filter; it works while it is typed."""
        self.action_back() if self.has_class("-open") else None
        self.input.display = True
        self.screen.set_focus(self.input)

    @on(Input.Changed, "#filter")
    def _typing(self, event: Input.Changed) -> None:
        event.stop()
        self.query_text = event.value

    @on(Input.Submitted, "#filter")
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        self._end_filter()

    def _end_filter(self) -> None:
        self.grid.focus()
        self.input.display = False

    def action_mark(self) -> None:
        """Mark the node under the cursor."""
        self.grid.toggle_mark()
        self._draw_detail()

    def action_only_wrong(self) -> None:
        """Hide what is OK, or show it again."""
        self.only_wrong = not self.only_wrong


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
        marked = self.grid.marks
        if marked:
            names = {item.node.name for item in self._marked(marked)}
            self.post_message(FixRequested(frozenset(names)))
        elif (selected := self.grid.selected) is not None:
            self.post_message(FixRequested(frozenset({selected.node.name})))

    def _marked(self, uids: frozenset[str]) -> Iterable[Assessment]:
        return (a for a in (self.report.assessments if self.report else ()) if a.node.uid in uids)

    def action_fix_all(self) -> None:
        """Ask for a plan for everything that can be fixed."""
        self.post_message(FixRequested(None))


def _notice(report: Report | None, any_shown: bool) -> list[Line]:
    """Return what stands in place of the list: nothing is ever just blank."""
    if any_shown:
        return []
    if report is None or report.synchronising:
        lines = [line(Span("Synchronising: the first complete list of nodes is on its way.", Tone.STRONG))]
        if report is not None and report.snapshot.nodes_source.state is not SourceState.OK:
            lines = [line(Span("The nodes could not be listed yet.", Tone.BAD))]
    elif not report.assessments:
        lines = [line(Span("The cluster has no nodes.", Tone.STRONG))]
    else:
        lines = [line(Span("No node matches. ", Tone.STRONG), Span("esc", Tone.KEY), " shows all of them again.")]
    for source in report.snapshot.sources if report else ():
        if source.message and source.state is not SourceState.OK:
            lines.append(
                line(Span(f"{legible(source.name)} {source.state}: ", Tone.BAD), legible(source.message), indent=2)
            )
    return lines
