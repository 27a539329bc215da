"""The connection to an API server: made by the ``kubernetes`` package, with what kubectl does and the package does not.

Those are: impersonation, ``proxy-url`` and its absence of exceptions in every supported version of the package, proxies
that want a password, CAs that Python 3.13 finds too old-fashioned, bounded waiting. Importing this file takes a second,
so ``nodes`` does it on first use. May import the package, urllib3, the ports' errors and the model.
"""

import contextlib
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlencode, urlsplit
from urllib.request import getproxies

import msgspec
import urllib3
from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError, ProtocolError, ProxyError
from urllib3.exceptions import TimeoutError as TimedOut
from urllib3.util.ssl_ import create_urllib3_context

from tui import __version__
from tui.kube.entries import UserEntry
from tui.kube.kubeconfig import Access
from tui.model.text import printable
from tui.ports import Denied, Unavailable

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_CONNECT_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 30.0
_EXPIRY_MARGIN = timedelta(seconds=10)
_CHUNK_BYTES = 1 << 16
_WRONG_NAME = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The package's connection pool, with the headers that carry the credentials."""

    access: Access
    pool: urllib3.PoolManager
    headers: urllib3.HTTPHeaderDict = field(repr=False)
    expires_at: datetime | None

    def expired(self) -> bool:
        """Tell whether the credentials are to be made anew before the next request."""
        return self.expires_at is not None and self.expires_at - _EXPIRY_MARGIN <= datetime.now(UTC)

    def send(self, method: str, path: str, query: Mapping[str, str], body: bytes | None) -> "Response":
        """Send one request, without retries, and wait for the head of its answer. Raises ``Unavailable``.

        ``body`` is JSON.
        """
        headers = self.headers.copy()  # several values of one name stay apart
        if body is not None:
            headers["Content-Type"] = "application/json"
        with _reached(self.access):
            answer = self.pool.request(
                method,
                f"{self.access.server}{path}" + (f"?{urlencode(query)}" if query else ""),
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=_READ_TIMEOUT_S),
                retries=False,
                redirect=False,
                preload_content=False,
            )
        return Response(access=self.access, status=answer.status, headers=answer.headers, body=answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The head of an answer, and the body that is still to be read. ``headers`` are found in any case of letters."""

    access: Access
    status: int
    headers: Mapping[str, str]
    body: "BaseHTTPResponse"

    def read(self) -> bytes:
        """Return the whole body. Raises ``Unavailable``."""
        with _reached(self.access):
            return self.body.read()

    def chunks(self, *, silence_s: float) -> Iterator[bytes]:
        """Yield the body as it comes, until it ends or is broken off. Raises ``Unavailable``, also after a silence."""
        connection_socket = getattr(self.body.connection, "sock", None)
        if connection_socket is not None:  # the pool sets its own time again for the next request
            connection_socket.settimeout(silence_s)
        try:
            with _reached(self.access):
                yield from self.body.stream(_CHUNK_BYTES)
        except Unavailable as error:
            broke_off = isinstance(error.__cause__, ProtocolError) and not isinstance(_root_cause(error), OSError)
            if not broke_off:
                raise

    def stop(self) -> None:
        """End ``chunks`` from another thread; its reader may see an end, an ``Unavailable`` or a ``ValueError``."""
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # it has just ended by itself
            self.body.shutdown()

    def close(self) -> None:
        """Give up what is still unread."""
        self.body.close()


def connect(access: Access, user: UserEntry, expires_at: datetime | None) -> Connection:
    """Make the pool for what ``current_user`` has told, without asking the server. Raises ``Denied``."""
    urllib3.disable_warnings()  # they would be written over the screen; whoever skips verification has said so
    configuration = Configuration()
    try:
        config.load_kube_config_from_dict(  # type: ignore[no-untyped-call]
            _document(access, user), client_configuration=configuration, persist_config=False
        )
        configuration.proxy, configuration.no_proxy = _proxy(access)
        login = unquote(urlsplit(configuration.proxy or "").netloc.rpartition("@")[0])
        if login:
            configuration.proxy_headers = urllib3.make_headers(proxy_basic_auth=login)
        pool: urllib3.PoolManager = ApiClient(configuration).rest_client.pool_manager
        pool.connection_pool_kw["ssl_context"] = _tls(configuration)
        pool.connection_pool_kw["socket_options"] = _socket_options()
    except (config.ConfigException, OSError, ValueError, HTTPError) as error:
        raise Denied(f"{access.origin} cannot be used ({printable(str(error))}): correct it") from error
    headers = urllib3.HTTPHeaderDict({"User-Agent": f"l2bridge-tui/{__version__}", "Accept": "application/json"})
    # Packing costs more than the loopback interface, and much less than any other.
    plain = access.cluster.disable_compression or _is_loopback(access)
    headers["Accept-Encoding"] = "identity" if plain else "gzip"
    authorization = configuration.auth_settings().get("BearerToken")  # so named also when it is a password
    if authorization is not None and authorization["value"]:
        headers[authorization["key"]] = authorization["value"]
    for name, value in _impersonation(user):
        headers.add(name, value)
    return Connection(access=access, pool=pool, headers=headers, expires_at=expires_at)


def _document(access: Access, user: UserEntry) -> dict[str, object]:
    """Return a kubeconfig of one context, for the package."""
    cluster: dict[str, object] = msgspec.to_builtins(access.cluster)
    cluster["server"] = access.server
    return {
        "current-context": "chosen",
        "contexts": [{"name": "chosen", "context": {"cluster": "chosen", "user": "chosen"}}],
        "clusters": [{"name": "chosen", "cluster": cluster}],
        "users": [{"name": "chosen", "user": msgspec.to_builtins(user)}],
    }


def _tls(configuration: Configuration) -> ssl.SSLContext:
    """Return urllib3's context without the strictness of Python 3.13, which refuses many clusters' CAs.

    The pool loads the certificates once more; here it shows whether they can be used. Raises ``OSError``.
    """
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.ssl_ca_cert:
        context.load_verify_locations(configuration.ssl_ca_cert)
    else:
        context.load_default_certs()
    if configuration.cert_file:
        # Without a password, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(configuration.cert_file, configuration.key_file, password="")
    return context


def _socket_options() -> list[tuple[int, int, int]]:
    """Return options that let the kernel notice within a minute that the other end of a silent watch is gone."""
    wanted = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
    options = [(socket.IPPROTO_TCP, getattr(socket, k), v) for k, v in wanted.items() if hasattr(socket, k)]
    return [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *options]


def _proxy(access: Access) -> tuple[str | None, str | None]:
    """Return the proxy and the hosts that go past it. As in kubectl, ``proxy-url`` has no exceptions."""
    told = access.cluster.proxy_url
    if told:  # kubectl lets a SOCKS proxy resolve the name in any case
        return told.replace("socks5://", "socks5h://", 1), None
    environment = getproxies()
    proxy = None if _is_loopback(access) else environment.get(urlsplit(access.server).scheme)
    return proxy, environment.get("no")


def _is_loopback(access: Access) -> bool:
    host = urlsplit(access.server).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _impersonation(user: UserEntry) -> Iterator[tuple[str, str]]:
    if user.impersonate:
        yield "Impersonate-User", user.impersonate
    if user.impersonate_uid:
        yield "Impersonate-Uid", user.impersonate_uid
    for group in user.impersonate_groups or ():
        yield "Impersonate-Group", group
    for key, values in (user.impersonate_extra or {}).items():
        for value in values:
            yield f"Impersonate-Extra-{quote(key, safe='')}", value


@contextlib.contextmanager
def _reached(access: Access) -> Iterator[None]:
    """Translate what can go wrong on the way to the server and back."""
    try:
        yield
    except HTTPError as error:
        raise Unavailable(_told(error, access)) from error


def _told(error: HTTPError, access: Access) -> str:
    server, cause = access.server, _root_cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = cause.verify_message.rstrip(".")
        setting = "tls-server-name" if cause.verify_code in _WRONG_NAME else "certificate-authority"
        return f"the certificate of {server} is not trusted ({why}): check {setting} in {access.origin}"
    if isinstance(cause, ssl.SSLError):
        why = cause.reason or str(cause)
        return f"no TLS connection to {server} ({why}): check server and client-certificate in {access.origin}"
    why = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    if isinstance(error, ProxyError):
        return f"the proxy on the way to {server} does not help ({printable(why)}): check proxy-url or HTTPS_PROXY"
    if isinstance(error, NameResolutionError):
        return f"the name of {server} cannot be resolved: check the server in {access.origin}, and the network or VPN"
    if isinstance(error, TimedOut) and not isinstance(error, NewConnectionError):
        return f"{server} does not answer in time: check the network or VPN"
    return f"{server} cannot be reached ({printable(why)}): check that it runs, and the network or VPN"


def _root_cause(error: BaseException) -> BaseException:
    """Return the innermost exception: urllib3 wraps some in ``__cause__`` and some in its arguments."""
    while True:
        inner = error.__cause__ or next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        if inner is None:
            return error
        error = inner
