"""The scenarios that follow a rule: thousands of nodes, and an upgrade in steps.

May import the model only.
"""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from tui.demo.description import Deed, Machine, RoutePlan, Scenario, Site, Step, SubnetPlan
from tui.demo.sites import COMPUTE_ENGINE, EC2, POD_CIDRS, compute_engine, ec2
from tui.model.node import Cloud

_LARGE = 5_000
_EVERY_NTH_OFF = 500
_FLEET = Site(
    cloud=Cloud.AWS,
    scope="eu-central-1",
    network="fleet",
    subnets=(
        SubnetPlan(name="nodes-a", cidrs=("172.16.0.0/17",), zone="eu-central-1a"),
        SubnetPlan(name="nodes-b", cidrs=("172.16.128.0/17",), zone="eu-central-1b"),
    ),
)


def large() -> Scenario:
    """5,000 EC2 nodes: the check is on at every 500th, two are in another subnet, one has just joined."""
    ranges = IPv4Network("10.64.0.0/10").subnets(new_prefix=24)
    machines = [_fleet_machine(number, cidr) for number, cidr in zip(range(1, _LARGE + 1), ranges, strict=False)]
    for number in (1_234, 4_321):
        address = str(IPv4Address("172.16.128.0") + number)
        machines[number] = replace(machines[number], subnet="nodes-b", zone="eu-central-1b", addresses=(address,))
    machines[-1] = replace(machines[-1], pod_cidrs=(), backend=None, ready=False, forwards=True)
    return Scenario(name="large", pod_cidrs=("10.64.0.0/10",), sites=(_FLEET,), machines=tuple(machines))


def _fleet_machine(number: int, cidr: IPv4Network) -> Machine:
    return Machine(
        name=f"fleet-{number:04}",
        site=_FLEET.source,
        subnet="nodes-a",
        zone="eu-central-1a",
        addresses=(str(IPv4Address("172.16.0.0") + 256 + number),),
        pod_cidrs=(str(cidr),),
        os="windows" if number % 4 == 0 else "linux",
        forwards=number % _EVERY_NTH_OFF != 250,
    )


_FIRST_S = 30.0
_PACE_S = 90.0
_OFFICE = RoutePlan(name="office", destination="192.168.0.0/16", to="us-central1-b/vpn-gateway")


def upgrade() -> Scenario:
    """Six nodes are replaced one after another; each comes back with its flag off, as the clouds make it.

    On EC2 a new name takes over the pod CIDR of the one that left, or the name comes back; on Compute Engine the name
    comes back, once with another pod CIDR, so that its route is missing and the old one leads astray.
    """
    ec2_nodes = [ec2(f"aws-linux-{number}", 10 + number, number) for number in range(1, 4)]
    pool = [compute_engine(f"gce-pool-{number}", 10 + number, 9 + number) for number in range(1, 4)]
    replacements = (
        (ec2_nodes[0], replace(ec2("aws-linux-4", 21, 1), forwards=False)),
        (pool[0], replace(pool[0], forwards=False, routed=False)),
        (ec2_nodes[1], replace(ec2("aws-linux-5", 22, 2), forwards=False)),
        (pool[1], replace(pool[1], forwards=False, routed=False, pod_cidrs=("10.42.14.0/24",))),
        (ec2_nodes[2], replace(ec2_nodes[2], forwards=False)),
        (pool[2], replace(pool[2], forwards=False, routed=False, pod_cidrs=pool[1].pod_cidrs)),
    )
    steps = [
        step
        for number, (old, new) in enumerate(replacements)
        for step in _replacement(_FIRST_S + number * _PACE_S, old, new)
    ]
    return Scenario(
        name="upgrade",
        pod_cidrs=POD_CIDRS[:1],
        sites=(EC2, replace(COMPUTE_ENGINE, routes=(_OFFICE,))),
        machines=(*ec2_nodes, *pool, ec2("aws-control-1", 10, 0)),
        schedule=tuple(steps),
    )


def _replacement(at_s: float, old: Machine, new: Machine) -> Iterator[Step]:
    """Yield what happens to one node of a rolling upgrade, in the order in which Kubernetes and a cloud do it."""
    yield Step(at_s=at_s, deed=Deed.CORDON, machine=old)
    yield Step(at_s=at_s + 20, deed=Deed.REMOVE, machine=old)
    yield Step(at_s=at_s + 40, deed=Deed.REGISTER, machine=new)
    yield Step(at_s=at_s + 43, deed=Deed.ASSIGN, machine=new)
    yield Step(at_s=at_s + 55, deed=Deed.READY, machine=new)
