"""Does flannel leave this node's pod packets unencapsulated? Decides ``backend-not-host-gw``.

A node without flannel's annotation is judged only when other nodes carry it and it has a pod CIDR, for which flannel
waits: then flannel has not started here. Where no node carries it, there is nothing to compare.
"""

from collections.abc import Iterator

from tui.model.finding import Code, Finding, Severity
from tui.model.joined import Joined


def check(joined: Joined) -> Iterator[Finding]:
    """Yield a finding for every node of another backend, and an unknown for those that do not say theirs yet."""
    flannel_in_use = any(node.backend is not None for node in joined.nodes)
    for node in joined.nodes:
        if node.encapsulated:
            yield Finding(
                code=Code.BACKEND_NOT_HOST_GW,
                severity=Severity.WARNING,
                node=node.name,
                subject=node.backend or "",
                summary=f"flannel runs {node.backend} here: host-gw nodes skip it, and nothing is planned for it",
            )
        elif node.backend is None and node.pod_cidrs and flannel_in_use:
            yield Finding(
                code=Code.BACKEND_NOT_HOST_GW,
                severity=Severity.UNKNOWN,
                node=node.name,
                subject=node.name,
                summary="flannel has not published its backend on this node; is its pod running here?",
            )
