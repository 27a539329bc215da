"""Does a uniform scale set's model decide the node's flag? Decides ``scale-set-member``, which only Azure knows.

Told beside ``forwarding-off``, which cannot be mended at such an interface.
"""

from collections.abc import Iterator

from tui.model.finding import Code, Finding, Severity
from tui.model.joined import Joined


def check(joined: Joined) -> Iterator[Finding]:
    """Yield a finding for every node that does not forward and whose scale set must be changed instead."""
    for node, placement in joined.placed():
        instance, interface = placement.instance, placement.interface
        if instance is None or interface is None or instance.scale_set is None:
            continue
        if interface.forwards is not False or node.encapsulated:
            continue
        yield Finding(
            code=Code.SCALE_SET_MEMBER,
            severity=Severity.WARNING,
            node=node.name,
            subject=instance.scale_set,
            summary=(
                f"the interface belongs to the uniform scale set {instance.scale_set.rpartition('/')[2]}, whose model "
                "decides the flag of all its members, present and future"
            ),
            obstacle=interface.switch.refusal or "change the model of the scale set, then upgrade its members",
        )
