"""Help, made from the live bindings: what is not bound now is not explained."""

from collections.abc import Iterator, Sequence

from textual.binding import Binding

from tui.model.finding import VERDICTS_WORST_FIRST
from tui.screen.commands import Command, key_name
from tui.screen.confirm import Cancel, Confirm, Question
from tui.screen.cutoff import CutOff, FixingCutOff
from tui.screen.dialog import Dialog, Notice
from tui.screen.format import MEANINGS, Line, Span, Tone, badge, line
from tui.screen.run import Run


class Help(Notice):
    """Keys, verdicts, filter."""

    def __init__(self, commands: Sequence[Command], *, read_only: bool, ascii_only: bool) -> None:
        title = line(Span("Keys that work here", Tone.TITLE))
        super().__init__(title, _lines(commands, read_only), ascii_only=ascii_only)


def dialog_keys() -> dict[str, str]:
    """Return the keys of dialogs, with what each does where it is bound."""
    found: dict[str, list[str]] = {}
    for dialog in (Dialog, Question, Cancel, Confirm, CutOff, FixingCutOff, Run):
        for binding in dialog.BINDINGS:
            if isinstance(binding, Binding) and binding.tooltip:
                keys = " ".join(key_name(key) for key in binding.key.split(","))
                found.setdefault(keys, []).append(binding.tooltip)
    return {keys: "; ".join(dict.fromkeys(told)) for keys, told in found.items()}


def _lines(commands: Sequence[Command], read_only: bool) -> Iterator[Line]:
    width = max((len(" ".join(command.keys)) for command in commands), default=0)
    titles = max((len(command.title) for command in commands), default=0)
    for command in commands:
        keys = Span(f"  {' '.join(command.keys):<{width}}  ", Tone.DIM if command.obstacle else Tone.KEY)
        unavailable = Span(f" (not now: {command.obstacle})", Tone.FIX) if command.obstacle else Span("")
        explanation = f"{command.title:<{titles}} {command.explanation}"
        yield line(keys, explanation, unavailable, indent=width + titles + 5)
    if read_only:
        yield line(Span("  Read-only: there is no key that plans, applies, takes back or arms.", Tone.FIX), indent=2)
    yield line()
    yield line(Span("In dialogs", Tone.TITLE))
    for keys_there, told in dialog_keys().items():
        yield line(Span(f"  {keys_there:<{width}}  ", Tone.KEY), told, indent=width + 4)
    yield line()
    yield line(Span("Verdicts", Tone.TITLE))
    for verdict in VERDICTS_WORST_FIRST:
        yield line("  ", badge(verdict), f"  {MEANINGS[verdict]}", indent=9)
    yield line()
    yield line(Span("Filter", Tone.TITLE))
    for example, meaning in (
        ("win", "text or regular expression, in any column"),
        ("!win", "not that"),
        ("@error", "by verdict or severity: @fix @bad @new @ok @error @warning @unknown"),
        ("os:win", "in this field alone: cloud: os: pool: zone: label: of nodes, cloud: node: table: of routes"),
        ("win @fix", "several terms must all hold"),
    ):
        yield line(Span(f"  {example:<9} ", Tone.KEY), meaning, indent=12)
