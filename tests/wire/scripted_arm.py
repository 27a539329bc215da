"""An https endpoint that answers as it is told, request by request, with a token endpoint beside it.

For answers that no healthy Resource Manager gives: cut, foreign, silent, endless, or from another version.
"""

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.wire.certificates import Authority

TOKEN = "scripted-token"  # it is sent to this endpoint alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer. ``cut`` promises more than is sent, ``hang_s`` keeps silent first, ``dropped`` sends nothing."""

    body: object = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    hang_s: float = 0.0
    dropped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def refusal(code: str, message: str = "no", status: int = 400, **more: Any) -> Said:
    """Return an error as the Resource Manager writes it."""
    return Said(status=status, body={"error": {"code": code, "message": message, **more}})


class Script:
    """What is answered: by the end of the path (``networkInterfaces``), in order, the last one again and again."""

    def __init__(self) -> None:
        self.origin = ""
        self.asked: list[Asked] = []
        self.tokens: list[str] = []
        self._answers: dict[str, list[Said]] = {}

    def on(self, end: str, *answers: Said) -> None:
        self._answers[end.lower()] = list(answers)

    def answer(self, asked: Asked) -> Said:
        self.asked.append(asked)
        ends = sorted((end for end in self._answers if asked.path.lower().endswith(end)), key=len)
        if not ends:
            return Said(body={"value": []})
        left = self._answers[ends[-1]]
        return left.pop(0) if len(left) > 1 else left[0]

    def count(self, end: str) -> int:
        return sum(asked.path.lower().endswith(end.lower()) for asked in self.asked)


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if path == "/token":
                script.tokens.append(query)
                told = {"access_token": TOKEN, "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}
                self._send(Said(body=told))
                return
            asked = Asked(method=self.command, path=path, query=query, headers=dict(self.headers), body=body)
            self._send(script.answer(asked))

        def _send(self, said: Said) -> None:
            time.sleep(said.hang_s)
            if said.dropped:
                self.close_connection = True
                return
            content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) * (2 if said.cut else 1)))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = said.cut

        do_GET = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - the names that the base class looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    return Handler


@contextmanager
def _serving(script: Script, context: ssl.SSLContext | None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(name="script")
def running_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """Serve a script, and let the environment lead there with a token."""
    found = Script()
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server().write(tmp_path, "server"))
    with _serving(found, context) as port, _serving(found, None) as plain:
        found.origin = f"https://127.0.0.1:{port}"
        monkeypatch.setenv("ARM_ENDPOINT", found.origin)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{plain}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        yield found
