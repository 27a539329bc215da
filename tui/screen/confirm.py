"""The diff as a question. Danger is slow: focus stands on Cancel, escape and enter answer no, a paste answers nothing.

Up to ten changes that delete nothing are confirmed with ``y``; more, a deletion, and everything in a protected context,
by typing the context's name.
"""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.widget import Widget
from textual.widgets import Input

from tui.model.plan import Plan
from tui.render_plan import plan_summary
from tui.render_script import commands, counted
from tui.screen.dialog import Dialog
from tui.screen.format import Line, Span, Tone, legible, line
from tui.screen.lineinput import LineInput
from tui.screen.messages import CopyRequested, ScriptRequested
from tui.screen.textview import Bar

MOST_BY_KEY = 10
"""How many changes a single key may confirm."""


def word_required(plan: Plan) -> bool:
    """Tell whether a single key is too quick for this plan."""
    return len(plan.changes) > MOST_BY_KEY or plan.destroys


class Cancel(Bar, can_focus=True, inherit_bindings=False):
    """The safe answer, focused from the start."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", "Cancel", show=False, id="cancel.press", tooltip="Answer no"),
    ]

    def on_mount(self) -> None:
        """Say what it is."""
        self.show(line("[ Cancel ]"))

    def action_press(self) -> None:
        """Answer no."""
        self.screen.dismiss(False)

    def on_click(self, event: Click) -> None:
        """Answer no."""
        event.stop()
        self.action_press()


class Question(Dialog[bool]):
    """Asks, and returns whether the answer was yes. With ``word`` only that word, typed, is a yes."""

    OTHERS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Further keys, with what they do in a word."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes", show=False, id="question.yes", tooltip="Answer yes"),
        Binding("n", "back", "No", show=False, id="question.no", tooltip="Answer no"),
        # First, so that a word that comes in one burst after it, as over a slow link, is typed into the field.
        Binding(
            "tab", "app.focus_next", "Next field", show=False, id="question.next", tooltip="To the field", priority=True
        ),
        Binding(
            "shift+tab",
            "app.focus_previous",
            "Previous field",
            show=False,
            id="question.previous",
            tooltip="Back to Cancel",
        ),
    ]

    def __init__(
        self, title: Line, lines: Iterable[Line], *, yes: str, word: str | None = None, ascii_only: bool
    ) -> None:
        super().__init__(title, lines, ascii_only=ascii_only)
        self._yes = yes
        self._word = word

    def extras(self) -> Iterable[Widget]:
        """Return the field for the word, and Cancel."""
        if self._word is not None:
            yield LineInput(placeholder="the context's name", identity="word")
        yield Cancel(ascii_only=self.ascii_only, identity="cancel")

    def ready(self) -> None:
        """Stand on Cancel and say what would be a yes."""
        self.query_one(Cancel).focus()
        if self._word is None:
            self._hint(Span("y", Tone.KEY), f" {self._yes}   ", Span("esc", Tone.KEY), " cancel")
        else:
            word = Span(legible(self._word, ascii_only=self.ascii_only), Tone.STRONG)
            self._hint(Span("tab", Tone.KEY), ", type ", word, ", ", Span("enter", Tone.KEY), f" {self._yes}")

    def _hint(self, *spans: Span | str) -> None:
        """Say what the keys do, those of the kind of question last."""
        others = (part for key, what in self.OTHERS for part in ("   ", Span(key, Tone.KEY), f" {what}"))
        self.foot.show(line(*spans, *others))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Forbid the single key where a word is asked for."""
        del parameters
        return not (action == "yes" and self._word is not None)

    def action_yes(self) -> None:
        """Answer yes."""
        self.dismiss(True)

    def action_back(self) -> None:
        """Answer no."""
        self.dismiss(False)

    @on(Input.Submitted, "#word")
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value == self._word:
            self.dismiss(True)
        else:
            self.foot.show(line(Span("Not the context's name: nothing was confirmed. ", Tone.BAD), "esc cancels"))


class StopQuestion(Question):
    """Asks whether an apply shall stop, and says how it would."""

    def __init__(self, question: str, *, yes: str, ascii_only: bool) -> None:
        told = line("The change under way is finished, proven and written down; no further one begins.")
        super().__init__(line(Span(question, Tone.STRONG)), [told], yes=yes, ascii_only=ascii_only)


class Confirm(Question):
    """Asks whether a plan shall be applied; the question is its diff, whose commands can be taken away."""

    OTHERS = (("C", "copy"), ("x", "script"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("C", "copy_command", "Copy command", show=False, id="confirm.copy", tooltip="Copy the plan's commands"),
        Binding("x", "export", "Export", show=False, id="confirm.export", tooltip="Write the plan as a shell script"),
    ]

    def __init__(self, plan: Plan, lines: Iterable[Line], *, protected: bool, ascii_only: bool) -> None:
        number = len(plan.changes)
        changes = f"{number} change{'' if number == 1 else 's'}"
        context = plan.cluster.context
        self._plan = plan
        super().__init__(
            line(
                Span("Apply to " if plan.undoes is None else f"Take back {legible(plan.undoes)} on ", Tone.STRONG),
                Span(legible(context), Tone.TITLE),
                Span("?  ", Tone.STRONG),
                plan_summary(plan),  # also on top: a long diff would hide its end
            ),
            lines,
            yes=f"apply {changes}",
            word=context if protected or word_required(plan) else None,
            ascii_only=ascii_only,
        )

    def action_copy_command(self) -> None:
        """Copy what a person would type instead."""
        found = commands(self._plan)
        self.post_message(CopyRequested("".join(f"{command}\n" for command in found), counted(len(found))))

    def action_export(self) -> None:
        """Write it as a script."""
        self.post_message(ScriptRequested(self._plan))
