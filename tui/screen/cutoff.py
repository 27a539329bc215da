"""An earlier apply was cut off: what became of it, and the ways on. Leaving it changes nothing."""

from collections.abc import Iterator
from enum import Enum
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.model.aftermath import Aftermath
from tui.render_journal import aftermath_lines
from tui.screen.dialog import Dialog
from tui.screen.format import Line, Span, Tone, legible, line


class Way(Enum):
    """What to do after an apply was cut off; both ways are plans that ask before they write."""

    RESUME = "plan what is left"
    UNDO = "plan what takes it back"


class CutOff(Dialog[Way | None]):
    """Tells it, and returns the way that was chosen; None to leave everything as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "back", "Leave", show=False, id="cutoff.leave", tooltip="Leave everything as it is"),
    ]

    def __init__(self, aftermath: Aftermath, *, ascii_only: bool) -> None:
        super().__init__(
            line(Span("An earlier apply was cut off", Tone.TITLE)), _told(aftermath), ascii_only=ascii_only
        )

    def ready(self) -> None:
        """Say what the keys do."""
        self.foot.show(line(Span("esc", Tone.KEY), " leave it"))


class FixingCutOff(CutOff):
    """The same in a console that may write."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "go('RESUME')", "Plan", show=False, id="cutoff.resume", tooltip="Plan what is left to do"),
        Binding("u", "go('UNDO')", "Undo", show=False, id="cutoff.undo", tooltip="Plan what takes it back"),
    ]

    def ready(self) -> None:
        """Say what the keys do."""
        resume, undo = f" {Way.RESUME.value}   ", f" {Way.UNDO.value}   "
        self.foot.show(line(Span("f", Tone.KEY), resume, Span("u", Tone.KEY), undo, Span("esc", Tone.KEY), " leave it"))

    def action_go(self, way: str) -> None:
        """Answer with a way on."""
        self.dismiss(Way[way])


def _told(aftermath: Aftermath) -> Iterator[Line]:
    for number, text in enumerate(aftermath_lines(aftermath)):
        yield line(Span(legible(text), Tone.STRONG if number == 0 else Tone.PLAIN), indent=4 if number else 0)
    if not aftermath.known:
        yield line()
        yield line(Span("What is not certain yet is told again at the next start.", Tone.UNKNOWN))
