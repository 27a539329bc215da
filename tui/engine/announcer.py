"""Changes told in the cluster itself, on the nodes that they are about, where that is allowed.

It is a service to those who look at a node with other tools: nothing depends on it. May import ports and the model.
"""

from collections.abc import Mapping

from tui.model.change import Action, Change
from tui.model.plan import Outcome, Status
from tui.ports import Clock, Denied, Notice, NoticeBoard, PortError

_DONE: Mapping[Action, str] = {
    Action.CREATE: "Created",
    Action.UPDATE: "Changed",
    Action.REPLACE: "Replaced",
    Action.DELETE: "Deleted",
}
_TOLD = frozenset({Status.APPLIED, Status.INDETERMINATE})
"""What has changed something, or may have."""


class Announcer:
    """Posts a notice for every change of a node in one apply, until the first one that is not taken.

    ``by`` is who says it, ``author`` who has begun the apply.
    """

    def __init__(self, board: NoticeBoard | None, clock: Clock, *, by: str, author: str) -> None:
        self._board = board
        self._clock = clock
        self._by = by
        self._author = author

    def announce(self, change: Change, outcome: Outcome) -> str | None:
        """Tell what became of a change, if it is about a node and has changed something.

        Returns what the operator should know: why nothing is told from now on.
        """
        if self._board is None or outcome.status not in _TOLD or change.node is None or change.node_uid is None:
            return None
        proven = outcome.status is Status.APPLIED
        deed = f"{change.action} {change.kind} {change.subject}"
        notice = Notice(
            node=change.node,
            node_uid=change.node_uid,
            reason=f"{change.kind.title().replace('-', '')}{_DONE[change.action] if proven else 'Unproven'}",
            message=f"{deed} ({change.reason}){'' if proven else f': {outcome.message}'}; {self._author}",
            warning=not proven,
            at=self._clock.now(),
            by=self._by,
        )
        try:
            self._board.post(notice)
        except Denied:
            self._board = None  # a right that not everybody is given
        except PortError as error:
            self._board = None
            return f"the nodes' events do not tell of the changes any more: {error}"
        return None
