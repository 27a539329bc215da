"""Documents field by field as the public interface has them, and text that a terminal can be trusted with."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest

from tests import build
from tui import render, render_text
from tui.checks import diagnose
from tui.demo import SCENARIOS, open_world
from tui.engine.observer import Observer
from tui.model.finding import Code, Finding, Report, Severity
from tui.model.node import Cloud
from tui.model.plan import ApplyResult, Outcome, Progress, Status, build_plan
from tui.model.plan_document import plan_document
from tui.model.planner import make_plan
from tui.model.snapshot import SourceState
from tui.model.witness import Witness

SMALL = [name for name in SCENARIOS if name != "large"]

# The fields as the public interface lists them, in its order.
CHECK = ["schema", "cluster", "observedAt", "sources", "nodes", "findings", "summary"]
CLUSTER = ["context", "server", "podCIDRs"]
SOURCE = ["name", "state", "observedAt", "message"]
NODE = ["name", "os", "ready", "schedulable", "nodeIPs", "podCIDRs", "backend", "cloud", "instance", "forwarding"]
NODE += ["layer2", "routes", "findings"]
ROUTE = ["podCIDR", "state"]
FINDING = ["code", "severity", "node", "subject", "summary", "fixable"]
SUMMARY = ["nodes", "healthy", "error", "warning", "unknown"]
PLAN = ["schema", "id", "cluster", "createdAt", "changes", "refused", "summary"]
CHANGE = ["id", "action", "kind", "cloud", "node", "subject", "before", "after", "disruption", "dependsOn", "command"]
REFUSED = ["node", "code", "reason"]
APPLY = ["schema", "id", "plan", "outcomes", "summary"]
OUTCOME = ["change", "status", "message", "seconds"]
STATUSES = ["applied", "already-so", "refused", "failed", "indeterminate", "skipped"]


def observed(scenario: str) -> Report:
    world = open_world(scenario, latency=False)
    observer = Observer(nodes=world.nodes, reader=world.reader, clock=world.clock, scope=world.scope)
    observer.list_nodes()
    observer.read_clouds()
    return diagnose(observer.snapshot())


def one_broken() -> Report:
    nodes = (build.node("n1"), build.node("n2", ip="10.0.0.5", cidrs=["10.42.2.0/24", "2001:db8:2::/64"]))
    gce = build.node("n3", ip="10.0.0.6", cidrs=[], provider_id=build.node().provider_id.parse("gce://p/z/n3"))
    aws = build.view(
        build.instance("i-n1", build.eni("eni-1", forwards=False)),
        build.instance("i-n2", build.eni("eni-2", ip="10.0.0.5")),
        nodes=nodes,
    )
    lost = build.view(nodes=[gce], cloud=Cloud.GCE, name="gce:p", state=SourceState.DENIED, readable=False)
    return diagnose(build.snapshot(*nodes, gce, views=[aws, lost]))


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


# Documents.


@pytest.mark.parametrize("scenario", SMALL)
def test_a_check_has_exactly_the_fields_of_the_interface(scenario: str) -> None:
    document = json.loads(render.json_text(render.report_document(observed(scenario))))
    assert list(document) == CHECK
    assert document["schema"] == "l2bridge-tui/check/v1"
    assert list(document["cluster"]) == CLUSTER
    assert list(document["summary"]) == SUMMARY
    for source in document["sources"]:
        assert list(source) == SOURCE
        assert source["state"] in {"ok", "denied", "unavailable", "stale"}
    for node in document["nodes"]:
        assert list(node) == NODE
        assert node["cloud"] in {"aws", "gce", "azure", "none"}
        assert node["forwarding"] in {"on", "off", "not-required", "unknown"}
        assert node["layer2"] in {"same", "different", "not-required", "unknown"}
        assert [route["podCIDR"] for route in node["routes"]] == node["podCIDRs"]
        assert all(list(route) == ROUTE for route in node["routes"])
        assert len(set(node["findings"])) == len(node["findings"])
    for finding in document["findings"]:
        assert list(finding) == FINDING
        assert finding["severity"] in {"error", "warning", "info", "unknown"}
    states = sum(document["summary"][state] for state in SUMMARY[1:])
    assert states == document["summary"]["nodes"] == len(document["nodes"])


def test_a_check_of_one_node_word_for_word() -> None:
    document = render.report_document(one_broken(), {"n1"})
    assert document == {
        "schema": "l2bridge-tui/check/v1",
        "cluster": {"context": "prod", "server": "https://10.0.0.1:6443", "podCIDRs": []},
        "observedAt": "2026-01-01T12:00:00Z",
        "sources": [
            {"name": "kubernetes", "state": "ok", "observedAt": "2026-01-01T12:00:00Z", "message": None},
            {"name": "aws:us-east-1", "state": "ok", "observedAt": "2026-01-01T12:00:00Z", "message": None},
        ],
        "nodes": [
            {
                "name": "n1",
                "os": "linux",
                "ready": True,
                "schedulable": True,
                "nodeIPs": ["10.0.0.4"],
                "podCIDRs": ["10.42.1.0/24"],
                "backend": "host-gw",
                "cloud": "aws",
                "instance": "i-n1",
                "forwarding": "off",
                "layer2": "same",
                "routes": [{"podCIDR": "10.42.1.0/24", "state": "not-required"}],
                "findings": ["forwarding-off"],
            }
        ],
        "findings": [
            {
                "code": "forwarding-off",
                "severity": "error",
                "node": "n1",
                "subject": "eni-1",
                "summary": "SourceDestCheck of eni-1 is true: the cloud drops packets from and to this node's pods",
                "fixable": True,
            }
        ],
        "summary": {"nodes": 1, "healthy": 0, "error": 1, "warning": 0, "unknown": 0},
    }


def test_what_was_not_observed_is_null_or_unknown() -> None:
    document = json.loads(render.json_text(render.report_document(one_broken(), {"n3"})))
    assert document["sources"][1] == {"name": "gce:p", "state": "denied", "observedAt": None, "message": None}
    (node,) = document["nodes"]
    assert (node["instance"], node["forwarding"]) == (None, "unknown")
    assert document["summary"]["unknown"] == 1


def test_findings_of_no_node_belong_to_every_selection() -> None:
    report = one_broken()
    stray = Finding(code=Code.ROUTE_MISSING, severity=Severity.INFO, node=None, subject="r", summary="s")
    report = replace(report, findings=(*report.findings, stray))
    assert render.Selection.of(report, {"n2"}).findings == (stray,)
    assert "Cluster\n  info route-missing: s" in "\n".join(render_text.report_lines(report, {"n2"}, program="x"))


def test_a_selection_is_observed_when_its_own_sources_are() -> None:
    report = one_broken()
    assert render.Selection.of(report, {"n1", "n2"}).observed
    assert not render.Selection.of(report, {"n3"}).observed
    assert not render.Selection.of(report, None).observed
    assert render.Selection.of(report, {"n2"}).faultless
    assert not render.Selection.of(report, {"n1"}).faultless


def test_the_project_that_hosts_a_nodes_network_is_a_source_of_that_node() -> None:
    one, other = build.node("n1"), build.node("n2", ip="10.0.0.5", cidrs=["10.42.2.0/24"])
    host = replace(
        build.view(nodes=[], cloud=Cloud.GCE, name="gce:host", state=SourceState.DENIED),
        routed_uids=frozenset({one.uid}),
    )
    report = diagnose(build.snapshot(one, other, views=[host]))
    names = {name: [source.name for source in render.Selection.of(report, {name}).sources] for name in ("n1", "n2")}
    assert names == {"n1": ["kubernetes", "gce:host"], "n2": ["kubernetes"]}


def test_nothing_is_observed_before_the_nodes_are() -> None:
    report = diagnose(replace(build.snapshot(), nodes=None))
    assert not render.Selection.of(report, None).observed
    assert "could not be listed" in "\n".join(render_text.report_lines(report, None, program="x"))


@pytest.mark.parametrize("scenario", SMALL)
def test_a_plan_has_the_fields_of_the_interface_first(scenario: str) -> None:
    report = observed(scenario)
    plan = make_plan(
        cluster=report.snapshot.cluster,
        created_at=build.NOON,
        findings=report.findings,
        nodes=None,
        command=lambda change: f"do {change.subject}",
    )
    document = json.loads(render.json_text(plan_document(plan)))
    assert list(document)[: len(PLAN)] == PLAN
    assert document["schema"] == "l2bridge-tui/plan/v1"
    assert list(document["summary"]) == ["create", "update", "replace", "delete"]
    assert all(list(change)[: len(CHANGE)] == CHANGE for change in document["changes"])
    assert all(list(refused) == REFUSED for refused in document["refused"])
    assert len(document["changes"]) == sum(document["summary"].values())


def test_a_result_has_exactly_the_fields_of_the_interface() -> None:
    plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=[build.switch_on()])
    outcome = Outcome(change="c1", status=Status.REFUSED, message="gone", seconds=3.20049)
    document = render.apply_document(ApplyResult(id="2026-x", plan=plan.id, outcomes=(outcome,)), plan)
    assert list(document) == APPLY
    assert document == {
        "schema": "l2bridge-tui/apply/v1",
        "id": "2026-x",
        "plan": plan.id,
        "outcomes": [{"change": "c1", "status": "refused", "message": "gone", "seconds": 3.2}],
        "summary": dict.fromkeys(STATUSES, 0) | {"refused": 1},
    }
    empty = render.apply_document(None, plan)
    assert (empty["id"], empty["plan"], empty["outcomes"]) == (None, plan.id, [])


def test_documents_are_exact_and_yet_harmless_to_a_terminal() -> None:
    report = observed("hostile")
    document = render.report_document(report)
    text = render.json_text(document)
    assert text.isascii()
    assert all(c.isprintable() or c == "\n" for c in text)
    assert json.loads(text) == document
    assert any("\x1b" in found for found in strings(document))


# Text.


@pytest.mark.parametrize("scenario", SMALL)
def test_text_never_carries_what_a_terminal_would_obey(scenario: str) -> None:
    report = observed(scenario)
    plan = make_plan(
        cluster=report.snapshot.cluster,
        created_at=build.NOON,
        findings=report.findings,
        nodes=None,
        command=lambda change: f"do {change.subject}",
    )
    outcomes = tuple(
        Outcome(change=change.id, status=Status.FAILED, message="\x1b[2J\u202e", seconds=0) for change in plan.changes
    )
    result = ApplyResult(id="r", plan=plan.id, outcomes=outcomes)
    lines = [
        *render_text.report_lines(report, None, program="l2bridge-tui"),
        *render_text.plan_text(plan),
        *render_text.result_lines(result, plan, program="l2bridge-tui"),
        *(
            render_text.step_line(Progress(change=change, outcome=outcome, done=1, total=1))
            for change, outcome in zip(plan.changes, outcomes, strict=True)
        ),
    ]
    assert all(line.isprintable() for line in lines)


def test_the_table_is_worst_first_and_aligned_across_wide_and_combining_characters() -> None:
    nodes = (
        build.node("short"),
        build.node("日本語", ip="10.0.0.5", cidrs=["10.42.2.0/24"]),
        build.node("e\u0301clair", ip="10.0.0.6", cidrs=["10.42.3.0/24"]),
    )
    view = build.view(
        build.instance("i-short", build.eni("eni-1")),
        build.instance("i-日本語", build.eni("eni-2", ip="10.0.0.5", forwards=False)),
        build.instance("i-e\u0301clair", build.eni("eni-3", ip="10.0.0.6", forwards=False, refusal="it is managed")),
        nodes=nodes,
    )
    lines = list(render_text.report_lines(diagnose(build.snapshot(*nodes, views=[view])), None, program="x"))
    start = lines.index("STATE  NODE    OS     POD CIDR      FWD  ROUTE/L2")
    assert lines[start + 1 : start + 4] == [
        "BAD x  e\u0301clair  linux  10.42.3.0/24  OFF  same L2",
        "FIX !  日本語  linux  10.42.2.0/24  OFF  same L2",
        "OK  +  short   linux  10.42.1.0/24  on   same L2",
    ]
    assert [line for line in lines if not line.startswith("  error")][start + 5 : start + 9] == [
        "e\u0301clair",
        "    next: by hand: it is managed",
        "",
        "日本語",
    ]


def test_every_finding_that_no_plan_mends_says_what_to_do() -> None:
    for code in Code:
        for severity in (Severity.ERROR, Severity.UNKNOWN):
            obstacle = "it cannot be written" if code.startswith(("route", "forwarding", "scale-set")) else None
            finding = Finding(code=code, severity=severity, node="n", subject="s", summary="s", obstacle=obstacle)
            step = render_text.next_step(finding, "x")
            assert step is not None or code is Code.INSTANCE_AMBIGUOUS, code


def test_hints_name_the_program_as_it_was_called_and_quote_names() -> None:
    finding = replace(
        one_broken().findings[0], node="a b; reboot", remedy=(build.switch_on(),), severity=Severity.ERROR
    )
    assert render_text.next_step(finding, "kubectl l2bridge") == "kubectl l2bridge plan 'a b; reboot'"


def with_stray(report: Report) -> Report:
    """Return the report with one stray route."""
    stray = Finding(
        code=Code.ROUTE_STRAY,
        severity=Severity.WARNING,
        node=None,
        subject="projects/p/global/routes/old",
        summary="10.42.9.0/24 belongs to no present node",
        remedy=(build.delete_route(None, "10.42.9.0/24"),),
    )
    return replace(report, findings=(*report.findings, stray))


def test_a_stray_route_stands_under_the_cluster_and_leads_to_prune() -> None:
    node = build.node("n1")
    view = build.view(build.instance("i-n1", build.eni()), nodes=[node])
    lines = list(render_text.report_lines(with_stray(diagnose(build.snapshot(node, views=[view]))), None, program="x"))
    at = lines.index("Cluster")
    assert lines[at + 1 : at + 3] == [
        "  warning route-stray: 10.42.9.0/24 belongs to no present node",
        "    next: x plan --prune",
    ]
    assert lines[-1] == "1 stray route. See the plan that deletes it: x plan --prune"
    both = list(render_text.report_lines(with_stray(one_broken()), None, program="x"))
    assert both[-1] == "1 node can be fixed. See what would be changed: x plan"


def test_a_change_about_no_node_says_so() -> None:
    plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=[build.delete_route(None)])
    step = Progress(change=plan.changes[0], outcome=None, done=0, total=1)
    assert render_text.step_line(step) == "- route of projects/p/global/routes/old-None (no node) ..."


def test_the_closing_lines_say_what_can_be_fixed_or_that_all_is_well() -> None:
    report = one_broken()
    every = list(render_text.report_lines(report, None, program="x"))
    assert every[-1] == "1 node can be fixed. See what would be changed: x plan"
    assert every[-2] == "3 nodes: 1 healthy, 1 error, 0 warning, 1 unknown"
    assert "  gce:p denied: no reason was given" in every
    assert list(render_text.report_lines(report, {"n1"}, program="x"))[-1].endswith(": x plan n1")
    healthy = list(render_text.report_lines(report, {"n2"}, program="x"))
    assert healthy[-1] == "Everything required was observed and is right."
    assert "right" not in list(render_text.report_lines(report, {"n3"}, program="x"))[-1]


def test_instants_are_utc_to_the_second() -> None:
    report = one_broken()
    later = replace(report, snapshot=replace(report.snapshot, taken_at=build.NOON + timedelta(microseconds=999_999)))
    assert render.report_document(later)["observedAt"] == "2026-01-01T12:00:00Z"


def test_pod_cidrs_of_both_families_have_a_route_each() -> None:
    document = json.loads(render.json_text(render.report_document(one_broken(), {"n2"})))
    assert [route["podCIDR"] for route in document["nodes"][0]["routes"]] == ["10.42.2.0/24", "2001:db8:2::/64"]
    assert ip_network(document["nodes"][0]["podCIDRs"][1]).version == 6


def test_what_a_witness_saw_is_one_line() -> None:
    cidrs = [ip_network(f"10.42.{number}.0/24") for number in range(1, 7)]
    agrees = Witness(at=build.NOON, node="n1", interface="nic", agrees=frozenset(cidrs), differs={})
    assert render_text.witness_line(agrees) == "the fabric agrees on 6 pod CIDRs, seen from n1"
    one = replace(agrees, agrees=frozenset(), differs={cidrs[0]: "no route"}, node="n\x1b[2J")
    assert render_text.witness_line(one) == (
        "the fabric differs on 1 of 1 pod CIDR, seen from n\\x1b[2J: 10.42.1.0/24: no route"
    )
    most = replace(agrees, agrees=frozenset(cidrs[:1]), differs=dict.fromkeys(cidrs[1:], "10.0.0.0/8 to \x1bNone"))
    line = render_text.witness_line(most)
    assert line.startswith(
        "the fabric differs on 5 of 6 pod CIDRs, seen from n1: 10.42.2.0/24: 10.0.0.0/8 to \\x1bNone"
    )
    assert line.endswith("; 2 more")
