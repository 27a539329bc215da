"""Leases, Events and SelfSubjectReviews, as the API server stores and refuses them; knows nothing of HTTP."""

import copy
import re
import threading
from collections.abc import Mapping

from tests.wire.kube_objects import Object, Refused

_MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_LEASE = {"holderIdentity": str, "leaseDurationSeconds": int, "acquireTime": str, "renewTime": str}
_LEASE |= {"leaseTransitions": int}
_EVENT = {"apiVersion", "kind", "metadata", "involvedObject", "type", "reason", "message", "source", "count"}
_EVENT |= {"firstTimestamp", "lastTimestamp", "reportingComponent", "reportingInstance"}


class Coordination:
    """The namespaces' leases and events. Another namespace than ``namespaces`` names does not exist."""

    def __init__(self) -> None:
        self.namespaces = {"default", "kube-system"}
        self.user = "alice"
        self.events: list[Object] = []
        self._leases: dict[tuple[str, str], Object] = {}
        self._version = 5000
        self._guard = threading.Lock()

    def lease(self, namespace: str = "kube-system", name: str = "l2bridge-tui") -> Object:
        """Return a copy of the object. Raises ``Refused`` with 404."""
        with self._guard:
            return copy.deepcopy(self._stored(namespace, name))

    def put_lease(self, spec: Mapping[str, object], namespace: str = "kube-system", **metadata: object) -> None:
        """Let somebody else write it."""
        with self._guard:
            self._store({"metadata": {"name": "l2bridge-tui", "namespace": namespace, **metadata}, "spec": dict(spec)})

    def create_lease(self, namespace: str, document: Object) -> Object:
        with self._guard:
            self._enter(namespace)
            name = _checked(document)
            if (namespace, name) in self._leases:
                text = f'leases.coordination.k8s.io "{name}" already exists'
                raise Refused(409, text, reason="AlreadyExists")
            if document["metadata"].get("resourceVersion"):
                raise Refused(400, "resourceVersion should not be set on objects to be created")
            return self._store(document)

    def replace_lease(self, namespace: str, name: str, document: Object) -> Object:
        with self._guard:
            if _checked(document) != name:
                raise Refused(400, "the name of the object does not match the name on the URL")
            present = self._stored(namespace, name)["metadata"]["resourceVersion"]
            if document["metadata"].get("resourceVersion", present) != present:
                raise Refused(409, f'Operation cannot be fulfilled on leases.coordination.k8s.io "{name}": modified')
            return self._store(document)

    def create_event(self, namespace: str, document: Object) -> Object:
        with self._guard:
            self._enter(namespace)
            unknown = set(document) - _EVENT
            if unknown:
                raise Refused(400, f'strict decoding error: unknown field "{min(unknown)}"')
            involved = document["involvedObject"]
            if not involved.get("namespace") and namespace not in {"default", "kube-system"}:
                raise Refused(422, "involvedObject.namespace: does not match event.namespace")
            if not _NAME.fullmatch(document["metadata"]["name"]) or len(document["metadata"]["name"]) > 253:
                raise Refused(422, "metadata.name: Invalid value: a lowercase RFC 1123 subdomain")
            if len(document["message"]) > 1024 or document["type"] not in {"Normal", "Warning"}:
                raise Refused(422, "message: Too long, or type: Invalid value")
            if not all(_TIME.fullmatch(document[field]) for field in ("firstTimestamp", "lastTimestamp")):
                raise Refused(400, "parsing time as RFC 3339")
            self.events.append(copy.deepcopy(document))
            return document

    def review(self, document: Object) -> Object:
        return {**document, "status": {"userInfo": {"username": self.user, "groups": ["system:authenticated"]}}}

    def _enter(self, namespace: str) -> None:
        if namespace not in self.namespaces:
            raise Refused(404, f'namespaces "{namespace}" not found')

    def _stored(self, namespace: str, name: str) -> Object:
        if (namespace, name) not in self._leases:
            raise Refused(404, f'leases.coordination.k8s.io "{name}" not found')
        return self._leases[namespace, name]

    def _store(self, document: Object) -> Object:
        stored = copy.deepcopy(document)
        self._version += 1
        stored["metadata"]["resourceVersion"] = str(self._version)
        stored["spec"] = {name: value for name, value in stored["spec"].items() if value is not None}
        self._leases[stored["metadata"]["namespace"], stored["metadata"]["name"]] = stored
        return copy.deepcopy(stored)


def _checked(document: Object) -> str:
    """Return the name of a lease that the API server takes."""
    spec = {name: value for name, value in document["spec"].items() if value is not None}
    for name, value in spec.items():
        if name not in _LEASE:
            raise Refused(400, f'strict decoding error: unknown field "spec.{name}"')
        if not isinstance(value, _LEASE[name]):
            raise Refused(400, f"json: cannot unmarshal into spec.{name}")
        if name.endswith("Time") and not _MICRO_TIME.fullmatch(str(value)):
            raise Refused(400, f"spec.{name}: parsing time as a MicroTime")
    if spec.get("leaseDurationSeconds", 1) <= 0 or spec.get("leaseTransitions", 0) < 0:
        raise Refused(422, "spec.leaseDurationSeconds: must be greater than 0")
    return str(document["metadata"]["name"])
