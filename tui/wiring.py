"""The composition root: settings become a session. The only file that names concrete adapters and the demo."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from tui.engine.applier import Writing
from tui.engine.elsewhere import Choice, last_state
from tui.engine.files import cluster_file
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.record import Record
from tui.engine.replay import Replay
from tui.engine.session import Session
from tui.meter import Meter
from tui.model.node import Cloud
from tui.model.snapshot import Cluster, Scope
from tui.ports import Clock, CloudOptions, CloudReader, Misconfigured, NodeSource

if TYPE_CHECKING:
    from tui.settings import Settings

_T = TypeVar("_T")


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return seconds that never go backwards."""
        return monotonic()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until the event is set or the time is up; return whether it is set."""
        return event.wait(timeout_s)


def settled(settings: "Settings") -> "Settings":
    """Return the settings as they hold for the context that they name, else for the current one.

    From then on they name it: another one that becomes the current context meanwhile must not be met with what holds
    for this one. Raises ``Misconfigured``.
    """
    if not settings.contexts:
        return settings
    context = _chosen(settings)[0].context
    return replace(settings.of_context(context), context=context)


def open_session(settings: "Settings", *, asks: bool = False) -> Session:
    """Return a session on the cluster, or on the embedded world, that the settings name. Nothing is read yet.

    With ``asks`` whoever sits at the terminal may be asked to log in whenever that is needed.

    Raises ``Misconfigured`` when what the settings name cannot be used.
    """
    settings = settled(settings)
    if settings.demo is not None:
        return _open_demo(settings, settings.demo)
    from tui.clouds import CLOUDS, load_reader, load_writer  # noqa: PLC0415 - not needed by the demo
    from tui.kube import ApiServer, KubeEvents, KubeLock, KubeNodes  # noqa: PLC0415

    meter = Meter()
    options = CloudOptions(
        aws_region=settings.aws_region,
        aws_vpc=settings.aws_vpc,
        gcp_project=settings.gcp_project,
        azure_subscription=settings.azure_subscription,
        azure_resource_groups=settings.azure_resource_groups,
        azure_route_table=settings.azure_route_table,
        meter=meter,
    )
    server = ApiServer(settings.kubeconfig, settings.context, meter, asks=asks)
    session = _open(
        settings,
        nodes=KubeNodes(server),
        reader=lambda cloud: load_reader(cloud)(options) if cloud in CLOUDS else None,
        writing=Writing(
            writer=_once_each(lambda cloud: load_writer(cloud)(options)),
            lock=KubeLock(server, settings.lock_namespace),
            force_lock=settings.force_lock,
            board=KubeEvents(server),
        ),
        clock=SystemClock(),
        meter=meter,
        scope=_scope(settings),
    )
    session.login = server
    return session


def open_record(path: Path, *, speed: float) -> Session:
    """Return a session that plays the record of a watch. Raises ``Misconfigured`` when the file is none."""
    return Replay(path, SystemClock(), speed=speed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The cluster that the settings name. ``credentials`` says of which kind they are, and where from."""

    cluster: Cluster
    credentials: str
    read_only: bool
    protected: bool


def cluster_of(settings: "Settings") -> Found:
    """Return which cluster would be looked at, without asking it. Raises ``Misconfigured``."""
    cluster, credentials = _chosen(settings)
    return Found(
        cluster=cluster,
        credentials=credentials,
        read_only=settings.of_context(cluster.context).read_only,
        protected=_matches(cluster.context, settings.protected),
    )


def _chosen(settings: "Settings") -> tuple[Cluster, str]:
    """Return the cluster, and of which kind its credentials are. Raises ``Misconfigured``."""
    if settings.demo is not None:
        from tui.demo import open_world  # noqa: PLC0415 - not needed by a real cluster

        return open_world(settings.demo).nodes.cluster(), "none: the world is embedded"
    from tui.kube.kubeconfig import read_access  # noqa: PLC0415 - not needed by the demo

    access = read_access(settings.kubeconfig, settings.context)
    return Cluster(context=access.context, server=access.server), f"{access.user.kind}, from {access.origin}"


def contexts(kubeconfig: str | None) -> tuple[str, ...]:
    """Return the names of the contexts that could be looked at. Raises ``Misconfigured``."""
    from tui.kube.kubeconfig import known_contexts  # noqa: PLC0415 - not needed by the demo

    return known_contexts(kubeconfig)


def scenarios() -> Mapping[str, str]:
    """Return the embedded world's scenarios, name to description; the first one is the default."""
    from tui.demo import SCENARIOS  # noqa: PLC0415 - not needed by a real cluster

    return SCENARIOS


class Clusters:
    """The clusters that could be looked at with these settings, as they were loaded: contexts, or demo scenarios."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = replace(settings, select=None)  # a node of the first cluster

    def choices(self) -> tuple[Choice, ...]:
        """Return them in the order of the kubeconfig, without asking any. Raises ``Misconfigured``."""
        return tuple(self._choice(name, cluster) for name, cluster in self._known().items())

    def open(self, name: str) -> "tuple[Session, Settings]":
        """Return a session on one of them, and the settings as they hold there. Raises ``Misconfigured``."""
        is_demo = self._settings.demo is not None
        settings = settled(replace(self._settings, demo=name) if is_demo else replace(self._settings, context=name))
        return open_session(settings), settings

    def _known(self) -> Mapping[str, Cluster | None]:
        if self._settings.demo is not None:
            from tui.demo import SCENARIOS, cluster_named  # noqa: PLC0415 - not needed by a real cluster

            return {name: cluster_named(name) for name in SCENARIOS}
        from tui.kube.kubeconfig import known_servers  # noqa: PLC0415 - not needed by the demo

        servers = known_servers(self._settings.kubeconfig)
        return {name: Cluster(context=name, server=server) if server else None for name, server in servers.items()}

    def _choice(self, name: str, cluster: Cluster | None) -> Choice:
        context = name if cluster is None else cluster.context
        return Choice(
            name=name,
            cluster=cluster,
            read_only=self._settings.of_context(context).read_only,
            protected=_matches(context, self._settings.protected),
            last=last_state(self._settings.state_dir, cluster) if cluster else None,
        )


def _open_demo(settings: "Settings", scenario: str) -> Session:
    from tui.demo import open_world  # noqa: PLC0415 - not needed by a real cluster

    world = open_world(scenario)
    said = _scope(settings)
    silent = said == Scope(route_table=said.route_table)
    return _open(
        settings,
        nodes=world.nodes,
        reader=world.reader,
        writing=Writing(
            writer=_once_each(world.writer),
            lock=world.cluster_lock,
            force_lock=settings.force_lock,
            board=world.board,
        ),
        clock=world.clock,
        meter=world.meter,
        scope=replace(world.scope, route_table=said.route_table) if silent else said,
    )


def _open(
    settings: "Settings",
    *,
    nodes: NodeSource,
    reader: Callable[[Cloud], CloudReader | None],
    writing: Writing,
    clock: Clock,
    meter: Meter,
    scope: Scope,
) -> Session:
    reader = _once_each(reader)
    observer = Observer(nodes=nodes, reader=reader, clock=clock, scope=scope, cluster_cidrs=settings.cluster_cidrs)
    context = observer.cluster.context
    return Session(
        nodes=nodes,
        observer=observer,
        reader=reader,
        writing=None if settings.read_only else writing,
        protected=_matches(context, settings.protected),
        journal=Journal.of(settings.state_dir, observer.cluster, clock),
        clock=clock,
        meter=meter,
        # The simulated world begins anew each time.
        record=Record(cluster_file(settings.state_dir, "record", observer.cluster), context, anew=bool(settings.demo)),
    )


def _matches(context: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(context, pattern) for pattern in patterns)


def _scope(settings: "Settings") -> Scope:
    """Naming a place in a cloud says where nodes are that do not tell themselves.

    Raises ``Misconfigured`` when places in several clouds are named and nothing says which is meant.
    """
    named = {
        Cloud.AWS: settings.aws_region is not None or settings.aws_vpc is not None,
        Cloud.GCE: settings.gcp_project is not None,
        Cloud.AZURE: settings.azure_subscription is not None or bool(settings.azure_resource_groups),
    }
    clouds = [cloud for cloud, is_named in named.items() if is_named]
    if len(clouds) > 1 and settings.cloud is None:
        raise Misconfigured(
            f"places in {' and '.join(clouds)} are named: say with --cloud where nodes without a provider id live"
        )
    return Scope(
        cloud=settings.cloud,
        fallback=clouds[0] if clouds else Cloud.NONE,
        node_subnets=settings.node_subnets,
        route_table=settings.azure_route_table,
    )


def _once_each(make: Callable[[Cloud], _T]) -> Callable[[Cloud], _T]:
    """Make each cloud's object on first use and keep it: SDK clients hold connections and cached credentials."""
    made: dict[Cloud, _T] = {}
    lock = threading.Lock()

    def get(cloud: Cloud) -> _T:
        with lock:
            if cloud not in made:
                made[cloud] = make(cloud)
            return made[cloud]

    return get
