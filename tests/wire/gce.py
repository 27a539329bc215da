"""Compute Engine on loopback: what this program needs of ``compute.googleapis.com``, kept in memory.

There is no emulator of the service, so this is one: every request and every answer is checked against the official
discovery document, and the rules of routes, instances and operations are the service's own. An answer that deviates is
a mistake of the server and fails the test at the end of the fixture ``gce``.

    def test_one(gce: ComputeServer) -> None:
        gce.network("default", ranges=("10.0.0.0/24",))
        gce.instance("n1", ip="10.0.0.11", forwards=True)
        gce.route("r1", "10.244.1.0/24", instance="n1")
        gce.fail("compute.routes.list", RATE_LIMITED)

The defaults are project ``p``, zone ``europe-west1-b`` and network ``default``; what is missing is made. Paths start at
``projects/``. The calls here are the owner's, past every rule; what arrives over HTTP is in ``requests``.
"""

import base64
import json
import os
import secrets
import sys
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

from tests.wire.gce_calls import Call
from tests.wire.gce_document import deviations
from tests.wire.gce_http import Handler
from tests.wire.gce_masks import Mask, apply_mask
from tests.wire.gce_owner import ZONE, Nic, Owner
from tests.wire.gce_refusals import Fault, Refusal
from tests.wire.gce_world import Json

__all__ = ["ZONE", "ComputeServer", "Nic", "Request", "fresh_gce", "gce", "isolate", "serve_gce", "sign_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it arrived. ``id`` is the method's, such as ``compute.routes.list``; "" for none that exists."""

    id: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any


def watches_nothing(request: Request, done: bool) -> bool:
    """Let everything happen."""
    del request, done
    return False


class ComputeServer(Owner):
    """The server; a context manager. ``requests`` are those of the program under test, ``mistakes`` the server's own.

    ``grants`` counts the tokens that were given out. With ``email`` each comes with an identity token that says it.

    ``validates`` can be switched off where thousands of objects are measured.
    """

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.mistakes: list[str] = []
        self.validates = True
        self.token_error: tuple[int, Json] | None = None
        self.grants = 0
        self.email: str | None = None
        self.closing = threading.Event()
        self.watcher: Callable[[Request, bool], bool] = watches_nothing
        """Asked before a request is served, and again, with True, before its answer is sent: True drops it."""
        self._tokens: set[str] = set()
        self._faults: dict[str, deque[Fault]] = {}
        self._http = _Listener(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"gce": self}))
        self._http.mistakes = self.mistakes
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The bare origin, for ``api_endpoint``; gcloud's override is this and ``/compute/v1/``."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def fail(self, method: str, *faults: Fault, times: int = 1) -> None:
        """Let the next requests of a method id, such as ``compute.routes.list``, end so, one after another."""
        with self._lock:
            self._faults.setdefault(method, deque()).extend(faults * times)

    def count(self) -> Counter[str]:
        """Return how often each method was called, and forget."""
        with self._lock:
            counted = Counter(one.id for one in self.requests)
            self.requests.clear()
        return counted

    # Tokens.

    def token(self) -> str:
        """Return a token that is good until ``expire_tokens``."""
        token = f"ya29.{secrets.token_hex(12)}"
        self._tokens.add(token)
        return token

    def expire_tokens(self) -> None:
        self._tokens.clear()

    def refuse_tokens(self, status: int = 400, error: str = "invalid_grant", told: str = "Bad Request") -> None:
        """Let the token endpoint refuse from now on."""
        self.token_error = (status, {"error": error, "error_description": told})

    def grant(self, form: Mapping[str, str]) -> tuple[int, Json]:
        """Answer the token endpoint."""
        if self.token_error is not None:
            return self.token_error
        if form.get("grant_type") not in {"refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"}:
            return 400, {"error": "unsupported_grant_type"}
        self.grants += 1
        also = {} if self.email is None else {"id_token": _identity_token(self.email)}
        return 200, {"access_token": self.token(), "expires_in": 3599, "token_type": "Bearer", **also}

    def check_token(self, header: str) -> None:
        """Raise ``Refusal`` for a request without a good token."""
        kind, _, token = header.partition(" ")
        if kind != "Bearer" or token not in self._tokens:
            told = "Request had invalid authentication credentials. Expected OAuth 2 access token or other valid "
            raise Refusal(401, "authError", f"{told}authentication credential.")

    # Requests, one at a time.

    def arrive(self, verb: str, path: str, query: Mapping[str, str], body: Any, method: str) -> Request:
        """Note a request."""
        request = Request(id=method, method=verb, path=path, query=query, body=body)
        with self._lock:
            self.requests.append(request)
        return request

    def next_fault(self, method: str) -> Fault | None:
        """Return how this request of a method is to end."""
        with self._lock:
            waiting = self._faults.get(method)
            return waiting.popleft() if waiting else None

    def perform(self, call: Call, mask: Mask) -> bytes:
        """Return the answer to a call whose path and query are good. Raises ``Refusal``."""
        with self._lock:
            also = self.world.also_allowed
            if (call.method.request is None) is not (call.body is None):
                raise Refusal(400, "invalid", f"{call.method.id}: a body is missing or too much.")
            wrong = list(deviations(call.body, call.method.request, also)) if call.method.request else []
            if wrong:
                raise Refusal(400, "invalid", f"Invalid JSON payload received. {'; '.join(wrong)}")
            told: Json = apply_mask(self.service.answer(call), mask)
            if self.validates:
                self.mistakes += [f"{call.method.id}: {one}" for one in deviations(told, call.method.response, also)]
            return json.dumps(told).encode()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    mistakes: list[str]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Collect what breaks here; clients that go away are part of the tests."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.mistakes += traceback.format_exception(error)


def _identity_token(email: str) -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, {"email": email, "aud": "client"}))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "unsigned"])


def sign_in(**fields: str) -> None:
    """Let the credentials file of the environment say this too, or instead."""
    path = Path(os.environ["GOOGLE_APPLICATION_CREDENTIALS"])
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def isolate(monkeypatch: pytest.MonkeyPatch, home: Path, server: ComputeServer) -> None:
    """Take away every Google setting of the developer; give credentials and an endpoint on loopback.

    The credentials are those of a workforce user, the only kind whose file names its token endpoint and that asks
    nobody else about regional access.
    """
    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "CLOUDSDK_", "GCE_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    credentials = home / "credentials.json"
    told = {
        "type": "external_account_authorized_user",
        "client_id": "client",
        "client_secret": "secret",
        "refresh_token": "refresh",
        "token_url": f"{server.url}/token",
    }
    credentials.write_text(json.dumps(told))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(credentials))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(home / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", f"{server.url}/compute/v1/")


@contextmanager
def serve_gce() -> Iterator[ComputeServer]:
    """Run a server, and fail when one of its answers was not as the document says."""
    with ComputeServer() as server:
        server.project()
        yield server
    assert server.mistakes == [], "\n".join(server.mistakes)


@pytest.fixture(name="gce")
def fresh_gce(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ComputeServer]:
    """Run an empty server, and let google-auth and gcloud find it and nothing else."""
    with serve_gce() as server:
        isolate(monkeypatch, tmp_path, server)
        yield server


gce = fresh_gce
