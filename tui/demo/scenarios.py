"""The scenarios by name, and those that are written down machine by machine.

One entry of ``_ENTRIES`` makes a scenario known; the first is the default. May import the model only.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import ip_network
from types import MappingProxyType

from tui.demo.description import Machine, RoutePlan, Scenario, Site, SubnetPlan
from tui.demo.generated import large, upgrade
from tui.demo.hostile import hostile
from tui.demo.rolling import rolling_upgrade
from tui.demo.routed import azure_routes, controller, gce, quota, shared_vpc
from tui.demo.sites import AZURE, COMPUTE_ENGINE, EC2, POD_CIDRS, azure, compute_engine, ec2
from tui.model.node import Cloud
from tui.model.snapshot import Scope


def mixed() -> Scenario:
    """Three clouds, Linux and Windows, one node for each thing that can be wrong."""
    wrong_hop = RoutePlan(destination="10.42.21.0/24", to="10.240.0.4")
    dead_hop = RoutePlan(destination="10.42.11.0/24", to="us-central1-a/gce-linux-2-old")
    rival = RoutePlan(name="legacy-pods-12", destination="10.42.12.0/24", to="us-central1-a/gce-linux-1", priority=900)
    stray = RoutePlan(destination="10.42.15.0/24", to="us-central1-a/gce-linux-6")
    return Scenario(
        name="mixed",
        pod_cidrs=POD_CIDRS[:1],
        sites=(EC2, replace(COMPUTE_ENGINE, routes=(dead_hop, rival, stray)), replace(AZURE, routes=(wrong_hop,))),
        machines=(
            ec2("aws-linux-1", 11, 1),
            ec2("aws-linux-2", 12, 2),
            replace(ec2("aws-linux-3", 0, 3), subnet="nodes-b", zone="us-east-1b", addresses=("10.0.1.13",)),
            replace(ec2("aws-linux-4", 14, 4), backend="vxlan", forwards=False),
            replace(ec2("aws-win-1", 15, 5, "windows"), forwards=False),
            compute_engine("gce-linux-1", 11, 10),
            replace(compute_engine("gce-linux-2", 12, 11), routed=False),
            compute_engine("gce-linux-3", 13, 12),
            replace(compute_engine("gce-linux-4", 14, 13), vm=False, ready=False),
            compute_engine("gce-linux-5", 15, 13),
            replace(compute_engine("gce-win-1", 16, 14, "windows"), forwards=False),
            replace(compute_engine("gce-win-2", 17, 0, "windows"), pod_cidrs=(), backend=None, ready=False),
            azure("azure-linux-1", 4, 20),
            replace(azure("azure-linux-2", 5, 21), routed=False),
            replace(azure("azure-linux-3", 6, 22), routed=False),
            replace(azure("azure-pool-000002", 7, 23), scale_set="pool/2", forwards=False),
            replace(azure("azure-win-1", 8, 24, "windows"), forwards=False),
            replace(azure("azure-win-2", 0, 25, "windows"), subnet="windows", addresses=("10.240.1.4",)),
        ),
    )


def healthy() -> Scenario:
    """Three clouds on which nothing is wrong, one node of each dual-stack."""
    return Scenario(
        name="healthy",
        pod_cidrs=POD_CIDRS,
        sites=(EC2, COMPUTE_ENGINE, AZURE),
        machines=(
            _dual_stack(ec2("aws-linux-1", 11, 1), "2001:db8:a::11", 1),
            ec2("aws-linux-2", 12, 2),
            ec2("aws-win-1", 13, 3, "windows"),
            compute_engine("gce-linux-1", 11, 10),
            compute_engine("gce-linux-2", 12, 11),
            compute_engine("gce-win-1", 13, 12, "windows"),
            _dual_stack(azure("azure-linux-1", 4, 20), "2001:db8:c::4", 20),
            azure("azure-linux-2", 5, 21),
            azure("azure-win-1", 6, 22, "windows"),
        ),
    )


def _dual_stack(machine: Machine, address: str, pods: int) -> Machine:
    return replace(
        machine,
        addresses=(*machine.addresses, address),
        pod_cidrs=(*machine.pod_cidrs, f"2001:db8:42:{pods:x}::/64"),
    )


def aws() -> Scenario:
    """EC2 only; the check is on at two nodes, and a write shows one read late."""
    return Scenario(
        name="aws",
        pod_cidrs=POD_CIDRS[:1],
        sites=(EC2,),
        echoes=1,
        machines=(
            ec2("linux-1", 11, 1),
            replace(ec2("linux-2", 12, 2), spare_address="10.0.0.212"),
            replace(ec2("linux-3", 13, 3), forwards=False),
            ec2("linux-4", 14, 4),
            ec2("linux-5", 15, 5),
            ec2("linux-6", 16, 6),
            ec2("windows-1", 17, 7, "windows"),
            replace(ec2("windows-2", 18, 8, "windows"), forwards=False),
        ),
    )


def custom() -> Scenario:
    """A custom cluster on EC2 whose nodes carry no provider id: VMs are told by address, and one cannot be told."""
    twin = replace(ec2("somebody-elses", 13, 0), site="aws:us-west-2", node=False, pod_cidrs=())
    west = Site(
        cloud=Cloud.AWS,
        scope="us-west-2",
        network="other",
        subnets=(SubnetPlan(name="nodes-a", cidrs=("10.0.0.0/24",), zone="us-west-2a"),),
    )
    return Scenario(
        name="custom",
        pod_cidrs=POD_CIDRS[:1],
        sites=(EC2, west),
        scope=Scope(fallback=Cloud.AWS),
        machines=(
            replace(ec2("custom-1", 11, 1), identified=False),
            replace(ec2("custom-2", 12, 2), identified=False, forwards=False),
            replace(ec2("custom-3", 13, 3), identified=False),
            replace(twin, zone="us-west-2a"),
        ),
    )


def bare_metal() -> Scenario:
    """No cloud; one node is in another subnet, one has just joined."""
    racks = tuple(
        Machine(
            name=f"rack-{number}",
            site="",
            subnet="",
            addresses=(f"192.168.10.{number + 10}",),
            pod_cidrs=(f"10.42.{number}.0/24",),
            os="windows" if number > 4 else "linux",
        )
        for number in range(1, 6)
    )
    return Scenario(
        name="bare-metal",
        pod_cidrs=POD_CIDRS[:1],
        scope=Scope(node_subnets=(ip_network("192.168.10.0/24"),)),
        machines=(
            *racks,
            replace(racks[0], name="rack-6", addresses=("192.168.20.16",), pod_cidrs=("10.42.6.0/24",)),
            replace(racks[0], name="rack-7", addresses=("192.168.10.17",), pod_cidrs=(), backend=None, ready=False),
        ),
    )


def denied() -> Scenario:
    """Compute Engine lets nobody read; Kubernetes and the other clouds do."""
    denial = "compute.instances.list is missing on demo-project: ask for roles/compute.viewer"
    return Scenario(
        name="denied",
        pod_cidrs=POD_CIDRS[:1],
        sites=(EC2, replace(COMPUTE_ENGINE, denial=denial), AZURE),
        machines=(
            ec2("aws-linux-1", 11, 1),
            replace(ec2("aws-win-1", 12, 2, "windows"), forwards=False),
            compute_engine("gce-linux-1", 11, 10),
            compute_engine("gce-win-1", 12, 11, "windows"),
            azure("azure-linux-1", 4, 20),
            azure("azure-win-1", 5, 21, "windows"),
        ),
    )


def empty() -> Scenario:
    """A cluster without nodes."""
    return Scenario(name="empty", pod_cidrs=POD_CIDRS[:1], sites=(EC2,), machines=())


_ENTRIES: Mapping[str, tuple[str, Callable[[], Scenario]]] = {
    "mixed": ("three clouds, Linux and Windows, one node for each thing that can be wrong", mixed),
    "healthy": ("three clouds, nothing wrong", healthy),
    "aws": ("eight EC2 nodes, the source/destination check on at two of them", aws),
    "gce": ("six Compute Engine nodes and everything that a route can have wrong", gce),
    "azure": ("six Azure nodes in two subnets, one of which has no route table", azure_routes),
    "shared-vpc": ("Compute Engine nodes whose routes belong to another project", shared_vpc),
    "controller": ("Kubernetes' own route controller writes the routes: they are only reported", controller),
    "quota": ("no room for one route more in the Compute Engine project", quota),
    "custom": ("EC2 nodes without provider ids, told by address", custom),
    "bare-metal": ("no cloud: layer 2 is all there is to judge", bare_metal),
    "upgrade": ("a rolling upgrade: nodes are replaced over ten minutes, each with its flag off again", upgrade),
    "rolling-upgrade": (
        "twelve nodes on three clouds are replaced within five minutes, some with trouble",
        rolling_upgrade,
    ),
    "denied": ("one cloud's credentials do not suffice", denied),
    "large": ("5,000 nodes, few broken", large),
    "empty": ("no nodes at all", empty),
    "hostile": ("names and messages that attack the terminal", hostile),
}

SCENARIOS: Mapping[str, str] = MappingProxyType({name: description for name, (description, _) in _ENTRIES.items()})
"""What ``--demo=list`` shows: a line for each scenario; the first is the default."""


def scenario(name: str) -> Scenario:
    """Return the scenario. Raises ``KeyError`` for an unknown name."""
    return _ENTRIES[name][1]()
