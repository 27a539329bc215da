"""Does something else write the nodes' routes? Decides ``route-controller-active``.

Two writers undo each other: while a cloud controller manager reconciles the routes, they are reported and left alone.
"""

from collections.abc import Iterator

from tui.model.delivery import Routing
from tui.model.finding import Code, Finding, Severity


def check(routing: Routing) -> Iterator[Finding]:
    """Yield at most one finding, with the evidence."""
    evidence = routing.fabric.controller
    if evidence is not None:
        yield Finding(
            code=Code.ROUTE_CONTROLLER_ACTIVE,
            severity=Severity.INFO,
            node=None,
            subject=routing.joined.snapshot.cluster.server or "route controller",
            summary=(
                f"a route controller writes the routes of this cluster: {evidence}; routes are reported and not "
                "written, forwarding is still fixed"
            ),
            obstacle=f"a route controller writes these routes ({evidence}): change them there",
        )
