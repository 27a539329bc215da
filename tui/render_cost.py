"""What a change costs while it is made and from then on, in one line. Pure; may import the model only."""

from dataclasses import dataclass
from typing import assert_never

from tui.model.change import (
    AssociateRouteTable,
    Change,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
    ReplaceRoute,
    SetForwarding,
)
from tui.model.network import Disruption, ReplaceMethod
from tui.model.text import printable

DISRUPTIONS = {
    Disruption.NONE: "none, the VM keeps running",
    Disruption.REFRESH: "refresh, the VM keeps running while its network is set up anew",
    Disruption.RESTART: "restart, the VM is stopped and started",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """A labelled line; ``danger`` when packets that arrive now will not."""

    text: str
    label: str = "disruption"
    danger: bool = False


def cost(change: Change) -> Cost:
    """Return what a change costs. Taking one back costs what it was made for."""
    match change:
        case SetForwarding() | CreateRoute():
            if change.after is False:
                return _danger("the cloud drops the packets of this VM's pods from then on")
            return Cost(DISRUPTIONS[change.disruption])
        case DeleteRoute():
            return _deletion(change)
        case ReplaceRoute():
            return _replacement(change)
        case CreateRouteTable() | DeleteRouteTable():
            return Cost("none, no subnet uses the table")
        case AssociateRouteTable():
            return _association(change)
        case _:
            assert_never(change)


def _danger(text: str) -> Cost:
    return Cost(text, label="DANGER", danger=True)


def _deletion(change: DeleteRoute) -> Cost:
    if change.keeps is not None:
        return Cost(f"none, {printable(change.keeps.name)} delivers these packets")
    if change.undo:
        return _danger(f"this route no longer delivers packets to {change.before.destination}")
    return Cost("none, nothing needs these packets delivered")


def _association(change: AssociateRouteTable) -> Cost:
    if change.after is None:
        return _danger("the table no longer delivers the subnet's packets to pods")
    return Cost("none, only packets to these pod CIDRs take another way")


def _replacement(change: ReplaceRoute) -> Cost:
    if change.method is ReplaceMethod.DELETE_THEN_ADD:
        return _danger("the old route is deleted first: the pod CIDR is unreachable in between")
    if change.undo:
        return _danger(f"packets to {change.after.destination} take their former way again, which was found wrong")
    if change.method is ReplaceMethod.ADD_THEN_DELETE:
        return Cost("the new route is added and proven before the old one is deleted", label="method")
    return Cost("the route is changed in place, in one step", label="method")
