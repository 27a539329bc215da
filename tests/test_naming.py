"""Names of our routes: deterministic, recognisable, and within the narrowest rules of any cloud."""

import json
import re
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import build
from tui.model.naming import is_own, made_by, route_description, route_name, route_prefix, table_name
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


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}[A-Za-z0-9_]", fullmatch=True))
def test_every_name_of_a_table_keeps_azures_rules(network: str) -> None:
    name = table_name(build.CLUSTER, f"/subscriptions/s/resourceGroups/g/providers/p/virtualNetworks/{network}")
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,78}[A-Za-z0-9_]", name)
    assert is_own(build.CLUSTER, name)
    assert name.endswith(network) is (len(network) <= 67)


def test_networks_with_long_names_that_begin_alike_get_different_tables() -> None:
    first, second = (table_name(build.CLUSTER, "x" * 90 + end) for end in "ab")
    assert first != second


def test_the_maker_of_a_route_is_told_with_a_description_where_there_is_one() -> None:
    cluster, by_hand = build.CLUSTER, build.route("10.42.1.0/24", to="x", name="r")
    assert made_by(cluster, replace(by_hand, name=route_prefix(cluster) + "r")) == "made by this program"
    assert made_by(cluster, by_hand) == "foreign, made by somebody else"
    assert made_by(cluster, replace(by_hand, description="vpn")).endswith("somebody else: description 'vpn'")
