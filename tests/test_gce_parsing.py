"""Compute Engine's answers become the model's values: recorded ones, and shapes that servers rarely give.

What the structs read is held against the models of the typed client, which the program itself never loads.
"""

import json
import os
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.wire.gce import ComputeServer, Nic, fresh_gce  # noqa: F401 - the fixture
from tui.clouds.gce_names import Names
from tui.clouds.gce_objects import (
    InstanceItem,
    InstancePage,
    InterfaceItem,
    ProjectItem,
    RouteItem,
    RoutePage,
    SubnetworkPage,
    gaps,
    instance_of,
    instances_of,
    quota_of,
    route_of,
    routes_of,
    subnets_of,
)
from tui.model.network import Instance, NetworkInterface, NextHopKind, Route

if TYPE_CHECKING:
    from google.cloud import compute_v1

NAMES = Names(home="p")
HOST = "https://www.googleapis.com/compute/v1/"
NETWORK = f"{HOST}projects/p/global/networks/default"
_BESIDE = Path(__file__).parents[2] / "shared" / "recordings"
_RECORDINGS = Path(os.environ.get("L2BRIDGE_RECORDINGS", _BESIDE)) / "gce"


def recorded(name: str) -> dict[str, Any]:
    path = _RECORDINGS / name
    if not path.exists():
        pytest.skip(f"the recording gce/{name} is absent (L2BRIDGE_RECORDINGS names its folder)")
    return dict(json.loads(path.read_text())["body"])


def vm(**changes: Any) -> Instance:
    told = {"name": "n1", "zone": f"{HOST}projects/p/zones/z", "status": "RUNNING", **changes}
    return instance_of(msgspec.convert(told, InstanceItem), NAMES)


def nic(**changes: Any) -> NetworkInterface:
    told = {"name": "nic0", "network": NETWORK, "networkIP": "10.0.0.4", **changes}
    return vm(networkInterfaces=[told]).interfaces[0]


def route(**changes: Any) -> Route:
    told = {"name": "r1", "network": NETWORK, "destRange": "10.42.1.0/24", **changes}
    made = route_of(msgspec.convert(told, RouteItem), NAMES)
    assert made is not None
    return made


@pytest.mark.parametrize(
    "told",
    [
        "https://www.googleapis.com/compute/v1/projects/p/global/networks/n",
        "https://compute.googleapis.com/compute/v1/projects/p/global/networks/n",
        "https://compute.example-universe.goog/compute/beta/projects/p/global/networks/n",
        "//compute.googleapis.com/projects/p/global/networks/n",
        "/projects/p/global/networks/n",
        "projects/p/global/networks/n",
        "global/networks/n",
        "https://www.googleapis.com/compute/v1/projects/1000/global/networks/n",
        "projects/1000/global/networks/n",
    ],
)
def test_the_same_network_has_one_id_however_it_is_written(told: str) -> None:
    assert Names(home="p", aliases={"1000": "p"}).id(told) == "projects/p/global/networks/n"


def test_a_project_with_a_domain_is_one_word() -> None:
    assert Names(home="x").id("projects/example.com:p/zones/z") == "projects/example.com:p/zones/z"
    assert Names(home="x").id("") == ""


@pytest.mark.parametrize(
    ("status", "running", "writable"),
    [
        ("RUNNING", True, True),
        ("TERMINATED", False, True),
        ("STOPPED", False, True),
        ("STOPPING", False, False),
        ("SUSPENDING", False, False),
        ("SUSPENDED", False, False),
        ("PROVISIONING", None, False),
        ("STAGING", None, False),
        ("REPAIRING", None, False),
        ("SOMETHING_NEW", None, False),
        ("", None, True),
    ],
)
def test_states_say_whether_it_runs_and_whether_it_can_be_changed(
    status: str, running: bool | None, writable: bool
) -> None:
    machine = vm(status=status, networkInterfaces=[{"name": "nic0", "network": NETWORK}])
    assert machine.running is running
    refusal = machine.interfaces[0].switch.refusal
    assert (refusal is None) is writable
    assert refusal is None or (status.lower() in refusal and "\n" not in refusal)


def test_a_flag_that_is_not_told_is_off_and_counts_for_every_interface() -> None:
    nics = [{"name": f"nic{number}", "network": NETWORK} for number in (0, 1)]
    assert [one.forwards for one in vm(networkInterfaces=nics).interfaces] == [False, False]
    assert [one.forwards for one in vm(networkInterfaces=nics, canIpForward=True).interfaces] == [True, True]


def test_the_primary_address_is_first_and_aliases_are_owned() -> None:
    interface = nic(
        ipv6Address="fd20:1:2:3:0:0:0:0/96",
        internalIpv6PrefixLength=96,
        ipv6AccessConfigs=[{"externalIpv6": "2600:1900::1", "externalIpv6PrefixLength": 96}],
        aliasIpRanges=[{"ipCidrRange": "10.42.1.0/24"}, {"ipCidrRange": "10.43.0.7"}, {"ipCidrRange": "/24"}, {}],
    )
    assert interface.addresses == tuple(map(ip_address, ("10.0.0.4", "fd20:1:2:3::", "2600:1900::1")))
    assert interface.owned_cidrs == tuple(
        map(ip_network, ("10.42.1.0/24", "10.43.0.7/32", "fd20:1:2:3::/96", "2600:1900::/96"))
    )
    assert interface.owns(ip_network("fd20:1:2:3::1:0/112")), "the cloud delivers the whole range to the VM"


def test_text_that_is_no_address_is_left_out() -> None:
    assert nic(networkIP="10.0.0.256", ipv6Address="").addresses == ()


def test_a_vm_is_named_in_its_own_projects_networks_and_has_an_address_in_others() -> None:
    assert nic().routed_by is NextHopKind.INSTANCE
    assert nic(network="projects/host/global/networks/shared").routed_by is NextHopKind.ADDRESS


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"nextHopNetwork": NETWORK}, True),
        ({"routeType": "SUBNET", "nextHopPeering": "peer-1"}, True),
        ({"nextHopPeering": "peer-1"}, False),
        ({"routeType": "BGP", "nextHopHub": "//networkconnectivity/hub"}, False),
        ({"nextHopIp": "10.0.0.9"}, False),
    ],
)
def test_only_a_subnets_own_range_keeps_other_routes_out(told: dict[str, str], expected: bool) -> None:
    assert route(**told).reserves is expected


@pytest.mark.parametrize(
    ("told", "kind", "text", "system"),
    [
        (
            {"nextHopInstance": f"{HOST}projects/p/zones/z/instances/i"},
            "instance",
            "projects/p/zones/z/instances/i",
            False,
        ),
        ({"nextHopInstance": "zones/z/instances/i"}, "instance", "projects/p/zones/z/instances/i", False),
        ({"nextHopInstance": "odd"}, "other", "projects/p/odd", False),
        ({"nextHopIp": "10.0.0.9"}, "address", "10.0.0.9", False),
        ({"nextHopIp": "nonsense"}, "other", "nonsense", False),
        ({"nextHopIlb": "10.0.0.9"}, "other", "10.0.0.9", False),
        ({"nextHopGateway": f"{HOST}projects/p/global/gateways/g"}, "other", "projects/p/global/gateways/g", False),
        ({"nextHopVpnTunnel": "regions/r/vpnTunnels/t"}, "other", "projects/p/regions/r/vpnTunnels/t", False),
        ({"nextHopNetwork": NETWORK}, "other", "projects/p/global/networks/default", True),
        ({"nextHopPeering": "peer-1"}, "other", "peer-1", True),
        ({"nextHopHub": "//networkconnectivity/hub"}, "other", "//networkconnectivity/hub", True),
        ({"routeType": "SUBNET", "nextHopNetwork": NETWORK}, "other", "projects/p/global/networks/default", True),
        ({}, "other", "nothing told", False),
    ],
)
def test_next_hops_are_told_apart(told: dict[str, str], kind: str, text: str, system: bool) -> None:
    made = route(**told)
    assert (made.next_hop.kind, made.next_hop.text, made.system) == (kind, text, system)
    assert (made.next_hop.instance_key is None) is (kind != "instance")
    assert (made.next_hop.address is None) is (kind != "address")


def test_the_deadliest_warning_of_a_route_is_the_one_that_is_told() -> None:
    codes = ["NEXT_HOP_CANNOT_IP_FORWARD", "NEXT_HOP_NOT_RUNNING"]
    made = route(warnings=[{"code": code} for code in codes])
    assert (made.dead, made.warning) == (True, "NEXT_HOP_NOT_RUNNING")
    assert route(warnings=[{"code": "SOMETHING_NEW"}]).dead is False


def test_a_destination_is_canonical_and_one_that_is_no_range_is_left_out() -> None:
    assert route(destRange="10.42.1.7/24").destination == ip_network("10.42.1.0/24")
    assert route(destRange="10.42.1.7").destination == ip_network("10.42.1.7/32")
    assert route(destRange="FD00:0:0::/64").destination == ip_network("fd00::/64")
    assert route_of(RouteItem(name="r", dest_range="everything"), NAMES) is None
    assert route().priority == 1000, "what the service takes when nobody says"


def test_a_project_without_the_quota_tells_none() -> None:
    assert quota_of("p", ProjectItem()) is None


def test_empty_scopes_are_no_gap_and_unreachable_ones_are() -> None:
    page = msgspec.convert(
        {
            "items": {
                "zones/empty": {"warning": {"code": "NO_RESULTS_ON_PAGE"}},
                "zones/lost": {"warning": {"code": "UNREACHABLE"}},
                "zones/half": {"instances": [], "warning": {"code": "PARTIAL_SUCCESS"}},
            },
            "unreachables": [f"{HOST}projects/p/zones/gone"],
            "warning": {"code": "SOMETHING_NEW"},
        },
        InstancePage,
    )
    assert sorted(gaps(page)) == ["SOMETHING_NEW", "gone", "half", "lost"]


def test_recorded_instances_are_read() -> None:
    page = msgspec.json.decode(json.dumps(recorded("instances-aggregated-list.json")), type=InstancePage)
    assert list(gaps(page)) == []
    items = [item for scope in page.items.values() for item in scope.instances]
    machines = {machine.name: machine for machine in instances_of(items, Names(home="cloud-custodian"))}
    assert {name: machine.running for name, machine in machines.items()} == {
        "c7n-jenkins": True,
        "custodian": True,
        "custodian-dev": False,
        "drone": False,
    }
    stopped = machines["custodian-dev"].interfaces[0]
    assert (stopped.addresses, stopped.forwards) == ((ip_address("10.142.0.3"),), False)
    assert stopped.switch.token is None, "older answers have no fingerprint"


def test_recorded_routes_are_read() -> None:
    page = msgspec.json.decode(json.dumps(recorded("routes-list.json")), type=RoutePage)
    (made,) = routes_of(page.items, Names(home="cloud-custodian"))
    assert (made.destination, made.system, made.priority) == (ip_network("10.160.0.0/20"), True, 1000)
    assert made.token == "8522017391579105430"


def same_instance(ours: InstanceItem, theirs: "compute_v1.Instance") -> None:
    assert (ours.name, ours.zone, ours.status) == (theirs.name, theirs.zone, theirs.status)
    assert (ours.can_ip_forward, ours.fingerprint or "") == (theirs.can_ip_forward, theirs.fingerprint)
    assert (ours.tags.items if ours.tags else []) == list(theirs.tags.items)
    assert len(ours.network_interfaces) == len(theirs.network_interfaces)
    for mine, other in zip(ours.network_interfaces, theirs.network_interfaces, strict=True):
        same_interface(mine, other)


def same_interface(ours: InterfaceItem, theirs: "compute_v1.NetworkInterface") -> None:
    assert (ours.name, ours.network, ours.subnetwork) == (theirs.name, theirs.network, theirs.subnetwork)
    assert (ours.network_ip, ours.ipv6_address) == (theirs.network_i_p, theirs.ipv6_address)
    assert [alias.ip_cidr_range for alias in ours.alias_ip_ranges] == [
        alias.ip_cidr_range for alias in theirs.alias_ip_ranges
    ]
    assert [config.external_ipv6 for config in ours.ipv6_access_configs] == [
        config.external_ipv6 for config in theirs.ipv6_access_configs
    ]


_ROUTE_FIELDS = (
    *("name", "network", "dest_range", "priority", "description", "route_type", "next_hop_instance", "next_hop_ip"),
    *(
        "next_hop_gateway",
        "next_hop_vpn_tunnel",
        "next_hop_ilb",
        "next_hop_network",
        "next_hop_peering",
        "next_hop_hub",
    ),
)


def same_routes(told: dict[str, Any]) -> int:
    from google.cloud import compute_v1

    ours = msgspec.json.decode(json.dumps(told), type=RoutePage).items
    theirs = compute_v1.RouteList.from_json(json.dumps(told), ignore_unknown_fields=True).items
    for mine, other in zip(ours, theirs, strict=True):
        assert {name: getattr(mine, name) for name in _ROUTE_FIELDS} == {
            name: getattr(other, name) for name in _ROUTE_FIELDS
        }
        assert (mine.id, mine.tags) == (str(other.id), list(other.tags))
        assert [warning.code for warning in mine.warnings] == [warning.code for warning in other.warnings]
    return len(ours)


def same_instances(told: dict[str, Any]) -> int:
    from google.cloud import compute_v1

    ours = msgspec.json.decode(json.dumps(told), type=InstancePage).items
    theirs = compute_v1.InstanceAggregatedList.from_json(json.dumps(told), ignore_unknown_fields=True).items
    assert set(ours) == set(theirs)
    count = 0
    for name, scope in ours.items():
        assert (scope.warning.code if scope.warning else "") == theirs[name].warning.code
        for mine, other in zip(scope.instances, theirs[name].instances, strict=True):
            same_instance(mine, other)
            count += 1
    return count


@pytest.mark.parametrize("name", ["instances-aggregated-list.json", "routes-list.json"])
def test_recordings_are_read_to_the_same_values_as_by_the_typed_client(name: str) -> None:
    assert (same_instances if name.startswith("instances") else same_routes)(recorded(name))


def test_answers_are_read_to_the_same_values_as_by_the_typed_client(gce: ComputeServer) -> None:
    gce.network("six", ranges=())
    gce.subnetwork("six", "10.0.0.0/24", network="six", ipv6="fd20:1::/64", secondary={"pods": "10.44.0.0/16"})
    gce.instance("n1", ip="10.0.0.11", network="six", ipv6="fd20:1::5", tags=("a", "b"), forwards=True)
    gce.instance(
        "n2", ip="10.0.0.12", network="six", alias=("10.44.1.0/24",), extra_nics=(Nic(network="b", ip="10.9.0.2"),)
    )
    gce.route("r1", "10.42.1.0/24", instance="n2", network="six", tags=("a",), description="x", priority=0)
    gce.route("r2", "10.42.2.0/24", ip="10.0.0.99", network="six")
    gce.route("r3", "10.42.3.0/24", gateway=True, network="six")
    instances = [gce.raw_instance(name) for name in ("n1", "n2")]
    empty = {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "none"}}
    assert same_instances({"items": {"zones/europe-west1-b": {"instances": instances}, "zones/x": empty}}) == 2
    assert same_routes({"items": list(gce.routes().values())}) > 3
    same_subnetworks({"items": {"regions/r": {"subnetworks": gce.world.subnetworks("projects/p/global/networks/six")}}})


def same_subnetworks(told: dict[str, Any]) -> None:
    from google.cloud import compute_v1

    ours = msgspec.json.decode(json.dumps(told), type=SubnetworkPage).items["regions/r"].subnetworks
    theirs = compute_v1.SubnetworkAggregatedList.from_json(json.dumps(told), ignore_unknown_fields=True)
    fields = ("self_link", "network", "ip_cidr_range", "internal_ipv6_prefix", "external_ipv6_prefix")
    for mine, other in zip(ours, theirs.items["regions/r"].subnetworks, strict=True):
        assert {name: getattr(mine, name) for name in fields} == {name: getattr(other, name) for name in fields}
    (subnet,) = subnets_of(ours, NAMES)
    assert subnet.cidrs == (ip_network("10.0.0.0/24"), ip_network("fd20:1::/64")), "secondary ranges are no home of VMs"
