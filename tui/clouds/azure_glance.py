"""Azure's answer about a few nodes alone: their interfaces and their tables, by the ids that were read before.

Only the compute service, for which no right is asked, says which interfaces a VM has; so a VM that was never read is
found in the list of all interfaces only. May import the adapter's own files, the ports and the model only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tui.clouds import azure_objects as objects
from tui.clouds.azure_arm import ArmApi
from tui.clouds.azure_names import ResourceId, Spellings
from tui.clouds.azure_refusals import Call
from tui.model.glance import Glance
from tui.model.network import Instance, Route
from tui.model.node import Cloud, Node
from tui.model.snapshot import CloudView
from tui.ports import NotFound

_Item = TypeVar("_Item", objects.NicItem, objects.TableItem)

_MOST_CALLS = 12
"""Lists of everything take fewer calls than more single reads than this."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the last complete read of a subscription told, and how it spelled the ids of its resources."""

    view: CloudView
    names: Spellings


def glance(
    api: ArmApi, known: Mapping[str, Known], nodes: Sequence[Node], permissions: Mapping[str, str]
) -> tuple[Glance, ...] | None:
    """Return one glance per subscription, ordered by name; None where a whole read is needed, or costs no more.

    ``known`` is by subscription, ``permissions`` are by the kind of a resource. Raises ``Denied``, ``Throttled``,
    ``Unavailable``.
    """
    members: dict[str, list[Node]] = {}
    for node in nodes:
        subscription = node.provider_id.account if node.provider_id.cloud is Cloud.AZURE else None
        if subscription is None or subscription.lower() not in known:
            return None
        members.setdefault(subscription.lower(), []).append(node)
    found: list[Glance] = []
    for subscription, own in sorted(members.items()):
        one = _Glancing(api, known[subscription], permissions).at(own)
        if one is None:
            return None
        found.append(one)
    return tuple(found)


class _Glancing:
    """A glance at one subscription."""

    def __init__(self, api: ArmApi, known: Known, permissions: Mapping[str, str]) -> None:
        self._api = api
        self._known = known
        self._permissions = permissions

    def at(self, nodes: Sequence[Node]) -> Glance | None:
        """Return what is told of these nodes; None as ``glance`` does."""
        view = self._known.view
        vms = {instance.key: instance for instance in view.instances or ()}
        keys = [node.provider_id.key or "" for node in nodes]
        if not vms.keys() >= set(keys):
            return None
        interfaces = [interface for key in keys for interface in vms[key].interfaces]
        networks = {interface.network for interface in interfaces}
        cidrs = frozenset(cidr for node in nodes for cidr in node.pod_cidrs)
        tables = [table.id for table in view.route_tables or () if table.network in {None, *networks}] if cidrs else []
        if len(interfaces) + len(tables) > _MOST_CALLS:
            return None
        nics = [nic for interface in interfaces if (nic := self._one(interface.id, objects.NicItem)) is not None]
        seen = {instance.key: instance for instance in objects.instances_of(nics, self._known.names)}
        told: dict[str, Instance | None] = {key: seen.get(key) for key in keys}
        routes: dict[str, tuple[Route, ...]] = {}
        for id_ in tables:
            item = self._one(id_, objects.TableItem)
            if item is None:
                return None
            table = objects.table_from(item, self._known.names)
            routes[table.id] = tuple(route for route in table.routes if route.destination in cidrs)
        return Glance(
            source=view.source.name,
            node_uids=frozenset(node.uid for node in nodes),
            instances=told,
            pod_cidrs=cidrs,
            routes=routes,
        )

    def _one(self, id_: str, struct: type[_Item]) -> _Item | None:
        """Return a resource; None when it does not exist."""
        place = ResourceId.parse(id_)
        if place is None:
            return None
        call = Call(path=place.text, permission=self._permissions[place.kind], subject=place.text)
        try:
            return self._api.one(call, struct)
        except NotFound:
            return None
