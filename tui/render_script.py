"""A plan as a shell script of the clouds' own commands, for those who want to run it by hand.

Pure; may import the model and ``render_plan``.
"""

from collections.abc import Iterator

from tui.model.document import instant
from tui.model.plan import Plan
from tui.model.text import printable
from tui.render_plan import change_title, node_words, plan_danger, plan_summary


def commands(plan: Plan) -> tuple[str, ...]:
    """Return the commands of a plan, in its order, quoted for a POSIX shell."""
    return tuple(printable(change.command) for change in plan.changes if change.command)


def counted(number: int) -> str:
    """Return a number of commands in words."""
    return "the command" if number == 1 else f"{number} commands"


def plan_script(plan: Plan) -> str:
    """Return the script: it stops at the first command that fails, and says what it does not do."""
    return "".join(f"{line}\n" for line in _lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    yield "#!/bin/sh"
    yield f"# {plan_summary(plan)} For {printable(plan.cluster.context)}, as it was at {instant(plan.created_at)}."
    yield "# l2bridge-tui apply reads again before each change and proves it after it: this script does neither."
    danger = plan_danger(plan)
    if danger is not None:
        yield f"# {danger}"
    yield "set -eu"
    for change in plan.changes:
        yield ""
        yield f"# {printable(change.id)}: {change_title(change)} ({node_words(change)})"
        yield f"# {printable(change.reason)}"
        yield printable(change.command) or "# There is no command for this change."
    if plan.refused:
        yield ""
        yield "# Not in this plan:"
    for refusal in plan.refused:
        node = "" if refusal.node is None else f"{printable(refusal.node)}: "
        yield f"# {node}{printable(refusal.reason)}"
