"""Is the node in the layer-2 subnet of the others? Decides ``layer2-different``.

Asked where host-gw has only layer 2 to rely on: among the AWS nodes of one VPC, and among the nodes of no cloud.
Compute Engine and Azure deliver by route, so there nothing is required.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tui.model.finding import Code, Finding, Layer2, Severity
from tui.model.joined import Joined
from tui.model.node import Cloud, IPNetwork, Node
from tui.model.snapshot import PlacementState


def states(joined: Joined) -> dict[str, Layer2]:
    """Answer for every node, by uid."""
    return {uid: state for uid, (state, _) in _judge(joined).items()}


def check(joined: Joined) -> Iterator[Finding]:
    """Yield a finding for every node on the minority side, and an unknown where no subnet is known to judge by."""
    judged = _judge(joined)
    for node, placement in joined.placed():
        state, summary = judged[node.uid]
        if summary is None:
            continue
        interface = placement.interface
        yield Finding(
            code=Code.LAYER2_DIFFERENT,
            severity=Severity.ERROR if state is Layer2.DIFFERENT else Severity.UNKNOWN,
            node=node.name,
            subject=(interface.subnet if interface else None) or ", ".join(map(str, node.addresses)) or node.name,
            summary=summary,
        )


def _judge(joined: Joined) -> dict[str, tuple[Layer2, str | None]]:
    """Return each node's state and, where it deserves a finding, why."""
    judged: dict[str, tuple[Layer2, str | None]] = {}
    vpcs: defaultdict[str, list[tuple[Node, str]]] = defaultdict(list)
    bare: list[Node] = []
    names: dict[str, str] = {}
    for node, placement in joined.placed():
        if node.encapsulated:
            judged[node.uid] = (Layer2.NOT_REQUIRED, None)
        elif placement.state is PlacementState.NO_CLOUD:
            bare.append(node)
        elif placement.cloud is not Cloud.AWS:
            judged[node.uid] = (Layer2.NOT_REQUIRED, None)
        elif placement.interface is None or placement.interface.subnet is None:
            # Why it was not observed is identity's finding; one cause, one finding.
            judged[node.uid] = (Layer2.UNKNOWN, None)
        else:
            subnet = placement.interface.subnet
            if subnet not in names:  # thousands of nodes share a few
                names[subnet] = _name(joined, subnet)
            vpcs[placement.interface.network].append((node, names[subnet]))
    for members in vpcs.values():
        judged |= _compare(members)
    judged |= _judge_bare(bare, joined.snapshot.scope.node_subnets)
    return judged


def _name(joined: Joined, key: str) -> str:
    subnet = joined.subnets.get(key)
    if subnet is None:
        return key
    return f"{subnet.id} ({', '.join(map(str, subnet.cidrs))})" if subnet.cidrs else subnet.id


def _compare(members: Sequence[tuple[Node, str]]) -> dict[str, tuple[Layer2, str | None]]:
    """Hold each member's subnet against the one that most members are in."""
    sizes = Counter(subnet for _, subnet in members)
    ranked = sizes.most_common()
    largest, size = ranked[0]
    tie = len(ranked) > 1 and ranked[1][1] == size
    judged: dict[str, tuple[Layer2, str | None]] = {}
    for node, subnet in members:
        if subnet == largest and not tie:
            judged[node.uid] = (Layer2.SAME, None)
            continue
        other = next(name for name, _ in ranked if name != subnet) if tie or subnet == largest else largest
        sides = "neither side is the minority" if tie and sizes[subnet] == size else "this node is on the minority side"
        summary = (
            f"in {subnet} with {sizes[subnet]} of {len(members)} nodes, while {sizes[other]} are in {other}; {sides}: "
            "host-gw needs all nodes in one layer-2 subnet"
        )
        judged[node.uid] = (Layer2.DIFFERENT, summary)
    return judged


def _judge_bare(nodes: Sequence[Node], subnets: Sequence[IPNetwork]) -> dict[str, tuple[Layer2, str | None]]:
    if not subnets:
        hint = "its layer-2 subnet is not known: give it with --node-subnet CIDR"
        return {node.uid: (Layer2.UNKNOWN, hint) for node in nodes}
    members: list[tuple[Node, str]] = []
    judged: dict[str, tuple[Layer2, str | None]] = {}
    for node in nodes:
        relevant = [
            subnet for subnet in subnets if any(address.version == subnet.version for address in node.addresses)
        ]
        if not relevant:
            judged[node.uid] = (Layer2.UNKNOWN, "it has no address of the family of --node-subnet")
            continue
        held = [subnet for subnet in relevant if any(address in subnet for address in node.addresses)]
        if {subnet.version for subnet in held} != {subnet.version for subnet in relevant}:
            addresses = ", ".join(map(str, node.addresses))
            summary = f"{addresses} is not in {' or '.join(map(str, relevant))}: host-gw needs one layer-2 subnet"
            judged[node.uid] = (Layer2.DIFFERENT, summary)
        else:
            members.append((node, " and ".join(map(str, held))))
    return judged | (_compare(members) if members else {})
