"""Azure: network interfaces, virtual networks and route tables are read, of each subscription that nodes are in.

Everything is told by the network service; VMs are known by the interfaces that name them. May import the adapter's own
files, the ports and the model only.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar, assert_never

from tui.clouds import azure_objects as objects
from tui.clouds.azure_arm import ArmApi, NoAnswer, NoToken
from tui.clouds.azure_effective import effective_routes
from tui.clouds.azure_glance import Known, glance
from tui.clouds.azure_identity import identity_of
from tui.clouds.azure_names import ResourceId, Spellings, fold, is_group, is_subscription
from tui.clouds.azure_refusals import Call
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
from tui.model.glance import Glance
from tui.model.network import NetworkInterface, Route, RouteTable, Subnet
from tui.model.node import Cloud, Node
from tui.model.placing import placed
from tui.model.snapshot import CloudView, Source, SourceState
from tui.model.text import printable
from tui.ports import CloudOptions, Denied, Misconfigured, NotFound, PortError, Reading, Throttled, Unavailable

_SUBSCRIPTION = "AZURE_SUBSCRIPTION_ID"
_UNNAMED = f"nothing tells the subscription of these nodes: give --azure-subscription, or set {_SUBSCRIPTION}"

_NIC = "microsoft.network/networkinterfaces"
_MEMBER_NIC = f"{objects.SCALE_SET_MEMBER}/networkinterfaces"
_NETWORK = "microsoft.network/virtualnetworks"
_SUBNET = "microsoft.network/virtualnetworks/subnets"
_TABLE = "microsoft.network/routetables"
_SCALE_SET = "microsoft.compute/virtualmachinescalesets"

_PERMISSIONS: Mapping[str, str] = {
    _NIC: "Microsoft.Network/networkInterfaces/read",
    _MEMBER_NIC: "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces/read",
    _NETWORK: "Microsoft.Network/virtualNetworks/read",
    _SUBNET: "Microsoft.Network/virtualNetworks/subnets/read",
    _TABLE: "Microsoft.Network/routeTables/read",
    _SCALE_SET: "Microsoft.Compute/virtualMachineScaleSets/networkInterfaces/read",
}

_ONE_BY_ONE = 10
"""How many networks, and how many tables, outside of the given resource groups are read by themselves."""

_Item = TypeVar("_Item", objects.NicItem, objects.NetworkItem, objects.TableItem)


@dataclass(slots=True, kw_only=True)
class _Subscription:
    """What is known of one subscription while it is read; None for what nothing could be read of."""

    name: str
    nodes: list[Node]
    nics: list[objects.NicItem] | None = None
    networks: list[objects.NetworkItem] | None = None
    tables: list[objects.TableItem] | None = None
    failures: list[PortError] = field(default_factory=list)

    def fail(self, error: PortError) -> None:
        """Keep a trouble: something may be missing in what was read."""
        self.failures.append(error)

    def spellings(self) -> Spellings:
        """Return how the resources that were read call themselves."""
        return objects.spellings(self.networks or (), self.tables or (), self.nics or ())

    @property
    def is_lost(self) -> bool:
        """Whether any other call would fare as the last one did."""
        return any(isinstance(failure, NoAnswer | NoToken | Throttled | Misconfigured) for failure in self.failures)


class AzureReader:
    """The reading side of Azure: one source per subscription (``azure:SUBSCRIPTION``). Safe for several threads."""

    cloud = Cloud.AZURE

    def __init__(self, options: CloudOptions) -> None:
        self._options = options
        self._api = ArmApi(options.meter)
        self._known: Mapping[str, Known] = {}
        """What was read completely, by subscription."""

    def observe(self, nodes: Sequence[Node]) -> tuple[CloudView, ...]:
        """Read the subscriptions that these nodes are in, ordered by name.

        Per subscription, or per resource group where some are given, these are the pages of its interfaces, virtual
        networks and route tables; per uniform scale set the pages of its interfaces. Nodes of which nothing tells the
        subscription are in a view of the source ``azure:unknown``.
        """
        fallback = self._options.azure_subscription or os.environ.get(_SUBSCRIPTION)
        found: dict[str, _Subscription] = {}
        homeless: list[Node] = []
        for node in nodes:
            told = node.provider_id.account if node.provider_id.cloud is Cloud.AZURE else None
            name = (told or fallback or "").lower()
            if name:
                found.setdefault(name, _Subscription(name=name, nodes=[])).nodes.append(node)
            else:
                homeless.append(node)
        views = [self._observed(subscription) for _, subscription in sorted(found.items())]
        self._known = {
            subscription.name: Known(view, subscription.spellings())
            for (_, subscription), view in zip(sorted(found.items()), views, strict=True)
            if view.source.state is SourceState.OK
        }
        return (*views, *([_lost_view("unknown", homeless, _UNNAMED)] if homeless else ()))

    def glance(self, nodes: Sequence[Node]) -> tuple[Glance, ...] | None:
        """Read the interfaces that the nodes' VMs had at the last read, and their network's tables, one by one."""
        return glance(self._api, self._known, nodes, _PERMISSIONS)

    def read(self, change: Change) -> Reading:
        """Read the interface's flag, the table's routes, or what the subnet uses."""
        match change:
            case SetForwarding():
                call = _call(change, change.subject, (_NIC, _MEMBER_NIC))
                item = self._api.one(call, objects.NicItem)
                state = item.properties.provisioning_state
                return Reading(forwards=item.properties.enable_ip_forwarding, trouble=objects.unsettled(state))
            case CreateRoute() | ReplaceRoute() | DeleteRoute():
                table = self._table(change, change.table)
                if table is None:
                    return Reading()
                return Reading(routes=objects.named_as(table.routes, change.names()), trouble=table.trouble)
            case CreateRouteTable() | DeleteRouteTable():
                told = change.after if isinstance(change, CreateRouteTable) else change.before
                table = self._table(change, change.table, told.subnets or ())
                if table is None:
                    return Reading()
                routes = objects.named_as(table.routes, (route.name for route in told.routes))
                return Reading(table=change.table, routes=routes, subnets=table.subnets or (), trouble=table.trouble)
            case AssociateRouteTable():
                return self._association(change)
            case _:
                assert_never(change)

    def command(self, change: Change) -> str:
        """Return the change for ``az``."""
        from tui.clouds.azure_forms import command  # noqa: PLC0415

        return command(change)

    def identity(self, source: str) -> str | None:
        """Return the user or application that the token names, and its tenant; the same in every subscription.

        Raises as the port says, and ``Misconfigured``.
        """
        return identity_of(self._api.token(source.partition(":")[2]))

    def effective_routes(self, interface: NetworkInterface) -> tuple[Route, ...]:
        """Return the routes that the fabric applies to packets of the interface; those not in use are ``dead``.

        Raises as ``FabricReader`` says; takes at most half a minute.
        """
        return effective_routes(self._api, interface.id)

    def _association(self, change: AssociateRouteTable) -> Reading:
        call = _call(change, change.subject, (_SUBNET,))
        subnet = self._api.one(call, objects.SubnetItem)
        names = Spellings(table for table in (change.before, change.after) if table is not None)
        table = None if change.after is None else self._table(change, change.after)
        routes = () if table is None else objects.named_as(table.routes, (route.name for route in change.needs))
        trouble = objects.unsettled(subnet.properties.provisioning_state)
        return Reading(table=objects.table_of(subnet, names), routes=routes, trouble=trouble)

    def _table(self, change: Change, id_: str, subnets: Iterable[str] = ()) -> RouteTable | None:
        """Return the table, ids in the spelling in which they are given; None when there is no such table.

        Its ``trouble`` is also that a change of it has not ended yet.
        """
        try:
            item = self._api.one(_call(change, id_, (_TABLE,)), objects.TableItem)
        except NotFound:
            return None
        table = objects.table_from(item, Spellings([id_, *subnets]))
        return replace(table, trouble=objects.unsettled(item.properties.provisioning_state))

    def _observed(self, subscription: _Subscription) -> CloudView:
        """Read one subscription as far as it goes: one list may be allowed where another is not."""
        if not is_subscription(subscription.name):
            name = printable(subscription.name)
            return _lost_view(
                name, subscription.nodes, f"{name} is no id of a subscription: correct --azure-subscription"
            )
        groups = self._options.azure_resource_groups
        wrong = [printable(group) for group in groups if not is_group(group)]
        if wrong:
            text = f"{', '.join(wrong)} is no name of a resource group: correct --azure-resource-group"
            return _lost_view(subscription.name, subscription.nodes, text)
        subscription.nics = self._listed(subscription, _NIC, objects.NicPage)
        subscription.networks = self._listed(subscription, _NETWORK, objects.NetworkPage)
        subscription.tables = self._listed(subscription, _TABLE, objects.TablePage)
        self._read_scale_sets(subscription)
        if groups:
            self._read_elsewhere(subscription)
        return _view(subscription)

    def _listed(self, subscription: _Subscription, kind: str, page: type[objects.Page[_Item]]) -> list[_Item] | None:
        """Return the resources of one kind, as far as the groups tell them; None when none of them does."""
        groups = self._options.azure_resource_groups
        whole = f"/subscriptions/{subscription.name}"
        found: list[_Item] | None = None
        for scope in [f"{whole}/resourceGroups/{group}" for group in groups] or [whole]:
            if subscription.is_lost:
                return found
            permission = _PERMISSIONS[kind]
            call = Call(path=f"{scope}/providers/{permission.removesuffix('/read')}", permission=permission)
            try:
                listed: list[_Item] = [item for answer in self._api.pages(call, page) for item in answer.value]
            except PortError as error:
                subscription.fail(error)
            else:
                found = (found or []) + listed
        return found

    def _read_scale_sets(self, subscription: _Subscription) -> None:
        """Read the interfaces of uniform scale sets, which no other list has, by the set. One that is gone has none."""
        groups = {group.lower() for group in self._options.azure_resource_groups}
        by_subnets = [
            ResourceId.parse(id_) for id_ in dict.fromkeys(objects.scale_sets_of(subscription.networks or ()))
        ]
        told = (objects.scale_set_of(node.provider_id.raw.partition("://")[2]) for node in subscription.nodes)
        sets = [one for one in by_subnets if one is not None and (not groups or one.group.lower() in groups)]
        sets += [one for id_ in told if id_ is not None and (one := ResourceId.parse(id_)) is not None]
        for one in {fold(one.text): one for one in reversed(sets)}.values():
            if subscription.is_lost or one.kind != _SCALE_SET or one.subscription.lower() != subscription.name:
                continue
            call = Call(path=f"{one.text}/networkInterfaces", permission=_PERMISSIONS[_SCALE_SET], subject=one.text)
            try:
                items = [item for answer in self._api.pages(call, objects.NicPage) for item in answer.value]
            except NotFound:
                continue
            except PortError as error:
                subscription.fail(error)
            else:
                subscription.nics = [*(subscription.nics or ()), *items]

    def _read_elsewhere(self, subscription: _Subscription) -> None:
        """Read the virtual networks of nodes' interfaces, and the tables of their subnets, that no given group has."""
        instances = objects.instances_of(subscription.nics or (), Spellings())
        interfaces = [interface for _, interface in placed(Cloud.AZURE, subscription.nodes, instances)]
        wanted = (interface.network for interface in interfaces if interface.network)
        subscription.networks = self._added(subscription, subscription.networks, wanted, _NETWORK, objects.NetworkItem)
        used = {fold(interface.subnet) for interface in interfaces if interface.subnet is not None}
        named = (
            objects.table_of(subnet, Spellings())
            for network in subscription.networks or ()
            for subnet in network.properties.subnets or ()
            if fold(subnet.id) in used
        )
        wanted = (table for table in named if table is not None)
        subscription.tables = self._added(subscription, subscription.tables, wanted, _TABLE, objects.TableItem)
        if len({node.uid for node, _ in placed(Cloud.AZURE, subscription.nodes, instances)}) < len(subscription.nodes):
            text = (
                "the VMs of some nodes are in none of the given resource groups: give --azure-resource-group for theirs"
            )
            subscription.fail(Unavailable(text))

    def _added(
        self,
        subscription: _Subscription,
        items: list[_Item] | None,
        wanted: Iterable[str],
        kind: str,
        struct: type[_Item],
    ) -> list[_Item] | None:
        """Return the items and those that are wanted besides, unless these are many. What is gone is no trouble."""
        known = {fold(item.id) for item in items or ()}
        missing = {fold(id_): id_ for id_ in wanted if fold(id_) not in known}
        if len(missing) > _ONE_BY_ONE:
            what = "virtual networks" if kind == _NETWORK else "route tables"
            text = f"{len(missing)} {what} of the nodes are in none of the given resource groups: give theirs too"
            subscription.fail(Unavailable(text))
            return items
        for id_ in missing.values():
            place = ResourceId.parse(id_)
            if (
                subscription.is_lost
                or place is None
                or place.kind != kind
                or place.subscription.lower() != subscription.name
            ):
                continue
            call = Call(path=place.text, permission=_PERMISSIONS[kind], subject=place.text)
            try:
                items = [*(items or ()), self._api.one(call, struct)]
            except NotFound:
                continue
            except PortError as error:
                subscription.fail(error)
        return items


def _call(change: Change, id_: str, kinds: Sequence[str]) -> Call:
    """Return the call that reads a resource of one of these kinds. Raises ``NotFound`` for another source's."""
    place = ResourceId.parse(id_)
    if (
        place is None
        or place.kind not in kinds
        or f"{Cloud.AZURE}:{place.subscription.lower()}" != change.source.lower()
    ):
        raise NotFound(f"{printable(id_)} is not in {printable(change.source)}")
    return Call(path=place.text, permission=_PERMISSIONS[place.kind], subject=place.text)


def _view(subscription: _Subscription) -> CloudView:
    """Say what was read. What stands, stands, but a source with a gap or a refusal is no proof of health."""
    networks, tables = subscription.networks, subscription.tables
    names = subscription.spellings()
    instances = None if subscription.nics is None else objects.instances_of(subscription.nics, names)
    subnets: tuple[Subnet, ...] | None = None if networks is None else objects.subnets_of(networks, names)
    nothing = instances is None and subnets is None and tables is None
    messages = dict.fromkeys(str(failure) for failure in subscription.failures)
    is_denied = any(isinstance(failure, Denied) for failure in subscription.failures)
    state = SourceState.DENIED if is_denied else SourceState.UNAVAILABLE
    return CloudView(
        source=Source(
            name=f"{Cloud.AZURE}:{subscription.name}",
            state=state if messages else SourceState.OK,
            observed_at=None if nothing else datetime.now(UTC),
            message="; ".join(messages) or None,
        ),
        cloud=Cloud.AZURE,
        node_uids=frozenset(node.uid for node in subscription.nodes),
        instances=instances,
        subnets=subnets,
        route_tables=None if tables is None else objects.tables_of(tables, subnets or (), names),
        complete=not messages,
    )


def _lost_view(name: str, nodes: Iterable[Node], message: str) -> CloudView:
    return CloudView(
        source=Source(name=f"{Cloud.AZURE}:{name}", state=SourceState.UNAVAILABLE, observed_at=None, message=message),
        cloud=Cloud.AZURE,
        node_uids=frozenset(node.uid for node in nodes),
        instances=None,
        subnets=None,
        route_tables=None,
        complete=False,
    )
