"""A one-line input without the editing keys that belong to terminals and multiplexers. May import Textual only."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class LineInput(Input, inherit_bindings=False):
    """An input that does not blink; a pasted text ends at its first newline and submits nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cursor_left", "Left", show=False, id="input.left"),
        Binding("right", "cursor_right", "Right", show=False, id="input.right"),
        Binding("home", "home", "Start", show=False, id="input.home"),
        Binding("end", "end", "End", show=False, id="input.end"),
        Binding("backspace", "delete_left", "Delete left", show=False, id="input.backspace"),
        Binding("delete", "delete_right", "Delete right", show=False, id="input.delete"),
        Binding("ctrl+u", "delete_left_all", "Delete all", show=False, id="input.clear"),
        Binding("ctrl+w", "delete_left_word", "Delete word", show=False, id="input.word"),
        Binding("enter", "submit", "Submit", show=False, id="input.submit"),
    ]

    def __init__(self, placeholder: str = "", identity: str | None = None) -> None:
        super().__init__(placeholder=placeholder, compact=True, select_on_focus=False, id=identity)
        self.cursor_blink = False
