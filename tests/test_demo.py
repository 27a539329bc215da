"""The embedded world's scenarios: consistent, reproducible, showing what they promise, touching nothing outside."""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from tui.checks import diagnose
from tui.demo import KUBERNETES, SCENARIOS, DemoWorld, open_world
from tui.demo.hostile import hostile
from tui.model.finding import Code, Report, Severity, Verdict
from tui.model.node import Cloud
from tui.model.snapshot import CloudView, Snapshot, Source, SourceState
from tui.model.text import printable
from tui.ports import Misconfigured

CLOUDS = (Cloud.AWS, Cloud.GCE, Cloud.AZURE)
FLAGS = {Cloud.AWS: "SourceDestCheck", Cloud.GCE: "canIpForward", Cloud.AZURE: "enableIPForwarding"}


def views_of(world: DemoWorld) -> tuple[CloudView, ...]:
    nodes = world.nodes.list().nodes
    wanted = {cloud: [node for node in nodes if world.scope.cloud_of(node) is cloud] for cloud in CLOUDS}
    return tuple(view for cloud in CLOUDS for view in world.reader(cloud).observe(wanted[cloud]))


def report_of(world: DemoWorld) -> Report:
    now, facts = world.clock.now(), world.nodes.facts()
    snapshot = Snapshot(
        taken_at=now,
        cluster=replace(
            world.nodes.cluster(),
            pod_cidrs=facts.pod_cidrs,
            uid=facts.uid,
            route_controller=facts.route_controller,
        ),
        scope=world.scope,
        nodes=world.nodes.list().nodes,
        nodes_source=Source(name=KUBERNETES, state=SourceState.OK, observed_at=now),
        views=views_of(world),
    )
    return diagnose(snapshot)


def told(report: Report) -> dict[str, set[str]]:
    """Return the nodes of each finding code, unknowns left out."""
    nodes: defaultdict[str, set[str]] = defaultdict(set)
    for finding in report.findings:
        if finding.severity is not Severity.UNKNOWN:
            nodes[finding.code.value].add(finding.node or "")
    return dict(nodes)


def test_the_first_scenario_is_the_default_and_each_has_a_line() -> None:
    assert next(iter(SCENARIOS)) == "mixed"
    assert set(SCENARIOS) >= {"healthy", "aws", "bare-metal", "denied", "large", "empty", "hostile", "upgrade"}
    assert all(line and "\n" not in line for line in SCENARIOS.values())


def test_an_unknown_scenario_names_the_known_ones() -> None:
    with pytest.raises(Misconfigured) as caught:
        open_world("nope\x1b[2J")
    assert "\x1b" not in str(caught.value)
    assert all(name in str(caught.value) for name in SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_name_gives_the_same_world(name: str) -> None:
    one, other = open_world(name, latency=False), open_world(name, latency=False)
    assert one.nodes.list() == other.nodes.list()
    assert views_of(one) == views_of(other)
    assert one.nodes.cluster().context == f"demo-{name}"
    assert one.nodes.cluster().server == "https://demo.invalid:6443"


@pytest.mark.parametrize("name", SCENARIOS)
def test_nodes_and_pod_cidrs_are_consistent(name: str) -> None:
    world = open_world(name, latency=False)
    nodes = world.nodes.list().nodes
    assert [node.name for node in nodes] == sorted({node.name for node in nodes})
    assert len({node.uid for node in nodes}) == len(nodes)
    cluster = world.nodes.facts().pod_cidrs
    for node in nodes:
        assert node.addresses
        assert node.created_at is not None
        assert node.created_at < world.clock.now()
        assert (not node.ready) == any(taint.key == "node.kubernetes.io/not-ready" for taint in node.taints)
        for cidr in node.pod_cidrs:
            assert any(cidr.version == outer.version and cidr.subnet_of(outer) for outer in cluster)  # type: ignore[arg-type] # of one version


@pytest.mark.parametrize("name", SCENARIOS)
def test_views_are_consistent_in_themselves(name: str) -> None:
    views = views_of(open_world(name, latency=False))
    subnets = {subnet.id: subnet for view in views for subnet in view.subnets or ()}
    for view in views:
        keys = [instance.key for instance in view.instances or ()]
        assert len(set(keys)) == len(keys)
        for instance in view.instances or ():
            for interface in instance.interfaces:
                subnet = subnets[interface.subnet or ""]
                assert subnet.network == interface.network
                assert all(any(address in cidr for cidr in subnet.cidrs) for address in interface.addresses)
                assert interface.switch.flag == FLAGS[view.cloud]
                assert interface.switch.inverted is (view.cloud is Cloud.AWS)
                assert (interface.switch.token is not None) is (view.cloud is Cloud.GCE)
        for table in view.route_tables or ():
            assert set(table.subnets or ()) <= set(subnets)
            assert len({route.name for route in table.routes}) == len(table.routes)
            assert table.quota is not None
            assert table.quota.used == len(table.routes) <= table.quota.limit
            assert table.route_prefix.endswith("/routes/")
            assert all(subnets[subnet].route_table == table.id for subnet in table.subnets or ())


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in {"hostile", "custom"}])
def test_provider_ids_name_the_vms_that_the_clouds_tell(name: str) -> None:
    world = open_world(name, latency=False)
    keys = {instance.key for view in views_of(world) for instance in view.instances or ()}
    unreadable = {view.cloud for view in views_of(world) if view.instances is None}
    for node in world.nodes.list().nodes:
        cloud = node.provider_id.cloud
        gone = name == "mixed" and node.name == "gce-linux-4"
        assert cloud is None or cloud in unreadable or (node.provider_id.key in keys) is not gone


def test_mixed_has_one_node_for_each_thing_that_can_be_wrong() -> None:
    report = report_of(open_world("mixed", latency=False))
    assert told(report) == {
        "forwarding-off": {"aws-win-1", "gce-win-1", "azure-win-1", "azure-pool-000002"},
        "route-missing": {"azure-linux-3"},
        "route-wrong-next-hop": {"azure-linux-2"},
        "route-blackhole": {"gce-linux-2"},
        "route-duplicate": {"gce-linux-3"},
        "route-table-missing": {"azure-win-2"},
        "scale-set-member": {"azure-pool-000002"},
        "layer2-different": {"aws-linux-3"},
        "podcidr-missing": {"gce-win-2"},
        "podcidr-overlap": {"gce-linux-4", "gce-linux-5"},
        "instance-not-found": {"gce-linux-4"},
        "backend-not-host-gw": {"aws-linux-4"},
        "route-stray": {""},
    }
    healthy = [assessment.node.name for assessment in report.assessments if assessment.healthy]
    assert healthy == ["aws-linux-1", "aws-linux-2", "azure-linux-1", "gce-linux-1"]
    fixable = [assessment.node.name for assessment in report.assessments if assessment.verdict is Verdict.FIX]
    assert set(fixable) >= {"aws-win-1", "azure-win-1", "gce-win-1"}


def test_gce_tells_the_whole_story_of_routes() -> None:
    world = open_world("gce", latency=False)
    report = report_of(world)
    assert told(report) == {
        "forwarding-off": {"gce-win-1"},
        "route-missing": {"gce-linux-3"},
        "route-wrong-next-hop": {"gce-linux-4"},
        "route-blackhole": {"gce-linux-5"},
        "route-duplicate": {"gce-win-1"},
        "route-stray": {""},
    }
    assert all(finding.fixable for finding in report.findings)
    assert world.echoes == 1
    (quota,) = report.snapshot.quotas()
    assert quota.free == 3


def test_shared_vpc_has_its_routes_in_the_host_project() -> None:
    report = report_of(open_world("shared-vpc", latency=False))
    assert told(report) == {
        "forwarding-off": {"svc-win-1"},
        "route-missing": {"svc-linux-2"},
        "route-wrong-next-hop": {"svc-linux-3"},
        "route-blackhole": {"svc-linux-4"},
    }
    sources = {change.kind: change.source for finding in report.findings for change in finding.remedy}
    assert sources == {"forwarding": "gce:demo-service", "route": "gce:demo-host"}


def test_controller_leaves_the_flag_alone_to_be_fixed() -> None:
    report = report_of(open_world("controller", latency=False))
    assert told(report) == {
        "forwarding-off": {"gce-linux-2"},
        "route-missing": {"gce-linux-3"},
        "route-controller-active": {""},
    }
    assert {finding.code for finding in report.findings if finding.fixable} == {Code.FORWARDING_OFF}


def test_quota_has_no_room() -> None:
    report = report_of(open_world("quota", latency=False))
    assert told(report) == {
        "route-missing": {"gce-linux-2"},
        "route-wrong-next-hop": {"gce-linux-3"},
        "route-quota": {""},
    }
    (quota,) = report.snapshot.quotas()
    assert quota.free == 0


def test_the_machine_of_a_scale_set_is_off_and_cannot_be_switched() -> None:
    report = report_of(open_world("mixed", latency=False))
    assessment = report.of("azure-pool-000002")
    assert assessment is not None
    assert [finding.code for finding in assessment.findings] == [Code.FORWARDING_OFF, Code.SCALE_SET_MEMBER]
    assert not any(finding.fixable for finding in assessment.findings)
    assert "az vmss update" in (assessment.findings[-1].obstacle or "")


def test_healthy_has_nothing_wrong() -> None:
    report = report_of(open_world("healthy", latency=False))
    assert report.findings == ()
    assert any(len(assessment.routes) == 2 for assessment in report.assessments), "one node is dual-stack"


def test_aws_has_two_nodes_with_the_check_on() -> None:
    report = report_of(open_world("aws", latency=False))
    assert len(report.assessments) == 8
    assert told(report) == {"forwarding-off": {"linux-3", "windows-2"}}


def test_custom_cannot_tell_one_vm() -> None:
    report = report_of(open_world("custom", latency=False))
    assert told(report) == {"forwarding-off": {"custom-2"}, "instance-ambiguous": {"custom-3"}}


def test_bare_metal_is_judged_by_layer_2() -> None:
    report = report_of(open_world("bare-metal", latency=False))
    assert report.snapshot.views == ()
    assert told(report) == {"layer2-different": {"rack-6"}, "podcidr-missing": {"rack-7"}}


def test_denied_loses_one_cloud_and_keeps_the_others() -> None:
    report = report_of(open_world("denied", latency=False))
    states = {source.name: source.state for source in report.snapshot.sources}
    assert states.pop("gce:demo-project") is SourceState.DENIED
    assert set(states.values()) == {SourceState.OK}
    assert told(report) == {"forwarding-off": {"aws-win-1"}}
    assert report.counts()["unknown"] == 2


def test_large_is_large_and_mostly_well() -> None:
    report = report_of(open_world("large", latency=False))
    assert report.counts()["nodes"] == 5_000
    assert {code: len(nodes) for code, nodes in told(report).items()} == {
        "forwarding-off": 10,
        "layer2-different": 2,
        "podcidr-missing": 1,
    }


def test_empty_is_empty() -> None:
    world = open_world("empty", latency=False)
    assert world.nodes.list().nodes == ()
    assert views_of(world) == ()


def test_hostile_attacks_with_every_kind_of_character() -> None:
    world = open_world("hostile", latency=False)
    names = "".join(node.name for node in world.nodes.list().nodes)
    attacks = ("\x1b[2J", "\x1b]0;", "\x07", "\n", "\r", "\x00", "\x7f", "\u202e", "\u200b", "\u0301", "節", "[/", "$(")
    assert [attack for attack in attacks if attack not in names] == []
    denied = next(view.source for view in views_of(world) if view.source.state is SourceState.DENIED)
    assert denied.message is not None
    assert denied.message != printable(denied.message)
    assert any(route.name != printable(route.name) for site in hostile().sites for route in site.routes)


def test_upgrade_replaces_nodes_by_the_clock() -> None:
    world = open_world("upgrade", latency=False)
    before = {node.name: node.uid for node in world.nodes.list().nodes}
    assert report_of(world).findings == ()

    world.clock.advance(31)
    assert not {node.name: node for node in world.nodes.list().nodes}["aws-linux-1"].schedulable

    world.clock.advance(40)
    names = {node.name: node for node in world.nodes.list().nodes}
    assert "aws-linux-1" not in names
    assert names["aws-linux-4"].pod_cidrs == ()
    assert names["aws-linux-4"].backend is None
    assert told(report_of(world))["podcidr-missing"] == {"aws-linux-4"}

    world.clock.advance(600)
    report = report_of(world)
    uids = {node.name: node.uid for node in world.nodes.list().nodes}
    assert told(report) == {
        "forwarding-off": {"aws-linux-3", "aws-linux-4", "aws-linux-5", "gce-pool-1", "gce-pool-2", "gce-pool-3"},
        "route-missing": {"gce-pool-2"},
        "route-wrong-next-hop": {"gce-pool-3"},
        "route-stray": {""},
    }
    assert uids["gce-pool-1"] != before["gce-pool-1"], "the same name again is another node"
    assert uids["aws-control-1"] == before["aws-control-1"]


def test_rolling_upgrade_replaces_twelve_nodes_on_three_clouds_and_one_never_joins() -> None:
    world = open_world("rolling-upgrade", latency=False)
    before = {node.uid: node for node in world.nodes.list().nodes}
    assert len(before) == 12
    assert report_of(world).findings == ()

    world.clock.advance(180)
    # One route leads to an address that another VM has taken over, one to a VM that still runs.
    assert told(report_of(world))["route-wrong-next-hop"] == {"az-pool-5", "gce-pool-7"}

    world.clock.advance(100)
    after = world.nodes.list().nodes
    assert before.keys().isdisjoint(node.uid for node in after)
    assert Counter(node.name.partition("-")[0] for node in after) == {"aws": 4, "gce": 3, "az": 4}
    assert {node.kubelet_version for node in after} == {"v1.35.0"}
    ranges = {cidr for node in after for cidr in node.pod_cidrs}
    assert ranges < {cidr for node in before.values() for cidr in node.pod_cidrs}, "every pod CIDR is used again"
    assert told(report_of(world)) == {
        "forwarding-off": {"aws-pool-5", "aws-pool-6", "aws-pool-7", "aws-pool-8", "az-pool-7"},
        "route-blackhole": {"gce-pool-6", "gce-pool-7", "az-pool-6", "az-pool-7"},
        "route-wrong-next-hop": {"az-pool-5"},
        "route-stray": {""},
    }


def test_bare_metal_and_unknown_clouds_have_nothing_to_read() -> None:
    world = open_world("bare-metal", latency=False)
    assert world.reader(Cloud.AWS).observe(world.nodes.list().nodes) == ()


def test_a_scenario_without_flannel_configuration_has_no_pod_cidrs() -> None:
    scenario = replace(open_world("empty", latency=False).scenario, pod_cidrs=())
    assert DemoWorld(scenario, latency=False).nodes.facts().pod_cidrs == ()


RUN_EVERYTHING = """
import hashlib, json, socket, sys

def refuse(*arguments, **options):
    raise AssertionError("the demo opened a socket")

socket.socket = socket.create_connection = socket.getaddrinfo = refuse

from tui.demo import SCENARIOS, open_world
from tui.model.node import Cloud

told = []
for name in SCENARIOS:
    world = open_world(name, latency=False)
    nodes = world.nodes.list()
    told.append([(node.name, node.uid, node.provider_id.raw, str(node.created_at)) for node in nodes.nodes])
    for cloud in Cloud:
        for view in world.reader(cloud).observe(nodes.nodes):
            told.append([(vm.id, [str(nic.switch) for nic in vm.interfaces]) for vm in view.instances or ()])
            told.append(str(view.route_tables))
    world.nodes.close()
    assert not list(world.nodes.watch(nodes.version))

foreign = ("textual", "rich", "boto3", "botocore", "kubernetes", "google", "azure", "msgspec", "urllib3", "requests")
loaded = sorted({module.partition(".")[0] for module in sys.modules} & set(foreign))
allowed = ("tui.demo", "tui.meter", "tui.model", "tui.ports")
ours = sorted(module for module in sys.modules if module.startswith("tui.") and not module.startswith(allowed))
print(json.dumps([loaded, ours, hashlib.sha256(repr(told).encode(errors="replace")).hexdigest()]))
"""


def test_nothing_outside_is_loaded_or_touched_and_every_process_sees_the_same() -> None:
    answers = []
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", RUN_EVERYTHING],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        answers.append(json.loads(run.stdout))
    assert answers[0][:2] == [[], []]
    assert answers[0] == answers[1]
