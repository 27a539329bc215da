"""What became of an apply that was cut off, as the cloud shows it afterwards. Standard library only."""

from dataclasses import dataclass

from tui.model.history import RecordedApply, RecordedChange
from tui.model.plan import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What a later read shows of a change that was on its way.

    ``outcome`` is what the apply would have told; None when it could not be read or may still change, as ``text`` says.
    """

    recorded: RecordedChange
    text: str
    outcome: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """An apply that was cut off, with the fates of what was on its way, in the plan's order; may be empty."""

    apply: RecordedApply
    fates: tuple[Fate, ...]

    @property
    def known(self) -> bool:
        """Tell whether every fate is certain."""
        return all(fate.outcome is not None for fate in self.fates)
