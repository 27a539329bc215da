"""The networks that the scenarios share, and the machines that are usual in them.

May import the model only.
"""

from dataclasses import replace

from tui.demo.description import Machine, Site, SubnetPlan
from tui.model.network import ROUTES_PER_TABLE
from tui.model.node import Cloud

POD_CIDRS = ("10.42.0.0/16", "2001:db8:42::/48")

EC2 = Site(
    cloud=Cloud.AWS,
    scope="us-east-1",
    network="demo",
    subnets=(
        SubnetPlan(name="nodes-a", cidrs=("10.0.0.0/24", "2001:db8:a::/64"), zone="us-east-1a"),
        SubnetPlan(name="nodes-b", cidrs=("10.0.1.0/24",), zone="us-east-1b"),
    ),
)
COMPUTE_ENGINE = Site(
    cloud=Cloud.GCE,
    scope="demo-project",
    network="demo",
    place="us-central1",
    subnets=(SubnetPlan(name="nodes", cidrs=("10.128.0.0/20",)),),
)
SHARED_HOST = Site(
    cloud=Cloud.GCE,
    scope="demo-host",
    network="shared",
    place="us-central1",
    subnets=(SubnetPlan(name="nodes", cidrs=("10.132.0.0/20",)),),
)
SHARED_SERVICE = replace(SHARED_HOST, scope="demo-service", host="demo-host")
AZURE = Site(
    cloud=Cloud.AZURE,
    scope="5ca1ab1e-0000-4000-8000-00000000da7a",
    network="demo-vnet",
    place="demo-rg",
    subnets=(
        SubnetPlan(name="nodes", cidrs=("10.240.0.0/24", "2001:db8:c::/64"), table="demo-routes"),
        SubnetPlan(name="windows", cidrs=("10.240.1.0/24",)),
    ),
    route_limit=ROUTES_PER_TABLE,
)


def ec2(name: str, host: int, pods: int, os: str = "linux") -> Machine:
    """Return a healthy EC2 machine at 10.0.0.``host`` with the pod CIDR 10.42.``pods``.0/24."""
    return Machine(
        name=name,
        site=EC2.source,
        subnet="nodes-a",
        zone="us-east-1a",
        addresses=(f"10.0.0.{host}",),
        pod_cidrs=(f"10.42.{pods}.0/24",),
        os=os,
    )


def compute_engine(name: str, host: int, pods: int, os: str = "linux") -> Machine:
    """Return a healthy Compute Engine machine at 10.128.0.``host`` with the pod CIDR 10.42.``pods``.0/24."""
    return Machine(
        name=name,
        site=COMPUTE_ENGINE.source,
        subnet="nodes",
        zone="us-central1-a",
        addresses=(f"10.128.0.{host}",),
        pod_cidrs=(f"10.42.{pods}.0/24",),
        os=os,
    )


def shared(name: str, host: int, pods: int, os: str = "linux") -> Machine:
    """Return a healthy machine in the Shared VPC at 10.132.0.``host`` with the pod CIDR 10.42.``pods``.0/24."""
    here = compute_engine(name, host, pods, os)
    return replace(here, site=SHARED_SERVICE.source, addresses=(f"10.132.0.{host}",))


def azure(name: str, host: int, pods: int, os: str = "linux") -> Machine:
    """Return a healthy Azure machine at 10.240.0.``host`` with the pod CIDR 10.42.``pods``.0/24."""
    return Machine(
        name=name,
        site=AZURE.source,
        subnet="nodes",
        zone="westeurope-1",
        addresses=(f"10.240.0.{host}",),
        pod_cidrs=(f"10.42.{pods}.0/24",),
        os=os,
    )
