"""A Kubernetes API server on loopback: the part of the API that node programs use, with its real shapes and errors.

Real kubectl and the real ``kubernetes`` client work against it. Unknown query parameters are a 400, so that a client's
mistakes are noticed; plain lists are sent where a client would prefer a Table. Faults are injected with
``KubeServer.fail``. ``node_object`` builds the nodes.
"""

import base64
import ssl
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import yaml

from tests.wire.certificates import Authority, Pair
from tests.wire.kube_coordination import Coordination
from tests.wire.kube_http import Fault, HttpServer, Request
from tests.wire.kube_objects import Object, Refused
from tests.wire.kube_store import KubeStore
from tests.wire.node_objects import node_object

__all__ = ["Fault", "KubeServer", "Request", "node_object"]


class KubeServer(KubeStore):
    """The server, between ``__enter__`` and ``__exit__``. Its methods may be called from any thread.

    ``authorizations`` are the accepted Authorization headers, none: everybody is let in. ``client_authority`` makes
    the server demand a client certificate. ``coordination`` holds leases and events.
    """

    def __init__(
        self,
        nodes: Sequence[Object] = (),
        *,
        tls: bool = False,
        hosts: Sequence[str] = ("127.0.0.1", "localhost"),
        authorizations: Sequence[str] = (),
        client_authority: Authority | None = None,
        gone_as_event: bool = True,
        port: int = 0,
    ) -> None:
        super().__init__(gone_as_event=gone_as_event)
        self.coordination = Coordination()
        self.authorizations = set(authorizations)
        self.requests: list[Request] = []
        self.authority = Authority()
        self._tls = self.authority.server(*hosts) if tls else None
        self._client_authority = client_authority
        self._port = port
        self._faults: list[Fault] = []
        self._http: HttpServer | None = None
        for node in nodes:
            self.put_node(node)

    def __enter__(self) -> Self:
        context = _tls_context(self._tls, self._client_authority) if self._tls else None
        self._http = HttpServer(("127.0.0.1", self._port), self, context)
        self._port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(0.02,), name="kube-wire", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away: every connection is closed, further ones are refused."""
        http, self._http = self._http, None
        if http is not None:
            self._stopped.set()
            http.shutdown()
            http.server_close()
            http.close_connections()
            with self._changed:
                self._changed.notify_all()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def kubeconfig(
        self,
        path: Path,
        *,
        context: str = "wire",
        user: Mapping[str, object] | None = None,
        cluster: Mapping[str, object] | None = None,
    ) -> Path:
        """Write a kubeconfig with one context, its current one; ``user`` and ``cluster`` add to the entries."""
        entry: Object = {"server": self.url}
        if self._tls is not None:
            entry["certificate-authority-data"] = base64.b64encode(self.authority.pem).decode()
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "contexts": [{"name": context, "context": {"cluster": f"{context}-cluster", "user": f"{context}-user"}}],
            "clusters": [{"name": f"{context}-cluster", "cluster": entry | dict(cluster or {})}],
            "users": [{"name": f"{context}-user", "user": dict(user or {})}],
        }
        path.write_text(yaml.safe_dump(document))
        return path

    def fail(self, fault: Fault) -> None:
        with self._changed:
            self._faults.append(fault)

    def watches(self) -> int:
        """Count the watches that were asked for so far."""
        with self._changed:
            return sum("watch" in request.query for request in self.requests)

    def admit(self, request: Request) -> Fault | None:
        """Record the request and return the fault that it meets. Raises ``Refused`` for strangers."""
        with self._changed:
            self.requests.append(request)
            for fault in self._faults:
                if not request.path.startswith(fault.path) or request.method != fault.method:
                    continue
                if fault.watch is not None and fault.watch is not ("watch" in request.query):
                    continue
                if fault.after:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return fault
            if self.authorizations and request.headers.get("authorization") not in self.authorizations:
                raise Refused(401, "Unauthorized")
            return None

    def wait_until_stopped(self) -> None:
        self._stopped.wait()


def _tls_context(pair: Pair, client_authority: Authority | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*pair.write(Path(folder), "server"))
    if client_authority is not None:
        context.load_verify_locations(cadata=client_authority.pem.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return context
