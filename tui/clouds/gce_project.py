"""Compute Engine's REST API as the environment names it: credentials, endpoint, calls, and operations.

Everything goes through google-auth's own session, which is imported with the first call and not with this module. The
typed client is not used: it takes seconds to import, loses fields that it does not know, and waits for operations on
another host than the configured one. May import msgspec, the adapter's own files, the ports and the model only.
"""

import os
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from tui.clouds.gce_identity import principal
from tui.clouds.gce_objects import Page
from tui.clouds.gce_refusals import Call, Operation, Refusal, lost, refused, short
from tui.clouds.gce_twins import twin
from tui.meter import Meter
from tui.model.node import Cloud
from tui.model.text import printable
from tui.ports import Denied, Indeterminate, PortError, Throttled, Unavailable

if TYPE_CHECKING:
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import AuthorizedSession
    from requests.exceptions import RequestException
    from requests.models import PreparedRequest, Response

_ENDPOINT = "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"
_CREDENTIALS = "GOOGLE_APPLICATION_CREDENTIALS"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_LOGIN = "run gcloud auth application-default login"

_REFUSALS = ("access_denied", "invalid_client", "invalid_grant", "invalid_request", "unauthorized_client")
"""How a token endpoint says that it will never answer otherwise (RFC 6749)."""

_CONNECT_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 30.0
_METADATA_TIMEOUT_S = 1.0
"""How long one of three attempts to find a metadata server may take; it is asked for where there is no file."""
_READ_RETRIES = 2
_BROKEN = (500, 502, 503)

_OPERATION_DEADLINE_S = 120.0
"""How long an operation may take; the flag and a route take seconds."""
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 2.0
_WAIT_FAILURES = 3
"""How many answers about an operation in a row may fail before its end counts as not known."""

_Item = TypeVar("_Item", bound=msgspec.Struct)
_Page = TypeVar("_Page", bound=Page)


class ComputeApi:
    """One session, made on first use. Safe for several threads."""

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = meter or Meter()
        self._lock = threading.Lock()
        self._session: AuthorizedSession | None = None

    def raw(self, call: Call) -> bytes:
        """Return the body of a successful answer. Raises any ``PortError`` but ``Expired``."""
        return self._sent(call, None)

    def one(self, call: Call, kind: type[_Item]) -> _Item:
        """Return one resource. Raises as ``raw``."""
        return _decoded(self.raw(call), kind, call)

    def pages(self, call: Call, kind: type[_Page]) -> Iterator[_Page]:
        """Yield every page of a list. Raises as ``raw``."""
        token = ""
        while True:
            query = {**call.query, "pageToken": token} if token else call.query
            page = self.one(replace(call, query=query), kind)
            yield page
            if not page.next_page_token:
                return
            if page.next_page_token == token:
                raise lost(call, "it gives the same page again and again")
            token = page.next_page_token

    def write(self, call: Call, body: bytes | None) -> None:
        """Send a request once and wait until its operation has ended well. Raises as ``raw``."""
        operation = _decoded(self._sent(call, body), Operation, call)
        if operation.status != "DONE":
            operation = self._awaited(operation, call)
        trouble = Refusal.of_operation(operation)
        if trouble is not None:
            raise refused(trouble, call)

    def principal(self, project: str) -> str | None:
        """Return who acts, of which Compute Engine is not asked; None when the credentials do not tell it.

        Raises ``Denied`` and ``Unavailable``.
        """
        from google.auth.transport.requests import Request  # noqa: PLC0415

        with self._answering(Call(path=f"projects/{project}", permission="")):
            request = partial(Request(), timeout=(_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S))
            return principal(self._opened().credentials, request)

    def _awaited(self, operation: Operation, call: Call) -> Operation:
        """Return the operation when it is done. The server holds the answer back until then, or until it tires of it.

        An endpoint that does not hold answers back is asked again and again. What happens after the request was
        accepted says nothing about its end, so every failure here leaves it open.
        """
        deadline_s = time.monotonic() + _OPERATION_DEADLINE_S
        looking = _operation_call(operation, call)
        failures, pause_s, never = 0, _FIRST_PAUSE_S, threading.Event()
        while operation.status != "DONE":
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                state = f"operation {printable(operation.name)} is still {printable(operation.status)}"
                raise Indeterminate(
                    f"{call.target} may or may not change yet: {state} after {_OPERATION_DEADLINE_S:g} s"
                )
            try:
                body = b"" if looking.method == "POST" else None
                operation = _decoded(self._sent(looking, body, min(left_s, _READ_TIMEOUT_S)), Operation, looking)
            except PortError as error:
                if looking.method == "POST":
                    looking = replace(looking, method="GET", path=looking.path.removesuffix("/wait"))
                    continue
                failures += 1
                if failures == _WAIT_FAILURES or not isinstance(error, Throttled | Unavailable):
                    text = f"{call.target} may or may not have been changed: its operation cannot be followed ({error})"
                    raise Indeterminate(text) from error
            else:
                failures = 0
            if operation.status != "DONE":
                never.wait(min(pause_s, left_s))
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        return operation

    def _sent(self, call: Call, body: bytes | None, read_timeout_s: float | None = None) -> bytes:
        began_s = time.monotonic()
        with self._answering(call):
            session = self._opened()
            response: Response = session.request(  # type: ignore[no-untyped-call]
                call.method,
                _endpoint(session) + quote(call.path, safe="/:"),
                params=dict(call.query),
                data=body,
                headers={"Content-Type": "application/json"} if body is not None else None,
                timeout=(_CONNECT_TIMEOUT_S, read_timeout_s or _READ_TIMEOUT_S),
                allow_redirects=False,
            )
        seconds = time.monotonic() - began_s
        self._meter.remember(Cloud.GCE, twin(call.method, call.path), seconds, str(response.status_code))
        if 200 <= response.status_code < 300:
            self._count(response)
            return response.content
        error = refused(Refusal.of_answer(response.status_code, response.headers, response.content), call)
        self._count(response, throttled=isinstance(error, Throttled))
        if isinstance(error, Denied) and not call.optional:
            self._forget()
        raise error from _http_error(response)

    def _count(self, response: "Response", *, throttled: bool = False) -> None:
        retries = getattr(response.raw, "retries", None)
        self._meter.count(Cloud.GCE, made=1 + (len(retries.history) if retries else 0), throttled=throttled)

    @contextmanager
    def _answering(self, call: Call) -> Iterator[None]:
        """Turn what google-auth and requests raise into port errors.

        After ``Denied`` the next call starts from the environment again, since a login elsewhere may have mended it.
        """
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
        from requests.exceptions import RequestException  # noqa: PLC0415

        try:
            yield
        except RequestException as error:
            raise _unanswered(error, call) from error
        except GoogleAuthError as error:
            trouble = _unidentified(error)
            if isinstance(trouble, Denied):
                self._forget()
            raise trouble from error
        except OSError as error:  # requests checks files named by REQUESTS_CA_BUNDLE in its own way
            raise Unavailable(f"Compute Engine cannot be called: {short(str(error))}") from error

    def _opened(self) -> "AuthorizedSession":
        with self._lock:
            if self._session is None:
                self._session = _new_session()
            return self._session

    def _forget(self) -> None:
        with self._lock:
            self._session = None


def _new_session() -> "AuthorizedSession":
    """Return a session with the environment's credentials. Raises ``Denied`` and google-auth's own errors."""
    import google.auth  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
    from google.auth.transport.requests import AuthorizedSession, Request  # noqa: PLC0415
    from requests.adapters import HTTPAdapter  # noqa: PLC0415
    from urllib3.util.retry import Retry  # noqa: PLC0415

    class Impatient(Request):
        """Does not wait long for a metadata server, which is nowhere but on Google's own machines."""

        def __call__(self, url: Any, *arguments: Any, **options: Any) -> Any:
            if _is_metadata(url):
                options["timeout"] = _METADATA_TIMEOUT_S
            return super().__call__(url, *arguments, **options)  # type: ignore[no-untyped-call] # partly typed

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they would be written over the screen
            credentials, _ = google.auth.default(scopes=_SCOPES, request=Impatient())
    except GoogleAuthError:
        raise
    except OSError as error:
        raise Denied(_bad_file(error.strerror or "it cannot be opened")) from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        # google-auth takes the file apart without a look at what it is.
        raise Denied(_bad_file("it holds no credentials")) from error
    session: AuthorizedSession = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
    session.auth = _as_prepared
    retries = Retry(
        total=_READ_RETRIES,
        status_forcelist=_BROKEN,
        allowed_methods={"GET"},
        backoff_factor=0.1,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retries))
    return session


def _is_metadata(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "metadata.google.internal" or host.startswith("169.254.")


def _as_prepared(request: "PreparedRequest") -> "PreparedRequest":
    """Leave the request alone: without an answer of ours, requests lets ~/.netrc replace the token."""
    return request


def _endpoint(session: "AuthorizedSession") -> str:
    """Return where the API is, up to and with ``/compute/v1/``. Raises ``Unavailable`` for what cannot be one."""
    told = os.environ.get(_ENDPOINT)
    if not told:
        universe = getattr(session.credentials, "universe_domain", None) or "googleapis.com"
        return f"https://compute.{universe}/compute/v1/"
    wrong = f"{_ENDPOINT} is no URL of an API: set it to https://HOST/compute/v1/"
    try:
        parts = urlsplit(told)
    except ValueError as error:
        raise Unavailable(wrong) from error
    host = parts.hostname
    if not host or parts.scheme not in {"http", "https"}:
        raise Unavailable(wrong)
    if parts.scheme == "http" and not _is_loopback(host):
        raise Unavailable(f"{_ENDPOINT} would send credentials unencrypted to {printable(host)}: give an https URL")
    path = parts.path.rstrip("/") or "/compute/v1"
    return f"{parts.scheme}://{parts.netloc}{path}/"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _operation_call(operation: Operation, call: Call) -> Call:
    """Return the call that waits for the operation that a call has started, in the zone or in the whole project."""
    zonal = "/zones/" in call.path
    parts = call.path.split("/")
    path = "/".join([*(parts[:4] if zonal else [*parts[:2], "global"]), "operations", operation.name])
    permission = f"compute.{'zone' if zonal else 'global'}Operations.get"
    return Call(method="POST", path=f"{path}/wait", permission=permission, subject=path)


def _decoded(content: bytes, kind: type[_Item], call: Call) -> _Item:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise lost(call, "what answered is not Compute Engine: check the endpoint and the proxy") from error


def _http_error(response: "Response") -> Exception:
    from requests.exceptions import HTTPError  # noqa: PLC0415

    return HTTPError(f"{response.status_code} {response.reason}", response=response)


def _unanswered(error: "RequestException", call: Call) -> PortError:
    """Translate what requests raises when there was no answer, or nothing was asked."""
    from requests import exceptions as http  # noqa: PLC0415
    from urllib3 import exceptions as transport  # noqa: PLC0415

    host = urlsplit(getattr(error.request, "url", None) or "").hostname or "its endpoint"
    match error:
        case http.ProxyError():
            trouble = "the proxy cannot be reached: check HTTPS_PROXY"
        case http.SSLError() if not call.writes or "CERTIFICATE_VERIFY_FAILED" in str(error):
            trouble = f"the TLS certificate of {host} is not trusted: check REQUESTS_CA_BUNDLE"
        case http.ConnectTimeout():
            trouble = f"{host} cannot be reached within {_CONNECT_TIMEOUT_S:g} s: check the network"
        case http.ConnectionError() if isinstance(_reason(error), transport.NewConnectionError):
            trouble = f"{host} cannot be reached: check the network and {_ENDPOINT}"
        case http.Timeout():
            return lost(call, "no answer came in time")
        case http.ConnectionError() if isinstance(_reason(error), transport.ReadTimeoutError):
            return lost(call, "no answer came in time")
        case http.ConnectionError() | http.ChunkedEncodingError() | http.ContentDecodingError() | http.SSLError():
            return lost(call, "the connection broke")
        case _:
            trouble = f"Compute Engine cannot be called: {short(str(error))}"
    return Unavailable(trouble)


def _reason(error: Exception) -> object:
    """Return what lies below an error of requests, which wraps an error of urllib3, which may wrap another."""
    inner = error.args[0] if error.args else None
    return getattr(inner, "reason", inner)


def _unidentified(error: "GoogleAuthError") -> PortError:
    """Translate what google-auth raises when it finds no credentials, or cannot make a token of them."""
    from google.auth import exceptions as sdk  # noqa: PLC0415

    match error:
        case sdk.DefaultCredentialsError():
            return Denied(_no_credentials(error))
        case sdk.RefreshError() | sdk.OAuthError() if not _is_passing(error):
            said = short(str(error.args[0]) if error.args else "")
            return Denied(
                f"the Application Default Credentials have expired or are no longer accepted ({said}): {_LOGIN}, "
                f"or give a valid key by {_CREDENTIALS}"
            )
        case sdk.RefreshError() | sdk.OAuthError() | sdk.TransportError() | sdk.TimeoutError():
            text = short(str(error))
            return Unavailable(f"no token can be had for Compute Engine now ({text}): check the network")
        case _:
            return Denied(f"the Google credentials cannot be used ({short(str(error))}): correct them, or {_LOGIN}")


def _is_passing(error: "GoogleAuthError") -> bool:
    """Tell whether the token endpoint did not answer or broke, rather than refuse, which it does with a known code."""
    from google.auth.exceptions import OAuthError, TransportError  # noqa: PLC0415

    if isinstance(error, OAuthError) and not any(code in str(error) for code in _REFUSALS):
        return True
    return bool(error.retryable) or isinstance(error.__cause__, TransportError)


def _no_credentials(error: Exception) -> str:
    from google.auth._cloud_sdk import get_application_default_credentials_path  # noqa: PLC0415

    usual = Path(get_application_default_credentials_path())  # type: ignore[no-untyped-call]
    if not os.environ.get(_CREDENTIALS) and not usual.exists():
        return f"there are no Application Default Credentials: {_LOGIN}, or set {_CREDENTIALS}"
    return _bad_file(str(error.args[0]) if error.args else "")


def _bad_file(why: str) -> str:
    path = os.environ.get(_CREDENTIALS)
    if path:
        return f"the credentials file {printable(path)} cannot be used ({short(why)}): correct {_CREDENTIALS}"
    return f"the Application Default Credentials cannot be used ({short(why)}): {_LOGIN}"
