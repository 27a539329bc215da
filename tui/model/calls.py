"""How often a source was asked. Standard library only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """``made`` counts every request that was sent, repeated ones too; ``throttled`` those that were too many."""

    made: int = 0
    throttled: int = 0
