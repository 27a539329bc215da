"""The ports: what the engine asks of a cluster and of a cloud, and the errors that adapters answer with.

Adapters block, translate, and keep the foreign exception as the cause. They neither retry nor sleep nor log: policy
lives in the engine. May import the model only.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from tui.meter import Meter
from tui.model.change import Change, RouteChange
from tui.model.glance import Glance
from tui.model.lease import Lease
from tui.model.network import NetworkInterface, Route
from tui.model.node import Cloud, IPNetwork, Node
from tui.model.snapshot import CloudView, Cluster


class PortError(Exception):
    """The root of everything an adapter may raise. Its text is one sentence that says what to do."""


class Denied(PortError):
    """The credentials are missing, expired or do not allow it. Final until they change."""


class NotFound(PortError):
    """The resource does not exist (any more)."""


class Conflict(PortError):
    """Somebody else changed the resource, or works on it. Read it again and judge anew."""


class Throttled(PortError):
    """Too many calls. ``retry_after_s`` is what the server asked for, None when it did not say."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Expired(PortError):
    """The point in history that a watch wanted to continue from is gone: list again."""


class Unavailable(PortError):
    """The server cannot be reached or cannot answer now. Nothing was changed."""


class Rejected(PortError):
    """The server understood and refuses for good: a limit, a policy, an invalid value."""


class Misconfigured(PortError):
    """What the operator gave on this machine cannot be used: a missing file, an unknown context. A usage error."""


class Locked(PortError):
    """Somebody else applies to this cluster now. Nothing was changed."""


class Indeterminate(PortError):
    """The call was sent and its end is not known: it may have happened. Read before doing anything else."""


class NodeEventKind(StrEnum):
    """What a watch says about a node; ``BOOKMARK`` only moves the point to continue from."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    BOOKMARK = "bookmark"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEvent:
    """One watch event. ``node`` is None exactly for bookmarks; ``version`` is the point to continue from."""

    kind: NodeEventKind
    node: Node | None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeList:
    """A complete list of nodes in the API server's order, and the version that a watch continues from."""

    nodes: tuple[Node, ...]
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a read around a write has seen.

    About a flag: ``forwards``, None when the cloud did not say, and the ``token`` for concurrency. About routes: at
    least those of ``change.names()`` that exist, in no order. About a route table: ``table`` is its id when it exists,
    ``routes`` are all of its routes and ``subnets`` the ids of those that use it. About an association: ``table`` is
    the id of the table that the subnet has, None for none, and ``routes`` are all of the table's that it is to get.
    An id that equals one of the change's but for its casing is written as the change writes it. ``trouble`` says why
    what is read may not be in force; None when nothing says so.
    """

    forwards: bool | None = None
    token: str | None = None
    routes: tuple[Route, ...] = ()
    table: str | None = None
    subnets: tuple[str, ...] = ()
    trouble: str | None = None

    def route(self, name: str) -> Route | None:
        """Return the route of this name; None when it does not exist."""
        return next((route for route in self.routes if route.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """What a cluster tells about itself besides its nodes; what may not be read, or is not there, is None or empty.

    ``pod_cidrs`` are from flannel's ConfigMap; ``uid`` is that of the namespace ``kube-system``; ``route_controller``
    says in words which control plane component was seen to write routes.
    """

    pod_cidrs: tuple[IPNetwork, ...] = ()
    uid: str | None = None
    route_controller: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudOptions:
    """Where to look, as far as the operator said so. None and empty: told by the nodes and the SDK's own settings."""

    aws_region: str | None = None
    aws_vpc: str | None = None
    gcp_project: str | None = None
    azure_subscription: str | None = None
    azure_resource_groups: tuple[str, ...] = ()
    azure_route_table: str | None = None
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told in the cluster about a node. ``reason`` is a word in UpperCamelCase, ``by`` a program on a host."""

    node: str
    node_uid: str
    reason: str
    message: str
    warning: bool
    at: datetime
    by: str


class NodeSource(Protocol):
    """A cluster's nodes."""

    def cluster(self) -> Cluster:
        """Return context and server, without the pod CIDRs and without asking the server.

        Cheap: called before the first paint. Raises ``Misconfigured`` when the configuration cannot be used.
        """

    def list(self) -> NodeList:
        """Return all nodes. Raises ``Denied``, ``Throttled``, ``Unavailable``."""

    def watch(self, since: str) -> Iterator[NodeEvent]:
        """Yield events after ``since``; end when the server closes the stream or ``close`` is called.

        Raises ``Expired`` when ``since`` is too old, else as ``list``.
        """

    def facts(self) -> ClusterFacts:
        """Return what else the cluster tells, leaving out what is denied or missing.

        Raises ``Throttled`` and ``Unavailable``.
        """

    def identity(self) -> str | None:
        """Return whom the API server takes this program for; None when it does not tell. Raises as ``list``."""

    def close(self) -> None:
        """End a watch under way, from any thread. Calling it twice is harmless."""


class ClusterLock(Protocol):
    """The object in the cluster that keeps two operators from applying at once."""

    @property
    def place(self) -> str:
        """What it is and where, for people."""

    def read(self) -> Lease | None:
        """Return the lock as it stands, None when nobody has ever held it.

        Raises ``Denied``, ``Throttled``, ``Unavailable``.
        """

    def write(self, lease: Lease) -> Lease:
        """Let the lock be so, if it still has the version that the lease names, and return it with its new version.

        Raises as ``read``; ``Conflict`` when somebody was faster, ``Misconfigured`` when there is no such place. After
        ``Unavailable`` it may be written or not.
        """


class NoticeBoard(Protocol):
    """Where people look for what has happened to a node."""

    def post(self, notice: Notice) -> None:
        """Record it. Raises ``Denied``, ``Throttled``, ``Unavailable``, ``Rejected``, ``NotFound``."""


class CloudReader(Protocol):
    """The reading side of one cloud."""

    cloud: Cloud

    def observe(self, nodes: Sequence[Node]) -> tuple[CloudView, ...]:
        """Read what is needed to judge these nodes: one view per source, in O(pages) calls.

        Never raises a ``PortError``: what could not be read is None in its view, whose source says why.
        """

    def glance(self, nodes: Sequence[Node]) -> tuple[Glance, ...] | None:
        """Read a few nodes alone, without whole lists; None where ``observe`` must. Raises as ``identity``."""

    def read(self, change: Change) -> Reading:
        """Read what the change is about, as it is now: a flag, the routes that it names, a table, an association.

        Raises ``NotFound`` when what holds the flag or the association is gone (an absent route or table is no error),
        ``Denied``, ``Throttled``, ``Unavailable``.
        """

    def command(self, change: Change) -> str:
        """Return the same change for the cloud's own command line, quoted for a POSIX shell."""

    def identity(self, source: str) -> str | None:
        """Return who acts in a source (``Source.name``), as the cloud calls them; None where it does not tell.

        Raises ``Denied``, ``Throttled``, ``Unavailable``.
        """


@runtime_checkable
class FabricReader(Protocol):
    """What a reader also offers whose cloud tells by which routes an interface's packets really go."""

    def effective_routes(self, interface: NetworkInterface) -> tuple[Route, ...]:
        """Return the routes that the fabric applies to packets of the interface, system routes included.

        Those that are not in use are ``dead``. Takes seconds. Raises ``Denied``, ``NotFound``, ``Throttled``,
        ``Unavailable``, and ``Rejected`` when the cloud cannot tell, for instance because the VM does not run.
        """


class CloudWriter(Protocol):
    """The writing side of one cloud. In read-only mode no such object exists."""

    def write(self, change: Change) -> None:
        """Send the change, with its token where the cloud enforces one, and wait until the cloud has taken it.

        A ``ReplaceRoute`` comes here only as ``IN_PLACE``; other methods arrive as their ``steps``.

        Raises any ``PortError``. ``Unavailable`` only if nothing was sent, else ``Indeterminate``.
        """


@runtime_checkable
class TableWriter(Protocol):
    """What a writer also offers whose cloud takes many changes of one route table as one atomic write.

    All changes of a call are of one table. Each method raises as its counterpart for one change does.
    """

    def read_table(self, changes: Sequence[RouteChange]) -> Reading:
        """Read the routes that any of the changes names."""

    def write_table(self, changes: Sequence[RouteChange]) -> None:
        """Make all the changes with one write, or none of them, and keep every other route as it stands."""


class Clock(Protocol):
    """Time as the engine sees it."""

    def now(self) -> datetime:
        """Return the instant, in UTC."""

    def monotonic_s(self) -> float:
        """Return seconds that never go backwards."""

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until the event is set or the time is up; return whether it is set."""
