"""What is said between session, app and panes, with what may be superseded by something newer."""

from collections.abc import Callable
from pathlib import Path

from textual.message import Message

from tui.model.aftermath import Aftermath
from tui.model.finding import Report
from tui.model.plan import ApplyResult, Plan, RunStep
from tui.ports import PortError
from tui.render_table import Form

EXPORTS = "Write the hand-over report and its picture"
"""What is written where a hand-over is asked for."""


class Reported(Message):
    """The session has judged a newer observation."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report

    def can_replace(self, message: Message) -> bool:
        """Only the newest report matters: the timeline travels inside it."""
        return isinstance(message, Reported)


class FixRequested(Message):
    """Somebody wants a plan for these nodes (names); None: for every fixable one.

    ``prune`` wants stray routes deleted too, ``delete_first`` accepts a gap where a quota has no room for two routes.
    """

    def __init__(self, nodes: frozenset[str] | None, *, prune: bool = False, delete_first: bool = False) -> None:
        super().__init__()
        self.nodes = nodes
        self.prune = prune
        self.delete_first = delete_first


class UndoRequested(Message):
    """Somebody wants the plan that takes an apply back; None: the newest that still stands."""

    def __init__(self, apply_id: str | None = None) -> None:
        super().__init__()
        self.apply_id = apply_id


class ArmRequested(Message):
    """Somebody wants fixes to be made unasked, or no longer."""


class SwitchRequested(Message):
    """Somebody wants to look at another cluster."""


class ExportRequested(Message):
    """Somebody wants to take away what was watched."""


class ListRequested(Message):
    """Somebody wants to take away a list; ``what`` is in it, ``write`` returns its text."""

    def __init__(self, what: str, form: Form, write: Callable[[], str]) -> None:
        super().__init__()
        self.what = what
        self.form = form
        self.write = write


class ScriptRequested(Message):
    """Somebody wants to take away the commands of a plan."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan


class CopyRequested(Message):
    """Somebody wants to have this text at hand; ``what`` it is ends the sentence that says how."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__()
        self.text = text
        self.what = what


class CommandsRequested(Message):
    """Somebody wants to have the commands at hand that fix these nodes (names)."""

    def __init__(self, nodes: frozenset[str]) -> None:
        super().__init__()
        self.nodes = nodes


class Copied(Message):
    """It was sent on this way."""

    def __init__(self, what: str, way: str) -> None:
        super().__init__()
        self.what = what
        self.way = way


class Exported(Message):
    """It stands in this file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path


class LookedBack(Message):
    """An earlier apply was cut off, and this is what became of it."""

    def __init__(self, aftermath: Aftermath) -> None:
        super().__init__()
        self.aftermath = aftermath


class Proposed(Message):
    """The plan that was asked for; ``empty`` says in one sentence what it means when there is nothing in it."""

    def __init__(self, plan: Plan, empty: str) -> None:
        super().__init__()
        self.plan = plan
        self.empty = empty


class Progressed(Message):
    """The running apply has come one step further."""

    def __init__(self, step: RunStep) -> None:
        super().__init__()
        self.step = step


class Applied(Message):
    """The apply has ended, with outcomes or with what stood in its way."""

    def __init__(self, plan: Plan, ended: ApplyResult | PortError) -> None:
        super().__init__()
        self.plan = plan
        self.ended = ended


class Failed(Message):
    """Something that was asked for could not be done; the text says why in one sentence."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
