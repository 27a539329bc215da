"""The AWS account that the environment names: boto3's session, its EC2 and STS clients, and what their errors mean.

The only importer of boto3, which is imported with the first call and not with this module. Credentials, profiles,
endpoints and certificates come from boto3's own chain alone. May import the ports and the model only.
"""

import os
import re
import shlex
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from tui.meter import Meter
from tui.model.node import Cloud
from tui.model.text import printable
from tui.ports import Conflict, Denied, Indeterminate, NotFound, PortError, Rejected, Throttled, Unavailable

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.model import OperationModel
    from mypy_boto3_ec2 import EC2Client

_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 30

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN_IDENTITY = frozenset(
    {
        "AuthFailure",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "OptInRequired",
    }
)
_FORBIDDEN = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"})
_THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "EC2ThrottledException",
        "RequestThrottled",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_BEGAN = "begun at this monotonic second"
_NO_SUCH_INTERFACE = "invalidnetworkinterfaceid."
_IN_TRANSITION = frozenset({"IncorrectState", "IncorrectInstanceState"})

_ENCODED_DETAILS = re.compile(r"\s*Encoded authorization failure message:.*", re.DOTALL)
_PRINCIPAL = re.compile(r"User: (\S+) is not authorized")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    service: str = "EC2"
    operation: str
    region: str
    subject: str | None = None
    writes: bool = False

    @property
    def place(self) -> str:
        """What is called, for people."""
        return f"{self.service} in {self.region}"


class Account:
    """One session and its clients, one per service and region, made on first use. Safe for several threads.

    ``attempts`` is how often a call is sent at most, the first time included; ``meter`` counts each time.
    """

    def __init__(self, *, attempts: int, meter: Meter) -> None:
        self._attempts = attempts
        self._meter = meter
        # Clients may be shared between threads; sessions, and so the making of clients, may not.
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._clients: dict[tuple[str, str], Any] = {}

    def default_region(self) -> str | None:
        """Return the region of the environment or the profile. Raises ``Denied`` or ``Unavailable`` on bad settings."""
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        try:
            with self._lock:
                return self._opened().region_name
        except BotoCoreError as error:
            raise self._unanswered(error, None) from error

    def caller(self, region: str) -> str | None:
        """Return the ARN of whoever the credentials are of, by GetCallerIdentity of STS; None for an answer without.

        Raises ``Denied``, ``Throttled``, ``Unavailable``.
        """
        call = _Call(service="STS", operation="GetCallerIdentity", region=region)
        with self._answering(call):
            client = self._client("sts", call)
            try:
                arn: str | None = client.get_caller_identity().get("Arn")
            except KeyError as error:  # of XML that is not from STS; botocore has no error class for it
                raise _foreign(call) from error
        return arn or None

    @contextmanager
    def calling(
        self, operation: str, region: str, subject: str | None = None, *, writes: bool = False
    ) -> Iterator["EC2Client"]:
        """Lend the region's client of EC2 for one operation, and turn what it raises into port errors.

        With ``writes``, an end that is not known is ``Indeterminate``. After ``Denied`` the next call starts from the
        environment again, since a login elsewhere may have mended it.
        """
        call = _Call(operation=operation, region=region, subject=subject, writes=writes)
        with self._answering(call):
            yield self._client("ec2", call)

    @contextmanager
    def _answering(self, call: _Call) -> Iterator[None]:
        """Turn what botocore raises into port errors."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        from botocore.parsers import ResponseParserError  # noqa: PLC0415

        try:
            yield
        except ClientError as error:
            raise self._refused(error, call) from error
        except BotoCoreError as error:
            raise self._unanswered(error, call) from error
        except ResponseParserError as error:
            raise _foreign(call) from error

    def _opened(self) -> "Session":
        from boto3.session import Session  # noqa: PLC0415

        if self._session is None:
            self._session = Session()
        return self._session

    def _client(self, name: Literal["ec2", "sts"], call: _Call) -> Any:
        """Return the client of the service with this name in boto3, in the region of the call."""
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        with self._lock:
            key = (name, call.region)
            if key not in self._clients:
                config = Config(
                    connect_timeout=_CONNECT_TIMEOUT_S,
                    read_timeout=_READ_TIMEOUT_S,
                    retries={"mode": "standard", "total_max_attempts": self._attempts},
                )
                try:
                    client = self._opened().client(name, region_name=call.region, config=config)
                    client.meta.events.register("request-created", _begin)
                    client.meta.events.register("needs-retry", partial(self._count, name, call.region))
                    self._clients[key] = client
                except BotoCoreError:
                    raise
                except ValueError as error:  # of an endpoint that is no URL; botocore has no error class for it
                    raise Unavailable(_one_line(f"{call.place} cannot be called: {error}")) from error
            return self._clients[key]

    def _count(
        self,
        service: str,
        region: str,
        *,
        operation: "OperationModel",
        request_dict: Mapping[str, Any],
        response: tuple[object, Mapping[str, Any]] | None = None,
        **_: object,
    ) -> None:
        """Count an attempt: botocore asks after each whether to try again, and nobody answers here."""
        from botocore import xform_name  # noqa: PLC0415

        told = {} if response is None else response[1].get("Error") or {}
        self._meter.count(Cloud.AWS, throttled=told.get("Code") in _THROTTLED)
        twin = shlex.join(["aws", service, xform_name(operation.name, "-"), "--region", printable(region)])
        seconds = time.monotonic() - request_dict["context"].get(_BEGAN, time.monotonic())
        result = "no answer" if response is None else printable(told.get("Code") or "ok")
        self._meter.remember(Cloud.AWS, twin, seconds, result)

    def _forget(self) -> None:
        with self._lock:
            self._session = None
            self._clients = {}

    def _identity(self) -> tuple[str, str]:
        """Return whose credentials are used, and how to renew them. Keys in the environment win over any profile."""
        if "AWS_ACCESS_KEY_ID" in os.environ:
            return "the environment", "set new ones"
        with self._lock:
            session = self._opened()
            profile = session.profile_name
            # boto3 does not show the profile's settings itself.
            settings = session._session.get_scoped_config()
        name = f"profile {printable(profile)}"
        for setting, command in (("sso_", "aws sso login"), ("login_", "aws login")):
            if any(key.startswith(setting) for key in settings):
                return name, f"run {command} --profile {shlex.quote(printable(profile))}"
        return name, "renew them"

    def _refused(self, error: "ClientError", call: _Call) -> PortError:
        """Translate an answer of the service, or of the one that issues the credentials."""
        told = error.response.get("Error", {})
        code, status = told.get("Code") or "", _status(error)
        said = _one_line(_ENCODED_DETAILS.sub("", told.get("Message") or ""))
        if code in _THROTTLED:
            return Throttled(f"{call.place} gets too many calls of this account: wait a while", _retry_after_s(error))
        if code in _EXPIRED or code in _UNKNOWN_IDENTITY:
            return self._unaccepted(code, call)
        if code in _FORBIDDEN:
            return self._forbidden(said, call, error.operation_name)
        if status in {401, 403}:
            self._forget()
            return Denied(_refusal(code, said, call))
        return _failed(code, status, said, call)

    def _unaccepted(self, code: str, call: _Call) -> Denied:
        name, renewal = self._identity()
        self._forget()
        if code in _EXPIRED:
            return Denied(f"the AWS credentials of {name} have expired: {renewal}")
        return Denied(
            f"{call.place} does not accept the credentials of {name} ({code}): "
            f"{renewal}, and check that the account may use this region"
        )

    def _forbidden(self, said: str, call: _Call, operation: str) -> Denied:
        """Name the missing action; it is another service's when credentials were refused."""
        self._forget()
        own = f"{call.service.lower()}:"
        service = own if operation == call.operation else "sts:" if operation.startswith("Assume") else ""
        principal = _PRINCIPAL.search(said)
        whose = printable(principal.group(1)) if principal else "these credentials"
        denial = "an explicit deny stands against it" if "explicit deny" in said else "add it to their policy"
        return Denied(f"{service}{operation} is not allowed to {whose} in {call.region}: {denial}")

    def _unanswered(self, error: "BotoCoreError", call: _Call | None) -> PortError:
        """Translate what botocore raises when there was no answer, or nothing was asked."""
        from botocore import exceptions as sdk  # noqa: PLC0415

        denial = self._without_credentials(error)
        if denial is not None:
            self._forget()
            return denial
        region = call.region if call else "its default region"
        host = urlsplit(str(error.kwargs.get("endpoint_url", ""))).hostname or "its endpoint"
        match error:
            case sdk.EndpointConnectionError() | sdk.ConnectTimeoutError():
                trouble = f"{host} cannot be reached: check that {printable(region)} is a region, and the network"
            case sdk.ProxyConnectionError():
                trouble = "the proxy cannot be reached: check HTTPS_PROXY"
            case sdk.SSLError() if call is None or not call.writes or "CERTIFICATE_VERIFY_FAILED" in str(error):
                trouble = f"the TLS certificate of {host} is not trusted: check AWS_CA_BUNDLE"
            case sdk.InvalidRegionError():
                trouble = f"{printable(region)!r} cannot be a region's name: give --aws-region"
            case sdk.ReadTimeoutError() if call:
                return _lost(call, f"no answer came within {_READ_TIMEOUT_S} s")
            case sdk.HTTPClientError() | sdk.SSLError() if call:
                return _lost(call, "the connection broke")
            case sdk.ConfigParseError():
                path = _one_line(str(error.kwargs.get("path", "")))
                trouble = f"the AWS configuration file {path} cannot be parsed: correct it"
            case _:
                place = call.place if call else f"EC2 in {region}"
                trouble = f"{printable(place)} cannot be called: {_one_line(str(error))}"
        return Unavailable(trouble)

    def _without_credentials(self, error: "BotoCoreError") -> Denied | None:
        from botocore import exceptions as sdk  # noqa: PLC0415

        match error:
            case sdk.NoCredentialsError():
                return Denied("there are no AWS credentials: set AWS_PROFILE, or run aws configure or aws sso login")
            case sdk.ProfileNotFound():
                profile = _one_line(str(error.kwargs.get("profile", "")))
                return Denied(f"there is no AWS profile {profile}: set AWS_PROFILE to one that exists")
            case sdk.SSOError() | sdk.TokenRetrievalError():
                return self._logged_out()
            case _ if type(error).__name__.startswith("Login"):  # the class is not in every supported release
                return self._logged_out()
            case sdk.PartialCredentialsError() | sdk.CredentialRetrievalError() | sdk.NoAuthTokenError():
                return Denied(
                    f"the AWS credentials cannot be used ({_one_line(str(error)).rstrip(': ')}): correct them"
                )
            case _:
                return None

    def _logged_out(self) -> Denied:
        name, renewal = self._identity()
        return Denied(f"the AWS login of {name} is missing or has expired: {renewal}")


def _failed(code: str, status: int, said: str, call: _Call) -> PortError:
    if code.lower().startswith(_NO_SUCH_INTERFACE):
        return NotFound(f"{call.subject} does not exist in {call.region}")
    if status >= 500:
        return _lost(call, f"it answered {status} {code}".rstrip())
    if code in _IN_TRANSITION:
        return Conflict(f"{call.subject} is being changed by somebody else ({said})")
    return (Rejected if call.writes else Unavailable)(_refusal(code, said, call))


def _refusal(code: str, said: str, call: _Call) -> str:
    return f"{call.place} refuses {call.operation} ({printable(code)}: {said})"


def _foreign(call: _Call) -> PortError:
    return _lost(call, f"what answered is not {call.service}: check the endpoint and the proxy")


def _lost(call: _Call, how: str) -> PortError:
    """Return the error of a call that was sent and not answered."""
    if call.writes:
        return Indeterminate(f"{call.place} may or may not have changed {call.subject}: {how}")
    return Unavailable(f"{call.place} did not complete {call.operation}: {how}")


def _status(error: "ClientError") -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _retry_after_s(error: "ClientError") -> float | None:
    told = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", "")
    return float(told) if told.isdecimal() else None


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))


def _begin(request: "AWSRequest", **_: object) -> None:
    """Let an attempt know when it was begun."""
    request.context[_BEGAN] = time.monotonic()
