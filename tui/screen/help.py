"""Help, made from the live bindings: what is not bound now is not explained."""

from collections.abc import Iterator, Sequence

from tui.model.finding import VERDICTS_WORST_FIRST
from tui.screen.commands import Command
from tui.screen.dialog import Notice
from tui.screen.format import MEANINGS, Line, Span, Tone, badge, line


class Help(Notice):
    """Keys, verdicts, filter."""

    def __init__(self, commands: Sequence[Command], *, ascii_only: bool) -> None:
        title = line(Span("Keys that work here", Tone.TITLE))
        super().__init__(title, _lines(commands), ascii_only=ascii_only)


def _lines(commands: Sequence[Command]) -> Iterator[Line]:
    width = max((len(" ".join(command.keys)) for command in commands), default=0)
    for command in commands:
        keys = Span(f"  {' '.join(command.keys):<{width}}  ", Tone.KEY if command.enabled else Tone.DIM)
        unavailable = Span(" (not now)", Tone.DIM) if not command.enabled else Span("")
        explanation = f"{command.title:<10} {command.explanation}"
        yield line(keys, explanation, unavailable, indent=width + 4)
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
        ("win @fix", "several terms must all hold"),
    ):
        yield line(Span(f"  {example:<9} ", Tone.KEY), meaning, indent=12)
