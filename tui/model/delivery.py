"""How each route table delivers the packets for each pod CIDR: the routes for exactly this range, sorted out.

Standard library only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tui.model.controller import ROUTED
from tui.model.fabric import Fabric, Held, Life, leads_to, life_at, rank
from tui.model.finding import RouteState, worst_route
from tui.model.joined import Joined
from tui.model.network import Route
from tui.model.node import Cloud, IPNetwork, Node
from tui.model.snapshot import Placement, PlacementState


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The routes of one table for one pod CIDR; each group in the order in which its routes win.

    ``routes`` are all of them, in the table's order. ``right`` lead to the node, for every sender. ``wrong`` lead
    elsewhere, or to nothing, for at least one sender. ``limited`` count for nothing: right ones that do not serve every
    sender, wrong ones that serve none.
    """

    cidr: IPNetwork
    held: Held
    routes: Sequence[Route] = ()
    right: tuple[Route, ...] = ()
    wrong: tuple[Route, ...] = ()
    limited: tuple[Route, ...] = ()
    lives: tuple[Life, ...] = ()
    """What became of the next hop of each of ``wrong``."""

    @property
    def state(self) -> RouteState:
        """Return the one state of this range in this table."""
        if not self.wrong:
            return RouteState.OK if self.right else RouteState.MISSING
        if len(self.right) + len(self.wrong) > 1:
            return RouteState.DUPLICATE
        return RouteState.BLACKHOLE if self.lives[0].dead else RouteState.WRONG_NEXT_HOP

    @property
    def delivers(self) -> bool:
        """Tell whether every route that wins leads to the node."""
        winners = self.winners
        return bool(winners) and all(route in self.right for route in winners)

    @property
    def winners(self) -> tuple[Route, ...]:
        """Return the routes that packets take now: the best priority of those whose next hop is not known to be dead.

        The cloud skips a dead one in favour of another route of the same destination. Several: packets are spread.
        """
        alive = [route for route, life in zip(self.wrong, self.lives, strict=True) if not life.dead]
        ordered = sorted((*self.right, *alive) or self.wrong, key=rank)
        return tuple(route for route in ordered if rank(route)[0] == rank(ordered[0])[0])


def deliver(cidr: IPNetwork, placement: Placement, held: Held, fabric: Fabric) -> Delivery:
    """Sort out the routes of one table for the pod CIDR of a node that is placed here."""
    right: list[Route] = []
    wrong: list[tuple[Route, Life]] = []
    limited: list[Route] = []
    routes = fabric.exact[held.table.id].get(cidr, ())
    for route in sorted(routes, key=rank):
        to_some, to_all = fabric.applies(route, placement)
        own = leads_to(route, placement)
        # The node's own VM is known, also where the table serves other networks too, or no subnet yet.
        life = life_at(route, placement.instance) if own else fabric.life(route, held)
        good = own and not life.dead
        if good and to_all:
            right.append(route)
        elif to_some and not good:
            wrong.append((route, life))
        else:
            limited.append(route)
    return Delivery(
        cidr=cidr,
        held=held,
        routes=routes,
        right=tuple(right),
        wrong=tuple(route for route, _ in wrong),
        limited=tuple(limited),
        lives=tuple(life for _, life in wrong),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What all tables that serve a node do with one of its pod CIDRs; ``state`` is the worst of them."""

    cidr: IPNetwork
    state: RouteState
    deliveries: Sequence[Delivery] = ()

    @property
    def reached(self) -> bool | None:
        """Tell whether the packets that the tables have in hand now get to the node, rivals or not; None: unknown."""
        match self.state:
            case RouteState.OK | RouteState.NOT_REQUIRED:
                return True
            case RouteState.UNKNOWN:
                return None
            case RouteState.MISSING:
                return False
        return all(delivery.delivers for delivery in self.deliveries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """A snapshot's routes, sorted out once for everything that asks about them.

    ``answers`` are by node uid and have an entry for every node, in the order of its pod CIDRs.
    """

    joined: Joined
    fabric: Fabric
    answers: Mapping[str, tuple[Delivered, ...]]

    @classmethod
    def of(cls, joined: Joined, before: "Routing | None" = None) -> "Routing":
        """Sort out the routes of a snapshot. What was sorted out before from the same objects is taken over."""
        fabric = Fabric.of(joined, None if before is None else before.fabric)
        same = before if before is not None and fabric.tables is before.fabric.tables else None
        known = {} if same is None else same.joined.by_uid
        answers = {
            node.uid: same.answers[node.uid]
            if same is not None and known.get(node.uid) is node  # and so is its placement, in the same views
            else _delivered(node, placement, fabric)
            for node, placement in joined.placed()
        }
        return cls(joined=joined, fabric=fabric, answers=answers)

    def routed(self) -> Iterator[tuple[Node, Placement]]:
        """Yield the nodes, with their placement, to which a cloud delivers pod packets by route."""
        for node, placement in self.joined.placed():
            if placement.interface is not None and not node.encapsulated and placement.cloud in ROUTED:
                yield node, placement


def _delivered(node: Node, placement: Placement, fabric: Fabric) -> tuple[Delivered, ...]:
    """Answer for every pod CIDR of a node."""
    if node.encapsulated or placement.cloud not in ROUTED:
        return tuple(Delivered(cidr=cidr, state=RouteState.NOT_REQUIRED) for cidr in node.pod_cidrs)
    interface = placement.interface
    if placement.state is not PlacementState.FOUND or interface is None:
        return tuple(Delivered(cidr=cidr, state=RouteState.UNKNOWN) for cidr in node.pod_cidrs)
    tables, unread = fabric.serving(placement), fabric.unread(placement)
    lacking = placement.cloud is Cloud.AZURE and fabric.lacks_table(interface.subnet) is True
    answers: list[Delivered] = []
    for cidr in node.pod_cidrs:
        if interface.owns(cidr):
            answers.append(Delivered(cidr=cidr, state=RouteState.NOT_REQUIRED))
        elif tables is None:
            answers.append(Delivered(cidr=cidr, state=RouteState.MISSING if lacking else RouteState.UNKNOWN))
        else:
            found = tuple(deliver(cidr, placement, held, fabric) for held in tables)
            states = [delivery.state for delivery in found]
            if lacking:
                states.append(RouteState.MISSING)
            if unread or not states:
                states.append(RouteState.UNKNOWN)
            answers.append(Delivered(cidr=cidr, state=worst_route(states), deliveries=found))
    return tuple(answers)
