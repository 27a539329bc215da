"""Azure, written to over https: one thing changes, everything else is as it was, in whatever form the end is told."""

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.arm_changes import (  # noqa: F401 - the fixtures
    association,
    azure_reader,
    azure_table,
    azure_writer,
    creation,
    deletion,
    replacement,
    route,
    switch,
    table_creation,
)
from tests.wire.arm import ArmServer, fresh_arm  # noqa: F401 - the fixture
from tests.wire.arm_operations import Form
from tests.wire.arm_world import Json, fold
from tui.clouds.azure import AzureReader
from tui.clouds.azure_writes import AzureWriter
from tui.model.change import (
    Change,
    ReplaceRoute,
    RouteChange,
)
from tui.model.network import NetworkInterface, ReplaceMethod
from tui.ports import Conflict, FabricReader, NotFound, Reading, Rejected, TableWriter


def without_etag(document: Json) -> Json:
    return {name: value for name, value in copy.deepcopy(document).items() if name != "etag"}


def test_what_it_offers(reader: AzureReader, writer: AzureWriter) -> None:
    assert isinstance(reader, FabricReader)
    assert isinstance(writer, TableWriter)


def test_one_flag_changes_and_nothing_else_at_any_depth(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    change = switch(arm)
    wanted = without_etag(arm.raw(change.subject))
    wanted["properties"]["enableIPForwarding"] = True
    writer.write(change)
    assert without_etag(arm.raw(change.subject)) == wanted
    (put,) = [one for one in arm.requests if one.method == "PUT"]
    assert put.headers["If-Match"].startswith('W/"')
    assert "virtualMachine" not in put.body["properties"]
    writer.write(change.inverse())
    wanted["properties"]["enableIPForwarding"] = False
    assert without_etag(arm.raw(change.subject)) == wanted


def test_what_is_already_so_is_not_written(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    writer.write(switch(arm, before=True))
    writer.write(association(f"{arm.group()}/providers/Microsoft.Network/virtualNetworks/net/subnets/nodes", table))
    assert arm.writes() == []


def test_a_flag_that_is_not_told_is_a_conflict(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    del arm.properties(switch(arm).subject)["enableIPForwarding"]
    with pytest.raises(Conflict):
        writer.write(switch(arm))


def test_a_member_of_a_uniform_scale_set_is_not_written(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    vm = arm.member(0, arm.subnet("more", "10.0.2.0/24"), "10.0.2.4")
    with pytest.raises(Rejected, match="scale set's model"):
        writer.write(replace(switch(arm), subject=f"{vm}/networkInterfaces/nic"))
    assert arm.writes() == []


@pytest.mark.parametrize("change", [creation, replacement, deletion])
def test_one_route_changes_and_no_other(
    arm: ArmServer, table: str, reader: AzureReader, writer: AzureWriter, change: Callable[[str], RouteChange]
) -> None:
    before = {one["name"]: one for one in copy.deepcopy(arm.properties(table))["routes"]}
    rest = {name: value for name, value in copy.deepcopy(arm.raw(table)).items() if name not in {"etag", "properties"}}
    made = change(table)
    writer.write(made)
    after = {one["name"]: one for one in arm.properties(table)["routes"]}
    touched = made.names()
    assert {n: v for n, v in after.items() if n not in touched} == {n: v for n, v in before.items() if n not in touched}
    assert {name: arm.raw(table)[name] for name in rest} == rest
    assert len(arm.writes()) == 1
    wanted = made.after
    seen = reader.read(made).route(made.subject.rpartition("/")[2])
    assert seen is None if wanted is None else seen is not None and seen.same_as(wanted)
    if isinstance(made, ReplaceRoute):
        assert after["r2"]["properties"]["futureMark"] == ["r2"]


def test_changes_and_their_inverses_restore_the_table(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    before = arm.routes(table)
    for change in (creation(table), replacement(table), deletion(table)):
        writer.write(change)
        assert arm.routes(table) != before
        writer.write(change.inverse())
        assert arm.routes(table) == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda table: creation(table, name="R1"), "there is a route R1 in the table by now"),
        (lambda table: creation(table, prefix="10.42.1.0/24"), "route r1 of the table leads 10.42.1.0/24 by now"),
        (lambda table: replacement(table, before="10.0.1.98"), "not what it was"),
        (lambda table: deletion(table, hop="10.0.1.98"), "not what it was"),
    ],
)
def test_a_route_that_is_not_as_planned_is_a_conflict_alone_and_among_others(
    arm: ArmServer, table: str, writer: AzureWriter, change: Callable[[str], RouteChange], told: str
) -> None:
    before = copy.deepcopy(arm.raw(table))
    with pytest.raises(Conflict, match=told):
        writer.write(change(table))
    with pytest.raises(Conflict, match=told):
        writer.write_table([creation(table, name="r9", prefix="10.42.9.0/24"), change(table)])
    assert arm.raw(table) == before
    assert arm.writes() == []


def test_deleting_what_is_absent_does_no_harm(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    writer.write(deletion(table))
    writer.write(deletion(table))
    assert len(arm.writes()) == 1


def test_a_replacement_in_steps_is_refused(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    with pytest.raises(Rejected, match="in place"):
        writer.write(replace(replacement(table), method=ReplaceMethod.ADD_THEN_DELETE))


def test_two_hundred_routes_are_one_put_that_keeps_everything_else(
    arm: ArmServer, table: str, writer: AzureWriter
) -> None:
    before = without_etag(arm.raw(table))
    new = [creation(table, f"n{number}", f"10.43.{number}.0/24", f"10.0.2.{number}") for number in range(200)]
    changes: list[RouteChange] = [*new, replacement(table), deletion(table)]
    assert len(writer.read_table(changes).routes) == 3
    writer.write_table(changes)
    assert [method for method, _ in arm.writes()] == ["PUT"]
    after = without_etag(arm.raw(table))
    kept, added = after["properties"].pop("routes")[:2], len(arm.routes(table)) - 2
    theirs, replaced = before["properties"].pop("routes")[1:]
    assert after == before
    assert kept[0] == theirs
    assert kept[1]["properties"] == replaced["properties"] | {"nextHopIpAddress": "10.0.1.5"}
    assert added == 200
    assert len(writer.read_table(changes).routes) == 202


def test_a_table_is_made_in_one_put_and_taken_back(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    change = table_creation(arm, route("r1", "10.42.1.0/24", "10.0.1.4"), route("r2", "10.42.2.0/24", "10.0.1.5"))
    writer.write(change)
    made = arm.raw(change.subject)
    assert (made["location"], made["properties"]["disableBgpRoutePropagation"]) == ("westeurope", False)
    assert arm.routes(change.subject) == {"10.42.1.0/24": "10.0.1.4", "10.42.2.0/24": "10.0.1.5"}
    assert len(arm.writes()) == 1
    with pytest.raises(Conflict):
        writer.write(change)
    writer.write(change.inverse())
    assert fold(change.subject) not in arm.resources
    writer.write(change.inverse())


def test_a_table_that_has_changed_or_is_used_is_not_deleted(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    change = table_creation(arm, route("r1", "10.42.1.0/24", "10.0.1.4"))
    writer.write(change)
    arm.route(change.subject, "other", "10.99.0.0/16", "10.0.1.9")
    with pytest.raises(Conflict):
        writer.write(change.inverse())
    arm.properties(change.subject)["routes"].pop()
    arm.subnet("more", "10.0.2.0/24", table=change.subject)
    with pytest.raises(Conflict):
        writer.write(change.inverse())
    assert fold(change.subject) in arm.resources


@pytest.mark.parametrize("odd", [False, True])
def test_a_subnet_gets_its_table_and_loses_nothing(
    arm: ArmServer, table: str, reader: AzureReader, writer: AzureWriter, odd: bool
) -> None:
    arm.odd = odd
    subnet = arm.subnet("more", "10.0.2.0/24")
    for number in range(3):
        arm.vm(f"m{number}", subnet, f"10.0.2.{number + 4}")
    before = without_etag(arm.raw(subnet))
    change = association(subnet, table)
    assert reader.read(change).table is None
    writer.write(change)
    assert arm.table_of(subnet) == fold(table)
    assert reader.read(change).table == table
    after = without_etag(arm.raw(subnet))
    after["properties"].pop("routeTable")
    assert after == before
    (put,) = [one for one in arm.requests if one.method == "PUT"]
    assert put.headers["If-Match"]
    assert "ipConfigurations" not in put.body["properties"]
    writer.write(change.inverse())
    assert without_etag(arm.raw(subnet)) == before


def test_a_subnet_is_never_taken_from_another_table(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    theirs = arm.table("theirs")
    subnet = arm.subnet("more", "10.0.2.0/24", table=theirs)
    with pytest.raises(Conflict, match="has the route table"):
        writer.write(association(subnet, table))
    with pytest.raises(Conflict):
        writer.write(association(subnet, None, before=table))
    assert arm.table_of(subnet) == fold(theirs)
    assert arm.writes() == []


@pytest.mark.parametrize("name", ["GatewaySubnet", "azurebastionsubnet", "AzureFirewallSubnet", "RouteServerSubnet"])
def test_subnets_of_azures_own_services_are_left_alone(
    arm: ArmServer, table: str, writer: AzureWriter, name: str
) -> None:
    subnet = arm.subnet(name, "10.0.3.0/24")
    with pytest.raises(Rejected, match="kept for a service of Azure"):
        writer.write(association(subnet, table))
    assert arm.writes() == []


@pytest.mark.parametrize("form", list(Form))
def test_every_form_of_operation_is_followed_to_its_end(
    arm: ArmServer, table: str, writer: AzureWriter, form: Form
) -> None:
    arm.operations.form, arm.operations.looks = form, 3
    for change in (creation(table), replacement(table), deletion(table), switch(arm)):
        writer.write(change)  # the server refuses what begins before the last one has ended
    assert arm.routes(table)["10.42.3.0/24"] == "10.0.1.6"
    assert arm.forwards("n1") is True


def test_effective_routes_are_those_of_the_subnets_table(arm: ArmServer, table: str, reader: AzureReader) -> None:
    found = reader.effective_routes(nic(switch(arm).subject))
    by_prefix = {str(one.destination): one for one in found}
    assert by_prefix["10.42.1.0/24"].next_hop.text == "10.0.1.4"
    assert by_prefix["10.0.0.0/8"].next_hop.text == "None"
    assert not by_prefix["10.42.1.0/24"].dead


def test_effective_routes_of_an_interface_without_a_running_vm_are_not_told(
    arm: ArmServer, table: str, reader: AzureReader
) -> None:
    loose = arm.nic("loose", arm.subnet("more", "10.0.2.0/24"), "10.0.2.9")
    with pytest.raises(Rejected):
        reader.effective_routes(nic(loose))


def nic(id_: str) -> NetworkInterface:
    from tests.build_azure import node, vm

    return replace(vm(node()).interfaces[0], id=id_)


def test_readings_are_about_what_the_change_names(arm: ArmServer, table: str, reader: AzureReader) -> None:
    whole = table_creation(arm)
    assert reader.read(whole) == Reading()
    known = replace(whole, subject=table, after=replace(whole.after, id=table))
    reading = reader.read(known)
    assert (reading.table, len(reading.routes), len(reading.subnets)) == (table, 3, 1)
    assert reader.read(creation(table)).route("r3") is None


@pytest.mark.parametrize("source", ["azure:99999999-2222-3333-4444-555555555555", "gce:p", ""])
def test_a_change_of_another_source_is_not_found(arm: ArmServer, table: str, writer: AzureWriter, source: str) -> None:
    changes: list[Change] = [switch(arm), creation(table), table_creation(arm), association(table, None)]
    for change in changes:
        with pytest.raises(NotFound):
            writer.write(replace(change, source=source))
    assert arm.requests == []
