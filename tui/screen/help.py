"""Help, made from the live bindings: what is not bound now is not explained."""

from collections.abc import Iterator, Sequence

from tui.model.finding import VERDICTS_WORST_FIRST
from tui.screen.commands import Command
from tui.screen.dialog import Notice
from tui.screen.format import MEANINGS, Line, Span, Tone, badge, line


class Help(Notice):
    """Keys, verdicts, filter."""

    def __init__(self, commands: Sequence[Command], *, read_only: bool, ascii_only: bool) -> None:
        title = line(Span("Keys that work here", Tone.TITLE))
        super().__init__(title, _lines(commands, read_only), ascii_only=ascii_only)


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
