"""What an operator has armed: fixes that are made unasked, for new nodes of a scope, within limits.

Standard library only; light, since the command line knows it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from tui.model.node import Node


class FixKind(StrEnum):
    """What may be fixed unasked. Nothing is ever only deleted."""

    FORWARDING = "forwarding"
    CREATE_ROUTE = "create-route"
    REPLACE_ROUTE = "replace-route"


_ABOUT = {
    FixKind.FORWARDING: "let a VM forward",
    FixKind.CREATE_ROUTE: "create a route that is missing",
    FixKind.REPLACE_ROUTE: "replace a route that is proven to lead to a VM that is gone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arming:
    """A window in which new nodes are fixed unasked, at most ``max_changes`` times, until an instant.

    ``nodes`` is a pattern of names (``win-*``), or of a label's value (``agentpool=win*``).
    """

    nodes: str
    kinds: frozenset[FixKind]
    max_changes: int
    until: datetime

    def covers(self, node: Node) -> bool:
        """Tell whether the node is in the scope, new or not."""
        label, sign, value = self.nodes.partition("=")
        if sign:
            return label in node.labels and fnmatchcase(node.labels[label], value)
        return fnmatchcase(node.name, self.nodes)

    def told(self) -> tuple[str, ...]:
        """Spell out what is armed, a sentence each."""
        what = "; ".join(_ABOUT[kind] for kind in FixKind if kind in self.kinds)
        number = "1 change" if self.max_changes == 1 else f"{self.max_changes} changes"
        scope = f"with the label {self.nodes}" if "=" in self.nodes else f"named {self.nodes}"
        return (
            f"Only nodes {scope} that join from now on are touched: {what}.",
            f"At most {number}, until {self.until:%H:%M:%S}Z. Nothing is only deleted.",
            "It ends with the first change that fails or does not hold, and whenever you disarm it.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an operator would arm, for so many seconds from the moment of arming."""

    nodes: str
    kinds: frozenset[FixKind]
    max_changes: int
    span_s: float

    def from_now(self, now: datetime) -> Arming:
        """Return the window that would begin at this instant."""
        until = now + timedelta(seconds=self.span_s)
        return Arming(nodes=self.nodes, kinds=self.kinds, max_changes=self.max_changes, until=until)
