"""May the node's VM carry packets that are not its own? Decides ``forwarding-off``."""

from collections.abc import Iterator

from tui.model.change import SetForwarding
from tui.model.finding import Code, Finding, Forwarding, Severity
from tui.model.joined import Joined
from tui.model.network import NetworkInterface
from tui.model.node import Node
from tui.model.snapshot import Placement, PlacementState


def state(node: Node, placement: Placement) -> Forwarding:
    """Answer for one node; ``NOT_REQUIRED`` where the cloud never sees a pod address, or delivers the range itself."""
    interface = placement.interface
    if node.encapsulated or placement.state is PlacementState.NO_CLOUD:
        return Forwarding.NOT_REQUIRED
    if interface is None:
        return Forwarding.UNKNOWN
    if interface.owned_cidrs and node.pod_cidrs and all(map(interface.owns, node.pod_cidrs)):
        return Forwarding.NOT_REQUIRED
    if interface.forwards is None:
        return Forwarding.UNKNOWN
    return Forwarding.ON if interface.forwards else Forwarding.OFF


def check(joined: Joined) -> Iterator[Finding]:
    """Yield a finding, with its remedy, for every interface that drops pod packets or does not say."""
    for node, placement in joined.placed():
        interface = placement.interface
        if interface is None:
            continue
        match state(node, placement):
            case Forwarding.OFF:
                yield _off(node, placement, interface)
            case Forwarding.UNKNOWN:
                yield Finding(
                    code=Code.FORWARDING_OFF,
                    severity=Severity.UNKNOWN,
                    node=node.name,
                    subject=interface.switch.subject,
                    summary=f"{interface.switch.flag} of {interface.switch.subject} was not told by the cloud",
                )
            case Forwarding.ON | Forwarding.NOT_REQUIRED:
                pass


def _off(node: Node, placement: Placement, interface: NetworkInterface) -> Finding:
    switch, instance = interface.switch, placement.instance
    refusal = switch.refusal
    if refusal is not None and instance is not None and instance.scale_set is not None:
        refusal = f"the model of its scale set decides it: see {Code.SCALE_SET_MEMBER}"
    holder = switch.subject.rpartition("/")[2]
    value = str(switch.value(False)).lower()
    summary = f"{switch.flag} of {holder} is {value}: the cloud drops packets from and to this node's pods"
    remedy = SetForwarding(
        node=node.name,
        node_uid=node.uid,
        cloud=placement.cloud,
        source=placement.source or "",
        subject=switch.subject,
        flag=switch.flag,
        inverted=switch.inverted,
        before=False,
        after=True,
        reason=summary,
        token=switch.token,
        disruption=switch.disruption,
        caution=switch.caution,
    )
    return Finding(
        code=Code.FORWARDING_OFF,
        severity=Severity.ERROR,
        node=node.name,
        subject=switch.subject,
        summary=summary,
        remedy=() if refusal else (remedy,),
        obstacle=refusal,
    )
