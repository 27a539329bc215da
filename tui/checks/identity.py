"""Can the node's VM, and the interface behind its address, be told?

Decides ``instance-not-found`` and ``instance-ambiguous``.
"""

from collections.abc import Iterator

from tui.model.finding import Code, Finding, Severity
from tui.model.joined import Joined
from tui.model.node import Cloud
from tui.model.snapshot import PlacementState

_SCOPE_OPTIONS = {
    Cloud.AWS: "--aws-region and --aws-vpc",
    Cloud.GCE: "--gcp-project",
    Cloud.AZURE: "--azure-subscription and --azure-resource-group",
}
_TOLD = frozenset({PlacementState.FOUND, PlacementState.NO_CLOUD})


def check(joined: Joined) -> Iterator[Finding]:
    """Yield one finding for every routed node whose VM was not told."""
    for node, placement in joined.placed():
        if placement.state in _TOLD or node.encapsulated:
            continue
        unobserved = placement.state is PlacementState.UNOBSERVED
        ambiguous = placement.state is PlacementState.AMBIGUOUS
        hint = f"; narrow it with {_SCOPE_OPTIONS[placement.cloud]}" if ambiguous else ""
        yield Finding(
            code=Code.INSTANCE_AMBIGUOUS if ambiguous else Code.INSTANCE_NOT_FOUND,
            severity=Severity.UNKNOWN if unobserved else Severity.ERROR,
            node=node.name,
            subject=", ".join(placement.candidates) or node.provider_id.raw or node.name,
            summary=f"its VM {'was not observed' if unobserved else 'cannot be told'}: {placement.reason}{hint}",
        )
