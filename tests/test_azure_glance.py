"""A few Azure nodes read by themselves: what is asked for then, and when a whole read is needed instead."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from tests import build
from tests.wire.arm import ArmServer, fresh_arm  # noqa: F401 - the fixture
from tui.clouds.azure import AzureReader
from tui.model.node import Node, ProviderID
from tui.ports import CloudOptions, Denied

CIDR = "10.42.1.0/24"


class Place:
    """Two nodes with a route each in one table of a subscription, read once, and what was asked for since."""

    def __init__(self, arm: ArmServer) -> None:
        self.arm = arm
        self.table = arm.table(r1=(CIDR, "10.0.1.4"), r2=("10.42.2.0/24", "10.0.1.5"))
        self.subnet = arm.subnet("nodes", "10.0.1.0/24", table=self.table)
        self.nodes = [self.node("n1", "10.0.1.4", CIDR), self.node("n2", "10.0.1.5", "10.42.2.0/24")]
        self.reader = AzureReader(CloudOptions())
        (self.view,) = self.reader.observe(self.nodes)
        arm.requests.clear()

    def node(self, name: str, ip: str, cidr: str) -> Node:
        vm = self.arm.vm(name, self.subnet, ip)
        return build.node(name, ip=ip, cidrs=[cidr], provider_id=ProviderID.parse(f"azure://{vm}"))

    def asked(self) -> list[str]:
        return sorted(request.path.rpartition("/")[2].lower() for request in self.arm.requests)


@pytest.fixture
def place(arm: ArmServer) -> Place:
    return Place(arm)


def test_one_node_takes_its_interface_and_the_table(place: Place) -> None:
    (glance,) = place.reader.glance(place.nodes[:1]) or ()
    assert place.asked() == ["n1-nic", "table"]
    assert glance.source == place.view.source.name
    assert glance.pod_cidrs == {ip_network(CIDR)}
    assert [route.name for routes in glance.routes.values() for route in routes] == ["r1"]


def test_a_node_without_a_pod_cidr_takes_its_interface_alone(place: Place) -> None:
    (glance,) = place.reader.glance([replace(place.nodes[0], pod_cidrs=())]) or ()
    assert place.asked() == ["n1-nic"]
    assert glance.routes == {}


def test_a_vm_whose_interface_is_gone_is_gone(place: Place) -> None:
    place.arm.remove(f"{place.arm.group()}/providers/Microsoft.Network/networkInterfaces/n1-nic")
    (glance,) = place.reader.glance(place.nodes) or ()
    told = [glance.instances[node.provider_id.key or ""] for node in place.nodes]
    assert told[0] is None
    assert told[1] is not None


def test_a_vm_that_was_never_read_wants_a_whole_read(place: Place) -> None:
    new = place.node("n3", "10.0.1.6", "10.42.3.0/24")
    assert place.reader.glance([*place.nodes, new]) is None
    assert place.asked() == []
    place.reader.observe([*place.nodes, new])
    assert place.reader.glance([new]) is not None


def test_before_anything_was_read_nothing_is_known(place: Place) -> None:
    assert AzureReader(CloudOptions()).glance(place.nodes) is None


def test_a_table_that_is_gone_wants_a_whole_read(place: Place) -> None:
    place.arm.remove(place.table)
    assert place.reader.glance(place.nodes[:1]) is None


def test_many_nodes_are_cheaper_in_lists(place: Place) -> None:
    many = [place.node(f"m{number}", f"10.0.1.{20 + number}", f"10.42.{20 + number}.0/24") for number in range(12)]
    place.reader.observe([*place.nodes, *many])
    place.arm.requests.clear()
    assert place.reader.glance(many) is None
    assert place.asked() == []


def test_after_a_read_with_gaps_nothing_is_relied_on(place: Place) -> None:
    place.arm.deny("Microsoft.Network/routeTables/read", "/routeTables")
    place.reader.observe(place.nodes)
    assert place.reader.glance(place.nodes[:1]) is None


def test_a_refusal_is_raised(place: Place) -> None:
    place.arm.deny("Microsoft.Network/networkInterfaces/read", "/n1-nic")
    with pytest.raises(Denied):
        place.reader.glance(place.nodes[:1])
