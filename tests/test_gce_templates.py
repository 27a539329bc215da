"""A flag that will be off again: VMs of managed instance groups whose template has it off. And the roles needed."""

import re
from pathlib import Path

import pytest
import yaml

from tests.test_gce import INSTANCES, named, observe, place
from tests.wire.gce import ComputeServer, fresh_gce  # noqa: F401 - the fixture
from tests.wire.gce_refusals import FORBIDDEN

GROUP, TEMPLATE = "compute.instanceGroupManagers.get", "compute.instanceTemplates.get"


def caution(name: str = "n1", ip: str = "10.0.0.11") -> str | None:
    node = named(name, ip=ip)
    interface = place(node, observe(node)).interface
    assert interface is not None
    return interface.switch.caution


def member(gce: ComputeServer, *, template_forwards: bool = False, forwards: bool = False) -> None:
    template = gce.template("workers-v1", forwards=template_forwards)
    group = gce.group("workers", template=template)
    gce.instance("n1", ip="10.0.0.11", template=template, group=group, forwards=forwards)


def test_a_template_with_the_flag_off_is_told_with_what_to_change(gce: ComputeServer) -> None:
    member(gce)
    told = caution() or ""
    assert "workers-v1" in told
    assert "instance group workers " in told
    assert gce.count()[INSTANCES] == 2


@pytest.mark.parametrize(("template_forwards", "forwards"), [(True, False), (False, True)])
def test_nothing_is_said_where_nothing_will_be_undone(
    gce: ComputeServer, template_forwards: bool, forwards: bool
) -> None:
    member(gce, template_forwards=template_forwards, forwards=forwards)
    assert caution() is None
    assert gce.count()[INSTANCES] == (1 if forwards else 2), "VMs whose flag is on are not asked about"


def test_the_template_of_the_group_counts_and_not_the_one_of_the_vm(gce: ComputeServer) -> None:
    old, new = gce.template("v1"), gce.template("v2", forwards=True)
    gce.instance("n1", ip="10.0.0.11", template=old, group=gce.group("workers", template=new))
    assert caution() is None


def test_a_vm_that_no_group_makes_anew_is_none_of_it(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11", template=gce.template("v1"))
    gce.instance("n2", ip="10.0.0.12")
    assert (caution(), caution("n2", "10.0.0.12")) == (None, None)


def test_an_alias_needs_no_flag_and_so_no_caution(gce: ComputeServer) -> None:
    template = gce.template("v1")
    group = gce.group("workers", template=template)
    gce.instance("n1", ip="10.0.0.11", alias=("10.42.1.0/24",), template=template, group=group)
    assert caution() is None
    assert gce.count()[INSTANCES] == 1


@pytest.mark.parametrize("method", [GROUP, TEMPLATE])
def test_without_the_rights_it_says_nothing_wrong(gce: ComputeServer, method: str) -> None:
    member(gce)
    gce.fail(method, FORBIDDEN)
    told = caution()
    assert (told is None) is (method == TEMPLATE), "the VM's own template is known when the group may not be read"


def test_members_of_one_group_share_its_calls(gce: ComputeServer) -> None:
    template = gce.template("v1")
    group = gce.group("workers", template=template)
    nodes = []
    for number in range(60):
        gce.instance(f"w{number}", ip=f"10.0.0.{number + 10}", template=template, group=group)
        nodes.append(named(f"w{number}", ip=f"10.0.0.{number + 10}"))
    (view,) = observe(*nodes)
    assert all(one.interfaces[0].switch.caution for one in view.instances or ())
    counted = gce.count()
    assert (counted[INSTANCES], counted[GROUP], counted[TEMPLATE]) == (3, 1, 1)


def test_the_roles_hold_what_the_calls_need(repository: Path) -> None:
    reads, both = (
        set(yaml.safe_load((repository / "permissions" / f"gcp-role{kind}.yaml").read_text())["includedPermissions"])
        for kind in ("-read-only", "")
    )
    source = "".join(path.read_text() for path in (repository / "tui" / "clouds").glob("gce*.py"))
    named_by_calls = set(re.findall(r'"(compute\.[A-Za-z]+\.[a-z]+)"', source))
    writes = {"compute.instances.update", "compute.routes.create", "compute.routes.delete"}
    assert len(named_by_calls) > 8
    assert named_by_calls - reads == writes
    assert both > reads | writes | {"compute.zoneOperations.get", "compute.globalOperations.get"}
