"""Azure as it is read: subscriptions, resource groups, scale sets, and what a change is about."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from ipaddress import ip_address
from typing import Any

import pytest

from tests import build
from tests.wire.scripted_arm import Said, Script, refusal, running_script  # noqa: F401 - the fixture
from tui.clouds import CLOUDS, azure_effective, load_reader
from tui.clouds.azure import AzureReader
from tui.clouds.azure_arm import SCALE_SET_VERSION, VERSION
from tui.model.change import (
    AssociateRouteTable,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
    SetForwarding,
)
from tui.model.network import NetworkInterface, NextHopKind, Route, RouteTable
from tui.model.node import Cloud, Node, ProviderID
from tui.model.snapshot import CloudView, SourceState
from tui.ports import CloudOptions, Denied, FabricReader, NotFound, PortError, Reading, Rejected, Unavailable

SUB = "11111111-2222-3333-4444-555555555555"
SOURCE = f"azure:{SUB}"
NETWORK_SERVICE, COMPUTE = "providers/Microsoft.Network", "providers/Microsoft.Compute"
NICS, NETWORKS, TABLES = "networkInterfaces", "virtualNetworks", "routeTables"


def group(name: str = "rg", subscription: str = SUB) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{name}"


NETWORK = f"{group()}/{NETWORK_SERVICE}/virtualNetworks/Net"
SUBNET = f"{NETWORK}/subnets/nodes"
TABLE = f"{group()}/{NETWORK_SERVICE}/routeTables/Table"
NIC = f"{group()}/{NETWORK_SERVICE}/networkInterfaces/n1-nic"


def vm_id(name: str = "n1", **where: str) -> str:
    return f"{group(**where)}/{COMPUTE}/virtualMachines/{name}"


def node(name: str = "n1", ip: str = "10.0.0.4", vm: str | None = None) -> Node:
    return build.node(name, ip=ip, provider_id=ProviderID.parse(f"azure://{vm or vm_id(name)}"))


def nic(
    name: str = "n1",
    ip: str = "10.0.0.4",
    *,
    vm: str | None = None,
    id_: str = "",
    subnet: str = SUBNET,
    flag: bool = True,
) -> dict[str, Any]:
    held = {"name": "ip", "properties": {"privateIPAddress": ip, "subnet": {"id": subnet}}}
    return {
        "id": id_ or f"{group()}/{NETWORK_SERVICE}/networkInterfaces/{name}-nic",
        "name": f"{name}-nic",
        "properties": {
            "enableIPForwarding": flag,
            "virtualMachine": {"id": vm or vm_id(name)},
            "ipConfigurations": [held],
        },
    }


def subnet(id_: str = SUBNET, table: str | None = TABLE, used: Sequence[str] = ()) -> dict[str, Any]:
    told: dict[str, Any] = {"addressPrefix": "10.0.0.0/24", "ipConfigurations": [{"id": one} for one in used]}
    return {"id": id_, "name": "nodes", "properties": told | ({} if table is None else {"routeTable": {"id": table}})}


def network(*subnets: dict[str, Any], id_: str = NETWORK) -> dict[str, Any]:
    return {"id": id_, "location": "westeurope", "properties": {"subnets": list(subnets)}}


def route(name: str = "r1", prefix: str = "10.42.1.0/24", hop: str = "10.0.0.4") -> dict[str, Any]:
    told = {"addressPrefix": prefix, "nextHopType": "VirtualAppliance", "nextHopIpAddress": hop}
    return {"name": name, "properties": told}


def table(*routes: dict[str, Any], id_: str = TABLE, subnets: Sequence[str] = (SUBNET,)) -> dict[str, Any]:
    used = [{"id": one} for one in subnets]
    return {"id": id_, "location": "westeurope", "properties": {"routes": list(routes), "subnets": used}}


def page(*items: dict[str, Any]) -> Said:
    return Said(body={"value": list(items)})


def observe(*nodes: Node, **options: Any) -> CloudView:
    (view,) = AzureReader(CloudOptions(**options)).observe(nodes or (node(),))
    return view


def test_azure_is_registered() -> None:
    reader = load_reader(Cloud.AZURE)(CloudOptions())
    assert isinstance(reader, AzureReader)
    assert CLOUDS[Cloud.AZURE].writer == "tui.clouds.azure_writes:AzureWriter"


def test_a_subscription_is_read_in_three_lists(script: Script) -> None:
    script.on(NICS, page(nic(), nic("n2", "10.0.0.5", flag=False)))
    script.on(NETWORKS, page(network(subnet(table=TABLE.upper()))))
    script.on(TABLES, page(table(route(), subnets=[SUBNET.lower()])))
    view = observe(node(), node("n2", "10.0.0.5"))
    assert (view.source.name, view.source.state, view.source.message) == (SOURCE, SourceState.OK, None)
    assert view.source.observed_at is not None and view.complete
    assert view.node_uids == {"uid-n1", "uid-n2"}
    assert [(vm.name, vm.interfaces[0].forwards) for vm in view.instances or ()] == [("n1", True), ("n2", False)]
    assert [vm.interfaces[0].subnet for vm in view.instances or ()] == [SUBNET, SUBNET]
    assert [(one.id, one.route_table) for one in view.subnets or ()] == [(SUBNET, TABLE)]
    assert [(one.id, one.subnets, len(one.routes)) for one in view.route_tables or ()] == [(TABLE, (SUBNET,), 1)]
    base = f"/subscriptions/{SUB}/{NETWORK_SERVICE}"
    assert [asked.path for asked in script.asked] == [f"{base}/{kind}" for kind in (NICS, NETWORKS, TABLES)]
    assert {asked.query for asked in script.asked} == {f"api-version={VERSION}"}


def test_given_groups_are_read_and_nothing_else(script: Script) -> None:
    script.on("a/providers/microsoft.network/networkInterfaces", page(nic()))
    script.on("b/providers/microsoft.network/virtualNetworks", page(network(subnet(table=None))))
    view = observe(azure_resource_groups=("a", "b"))
    assert (view.source.state, view.complete) == (SourceState.OK, True)
    assert [asked.path.split("/")[4] for asked in script.asked] == ["a", "b"] * 3


def test_the_network_of_a_node_outside_of_the_given_groups_is_read_with_its_table(script: Script) -> None:
    script.on("a/providers/microsoft.network/networkInterfaces", page(nic()))
    script.on("virtualNetworks/Net", Said(body=network(subnet(), subnet(f"{NETWORK}/subnets/other", f"{TABLE}2"))))
    script.on("routeTables/Table", Said(body=table(route())))
    view = observe(azure_resource_groups=("a",))
    assert (view.source.state, view.complete) == (SourceState.OK, True)
    assert [(one.id, one.route_table) for one in view.subnets or ()] == [
        (SUBNET, TABLE),
        (f"{NETWORK}/subnets/other", f"{TABLE}2"),
    ]
    assert [one.id for one in view.route_tables or ()] == [TABLE], "only those of the nodes' subnets"


def test_many_networks_outside_of_the_given_groups_stay_unknown(script: Script) -> None:
    nodes = [node(f"n{n}", f"10.0.0.{n}") for n in range(1, 12)]
    nics = [
        nic(f"n{n}", f"10.0.0.{n}", subnet=f"{group()}/{NETWORK_SERVICE}/virtualNetworks/v{n}/subnets/s")
        for n in range(1, 12)
    ]
    script.on("a/providers/microsoft.network/networkInterfaces", page(*nics))
    view = observe(*nodes, azure_resource_groups=("a",))
    assert (view.source.state, view.complete, view.subnets) == (SourceState.UNAVAILABLE, False, ())
    assert "11 virtual networks" in (view.source.message or "")
    assert len(script.asked) == 3


def test_a_node_outside_of_the_given_groups_is_not_called_missing(script: Script) -> None:
    view = observe(azure_resource_groups=("a",))
    assert not view.complete
    assert "--azure-resource-group" in (view.source.message or "")


MEMBER = f"{group('pools')}/{COMPUTE}/virtualMachineScaleSets/Pool/virtualMachines/0"
MEMBER_NIC = f"{MEMBER}/networkInterfaces/eth0"


@pytest.mark.parametrize("told_by", ["subnet", "node"])
def test_members_of_a_uniform_scale_set_are_read_by_the_set(script: Script, told_by: str) -> None:
    used = [f"{MEMBER_NIC}/ipConfigurations/ip"] * 2 if told_by == "subnet" else []
    script.on(NETWORKS, page(network(subnet(used=used))))
    script.on("Pool/networkInterfaces", page(nic("eth0", vm=MEMBER, id_=MEMBER_NIC, flag=False)))
    view = observe(
        node(vm=MEMBER) if told_by == "node" else replace(node(), provider_id=ProviderID.parse(f"azure://{vm_id()}"))
    )
    (vm,) = view.instances or ()
    assert vm.key == node(vm=MEMBER).provider_id.key
    assert vm.scale_set == MEMBER.rpartition("/virtualMachines")[0]
    assert vm.interfaces[0].switch.refusal is not None
    assert script.count("Pool/networkInterfaces") == 1
    assert script.asked[-1].query == f"api-version={SCALE_SET_VERSION}"


def test_every_subscription_of_the_nodes_is_a_source(script: Script) -> None:
    other = "99999999-2222-3333-4444-555555555555"
    far = node("n2", vm=vm_id("n2", subscription=other.upper()))
    views = AzureReader(CloudOptions()).observe([far, node()])
    assert [view.source.name for view in views] == [SOURCE, f"azure:{other}"]


@pytest.mark.parametrize("by", ["option", "environment"])
def test_nodes_that_do_not_tell_are_looked_for_where_the_operator_says(
    script: Script, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    script.on(NICS, page(nic()))
    silent = replace(node(), provider_id=ProviderID.parse("rke2://n1"))
    if by == "environment":
        monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", SUB)
    view = observe(silent, **({"azure_subscription": SUB.upper()} if by == "option" else {}))
    assert (view.source.name, len(view.instances or ())) == (SOURCE, 1)


def told(kind: Any, **fields: Any) -> Any:
    shared = {"node": None, "node_uid": None, "cloud": Cloud.AZURE, "source": SOURCE, "reason": "x"}
    return kind(**(shared | fields))


def model_route(name: str = "r1") -> Route:
    made = build.route("10.42.1.0/24", to="10.0.0.4", name=name, kind=NextHopKind.ADDRESS)
    return replace(made, priority=None, description="", token=None)


def model_table(*routes: Route, subnets: tuple[str, ...] = ()) -> RouteTable:
    return RouteTable(id=TABLE, network=NETWORK, subnets=subnets, routes=routes)


def read(change: Any) -> Reading:
    return AzureReader(CloudOptions()).read(change)


def flag_change(subject: str = NIC, source: str = SOURCE) -> Any:
    flag = {"flag": "enableIPForwarding", "inverted": False, "before": False, "after": True}
    return (
        told(SetForwarding, subject=subject, **flag)
        if source == SOURCE
        else replace(told(SetForwarding, subject=subject, **flag), source=source)
    )


@pytest.mark.parametrize("id_", [NIC, MEMBER_NIC])
def test_a_flag_is_read_from_its_interface(script: Script, id_: str) -> None:
    script.on(id_, Said(body=nic(flag=False, id_=id_)))
    assert read(flag_change(id_)) == Reading(forwards=False)


def test_an_interface_that_is_gone_is_not_found(script: Script) -> None:
    script.on(NIC, refusal("ResourceNotFound", status=404))
    with pytest.raises(NotFound):
        read(flag_change())


@pytest.mark.parametrize(
    "change",
    [
        flag_change(TABLE),
        flag_change(f"{NIC}/../x"),
        flag_change("https://evil.example/x"),
        flag_change(source="azure:00000000-2222-3333-4444-555555555555"),
    ],
)
def test_what_is_not_in_the_source_is_not_asked_for(script: Script, change: Any) -> None:
    with pytest.raises(NotFound):
        read(change)
    assert script.asked == []


def test_routes_are_read_from_their_table_in_the_spelling_of_the_change(script: Script) -> None:
    script.on(TABLE, Said(body=table(route("R1"), route("other", "10.42.2.0/24"))))
    change = told(CreateRoute, subject=f"{TABLE}/routes/r1", table=TABLE, after=model_route())
    reading = read(change)
    assert sorted(one.name for one in reading.routes) == ["other", "r1"]
    seen = reading.route("r1")
    assert seen is not None
    assert seen.same_as(model_route())
    deletion = told(DeleteRoute, subject="", table=TABLE, before=model_route("gone"))
    assert read(deletion).route("gone") is None


def test_an_absent_table_is_no_error(script: Script) -> None:
    script.on(TABLE, refusal("ResourceNotFound", status=404))
    assert read(told(CreateRoute, subject="", table=TABLE, after=model_route())) == Reading()
    assert read(told(CreateRouteTable, subject=TABLE, after=model_table())) == Reading()


def test_a_table_is_read_whole_in_the_spelling_of_the_change(script: Script) -> None:
    script.on(
        TABLE, Said(body=table(route("R1"), route("more", "10.42.2.0/24"), id_=TABLE.lower(), subnets=[SUBNET.upper()]))
    )
    reading = read(told(DeleteRouteTable, subject=TABLE, before=model_table(model_route(), subnets=(SUBNET,))))
    assert (reading.table, reading.subnets) == (TABLE, (SUBNET,))
    assert {one.name for one in reading.routes} == {"more", "r1"}


def test_an_association_is_read_with_the_routes_of_its_table(script: Script) -> None:
    script.on(SUBNET, Said(body=subnet(table=TABLE.upper())))
    script.on(TABLE, Said(body=table(route("R1"))))
    reading = read(told(AssociateRouteTable, subject=SUBNET, before=None, after=TABLE, needs=(model_route(),)))
    assert reading.table == TABLE
    assert [one.name for one in reading.routes] == ["r1"]
    assert read(told(AssociateRouteTable, subject=SUBNET, before=TABLE, after=None)) == Reading(table=TABLE)


def test_a_subnet_without_a_table_has_none(script: Script) -> None:
    script.on(SUBNET, Said(body=subnet(table=None)))
    script.on(TABLE, refusal("ResourceNotFound", status=404))
    assert read(told(AssociateRouteTable, subject=SUBNET, before=None, after=TABLE)) == Reading()
    script.on(SUBNET, refusal("NotFound", status=404))
    with pytest.raises(NotFound):
        read(told(AssociateRouteTable, subject=SUBNET, before=None, after=TABLE))


def test_a_multi_nic_vm_has_both_interfaces(script: Script) -> None:
    second = nic(ip="10.0.1.4", id_=f"{NIC}-2", vm=vm_id().replace("/rg/", "/RG/"))
    script.on(NICS, page(nic(), second))
    (vm,) = observe().instances or ()
    assert [one.addresses for one in vm.interfaces] == [(ip_address("10.0.0.4"),), (ip_address("10.0.1.4"),)]


def test_the_api_version_is_the_one_of_the_sdk() -> None:
    if not metadata.version("azure-mgmt-network").startswith("33."):
        pytest.skip("another azure-mgmt-network asks for another version")
    from azure.mgmt.network.operations import _operations as sdk

    assert f"api-version={VERSION}" in sdk.build_network_interfaces_list_all_request(SUB).url
    members = sdk.build_network_interfaces_list_virtual_machine_scale_set_network_interfaces_request("g", "x", SUB)
    assert f"api-version={SCALE_SET_VERSION}" in members.url


EFFECTIVE = f"{NIC}/effectiveRouteTable"
RESULT = {
    "value": [
        {
            "source": "User",
            "state": "Active",
            "addressPrefix": ["10.42.1.0/24"],
            "nextHopType": "VirtualAppliance",
            "nextHopIpAddress": ["10.0.0.4"],
        }
    ]
}


def interface(id_: str = NIC) -> NetworkInterface:
    return replace(build.eni(), id=id_)


def effective(id_: str = NIC) -> tuple[Route, ...]:
    return AzureReader(CloudOptions()).effective_routes(interface(id_))


def test_effective_routes_are_asked_for_until_they_are_told(script: Script) -> None:
    location = {"Location": f"{script.origin}/result?x=1", "Retry-After": "0"}
    script.on(EFFECTIVE, Said(status=202, headers=location, body=b""))
    script.on("/result", Said(status=202, headers=location, body=b""), Said(body=RESULT))
    (found,) = effective()
    assert (str(found.destination), found.next_hop.address, found.dead) == (
        "10.42.1.0/24",
        ip_address("10.0.0.4"),
        False,
    )
    assert [asked.method for asked in script.asked] == ["POST", "GET", "GET"]
    assert isinstance(AzureReader(CloudOptions()), FabricReader)


def test_effective_routes_may_be_told_at_once(script: Script) -> None:
    script.on(EFFECTIVE, Said(body=RESULT))
    assert len(effective()) == 1


@pytest.mark.parametrize(
    ("first", "then", "kind"),
    [
        (refusal("AuthorizationFailed", status=403), None, Denied),
        (refusal("ResourceNotFound", status=404), None, NotFound),
        (refusal("VmIsNotRunning", "start it"), None, Rejected),
        (Said(status=202, body=b""), None, Unavailable),
        (Said(status=202, headers={"Location": "https://evil.example/x"}, body=b""), None, Unavailable),
        (Said(status=202, headers={"Location": "/result"}, body=b""), refusal("VmIsNotRunning", "start it"), Rejected),
        (
            Said(status=202, headers={"Location": "/result"}, body=b""),
            Said(body={"status": "Failed", "error": {"code": "VmIsNotRunning", "message": "start it"}}),
            Rejected,
        ),
        (Said(status=202, headers={"Location": "/result"}, body=b""), Said(body=b"{"), Unavailable),
    ],
)
def test_effective_routes_that_cannot_be_told(
    script: Script, first: Said, then: Said | None, kind: type[PortError]
) -> None:
    script.on(EFFECTIVE, first)
    if then is not None:
        script.on("/result", then)
    with pytest.raises(kind) as caught:
        effective()
    assert type(caught.value) is kind


def test_effective_routes_are_not_waited_for_without_end(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_effective, "_DEADLINE_S", 0.1)
    location = {"Location": "/result", "Retry-After": "60"}
    script.on(EFFECTIVE, Said(status=202, headers=location, body=b""))
    script.on("/result", Said(status=202, headers=location, body=b""))
    with pytest.raises(Unavailable, match="no answer within"):
        effective()


def test_members_of_scale_sets_have_no_effective_routes_to_ask_for(script: Script) -> None:
    with pytest.raises(Rejected):
        effective(MEMBER_NIC)
    assert script.asked == []


def test_reading_never_imports_the_typed_client(script: Script) -> None:
    script.on(NICS, page(nic()))
    program = (
        "import sys\n"
        "from tests.test_azure import observe\n"
        "view = observe()\n"
        "assert len(view.instances) == 1, view.source\n"
        "assert not [name for name in sys.modules if name.startswith('azure.mgmt.network')]\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "nothing may be written over the screen"
