"""How Compute Engine says no: error bodies in the real service's shape, and the faults that a test asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


class Refusal(Exception):
    """A request that is answered with this error."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one request ends instead of well.

    ``status`` with ``reason`` and ``message`` is an error answer, ``body`` one that is sent as it stands (HTML of a
    proxy). ``cut`` sends half of the good answer, ``drop`` closes the connection without one, ``hang`` waits so many
    seconds before anything else. ``done`` lets the call take effect although the answer is bad. The last two are for
    calls that write: the operation is accepted and never ends (``stuck``), or ends in this code and message.
    """

    status: int | None = None
    reason: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    cut: bool = False
    drop: bool = False
    hang: float = 0
    done: bool = False
    stuck: bool = False
    operation_error: tuple[str, str] | None = None


FORBIDDEN = Fault(status=403, reason="forbidden", message="Required 'compute.x.y' permission for 'projects/p'")
RATE_LIMITED = Fault(
    status=403,
    reason="rateLimitExceeded",
    message="Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service "
    "'compute.googleapis.com' for consumer 'project_number:1000'.",
)
TOO_MANY = Fault(status=429, reason="rateLimitExceeded", message="Rate Limit Exceeded", headers={"Retry-After": "7"})
QUOTA = Fault(status=403, reason="quotaExceeded", message="Quota 'ROUTES' exceeded.  Limit: 250.0 globally.")
API_DISABLED = Fault(
    status=403,
    reason="accessNotConfigured",
    message="Compute Engine API has not been used in project 1000 before or it is disabled. Enable it by visiting "
    "https://console.developers.google.com/apis/api/compute.googleapis.com/overview?project=1000 then retry.",
)
POLICY = Fault(
    status=412,
    reason="conditionNotMet",
    message="Constraint constraints/compute.vmCanIpForward violated for project 1000. Enabling IP forwarding is not "
    "allowed.",
)
BROKEN = Fault(status=503, reason="backendError", message="Internal error. Please try again or contact Google Support.")
HTML = Fault(status=502, body="<!DOCTYPE html>\n<html><title>Error 502 (Server Error)</title></html>")
CUT = Fault(cut=True)
HALF = Fault(
    status=200, body='{"kind": "compute#routeList", "items": [{"na', headers={"Content-Type": "application/json"}
)
DROPPED = Fault(drop=True)
DROPPED_DONE = Fault(drop=True, done=True)
STUCK = Fault(stuck=True)


def error_body(status: int, reason: str, message: str) -> dict[str, Any]:
    """Return what the service answers with beside the HTTP status."""
    error: dict[str, Any] = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": _domain(reason), "reason": reason}],
    }
    if status in _STATUS:
        error["status"] = _STATUS[status]
    return {"error": error}


def not_found(path: str) -> Refusal:
    return Refusal(404, "notFound", f"The resource '{path}' was not found")


def invalid_field(name: str, value: object, why: str) -> Refusal:
    return Refusal(400, "invalid", f"Invalid value for field '{name}': '{value}'. {why}")


def invalid_parameter(name: str, value: object, why: str) -> Refusal:
    return Refusal(400, "invalidParameter", f"Invalid value for parameter '{name}': '{value}'. {why}")


def _domain(reason: str) -> str:
    return "usageLimits" if reason.endswith(("Exceeded", "NotConfigured")) else "global"
