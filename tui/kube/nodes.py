"""``NodeSource`` over the ``kubernetes`` package: list, watch, facts, and errors in the ports' words.

Requests go through the package's connection pool and are decoded by ``answers``, because the package's own models
take many times as long. May import the ports and the model.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from tui.kube.answers import (
    Malformed,
    Status,
    decode_event,
    decode_page,
    decode_pod_cidrs,
    decode_uid,
    decode_username,
)
from tui.kube.control_plane import SELECTORS, decode_pods, route_writer
from tui.kube.pods import count_evictable, on_node
from tui.kube.server import ApiServer
from tui.model.node import IPNetwork, Node
from tui.model.snapshot import Cluster
from tui.ports import (
    ClusterFacts,
    Denied,
    Expired,
    NodeEvent,
    NodeList,
    NotFound,
    Unavailable,
)

if TYPE_CHECKING:
    from tui.kube.connection import Response

_PAGE_NODES = 500
_WATCH_S = 290
"""How long the server keeps a watch open. Shortly before the end it sends a bookmark, where the next one continues."""
_WATCH_SLACK_S = 15.0
_NODES = "/api/v1/nodes"
_SYSTEM = "kube-system"
_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
FLANNEL_CONFIG_MAPS = ("kube-flannel/kube-flannel-cfg", "kube-system/kube-flannel-cfg", "kube-system/canal-config")
"""Of flannel's own manifest and chart; of RKE and older manifests; of Canal."""


class KubeNodes:
    """The nodes of one cluster. Safe to use from several threads."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._access = server.access
        self._watching = threading.Lock()
        self._watched: Response | None = None
        self._closed = False

    @classmethod
    def open(cls, *, kubeconfig: str | None, context: str | None) -> Self:
        """Choose the cluster without asking it anything. Raises ``Misconfigured``."""
        return cls(ApiServer(kubeconfig, context))

    def cluster(self) -> Cluster:
        """Return context and server as the kubeconfig has them."""
        return Cluster(context=self._access.context, server=self._access.server)

    def list(self) -> NodeList:
        """Return all nodes, read in pages; when the pages expire on the way, once more in one piece."""
        try:
            return self._list(page_nodes=_PAGE_NODES)
        except Expired:
            pass
        try:
            return self._list(page_nodes=None)
        except Expired as error:
            raise Unavailable(f"{self._access.server} gave up the list of nodes half-way: it is overloaded") from error

    def _list(self, *, page_nodes: int | None) -> NodeList:
        nodes: list[Node] = []
        query = {"limit": str(page_nodes)} if page_nodes else {}
        with self._understood():
            page = decode_page(self._server.get(_NODES, query).read())
            while page.next_token:  # the server works on the next page while the nodes of this one are made
                response = self._server.get(_NODES, {**query, "continue": page.next_token})
                nodes += page.nodes()
                page = decode_page(response.read())
        return NodeList(nodes=(*nodes, *page.nodes()), version=page.version)

    def watch(self, since: str) -> Iterator[NodeEvent]:
        """Yield the events after ``since``. After ``close``, now or before, it ends."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": since}
        with self._understood():
            response = self._server.get(_NODES, {**query, "timeoutSeconds": str(_WATCH_S)})
        with self._watching:
            self._watched = response
        try:
            if not self._closed:
                yield from self._events(response)
        finally:
            with self._watching:
                self._watched = None
            response.close()

    def _events(self, response: "Response") -> Iterator[NodeEvent]:
        with self._understood():
            for line in self._lines(response):
                event = decode_event(line)
                if isinstance(event, Status):
                    raise self._server.failure(event.code, event)
                yield event

    def _lines(self, response: "Response") -> Iterator[bytes]:
        """Yield the complete lines of a watch; a torn last one is what the next watch will send again."""
        rest = b""
        try:
            for chunk in response.chunks(silence_s=_WATCH_S + _WATCH_SLACK_S):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in filter(None, lines):
                    if self._closed:
                        return
                    yield line
        except (Unavailable, ValueError):
            if not self._closed:
                raise

    def facts(self) -> ClusterFacts:
        """Return flannel's networks, the uid of ``kube-system``, and who writes routes, as far as they are told."""
        return ClusterFacts(
            pod_cidrs=self._pod_cidrs(), uid=self._namespace_uid(), route_controller=self._route_controller()
        )

    def _pod_cidrs(self) -> tuple[IPNetwork, ...]:
        """Return the networks of the first flannel ConfigMap that names any."""
        for place in FLANNEL_CONFIG_MAPS:
            namespace, _, name = place.partition("/")
            body = self._optional(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
            with contextlib.suppress(Malformed):
                networks = decode_pod_cidrs(body) if body else ()
                if networks:
                    return networks
        return ()

    def _namespace_uid(self) -> str | None:
        body = self._optional(f"/api/v1/namespaces/{_SYSTEM}")
        with contextlib.suppress(Malformed):
            return decode_uid(body) if body else None
        return None

    def _route_controller(self) -> str | None:
        """Return what the first control plane pod that writes routes shows; None when none does or none may be seen."""
        for selector in SELECTORS:
            body = self._optional(f"/api/v1/namespaces/{_SYSTEM}/pods", {"labelSelector": selector})
            with contextlib.suppress(Malformed):
                evidence = route_writer(decode_pods(body)) if body else None
                if evidence is not None:
                    return evidence
        return None

    def remaining(self, node: str) -> int | None:
        """Return how many pods a drain still has to move off a node; None where pods may not be listed."""
        body = self._optional("/api/v1/pods", {"fieldSelector": on_node(node)})
        with self._understood():
            return None if body is None else count_evictable(body)

    def identity(self) -> str | None:
        """Return the user name that authentication gave; API servers before 1.28 do not tell it."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            return decode_username(self._server.send("POST", _REVIEWS, review))
        except (NotFound, Malformed):
            return None

    def _optional(self, path: str, query: Mapping[str, str] = MappingProxyType({})) -> bytes | None:
        """Return the answer; None where it is denied or absent."""
        try:
            return self._server.get(path, query).read()
        except (NotFound, Denied):
            return None

    def close(self) -> None:
        """End a watch under way and every later one, from any thread."""
        self._closed = True
        with self._watching:
            if self._watched is not None:
                self._watched.stop()

    @contextlib.contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except Malformed as error:
            raise Unavailable(
                f"{self._access.server} does not answer like a Kubernetes API server ({error})"
            ) from error
        except NotFound as error:
            raise Unavailable(
                f"{self._access.server} does not serve nodes: check the server in the kubeconfig"
            ) from error
