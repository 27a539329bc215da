"""Which EC2 region a node is looked for in, and that regions are sources of their own."""

import pytest

from tests import build
from tests.wire.ec2 import REGION, Ec2Server, fresh_account, serve_ec2  # noqa: F401 - fixtures
from tui.clouds.aws import AwsReader
from tui.model.joined import Joined
from tui.model.node import Cloud, Node, ProviderID
from tui.model.snapshot import PlacementState, Scope, SourceState
from tui.ports import CloudOptions


def named(instance: str, *, name: str = "n1", ip: str = "10.0.0.4", zone: str = f"{REGION}a") -> Node:
    return build.node(name, ip=ip, provider_id=ProviderID.parse(f"aws:///{zone}/{instance}"))


def regionless(name: str = "lost", *, ip: str = "10.0.0.5") -> Node:
    return build.node(name, ip=ip, provider_id=ProviderID.parse(""))


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("us-east-1a", "us-east-1"),
        ("us-gov-west-1b", "us-gov-west-1"),
        ("eusc-de-east-1a", "eusc-de-east-1"),
        ("us-west-2-lax-1a", "us-west-2"),
        ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
        ("cn-north-1a", "cn-north-1"),
    ],
)
def test_the_region_is_told_by_the_zone(ec2: Ec2Server, zone: str, region: str) -> None:
    (view,) = AwsReader(CloudOptions(aws_region="eu-west-3")).observe([named("i-1", zone=zone)])
    assert view.source.name == f"aws:{region}"
    assert {call.region for call in ec2.calls} == {region}


def test_the_region_label_wins_and_options_and_settings_follow(ec2: Ec2Server, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled = build.node(
        provider_id=ProviderID.parse("aws:///us-west-2-lax-1a/i-1"),
        labels={"topology.kubernetes.io/region": "us-west-2"},
    )
    (view,) = AwsReader(CloudOptions(aws_region="eu-west-3")).observe([labelled])
    assert view.source.name == "aws:us-west-2"
    silent = regionless()
    (view,) = AwsReader(CloudOptions(aws_region="eu-west-3")).observe([silent])
    assert view.source.name == "aws:eu-west-3"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    (view,) = AwsReader(CloudOptions()).observe([silent])
    assert view.source.name == "aws:ap-south-1"


def test_nodes_of_no_known_region_are_unobserved_and_the_others_still_show(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet("10.0.0.0/24")
    instance, _ = ec2.instance(subnet, "10.0.0.4")
    nodes = [named(instance), regionless()]
    views = AwsReader(CloudOptions()).observe(nodes)
    assert [view.source.name for view in views] == [f"aws:{REGION}", "aws:unknown"]
    assert views[1].source.state is SourceState.UNAVAILABLE
    assert views[1].source.message is not None
    assert "--aws-region" in views[1].source.message
    assert (views[1].instances, views[1].subnets) == (None, None)
    joined = Joined.of(build.snapshot(*nodes, views=views, scope=Scope(fallback=Cloud.AWS)))
    states = [placed.state for _, placed in joined.placed()]
    assert states == [PlacementState.FOUND, PlacementState.UNOBSERVED]


def test_each_region_is_a_source_of_its_own(ec2: Ec2Server) -> None:
    nodes = []
    for number, region in enumerate(("us-east-1", "eu-west-1")):
        _, subnet = ec2.subnet("10.0.0.0/24", region=region)
        instance, _ = ec2.instance(subnet, "10.0.0.4", region=region)
        nodes.append(named(instance, name=f"n{number}", zone=f"{region}a"))
    views = AwsReader(CloudOptions()).observe(nodes)
    assert [view.source.name for view in views] == ["aws:eu-west-1", "aws:us-east-1"]
    assert [view.node_uids for view in views] == [{"uid-n1"}, {"uid-n0"}]
    joined = Joined.of(build.snapshot(*nodes, views=views, scope=Scope(fallback=Cloud.AWS)))
    sources = [placed.source for _, placed in joined.placed()]
    assert sources == ["aws:us-east-1", "aws:eu-west-1"]
