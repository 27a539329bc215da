"""The scenarios about routes.

May import the model only.
"""

from dataclasses import replace

from tui.demo.description import RoutePlan, Scenario
from tui.demo.sites import AZURE, COMPUTE_ENGINE, POD_CIDRS, SHARED_HOST, SHARED_SERVICE, azure, compute_engine, shared


def gce() -> Scenario:
    """Six nodes: two healthy ones, a missing route, a wrong and a dead next hop, the flag off beside a duplicate.

    A stray route besides; a write shows one read late, and there is room for three routes more.
    """
    routes = (
        RoutePlan(destination="10.42.4.0/24", to="us-central1-a/gce-linux-1"),
        RoutePlan(destination="10.42.5.0/24", to="us-central1-a/gce-linux-5-old"),
        RoutePlan(name="legacy-pods-6", destination="10.42.6.0/24", to="us-central1-a/gce-linux-2"),
        RoutePlan(destination="10.42.77.0/24", to="us-central1-a/gce-linux-7"),
    )
    return Scenario(
        name="gce",
        pod_cidrs=POD_CIDRS[:1],
        sites=(replace(COMPUTE_ENGINE, routes=routes, route_limit=12),),
        echoes=1,
        machines=(
            compute_engine("gce-linux-1", 11, 1),
            compute_engine("gce-linux-2", 12, 2),
            replace(compute_engine("gce-linux-3", 13, 3), routed=False),
            replace(compute_engine("gce-linux-4", 14, 4), routed=False),
            replace(compute_engine("gce-linux-5", 15, 5), routed=False),
            replace(compute_engine("gce-win-1", 16, 6, "windows"), forwards=False),
        ),
    )


def shared_vpc() -> Scenario:
    """Five nodes of a service project: routes lead to addresses, and stand in the host project."""
    routes = (
        RoutePlan(destination="10.42.3.0/24", to="10.132.0.11"),
        RoutePlan(destination="10.42.4.0/24", to="10.132.0.99"),
    )
    return Scenario(
        name="shared-vpc",
        pod_cidrs=POD_CIDRS[:1],
        sites=(SHARED_SERVICE, replace(SHARED_HOST, routes=routes)),
        machines=(
            shared("svc-linux-1", 11, 1),
            replace(shared("svc-linux-2", 12, 2), routed=False),
            replace(shared("svc-linux-3", 13, 3), routed=False),
            replace(shared("svc-linux-4", 14, 4), routed=False),
            replace(shared("svc-win-1", 15, 5, "windows"), forwards=False),
        ),
    )


def azure_routes() -> Scenario:
    """Six nodes in two subnets, of which one has no table: each route, flag and table that can be wrong.

    The address that a stale route leads to belongs to another VM by now.
    """
    stale = RoutePlan(name="legacy-pods-3", destination="10.42.3.0/24", to="10.240.0.9")
    stray = RoutePlan(destination="10.42.99.0/24", to="10.240.0.9")
    theirs = RoutePlan(name="to-office", destination="172.20.0.0/16", to="VirtualNetworkGateway")
    second = replace(azure("az-win-1", 0, 6, "windows"), subnet="windows", addresses=("10.240.1.5",))
    return Scenario(
        name="azure",
        pod_cidrs=POD_CIDRS[:1],
        sites=(replace(AZURE, routes=(stale, stray, theirs)),),
        echoes=1,
        machines=(
            azure("az-linux-1", 4, 1),
            replace(azure("az-linux-2", 5, 2), routed=False, spare_address="10.240.0.205"),
            replace(azure("az-linux-3", 6, 3), routed=False),
            replace(azure("az-pool-000001", 7, 4), scale_set="pool/1", forwards=False),
            replace(azure("az-win-2", 0, 5, "windows"), subnet="windows", addresses=("10.240.1.4",), forwards=False),
            second,
            replace(azure("somebody-elses", 9, 0), node=False, pod_cidrs=()),
        ),
    )


def controller() -> Scenario:
    """Kubernetes' route controller is at work: one flag is off, and one route it could not make."""
    return Scenario(
        name="controller",
        pod_cidrs=POD_CIDRS[:1],
        sites=(COMPUTE_ENGINE,),
        route_controller="cloud-controller-manager runs with --configure-cloud-routes=true",
        machines=(
            compute_engine("gce-linux-1", 11, 1),
            replace(compute_engine("gce-linux-2", 12, 2), forwards=False),
            replace(compute_engine("gce-linux-3", 13, 3), routed=False),
        ),
    )


def quota() -> Scenario:
    """The project is at its limit: a missing route cannot be made, a wrong one only be deleted first."""
    wrong = RoutePlan(destination="10.42.3.0/24", to="us-central1-a/gce-linux-1")
    return Scenario(
        name="quota",
        pod_cidrs=POD_CIDRS[:1],
        sites=(replace(COMPUTE_ENGINE, routes=(wrong,), route_limit=4),),
        machines=(
            compute_engine("gce-linux-1", 11, 1),
            replace(compute_engine("gce-linux-2", 12, 2), routed=False),
            replace(compute_engine("gce-linux-3", 13, 3), routed=False),
        ),
    )
