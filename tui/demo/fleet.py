"""From a scenario's machines to the model's instances and nodes.

May import the model only.
"""

import shlex
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import assert_never

from tui.demo.description import Machine, Scenario, Site
from tui.demo.ids import digest, interface_ids, network_id, scale_set_id, subnet_id, table_id, token, uid, vm_id, vm_key
from tui.model.network import Disruption, ForwardingSwitch, Instance, NetworkInterface, NextHopKind, Subnet
from tui.model.node import Cloud, Node, ProviderID, Taint

_FLAGS = {
    Cloud.AWS: ("SourceDestCheck", True, Disruption.NONE),
    Cloud.GCE: ("canIpForward", False, Disruption.REFRESH),
    Cloud.AZURE: ("enableIPForwarding", False, Disruption.NONE),
}


def subnets(site: Site) -> tuple[Subnet, ...]:
    """Return the site's subnets in the order of its plan; none where they belong to another project."""
    if site.host:
        return ()
    return tuple(
        Subnet(
            id=subnet_id(site, plan.name),
            network=network_id(site),
            cidrs=tuple(map(ip_network, plan.cidrs)),
            zone=plan.zone,
            route_table=table_id(site, plan),
        )
        for plan in site.subnets
    )


def instance(site: Site, machine: Machine, generation: int) -> Instance:
    """Return the machine's VM."""
    interfaces = [
        _interface(site, machine, generation, addresses=machine.addresses, forwards=machine.forwards, label="nic0")
    ]
    if machine.spare_address is not None:
        spare = (machine.spare_address,)
        interfaces.append(_interface(site, machine, generation, addresses=spare, forwards=False, label="nic1"))
    return Instance(
        cloud=site.cloud,
        id=vm_id(site, machine, generation),
        key=vm_key(site, machine, generation),
        name=machine.name,
        zone=machine.zone or None,
        running=None if site.cloud is Cloud.AWS else machine.running,
        interfaces=tuple(interfaces),
        scale_set=scale_set_id(site, machine),
    )


def _interface(
    site: Site, machine: Machine, generation: int, *, addresses: Iterable[str], forwards: bool | None, label: str
) -> NetworkInterface:
    flag, inverted, disruption = _FLAGS[site.cloud]
    identity, subject = interface_ids(site, machine, generation, label)
    return NetworkInterface(
        id=identity,
        network=network_id(site),
        subnet=subnet_id(site, machine.subnet),
        addresses=tuple(map(ip_address, addresses)),
        forwards=forwards,
        switch=ForwardingSwitch(
            subject=subject,
            flag=flag,
            inverted=inverted,
            disruption=disruption,
            token=token(site.cloud, subject, 0),
            refusal=_model_commands(site, machine, label),
        ),
        routed_by=_routed_by(site),
    )


def _model_commands(site: Site, machine: Machine, label: str) -> str | None:
    """Say how the flag of a scale set's member is changed; None for a VM with a flag of its own."""
    if machine.scale_set is None:
        return None
    name = machine.scale_set.partition("/")[0]
    where = shlex.join(["--resource-group", site.place, "--name", name, "--subscription", site.scope])
    path = f"virtualMachineProfile.networkProfile.networkInterfaceConfigurations[name={label}].enableIPForwarding=true"
    return (
        f"the model of scale set {name} decides it for all of its VMs: run az vmss update {where} --set "
        f"{shlex.quote(path)} && az vmss update-instances {where} --instance-ids '*', which also brings every other "
        "pending change of the model to the VMs"
    )


def _routed_by(site: Site) -> NextHopKind | None:
    """Compute Engine refuses a next hop by instance across projects."""
    match site.cloud:
        case Cloud.GCE:
            return NextHopKind.ADDRESS if site.host else NextHopKind.INSTANCE
        case Cloud.AZURE:
            return NextHopKind.ADDRESS
        case Cloud.AWS | Cloud.NONE:
            return None
        case _:
            assert_never(site.cloud)


def node(scenario: Scenario, site: Site | None, machine: Machine, generation: int, created_at: datetime) -> Node:
    """Return the machine's Node object as a healthy flannel and kubelet would leave it, or as the machine says."""
    addresses = tuple(map(ip_address, machine.addresses))
    reason, message = network_condition(scenario, machine)
    return Node(
        uid=uid("node", scenario.name, machine.name, str(generation)),
        name=machine.name,
        provider_id=ProviderID.parse(_provider_id(site, machine, generation)),
        os=machine.os,
        ready=machine.ready,
        schedulable=machine.schedulable,
        addresses=addresses,
        internal_ips=addresses,
        pod_cidrs=tuple(map(ip_network, machine.pod_cidrs)),
        backend=machine.backend,
        taints=taints(machine.schedulable, machine.ready),
        labels=MappingProxyType(_labels(site, machine)),
        kubelet_version=machine.version,
        created_at=created_at,
        network_reason=reason,
        network_message=message,
    )


def network_condition(scenario: Scenario, machine: Machine) -> tuple[str | None, str | None]:
    """Return reason and message of ``NetworkUnavailable`` as who wrote it last would have left them."""
    if scenario.route_controller is not None and machine.pod_cidrs:
        if machine.routed:
            return "RouteCreated", "RouteController created a route"
        return "NoRouteCreated", "RouteController failed to create a route"
    return (None, None) if machine.backend is None else ("FlannelIsUp", "Flannel is running on this node")


def age(name: str) -> timedelta:
    """Return how long a machine of this name has been there when its world begins."""
    return timedelta(hours=24 + int(digest("age", name)[:4], 16) % 2000)


def taints(schedulable: bool, ready: bool | None) -> tuple[Taint, ...]:
    """Return the taints that Kubernetes itself sets for these conditions."""
    found = []
    if not schedulable:
        found.append(Taint(key="node.kubernetes.io/unschedulable", value=None, effect="NoSchedule"))
    if not ready:
        found.append(Taint(key="node.kubernetes.io/not-ready", value=None, effect="NoSchedule"))
    return tuple(found)


def _provider_id(site: Site | None, machine: Machine, generation: int) -> str:
    if site is None or not machine.identified:
        return ""
    match site.cloud:
        case Cloud.AWS:
            return f"aws:///{machine.zone}/{vm_id(site, machine, generation)}"
        case Cloud.GCE:
            return f"gce://{vm_key(site, machine, generation)}"
        case Cloud.AZURE:
            return f"azure://{vm_id(site, machine, generation)}"
        case Cloud.NONE:
            return ""
        case _:
            assert_never(site.cloud)


def _labels(site: Site | None, machine: Machine) -> dict[str, str]:
    labels = {"kubernetes.io/arch": "amd64", "kubernetes.io/hostname": machine.name, "kubernetes.io/os": machine.os}
    if site is not None and machine.identified:
        labels["topology.kubernetes.io/region"] = site.scope if site.cloud is Cloud.AWS else site.place
        labels["topology.kubernetes.io/zone"] = machine.zone
    return labels | dict(machine.labels)
