"""Names of our routes: deterministic, recognisable, and within the narrowest rules of any cloud."""

import json
import re
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import build
from tui.model.naming import is_own, route_description, route_name, route_prefix
from tui.model.network import NextHop, NextHopKind
from tui.model.node import IPNetwork

HOP = NextHop(kind=NextHopKind.INSTANCE, text="projects/p/zones/z/instances/n1", instance_key="p/z/n1")
CIDR = ip_network("10.42.1.0/24")


@given(
    st.one_of(
        st.builds(IPv4Network, st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)), st.just(False)),
        st.builds(IPv6Network, st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128)), st.just(False)),
    ),
    st.text(max_size=40),
    st.text(max_size=40),
)
def test_every_name_keeps_the_clouds_rules(cidr: IPNetwork, hop: str, uid: str) -> None:
    name = route_name(build.CLUSTER, cidr, replace(HOP, text=hop), replace(build.node(), uid=uid))
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name)
    assert is_own(build.CLUSTER, name)


def test_the_same_node_gets_the_same_name_and_any_other_another() -> None:
    node = build.node()
    name = route_name(build.CLUSTER, CIDR, HOP, node)
    assert name == route_name(build.CLUSTER, CIDR, HOP, replace(node, name="renamed"))
    assert "10-42-1-0-24" in name
    others = {
        route_name(build.CLUSTER, ip_network("10.42.2.0/24"), HOP, node),
        route_name(build.CLUSTER, CIDR, replace(HOP, text="elsewhere"), node),
        route_name(build.CLUSTER, CIDR, HOP, replace(node, uid="uid-of-its-successor")),
        route_name(replace(build.CLUSTER, uid="c0ffee"), CIDR, HOP, node),
    }
    assert len(others - {name}) == 4


@pytest.mark.parametrize("uid", ["c0ffee", None])
def test_a_route_is_own_by_the_clusters_identity(uid: str | None) -> None:
    cluster = replace(build.CLUSTER, uid=uid)
    assert is_own(cluster, route_name(cluster, CIDR, HOP, build.node()))
    assert not is_own(cluster, f"{route_prefix(replace(cluster, uid='another'))}10-42-1-0-24")
    assert not is_own(cluster, "legacy-route")
    same_cluster = replace(cluster, server="https://other-name:6443", context="another")
    assert (route_prefix(same_cluster) == route_prefix(cluster)) is (uid is not None)


def test_the_description_says_for_whom() -> None:
    told = json.loads(route_description(build.CLUSTER, CIDR, build.node()))
    assert told == {"by": "l2bridge-tui", "cluster": "prod", "node": "n1", "uid": "uid-n1", "cidr": "10.42.1.0/24"}
