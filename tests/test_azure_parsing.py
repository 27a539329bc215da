"""Azure's answers: odd shapes, one spelling for each id, and the same values as the typed client reads."""

import json
import os
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tui.clouds.azure_names import ResourceId, Spellings, fold, is_group, is_subscription, kind_of
from tui.clouds.azure_objects import (
    EffectiveRoutes,
    NetworkItem,
    NetworkPage,
    NicItem,
    NicPage,
    RouteItem,
    TableItem,
    TablePage,
    effective_routes_of,
    instances_of,
    route_of,
    scale_set_of,
    scale_sets_of,
    spellings,
    subnets_of,
    table_from,
    tables_of,
)
from tui.model.network import NetworkInterface, NextHopKind, ReplaceMethod
from tui.model.node import ProviderID

GROUP = "/subscriptions/s/resourceGroups/rg"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/net"
SUBNET = f"{NETWORK}/subnets/nodes"
TABLE = f"{GROUP}/providers/Microsoft.Network/routeTables/table"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
NIC = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic"
SCALE_SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/Pool"
_BESIDE = Path(__file__).parents[2] / "shared" / "recordings"
_RECORDINGS = Path(os.environ.get("L2BRIDGE_RECORDINGS", _BESIDE)) / "azure"


def recorded(name: str) -> list[dict[str, Any]]:
    """Return the bodies of a cassette's answers that are lists."""
    path = _RECORDINGS / name
    if not path.exists():
        pytest.skip(f"the recording azure/{name} is absent (L2BRIDGE_RECORDINGS names its folder)")
    bodies = [exchange["response"]["body"] for exchange in json.loads(path.read_text())["interactions"]]
    told = [body.get("data") for body in bodies if isinstance(body, dict)]
    return [body for body in told if isinstance(body, dict) and "value" in body]


def address(ip: str, subnet: str = SUBNET, **changes: Any) -> dict[str, Any]:
    return {"name": "ipconfig1", "properties": {"privateIPAddress": ip, "subnet": {"id": subnet}, **changes}}


def nic(id_: str = NIC, *addresses: dict[str, Any], vm: str | None = VM, **changes: Any) -> NicItem:
    properties = {
        "enableIPForwarding": True,
        "ipConfigurations": list(addresses) or [address("10.0.0.4")],
        "provisioningState": "Succeeded",
        **({} if vm is None else {"virtualMachine": {"id": vm}}),
        **changes,
    }
    return msgspec.convert({"id": id_, "name": id_.rpartition("/")[2], "properties": properties}, NicItem)


def interface(item: NicItem) -> NetworkInterface:
    ((found,),) = (instance.interfaces for instance in instances_of([item], Spellings()))
    return found


def network(*subnets: dict[str, Any], id_: str = NETWORK) -> NetworkItem:
    told = {"id": id_, "location": "westeurope", "properties": {"subnets": list(subnets)}}
    return msgspec.convert(told, NetworkItem)


def subnet(id_: str = SUBNET, **properties: Any) -> dict[str, Any]:
    return {"id": id_, "name": "nodes", "properties": {"addressPrefix": "10.0.0.0/24", **properties}}


def route(name: str = "r1", prefix: str = "10.42.1.0/24", **properties: Any) -> dict[str, Any]:
    told = {"addressPrefix": prefix, "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.4", **properties}
    return {"name": name, "properties": told}


def table(*routes: dict[str, Any], id_: str = TABLE, **properties: Any) -> TableItem:
    told = {"id": id_, "location": "westeurope", "properties": {"routes": list(routes), **properties}}
    return msgspec.convert(told, TableItem)


def test_an_id_is_taken_apart() -> None:
    found = ResourceId.parse(SUBNET)
    assert found is not None
    assert (found.subscription, found.group, found.kind) == ("s", "rg", "microsoft.network/virtualnetworks/subnets")
    assert (found.names, found.name, found.parent, found.group_id) == (("net", "nodes"), "nodes", NETWORK, GROUP)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vm-1",
        GROUP,
        f"{NETWORK}/subnets",
        f"{GROUP}/providers/Microsoft.Network/routeTables/../routeTables/x",
        f"{TABLE}?api-version=1",
        f"{TABLE}#x",
        f"{TABLE}%2f..",
        f"{TABLE} x",
        f"{TABLE}\n",
        f"https://evil.example{TABLE}",
    ],
)
def test_what_is_no_id_or_leads_elsewhere_is_not_taken_apart(text: str) -> None:
    assert ResourceId.parse(text) is None


def test_casing_does_not_make_another_resource() -> None:
    assert fold(SUBNET) == fold(SUBNET.replace("resourceGroups", "resourcegroups").upper() + "/")
    found = ResourceId.parse(TABLE.replace("resourceGroups", "resourcegroups").replace("Microsoft", "microsoft"))
    assert found is not None
    assert found.kind == "microsoft.network/routetables"


def test_the_type_of_a_path_decides_its_version() -> None:
    assert kind_of("/subscriptions/s/providers/Microsoft.Network/networkInterfaces") == (
        "microsoft.network/networkinterfaces"
    )
    assert kind_of(f"{SCALE_SET}/networkInterfaces") == "microsoft.compute/virtualmachinescalesets/networkinterfaces"
    assert kind_of("/subscriptions/s") == ""


def test_names_from_the_operator_are_judged() -> None:
    assert is_subscription("ea42f556-5106-4743-99b0-c129bfa71a47")
    assert not is_subscription("a/b") and not is_subscription("") and not is_subscription("../x")
    assert is_group("my.group_(x)-1") and not is_group("x.") and not is_group("a/b") and not is_group("")


def test_an_interface_has_all_its_addresses_once_and_its_flag() -> None:
    found = interface(
        nic(NIC, address("10.0.0.4"), address("10.0.0.5"), address("fd00::4", privateIPAddressVersion="IPv6"))
    )
    assert found.addresses == (ip_address("10.0.0.4"), ip_address("10.0.0.5"), ip_address("fd00::4"))
    assert (found.id, found.network, found.subnet) == (NIC, NETWORK, SUBNET)
    assert (found.forwards, found.routed_by, found.trouble) == (True, NextHopKind.ADDRESS, None)
    assert (found.switch.subject, found.switch.flag, found.switch.inverted) == (NIC, "enableIPForwarding", False)
    assert found.switch.token is None and found.switch.refusal is None


@pytest.mark.parametrize(
    "odd",
    [
        {"enableIPForwarding": None},
        {"ipConfigurations": None},
        {"ipConfigurations": [{"name": "x"}]},
        {"ipConfigurations": [{"name": "x", "properties": {"subnet": None, "privateIPAddress": None}}]},
        {"ipConfigurations": [address("10.0.0.4", primary=False)]},
        {"ipConfigurations": [address("no address")]},
        {"tags": None, "unknown": {"deep": [1]}},
    ],
)
def test_odd_interfaces_are_read(odd: dict[str, Any]) -> None:
    assert interface(nic(**odd)).id == NIC


def test_a_flag_that_is_not_told_is_unknown() -> None:
    assert interface(nic(enableIPForwarding=None)).forwards is None


def test_interfaces_without_a_vm_are_left_out() -> None:
    assert instances_of([nic(vm=None), nic(vm="")], Spellings()) == ()


def test_a_vm_has_all_of_its_interfaces_whatever_their_casing() -> None:
    second = nic(
        f"{NIC}2", address("10.0.1.4"), vm=VM.replace("/rg/", "/RG/").replace("resourceGroups", "resourcegroups")
    )
    (vm,) = instances_of([second, nic()], Spellings())
    assert vm.key == VM.lower() == ProviderID.parse(f"azure://{VM}").key
    assert [one.id for one in vm.interfaces] == [NIC, f"{NIC}2"]
    assert (vm.name, vm.zone, vm.running, vm.scale_set) == ("vm", None, None, None)


def test_an_interface_that_is_listed_twice_counts_once() -> None:
    (vm,) = instances_of([nic(), nic(NIC.upper())], Spellings())
    assert len(vm.interfaces) == 1


@pytest.mark.parametrize("number", ["3", "Pool_3"])
def test_a_member_of_a_uniform_scale_set_is_told_by_its_number(number: str) -> None:
    member = f"{SCALE_SET}/virtualMachines/{number}"
    (vm,) = instances_of([nic(f"{member}/networkInterfaces/eth0", vm=member)], Spellings())
    assert vm.key == ProviderID.parse(f"azure://{SCALE_SET}/virtualMachines/3").key
    assert (vm.name, vm.scale_set) == ("Pool_3", SCALE_SET)
    refusal = vm.interfaces[0].switch.refusal
    assert refusal is not None
    assert "az vmss update --resource-group rg --name Pool --subscription s --set" in refusal
    assert "networkInterfaceConfigurations[name=eth0].enableIPForwarding=true" in refusal
    assert "az vmss update-instances" in refusal and "\n" not in refusal


@pytest.mark.parametrize(("state", "is_trouble"), [("Failed", True), ("Succeeded", False), ("Updating", False)])
def test_a_failed_change_is_trouble(state: str, is_trouble: bool) -> None:
    assert (interface(nic(provisioningState=state)).trouble is not None) is is_trouble
    assert (table_from(table(provisioningState=state), Spellings()).trouble is not None) is is_trouble
    (found,) = subnets_of([network(subnet(provisioningState=state))], Spellings())
    assert (found.trouble is not None) is is_trouble


def test_references_get_the_spelling_of_the_resource() -> None:
    nets = [network(subnet(routeTable={"id": TABLE.upper()}))]
    tables = [table(route(), subnets=[{"id": SUBNET.lower()}])]
    nics = [nic(NIC, address("10.0.0.4", SUBNET.replace("rg", "RG")))]
    names = spellings(nets, tables, nics)
    (vm,) = instances_of(nics, names)
    (found,) = subnets_of(nets, names)
    (used,) = tables_of(tables, [found], names)
    assert (vm.interfaces[0].subnet, vm.interfaces[0].network) == (SUBNET, NETWORK)
    assert (found.id, found.network, found.route_table, found.region) == (SUBNET, NETWORK, TABLE, "westeurope")
    assert (used.id, used.subnets, used.network, used.region) == (TABLE, (SUBNET,), NETWORK, "westeurope")


def test_references_to_what_was_not_read_still_equal_each_other() -> None:
    nics = [nic(NIC, address("10.0.0.4", SUBNET.upper())), nic(f"{NIC}2", address("10.0.0.5", SUBNET), vm=f"{VM}2")]
    one, other = instances_of(nics, Spellings())
    assert one.interfaces[0].subnet == other.interfaces[0].subnet
    assert one.interfaces[0].network == other.interfaces[0].network


def test_a_table_that_was_not_read_stays_named() -> None:
    (found,) = subnets_of([network(subnet(routeTable={"id": TABLE}))], Spellings())
    assert found.route_table == TABLE


def test_a_subnet_may_have_several_ranges() -> None:
    told = subnet(addressPrefixes=["10.0.0.0/24", "fd00::/64"], addressPrefix=None)
    (found,) = subnets_of([network(told)], Spellings())
    assert found.cidrs == (ip_network("10.0.0.0/24"), ip_network("fd00::/64"))
    assert found.route_table is None


def test_a_table_is_used_by_the_subnets_that_either_side_names() -> None:
    other = f"{NETWORK}2/subnets/far"
    nets = [network(subnet(routeTable={"id": TABLE}))]
    names = Spellings()
    (found,) = tables_of([table(subnets=[{"id": other}])], subnets_of(nets, names), names)
    assert found.subnets == (SUBNET, other)
    assert found.network is None, "it serves two networks"


def test_a_table_says_how_it_is_written() -> None:
    found = table_from(table(route("a"), route("tag", "Storage.WestEurope")), Spellings())
    assert found.replaces is ReplaceMethod.IN_PLACE
    assert (found.route_prefix, found.token, found.refusal) == (f"{TABLE}/routes/", None, None)
    assert [one.name for one in found.routes] == ["a"], "a service tag is no range"
    assert found.quota is not None
    assert (found.quota.name, found.quota.limit, found.quota.used) == ("routes of route table rg/table of s", 400, 2)


def test_a_table_that_holds_more_than_the_usual_limit_has_the_raised_one() -> None:
    found = table_from(table(*(route(f"r{n}") for n in range(401))), Spellings())
    assert found.quota is not None
    assert (found.quota.limit, found.quota.free) == (1000, 599)


def test_a_table_of_the_network_manager_is_not_written() -> None:
    id_ = TABLE.replace("/rg/", "/AVNM_Managed_ResourceGroup_s/")
    refusal = table_from(table(id_=id_), Spellings()).refusal
    assert refusal is not None and "Virtual Network Manager" in refusal


def test_a_route_leads_to_an_address_and_to_nothing_else_that_can_be_a_node() -> None:
    def hop(**properties: Any) -> tuple[NextHopKind, str]:
        found = route_of(msgspec.convert(route(**properties), RouteItem))
        assert found is not None and found.priority is None and found.token is None and not found.dead
        return found.next_hop.kind, found.next_hop.text

    assert hop() == (NextHopKind.ADDRESS, "10.0.0.4")
    assert hop(nextHopIpAddress="fd00::4", prefix="fd42::/64") == (NextHopKind.ADDRESS, "fd00::4")
    assert hop(nextHopIpAddress=None) == (NextHopKind.OTHER, "VirtualAppliance")
    assert hop(nextHopType="None", nextHopIpAddress=None) == (NextHopKind.OTHER, "None")
    assert hop(nextHopType="VirtualApplianceEcmp", nextHopIpAddress=None)[0] is NextHopKind.OTHER
    assert hop(nextHopType="Tomorrow")[0] is NextHopKind.OTHER
    assert hop(nextHopType=None, nextHopIpAddress=None) == (NextHopKind.OTHER, "nothing told")


def test_host_bits_of_a_destination_are_cleared() -> None:
    found = route_of(msgspec.convert(route(prefix="10.42.1.7/24"), RouteItem))
    assert found is not None and found.destination == ip_network("10.42.1.0/24")


def test_scale_sets_are_told_by_the_addresses_in_a_subnet() -> None:
    used = [
        {"id": f"{SCALE_SET}/virtualMachines/0/networkInterfaces/eth0/ipConfigurations/ip"},
        {"id": f"{NIC}/ipConfigurations/ip"},
    ]
    assert list(scale_sets_of([network(subnet(ipConfigurations=used))])) == [SCALE_SET]
    assert scale_set_of(f"{SCALE_SET}/virtualMachines/7") == SCALE_SET
    assert scale_set_of(VM) is None


def test_effective_routes_are_one_for_each_destination() -> None:
    told = {
        "value": [
            {
                "source": "Default",
                "state": "Active",
                "addressPrefix": ["10.0.0.0/16", "fd00::/48"],
                "nextHopType": "VnetLocal",
            },
            {
                "name": "r1",
                "source": "User",
                "state": "Invalid",
                "addressPrefix": ["10.42.1.0/24"],
                "nextHopType": "VirtualAppliance",
                "nextHopIpAddress": ["10.0.0.4"],
            },
            {"source": "User", "state": "Active", "addressPrefix": [], "nextHopType": "None", "nextHopIpAddress": []},
        ]
    }
    local, local6, dead = effective_routes_of(msgspec.convert(told, EffectiveRoutes).value or ())
    assert (str(local.destination), str(local6.destination)) == ("10.0.0.0/16", "fd00::/48")
    assert (local.system, local.dead, local.next_hop.kind) == (True, False, NextHopKind.OTHER)
    assert (dead.name, dead.system, dead.dead, dead.warning) == ("r1", False, True, "Invalid")
    assert dead.next_hop.address == ip_address("10.0.0.4")


def same_nics(told: dict[str, Any]) -> int:
    """Compare what our structs and the typed client's models read; return how many there were."""
    from azure.mgmt.network import models

    ours = msgspec.json.decode(json.dumps(told), type=NicPage)
    for mine, value in zip(ours.value, told["value"], strict=True):
        other = models.NetworkInterface(value)
        assert (mine.id, mine.name) == (other.id, other.name)
        assert mine.properties.enable_ip_forwarding == other.enable_ip_forwarding
        assert mine.properties.provisioning_state == other.provisioning_state
        theirs = other.virtual_machine
        assert (mine.properties.virtual_machine.id if mine.properties.virtual_machine else None) == (
            theirs.id if theirs else None
        )
        for held, others in zip(mine.properties.ip_configurations or [], other.ip_configurations or [], strict=True):
            assert held.properties is not None and held.name == others.name
            assert held.properties.private_ip_address == others.private_ip_address
            assert (held.properties.subnet.id if held.properties.subnet else None) == (
                others.subnet.id if others.subnet else None
            )
    return len(ours.value)


def same_tables(told: dict[str, Any]) -> int:
    from azure.mgmt.network import models

    ours = msgspec.json.decode(json.dumps(told), type=TablePage)
    for mine, value in zip(ours.value, told["value"], strict=True):
        other = models.RouteTable(value)
        assert (mine.id, mine.location, mine.properties.provisioning_state) == (
            other.id,
            other.location,
            other.provisioning_state,
        )
        assert [one.id for one in mine.properties.subnets or []] == [one.id for one in other.subnets or []]
        for held, others in zip(mine.properties.routes or [], other.routes or [], strict=True):
            assert held.name == others.name
            fields = ("address_prefix", "next_hop_type", "next_hop_ip_address", "provisioning_state")
            assert [getattr(held.properties, name) for name in fields] == [getattr(others, name) for name in fields]
    return len(ours.value)


def same_networks(told: dict[str, Any]) -> int:
    from azure.mgmt.network import models

    ours = msgspec.json.decode(json.dumps(told), type=NetworkPage)
    for mine, value in zip(ours.value, told["value"], strict=True):
        other = models.VirtualNetwork(value)
        assert (mine.id, mine.location) == (other.id, other.location)
        for held, others in zip(mine.properties.subnets or [], other.subnets or [], strict=True):
            assert (held.id, held.name) == (others.id, others.name)
            assert held.properties.address_prefix == others.address_prefix
            assert held.properties.address_prefixes == others.address_prefixes
            table = held.properties.route_table
            assert (table.id if table else None) == (others.route_table.id if others.route_table else None)
            assert [one.id for one in held.properties.ip_configurations or []] == [
                one.id for one in others.ip_configurations or []
            ]
    return len(ours.value)


@pytest.mark.parametrize(
    ("name", "compare"),
    [("network-interfaces-list.cassette.json", same_nics), ("route-tables-list.cassette.json", same_tables)],
)
def test_recordings_are_read_to_the_same_values_as_by_the_typed_client(name: str, compare: Any) -> None:
    told = next(body for body in recorded(name) if "id" in (body["value"] or [{}])[0])
    assert compare(told) > 0


def test_recorded_effective_routes_are_read() -> None:
    told = next(
        body
        for body in recorded("network-interfaces-list.cassette.json")
        if body["value"] and "addressPrefix" in body["value"][0]
    )
    found = effective_routes_of(msgspec.convert(told, EffectiveRoutes).value or ())
    assert {str(one.destination) for one in found} >= {"0.0.0.0/0", "10.0.0.0/8"}
    assert not any(one.dead for one in found) and all(one.system for one in found)


def test_a_recorded_cluster_is_understood() -> None:
    told = next(body for body in recorded("route-tables-list.cassette.json"))
    tables = {one.name: one for one in tables_of(msgspec.convert(told, TablePage).value, (), Spellings())}
    assert {str(one.destination) for one in tables["k8s-master-C02B7042-routetable"].routes} == {
        f"10.244.{number}.0/24" for number in range(4)
    }


def test_made_up_answers_are_read_to_the_same_values_as_by_the_typed_client() -> None:
    nics = [msgspec.to_builtins(nic(NIC, address("10.0.0.4"), address("fd00::4"))), msgspec.to_builtins(nic(vm=None))]
    assert same_nics({"value": nics}) == 2
    net = network(subnet(routeTable={"id": TABLE}, ipConfigurations=[{"id": f"{NIC}/ipConfigurations/x"}]), subnet())
    assert same_networks({"value": [msgspec.to_builtins(net)]}) == 1
    told = table(route(), route("none", nextHopType="None", nextHopIpAddress=None), subnets=[{"id": SUBNET}])
    assert same_tables({"value": [msgspec.to_builtins(told)]}) == 1


def test_the_typed_client_is_never_imported() -> None:
    program = (
        "import sys\n"
        "from tui.clouds import CLOUDS, load_reader\n"
        "from tui.model.node import Cloud\n"
        "from tui.ports import CloudOptions\n"
        "reader = load_reader(Cloud.AZURE)(CloudOptions(azure_subscription='s'))\n"
        "assert not any(name == 'azure' or name.startswith('azure.') for name in sys.modules), 'too early'\n"
        "from tests.build import node\n"
        "assert reader.observe([node()])[0].source.message\n"
        "assert 'azure.core' in sys.modules and 'azure.identity' in sys.modules\n"
        "assert not any(name.startswith('azure.mgmt.network') for name in sys.modules)\n"
    )
    environment = {**os.environ, "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "nothing may be written over the screen"
