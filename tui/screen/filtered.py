"""A pane with a filter: a line at its foot that appears with a key, and works while it is typed."""

from typing import ClassVar

from textual import on
from textual.reactive import reactive
from textual.widgets import Input

from tui.screen.lineinput import LineInput
from tui.screen.pane import Pane


class FilteredPane(Pane):
    """A pane that shows what ``query_text`` lets through. It yields ``input`` with what it is composed of."""

    PLACEHOLDER: ClassVar[str]
    """What the filter says while it is empty."""

    query_text: reactive[str] = reactive("", repaint=False)

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__(ascii_only=ascii_only)
        self.input = LineInput(placeholder=self.PLACEHOLDER, identity="filter")
        self.input.display = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let a slash be text while the filter is typed."""
        return False if action == "filter" and self.input.has_focus else super().check_action(action, parameters)

    def action_filter(self) -> None:
        """Type a filter."""
        self.input.display = True
        self.screen.set_focus(self.input)

    def clear_filter(self) -> None:
        """Let everything through again."""
        self.input.value = ""
        self.query_text = ""
        self._end_filter()

    @on(Input.Changed, "#filter")
    def _typing(self, event: Input.Changed) -> None:
        event.stop()
        self.query_text = event.value

    @on(Input.Submitted, "#filter")
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        self._end_filter()

    def _end_filter(self) -> None:
        self.focus_content()
        self.input.display = False
