"""What the Azure Resource Manager's refusals mean: answers with an error, and operations that ended in one.

A lock and a parallel operation are both HTTP 409, a failed operation is HTTP 200: the error's code and those of its
details decide, and the status only where no code is known. May import msgspec, the ports and the model only.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from tui.model.text import printable
from tui.ports import Conflict, Denied, Indeterminate, NotFound, PortError, Rejected, Throttled, Unavailable

_ACTION = re.compile(r"perform action(?:\(s\))? '([^']+)'(?: over scope '([^']+)')?")
_JOIN = re.compile(r"not have permission to perform action(?:\(s\))? '([^']+)' on the linked scope(?:\(s\))? '([^']+)'")
_TENANT = re.compile(r"must match (?:the tenant|one of the tenants) '(?:https?://[^/']+/)?([0-9a-zA-Z.-]+)/?[',]")
_LOCK = re.compile(r"following scope\(?s?\)? are locked: '([^']+)'|locked: '([^']+)'")
_POLICY = re.compile(r'"policyAssignment":\s*\{\s*"name":\s*"([^"]+)"')
_SUPPORTED = re.compile(r"supported (?:api-)?versions are '([^']*)'", re.IGNORECASE)
_VERSION = re.compile(r"\b\d{4}-\d{2}-\d{2}(?![\w-])")
"""A version that is no preview."""

_DEEPEST = 6
_LONGEST = 300
"""How much of the service's own words is repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. ``path`` begins with ``/subscriptions/``; ``permission`` is the action that it needs.

    ``link`` is an absolute URL that the service gave (a next page, an operation), used instead of ``path`` and its
    version. ``version`` is the api-version to use; None: the one known to be right for the type. ``subject`` is the id
    of the one resource that the call is about, None for lists. ``writes`` when the request may change something,
    ``optional`` when it is no trouble if it is denied.
    """

    method: str = "GET"
    path: str
    permission: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    link: str | None = None
    version: str | None = None
    subject: str | None = None
    writes: bool = False
    optional: bool = False

    @property
    def target(self) -> str:
        """What the call is about, for people."""
        return printable(self.subject or self.path)

    @property
    def scope(self) -> str:
        """The resource group or subscription that is asked, for people."""
        words = self.path.split("/")
        if len(words) > 4 and words[3].lower() == "resourcegroups":
            return f"resource group {printable(words[4])}"
        return f"subscription {self.subscription}"

    @property
    def subscription(self) -> str:
        """The subscription that is asked."""
        return printable([*self.path.split("/"), "", ""][2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something was refused: the HTTP status, the codes in lower case, outermost first, and the words."""

    status: int
    codes: tuple[str, ...]
    said: str
    retry_after_s: float | None = None
    is_told: bool = True
    """False when the answer has no error of the service in it: something else has answered."""
    whole: str = field(default="", repr=False)
    """The words in full, for what is searched in them."""

    @classmethod
    def of_answer(cls, status: int, headers: Mapping[str, str], content: bytes) -> "Refusal":
        """Read an answer that is no success, or the answer about an operation that has not ended well.

        The error is the member ``error``, at some services the document itself.
        """
        retry_after_s = retry_after(headers)
        try:
            document = msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            document = None
        found = list(_errors(document))
        if not found:
            return cls(status=status, codes=(), said="", retry_after_s=retry_after_s, is_told=False)
        whole = " ".join(dict.fromkeys(message for _, message in found if message))
        return cls(
            status=status,
            codes=tuple(code.lower() for code, _ in found if code),
            said=short(whole) or short(found[0][0]),
            retry_after_s=retry_after_s,
            whole=whole,
        )

    @property
    def code(self) -> str:
        """The outermost code."""
        return self.codes[0] if self.codes else ""

    @property
    def supported_versions(self) -> tuple[str, ...]:
        """The api-versions that the service says it takes instead, newest first; empty when it is not about that."""
        if not _UNSUPPORTED.intersection(self.codes):
            return ()
        told = _SUPPORTED.search(self.whole)
        return tuple(sorted(set(_VERSION.findall(told.group(1))), reverse=True)) if told else ()


def _errors(document: object, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield code and message of an error and of its details, outermost first; either may be empty."""
    if not isinstance(document, dict) or depth > _DEEPEST:
        return
    inner = document.get("error")
    if isinstance(inner, dict):
        yield from _errors(inner, depth + 1)
        return
    code, message = (document.get(key) for key in ("code", "message"))
    if isinstance(code, str) or isinstance(message, str):
        yield (code if isinstance(code, str) else "", message if isinstance(message, str) else "")
    details = document.get("details")
    for detail in details if isinstance(details, list) else ():
        yield from _errors(detail, depth + 1)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds the service asks to wait, which it writes as seconds or as a date; None when it does not.

    ``headers`` are looked up without regard to casing.
    """
    told = headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdecimal():
        return float(told)
    try:
        at = parsedate_to_datetime(told)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def refused(refusal: Refusal, call: Call) -> PortError:
    """Return the port error that a refusal means for a call: the codes decide, else the status."""
    for codes, meaning in _BY_CODE:
        if codes.intersection(refusal.codes):
            return meaning(refusal, call)
    if refusal.code.startswith(_RETRYABLE):
        return _busy(refusal, call)
    if refusal.status in (_BY_STATUS if refusal.is_told else _BY_BARE_STATUS):
        return _BY_STATUS[refusal.status](refusal, call)
    if refusal.status >= 500:
        return _broken(refusal, call)
    if not refusal.is_told:
        how = (
            f"what answered (HTTP {refusal.status}) is not the Azure Resource Manager: check the endpoint and the proxy"
        )
        return lost(call, how)
    return _final(f"Azure refuses {call.method} {call.target} ({_words(refusal)})", call)


def _words(refusal: Refusal) -> str:
    """Return the code, which people search for, and the service's own words."""
    code = short(refusal.code)
    return f"{code}: {refusal.said}" if code and code != refusal.said.lower() else refusal.said or code


def _throttled(_: Refusal, call: Call) -> Throttled:
    text = f"Azure gets too many calls for subscription {call.subscription}: wait as long as it asks for"
    return Throttled(text, _.retry_after_s)


def _expired(_: Refusal, __: Call) -> Denied:
    return Denied("the Azure credentials have expired: run az login, or renew them")


def _unaccepted(refusal: Refusal, _: Call) -> Denied:
    return Denied(f"Azure does not accept the credentials ({_words(refusal)}): run az login, or renew them")


def _wrong_tenant(refusal: Refusal, call: Call) -> Denied:
    found = _TENANT.search(refusal.whole)
    tenant = found.group(1) if found else ""
    login = f"run az login --tenant {shlex.quote(tenant)}" if tenant else "log in to the right one"
    text = f"the credentials are of another tenant than subscription {call.subscription}"
    return Denied(f"{text}: {login}, or set AZURE_TENANT_ID")


def _no_subscription(_: Refusal, call: Call) -> Denied:
    return Denied(
        f"there is no subscription {call.subscription}, or these credentials may not see it: "
        "check --azure-subscription, the nodes' provider ids and the tenant"
    )


def _disabled(_: Refusal, call: Call) -> Denied:
    return Denied(f"subscription {call.subscription} is disabled, so that it can only be read: enable it first")


def _unregistered(_: Refusal, call: Call) -> Denied:
    command = f"az provider register --namespace Microsoft.Network --subscription {shlex.quote(call.subscription)}"
    return Denied(f"subscription {call.subscription} does not use Microsoft.Network yet: {command}")


def _forbidden(refusal: Refusal, call: Call) -> Denied:
    """Name what is missing, in the service's own words or else as documented."""
    found = _ACTION.search(refusal.whole)
    action = printable(found.group(1)) if found else call.permission
    return Denied(f"{action} is missing on {call.scope}: ask its owner for a role that has it")


def _linked(refusal: Refusal, call: Call) -> Denied:
    """Name the right that is missing on what the resource refers to."""
    found = _JOIN.search(refusal.whole)
    if found is None:
        return Denied(f"a right on what {call.target} refers to is missing ({refusal.said}): ask for the join action")
    action, scope = (short(text) for text in found.groups())
    return Denied(f"{action} is missing on {scope}: ask its owner for a role that has it")


def _locked(refusal: Refusal, call: Call) -> PortError:
    found = _LOCK.search(refusal.whole)
    where = short(next(text for text in found.groups() if text)) if found else call.target
    return _final(f"a management lock on {where} forbids the change: have it removed, then try again", call)


def _policy(refusal: Refusal, call: Call) -> PortError:
    found = _POLICY.search(refusal.whole)
    name = f"the policy assignment {short(found.group(1))}" if found else f"an Azure policy ({refusal.said})"
    return _final(f"{name} forbids the change of {call.target}: ask for an exemption", call)


def _full(refusal: Refusal, call: Call) -> PortError:
    return _final(f"{call.target} does not fit a limit ({_words(refusal)}): free some, or ask for more", call)


def _in_use(refusal: Refusal, call: Call) -> PortError:
    return _final(f"{call.target} is in use ({_words(refusal)}): take it out of use first", call)


def _dangling(refusal: Refusal, call: Call) -> PortError:
    return _final(f"something that {call.target} refers to does not exist ({refusal.said}): check it", call)


def _taken_prefix(refusal: Refusal, call: Call) -> Conflict:
    return Conflict(f"another route of the table has the prefix already ({refusal.said})")


def _stale(_: Refusal, call: Call) -> Conflict:
    return Conflict(f"{call.target} was changed by somebody else: its etag is another one")


def _busy(refusal: Refusal, call: Call) -> Conflict:
    return Conflict(f"{call.target} is being changed by somebody else ({_words(refusal)})")


def _no_group(_: Refusal, call: Call) -> PortError:
    words = f"there is no {call.scope} in subscription {call.subscription}"
    return NotFound(words) if call.subject else Unavailable(f"{words}: check --azure-resource-group")


def _missing(refusal: Refusal, call: Call) -> PortError:
    """Tell what is missing: what is listed, or the resource itself."""
    if call.subject is None:
        return Unavailable(f"{call.target} cannot be listed ({_words(refusal)}): check the names")
    return NotFound(f"{call.target} does not exist")


def _versionless(refusal: Refusal, call: Call) -> PortError:
    text = f"this Azure endpoint has no api-version for {call.target} that can be used ({refusal.said})"
    return _final(f"{text}: check AZURE_CLOUD and ARM_ENDPOINT", call)


def _broken(refusal: Refusal, call: Call) -> PortError:
    return lost(call, f"it answered {refusal.status or 'an internal error'} {_words(refusal)}".rstrip())


def _final(text: str, call: Call) -> PortError:
    is_plain_read = call.method == "GET" and call.link is None  # a link may lead to how something ended
    return Unavailable(text) if is_plain_read else Rejected(text)


_UNSUPPORTED = frozenset(
    {"noregisteredproviderfound", "invalidapiversionparameter", "invalidresourcetype", "missingapiversionparameter"}
)

_BY_CODE: tuple[tuple[frozenset[str], Callable[[Refusal, Call], PortError]], ...] = (
    (
        frozenset(
            {
                "anotheroperationinprogress",
                "canceledandsupersededduetoanotheroperation",
                "inusewithanotheroperation",
                "operationpreempted",
                "referencedresourcenotprovisioned",
            }
        ),
        _busy,
    ),
    (
        frozenset({"toomanyrequests", "subscriptionrequeststhrottled", "tenantrequeststhrottled", "throttled"}),
        _throttled,
    ),
    (frozenset({"preconditionfailed"}), _stale),
    (frozenset({"linkedauthorizationfailed"}), _linked),
    (frozenset({"authorizationfailed"}), _forbidden),
    (frozenset({"expiredauthenticationtoken"}), _expired),
    (frozenset({"invalidauthenticationtokentenant"}), _wrong_tenant),
    (
        frozenset({"invalidauthenticationtoken", "authenticationfailed", "invalidauthenticationtokenaudience"}),
        _unaccepted,
    ),
    (frozenset({"subscriptionnotfound", "invalidsubscriptionid"}), _no_subscription),
    (frozenset({"readonlydisabledsubscription", "disallowedoperation"}), _disabled),
    (frozenset({"missingsubscriptionregistration", "subscriptionnotregistered"}), _unregistered),
    (frozenset({"scopelocked"}), _locked),
    (frozenset({"requestdisallowedbypolicy"}), _policy),
    (frozenset({"resourcegroupnotfound"}), _no_group),
    (frozenset({"invalidresourcereference", "linkedinvalidpropertyid"}), _dangling),
    (frozenset({"resourcenotfound", "notfound", "parentresourcenotfound"}), _missing),
    (frozenset({"routeconflict", "duplicateaddressprefix", "routewithduplicateaddressprefix"}), _taken_prefix),
    (
        frozenset(
            {
                "maxroutecountreached",
                "quotaexceeded",
                "resourcecountexceedslimit",
                "routecountlimitreached",
                "routetableroutecountlimitreached",
                "routetablescountexceedslimit",
            }
        ),
        _full,
    ),
    (frozenset({"inuseroutetablecannotbedeleted", "inusesubnetcannotbedeleted"}), _in_use),
    (_UNSUPPORTED, _versionless),
    (
        frozenset({"internalservererror", "internalerror", "serviceunavailable", "gatewaytimeout"}),
        _broken,
    ),
)
"""The first that fits counts, also among the details: what stops a call for now stands before what does for good."""

_RETRYABLE = "retryableerror"

_BY_STATUS = {401: _unaccepted, 403: _forbidden, 404: _missing, 409: _busy, 412: _stale, 429: _throttled}
_BY_BARE_STATUS = frozenset({401, 429})
"""What a status alone tells; the others may be anybody's."""


def lost(call: Call, how: str) -> PortError:
    """Return the error of a call that was sent and not answered."""
    if call.writes:
        return Indeterminate(f"Azure may or may not have changed {call.target}: {how}")
    return Unavailable(f"Azure did not answer for {call.target}: {how}")


def short(text: str) -> str:
    """Return other people's text as one safe line of bounded length."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
