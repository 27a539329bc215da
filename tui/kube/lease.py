"""``ClusterLock`` over a Lease object: one that every client of the API can read, and ``kubectl get lease`` shows.

What others have put into the object besides is kept. May import msgspec, the adapter's own files, the ports and the
model.
"""

from datetime import datetime
from typing import Any

import msgspec

from tui.kube.server import ApiServer
from tui.model.lease import Lease
from tui.model.text import printable
from tui.ports import Misconfigured, NotFound, Unavailable

NAME = "l2bridge-tui"
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"


class _Metadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""


class _Spec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    lease_transitions: int | None = None


class _LeaseObject(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)


class KubeLock:
    """The Lease ``l2bridge-tui`` of a namespace."""

    def __init__(self, server: ApiServer, namespace: str) -> None:
        self._server = server
        self._namespace = namespace
        self._seen: dict[str, Any] = {}
        """The object as it was last read or written, by the version that a lease names."""

    @property
    def place(self) -> str:
        """Return its kind, namespace and name."""
        return f"Lease {self._namespace}/{NAME}"

    def read(self) -> Lease | None:
        """Return the lock as it stands; None when there is no such object."""
        try:
            return self._understood(self._server.get(f"{self._path}/{NAME}").read())
        except NotFound:
            return None

    def write(self, lease: Lease) -> Lease:
        """Create the object, or replace the version that was read."""
        document = self._document(lease)
        try:
            if lease.version:
                return self._understood(self._server.send("PUT", f"{self._path}/{NAME}", document))
            return self._understood(self._server.send("POST", self._path, document))
        except NotFound as error:
            text = f"there is no namespace {printable(self._namespace)} for the {self.place}: give --lock-namespace"
            raise Misconfigured(text) from error

    @property
    def _path(self) -> str:
        return _LEASES.format(self._namespace)

    def _document(self, lease: Lease) -> dict[str, Any]:
        before = self._seen if lease.version else {}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                **before.get("metadata", {}),
                "name": NAME,
                "namespace": self._namespace,
                **({"resourceVersion": lease.version} if lease.version else {}),
            },
            "spec": {
                **before.get("spec", {}),
                "holderIdentity": lease.holder or None,
                "leaseDurationSeconds": max(1, round(lease.lasts_s)),
                "acquireTime": _micro_time(lease.since),
                "renewTime": _micro_time(lease.renewed_at),
                "leaseTransitions": lease.transitions,
            },
        }

    def _understood(self, body: bytes) -> Lease:
        try:
            found = msgspec.json.decode(body, type=_LeaseObject)
            self._seen = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise Unavailable(f"the {self.place} cannot be read: {printable(str(error))}") from error
        spec = found.spec
        return Lease(
            holder=spec.holder_identity or "",
            since=spec.acquire_time,
            renewed_at=spec.renew_time,
            lasts_s=float(spec.lease_duration_seconds or 0),
            transitions=spec.lease_transitions or 0,
            version=found.metadata.resource_version,
        )


def _micro_time(instant: datetime | None) -> str | None:
    """Write an instant as the API's MicroTime, which wants exactly six digits."""
    return None if instant is None else instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
