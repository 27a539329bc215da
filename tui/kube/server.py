"""One API server as a kubeconfig names it: requests with fresh credentials, and errors in the ports' words.

The ``kubernetes`` package is imported with the first request and not with this file. May import the adapter's own
files, the ports and the model.
"""

import shlex
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from tui.kube.answers import Status, decode_status
from tui.kube.credentials import current_user
from tui.kube.entries import UserEntry
from tui.kube.kubeconfig import read_access
from tui.meter import Meter
from tui.model.text import printable
from tui.ports import Conflict, Denied, Expired, Misconfigured, NotFound, PortError, Rejected, Throttled, Unavailable

if TYPE_CHECKING:
    from tui.kube.connection import Connection, Response

_SOURCE = "kubernetes"
_GOOD = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})
_MEANINGS: Mapping[int, tuple[type[PortError], str]] = {
    HTTPStatus.FORBIDDEN: (Denied, "does not allow it"),
    HTTPStatus.NOT_FOUND: (NotFound, "does not have it"),
    HTTPStatus.CONFLICT: (Conflict, "has another version"),
    HTTPStatus.UNPROCESSABLE_ENTITY: (Rejected, "refuses it"),
}


class ApiServer:
    """One API server. Safe to use from several threads.

    With ``asks`` whoever logs in may be asked on the terminal at any time, because nothing is drawn there.
    """

    def __init__(
        self, kubeconfig: str | None, context: str | None, meter: Meter | None = None, *, asks: bool = False
    ) -> None:
        """Choose the server without asking it anything. Raises ``Misconfigured``."""
        self._asks = asks
        self._meter = meter or Meter()
        self.access = read_access(kubeconfig, context)
        self._kubeconfig = kubeconfig
        self._connection: Connection | None = None
        self._connecting = threading.Lock()
        self._given: tuple[UserEntry, datetime | None] | None = None
        """What a person has just logged in with, for the next connection."""

    def get(self, path: str, query: Mapping[str, str] = MappingProxyType({})) -> "Response":
        """Return the answer, whose body is still to be read.

        Raises ``Denied``, ``NotFound``, ``Expired``, ``Throttled``, ``Unavailable``, ``Rejected``.
        """
        return self._request("GET", path, query, None)

    def send(self, method: str, path: str, document: Mapping[str, object]) -> bytes:
        """Write an object and return it as the server has it then. Raises as ``get``, and ``Conflict``.

        After ``Unavailable`` it may be written or not.
        """
        return self._request(method, path, {}, msgspec.json.encode(document)).read()

    def _request(self, method: str, path: str, query: Mapping[str, str], body: bytes | None) -> "Response":
        """Return a good answer. A 401 is answered with fresh credentials, once."""
        connection = self._connected(rejected=None)
        response = self._counted(connection, method, path, query, body)
        if response.status == HTTPStatus.UNAUTHORIZED:
            response.read()
            response = self._counted(self._connected(rejected=connection), method, path, query, body)
        if response.status in _GOOD:
            return response
        raise self.failure(response.status, decode_status(response.read()), response.headers.get("Retry-After"))

    def _counted(
        self, connection: "Connection", method: str, path: str, query: Mapping[str, str], body: bytes | None
    ) -> "Response":
        began_s = time.monotonic()
        response = connection.send(method, path, query, body)
        seconds = time.monotonic() - began_s
        self._meter.count(_SOURCE, throttled=response.status == HTTPStatus.TOO_MANY_REQUESTS)
        self._meter.remember(_SOURCE, self._twin(method, path, query), seconds, str(response.status))
        return response

    def _twin(self, method: str, path: str, query: Mapping[str, str]) -> str:
        """Return what sends the same with ``kubectl``, which reads what it writes from its standard input."""
        url = f"{path}?{urlencode(query)}" if query else path
        body = () if method == "GET" else ("-f", "-")
        verb = {"GET": "get", "POST": "create", "PUT": "replace"}.get(method, method.lower())
        return shlex.join(
            ["kubectl", "--context", printable(self.access.context), verb, "--raw", printable(url), *body]
        )

    def _connected(self, *, rejected: "Connection | None") -> "Connection":
        """Return a connection other than the rejected one, with credentials that have not expired."""
        from tui.kube.connection import connect  # noqa: PLC0415 - takes a second, after the first paint

        with self._connecting:
            current = self._connection
            if current is None or current is rejected or current.expired():
                given, self._given = self._given, None
                user, expires_at = given or self._user_now(asks=self._asks)
                current = self._connection = connect(self.access, user, expires_at)
            return current

    # Logging in on the terminal.

    @property
    def possible(self) -> bool:
        """Tell whether the credentials come from an exec plugin that may ask on the terminal."""
        plugin = self.access.user.exec
        return plugin is not None and plugin.may_ask and self.access.server.startswith("https://")

    def log_in(self) -> None:
        """Let the plugin ask on the terminal, which must be free, and use what it says from now on. Raises ``Denied``.

        An attempt under way, which does without the terminal and may hang, is not waited for.
        """
        self._given = self._user_now(asks=True)
        self._connection = None

    def _user_now(self, *, asks: bool) -> tuple[UserEntry, datetime | None]:
        """Return the credentials, and when they expire, as they are now: a login or kubectl may have renewed them."""
        try:
            access = read_access(self._kubeconfig, self.access.context)
        except Misconfigured as error:
            raise Denied(str(error)) from error
        if access.server != self.access.server:
            raise Denied(f"{access.origin} has another server for this context now: start again to look at that one")
        return current_user(replace(self.access, user=access.user), asks=asks)

    def failure(self, code: int, status: Status, retry_after: str | None = None) -> PortError:
        """Translate an error that the API server told."""
        server, said = self.access.server, printable(status.message) or f"HTTP {code}"
        if code == HTTPStatus.UNAUTHORIZED:
            return Denied(
                f"{server} does not accept the credentials of the context {printable(self.access.context)}:"
                " log in again, as for kubectl"
            )
        if code == HTTPStatus.GONE:
            return Expired(said)
        if code == HTTPStatus.TOO_MANY_REQUESTS:
            told = float(retry_after) if retry_after and retry_after.isdecimal() else status.retry_after_s
            return Throttled(f"{server} is asked too often: {said}", told)
        kind, how = _MEANINGS.get(code, (Unavailable, "cannot answer"))
        return kind(f"{server} {how}: {said}")
