"""Operations: what a write answers with, and what becomes of it when somebody asks again."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from tests.wire.gce_lists import scope_of
from tests.wire.gce_refusals import Fault, Refusal, not_found
from tests.wire.gce_world import CREATED, Json, Project

_CODES = {
    "quotaExceeded": "QUOTA_EXCEEDED",
    "alreadyExists": "RESOURCE_ALREADY_EXISTS",
    "notFound": "RESOURCE_NOT_FOUND",
    "conditionNotMet": "CONDITION_NOT_MET",
}


@dataclass(slots=True, kw_only=True)
class Operation:
    """One write under way. ``effect`` changes the world when the operation ends, or raises ``Refusal``."""

    name: str
    number: str
    project: Project
    scope: str
    kind: str
    target: str
    effect: Callable[[], None]
    polls: int
    fault: Fault
    status: str = "PENDING"
    error: tuple[str, str, int] | None = None


@dataclass(slots=True)
class Operations:
    """Every operation of the server, by project, scope and name; and the answers to repeated request ids."""

    prefix: Callable[[], str]
    polls: int = 1
    """How many polls see an operation still running before one sees it done."""
    _known: dict[str, Operation] = field(default_factory=dict)
    _asked: dict[tuple[str, str, str], Operation] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(7128783508312083000))

    def start(
        self, project: Project, target: str, kind: str, effect: Callable[[], None], fault: Fault | None
    ) -> Operation:
        """Accept a write to the resource at the path ``target``; ``kind`` is what is done to it."""
        scope = scope_of(target)
        number = str(next(self._numbers))
        operation = Operation(
            name=f"operation-{number}-5f6a-0b1c",
            number=number,
            project=project,
            scope=scope,
            kind=kind,
            target=target,
            effect=effect,
            polls=self.polls,
            fault=fault or Fault(),
        )
        self._known[f"projects/{project.id}/{scope}/operations/{operation.name}"] = operation
        return operation

    def repeated(self, project: Project, method: str, request_id: str | None) -> Operation | None:
        """Return the operation that the same request started before."""
        return self._asked.get((project.id, method, request_id)) if request_id else None

    def remember(self, project: Project, method: str, request_id: str | None, operation: Operation) -> None:
        if request_id:
            self._asked[project.id, method, request_id] = operation

    def makes(self, path: str) -> bool:
        """Tell whether an operation under way is going to make the resource at this path."""
        return any(one.kind == "insert" and one.target == path and one.status != "DONE" for one in self._known.values())

    def poll(self, path: str, *, wait: bool = False) -> Operation:
        """Return the operation after one more look at it; ``wait`` sees its end, unless it is stuck."""
        operation = self._known.get(path)
        if operation is None:
            raise not_found(path)
        if operation.status != "DONE":
            operation.status = "RUNNING"
            operation.polls -= 1
            if (operation.polls < 0 or wait) and not operation.fault.stuck:
                self.finish(operation)
        return operation

    def settle(self) -> None:
        """Let everything end that is under way and not stuck."""
        for operation in list(self._known.values()):
            if operation.status != "DONE" and not operation.fault.stuck:
                self.finish(operation)

    def finish(self, operation: Operation) -> None:
        operation.status = "DONE"
        if operation.fault.operation_error:
            code, message = operation.fault.operation_error
            operation.error = (code, message, 403 if code.endswith("EXCEEDED") else 400)
            return
        try:
            operation.effect()
        except Refusal as refusal:
            operation.error = (_CODES.get(refusal.reason, "INVALID_USAGE"), refusal.message, refusal.status)

    def told(self, operation: Operation) -> Json:
        """Return the operation as the service tells it."""
        start = f"{self.prefix()}projects/{operation.project.id}/"
        done = operation.status == "DONE"
        body: Json = {
            "kind": "compute#operation",
            "id": operation.number,
            "name": operation.name,
            "operationType": operation.kind,
            "targetLink": self.prefix() + operation.target,
            "targetId": "1",
            "status": operation.status,
            "user": "operator@example.com",
            "progress": 100 if done else 0,
            "insertTime": CREATED,
            "startTime": CREATED,
            "selfLink": f"{start}{operation.scope}/operations/{operation.name}",
        }
        if operation.scope != "global":
            body["zone"] = start + operation.scope
        if done:
            body["endTime"] = CREATED
        if operation.error:
            code, message, status = operation.error
            body["error"] = {"errors": [{"code": code, "message": message}]}
            body["httpErrorStatusCode"] = status
            body["httpErrorMessage"] = HTTPStatus(status).phrase.upper()
        return body
