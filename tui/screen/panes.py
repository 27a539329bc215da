"""Which panes there are, and which of them a session has."""

from collections.abc import Mapping

from tui.engine.session import Session
from tui.screen.activity import ActivityPane
from tui.screen.journal import JournalPane
from tui.screen.nodes import FixingNodesPane, NodesPane
from tui.screen.pane import Pane
from tui.screen.routes import FixingRoutesPane, RoutesPane
from tui.screen.upgrade import FixingUpgradePane, UpgradePane

PANES: tuple[type[Pane], ...] = (NodesPane, RoutesPane, UpgradePane, ActivityPane, JournalPane)
"""Every pane, in the order of their keys."""
_FIXING: Mapping[type[Pane], type[Pane]] = {
    NodesPane: FixingNodesPane,
    RoutesPane: FixingRoutesPane,
    UpgradePane: FixingUpgradePane,
}
"""The panes that can do more in a console that may write."""
_RECORDED: tuple[type[Pane], ...] = (UpgradePane, ActivityPane)
"""The panes about what happened, which is all that a record holds."""


def panes_of(session: Session) -> tuple[type[Pane], ...]:
    """Return the panes of a session; the one to begin with is the first."""
    if session.recorded:
        return _RECORDED
    return PANES if session.read_only else tuple(_FIXING.get(pane, pane) for pane in PANES)
