"""Facts: folds node lists, watch events and cloud reads into snapshots. No thread of its own, safe for several.

Holds the newest of everything, knows how old it is, and what could not be read. May import ports and model.
"""

import threading
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from queue import SimpleQueue

from tui.model.node import Cloud, IPNetwork, Node
from tui.model.snapshot import CloudView, Cluster, Evidence, Scope, Snapshot, Source, SourceState
from tui.ports import (
    Clock,
    CloudReader,
    Denied,
    NodeEvent,
    NodeEventKind,
    NodeList,
    NodeSource,
    PortError,
)

NODES = "kubernetes"
NODES_INTERVAL_S = 300.0
"""A watch that says nothing renews itself within this time."""
CLOUD_INTERVAL_S = 60.0
"""How often the clouds are read when nothing happens."""


class Observer:
    """The newest facts. ``reader`` returns the reading side of a cloud, None for one that this version cannot read."""

    def __init__(
        self,
        *,
        nodes: NodeSource,
        reader: Callable[[Cloud], CloudReader | None],
        clock: Clock,
        scope: Scope,
        cluster_cidrs: tuple[IPNetwork, ...] = (),
    ) -> None:
        self._source = nodes
        self._reader = reader
        self._clock = clock
        self._scope = scope
        self._lock = threading.Lock()
        self._listing = threading.Lock()
        self._meanwhile: list[NodeEvent] = []
        """The events that were folded in since the list under way was asked for."""
        self._cluster_cidrs = cluster_cidrs
        self._cluster = replace(nodes.cluster(), pod_cidrs=cluster_cidrs)
        self._nodes: dict[str, Node] | None = None
        self._nodes_source = Source(name=NODES, state=SourceState.OK, observed_at=None)
        self._views: Mapping[str, CloudView] = {}
        self._remaining: Mapping[str, int] = {}

    @property
    def cluster(self) -> Cluster:
        """The cluster, with its pod CIDRs once they are known."""
        return self._cluster

    def list_nodes(self) -> NodeList:
        """List the nodes and fold them in. Raises what the source raises, after recording it."""
        with self._listing:  # so that an older list cannot be folded in after a newer one
            with self._lock:
                self._meanwhile = []
            try:
                listing = self._source.list()
            except PortError as error:
                self.lost_nodes(error)
                raise
            with self._lock:
                # Unchanged nodes stay the same objects, so that comparing two snapshots is cheap.
                known = self._nodes or {}
                self._nodes = {node.uid: _same(known.get(node.uid), node) for node in listing.nodes}
                # The list may be older than what the watch, which tells nothing twice, has told since.
                for event in self._meanwhile:
                    self._fold(event)
        self.heard_nodes()
        self._learn_facts()
        return listing

    def fold(self, event: NodeEvent) -> tuple[Cloud, Node] | None:
        """Fold one watch event in; return the node that is another one by it, and its cloud; None when nothing is."""
        with self._lock:
            if self._listing.locked():
                self._meanwhile.append(event)
            changed = self._fold(event)
        self.heard_nodes()
        return None if changed is None else (self._scope.cloud_of(changed), changed)

    def _fold(self, event: NodeEvent) -> Node | None:
        """Return the node, as it is now or was last, if anything about it has changed."""
        node = event.node
        if node is None or self._nodes is None:
            return None
        if event.kind is NodeEventKind.DELETED:
            return self._nodes.pop(node.uid, None)
        known = self._nodes.get(node.uid)
        self._nodes[node.uid] = _same(known, node)
        return None if known == node else node

    def heard_nodes(self) -> None:
        """Record that the API server has just confirmed what is known."""
        with self._lock:
            self._nodes_source = Source(name=NODES, state=SourceState.OK, observed_at=self._clock.now())

    def lost_nodes(self, error: PortError) -> None:
        """Record that the API server did not answer, keeping what it said before."""
        with self._lock:
            self._nodes_source = _failed(NODES, self._nodes_source.observed_at, error)

    def _learn_facts(self) -> None:
        """Ask what else the cluster tells; what it does not tell now, it may have told before."""
        try:
            facts = self._source.facts()
        except PortError as error:
            self.lost_nodes(error)
            return
        with self._lock:
            self._cluster = replace(
                self._cluster,
                pod_cidrs=self._cluster_cidrs or facts.pod_cidrs or self._cluster.pod_cidrs,
                uid=facts.uid or self._cluster.uid,
                route_controller=facts.route_controller,
            )

    def draining(self) -> list[Node]:
        """Return the cordoned nodes on which pods are left, as far as is known."""
        with self._lock:
            cordoned = [node for node in (self._nodes or {}).values() if not node.schedulable]
            uids = {node.uid for node in cordoned}
            self._remaining = {uid: number for uid, number in self._remaining.items() if uid in uids}
            return [node for node in cordoned if self._remaining.get(node.uid) != 0]

    def left_on(self, node: Node, number: int) -> bool:
        """Record how many pods are left on a node that is being drained; tell whether that is another number."""
        with self._lock:
            before, self._remaining = self._remaining, {**self._remaining, node.uid: number}
        return before.get(node.uid) != number

    def clouds(self) -> frozenset[Cloud]:
        """Return the clouds that known nodes live in."""
        with self._lock:
            return frozenset(map(self._scope.cloud_of, (self._nodes or {}).values())) - {Cloud.NONE}

    def read_clouds(
        self, told: Callable[[], None] = lambda: None, *, only: Container[Cloud] = frozenset(Cloud)
    ) -> None:
        """Read every cloud that a known node lives in, or ``only`` some, at once, and fold the views in as they come.

        ``told`` is called, in the calling thread, after each: a cloud that is slow does not hold up the others.
        """
        with self._lock:
            nodes = tuple((self._nodes or {}).values())
        by_cloud: dict[Cloud, list[Node]] = {}
        for node in nodes:
            cloud = self._scope.cloud_of(node)
            if cloud is not Cloud.NONE and cloud in only:
                by_cloud.setdefault(cloud, []).append(node)
        asked_at = self._clock.now()
        fresh: set[str] = set()
        answers: SimpleQueue[tuple[CloudView, ...] | Exception] = SimpleQueue()
        for cloud, members in by_cloud.items():
            # Daemons, not a pool: quitting must not wait for a cloud that does not answer.
            threading.Thread(target=self._read, args=(cloud, members, answers.put), name=cloud, daemon=True).start()
        for _ in by_cloud:
            answer = answers.get()
            if isinstance(answer, Exception):
                raise answer
            views = {view.source.name: self._keep(_asked(view, asked_at)) for view in answer}
            fresh |= views.keys()
            with self._lock:
                self._views = {**self._views, **views}
            told()
        with self._lock:
            self._views = {name: view for name, view in self._views.items() if name in fresh or view.cloud not in only}

    def glance(self, cloud: Cloud, nodes: Sequence[Node]) -> bool:
        """Read these nodes of a cloud alone and fold it in; tell whether that says as much of them as reading all."""
        reader, asked_at = self._reader(cloud), self._clock.now()
        if reader is None:
            return False
        try:
            glances = reader.glance(nodes)
        except PortError:
            return False
        read = Evidence(asked_at=asked_at, answered_at=self._clock.now())
        with self._lock:
            subnets = {subnet.id for view in self._views.values() for subnet in view.subnets or ()}
            renewed: dict[str, CloudView] = {}
            for glance in glances or ():
                view = self._views.get(glance.source)
                found = glance.renew(view, read) if view is not None and view.source.state is SourceState.OK else None
                if found is None or not glance.subnets <= subnets:
                    return False
                renewed[glance.source] = found
            self._views = {**self._views, **renewed}
        return glances is not None

    def _read(
        self, cloud: Cloud, nodes: Sequence[Node], answer: Callable[[tuple[CloudView, ...] | Exception], None]
    ) -> None:
        try:
            reader = self._reader(cloud)
            answer(reader.observe(nodes) if reader is not None else _unreadable(cloud, nodes))
        except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
            answer(error)

    def _keep(self, view: CloudView) -> CloudView:
        """Fall back on the last view for what a source does not tell now, unless that is too old to be believed."""
        last = self._views.get(view.source.name)
        if last is None or last.source.observed_at is None:
            return view
        untold = view.instances is None or (view.route_tables is None and last.route_tables is not None)
        if not untold:
            return view
        source = replace(view.source, observed_at=last.source.observed_at, asked_at=last.source.asked_at)
        if view.source.state is SourceState.DENIED or self._old(last.source.observed_at, CLOUD_INTERVAL_S):
            return replace(view, source=source)
        kept = last if view.instances is None else replace(view, route_tables=last.route_tables)
        return replace(kept, source=source, complete=False)  # it cannot know of what has come since

    def _old(self, at: datetime, interval_s: float) -> bool:
        return self._clock.now() - at > timedelta(seconds=2 * interval_s)

    def snapshot(self) -> Snapshot:
        """Return everything known now; what has outlived twice its interval is marked stale."""
        with self._lock:
            nodes = None if self._nodes is None else tuple(self._nodes.values())
            return Snapshot(
                taken_at=self._clock.now(),
                cluster=self._cluster,
                scope=self._scope,
                nodes=nodes,
                nodes_source=self._aged(self._nodes_source, NODES_INTERVAL_S),
                remaining=self._remaining,
                views=tuple(map(self._aged_view, self._views.values())),
            )

    def _aged_view(self, view: CloudView) -> CloudView:
        """Return the view itself as long as it is fresh, so that a judgement sees that nothing about it has changed."""
        source = self._aged(view.source, CLOUD_INTERVAL_S)
        return view if source is view.source else replace(view, source=source)

    def _aged(self, source: Source, interval_s: float) -> Source:
        if source.state is SourceState.OK and source.observed_at and self._old(source.observed_at, interval_s):
            return replace(source, state=SourceState.STALE, message="no newer answer; ctrl+r asks again")
        return source


def _asked(view: CloudView, at: datetime) -> CloudView:
    """Return the view with the instant at which its read was begun, if it told anything."""
    return view if view.source.observed_at is None else replace(view, source=replace(view.source, asked_at=at))


def _same(known: Node | None, node: Node) -> Node:
    return known if known == node else node


def _failed(name: str, observed_at: datetime | None, error: PortError) -> Source:
    state = SourceState.DENIED if isinstance(error, Denied) else SourceState.UNAVAILABLE
    return Source(name=name, state=state, observed_at=observed_at, message=str(error))


def _unreadable(cloud: Cloud, nodes: Sequence[Node]) -> tuple[CloudView, ...]:
    """Return a view per account that says honestly that nothing of it was read."""
    accounts: dict[str, list[str]] = {}
    for node in nodes:
        accounts.setdefault(node.provider_id.account or "unknown", []).append(node.uid)
    return tuple(
        CloudView(
            source=Source(
                name=f"{cloud}:{account}",
                state=SourceState.UNAVAILABLE,
                observed_at=None,
                message="this version cannot read this cloud yet; its nodes are not judged",
            ),
            cloud=cloud,
            node_uids=frozenset(uids),
            instances=None,
            subnets=None,
            route_tables=None,
        )
        for account, uids in sorted(accounts.items())
    )
