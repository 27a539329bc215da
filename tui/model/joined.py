"""The join of nodes with the interfaces that carry their packets. It never guesses: see ``Placement``.

Standard library only.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import is_

from tui.model.network import Instance, NetworkInterface, Subnet
from tui.model.node import Cloud, IPAddress, Node
from tui.model.snapshot import CloudView, Placement, PlacementState, Scope, Snapshot, SourceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A snapshot with its nodes joined to their VMs: what the checks judge.

    ``placements`` are by node uid and have an entry for every node; ``subnets`` are all observed ones, by id.
    ``index`` is what the nodes were looked up in.
    """

    snapshot: Snapshot
    placements: Mapping[str, Placement]
    subnets: Mapping[str, Subnet]
    index: "_Index" = field(repr=False)

    @classmethod
    def of(cls, snapshot: Snapshot, before: "Joined | None" = None) -> "Joined":
        """Join every node of a snapshot. What an earlier join found out about the same objects is taken over."""
        if before is None or not before.same_clouds(snapshot):
            subnets = {subnet.id: subnet for view in snapshot.views for subnet in view.subnets or ()}
            before = cls(
                snapshot=replace(snapshot, nodes=()), placements={}, subnets=subnets, index=_Index.of(snapshot.views)
            )
        index, known = before.index, before.by_uid
        placements = {
            node.uid: before.placements[node.uid]
            if known.get(node.uid) is node
            else _place(node, snapshot.scope, index)
            for node in snapshot.nodes or ()
        }
        return cls(snapshot=snapshot, placements=placements, subnets=before.subnets, index=index)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes; empty while synchronising."""
        return self.snapshot.nodes or ()

    @property
    def by_uid(self) -> Mapping[str, Node]:
        """The nodes by uid."""
        return {node.uid: node for node in self.nodes}

    def same_clouds(self, other: Snapshot) -> bool:
        """Tell whether another snapshot has the very same views and scope: only its nodes may differ."""
        mine = self.snapshot
        return (
            mine.scope == other.scope and len(mine.views) == len(other.views) and all(map(is_, mine.views, other.views))
        )

    def placed(self) -> Iterator[tuple[Node, Placement]]:
        """Yield every node with its placement, in the API server's order."""
        return zip(self.nodes, map(self.placements.__getitem__, (node.uid for node in self.nodes)), strict=True)

    def subnet_of(self, placement: Placement) -> Subnet | None:
        """Return the subnet of the node's interface; None when it was not observed."""
        interface = placement.interface
        return self.subnets.get(interface.subnet) if interface is not None and interface.subnet is not None else None


@dataclass(frozen=True, slots=True)
class _Index:
    views: tuple[CloudView, ...]
    by_key: Mapping[tuple[Cloud, str], tuple[CloudView, Instance]]
    by_address: Mapping[tuple[Cloud, IPAddress], tuple[tuple[CloudView, Instance, NetworkInterface], ...]]

    @classmethod
    def of(cls, views: tuple[CloudView, ...]) -> "_Index":
        by_key: dict[tuple[Cloud, str], tuple[CloudView, Instance]] = {}
        by_address: dict[tuple[Cloud, IPAddress], tuple[tuple[CloudView, Instance, NetworkInterface], ...]] = {}
        for view in views:
            for instance in view.instances or ():
                by_key[view.cloud, instance.key] = (view, instance)
                for interface in instance.interfaces:
                    for address in interface.addresses:
                        at = (view.cloud, address)
                        by_address[at] = (*by_address.get(at, ()), (view, instance, interface))
        return cls(views, by_key, by_address)


def _place(node: Node, scope: Scope, index: _Index) -> Placement:
    cloud = scope.cloud_of(node)
    if cloud is Cloud.NONE:
        return Placement(state=PlacementState.NO_CLOUD, cloud=cloud)
    key = scope.key_of(node)
    if key is not None and (cloud, key) in index.by_key:
        return _interface_of(node, *index.by_key[cloud, key])
    gap = _gap(node, cloud, index.views)
    if gap is not None:
        return Placement(state=PlacementState.UNOBSERVED, cloud=cloud, reason=gap)
    if key is not None:
        return Placement(state=PlacementState.NOT_FOUND, cloud=cloud, reason=f"there is no VM {key}")
    return _by_address(node, cloud, index)


def _gap(node: Node, cloud: Cloud, views: Iterable[CloudView]) -> str | None:
    """Return why an absence would prove nothing; None when every source that was to be asked has answered fully."""
    asked = [view for view in views if view.cloud is cloud and node.uid in view.node_uids]
    if not asked:
        return "not read yet"
    for view in asked:
        if view.instances is None or not view.complete:
            answered = view.source.state is SourceState.OK
            return f"{view.source.name} {'answered only in part' if answered else f'is {view.source.state}'}"
    return None


def _interface_of(node: Node, view: CloudView, instance: Instance) -> Placement:
    for address in node.addresses:
        for interface in instance.interfaces:
            if address in interface.addresses:
                return Placement(
                    state=PlacementState.FOUND,
                    cloud=view.cloud,
                    source=view.source.name,
                    instance=instance,
                    interface=interface,
                )
    addresses = ", ".join(map(str, node.addresses)) or "no address"
    return Placement(
        state=PlacementState.NOT_FOUND,
        cloud=view.cloud,
        candidates=(instance.id,),
        reason=f"no interface of {instance.id} holds the node's address ({addresses})",
    )


def _by_address(node: Node, cloud: Cloud, index: _Index) -> Placement:
    if not node.addresses:
        return Placement(state=PlacementState.NOT_FOUND, cloud=cloud, reason="the node has no address to look for")
    for address in node.addresses:
        holders = index.by_address.get((cloud, address), ())
        # Another source may hold the same address for somebody else's VM: only those asked about the node count.
        found = tuple(holder for holder in holders if node.uid in holder[0].node_uids)
        if len(found) == 1:
            view, instance, interface = found[0]
            return Placement(
                state=PlacementState.FOUND, cloud=cloud, source=view.source.name, instance=instance, interface=interface
            )
        if found:
            candidates = tuple(sorted(f"{interface.id} in {interface.network}" for _, _, interface in found))
            return Placement(
                state=PlacementState.AMBIGUOUS,
                cloud=cloud,
                candidates=candidates,
                reason=f"{address} is held by {len(found)} interfaces",
            )
    addresses = ", ".join(map(str, node.addresses))
    return Placement(state=PlacementState.NOT_FOUND, cloud=cloud, reason=f"no interface holds {addresses}")
