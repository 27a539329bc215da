"""The frame of every dialog: a title, scrollable text, a hint, and keys that never do harm by themselves."""

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget

from tui.screen.format import Line, Span, Tone, legible, line
from tui.screen.textview import Bar, TextView

Result = TypeVar("Result")


class Dialog(ModalScreen[Result], inherit_bindings=False):
    """A modal with scrollable text. Subclasses say what escape answers."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", show=False, id="dialog.back", tooltip="Leave without doing anything"),
        Binding("ctrl+c", "back", "Back", show=False, id="dialog.interrupt"),
        Binding("up", "scroll(-1)", "Up", show=False, id="dialog.up"),
        Binding("down", "scroll(1)", "Down", show=False, id="dialog.down"),
        Binding("pageup", "scroll_page(-1)", "Page up", show=False, id="dialog.page-up"),
        Binding("pagedown", "scroll_page(1)", "Page down", show=False, id="dialog.page-down"),
    ]

    def __init__(self, title: Line, lines: Iterable[Line], *, ascii_only: bool) -> None:
        super().__init__()
        self.ascii_only = ascii_only
        self._title = title
        self._lines = tuple(lines)
        self.text = TextView(ascii_only=ascii_only, identity="text")
        self.heading = Bar(ascii_only=ascii_only, identity="heading")
        self.foot = Bar(ascii_only=ascii_only, identity="foot")

    def compose(self) -> ComposeResult:
        """Title, text, whatever the dialog adds, hint."""
        with Vertical(id="frame"):
            yield self.heading
            yield self.text
            yield from self.extras()
            yield self.foot

    def extras(self) -> Iterable[Widget]:
        """Return what stands between the text and the hint."""
        return ()

    def on_mount(self) -> None:
        """Fill the frame."""
        self.text.can_focus = False
        self.heading.show(self._title)
        self.text.show(self._lines)
        self.ready()

    def ready(self) -> None:
        """Do what the dialog adds once it stands."""

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show a sentence in place of the hint."""
        self.foot.show(line(Span(legible(text), tone)))

    def action_back(self) -> None:
        """Leave without an answer."""
        self.dismiss()

    def action_scroll(self, rows: int) -> None:
        """Scroll the text by rows."""
        self.text.action_move(rows)

    def action_scroll_page(self, pages: int) -> None:
        """Scroll the text by screenfuls."""
        self.text.action_page(pages)


class Notice(Dialog[None]):
    """Something to read, and nothing to answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll(-1)", "Up", show=False, id="notice.up"),
        Binding("j", "scroll(1)", "Down", show=False, id="notice.down"),
    ]

    def ready(self) -> None:
        """Say how to leave."""
        self.foot.show(line(Span("esc", Tone.KEY), " back   ", Span("j k up down PgUp PgDn", Tone.KEY), " scroll"))
