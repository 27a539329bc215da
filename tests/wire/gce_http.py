"""HTTP for the Compute Engine server: tokens, faults, checks against the document, gzip, and answers cut off."""

import gzip
import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.wire.gce_calls import Call
from tests.wire.gce_document import STANDARD_PARAMETERS, UNLISTED_PARAMETERS, Method, find_method
from tests.wire.gce_masks import Mask, parse_mask
from tests.wire.gce_refusals import Fault, Refusal, error_body, invalid_parameter

if TYPE_CHECKING:
    from tests.wire.gce import ComputeServer

_ROOT = "/compute/v1/"
# How long a wait blocks on an operation that does not end: two minutes in reality.
_WAIT_S = 0.1


class Handler(BaseHTTPRequestHandler):
    """One connection. ``gce`` is set by the server."""

    gce: "ComputeServer"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._take()

    def do_POST(self) -> None:
        self._take()

    def do_PUT(self) -> None:
        self._take()

    def do_DELETE(self) -> None:
        self._take()

    def do_PATCH(self) -> None:
        self._take()

    def _take(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        if parts.path == "/token":
            status, told = self.gce.grant(dict(parse_qsl(raw.decode())))
            self._send(status, json.dumps(told).encode())
            return
        try:
            self._call(parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), raw)
        except Refusal as refusal:
            self._refuse(refusal)

    def _call(self, path: str, query: dict[str, str], raw: bytes) -> None:
        found = find_method(self.command, path.removeprefix(_ROOT)) if path.startswith(_ROOT) else None
        body = _decoded(raw)
        method = found[0] if found else None
        request = self.gce.arrive(self.command, path, query, body, method.id if method else "")
        self.gce.check_token(self.headers.get("Authorization", ""))
        if found is None or method is None:
            raise Refusal(404, "notFound", f"The requested URL {path} was not found on this server.")
        mask = _check_query(method, query)
        if self.gce.watcher(request, False):
            self._close()
            return
        fault = self.gce.next_fault(method.id)
        if fault and fault.hang:
            self.gce.closing.wait(fault.hang)
        if fault and (fault.status is not None or fault.drop) and not fault.done:
            self._fail(fault)
            return
        call = Call(method=method, path=path.removeprefix(_ROOT), names=found[1], query=query, body=body, fault=fault)
        told = self.gce.perform(call, mask)
        if self.gce.watcher(request, True):
            self._close()
        elif fault and (fault.status is not None or fault.drop):
            self._fail(fault)
        elif fault and fault.cut:
            self._cut(told)
        else:
            if method.id.endswith(".wait") and b'"DONE"' not in told:
                self.gce.closing.wait(_WAIT_S)
            self._send(200, told)

    def _fail(self, fault: Fault) -> None:
        if fault.status is None:
            self._close()
            return
        told = fault.body
        if told is None:
            told = json.dumps(error_body(fault.status, fault.reason, fault.message))
        kind = "application/json; charset=UTF-8" if fault.body is None else "text/html; charset=UTF-8"
        self._send(fault.status, told.encode(), {"Content-Type": kind, **fault.headers})

    def _refuse(self, refusal: Refusal) -> None:
        told = error_body(refusal.status, refusal.reason, refusal.message)
        self._send(refusal.status, json.dumps(told).encode())

    def _cut(self, body: bytes) -> None:
        """Send half of the body under its full length, and close."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        self._close()

    def _close(self) -> None:
        self.close_connection = True
        with suppress(OSError):  # the client may have given up before
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        sent = {"Content-Type": "application/json; charset=UTF-8", **(headers or {})}
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            sent["Content-Encoding"] = "gzip"
        self.send_response(status)
        for name, value in sent.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay silent."""


def _decoded(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        raise Refusal(400, "parseError", "Parse Error") from None


def _check_query(method: Method, query: Mapping[str, str]) -> Mask:
    """Refuse what the document does not list; return the mask of a partial answer, empty for a whole one."""
    allowed = {*method.query, *STANDARD_PARAMETERS, *(UNLISTED_PARAMETERS if method.lists else ())}
    for name, value in query.items():
        if name not in allowed:
            raise invalid_parameter(name, value, f"{method.id} has no such parameter.")
        told = method.query.get(name, {})
        wrong = (
            (told.get("type") == "integer" and not value.isdecimal())
            or (told.get("type") == "boolean" and value.lower() not in {"true", "false"})
            or ("enum" in told and value not in told["enum"])
        )
        if wrong:
            raise invalid_parameter(name, value, f"The parameter is of the type {told['type']}.")
    return parse_mask(query["fields"], method.response) if "fields" in query else {}
