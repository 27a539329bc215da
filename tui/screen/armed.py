"""The armed window on the screen: asked for in a form, confirmed in words, counted down, ended with one key."""

from collections.abc import Callable, Iterable
from typing import ClassVar, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from tui import option_values as values
from tui.engine.autofix import AutoFix
from tui.model.arming import Arming, FixKind, Wish
from tui.ports import Misconfigured
from tui.screen.bridge import SessionApp
from tui.screen.confirm import Question
from tui.screen.console import Console
from tui.screen.dialog import Dialog
from tui.screen.format import Line, Span, Tone, legible, line
from tui.screen.lineinput import LineInput
from tui.screen.messages import ArmRequested

_Value = TypeVar("_Value")
_TICK_S = 1.0


_FIELDS = (
    ("nodes", "which new nodes: names (win-*) or a label (agentpool=win)", ""),
    ("kinds", "what may be fixed", ",".join(FixKind)),
    ("most", "how many changes at most", "10"),
    ("span", "for how long, such as 90m", "1h"),
)
"""Name, meaning, and what stands there at first."""


class ArmForm(Dialog[Wish | None]):
    """Asks what is to be armed. Nothing is armed by it: the question comes after."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,down", "app.focus_next", "Next field", show=False, id="arm.next"),
        Binding("shift+tab,up", "app.focus_previous", "Previous field", show=False, id="arm.previous"),
    ]

    def __init__(self, *, ascii_only: bool) -> None:
        told = [line(f"{number}. {about}") for number, (_, about, _) in enumerate(_FIELDS, start=1)]
        super().__init__(line(Span("Fix new nodes unasked?", Tone.TITLE)), told, ascii_only=ascii_only)

    def extras(self) -> Iterable[Widget]:
        """Return the fields."""
        for name, about, given in _FIELDS:
            field = LineInput(placeholder=about, identity=name)
            field.value = given
            yield field

    def ready(self) -> None:
        """Stand on the first field."""
        self.query_one("#nodes", LineInput).focus()
        self._hint()

    def _hint(self) -> None:
        keys = (
            Span("tab", Tone.KEY),
            " next   ",
            Span("enter", Tone.KEY),
            " go on   ",
            Span("esc", Tone.KEY),
            " cancel",
        )
        self.foot.show(line(*keys))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            wish = Wish(
                nodes=self._read("nodes", values.text),
                kinds=self._read("kinds", values.fix_kinds),
                max_changes=self._read("most", values.count),
                span_s=self._read("span", values.duration),
            )
        except ValueError as error:
            self.foot.show(line(Span(f"This {error}", Tone.BAD)))
        else:
            self.dismiss(wish)

    def _read(self, name: str, value: Callable[[object], _Value]) -> _Value:
        """Return what a field says. Raises ``ValueError``, standing on it."""
        field = self.query_one(f"#{name}", LineInput)
        try:
            return value(field.value)
        except ValueError:
            field.focus()
            raise


class ArmQuestion(Question):
    """Spells out what would be armed."""

    def __init__(self, arming: Arming, context: str, *, protected: bool, ascii_only: bool) -> None:
        super().__init__(
            line(Span("Arm automatic fixes on ", Tone.STRONG), Span(f"{legible(context)}?", Tone.TITLE)),
            [line(legible(sentence)) for sentence in arming.told()],
            yes="arm",
            word=context if protected else None,
            ascii_only=ascii_only,
        )


class ArmedApp(SessionApp, inherit_bindings=False):
    """An app with at most one armed window. ``wish`` is what is to be armed from the start, once it is confirmed."""

    ascii_only: bool
    console_screen: Console
    wish: Wish | None = None
    _autofix: AutoFix | None = None
    _ticking: Timer | None = None

    def on_mount(self) -> None:
        """Ask about what was wished for on the command line."""
        if self.wish is not None:
            self.call_after_refresh(self.ask_to_arm, self.wish)

    @on(ArmRequested)
    def _arm_requested(self, message: ArmRequested) -> None:
        message.stop()
        if self._autofix is not None:
            self._autofix.disarm("by hand")
            self._tick()
        else:
            self.push_screen(ArmForm(ascii_only=self.ascii_only), lambda wish: self.ask_to_arm(wish) if wish else None)

    def ask_to_arm(self, wish: Wish) -> None:
        """Ask whether this shall be armed, and do it."""
        session = self.session
        place, told = session.cluster.context, wish.from_now(session.clock.now())
        question = ArmQuestion(told, place, protected=session.protected, ascii_only=self.ascii_only)
        self.push_screen(question, lambda yes: self._arm(wish) if yes else None)

    def _arm(self, wish: Wish) -> None:
        """Arm, with the time counted from the answer."""
        try:
            self._autofix = AutoFix(self.session, wish.from_now(self.session.clock.now()))
        except Misconfigured as error:
            self.console_screen.say(str(error), Tone.BAD)
            return
        self._autofix.start()
        self._ticking = self.set_interval(_TICK_S, self._tick)
        self._tick()

    def _tick(self) -> None:
        """Count down; say why it is over."""
        armed = self._autofix
        if armed is None or not self.screen_stack:
            return
        if armed.ended is None:
            left = armed.arming.until - self.session.clock.now()
            self.console_screen.armed = countdown(armed, left.total_seconds())
            return
        self._autofix = None
        if self._ticking is not None:
            self._ticking.stop()
        self.console_screen.armed = Line()
        self.console_screen.say(f"Disarmed: {armed.ended}", Tone.FIX)


def countdown(armed: AutoFix, left_s: float) -> Line:
    """Return what is armed and for how long; by the minute until the last one, so that the screen is calm."""
    minutes, seconds = divmod(max(0, int(left_s)), 60)
    left = f"{minutes} min" if minutes else f"{seconds} s"
    return line(Span(f"ARMED {legible(armed.arming.nodes)}: {left}, {armed.left} left  ", Tone.FIX))
