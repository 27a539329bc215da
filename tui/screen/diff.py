"""A plan as the question that is asked: the diff of ``render`` in tones. Plain text, never markup."""

from collections.abc import Collection, Iterator

from tui.model.plan import Plan
from tui.render import LineKind, plan_lines
from tui.screen.format import Line, Span, Tone, line

_TONES = {
    LineKind.CREATE: Tone.OK,
    LineKind.UPDATE: Tone.FIX,
    LineKind.REPLACE: Tone.FIX,
    LineKind.DELETE: Tone.BAD,
    LineKind.FIELD: Tone.STRONG,
    LineKind.REASON: Tone.PLAIN,
    LineKind.DISRUPTION: Tone.PLAIN,
    LineKind.COMMAND: Tone.DIM,
    LineKind.HEADING: Tone.STRONG,
    LineKind.REFUSED: Tone.UNKNOWN,
    LineKind.SUMMARY: Tone.TITLE,
    LineKind.BLANK: Tone.PLAIN,
}
_LABELLED = frozenset({LineKind.REASON, LineKind.DISRUPTION, LineKind.COMMAND})
_VALUE_COLUMN = 16
"""Where the text after ``why:`` and the like begins: continuation lines stand under it."""


def plan_diff(plan: Plan) -> Iterator[Line]:
    """Yield every change, what is left out and why, and the sum."""
    for told in plan_lines(plan):
        indent = _VALUE_COLUMN if told.kind in _LABELLED else 4
        yield line(Span(told.text, _TONES[told.kind]), indent=indent)


def refusals(plan: Plan, nodes: Collection[str] | None) -> str:
    """Say in one sentence why a plan is empty. The text is not yet made safe."""
    if plan.refused:
        first = plan.refused[0]
        more = len(plan.refused) - 1
        others = f" (and {more} more)" if more else ""
        about = f"{first.node}: " if first.node else ""
        return f"Nothing a plan can mend: {about}{first.code}: {first.reason}{others}"
    if nodes is None:
        return "Nothing to fix: no node has anything that a plan can mend."
    return f"Nothing to fix: {', '.join(sorted(nodes))} {'needs' if len(nodes) == 1 else 'need'} nothing."
