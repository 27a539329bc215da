"""What the wire server's cluster holds, and what the API does with it; knows nothing of HTTP."""

import copy
import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.wire.kube_objects import Object, Refused, encode, is_true, patched, selected


@dataclass(frozen=True, slots=True)
class _Event:
    version: int
    type: str
    line: bytes

    @classmethod
    def of(cls, version: int, kind: str, encoded: bytes) -> "_Event":
        return cls(version, kind, b'{"type":"%s","object":%s}\n' % (kind.encode(), encoded))


@dataclass(frozen=True, slots=True)
class _Stored:
    object: Object
    encoded: bytes


@dataclass(frozen=True, slots=True)
class _End:
    """How every watch under way is ended: ``last`` is still sent, then the stream ends properly or breaks off."""

    generation: int
    last: bytes
    broken: bool


class KubeStore:
    """The nodes and ConfigMaps of a cluster with their history, as the API lists, watches, patches and deletes them.

    ``gone_as_event``: a watch from before the oldest remembered version is told so by an ``ERROR`` event, as the API
    server's watch cache does; else by HTTP 410.
    """

    def __init__(self, *, gone_as_event: bool) -> None:
        self.gone_as_event = gone_as_event
        self._changed = threading.Condition()
        self._version = 1000
        self._compacted = 0
        self._nodes: dict[str, _Stored] = {}
        self._config_maps: dict[tuple[str, str], Object] = {}
        self._pods: dict[tuple[str, str], Object] = {}
        self._log: list[_Event] = []
        self._pages: dict[str, list[bytes]] = {}
        self._answers: dict[tuple[object, ...], bytes] = {}
        self._end = _End(0, b"", False)
        self._stopped = threading.Event()

    @property
    def version(self) -> str:
        """The present resource version."""
        with self._changed:
            return str(self._version)

    def put_node(self, node: Object) -> Object:
        """Create the node, or replace it, and tell the watches; return it as it is stored."""
        with self._changed:
            name = node["metadata"]["name"]
            kind = "MODIFIED" if name in self._nodes else "ADDED"
            self._version += 1
            stored = copy.deepcopy(node)
            stored["metadata"]["resourceVersion"] = str(self._version)
            encoded = encode(stored)
            self._nodes[name] = _Stored(stored, encoded)
            self._tell(_Event.of(self._version, kind, encoded))
            return copy.deepcopy(stored)

    def delete_node(self, name: str) -> None:
        """Delete the node and tell the watches. Raises ``KeyError``."""
        with self._changed:
            last = self._nodes.pop(name).object
            self._version += 1
            last["metadata"]["resourceVersion"] = str(self._version)
            self._tell(_Event.of(self._version, "DELETED", encode(last)))

    def node(self, name: str) -> Object:
        """Return a copy of the node. Raises ``KeyError``."""
        with self._changed:
            return copy.deepcopy(self._nodes[name].object)

    def put_pod(
        self, name: str, *command: str, labels: Mapping[str, str], args: tuple[str, ...] = (), phase: str = "Running"
    ) -> None:
        """Create a pod in ``kube-system`` with one container."""
        container = {"name": name, "image": "registry.k8s.io/x", "command": [*command], "args": [*args]}
        self._put_pod({"name": name, "namespace": "kube-system", "labels": dict(labels)}, [container], phase)

    def run_pod(
        self, name: str, node: str, *, owner: str = "ReplicaSet", phase: str = "Running", mirror: bool = False
    ) -> None:
        """Let a pod in ``default`` run on a node; ``owner`` is the kind of what controls it."""
        owners = [{"apiVersion": "apps/v1", "kind": owner, "name": "x", "uid": "u", "controller": True}]
        annotations = {"kubernetes.io/config.mirror": "hash"} if mirror else {}
        metadata = {"name": name, "namespace": "default", "ownerReferences": owners, "annotations": annotations}
        self._put_pod(metadata, [{"name": name, "image": "x"}], phase, node)

    def evict(self, name: str) -> None:
        """Take a pod in ``default`` away."""
        with self._changed:
            del self._pods["default", name]

    def _put_pod(self, metadata: Object, containers: list[Object], phase: str, node: str = "") -> None:
        with self._changed:
            self._pods[metadata["namespace"], metadata["name"]] = {
                "metadata": metadata,
                "spec": {"nodeName": node, "containers": containers},
                "status": {"phase": phase},
            }

    def put_config_map(self, namespace: str, name: str, data: Mapping[str, str]) -> None:
        metadata = {"name": name, "namespace": namespace, "uid": f"{namespace}-{name}"}
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}
        with self._changed:
            self._config_maps[namespace, name] = document

    def bookmark(self) -> str:
        """Send a bookmark with a new version to the watches that want bookmarks; return the version."""
        with self._changed:
            self._version += 1
            self._tell(self._bookmark())
            return str(self._version)

    def compact(self) -> None:
        """Forget the past: continue tokens and watches from before now are answered with 410."""
        with self._changed:
            self._version += 1
            self._compacted = self._version
            self._log.clear()
            self._pages.clear()
            self._answers.clear()

    def end_watches(self, last: bytes = b"", *, broken: bool = False) -> None:
        """End every watch under way, after sending ``last``; ``broken``: without the end mark of the stream."""
        with self._changed:
            self._end = _End(self._end.generation + 1, last, broken)
            self._changed.notify_all()

    def _tell(self, event: _Event) -> None:
        self._log.append(event)
        self._answers.clear()
        self._changed.notify_all()

    def _bookmark(self) -> _Event:
        info = dict.fromkeys(("machineID", "systemUUID", "kernelVersion", "kubeletVersion", "operatingSystem"), "")
        metadata = {"resourceVersion": str(self._version), "creationTimestamp": None}
        document = {"kind": "Node", "apiVersion": "v1", "metadata": metadata, "spec": {}}
        return _Event.of(self._version, "BOOKMARK", encode(document | {"status": {"nodeInfo": info}}))

    def list_nodes(self, query: Mapping[str, str]) -> bytes:
        """Return one page. All pages of a list are of the version at which it began."""
        with self._changed:
            asked = (self._version, *sorted(query.items()))
            if asked not in self._answers:
                self._answers[asked] = self._page(query)
            return self._answers[asked]

    def _page(self, query: Mapping[str, str]) -> bytes:
        token = query.get("continue")
        if token is None:
            version, items = self._version, [stored.encoded for stored in self._chosen(query)]
        elif token in self._pages:
            version, items = int(token.partition("-")[0]), self._pages[token]
        else:
            raise Refused(410, "The provided continue parameter is too old", reason="Expired")
        limit = int(query.get("limit") or 0)
        page, rest = (items[:limit], items[limit:]) if limit else (items, [])
        metadata: Object = {"resourceVersion": str(version)}
        if rest:
            following = f"{version}-{len(rest)}-{limit}"
            self._pages[following] = rest
            metadata |= {"continue": following, "remainingItemCount": len(rest)}
        head = b'{"kind":"NodeList","apiVersion":"v1","metadata":%s,"items":[' % encode(metadata)
        return b"".join((head, b",".join(page), b"]}"))

    def _chosen(self, query: Mapping[str, str]) -> Iterator[_Stored]:
        fields, labels = query.get("fieldSelector", ""), query.get("labelSelector", "")
        for name in sorted(self._nodes):
            stored = self._nodes[name]
            if selected(stored.object, fields, labels):
                yield stored

    def get_node(self, name: str) -> bytes:
        with self._changed:
            return self._stored(name).encoded

    def _stored(self, name: str) -> _Stored:
        if name not in self._nodes:
            raise Refused(404, f'nodes "{name}" not found', details={"name": name, "kind": "nodes"})
        return self._nodes[name]

    def patch_node(self, name: str, kind: str, patch: Any, *, dry_run: bool) -> bytes:
        with self._changed:
            before = self._stored(name).object
            after = patched(before, kind, patch)
            expected, present = after["metadata"].get("resourceVersion"), before["metadata"]["resourceVersion"]
            if expected != present:
                raise Refused(
                    409,
                    f'Operation cannot be fulfilled on nodes "{name}": the object has been modified;'
                    " please apply your changes to the latest version and try again",
                    details={"name": name, "kind": "nodes"},
                )
            if not dry_run and after != before:
                self.put_node(after)
                return self._nodes[name].encoded
            return encode(after)

    def remove_node(self, name: str, preconditions: Mapping[str, str], *, dry_run: bool) -> Object:
        with self._changed:
            metadata = self._stored(name).object["metadata"]
            for key, expected in preconditions.items():
                if metadata.get(key) != expected:
                    raise Refused(409, f"the {key} in the precondition ({expected}) does not match ({metadata[key]})")
            if not dry_run:
                self.delete_node(name)
        details = {"name": name, "kind": "nodes", "uid": metadata["uid"]}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def get_config_map(self, namespace: str, name: str) -> Object:
        with self._changed:
            if (namespace, name) not in self._config_maps:
                details = {"name": name, "kind": "configmaps"}
                raise Refused(404, f'configmaps "{name}" not found', details=details)
            return self._config_maps[namespace, name]

    def get_namespace(self, name: str) -> Object:
        """Return a namespace; every name exists, with a uid of its own."""
        uid = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
        return {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name, "uid": uid, "resourceVersion": "1"}}

    def list_pods(self, namespace: str | None, query: Mapping[str, str]) -> Object:
        """Return the chosen pods of a namespace, or of all, in one piece."""
        with self._changed:
            fields, labels = query.get("fieldSelector", ""), query.get("labelSelector", "")
            pods = [pod for (place, _), pod in sorted(self._pods.items()) if namespace in {None, place}]
            chosen = [pod for pod in pods if selected(pod, fields, labels)]
            metadata = {"resourceVersion": str(self._version)}
        return {"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": chosen}

    def watch_nodes(self, query: Mapping[str, str]) -> Iterator[tuple[list[bytes], bool]]:
        """Yield the lines to be sent, and whether the stream breaks off after them. Raises ``Refused``."""
        deadline = time.monotonic() + float(query.get("timeoutSeconds") or 1800)
        bookmarks = is_true(query.get("allowWatchBookmarks"))
        fields, labels = query.get("fieldSelector", ""), query.get("labelSelector", "")
        with self._changed:
            since, generation = int(query.get("resourceVersion") or 0), self._end.generation
            gone = since and since < self._compacted
            ready: list[_Event] = []
            if not since:
                ready = [_Event.of(0, "ADDED", stored.encoded) for stored in self._chosen(query)]
                since = self._version
        if gone:
            yield [self._gone(since)], False
            return
        yield [], False
        while True:
            lines = [event.line for event in ready if event.type != "BOOKMARK" or bookmarks]
            if fields or labels:
                lines = [line for line in lines if selected(json.loads(line)["object"], fields, labels)]
            yield lines, False
            with self._changed:
                end, left = self._end, deadline - time.monotonic()
                ready = [event for event in self._log if event.version > since]
                if not ready and end.generation == generation and left > 0 and not self._stopped.is_set():
                    self._changed.wait(left)
                    continue
                since = max((event.version for event in ready), default=since)
            if not ready:
                if left <= 0 and bookmarks:
                    end = _End(0, self._bookmark().line, False)
                yield [end.last], end.broken
                return

    def _gone(self, since: int) -> bytes:
        gone = Refused(410, f"too old resource version: {since} ({self._compacted})", reason="Expired")
        if not self.gone_as_event:
            raise gone
        return _Event.of(0, "ERROR", encode(gone.document)).line
