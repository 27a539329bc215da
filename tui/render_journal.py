"""What a journal tells: every apply with what became of its changes, for people and as JSON.

Pure; signs of our own are ASCII, other people's text is made safe. May import the model, ``render`` and
``render_plan``.
"""

from collections.abc import Iterator, Sequence

from tui.model.aftermath import Aftermath
from tui.model.document import change_document, cluster_document, instant
from tui.model.history import RecordedApply, RecordedChange, RunState
from tui.model.snapshot import Cluster
from tui.model.text import printable
from tui.render import outcome_document
from tui.render_plan import actor_words, change_lines, change_title, node_words

JOURNAL_SCHEMA = "l2bridge-tui/journal/v1"
_STATES = {
    RunState.ENDED: "",
    RunState.UNDER_WAY: ", under way",
    RunState.CUT_OFF: ", CUT OFF",
}
ON_ITS_WAY = "on its way when the journal ends: it may or may not be written"


def journal_lines(applies: Sequence[RecordedApply], *, path: str, program: str) -> Iterator[str]:
    """Yield every apply, newest first, with one line for each change. ``applies`` are oldest first."""
    yield f"Journal {printable(path)}"
    if not applies:
        yield "Nothing was applied yet."
    for apply in reversed(applies):
        yield ""
        yield heading(apply)
        for recorded in apply.changes:
            yield f"  {_title(recorded)}: {became(recorded)}"
        yield from _remarks(apply)
    if applies:
        yield ""
        yield f"Every detail of one: {program} journal APPLY-ID. Take one back: {program} undo APPLY-ID"


def apply_lines(apply: RecordedApply, *, program: str) -> Iterator[str]:
    """Yield one apply with every change as a diff."""
    yield heading(apply)
    yield f"  plan {printable(apply.plan)}"
    for actor in apply.actors:
        yield f"  {actor_words(actor)}"
    for recorded in apply.changes:
        yield ""
        for line in change_lines(recorded.change):
            yield line.text
        if recorded.change.findings:
            yield f"    {'finding:':<12} {', '.join(map(printable, recorded.change.findings))}"
        yield f"    {'begun:':<12} {instant(recorded.begun_at)}"
        yield f"    {'became:':<12} {became(recorded)}"
    yield from _remarks(apply)
    if apply.written:
        yield ""
        yield f"Take it back: {program} undo {printable(apply.id)}"


def aftermath_lines(aftermath: Aftermath) -> Iterator[str]:
    """Yield what became of an apply that was cut off."""
    apply = aftermath.apply
    begun = f"{len(apply.changes)} of {apply.total} changes were begun"
    yield f"Apply {printable(apply.id)}, begun by {printable(apply.user)}, was cut off: {begun}."
    for fate in aftermath.fates:
        yield f"  {_title(fate.recorded)}: {printable(fate.text)}"


def heading(apply: RecordedApply) -> str:
    """Return an apply in one line: which, when, by whom, and what became of its changes."""
    counts = ", ".join(f"{number} {name}" for name, number in apply.counts().items()) or "no changes"
    back = "" if apply.undoes is None else f", takes back {printable(apply.undoes)}"
    who = f"{printable(apply.user)} on {printable(apply.context)}"
    return f"{printable(apply.id)}  {instant(apply.begun_at)}  {who}{back}{_STATES[apply.state]}: {counts}"


def became(recorded: RecordedChange) -> str:
    """Return what became of a change."""
    outcome = recorded.outcome
    if outcome is None:
        return ON_ITS_WAY
    why = f": {printable(outcome.message)}" if outcome.message else ""
    return f"{outcome.status}{why} ({outcome.seconds:.1f} s)"


def _title(recorded: RecordedChange) -> str:
    return f"{change_title(recorded.change)} ({node_words(recorded.change)})"


def _remarks(apply: RecordedApply) -> Iterator[str]:
    if apply.lock_taken_from is not None:
        yield f"  the cluster's lock was taken by force from {printable(apply.lock_taken_from)}"
    if apply.gap is not None:
        yield f"  {printable(apply.gap)}"


def journal_document(applies: Sequence[RecordedApply], *, cluster: Cluster, path: str) -> dict[str, object]:
    """Write applies, oldest first."""
    return {
        "schema": JOURNAL_SCHEMA,
        "cluster": cluster_document(cluster),
        "file": path,
        "applies": [_apply_document(apply) for apply in applies],
    }


def _apply_document(apply: RecordedApply) -> dict[str, object]:
    return {
        "id": apply.id,
        "at": instant(apply.begun_at),
        "who": {
            "user": apply.user,
            "context": apply.context,
            "identities": {actor.source: actor.identity for actor in apply.actors},
        },
        "lockTakenFrom": apply.lock_taken_from,
        "plan": apply.plan,
        "undoes": apply.undoes,
        "state": apply.state.value,
        "planned": apply.total,
        "unread": apply.unread,
        "changes": [_change_document(recorded) for recorded in apply.changes],
    }


def _change_document(recorded: RecordedChange) -> dict[str, object]:
    outcome = None if recorded.outcome is None else outcome_document(recorded.outcome)
    return {"at": instant(recorded.begun_at), "change": change_document(recorded.change), "outcome": outcome}
