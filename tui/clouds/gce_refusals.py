"""What Compute Engine's refusals mean: answers with an error, and operations that ended in one.

Throttling, a used-up quota, a missing permission and a disabled API are all HTTP 403, so the reason decides and the
status only where there is none. May import msgspec, the ports and the model only.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from tui.model.text import printable
from tui.ports import Conflict, Denied, Indeterminate, NotFound, PortError, Rejected, Throttled, Unavailable

_PERMISSION = re.compile(r"'([a-z]+\.[A-Za-z.]+)' permission")
_CONSTRAINT = re.compile(r"[Cc]onstraint '?(constraints/[\w.]+|customConstraints/[\w.]+)")
_LONGEST = 300
"""How much of the service's own words is repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. ``path`` is from ``projects/`` on; ``permission`` is the one that it needs.

    ``subject`` is the id of the one resource that the call is about, None for lists. ``role`` says in words what the
    project is to the caller, where that is not plain. ``writes`` when the request may change something, ``optional``
    when it is no trouble if it is denied.
    """

    method: str = "GET"
    path: str
    permission: str
    query: Mapping[str, str] = field(default_factory=dict)
    subject: str | None = None
    role: str = ""
    writes: bool = False
    optional: bool = False

    @property
    def project(self) -> str:
        """The project that is asked."""
        return printable(self.path.split("/")[1])

    @property
    def place(self) -> str:
        """The project that is asked and what it is to the caller, for people."""
        return f"{self.project} ({self.role})" if self.role else self.project

    @property
    def target(self) -> str:
        """What the call is about, for people."""
        return printable(self.subject or self.path)


class _Detail(msgspec.Struct):
    reason: str = ""


class _Item(msgspec.Struct):
    reason: str = ""
    code: str = ""
    message: str = ""


class _Error(msgspec.Struct):
    message: str = ""
    status: str = ""
    errors: list[_Item] = []
    details: list[_Detail] = []


class _Body(msgspec.Struct):
    error: _Error


class _Errors(msgspec.Struct):
    errors: list[_Item] = []


class Operation(msgspec.Struct, rename="camel"):
    """What a write answers with."""

    name: str
    status: str
    error: _Errors | None = None
    http_error_status_code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something was refused: the HTTP status, the reasons in lower case without underscores, and the words."""

    status: int
    reasons: frozenset[str]
    said: str
    retry_after_s: float | None = None
    is_told: bool = True
    """False when the answer has no error of the service in it: something else has answered."""

    @classmethod
    def of_answer(cls, status: int, headers: Mapping[str, str], content: bytes) -> "Refusal":
        """Read an answer that is no success."""
        told = headers.get("Retry-After", "")
        retry_after_s = float(told) if told.isdecimal() else None
        try:
            error = msgspec.json.decode(content, type=_Body).error
        except (msgspec.DecodeError, UnicodeDecodeError):
            return cls(status=status, reasons=frozenset(), said="", retry_after_s=retry_after_s, is_told=False)
        given = [error.status, *(item.reason for item in error.errors), *(detail.reason for detail in error.details)]
        return cls(status=status, reasons=_folded(given), said=short(error.message), retry_after_s=retry_after_s)

    @classmethod
    def of_operation(cls, operation: Operation) -> "Refusal | None":
        """Read an operation that is done; None when it ended well.

        Its code decides: the status beside it may be 403 for a quota just as for a permission.
        """
        errors = operation.error.errors if operation.error is not None else []
        status = operation.http_error_status_code
        if not errors and status < 400:
            return None
        return cls(
            status=0 if errors and status == 403 else status,
            reasons=_folded([item.code for item in errors]),
            said=short("; ".join(item.message for item in errors)),
        )


def _folded(reasons: list[str]) -> frozenset[str]:
    """Fold both spellings of a reason, ``quotaExceeded`` and ``QUOTA_EXCEEDED``, into one."""
    return frozenset(reason.replace("_", "").lower() for reason in reasons if reason)


def refused(refusal: Refusal, call: Call) -> PortError:
    """Return the port error that a refusal means for a call: the reason decides, else the status."""
    for reasons, meaning in _BY_REASON:
        if refusal.reasons & reasons:
            return meaning(refusal, call)
    if refusal.status in (_BY_STATUS if refusal.is_told else _BY_BARE_STATUS):
        return _BY_STATUS[refusal.status](refusal, call)
    if refusal.status >= 500:
        return _broken(refusal, call)
    if not refusal.is_told:
        return lost(
            call, f"what answered (HTTP {refusal.status}) is not Compute Engine: check the endpoint and the proxy"
        )
    if "Unknown project" in refusal.said:
        return _no_project(refusal, call)
    return _final(f"Compute Engine refuses {call.method} {call.target} ({refusal.said})", call)


def _throttled(refusal: Refusal, call: Call) -> Throttled:
    text = f"Compute Engine gets too many calls for project {call.project}: wait a minute"
    return Throttled(text, refusal.retry_after_s)


def _unaccepted(_: Refusal, __: Call) -> Denied:
    return Denied(
        "Compute Engine does not accept the credentials, which may have expired: "
        "run gcloud auth application-default login"
    )


def _disabled(_: Refusal, call: Call) -> Denied:
    command = f"gcloud services enable compute.googleapis.com --project {shlex.quote(call.project)}"
    return Denied(f"the Compute Engine API is not enabled in project {call.place}: {command}")


def _no_project(_: Refusal, call: Call) -> Denied:
    return Denied(
        f"there is no project {call.place}, or these credentials may not see it: "
        "check --gcp-project and the nodes' provider ids"
    )


def _no_quota_project(refusal: Refusal, _: Call) -> Denied:
    return Denied(f"the credentials' quota project cannot be used ({refusal.said}): set another one")


def _no_scope(refusal: Refusal, call: Call) -> Denied:
    if _PERMISSION.search(refusal.said):
        return _forbidden(refusal, call)
    return Denied("the credentials were made without access to Compute Engine: give them the cloud-platform scope")


def _forbidden(refusal: Refusal, call: Call) -> Denied:
    """Name what is missing, in the service's own words or else as documented."""
    found = _PERMISSION.search(refusal.said)
    permission = found.group(1) if found else call.permission
    return Denied(f"{permission} is missing on project {call.place}: ask its owner for a role that has it")


def _used_up(refusal: Refusal, call: Call) -> PortError:
    return _final(f"a quota of project {call.place} is used up ({refusal.said}): ask for more, or free some", call)


def _taken(refusal: Refusal, call: Call) -> Conflict:
    return Conflict(f"{call.target} exists already ({refusal.said})")


def _not_ready(refusal: Refusal, call: Call) -> Conflict:
    return Conflict(f"{call.target} is in a state that allows no change now ({refusal.said})")


def _busy(refusal: Refusal, call: Call) -> Conflict:
    return Conflict(f"{call.target} is being changed by somebody else ({refusal.said})")


def _condition(refusal: Refusal, call: Call) -> PortError:
    """Tell a stale fingerprint from an organisation's policy; both are 412."""
    constraint = _CONSTRAINT.search(refusal.said)
    if constraint:
        return _final(f"the organisation policy {constraint.group(1)} forbids it: ask its administrator", call)
    if "constraint" in refusal.said.lower():
        return _final(f"an organisation policy forbids it ({refusal.said}): ask its administrator", call)
    return Conflict(f"{call.target} was changed by somebody else ({refusal.said})")


def _missing(refusal: Refusal, call: Call) -> PortError:
    """Tell what is missing: the project of a list, what a new resource refers to, or the resource itself."""
    if call.subject is None:
        return _no_project(refusal, call)
    if call.method == "POST":
        return _final(f"{call.target} cannot be made, since something that it needs is missing ({refusal.said})", call)
    return NotFound(f"{call.target} does not exist")


def _broken(refusal: Refusal, call: Call) -> PortError:
    return lost(call, f"it answered {refusal.status or 'an internal error'} {refusal.said}".rstrip())


def _final(text: str, call: Call) -> PortError:
    return Rejected(text) if call.writes else Unavailable(text)


_BY_REASON: tuple[tuple[frozenset[str], Callable[[Refusal, Call], PortError]], ...] = (
    (frozenset({"ratelimitexceeded", "userratelimitexceeded", "resourceoperationrateexceeded"}), _throttled),
    (frozenset({"accessnotconfigured", "servicedisabled"}), _disabled),
    (frozenset({"consumerinvalid", "projectnotfound"}), _no_project),
    (frozenset({"userprojectdenied"}), _no_quota_project),
    (frozenset({"quotaexceeded", "limitexceeded", "dailylimitexceeded"}), _used_up),
    (frozenset({"alreadyexists", "resourcealreadyexists"}), _taken),
    (frozenset({"resourcenotready"}), _not_ready),
    (frozenset({"conditionnotmet"}), _condition),
    (frozenset({"notfound", "resourcenotfound"}), _missing),
    (frozenset({"accesstokenscopeinsufficient", "insufficientpermissions"}), _no_scope),
    (frozenset({"forbidden", "permissiondenied", "permissionserror", "iampermissiondenied"}), _forbidden),
    (frozenset({"internalerror", "backenderror"}), _broken),
)
"""The first that fits counts: beside its own reason, a refusal often carries the plain ``PERMISSION_DENIED``."""

_BY_STATUS = {401: _unaccepted, 403: _forbidden, 404: _missing, 409: _busy, 412: _condition, 429: _throttled}
_BY_BARE_STATUS = frozenset({401, 429})
"""What a status alone tells; the others may be anybody's."""


def lost(call: Call, how: str) -> PortError:
    """Return the error of a call that was sent and not answered."""
    if call.writes:
        return Indeterminate(f"Compute Engine may or may not have changed {call.target}: {how}")
    return Unavailable(f"Compute Engine did not answer for {call.target}: {how}")


def short(text: str) -> str:
    """Return other people's text as one safe line of bounded length."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
