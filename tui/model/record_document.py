"""What a watch has seen, as JSON documents and back: written and read side by side, so that they cannot drift apart.

Every ``…_from`` raises ``ValueError`` for a document that this version did not write. Standard library only, no I/O.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network
from typing import Any, TypeVar

from tui.model.finding import Activity, ActivityKind, Code, Finding, Severity
from tui.model.rollout import Outage, Phase, Race, Story
from tui.model.snapshot import Evidence

Document = dict[str, Any]
_Told = TypeVar("_Told")


def _at(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _sure(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _reading(read: Callable[[Mapping[str, Any]], _Told]) -> Callable[[Mapping[str, Any]], _Told]:
    """Let every way in which a document can be wrong be a ``ValueError``."""

    def reader(document: Mapping[str, Any]) -> _Told:
        try:
            return read(document)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not of this version: {error!r}") from error

    return reader


def story_document(story: Story) -> Document:
    """Write a story; without the object that it was read from."""
    return {
        "uid": story.uid,
        "name": story.name,
        "original": story.original,
        "firstAt": _at(story.first_at),
        "pool": story.pool,
        "zone": story.zone,
        "version": story.version,
        "podCIDRs": [str(cidr) for cidr in story.pod_cidrs],
        "vm": story.vm,
        "reached": {phase.value: _at(at) for phase, at in story.reached.items()},
        "readySince": _at(story.ready_since),
        "reachable": story.reachable,
        "goodUntil": _at(story.good_until),
        "outages": [_outage_document(outage) for outage in story.outages],
    }


@_reading
def story_from(document: Mapping[str, Any]) -> Story:
    """Read a story."""
    return Story(
        uid=document["uid"],
        name=document["name"],
        original=document["original"],
        first_at=_sure(document["firstAt"]),
        pool=document["pool"],
        zone=document["zone"],
        version=document["version"],
        pod_cidrs=tuple(ip_network(cidr) for cidr in document["podCIDRs"]),
        vm=document["vm"],
        reached={Phase(phase): _sure(at) for phase, at in document["reached"].items()},
        ready_since=_instant(document["readySince"]),
        reachable=document["reachable"],
        good_until=_instant(document["goodUntil"]),
        outages=tuple(map(_outage, document["outages"])),
    )


def _outage_document(outage: Outage) -> Document:
    return {
        "notBefore": _at(outage.not_before),
        "firstBad": [_at(outage.first_bad.asked_at), _at(outage.first_bad.answered_at)],
        "lastBad": [_at(outage.last_bad.asked_at), _at(outage.last_bad.answered_at)],
        "endedAt": _at(outage.ended_at),
    }


def _outage(document: Mapping[str, Any]) -> Outage:
    first, last = (
        Evidence(asked_at=_sure(a), answered_at=_sure(b)) for a, b in (document["firstBad"], document["lastBad"])
    )
    ended_at = _instant(document["endedAt"])
    return Outage(not_before=_sure(document["notBefore"]), first_bad=first, last_bad=last, ended_at=ended_at)


def race_document(race: Race) -> Document:
    """Write a race for a pod CIDR."""
    ended_at = _at(race.ended_at)
    return {"cidr": str(race.cidr), "old": race.old, "new": race.new, "since": _at(race.since), "endedAt": ended_at}


@_reading
def race_from(document: Mapping[str, Any]) -> Race:
    """Read a race for a pod CIDR."""
    race = Race(
        cidr=ip_network(document["cidr"]), old=document["old"], new=document["new"], since=_sure(document["since"])
    )
    return replace(race, ended_at=_instant(document["endedAt"]))


def activity_document(activity: Activity) -> Document:
    """Write an event; of a finding what the watch tells of it."""
    found = activity.finding
    told = None if found is None else [found.code.value, found.severity.value, found.subject]
    return {
        "at": _at(activity.at),
        "kind": activity.kind.value,
        "text": activity.text,
        "node": activity.node,
        "finding": told,
    }


@_reading
def activity_from(document: Mapping[str, Any]) -> Activity:
    """Read an event."""
    node, text, told = document["node"], document["text"], document["finding"]
    finding = None
    if told is not None:
        code, severity, subject = told
        finding = Finding(code=Code(code), severity=Severity(severity), node=node, subject=subject, summary=text)
    return Activity(
        at=_sure(document["at"]), kind=ActivityKind(document["kind"]), text=text, node=node, finding=finding
    )
