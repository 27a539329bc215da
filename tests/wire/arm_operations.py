"""Operations: how writes end, in each of the forms in which the Resource Manager tells it."""

import itertools
from dataclasses import dataclass, field
from enum import StrEnum

from tests.wire.arm_rules import Refused
from tests.wire.arm_world import Json


class Form(StrEnum):
    """Where the client is told to look for the end of a write."""

    OPERATION = "Azure-AsyncOperation"
    LOCATION = "Location"
    STATE = "provisioningState"
    AT_ONCE = "at once"


@dataclass(slots=True, kw_only=True)
class Operation:
    """One write under way: ``left`` looks until its end, which is ``failure`` or a good one."""

    resource: str
    left: int
    failure: Refused | None
    result: Json | None = None

    @property
    def running(self) -> bool:
        return self.left > 0

    def look(self) -> bool:
        """Count a look; return whether it is still under way."""
        running = self.running
        self.left = max(0, self.left - 1)
        return running


@dataclass(slots=True)
class Operations:
    """How the next writes end, and those that have begun.

    ``looks`` find it under way, ``failure`` is its end, ``effect`` whether a failing one changes something all the
    same; ``once`` lets only the next one fail. ``host`` is put in place of the server's own in links.
    """

    form: Form = Form.OPERATION
    looks: int = 1
    failure: Refused | None = None
    effect: bool = True
    retry_after: str | None = "0"
    host: str | None = None
    begun: dict[str, Operation] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def begin(self, resource: str, result: Json | None = None) -> tuple[str, Operation]:
        """Begin one, and return its name."""
        failure, self.failure = self.failure, None
        at_once = self.form is Form.AT_ONCE
        operation = Operation(resource=resource, left=0 if at_once else self.looks, failure=failure, result=result)
        name = f"op-{next(self._numbers)}"
        self.begun[name] = operation
        return name, operation

    def state_of(self, resource: str, *, counts: bool) -> str | None:
        """Return the ``provisioningState`` after the last write; None when there was none.

        Where nothing else tells the end, this may count as a look.
        """
        state = None
        for operation in self.begun.values():
            if operation.resource == resource:
                running = operation.look() if counts and self.form is Form.STATE else operation.running
                state = "Updating" if running else "Failed" if operation.failure else "Succeeded"
        return state

    def busy(self, resource: str) -> bool:
        """Tell whether a write of the resource is under way."""
        return any(operation.running and operation.resource == resource for operation in self.begun.values())
