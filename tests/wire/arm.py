"""The Azure Resource Manager on loopback: what this program needs of it, over https, with tokens from an identity.

There is no emulator of the service, so this is one: PUT replaces whole, etags are enforced, most writes end later, and
refusals carry the service's codes. ``World`` is what stands there and the hands of its owner.

    def test_one(arm: ArmServer) -> None:
        table = arm.table(r1=("10.42.1.0/24", "10.0.1.4"))
        subnet = arm.subnet("nodes", "10.0.1.0/24", table=table)
        arm.vm("n1", subnet, "10.0.1.4")
        arm.fail("PUT", "/routeTables/", 409, "ScopeLocked")

A pattern is searched in the method's path without regard to casing. ``operations`` says how writes end.
"""

import base64
import json
import re
import secrets
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.wire.arm_http import bound
from tests.wire.arm_operations import Operations
from tests.wire.arm_rules import Refused
from tests.wire.arm_world import TENANT, World
from tests.wire.certificates import Authority
from tui.clouds import azure_operations

__all__ = ["ArmServer", "Fault", "Request", "fresh_arm", "serve_arm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came; ``body`` is decoded."""

    method: str
    path: str
    version: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True, kw_only=True)
class Fault:
    """What is answered instead. ``left`` times, for ever when None; ``effect`` when it happens all the same."""

    method: str
    pattern: re.Pattern[str]
    refused: Refused | None = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    status: int = 200
    dropped: bool = False
    effect: bool = False
    left: int | None = 1


def watches_nothing(request: Request, done: bool) -> bool:
    """Let everything happen."""
    del request, done
    return False


class ArmServer(World):
    """The server. ``requests`` are those of the program under test, ``mistakes`` what nobody may ever ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.origin = ""
        self.identity = ""
        self.requests: list[Request] = []
        self.mistakes: list[str] = []
        self.resources_asked_for: list[str] = []
        """What tokens were asked for."""
        self.claims: dict[str, str] = {"tid": TENANT, "oid": TENANT, "appid": TENANT, "idtyp": "app"}
        """Whose the next tokens are."""
        self.operations = Operations()
        self.page_size = 1000
        self.demands_etags = True
        """Whether a PUT without an etag over what exists is a mistake; the service takes it."""
        self.lock = threading.RLock()
        self.watcher: Callable[[Request, bool], bool] = watches_nothing
        """Asked before a request is served, and again, with True, before its answer is sent: True drops it."""
        self._tokens: set[str] = set()
        self._faults: list[Fault] = []

    def fail(
        self,
        method: str,
        pattern: str,
        status: int,
        code: str,
        message: str = "",
        *,
        details: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
        times: int | None = 1,
        effect: bool = False,
    ) -> None:
        """Let requests be refused; ``effect`` when the write happens all the same."""
        fault = Fault(method=method, pattern=re.compile(pattern, re.IGNORECASE), left=times, effect=effect)
        fault.refused, fault.headers = Refused(status, code, message, details), headers or {}
        self._faults.append(fault)

    def drop(self, method: str, pattern: str, *, effect: bool = False) -> None:
        """Break the connection in place of an answer."""
        fault = Fault(method=method, pattern=re.compile(pattern, re.IGNORECASE), dropped=True, effect=effect)
        self._faults.append(fault)

    def garble(self, method: str, pattern: str, body: bytes, *, status: int = 200) -> None:
        """Answer with this body, which is cut off or somebody else's."""
        fault = Fault(method=method, pattern=re.compile(pattern, re.IGNORECASE), raw=body, status=status)
        self._faults.append(fault)

    def deny(self, action: str, pattern: str, method: str = "GET") -> None:
        """Refuse for good, as for want of a right."""
        text = f"The client 'x' does not have authorization to perform action '{action}' over scope '{pattern}'."
        self.fail(method, pattern, 403, "AuthorizationFailed", text, times=None)

    def fault(self, method: str, path: str) -> Fault | None:
        """Return the fault that this request meets, and count it."""
        for fault in self._faults:
            if fault.left != 0 and fault.method == method and fault.pattern.search(path):
                fault.left = None if fault.left is None else fault.left - 1
                return fault
        return None

    def token(self, resource: str) -> str:
        """Give out a token, with the claims that some clients look at."""
        self.resources_asked_for.append(resource)
        claims = {"aud": resource, "jti": secrets.token_hex(), **self.claims}
        claims["xms_mirid"] = f"{self.group()}/providers/Microsoft.Compute/virtualMachines/here"
        made = ".".join([_encoded({"alg": "none"}), _encoded(claims), "unsigned"])
        self._tokens.add(made)
        return made

    def accepts(self, authorization: str) -> bool:
        return authorization.removeprefix("Bearer ") in self._tokens

    def count(self, method: str, pattern: str) -> int:
        """Count the requests so far."""
        return sum(one.method == method and bool(re.search(pattern, one.path, re.IGNORECASE)) for one in self.requests)

    def writes(self) -> list[tuple[str, str]]:
        """Return the methods and paths of everything that was no read, without questions about effective routes."""
        return [
            (one.method, one.path)
            for one in self.requests
            if one.method != "GET" and not one.path.lower().endswith("/effectiveroutetable")
        ]

    def wrote(self, what: str, effect: Callable[[], None]) -> None:
        """Carry a write out, and remember the routing after it."""
        effect()
        self.remember(what)


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go away."""


@contextmanager
def serve_arm(folder: Path, environment: pytest.MonkeyPatch) -> Iterator[ArmServer]:
    """Serve a subscription, and let the environment lead there."""
    server, authority = ArmServer(), Authority()
    bundle = folder / "arm-ca.pem"
    bundle.write_bytes(authority.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server().write(folder, "arm"))
    handler, identity = bound(server)
    with _listening(handler, context) as port, _listening(identity, None) as plain:
        server.origin = f"https://127.0.0.1:{port}"
        server.identity = f"http://127.0.0.1:{plain}/token"
        environment.setenv("ARM_ENDPOINT", server.origin)
        environment.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        environment.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        environment.setenv("IDENTITY_ENDPOINT", server.identity)
        environment.setenv("IDENTITY_HEADER", "secret")
        environment.setattr(azure_operations, "PAUSE_S", 0.01)
        yield server
    assert server.mistakes == []


@contextmanager
def _listening(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None) -> Iterator[int]:
    listener = _Listener(("127.0.0.1", 0), handler)
    if context is not None:
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield listener.server_address[1]
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


@pytest.fixture(name="arm")
def fresh_arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArmServer]:
    """Serve an empty subscription, to which everything of this test leads."""
    with serve_arm(tmp_path, monkeypatch) as server:
        yield server
