"""Nodes, provider ids, untrusted text, and the join of nodes with interfaces."""

import pytest

from tests import build
from tui.model.joined import Joined
from tui.model.node import Cloud, ProviderID
from tui.model.snapshot import PlacementState, Scope, SourceState
from tui.model.text import printable


@pytest.mark.parametrize(
    ("raw", "cloud", "key", "zone", "account"),
    [
        ("aws:///us-east-1a/i-0abc", Cloud.AWS, "i-0abc", "us-east-1a", None),
        ("aws:////i-0abc", Cloud.AWS, "i-0abc", None, None),
        ("i-0abc", Cloud.AWS, "i-0abc", None, None),
        ("aws:///us-east-1a/fargate-10.0.0.1", Cloud.AWS, None, "us-east-1a", None),
        ("gce://p1/us-central1-a/vm-1", Cloud.GCE, "p1/us-central1-a/vm-1", "us-central1-a", "p1"),
        ("gce://p1/vm-1", Cloud.GCE, None, None, None),
        (
            "azure:///subscriptions/S1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM",
            Cloud.AZURE,
            "/subscriptions/s1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm",
            None,
            "s1",
        ),
        ("k3s://n1", None, None, None, None),
        ("rke2://n1", None, None, None, None),
        ("", None, None, None, None),
        ("vsphere://4207", Cloud.NONE, None, None, None),
        ("nonsense", None, None, None, None),
    ],
)
def test_provider_ids_name_cloud_vm_zone_and_account(
    raw: str, cloud: Cloud | None, key: str | None, zone: str | None, account: str | None
) -> None:
    provider_id = ProviderID.parse(raw)
    assert (provider_id.cloud, provider_id.key, provider_id.zone, provider_id.account) == (cloud, key, zone, account)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("wide 漢字", "wide 漢字"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("two\nlines", "two\\x0alines"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("c1\x9b31m", "c1\\x9b31m"),
    ],
)
def test_untrusted_text_cannot_move_the_cursor(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_the_interface_that_holds_the_node_address_is_the_one_judged() -> None:
    node = build.node("n1", ip="10.0.1.9")
    second = build.eni("eni-b", ip="10.0.1.9")
    view = build.view(build.instance("i-n1", build.eni("eni-a"), second), nodes=[node])
    placement = Joined.of(build.snapshot(node, views=[view])).placements[node.uid]
    assert placement.state is PlacementState.FOUND
    assert placement.interface is second


def test_an_instance_without_the_node_address_is_not_guessed_at() -> None:
    node = build.node("n1", ip="10.9.9.9")
    view = build.view(build.instance("i-n1", build.eni()), nodes=[node])
    placement = Joined.of(build.snapshot(node, views=[view])).placements[node.uid]
    assert placement.state is PlacementState.NOT_FOUND
    assert placement.candidates == ("i-n1",)


def test_without_provider_id_a_unique_address_tells_and_a_repeated_one_does_not() -> None:
    silent = ProviderID.parse("")
    unique = build.node("n1", ip="10.0.0.4", provider_id=silent)
    repeated = build.node("n2", ip="10.0.0.5", provider_id=silent)
    view = build.view(
        build.instance("i-1", build.eni("eni-1", ip="10.0.0.4")),
        build.instance("i-2", build.eni("eni-2", ip="10.0.0.5")),
        build.instance("i-3", build.eni("eni-3", ip="10.0.0.5", network="vpc-2")),
        nodes=[unique, repeated],
    )
    snapshot = build.snapshot(unique, repeated, views=[view], scope=Scope(fallback=Cloud.AWS))
    placements = Joined.of(snapshot).placements
    assert placements[unique.uid].instance is not None
    assert placements[repeated.uid].state is PlacementState.AMBIGUOUS
    assert placements[repeated.uid].candidates == ("eni-2 in vpc-1", "eni-3 in vpc-2")


@pytest.mark.parametrize(
    "lost",
    [
        {"readable": False, "state": SourceState.DENIED},
        {"complete": False},
        {"complete": False, "state": SourceState.UNAVAILABLE},
    ],
)
def test_absence_from_a_source_that_did_not_answer_fully_proves_nothing(lost: dict[str, object]) -> None:
    node = build.node("n1")
    view = build.view(nodes=[node], **lost)  # type: ignore[arg-type] # parametrised keywords
    placement = Joined.of(build.snapshot(node, views=[view])).placements[node.uid]
    assert placement.state is PlacementState.UNOBSERVED


def test_the_same_address_in_a_source_that_was_not_asked_is_no_ambiguity() -> None:
    node = build.node("n1", provider_id=ProviderID.parse(""))
    here = build.view(build.instance("i-1", build.eni("eni-1")), nodes=[node])
    there = build.view(build.instance("i-2", build.eni("eni-2", network="vpc-2")), nodes=[], name="aws:eu-west-1")
    snapshot = build.snapshot(node, views=[here, there], scope=Scope(fallback=Cloud.AWS))
    placement = Joined.of(snapshot).placements[node.uid]
    assert placement.instance is not None
    assert placement.instance.id == "i-1"


def test_a_source_that_told_its_interfaces_is_enough_to_tell_by_address() -> None:
    node = build.node("n1", provider_id=ProviderID.parse(""))
    view = build.view(build.instance("i-1", build.eni()), nodes=[node], state=SourceState.DENIED)
    placement = Joined.of(build.snapshot(node, views=[view], scope=Scope(fallback=Cloud.AWS))).placements[node.uid]
    assert placement.state is PlacementState.FOUND


def test_a_node_that_no_source_was_asked_about_is_unobserved() -> None:
    node = build.node("n1")
    view = build.view(build.instance("i-n1"), nodes=[])
    placement = Joined.of(build.snapshot(build.node("n2"), views=[view])).placements["uid-n2"]
    assert (placement.state, placement.reason) == (PlacementState.UNOBSERVED, "not read yet")
    assert Joined.of(build.snapshot(node)).placements[node.uid].state is PlacementState.UNOBSERVED


def test_absence_from_a_complete_answer_is_not_found() -> None:
    node = build.node("n1")
    placement = Joined.of(build.snapshot(node, views=[build.view(nodes=[node])])).placements[node.uid]
    assert (placement.state, placement.reason) == (PlacementState.NOT_FOUND, "there is no VM i-n1")


def test_the_operator_can_say_that_no_node_is_in_a_cloud() -> None:
    node = build.node("n1")
    placement = Joined.of(build.snapshot(node, scope=Scope(cloud=Cloud.NONE))).placements[node.uid]
    assert placement.state is PlacementState.NO_CLOUD


def test_a_provider_id_of_another_cloud_than_the_one_given_is_no_key() -> None:
    node = build.node("n1", provider_id=ProviderID.parse("gce://p/z/n1"))
    view = build.view(build.instance("i-x", build.eni()), nodes=[node])
    placement = Joined.of(build.snapshot(node, views=[view], scope=Scope(cloud=Cloud.AWS))).placements[node.uid]
    assert placement.instance is not None
    assert placement.instance.id == "i-x"
