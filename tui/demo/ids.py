"""Ids and tokens in the shape that each cloud gives them.

Everything follows from names: the same scenario has the same ids in every run. May import the model only.
"""

import base64
import hashlib
import uuid
from typing import assert_never

from tui.demo.description import Machine, Site, SubnetPlan
from tui.model.node import Cloud
from tui.model.snapshot import Cluster

_SERVER = "https://demo.invalid:6443"


def digest(*parts: str) -> str:
    """Return 64 hexadecimal digits that follow from the parts."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()


def uid(*parts: str) -> str:
    """Return a version 4 UUID that follows from the parts."""
    return str(uuid.UUID(digest(*parts)[:32], version=4))


def cluster(scenario: str) -> Cluster:
    """Return the cluster of a scenario: a context named after it, and a server that cannot exist."""
    return Cluster(context=f"demo-{scenario}", server=_SERVER, uid=uid("kube-system", scenario))


def identity(cloud: Cloud) -> str | None:
    """Return who acts in a cloud, as that cloud calls them; None for a cloud that is none."""
    match cloud:
        case Cloud.AWS:
            return "arn:aws:sts::123456789012:assumed-role/network-operator/demo"
        case Cloud.GCE:
            return "network-operator@demo-project.iam.gserviceaccount.com"
        case Cloud.AZURE:
            return f"network-operator@demo.example (tenant {uid('tenant')})"
        case Cloud.NONE:
            return None
        case _:
            assert_never(cloud)


def route_token(site: Site, name: str, revision: int) -> str:
    """Return the number that tells this route from an earlier one of the same name."""
    return str(int(digest("route", site.scope, name, str(revision))[:15], 16))


def token(cloud: Cloud, subject: str, revision: int) -> str | None:
    """Return the token of a flag after so many writes: a fingerprint; None where a plan carries none."""
    match cloud:
        case Cloud.GCE:
            return base64.b64encode(bytes.fromhex(digest(subject, str(revision))[:16])).decode()
        case Cloud.AWS | Cloud.AZURE | Cloud.NONE:
            return None
        case _:
            assert_never(cloud)


def arm(site: Site, provider: str, kind: str, name: str) -> str:
    """Return a Resource Manager id in the site's resource group."""
    return f"/subscriptions/{site.scope}/resourceGroups/{site.place}/providers/{provider}/{kind}/{name}"


def network_id(site: Site) -> str:
    """Return the id of the site's network."""
    match site.cloud:
        case Cloud.AWS:
            return f"vpc-0{digest(site.scope, site.network)[:16]}"
        case Cloud.GCE:
            return f"projects/{site.host or site.scope}/global/networks/{site.network}"
        case Cloud.AZURE:
            return arm(site, "Microsoft.Network", "virtualNetworks", site.network)
        case Cloud.NONE:
            return site.network
        case _:
            assert_never(site.cloud)


def subnet_id(site: Site, name: str) -> str:
    """Return the id of the site's subnet with this short name."""
    match site.cloud:
        case Cloud.AWS:
            return f"subnet-0{digest(site.scope, site.network, name)[:16]}"
        case Cloud.GCE:
            return f"projects/{site.host or site.scope}/regions/{site.place}/subnetworks/{name}"
        case Cloud.AZURE:
            return f"{network_id(site)}/subnets/{name}"
        case Cloud.NONE:
            return name
        case _:
            assert_never(site.cloud)


def table_id(site: Site, plan: SubnetPlan) -> str | None:
    """Return the id of the route table that the subnet is associated with; None without one."""
    return None if plan.table is None else arm(site, "Microsoft.Network", "routeTables", plan.table)


def vm_id(site: Site, machine: Machine, generation: int) -> str:
    """Return the id of the machine's VM: on EC2 a new one for every generation of a name, elsewhere made of names."""
    match site.cloud:
        case Cloud.AWS:
            return f"i-0{digest('instance', site.scope, machine.name, str(generation))[:16]}"
        case Cloud.GCE:
            return f"projects/{site.scope}/zones/{machine.zone}/instances/{machine.name}"
        case Cloud.AZURE if machine.scale_set is not None:
            return f"{scale_set_id(site, machine)}/virtualMachines/{machine.scale_set.partition('/')[2]}"
        case Cloud.AZURE | Cloud.NONE:
            return arm(site, "Microsoft.Compute", "virtualMachines", machine.name)
        case _:
            assert_never(site.cloud)


def scale_set_id(site: Site, machine: Machine) -> str | None:
    """Return the id of the uniform scale set that an Azure machine is a member of; None for an ordinary VM."""
    if machine.scale_set is None:
        return None
    return arm(site, "Microsoft.Compute", "virtualMachineScaleSets", machine.scale_set.partition("/")[0])


def vm_key(site: Site, machine: Machine, generation: int) -> str:
    """Return the VM's id in the form of ``Instance.key``."""
    if site.cloud is Cloud.GCE:
        return f"{site.scope}/{machine.zone}/{machine.name}"
    identity = vm_id(site, machine, generation)
    return identity if site.cloud is Cloud.AWS else identity.lower()


def interface_ids(site: Site, machine: Machine, generation: int, label: str) -> tuple[str, str]:
    """Return the interface's id and the id of the resource that holds its flag."""
    vm = vm_id(site, machine, generation)
    if site.cloud is Cloud.GCE:
        return label, vm
    if site.cloud is Cloud.AWS:
        identity = f"eni-0{digest(label, site.scope, machine.name, str(generation))[:16]}"
    elif machine.scale_set is not None:
        identity = f"{vm}/networkInterfaces/{label}"
    else:
        identity = arm(site, "Microsoft.Network", "networkInterfaces", f"{machine.name}-{label}")
    return identity, identity
