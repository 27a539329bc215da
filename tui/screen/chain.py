"""One node as a chain of links: node, VM, interface, forwarding, and the route or the layer 2 that packets take.

Each link carries its verdict, what was seen where and when, and why it matters. Pure; may import model and render.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tui.model.finding import Assessment, Code, Finding, Forwarding, Layer2, PodRoute, Report, RouteState, Verdict
from tui.model.snapshot import PlacementState
from tui.render_plan import resource_name
from tui.render_text import next_step
from tui.screen.deeds import deed
from tui.screen.format import CLOUD_NAMES, Line, Span, Tone, badge, clock, legible, line, source_name
from tui.screen.seen_routes import owned_range, route_evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link. ``verdict`` is None where nothing is required; ``evidence`` are observed values with their ids."""

    title: str
    verdict: Verdict | None
    state: str
    evidence: tuple[str, ...]
    why: str
    findings: tuple[Finding, ...] = ()


_IDENTITY = frozenset({Code.INSTANCE_NOT_FOUND, Code.INSTANCE_AMBIGUOUS})
_NODE = frozenset({Code.PODCIDR_MISSING, Code.PODCIDR_OVERLAP, Code.BACKEND_NOT_HOST_GW})
_SWITCH = frozenset({Code.FORWARDING_OFF, Code.SCALE_SET_MEMBER})
_ROUTES = frozenset(code for code in Code if code.startswith("route-"))


def links(assessment: Assessment, report: Report) -> Iterator[Link]:
    """Yield the links in the order in which a packet depends on them."""
    observed = _observed(assessment, report)
    yield _node(assessment)
    if assessment.placement.state is not PlacementState.NO_CLOUD:
        yield _machine(assessment, observed)
        if assessment.placement.interface is not None:
            yield _interface(assessment)
        yield _forwarding(assessment, observed)
    if any(route.state is not RouteState.NOT_REQUIRED or owned_range(assessment, route) for route in assessment.routes):
        yield from (_route(assessment, route, report) for route in assessment.routes)
    if assessment.layer2 is not Layer2.NOT_REQUIRED:
        yield _layer2(assessment)


def _of(assessment: Assessment, codes: frozenset[Code]) -> tuple[Finding, ...]:
    return tuple(finding for finding in assessment.findings if finding.code in codes)


def _judged(findings: Sequence[Finding], otherwise: Verdict | None = Verdict.OK) -> Verdict | None:
    """Return the verdict of a link by its own findings."""
    serious = [finding for finding in findings if finding.severity != "info"]
    if not serious:
        return otherwise
    if any(finding.severity == "unknown" for finding in serious):
        return Verdict.UNKNOWN
    return Verdict.FIX if any(finding.fixable for finding in serious) else Verdict.BAD


def _node(assessment: Assessment) -> Link:
    node = assessment.node
    findings = _of(assessment, _NODE)
    ready = {True: "Ready", False: "NotReady", None: "readiness unknown"}[node.ready]
    state = [ready] + ([] if node.schedulable else ["cordoned"]) + (["being deleted"] if node.deleting else [])
    cidrs = ", ".join(map(str, node.pod_cidrs)) or "none yet"
    about = [legible(text) for text in (node.os, node.kubelet_version, node.zone) if text]
    addresses = ", ".join(map(str, node.addresses)) or "no address"
    backend = f"flannel {legible(node.backend)}" if node.backend else "no word from flannel"
    verdict = Verdict.NEW if any(f.code is Code.PODCIDR_MISSING for f in findings) else _judged(findings)
    return Link(
        title="Node",
        verdict=verdict,
        state=", ".join(state),
        evidence=(f"pods {cidrs} · node {addresses}", " · ".join([*about, backend])),
        why="Its pods get addresses from the pod CIDR; everything below must deliver that range.",
        findings=findings,
    )


def _machine(assessment: Assessment, observed: str) -> Link:
    placement = assessment.placement
    instance = placement.instance
    evidence = [_named(instance.id)] if instance else [legible(name) for name in placement.candidates]
    if instance and instance.zone:
        evidence[0] += f" · {legible(instance.zone)}"
    if placement.reason:
        evidence.append(legible(placement.reason))
    unknown = placement.state is PlacementState.UNOBSERVED
    running = {True: "running", False: "stopped", None: "found"}[instance.running] if instance else "not found"
    if placement.state in {PlacementState.UNOBSERVED, PlacementState.AMBIGUOUS}:
        running = "not observed" if unknown else "ambiguous"
    findings = _of(assessment, _IDENTITY)
    return Link(
        title=f"VM ({CLOUD_NAMES[assessment.cloud]})",
        verdict=_judged(findings, Verdict.UNKNOWN if unknown else Verdict.OK),
        state=running,
        evidence=(*evidence, observed),
        why="The machine behind the node: its interface carries the packets of the pods.",
        findings=findings,
    )


def _interface(assessment: Assessment) -> Link:
    interface = assessment.placement.interface
    if interface is None:
        raise ValueError("a node without an interface has no such link")
    addresses = ", ".join(map(str, interface.addresses))
    subnet = assessment.subnet
    cidrs = f" ({', '.join(map(str, subnet.cidrs))})" if subnet and subnet.cidrs else ""
    return Link(
        title="Interface",
        verdict=Verdict.OK,
        state=addresses,
        evidence=(
            _named(interface.id),
            *_troubled("this interface", interface.trouble),
            f"subnet {_named(interface.subnet or '-')}{cidrs}",
            *_troubled("this subnet", subnet.trouble if subnet else None),
        ),
        why="The interface that holds the node's address is the one that is judged.",
    )


def _troubled(what: str, trouble: str | None) -> tuple[str, ...]:
    return () if trouble is None else (f"the cloud says of {what}: {legible(trouble)}",)


def _named(resource: str) -> str:
    return legible(resource_name(resource))


_FORWARDING_STATES = {
    Forwarding.ON: ("on", Verdict.OK),
    Forwarding.OFF: ("OFF", Verdict.BAD),
    Forwarding.NOT_REQUIRED: ("not required", None),
    Forwarding.UNKNOWN: ("not observed", Verdict.UNKNOWN),
}


def _forwarding(assessment: Assessment, observed: str) -> Link:
    interface, instance = assessment.placement.interface, assessment.placement.instance
    state, verdict = _FORWARDING_STATES[assessment.forwarding]
    findings = _of(assessment, _SWITCH)
    evidence: tuple[str, ...] = ()
    if interface is not None and interface.forwards is not None:
        switch = interface.switch
        value = str(switch.value(interface.forwards)).lower()
        evidence = (f"{legible(switch.flag)} = {value} on {_named(switch.subject)}", observed)
        if switch.caution is not None:
            evidence = (*evidence, f"note: {legible(switch.caution)}")
    if instance is not None and instance.scale_set is not None:
        evidence = (*evidence, f"decided by the model of scale set {_named(instance.scale_set)}")
    return Link(
        title="Forwarding",
        verdict=_judged(findings, verdict),
        state=state,
        evidence=evidence,
        why="Pod packets carry addresses that are not the VM's own; without the permission the cloud drops them.",
        findings=findings,
    )


_ROUTE_VERDICTS = {
    RouteState.OK: Verdict.OK,
    RouteState.NOT_REQUIRED: None,
    RouteState.UNKNOWN: Verdict.UNKNOWN,
}


def _route(assessment: Assessment, route: PodRoute, report: Report) -> Link:
    owned = owned_range(assessment, route)
    if owned is not None:
        return Link(
            title=f"Route {route.pod_cidr}",
            verdict=Verdict.OK,
            state="delivered by the VM's own alias range",
            evidence=(f"alias range {owned}", _observed(assessment, report)),
            why="The cloud delivers an alias range to its VM by itself: it needs no route.",
        )
    findings = tuple(
        finding
        for finding in _of(assessment, _ROUTES)
        if finding.subject == str(route.pod_cidr) or finding.code is Code.ROUTE_TABLE_MISSING
    )
    return Link(
        title=f"Route {route.pod_cidr}",
        verdict=_judged(findings, _ROUTE_VERDICTS.get(route.state, Verdict.BAD)),
        state=route.state.value,
        evidence=(*route_evidence(assessment, route, report), _observed(assessment, report)),
        why="The network knows pod addresses only by this route; it must lead to this node and nowhere else.",
        findings=findings,
    )


_LAYER2_STATES = {
    Layer2.SAME: ("same as the others", Verdict.OK),
    Layer2.DIFFERENT: ("DIFFERENT", Verdict.BAD),
    Layer2.UNKNOWN: ("not observed", Verdict.UNKNOWN),
    Layer2.NOT_REQUIRED: ("not required", None),
}


def _layer2(assessment: Assessment) -> Link:
    state, verdict = _LAYER2_STATES[assessment.layer2]
    findings = _of(assessment, frozenset({Code.LAYER2_DIFFERENT}))
    subnet = assessment.subnet
    return Link(
        title="Layer 2",
        verdict=_judged(findings, verdict),
        state=state,
        evidence=(f"subnet {_named(subnet.id)}",) if subnet else (),
        why="host-gw sends frames straight to the node's address: all nodes must share one layer-2 subnet.",
        findings=findings,
    )


def detail(assessment: Assessment, report: Report, *, fix_key: str | None, full: bool) -> list[Line]:
    """Return the whole chain as lines, what is wrong on top. ``fix_key`` is None where nothing can be written.

    Unless ``full``, links that are as they must be do not say why they matter.
    """
    name = legible(assessment.node.name)
    lines = [line(badge(assessment.verdict), " ", Span(name, Tone.STRONG), indent=6)]
    lines += [
        line("      ", Span(f"{finding.code}: ", Tone.BAD), legible(finding.summary), indent=6)
        for finding in assessment.findings
    ]
    lines.append(line("      ", *_next(assessment, fix_key), indent=6))
    lines.append(line())
    for link in links(assessment, report):
        lines += drawn(link, fix_key=fix_key, full=full or link.verdict not in {None, Verdict.OK})
    return lines


def _next(assessment: Assessment, fix_key: str | None) -> list[Span]:
    """Say what the operator can do now."""
    if any(finding.fixable for finding in assessment.findings):
        if fix_key:
            return [Span(fix_key, Tone.KEY), Span(" opens the plan that mends it; nothing changes before you confirm.")]
        return [Span("A plan could mend it; this console is read-only.", Tone.DIM)]
    steps = [step for finding in assessment.findings if (step := next_step(finding, "l2bridge-tui")) is not None]
    if steps:
        return [Span("next: ", Tone.KEY), Span("; ".join(dict.fromkeys(steps)))]
    return (
        [Span("Nothing to do.", Tone.DIM)] if assessment.healthy else [Span("ctrl+r", Tone.KEY), Span(" reads again.")]
    )


def _observed(assessment: Assessment, report: Report) -> str:
    source = next((s for s in report.snapshot.sources if s.name == assessment.placement.source), None)
    if source is None or source.observed_at is None:
        return "not observed"
    stale = "" if source.state == "ok" else f", now {source.state}"
    return f"read {clock(source.observed_at)} from {legible(source_name(source.name))}{stale}"


_MOST = 6
"""How many changes a link tells: a table that is put right before a subnet gets it may need hundreds."""


def drawn(link: Link, *, fix_key: str | None, full: bool) -> Iterator[Line]:
    """Yield a link as lines; with ``full`` it says why it matters."""
    mark = badge(link.verdict) if link.verdict else Span("  -  ", Tone.DIM)
    yield line(mark, " ", Span(link.title, Tone.STRONG), "  ", Span(link.state, mark.tone), indent=6)
    for text in link.evidence:
        yield line("      ", text, indent=8)
    for obstacle in dict.fromkeys(finding.obstacle for finding in link.findings if finding.obstacle):
        yield line("      ", Span(legible(obstacle), Tone.BAD), indent=6)
    deeds = list(dict.fromkeys(deed(change) for finding in link.findings for change in finding.remedy))
    for told in deeds[:_MOST]:
        key = Span(fix_key, Tone.KEY) if fix_key else Span("a plan", Tone.DIM)
        yield line("      ", key, f" {told}", indent=8)
    if len(deeds) > _MOST:
        yield line("      ", Span(f"and {len(deeds) - _MOST} more, all in the plan", Tone.DIM), indent=8)
    if full:
        yield line("      ", Span(link.why, Tone.DIM), indent=6)
