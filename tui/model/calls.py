"""How often a source was asked, and what of it last. Standard library only."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """``made`` counts every request that was sent, repeated ones too; ``throttled`` those that were too many."""

    made: int = 0
    throttled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that was answered at ``at``, after ``seconds``, with ``result``: a status or an error's code.

    ``twin`` is what asks the same on a command line; of lists it leaves out which page, and which fields.
    """

    at: datetime
    source: str
    twin: str
    seconds: float
    result: str
