"""The simulated Resource Manager is one that the real SDK takes for the real one."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.mgmt.network import NetworkManagementClient, models

from tests.wire import arm_rules
from tests.wire.arm import ArmServer, fresh_arm  # noqa: F401 - the fixture
from tests.wire.arm_operations import Form
from tests.wire.arm_rules import Refused
from tests.wire.arm_world import SUBSCRIPTION
from tui.clouds.azure_writes import READ_ONLY


@pytest.fixture
def sdk(arm: ArmServer) -> NetworkManagementClient:
    return NetworkManagementClient(
        DefaultAzureCredential(),
        SUBSCRIPTION,
        base_url=arm.origin,
        credential_scopes=[f"{arm.origin}/.default"],
        polling_interval=0,
        retry_total=0,
    )


@pytest.fixture
def table(arm: ArmServer) -> str:
    made = arm.table(r1=("10.42.1.0/24", "10.0.1.4"))
    subnet = arm.subnet("nodes", "10.0.1.0/24", table=made)
    arm.vm("n1", subnet, "10.0.1.4", ipv6="fd00::4")
    arm.vm("n2", subnet, "10.0.1.5", forwards=False)
    arm.member(0, subnet, "10.0.1.6")
    return made


def test_a_token_of_the_identity_opens_it_and_nothing_else_does(
    arm: ArmServer, sdk: NetworkManagementClient, table: str
) -> None:
    assert [found.name for found in sdk.route_tables.list_all()] == ["table"]
    assert arm.resources_asked_for == [arm.origin]
    arm._tokens.clear()
    with pytest.raises(HttpResponseError) as refused:
        list(sdk.route_tables.list_all())
    assert refused.value.status_code == 401


def test_lists_come_in_pages(arm: ArmServer, sdk: NetworkManagementClient, table: str) -> None:
    arm.page_size = 1
    assert sorted(str(nic.name) for nic in sdk.network_interfaces.list_all()) == ["n1-nic", "n2-nic"]
    assert arm.count("GET", "networkInterfaces$") == 2
    assert [network.name for network in sdk.virtual_networks.list("rg")] == ["net"]
    assert list(sdk.virtual_networks.list("other")) == []


def test_members_of_a_uniform_scale_set_are_listed_with_the_set_alone(
    arm: ArmServer, sdk: NetworkManagementClient, table: str
) -> None:
    listed = sdk.network_interfaces.list_virtual_machine_scale_set_network_interfaces("rg", "set")
    (nic,) = list(listed)
    assert nic.ip_configurations[0].private_ip_address == "10.0.1.6"
    (network,) = sdk.virtual_networks.list_all()
    held = [str(one.id).lower() for subnet in network.subnets for one in subnet.ip_configurations]
    assert any("/virtualmachinescalesets/set/virtualmachines/0/" in one for one in held)


def test_models_read_what_it_tells(sdk: NetworkManagementClient, table: str) -> None:
    found = sdk.route_tables.get("rg", "table")
    assert (found.routes[0].address_prefix, found.routes[0].next_hop_ip_address) == ("10.42.1.0/24", "10.0.1.4")
    assert found.subnets[0].id.endswith("/subnets/nodes")
    nic = sdk.network_interfaces.get("rg", "n1-nic")
    assert [one.private_ip_address for one in nic.ip_configurations] == ["10.0.1.4", "fd00::4"]


def test_a_put_under_its_etag_is_taken_and_the_operation_followed(
    arm: ArmServer, sdk: NetworkManagementClient, table: str
) -> None:
    nic = sdk.network_interfaces.get("rg", "n2-nic")
    nic.enable_ip_forwarding = True
    poller = sdk.network_interfaces.begin_create_or_update("rg", "n2-nic", nic, headers={"If-Match": nic.etag})
    assert poller.result().enable_ip_forwarding is True
    assert arm.forwards("n2") is True
    with pytest.raises(HttpResponseError) as stale:
        sdk.network_interfaces.begin_create_or_update("rg", "n2-nic", nic, headers={"If-Match": nic.etag})
    assert (stale.value.status_code, code_of(stale.value)) == (412, "PreconditionFailed")


def test_what_a_put_leaves_out_is_gone(arm: ArmServer, sdk: NetworkManagementClient, table: str) -> None:
    subnet = sdk.subnets.get("rg", "net", "nodes")
    bare = models.Subnet(properties=models.SubnetPropertiesFormat(address_prefix=subnet.address_prefix))
    sdk.subnets.begin_create_or_update("rg", "net", "nodes", bare, headers={"If-Match": subnet.etag}).result()
    left = arm.properties(str(subnet.id))
    assert {"networkSecurityGroup", "natGateway", "routeTable", "futureThing"}.isdisjoint(left)


@pytest.mark.parametrize("form", list(Form))
def test_every_form_of_operation_ends(arm: ArmServer, sdk: NetworkManagementClient, table: str, form: Form) -> None:
    arm.operations.form = form
    made = sdk.routes.begin_create_or_update("rg", "table", "r2", _route("10.42.2.0/24")).result()
    assert made.address_prefix == "10.42.2.0/24"
    sdk.routes.begin_delete("rg", "table", "r2").result()
    assert arm.routes(table) == {"10.42.1.0/24": "10.0.1.4"}


def test_a_failed_operation_comes_with_http_200(arm: ArmServer, sdk: NetworkManagementClient, table: str) -> None:
    arm.operations.failure, arm.operations.effect = Refused(409, "AnotherOperationInProgress"), False
    with pytest.raises(HttpResponseError) as failed:
        sdk.routes.begin_create_or_update("rg", "table", "r2", _route("10.42.2.0/24")).result()
    assert (failed.value.status_code, code_of(failed.value)) == (200, "AnotherOperationInProgress")
    assert "10.42.2.0/24" not in arm.routes(table)


def _route(prefix: str, hop: str = "10.0.1.5") -> Any:
    told = models.RoutePropertiesFormat(
        address_prefix=prefix, next_hop_type="VirtualAppliance", next_hop_ip_address=hop or None
    )
    return models.Route(properties=told)


def code_of(error: HttpResponseError) -> str | None:
    return None if error.error is None else error.error.code


def test_a_second_write_while_one_is_under_way_is_refused(
    arm: ArmServer, sdk: NetworkManagementClient, table: str
) -> None:
    arm.operations.looks = 99
    sdk.routes.begin_create_or_update("rg", "table", "r2", _route("10.42.2.0/24"), polling=False)
    with pytest.raises(HttpResponseError) as busy:
        sdk.routes.begin_create_or_update("rg", "table", "r3", _route("10.42.3.0/24"), polling=False)
    assert code_of(busy.value) == "AnotherOperationInProgress"


@pytest.mark.parametrize(
    ("name", "route", "code"),
    [
        ("r2", _route("10.42.1.0/24"), "RouteConflict"),
        ("r2", _route("10.42.2.1/24"), "InvalidAddressPrefixFormat"),
        ("r2", _route("10.42.2.0/24", hop=""), "InvalidNextHop"),
    ],
)
def test_rules_of_routes(sdk: NetworkManagementClient, table: str, name: str, route: Any, code: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        sdk.routes.begin_create_or_update("rg", "table", name, route)
    assert code_of(refused.value) == code


def test_a_table_is_full_with_400_routes(arm: ArmServer, sdk: NetworkManagementClient, table: str) -> None:
    for number in range(399):
        arm.route(table, f"x{number}", f"10.{50 + number // 250}.{number % 250}.0/24", "10.0.1.4")
    with pytest.raises(HttpResponseError) as refused:
        sdk.routes.begin_create_or_update("rg", "table", "r2", _route("10.42.2.0/24"))
    assert code_of(refused.value) == "RouteTableRouteCountLimitReached"


def test_a_subnets_table_must_be_there_and_in_its_region(
    arm: ArmServer, sdk: NetworkManagementClient, table: str
) -> None:
    far = arm.table("far", region="eastus")
    for wanted in (far, f"{table}x"):
        subnet = sdk.subnets.get("rg", "net", "nodes")
        subnet.route_table = models.RouteTable(id=wanted)
        with pytest.raises(HttpResponseError):
            sdk.subnets.begin_create_or_update("rg", "net", "nodes", subnet, headers={"If-Match": subnet.etag})
    with pytest.raises(HttpResponseError) as used:
        sdk.route_tables.begin_delete("rg", "table")
    assert code_of(used.value) == "InUseRouteTableCannotBeDeleted"


def test_effective_routes_are_told_after_a_while(sdk: NetworkManagementClient, table: str) -> None:
    found = sdk.network_interfaces.begin_get_effective_route_table("rg", "n1-nic").result()
    assert [(one.address_prefix, one.next_hop_ip_address) for one in found.value if one.source == "User"] == [
        (["10.42.1.0/24"], ["10.0.1.4"])
    ]


def test_refusals_are_what_the_sdk_makes_of_real_ones(arm: ArmServer, sdk: NetworkManagementClient, table: str) -> None:
    arm.fail("PUT", "/routes/", 409, "ScopeLocked")
    with pytest.raises(ResourceExistsError):
        sdk.routes.begin_create_or_update("rg", "table", "r2", _route("10.42.2.0/24"))
    with pytest.raises(ResourceNotFoundError):
        sdk.route_tables.get("rg", "no")


def test_an_unknown_version_is_answered_with_the_known_ones(sdk: NetworkManagementClient, table: str) -> None:
    with pytest.raises(HttpResponseError, match="2026-03-01, 2025-07-01") as refused:
        sdk.route_tables.get("rg", "table", api_version="2001-01-01")
    assert code_of(refused.value) == "NoRegisteredProviderFound"


def test_what_is_never_sent_back_is_what_the_models_call_read_only() -> None:
    for kind, (_, inner) in arm_rules._MODELS.items():
        arm_rules.known_fields(inner)
        fields = getattr(models, inner)._attr_to_rest_field.values()
        assert READ_ONLY[f"microsoft.network/{kind}"] == {
            field._rest_name for field in fields if field._visibility == ["read"]
        }
