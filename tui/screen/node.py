"""The chain of the selected node, beside the list or instead of it."""

from tui.model.finding import Assessment, Report
from tui.screen.chain import detail
from tui.screen.format import Span, Tone, line
from tui.screen.textview import TextView


class NodeDetail(TextView):
    """Draws one node. ``fix_key`` is the key that opens a plan, None where nothing can be written."""

    fix_key: str | None = None
    _uid: str | None = None

    def show_node(self, assessment: Assessment | None, report: Report, *, full: bool) -> None:
        """Draw the node; the scroll position is kept as long as it is the same one."""
        uid = assessment.node.uid if assessment is not None else None
        other, self._uid = uid != self._uid, uid
        if assessment is None:
            self.show([line(Span("No node is selected.", Tone.DIM))], top=True)
        else:
            self.show(detail(assessment, report, fix_key=self.fix_key, full=full), top=other)
