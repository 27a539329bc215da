"""The Azure Resource Manager as the environment names it: endpoint, credential, api-versions, calls.

Everything goes through azure-core's own pipeline, which is imported with the first call and not with this module. The
typed client is not used: it takes seconds to import and a hundred times as long to read a list. May import azure-core,
azure-mgmt-core, azure-identity, msgspec, the adapter's own files, the ports and the model only.
"""

import logging
import os
import re
import shlex
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

import msgspec

from tui import __version__
from tui.clouds.azure_names import kind_of
from tui.clouds.azure_refusals import Call, Refusal, lost, refused, short
from tui.meter import Meter
from tui.model.node import Cloud
from tui.model.text import printable
from tui.ports import Denied, Misconfigured, PortError, Unavailable

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError, ClientAuthenticationError
    from azure.core.pipeline import Pipeline
    from azure.core.rest import HttpRequest, HttpResponse
    from azure.identity import DefaultAzureCredential
    from requests.models import PreparedRequest

_CLOUD = "AZURE_CLOUD"
_ENDPOINT = "ARM_ENDPOINT"
_AUTHORITY = "AZURE_AUTHORITY_HOST"
_CHOICE = "AZURE_TOKEN_CREDENTIALS"
_LOGIN = "run az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"

VERSION = "2026-03-01"
"""What azure-mgmt-network 33 asks the public cloud for. The newest, because a PUT keeps only what its version knows."""
SCALE_SET_VERSION = "2018-10-01"
"""The only one at which the interfaces of uniform scale sets are listed; they are no resources of their own."""

_CONNECT_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 30.0
_READ_RETRIES = 2
_IMPATIENT: Mapping[str, Any] = {
    "retry_total": _READ_RETRIES,
    "retry_status": 0,  # azure-core sleeps for as long as a Retry-After says before it asks again
    "retry_backoff_factor": 0.1,
    "retry_backoff_max": 1.0,
}
_FRESH_S = 10.0
"""How long a login is taken to be the newest: one look at Azure may be refused many times."""
_MOST_VERSIONS = 3
"""How many api-versions are tried for one call: the service itself and its gate in front may know different ones."""
_MOST_PAGES = 10_000

_TRIED = re.compile(r"^\s*(?P<name>\w+Credential\w*)(?:: (?P<why>.*))?$", re.MULTILINE)
_REFUSED = "AADSTS"
_PASSING = re.compile(r"connection|timed? ?out|temporar|max retries|resolve|unreachable", re.IGNORECASE)
_ABSENT = re.compile(
    r"unavailable|not found|not installed|not available|no accounts|not be found|please run", re.IGNORECASE
)
"""How azure-identity says of one way that there is nothing to try there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sovereign:
    endpoint: str
    scope: str
    authority: str


_CLOUDS: Mapping[str, _Sovereign] = {
    "AzureCloud": _Sovereign(
        endpoint="https://management.azure.com",
        scope="https://management.azure.com/.default",
        authority="login.microsoftonline.com",
    ),
    "AzureChinaCloud": _Sovereign(
        endpoint="https://management.chinacloudapi.cn",
        scope="https://management.chinacloudapi.cn/.default",
        authority="login.chinacloudapi.cn",
    ),
    "AzureUSGovernment": _Sovereign(
        endpoint="https://management.usgovcloudapi.net",
        scope="https://management.core.usgovcloudapi.net/.default",
        authority="login.microsoftonline.us",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the Resource Manager is: its origin, the scope of its tokens, and who issues them.

    ``authority`` is None where azure-identity is to choose, by ``AZURE_AUTHORITY_HOST`` or its own default.
    """

    origin: str
    scope: str
    authority: str | None

    @classmethod
    def told(cls, environment: Mapping[str, str]) -> "Endpoint":
        """Read the environment. Raises ``Misconfigured``."""
        named = environment.get(_CLOUD)
        known = {name.lower(): cloud for name, cloud in _CLOUDS.items()}
        if named and named.lower() not in known:
            raise Misconfigured(
                f"{_CLOUD} is {printable(named)!r}, which is no cloud: choose one of {', '.join(_CLOUDS)}"
            )
        cloud = known[(named or "AzureCloud").lower()]
        authority = None if environment.get(_AUTHORITY) or not named else cloud.authority
        own = environment.get(_ENDPOINT)
        if not own:
            return cls(origin=cloud.endpoint, scope=cloud.scope, authority=authority)
        origin = _origin(own)
        if origin is None or urlsplit(own).path.strip("/") or urlsplit(own).query or urlsplit(own).fragment:
            raise Misconfigured(f"{_ENDPOINT} is no https origin: set it to https://HOST[:PORT]")
        return cls(origin=origin, scope=cloud.scope if named else f"{origin}/.default", authority=authority)

    def url(self, link: str) -> str | None:
        """Return an absolute URL of this endpoint for a link that it gave; None when it leads to another place."""
        absolute = urljoin(f"{self.origin}/", link)
        return absolute if _origin(absolute) == self.origin else None


def _origin(url: str) -> str | None:
    """Return scheme, host and port of an https URL in one spelling; None for any other text."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname
    if parts.scheme != "https" or not host or parts.username is not None or parts.password is not None:
        return None
    host = f"[{host}]" if ":" in host else host
    return f"https://{host}" if port in {None, 443} else f"https://{host}:{port}"


class NoToken(Denied):
    """The environment gives no token, so that no other call would get one."""


class NoAnswer(Unavailable):
    """Nothing answers, so that no other call would be answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A successful answer. ``headers`` are looked up without regard to casing; ``version`` is the one asked for."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    version: str


_Item = TypeVar("_Item", bound=msgspec.Struct)
_Decoded = TypeVar("_Decoded")
_Page = TypeVar("_Page", bound=msgspec.Struct)


@dataclass(slots=True, kw_only=True)
class _Login:
    """A credential and the pipeline that sends its tokens, made at ``at_s``.

    ``token`` is the newest one that was sent, None before: some credentials start a program for each.
    """

    endpoint: Endpoint
    credential: "DefaultAzureCredential"
    pipeline: "Pipeline[HttpRequest, HttpResponse]"
    at_s: float
    token: str | None = None


class ArmApi:
    """One pipeline, made on first use, and the api-versions found to be right. Safe for several threads."""

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = meter or Meter()
        self._lock = threading.Lock()
        self._login: _Login | None = None
        self._versions: dict[tuple[str, str], str] = {}

    def call(self, call: Call, read_timeout_s: float = _READ_TIMEOUT_S) -> Answer:
        """Send a request and return its successful answer. Raises any ``PortError`` but ``Expired``.

        A request without a version of its own is sent again when the endpoint names others that it takes instead: it
        refused before doing anything.
        """
        login, kind = self._open(), kind_of(call.path)
        origin = login.endpoint.origin
        for tried in range(_MOST_VERSIONS):
            version = call.version or self._versions.get((origin, kind)) or _usual(kind)
            response = self._sent(call, version, login, read_timeout_s)
            if 200 <= response.status_code < 300:
                return Answer(
                    status=response.status_code, headers=response.headers, content=response.content, version=version
                )
            refusal = Refusal.of_answer(response.status_code, response.headers, response.content)
            others = [other for other in refusal.supported_versions if other != version]
            if not others or call.version or call.link or tried == _MOST_VERSIONS - 1:
                self._refuse(refusal, call, response, login)
            self._versions[origin, kind] = others[0]
        raise AssertionError("the last attempt returns or raises")

    def one(self, call: Call, kind: type[_Item]) -> _Item:
        """Return one resource. Raises as ``call``."""
        return decoded(self.call(call), kind, call)

    def pages(self, call: Call, kind: type[_Page]) -> Iterator[_Page]:
        """Yield every page of a list, a struct with ``next_link``.

        Raises as ``call``, and ``Unavailable`` for a list that does not end.
        """
        seen: set[str] = set()
        while True:
            page = self.one(call, kind)
            yield page
            link = getattr(page, "next_link", None)
            if not link:
                return
            if link in seen or len(seen) == _MOST_PAGES:
                raise lost(call, "it gives the same page again and again")
            seen.add(link)
            call = replace(call, link=link)

    def serves(self, link: str) -> bool:
        """Tell whether a link leads to this endpoint, and not to a host that must not see the token."""
        return self._open().endpoint.url(link) is not None

    def token(self, subscription: str) -> str:
        """Return the newest token that was sent, or the first one where none was. Nothing else is asked for.

        Raises ``Denied``, ``Unavailable``, ``Misconfigured``.
        """
        login = self._open()
        if login.token is None:
            with self._answering(Call(path=f"/subscriptions/{subscription}", permission=""), login.endpoint):
                login.token = login.credential.get_token_info(login.endpoint.scope).token
        return login.token

    def _sent(self, call: Call, version: str, login: _Login, read_timeout_s: float) -> "HttpResponse":
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        url = _url(call, version, login.endpoint)
        headers = {"Accept": "application/json", **call.headers}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        began_s = time.monotonic()
        with self._answering(call, login.endpoint):
            ran = login.pipeline.run(
                HttpRequest(call.method, url, headers=headers, content=call.body),
                retry_total=0 if call.writes or call.method != "GET" else _READ_RETRIES,
                connection_timeout=_CONNECT_TIMEOUT_S,
                read_timeout=read_timeout_s,
            )
        login.token = ran.http_request.headers.get("Authorization", "").removeprefix("Bearer ")
        response = ran.http_response
        repeated = len(ran.context.get("history") or ())
        throttled = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        self._meter.count(Cloud.AZURE, made=1 + repeated, throttled=throttled)
        twin = shlex.join(["az", "rest", "--method", call.method.lower(), "--url", printable(url)])
        self._meter.remember(Cloud.AZURE, twin, time.monotonic() - began_s, str(response.status_code))
        return response

    def _refuse(self, refusal: Refusal, call: Call, response: "HttpResponse", login: _Login) -> None:
        """Raise what a refusal means. After ``Denied`` the next call starts anew: a login may have mended it."""
        from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

        error = refused(refusal, call)
        if isinstance(error, Denied) and not call.optional and time.monotonic() - login.at_s >= _FRESH_S:
            self._forget()
        raise error from HttpResponseError(f"{response.status_code} {response.reason}")

    @contextmanager
    def _answering(self, call: Call, endpoint: Endpoint) -> Iterator[None]:
        """Turn what azure-core, azure-identity and requests raise into port errors."""
        from azure.core.exceptions import AzureError, ClientAuthenticationError  # noqa: PLC0415

        try:
            yield
        except ClientAuthenticationError as error:
            self._forget()
            raise _unidentified(error) from error
        except AzureError as error:
            raise _unanswered(error, call, endpoint) from error
        except OSError as error:  # requests checks files named by REQUESTS_CA_BUNDLE in its own way
            raise NoAnswer(f"Azure cannot be called: {short(str(error))}") from error

    def _open(self) -> _Login:
        with self._lock:
            if self._login is None:
                self._login = _new_login(Endpoint.told(os.environ))
            return self._login

    def _forget(self) -> None:
        with self._lock:
            self._login = None


def decoded(answer: Answer, kind: type[_Decoded], call: Call) -> _Decoded:
    """Return the answer's body. Raises ``Unavailable``, for a write ``Indeterminate``."""
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise lost(call, "what answered is not the Azure Resource Manager: check the endpoint and the proxy") from error


def _usual(kind: str) -> str:
    return SCALE_SET_VERSION if kind.startswith("microsoft.compute/") else VERSION


def _url(call: Call, version: str, endpoint: Endpoint) -> str:
    """Return where a call goes. Raises ``Unavailable`` for a link to another host, which must not see the token."""
    if call.link is not None:
        url = endpoint.url(call.link)
        if url is None:
            host = printable(urlsplit(call.link).netloc)
            raise lost(
                call, f"its answer leads to {host}, which is not the endpoint {urlsplit(endpoint.origin).netloc}"
            )
        return url
    query = urlencode({**call.query, "api-version": version})
    return f"{endpoint.origin}{quote(call.path, safe='/()')}?{query}"


def _new_login(endpoint: Endpoint) -> _Login:
    """Set up the SDK, which asks for nothing yet. Raises ``Misconfigured``."""
    for name in ("azure", "msal"):  # without a handler, their warnings would be written over the screen
        logging.getLogger(name).addHandler(logging.NullHandler())
    credential = _new_credential(endpoint)
    pipeline = _new_pipeline(endpoint, credential)
    return _Login(endpoint=endpoint, credential=credential, pipeline=pipeline, at_s=time.monotonic())


def _new_pipeline(endpoint: Endpoint, credential: "DefaultAzureCredential") -> "Pipeline[HttpRequest, HttpResponse]":
    """Return the SDK's pipeline. Its policies do not sleep for long: a throttled call is told, not repeated."""
    from azure.core.pipeline import Pipeline  # noqa: PLC0415
    from azure.core.pipeline.policies import RetryPolicy, UserAgentPolicy  # noqa: PLC0415
    from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415
    from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy  # noqa: PLC0415

    transport = RequestsTransport()
    transport.open()
    transport.session.auth = _as_prepared
    return Pipeline(
        transport,
        [
            UserAgentPolicy(f"l2bridge-tui/{__version__}"),
            RetryPolicy(**_IMPATIENT),
            ARMChallengeAuthenticationPolicy(credential, endpoint.scope),
        ],
    )


def _as_prepared(request: "PreparedRequest") -> "PreparedRequest":
    """Leave the request alone: without an answer of ours, requests lets ~/.netrc replace the token."""
    return request


def _new_credential(endpoint: Endpoint) -> "DefaultAzureCredential":
    """Return the SDK's chain of credentials. Raises ``Misconfigured``."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    authority = {} if endpoint.authority is None else {"authority": endpoint.authority}
    try:
        return DefaultAzureCredential(exclude_interactive_browser_credential=True, **authority, **_IMPATIENT)
    except (ValueError, OSError) as error:
        names = ", ".join(name for name in (_CHOICE, _AUTHORITY) if os.environ.get(name)) or "the AZURE_ variables"
        raise Misconfigured(f"the Azure credentials cannot be set up ({short(str(error))}): correct {names}") from error


def _unidentified(error: "ClientAuthenticationError") -> PortError:
    """Translate what azure-identity raises when it has no token: a text of many lines, one for each way it tried."""
    text = str(error.message)
    tried = [(found["name"], short(found["why"] or "")) for found in _TRIED.finditer(text)]
    tried = [(name, why) for name, why in tried if not name.startswith("DefaultAzureCredential")]
    name, why = tried[-1] if tried else ("", short(text))  # it stops at the first way that leads somewhere
    if _REFUSED not in why and _ABSENT.search(why):
        names = ", ".join(name for name, _ in tried) or _said(name, why)
        return NoToken(f"there are no Azure credentials (tried {names}): {_LOGIN}")
    if _REFUSED not in why and _PASSING.search(why):
        return Unavailable(
            f"no token can be had for Azure now ({_said(name, why)}): check the network and {_AUTHORITY}"
        )
    return NoToken(f"the Azure credentials are not accepted ({_said(name, why)}): {_LOGIN}")


def _said(name: str, why: str) -> str:
    return f"{name}: {why}" if name and name not in why else why or name


def _unanswered(error: "AzureError", call: Call, endpoint: Endpoint) -> PortError:
    """Translate what was raised when there was no answer, or nothing was asked.

    What lies below decides: azure-core counts a broken TLS connection among the requests that were never sent.
    """
    from requests import exceptions as http  # noqa: PLC0415
    from urllib3 import exceptions as transport  # noqa: PLC0415

    host = urlsplit(endpoint.origin).netloc
    cause = error.inner_exception
    match cause:
        case http.ProxyError():
            trouble = "the proxy cannot be reached: check HTTPS_PROXY"
        case http.SSLError() if not call.writes or "CERTIFICATE_VERIFY_FAILED" in str(cause):
            trouble = f"the TLS certificate of {host} is not trusted: check REQUESTS_CA_BUNDLE"
        case transport.NewConnectionError():
            trouble = f"{host} cannot be reached: check the network, {_CLOUD} and {_ENDPOINT}"
        case http.ConnectionError() if isinstance(_reason(cause), transport.NewConnectionError):
            trouble = f"{host} cannot be reached: check the network, {_CLOUD} and {_ENDPOINT}"
        case http.ConnectTimeout() | transport.ConnectTimeoutError():
            trouble = f"{host} cannot be reached within {_CONNECT_TIMEOUT_S:g} s: check the network"
        case http.Timeout():
            return lost(call, "no answer came in time")
        case http.ConnectionError() if isinstance(_reason(cause), transport.ReadTimeoutError):
            return lost(call, "no answer came in time")
        case http.InvalidURL() | http.InvalidHeader() | http.MissingSchema() | http.InvalidSchema():
            trouble = f"Azure cannot be called: {short(str(cause))}"
        case _:
            return lost(call, "the connection broke")
    return NoAnswer(trouble)


def _reason(error: BaseException) -> object:
    """Return what lies below an error of requests, which wraps an error of urllib3, which may wrap another."""
    inner = error.args[0] if error.args else None
    return getattr(inner, "reason", inner)
