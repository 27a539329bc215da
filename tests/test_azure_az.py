"""The twins of changes for ``az``: one line each, quoted, with the subscription."""

import shlex
from dataclasses import replace

import pytest

from tests.arm_changes import (  # noqa: F401 - the fixtures
    association,
    azure_table,
    creation,
    deletion,
    replacement,
    route,
    switch,
    table_creation,
)
from tests.wire.arm import ArmServer, fresh_arm  # noqa: F401 - the fixture
from tests.wire.arm_world import SUBSCRIPTION
from tui.clouds.azure_forms import command
from tui.model.network import NextHop, NextHopKind
from tui.ports import NotFound, Rejected

_TABLE = f"--subscription {SUBSCRIPTION} --resource-group rg --route-table-name table"
_HOP = "--next-hop-type VirtualAppliance --next-hop-ip-address"


def test_a_flag(arm: ArmServer) -> None:
    change = switch(arm)
    line = f"az network nic update --ids {change.subject} --ip-forwarding true --subscription {SUBSCRIPTION}"
    assert command(change) == line
    assert "--ip-forwarding false" in command(change.inverse())


def test_routes(arm: ArmServer, table: str) -> None:
    assert command(creation(table)) == (
        f"az network route-table route create {_TABLE} --name r3 --address-prefix 10.42.3.0/24 {_HOP} 10.0.1.6"
    )
    assert command(replacement(table)) == (
        f"az network route-table route update {_TABLE} --name r2 --address-prefix 10.42.2.0/24 {_HOP} 10.0.1.5"
    )
    assert command(deletion(table)) == f"az network route-table route delete {_TABLE} --name r1"


def test_a_table_is_made_with_its_routes(arm: ArmServer) -> None:
    change = table_creation(arm, route("r1", "10.42.1.0/24", "10.0.1.4"), route("r2", "10.42.2.0/24", "10.0.1.5"))
    made, *routes = command(change).split(" && ")
    where = f"--subscription {SUBSCRIPTION} --resource-group rg --name l2b-new"
    more = "--location westeurope --disable-bgp-route-propagation false"
    assert made == f"az network route-table create {where} {more}"
    assert ["--route-table-name l2b-new --name r" in line for line in routes] == [True, True]
    assert [shlex.split(line)[-1] for line in routes] == ["10.0.1.4", "10.0.1.5"]
    assert command(change.inverse()) == f"az network route-table delete {where}"


def test_an_association(arm: ArmServer, table: str) -> None:
    subnet = arm.subnet("more", "10.0.2.0/24")
    where = f"--subscription {SUBSCRIPTION} --resource-group rg --vnet-name net --name more"
    change = association(subnet, table)
    assert command(change) == f"az network vnet subnet update {where} --route-table {table}"
    assert command(change.inverse()) == f"az network vnet subnet update {where} --remove routeTable"


def test_names_of_strangers_are_quoted(arm: ArmServer, table: str) -> None:
    change = deletion(table)
    hostile = replace(change, before=replace(change.before, name="r1; rm -rf ~\x1b[2J"))
    assert shlex.split(command(hostile))[-1].startswith("r1; rm -rf ~")
    assert "\x1b" not in command(hostile)


def test_a_next_hop_that_cannot_be_written_here_is_refused(arm: ArmServer, table: str) -> None:
    change = creation(table)
    several = NextHop(kind=NextHopKind.OTHER, text="VirtualApplianceEcmp")
    with pytest.raises(Rejected):
        command(replace(change, after=replace(change.after, next_hop=several)))
    none = NextHop(kind=NextHopKind.OTHER, text="None")
    assert command(replace(change, after=replace(change.after, next_hop=none))).endswith("--next-hop-type None")


def test_an_id_of_something_else_is_refused(arm: ArmServer) -> None:
    with pytest.raises(NotFound):
        command(replace(switch(arm), subject="nic-1"))
