"""From a journal's entries to the applies that they tell of. Pure; may import the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tui.model.change import Change
from tui.model.document import change_from_document
from tui.model.fields import Fields
from tui.model.history import RecordedApply, RecordedChange, RunState
from tui.model.plan import Actor, Outcome, Status

_TAKEN = frozenset({Status.APPLIED.value, Status.INDETERMINATE.value})


@dataclass(slots=True)
class _Intent:
    change: Change
    begun_at: datetime
    outcome: Outcome | None = None
    touched: bool = False


@dataclass(slots=True)
class _Run:
    """What the entries of one apply have told so far."""

    id: str
    begun_at: datetime
    user: str
    context: str
    plan: str
    total: int
    undoes: str | None
    actors: tuple[Actor, ...]
    lock_taken_from: str | None
    intents: dict[str, _Intent] = field(default_factory=dict)
    ended: bool = False
    unread: int = 0

    def tell(self, kind: str, entry: Fields) -> None:
        """Take an entry. Raises ``ValueError`` for one that cannot be understood."""
        match kind:
            case "intent":
                change = change_from_document(entry.fields("change"))
                self.intents[change.id] = _Intent(change, _instant(entry))
            case "step":
                self._intent(entry).touched |= entry.text("status") in _TAKEN
            case "outcome":
                self._intent(entry).outcome = Outcome(
                    change=entry.text("change"),
                    status=Status(entry.text("status")),
                    message=entry.optional_text("message"),
                    seconds=entry.number("seconds"),
                )
            case "ended":
                self.ended = True
            case _:
                raise ValueError(f"a journal has no entries of the kind {kind!r}")

    def _intent(self, entry: Fields) -> _Intent:
        intent = self.intents.get(entry.text("change"))
        if intent is None:
            raise ValueError("the entry is about a change that was never begun")
        return intent

    def recorded(self, state: RunState) -> RecordedApply:
        """Return the apply as a value."""
        return RecordedApply(
            id=self.id,
            begun_at=self.begun_at,
            user=self.user,
            context=self.context,
            plan=self.plan,
            total=self.total,
            changes=tuple(
                RecordedChange(
                    change=intent.change, begun_at=intent.begun_at, outcome=intent.outcome, touched=intent.touched
                )
                for intent in self.intents.values()
            ),
            state=RunState.ENDED if self.ended else state,
            undoes=self.undoes,
            actors=self.actors,
            lock_taken_from=self.lock_taken_from,
            unread=self.unread,
        )


def history(entries: Sequence[Mapping[str, object]], *, version: int, under_way: bool) -> tuple[RecordedApply, ...]:
    """Return the applies that the entries tell of, oldest first.

    What another version wrote, and what is damaged, is counted with its apply where it can be told whose it is.
    ``under_way`` tells whether somebody applies now: then that is the newest apply, if it has no end. Every other one
    without an end was cut off.
    """
    runs: dict[str, _Run] = {}
    for values in entries:
        entry = Fields(values, "an entry of the journal")
        try:
            id_, kind = entry.text("apply"), entry.text("type")
            known = values.get("version") == version
            if kind == "began":
                runs[id_] = _began(id_, entry)
                runs[id_].unread += not known
                continue
        except ValueError:
            continue
        if id_ not in runs:
            continue
        try:
            if not known:
                raise ValueError("the entry has another version")
            runs[id_].tell(kind, entry)
        except ValueError:
            runs[id_].unread += 1
    newest = next(reversed(runs.values()), None)
    return tuple(
        run.recorded(RunState.UNDER_WAY if under_way and run is newest else RunState.CUT_OFF) for run in runs.values()
    )


def _began(id_: str, entry: Fields) -> _Run:
    who = entry.fields("who")
    identities = who.optional_fields("identities") or Fields({}, "nobody")
    return _Run(
        id=id_,
        begun_at=_instant(entry),
        user=who.text("user"),
        context=who.text("context"),
        plan=entry.text("plan"),
        total=int(entry.number("changes")),
        undoes=entry.optional_text("undoes"),
        actors=tuple(Actor(source=source, identity=identities.optional_text(source)) for source in identities.values),
        lock_taken_from=entry.optional_text("lockTakenFrom"),
    )


def _instant(entry: Fields) -> datetime:
    return datetime.fromisoformat(entry.text("at"))
