"""From a node's assessment to the cells of the node list. Pure; may import model, format and columns."""

from collections.abc import Iterable

from tui.model.finding import VERDICTS_WORST_FIRST, Assessment, Forwarding, Layer2, RouteState
from tui.render_text import FORWARDING_WORDS, LAYER2_WORDS, ROUTE_WORDS
from tui.screen.columns import Column
from tui.screen.format import Elide, Span, Tone, badge, legible, short_id


def _plain(text: str | None) -> Span:
    return Span(legible(text)) if text else Span("-", Tone.DIM)


def _pod_cidr(assessment: Assessment) -> Span:
    cidrs = assessment.node.pod_cidrs
    if not cidrs:
        return Span("none yet", Tone.NEW)
    return Span(str(cidrs[0]) + (f" +{len(cidrs) - 1}" if len(cidrs) > 1 else ""))


_GOOD = frozenset({Forwarding.ON, Layer2.SAME, RouteState.OK})


def _state(state: Forwarding | Layer2 | RouteState, word: str) -> Span:
    """Return the word that the text output has for a state, in its tone."""
    if state in _GOOD:
        return Span(word, Tone.OK)
    tones = {"unknown": Tone.UNKNOWN, "not-required": Tone.DIM}
    return Span(word, tones.get(state.value, Tone.BAD))


def _forwarding(assessment: Assessment) -> Span:
    return _state(assessment.forwarding, FORWARDING_WORDS[assessment.forwarding])


def _way(assessment: Assessment) -> Span:
    """Return how pod packets reach the node: by the worst of its routes, else by layer 2."""
    route, layer2 = assessment.worst_route, assessment.layer2
    return _state(route, ROUTE_WORDS[route]) if route in ROUTE_WORDS else _state(layer2, LAYER2_WORDS[layer2])


def _hop(assessment: Assessment) -> Span:
    hop = next((route.next_hop.label for entry in assessment.routes for _, route in entry.seen), None)
    return _plain(short_id(hop) if hop else None)


def _age(assessment: Assessment) -> Span:
    created = assessment.node.created_at
    return _plain(created.strftime("%Y-%m-%d") if created else None)


_SHORT_OS = {"windows": "win", "linux": "lin"}

NODE_COLUMNS: tuple[Column[Assessment], ...] = (
    Column(
        title="STATE",
        width=5,
        kept=True,
        cell=lambda a: badge(a.verdict),
        order=lambda a: VERDICTS_WORST_FIRST.index(a.verdict),
    ),
    Column(title="NODE", width=16, ideal=44, kept=True, elide=Elide.HOST, cell=lambda a: _plain(a.node.name)),
    Column(title="OS", width=3, cell=lambda a: _plain(_SHORT_OS.get(a.node.os or "", a.node.os))),
    Column(title="POD CIDR", width=15, ideal=22, kept=True, cell=_pod_cidr),
    Column(title="FWD", width=3, cell=_forwarding),
    Column(title="ROUTE/L2", width=9, cell=_way),
    Column(title="HOP", width=10, ideal=20, elide=Elide.MIDDLE, cell=_hop),
    Column(title="IP", width=15, cell=lambda a: _plain(str(a.node.addresses[0]) if a.node.addresses else None)),
    Column(
        title="INSTANCE",
        width=19,
        ideal=28,
        elide=Elide.MIDDLE,
        cell=lambda a: _plain(short_id(a.placement.instance.id) if a.placement.instance else None),
    ),
    Column(title="SUBNET", width=15, ideal=24, cell=lambda a: _plain(short_id(a.subnet.id) if a.subnet else None)),
    Column(title="POOL", width=9, ideal=16, elide=Elide.MIDDLE, cell=lambda a: _plain(a.node.pool)),
    Column(title="ZONE", width=10, ideal=16, elide=Elide.MIDDLE, cell=lambda a: _plain(a.node.zone)),
    Column(title="VERSION", width=9, ideal=16, cell=lambda a: _plain(a.node.kubelet_version)),
    Column(title="SINCE", width=10, cell=_age),
)
"""From left to right; where room is short the right ones give way first."""


def worst_first(assessments: Iterable[Assessment]) -> list[Assessment]:
    """Order nodes by verdict, worst first; within a verdict as the API server lists them."""
    return sorted(assessments, key=lambda assessment: VERDICTS_WORST_FIRST.index(assessment.verdict))
