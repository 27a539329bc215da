"""The changing part of a world: the cluster's nodes with their history, and each site's VMs and routes.

Knows no time, no faults and no threads: whoever uses it holds the world's lock. May import the model only.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network

from tui.demo.azure_tables import AzureTables
from tui.demo.description import Deed, Machine, RoutePlan, Scenario, Site, Step
from tui.demo.fleet import age, instance, network_condition, node, subnets, taints
from tui.demo.ids import cluster, network_id, token
from tui.demo.ledger import RouteLedger
from tui.demo.routing import Reach, right_routes, route, route_tables, with_warning
from tui.model.network import Instance, NetworkInterface, Route, RouteTable, Subnet
from tui.model.node import Cloud, Node
from tui.ports import NodeEvent, NodeEventKind

_FIRST_VERSION = 1000
_KEPT_EVENTS = 10_000


class NodeLog:
    """The node objects and what happened to them: the API server's memory, with versions that grow by one.

    ``nodes`` is by name. Events after ``floor`` are remembered.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.version = _FIRST_VERSION
        self.floor = _FIRST_VERSION
        self._events: deque[NodeEvent] = deque()

    def put(self, node: Node) -> None:
        """Add the node, or replace the one of the same uid; one of another uid is deleted first."""
        known = self.nodes.get(node.name)
        if known is not None and known.uid != node.uid:
            self.delete(node.name)
            known = None
        self.nodes[node.name] = node
        self._tell(NodeEventKind.ADDED if known is None else NodeEventKind.MODIFIED, node)

    def delete(self, name: str) -> None:
        """Delete the node. Raises ``KeyError`` when there is none."""
        self._tell(NodeEventKind.DELETED, self.nodes.pop(name))

    def forget(self) -> None:
        """Forget everything that happened up to now: no version from before can be continued from."""
        self._events.clear()
        self.version += 1
        self.floor = self.version

    def after(self, version: int) -> NodeEvent | None:
        """Return the first event after a version that is not below ``floor``; None when it is the newest."""
        return self._events[version - self.floor] if version < self.version else None

    def _tell(self, kind: NodeEventKind, node: Node) -> None:
        self.version += 1
        self._events.append(NodeEvent(kind=kind, node=node, version=str(self.version)))
        if len(self._events) > _KEPT_EVENTS:
            self._events.popleft()
            self.floor += 1


class SiteState:
    """One site's VMs and routes as they are, and as readers are told for a while after a write (``echoes``).

    ``seen_at`` is the instant of the last successful observation.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.seen_at: datetime | None = None
        self.routes = RouteLedger(site)
        self.azure = AzureTables(site) if site.cloud is Cloud.AZURE else None
        """The tables of an Azure site, which then has no routes but theirs."""
        self._instances: dict[str, Instance] = {}
        self._holders: dict[str, str] = {}
        self._revisions: Counter[str] = Counter()
        self._echoes: dict[str, tuple[int, Instance]] = {}

    @property
    def subnets(self) -> tuple[Subnet, ...]:
        """The site's subnets, as they are."""
        return subnets(self.site) if self.azure is None else self.azure.told_subnets()

    def put_route(self, found: Route, table: str = "") -> None:
        """Let the site have the route: its project, or the Azure tables of this short name (see ``RoutePlan``)."""
        if self.azure is None:
            self.routes.put(found)
        else:
            self.azure.put(found, table)

    def begin(self) -> None:
        """Let the history of routes begin now."""
        self.routes.begin()
        if self.azure is not None:
            self.azure.begin()

    def add(self, machine: Machine, generation: int) -> str:
        """Let the machine's VM exist; return its id."""
        vm = instance(self.site, machine, generation)
        self._instances[vm.id] = self._stamped(vm)
        self._holders |= {interface.switch.subject: vm.id for interface in vm.interfaces}
        return vm.id

    def vm(self, vm_id: str) -> Instance:
        """Return the VM as it is."""
        return self._instances[vm_id]

    def vms(self) -> Iterable[Instance]:
        """Return all VMs as they are."""
        return self._instances.values()

    def remove(self, vm_id: str) -> None:
        """Let the VM be gone. Its routes stay."""
        vm = self._instances.pop(vm_id)
        for subject in {interface.switch.subject for interface in vm.interfaces}:
            del self._holders[subject]
            self._echoes.pop(subject, None)
            self._revisions[subject] += 1

    def set_forwarding(self, subject: str, forwards: bool, echoes: int) -> None:
        """Set the flag; the next ``echoes`` reads still see the old one. Raises ``KeyError`` for an unknown subject."""
        before = self._instances[self._holders[subject]]
        if echoes:
            self._echoes[subject] = (echoes, before)
        self._revisions[subject] += 1
        interfaces = tuple(
            replace(interface, forwards=forwards) if interface.switch.subject == subject else interface
            for interface in before.interfaces
        )
        self._instances[before.id] = self._stamped(replace(before, interfaces=interfaces))

    def interface(self, subject: str) -> NetworkInterface | None:
        """Return the interface whose flag the subject holds, as it is; None when there is none."""
        holder = self._holders.get(subject)
        return None if holder is None else _of(self._instances[holder], subject)

    def told_interface(self, subject: str) -> NetworkInterface | None:
        """Return the interface as the next read sees it, and count that read."""
        old = self._echo(subject)
        return self.interface(subject) if old is None else _of(old, subject)

    def told_instances(self) -> tuple[Instance, ...]:
        """Return all VMs as the next read sees them, and count that read."""
        told = dict(self._instances)
        for subject in tuple(self._echoes):
            old = self._echo(subject)
            if old is not None:
                told[old.id] = old
        return tuple(told.values())

    def primary(self, vm_id: str) -> NetworkInterface:
        """Return the VM's first interface, as it is."""
        return self._instances[vm_id].interfaces[0]

    def _echo(self, subject: str) -> Instance | None:
        if subject not in self._echoes:
            return None
        left, old = self._echoes.pop(subject)
        if left > 1:
            self._echoes[subject] = (left - 1, old)
        return old

    def _stamped(self, vm: Instance) -> Instance:
        return replace(vm, interfaces=tuple(self._with_token(interface) for interface in vm.interfaces))

    def _with_token(self, interface: NetworkInterface) -> NetworkInterface:
        subject = interface.switch.subject
        current = token(self.site.cloud, subject, self._revisions[subject])
        return replace(interface, switch=replace(interface.switch, token=current))


def _of(vm: Instance, subject: str) -> NetworkInterface:
    return next(interface for interface in vm.interfaces if interface.switch.subject == subject)


class State:
    """Everything in a world that changes. ``log`` are the nodes, ``sites`` are by source name."""

    def __init__(self, scenario: Scenario, begins_at: datetime) -> None:
        self.scenario = scenario
        self.cluster = cluster(scenario.name)
        self.log = NodeLog()
        self.sites = {site.source: SiteState(site) for site in scenario.sites}
        self._vms: dict[str, tuple[SiteState, str]] = {}
        self._generations: Counter[str] = Counter()
        for site in self.sites.values():
            for plan in site.site.routes:
                site.put_route(self.planned(site, plan), plan.table)
        for machine in scenario.machines:
            self.add(machine, begins_at - age(machine.name))
        self.log.forget()
        for site in self.sites.values():
            site.begin()

    def add(self, machine: Machine, created_at: datetime) -> None:
        """Let the machine exist: VM, node and routes, as far as it asks for them."""
        site = self.sites.get(machine.site)
        generation = self._generations[machine.name]
        self._generations[machine.name] += 1
        made = node(self.scenario, None if site is None else site.site, machine, generation, created_at)
        if site is not None and machine.vm:
            self._vms[machine.name] = (site, site.add(machine, generation))
            if machine.routed:
                self._route(site, made, site.vm(self._vms[machine.name][1]))
        if machine.node:
            self.log.put(made)

    def _route(self, site: SiteState, node: Node, vm: Instance) -> None:
        holder = self.sites[site.site.network_source]
        controlled = self.scenario.route_controller is not None
        for found in right_routes(self.cluster, site.site, node, vm, controlled=controlled):
            holder.put_route(found)

    def remove(self, name: str, *, vm: bool) -> None:
        """Delete the node and, if asked, its VM. Raises ``KeyError`` for an unknown name."""
        self.log.delete(name)
        if vm:
            self.terminate(name)

    def terminate(self, name: str) -> None:
        """Let the VM of a node be gone; its routes stay."""
        if name in self._vms:
            site, vm_id = self._vms.pop(name)
            site.remove(vm_id)

    def planned(self, site: SiteState, plan: RoutePlan) -> Route:
        """Return the route of a plan as the site's cloud tells it."""
        return route(self.cluster, site.site, plan)

    def reach(self, site: SiteState) -> Reach:
        """Return who can be a next hop in the site's network, be it in another project."""
        source = site.site.source
        neighbours = (other for other in self.sites.values() if other.site.network_source == source)
        return Reach.of((vm for other in neighbours for vm in other.vms()), network_id(site.site))

    def judged(self, site: SiteState, routes: Sequence[Route]) -> tuple[Route, ...]:
        """Return the routes with the warnings that their cloud gives as their next hops are now."""
        if not routes:
            return ()
        reach = self.reach(site)
        return tuple(with_warning(site.site, found, reach) for found in routes)

    def told_routes(self, site: SiteState) -> tuple[Route, ...]:
        """Return the routes as the next read sees them, and count that read."""
        return self.judged(site, site.routes.told())

    def told_tables(self, site: SiteState) -> tuple[RouteTable, ...] | None:
        """Return the route tables as the next read sees them, and count that read; None on EC2."""
        if site.azure is not None:
            return site.azure.told()
        return route_tables(site.site, self.told_routes(site), site.routes.limit)

    def interface_of(self, name: str) -> NetworkInterface:
        """Return the interface that holds the node's address, as it is. Raises ``KeyError`` when its VM is gone."""
        site, vm_id = self._vms[name]
        return site.primary(vm_id)

    def site_of(self, subject: str) -> SiteState | None:
        """Return the site in which the subject is; None when nobody knows it."""
        return next((site for site in self.sites.values() if site.interface(subject) is not None), None)

    def sites_of(self, cloud: str) -> Iterator[SiteState]:
        """Yield the cloud's sites in the scenario's order."""
        return (site for site in self.sites.values() if site.site.cloud == cloud)

    def perform(self, step: Step, at: datetime) -> None:
        """Do what the step says. A step about a node that somebody has deleted meanwhile does nothing."""
        machine = step.machine
        if step.deed is Deed.REGISTER:
            fresh = replace(machine, pod_cidrs=(), backend=None, ready=False, schedulable=True)
            self.add(fresh, at)
            return
        if step.deed is Deed.TERMINATE:
            self.terminate(machine.name)
            return
        known = self.log.nodes.get(machine.name)
        if known is None:
            return
        match step.deed:
            case Deed.CORDON:
                self.log.put(replace(known, schedulable=False, taints=taints(False, known.ready)))
            case Deed.REMOVE:
                self.remove(machine.name, vm=True)
            case Deed.LEAVE:
                self.remove(machine.name, vm=False)
            case Deed.ASSIGN:
                ranges = tuple(map(ip_network, machine.pod_cidrs))
                reason, message = network_condition(self.scenario, machine)
                known = replace(known, pod_cidrs=ranges, backend=machine.backend)
                self.log.put(replace(known, network_reason=reason, network_message=message))
            case Deed.READY:
                self.log.put(replace(known, ready=True, taints=taints(known.schedulable, True)))
