"""The wire server's HTTP: paths, query parameters, discovery, streams and injected faults."""

import contextlib
import gzip
import json
import socket
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.wire.kube_objects import Object, Refused, encode, is_true

if TYPE_CHECKING:
    from tests.wire.kube import KubeServer

_NODES = "/api/v1/nodes"
_PACKED_BYTES = 128 << 10
"""From this size on, the API server packs for clients that accept it."""
_READ_QUERY = frozenset({"pretty"})
_LIST_QUERY = _READ_QUERY | {"limit", "continue", "resourceVersion", "resourceVersionMatch", "fieldSelector"}
_LIST_QUERY |= {"labelSelector", "timeoutSeconds", "watch", "allowWatchBookmarks", "sendInitialEvents"}
_PATCH_QUERY = _READ_QUERY | {"dryRun", "fieldManager", "fieldValidation", "force"}
_DELETE_QUERY = _READ_QUERY | {"dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"}

_VERBS = {"nodes": ["delete", "get", "list", "patch", "watch"], "configmaps": ["get"], "pods": ["list"]}
_COORDINATION = {"groupVersion": "coordination.k8s.io/v1", "version": "v1"}
_DISCOVERY: Mapping[str, Object] = {
    "/version": {"major": "1", "minor": "31", "gitVersion": "v1.31.4", "platform": "linux/amd64"},
    "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [{"name": "coordination.k8s.io", "versions": [_COORDINATION], "preferredVersion": _COORDINATION}],
    },
    "/apis/coordination.k8s.io/v1": {
        "kind": "APIResourceList",
        "groupVersion": "coordination.k8s.io/v1",
        "resources": [
            {"name": "leases", "singularName": "lease", "namespaced": True, "kind": "Lease"}
            | {"verbs": ["create", "get", "update"]},
        ],
    },
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "nodes", "singularName": "node", "namespaced": False, "kind": "Node", "verbs": _VERBS["nodes"]}
            | {"shortNames": ["no"]},
            {"name": "configmaps", "singularName": "configmap", "namespaced": True, "kind": "ConfigMap"}
            | {"verbs": _VERBS["configmaps"], "shortNames": ["cm"]},
            {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod"}
            | {"verbs": _VERBS["pods"], "shortNames": ["po"]},
            {"name": "namespaces", "singularName": "namespace", "namespaced": False, "kind": "Namespace"}
            | {"verbs": ["get"], "shortNames": ["ns"]},
        ],
    },
}


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens instead of an answer, ``times`` times (None: always), to requests whose path begins with ``path``.

    Exactly one of these is meant: a ``Status`` with ``status`` and ``message``; a raw ``body`` with ``status``;
    ``drop``: the connection is closed without an answer; ``hang``: no answer until the server stops. ``after`` requests
    that match go well before. ``watch`` limits it to watches or to other requests.
    """

    status: int = 500
    message: str = "injected fault"
    headers: Mapping[str, str] = field(default_factory=dict)
    details: Object | None = None
    body: bytes | None = None
    drop: bool = False
    hang: bool = False
    path: str = "/api/v1/"
    method: str = "GET"
    watch: bool | None = None
    times: int | None = 1
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that was received; header names are in lower case. ``every`` has all values of each."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    every: Mapping[str, list[str]]


class HttpServer(ThreadingHTTPServer):
    """One thread for each connection; the TLS handshake happens there, too."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], kube: "KubeServer", tls: ssl.SSLContext | None) -> None:
        super().__init__(address, _Handler)
        self.kube = kube
        self._tls = tls
        self._connections: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in [*self._connections]:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # clients may go away or not trust us
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpServer

    def do_GET(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        pass

    def _answer(self) -> None:
        url = urlsplit(self.path)
        pairs = parse_qsl(url.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        every = {name: self.headers.get_all(name, []) for name in headers}
        request = Request(method=self.command, path=url.path, query=dict(pairs), headers=headers, every=every)
        body = self.rfile.read(int(headers.get("content-length") or 0))
        try:
            fault = self.server.kube.admit(request)
            if fault is not None:
                self._fail(fault)
            elif is_true(request.query.get("watch")) and url.path == _NODES:
                _accept_query(request, _LIST_QUERY)
                self._stream(request)
            else:
                self._send(200, _result(self.server.kube, request, body))
        except Refused as error:
            self._send(error.code, encode(error.document))

    def _send(self, code: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        answer = {"Content-Type": "application/json", **(headers or {})}
        if len(body) > _PACKED_BYTES and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            answer["Content-Encoding"] = "gzip"
        self.send_response(code)
        for name, value in answer.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _fail(self, fault: Fault) -> None:
        if fault.hang:
            self.server.kube.wait_until_stopped()
        if fault.hang or fault.drop:
            self.close_connection = True
        elif fault.body is not None:
            self._send(fault.status, fault.body, fault.headers)
        else:
            document = Refused(fault.status, fault.message, details=fault.details).document
            self._send(fault.status, encode(document), fault.headers)

    def _stream(self, request: Request) -> None:
        stream = self.server.kube.watch_nodes(request.query)
        first = next(stream)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for lines, broken in chain((first,), stream):
            self.wfile.write(b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in lines if line))
            self.close_connection = self.close_connection or broken
        if not self.close_connection:
            self.wfile.write(b"0\r\n\r\n")


def _result(kube: "KubeServer", request: Request, body: bytes) -> bytes:
    if request.path in _DISCOVERY and request.method == "GET":
        _accept_query(request, _READ_QUERY | {"timeout"})
        return encode(_DISCOVERY[request.path])
    if not request.path.startswith(_NODES):
        return _elsewhere(kube, request, body)
    name = request.path.removeprefix(_NODES).removeprefix("/").removesuffix("/status")
    dry_run = request.query.get("dryRun") == "All"
    match request.method, name:
        case "GET", "":
            _accept_query(request, _LIST_QUERY)
            return kube.list_nodes(request.query)
        case "GET", _:
            _accept_query(request, _READ_QUERY | {"resourceVersion"})
            return kube.get_node(name)
        case "PATCH", _ if name:
            _accept_query(request, _PATCH_QUERY)
            kind = request.headers.get("content-type", "").partition(";")[0]
            return kube.patch_node(name, kind, json.loads(body), dry_run=dry_run)
        case "DELETE", _ if name:
            _accept_query(request, _DELETE_QUERY)
            options = json.loads(body) if body else {}
            return encode(kube.remove_node(name, options.get("preconditions") or {}, dry_run=dry_run))
    raise Refused(405, "the server does not allow this method on the requested resource")


def _elsewhere(kube: "KubeServer", request: Request, body: bytes) -> bytes:
    coordinated = _coordinated(kube, request, body)
    if coordinated is None:
        return _namespaced(kube, request)
    _accept_query(request, _READ_QUERY)
    if body and request.headers.get("content-type") != "application/json":
        raise Refused(415, "the body of the request was in an unknown format")
    return encode(coordinated)


def _namespaced(kube: "KubeServer", request: Request) -> bytes:
    match request.path.split("/")[1:]:
        case ["api", "v1", "namespaces", name] if request.method == "GET":
            _accept_query(request, _READ_QUERY | {"resourceVersion"})
            return encode(kube.get_namespace(name))
        case ["api", "v1", "pods"] if request.method == "GET":
            _accept_query(request, _LIST_QUERY)
            return encode(kube.list_pods(None, request.query))
        case ["api", "v1", "namespaces", namespace, "pods"] if request.method == "GET":
            _accept_query(request, _LIST_QUERY)
            return encode(kube.list_pods(namespace, request.query))
        case ["api", "v1", "namespaces", namespace, "configmaps", name] if request.method == "GET":
            _accept_query(request, _READ_QUERY | {"resourceVersion"})
            return encode(kube.get_config_map(namespace, name))
    raise Refused(404, "the server could not find the requested resource")


def _coordinated(kube: "KubeServer", request: Request, body: bytes) -> Object | None:
    """Return the answer about a lease, an event or a review; None for anything else."""
    match [request.method, *request.path.split("/")[1:]]:
        case ["GET", "apis", "coordination.k8s.io", "v1", "namespaces", namespace, "leases", name]:
            return kube.coordination.lease(namespace, name)
        case ["POST", "apis", "coordination.k8s.io", "v1", "namespaces", namespace, "leases"]:
            return kube.coordination.create_lease(namespace, json.loads(body))
        case ["PUT", "apis", "coordination.k8s.io", "v1", "namespaces", namespace, "leases", name]:
            return kube.coordination.replace_lease(namespace, name, json.loads(body))
        case ["POST", "api", "v1", "namespaces", namespace, "events"]:
            return kube.coordination.create_event(namespace, json.loads(body))
        case ["POST", "apis", "authentication.k8s.io", "v1", "selfsubjectreviews"]:
            return kube.coordination.review(json.loads(body))
    return None


def _accept_query(request: Request, known: frozenset[str]) -> None:
    for name in request.query:
        if name not in known:
            raise Refused(400, f"unknown query parameter: {name}")
