"""A plan as the question that is asked: the diff of ``render_plan`` in tones. Plain text, never markup."""

from collections.abc import Collection, Iterator

from tui.model.plan import Plan
from tui.render_plan import LineKind, plan_danger, plan_lines
from tui.screen.format import Line, Span, Tone, legible, line

_TONES = {
    LineKind.ACTOR: Tone.DIM,
    LineKind.CREATE: Tone.OK,
    LineKind.UPDATE: Tone.FIX,
    LineKind.REPLACE: Tone.FIX,
    LineKind.DELETE: Tone.BAD,
    LineKind.FIELD: Tone.STRONG,
    LineKind.REASON: Tone.PLAIN,
    LineKind.COST: Tone.PLAIN,
    LineKind.DANGER: Tone.BAD,
    LineKind.NOTE: Tone.FIX,
    LineKind.COMMAND: Tone.DIM,
    LineKind.HEADING: Tone.STRONG,
    LineKind.REFUSED: Tone.UNKNOWN,
    LineKind.SUMMARY: Tone.TITLE,
    LineKind.BLANK: Tone.PLAIN,
}


def plan_diff(plan: Plan) -> Iterator[Line]:
    """Yield every change, what is left out and why, and the sum; a danger also on top, where it is seen first."""
    danger = plan_danger(plan)
    if danger is not None:
        yield line(Span(danger, Tone.BAD))
        yield line()
    for told in plan_lines(plan):
        yield line(Span(told.text, _TONES[told.kind]), indent=told.indent)


def refusal_lines(plan: Plan) -> Iterator[Line]:
    """Yield why a plan changes nothing although something is wrong, each reason in full."""
    for refusal in plan.refused:
        about = (Span(f"{legible(refusal.node)}  ", Tone.STRONG),) if refusal.node else ()
        yield line(*about, Span(f"{legible(refusal.code)}: ", Tone.UNKNOWN), legible(refusal.reason), indent=2)
    if any("--delete-first" in refusal.reason for refusal in plan.refused):  # here it has another name
        yield line()
        text = " plans the replacements all the same: each old route goes first, with a gap."
        yield line(Span(":delete-first", Tone.KEY), text, indent=2)


def nothing_planned(plan: Plan) -> str:
    """Say that a plan has reasons only."""
    return "Nothing that a plan can mend" if plan.undoes is None else "Nothing that can be taken back"


def nothing_to_fix(nodes: Collection[str] | None) -> str:
    """Say in one sentence that a plan is empty because nothing is wrong. The text is not yet made safe."""
    if nodes is None:
        return "Nothing to fix: no node has anything that a plan can mend."
    return f"Nothing to fix: {', '.join(sorted(nodes))} {'needs' if len(nodes) == 1 else 'need'} nothing."
