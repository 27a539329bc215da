"""From report to report: what became of each node since. A pure fold; standard library only."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime

from tui.model.finding import Assessment, Forwarding, Report, RouteState
from tui.model.node import IPNetwork, Node
from tui.model.pairing import paired
from tui.model.rollout import Outage, Phase, Race, Rollout, Story
from tui.model.snapshot import CloudView, Evidence, SourceState

_ASTRAY = frozenset({RouteState.WRONG_NEXT_HOP, RouteState.BLACKHOLE, RouteState.DUPLICATE})
_MOST_GONE = 10_000
"""How many nodes that are gone are remembered; those that left first go first."""


def unfold(rollout: Rollout | None, report: Report) -> Rollout:
    """Return what is known after a further report. The first one with nodes says who was there from the start."""
    now = report.snapshot.taken_at
    if report.synchronising:
        return rollout or Rollout(began_at=now)
    chapter = _Chapter(
        at=now,
        heard_at=report.snapshot.nodes_source.observed_at or now,
        first=rollout is None or not rollout.listed,
        views=report.snapshot.views,
        evidence=_evidence(report.snapshot.views),
        before={} if rollout is None else rollout.evidence,
        remaining=report.snapshot.remaining,
    )
    known = {} if rollout is None else rollout.stories
    stories = dict(known)
    for assessment in report.assessments:
        uid = assessment.node.uid
        stories[uid] = chapter.continued(known.get(uid), assessment)
    present = {assessment.node.uid for assessment in report.assessments}
    taken = {stories[uid].vm for uid in present}
    stories |= {story.uid: chapter.without_node(story, taken) for story in known.values() if story.uid not in present}
    same = stories.keys() == known.keys() and all(stories[uid] is story for uid, story in known.items())
    return Rollout(
        began_at=now if rollout is None or chapter.first else rollout.began_at,
        listed=True,
        stories=_bounded(stories),
        evidence=chapter.evidence,
        pairs=rollout.pairs if same and rollout is not None else paired(stories.values()),
        races=_races(() if rollout is None else rollout.races, stories, report.assessments, now),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chapter:
    """What one report adds. ``evidence`` is by source, ``before`` that of the report before it.

    ``at`` is when it was made, ``heard_at`` when the API server last confirmed the nodes that it is made of.
    """

    at: datetime
    heard_at: datetime
    first: bool
    views: tuple[CloudView, ...]
    evidence: Mapping[str, Evidence]
    before: Mapping[str, Evidence]
    remaining: Mapping[str, int]

    def read_of(self, uid: str) -> Evidence | None:
        """Return the oldest of the reads that a node is judged by; None when it was looked for in none."""
        reads = (
            view.glances.get(uid, self.evidence[view.source.name])
            for view in self.views
            if view.source.name in self.evidence and (uid in view.node_uids or uid in view.routed_uids)
        )
        return min(reads, key=lambda read: read.answered_at, default=None)

    def continued(self, story: Story | None, assessment: Assessment) -> Story:
        """Return the story of a present node as it goes on."""
        node, reachable = assessment.node, assessment.reachable
        drained = self.remaining.get(node.uid) == 0
        settled = story is not None and _is_settled(story) and (Phase.DRAINED in story.reached) is drained
        if story is not None and settled and story.node is node and story.reachable is reachable:
            return story
        story = story or self._begun(node)
        # Of a node in no cloud the node itself is the proof.
        read = self.read_of(node.uid) or Evidence(asked_at=self.at, answered_at=self.at)
        ready_since = (story.ready_since or self.heard_at) if node.ready else None
        good_until = story.good_until
        if story.reachable is True and reachable is not True:
            good_until = self._last_read_of(node.uid)
        changed = replace(
            story,
            reached=self._phases(story, assessment, read),
            version=node.kubelet_version,
            pod_cidrs=node.pod_cidrs or story.pod_cidrs,
            vm=story.vm if assessment.placement.instance is None else assessment.placement.instance.key,
            ready_since=ready_since,
            reachable=reachable,
            good_until=good_until,
            node=node,
        )
        return replace(changed, outages=self._outages(changed, read))

    def _begun(self, node: Node) -> Story:
        return Story(
            uid=node.uid,
            name=node.name,
            original=self.first,
            first_at=self.at,
            pool=node.pool,
            zone=node.zone,
            version=node.kubelet_version,
            pod_cidrs=node.pod_cidrs,
            vm=None,
        )

    def _last_read_of(self, uid: str) -> datetime | None:
        """Return when the reads before this report were asked for: until then, at least, things were as they told."""
        asked = [
            self.before[view.source.name].asked_at
            for view in self.views
            if view.source.name in self.before and uid in view.node_uids | view.routed_uids
        ]
        return min(asked, default=None)

    def _phases(self, story: Story, assessment: Assessment, read: Evidence) -> Mapping[Phase, datetime]:
        node, reached = assessment.node, dict(story.reached)
        if not story.original:
            come = {
                Phase.JOINED: self.at,
                Phase.ASSIGNED: self.at if node.pod_cidrs else None,
                Phase.FORWARDING: read.answered_at if assessment.forwarding in _MAY else None,
                Phase.ROUTED: read.answered_at if _is_routed(assessment) else None,
                Phase.READY: self.at if node.ready else None,
            }
            for phase, at in come.items():
                if at is not None:
                    reached.setdefault(phase, at)
        for phase, holds in (
            (Phase.CORDONED, not node.schedulable),
            (Phase.DRAINED, not node.schedulable and self.remaining.get(node.uid) == 0),
            (Phase.DELETING, node.deleting),
        ):
            if holds:
                reached.setdefault(phase, self.at)
            else:
                reached.pop(phase, None)  # it was let in again
        return reached

    def _outages(self, story: Story, read: Evidence) -> tuple[Outage, ...]:
        """Return the outages with what this read says."""
        if story.outage is not None:
            return (*story.outages[:-1], self._gone_on(story.outage, story, read))
        if story.reachable is not False or story.ready_since is None or read.asked_at < story.ready_since:
            return story.outages  # before it was ready, nobody asked for its pods; the next read tells
        not_before = max(filter(None, (story.ready_since, story.good_until)))
        return (*story.outages, Outage(not_before=not_before, first_bad=read, last_bad=read))

    def _gone_on(self, outage: Outage, story: Story, read: Evidence) -> Outage:
        newer = read.answered_at > outage.last_bad.answered_at
        if story.ready_since is None:
            return replace(outage, ended_at=self.at)
        if story.reachable is True:
            return replace(outage, ended_at=read.answered_at if newer else self.at)
        return replace(outage, last_bad=read) if story.reachable is False and newer else outage

    def without_node(self, story: Story, taken: Set[str | None]) -> Story:
        """Return the story of a node that is not listed any more, and of its VM; ``taken`` are other nodes' VMs.

        On some clouds the replacement bears the name of the VM that it replaces.
        """
        if not story.gone:
            current = story.outage
            outages = story.outages if current is None else (*story.outages[:-1], replace(current, ended_at=self.at))
            reached = {**story.reached, Phase.GONE: self.at}
            story = replace(story, reached=reached, outages=outages, ready_since=None, reachable=None)
        gone_at = story.reached[Phase.GONE]
        if Phase.VM_GONE in story.reached or story.vm is None:
            return story
        if story.vm in taken:
            return replace(story, reached={**story.reached, Phase.VM_GONE: self.at})
        told = [view for view in self.views if view.instances is not None and view.source.state is SourceState.OK]
        fresh = [view for view in told if self.evidence[view.source.name].asked_at >= gone_at and view.complete]
        looked = [view for view in told if story.uid in view.node_uids and _looked_at(view, story.uid, gone_at)]
        if not looked and (not fresh or len(fresh) < len(self.views)):
            return story
        runs = any(one.key == story.vm and one.running for view in looked or fresh for one in view.instances or ())
        return story if runs else replace(story, reached={**story.reached, Phase.VM_GONE: self.at})


_MAY = frozenset({Forwarding.ON, Forwarding.NOT_REQUIRED})


def _looked_at(view: CloudView, uid: str, since: datetime) -> bool:
    return uid in view.glances and view.glances[uid].asked_at >= since


def _is_settled(story: Story) -> bool:
    """Tell whether only a change of its node, or of whether its pods can be reached, can add to its story."""
    settled = story.reachable is not False or story.ready_since is None
    return settled and story.outage is None and story.vm is not None and not story.lacks


def _is_routed(assessment: Assessment) -> bool:
    return bool(assessment.routes) and all(route.reached for route in assessment.routes)


def _evidence(views: Iterable[CloudView]) -> dict[str, Evidence]:
    found: dict[str, Evidence] = {}
    for view in views:
        answered_at = view.source.observed_at
        if answered_at is not None:
            found[view.source.name] = Evidence(asked_at=view.source.asked_at or answered_at, answered_at=answered_at)
    return found


def _races(
    races: tuple[Race, ...], stories: Mapping[str, Story], assessments: Iterable[Assessment], now: datetime
) -> tuple[Race, ...]:
    owners: dict[IPNetwork, Story] = {}
    for story in stories.values():
        if story.gone:
            owners |= dict.fromkeys(story.pod_cidrs, story)  # the one that left last
    running: dict[tuple[IPNetwork, str], str] = {}
    for assessment in assessments:
        if not stories[assessment.node.uid].original:
            for route in assessment.routes:
                old = owners.get(route.pod_cidr)
                if old is not None and route.reached is False and route.state in _ASTRAY:
                    running[route.pod_cidr, assessment.node.uid] = old.uid
    kept = [
        replace(race, ended_at=now) if race.ended_at is None and (race.cidr, race.new) not in running else race
        for race in races
    ]
    lasting = {(race.cidr, race.new) for race in kept if race.ended_at is None}
    begun = {which: old for which, old in running.items() if which not in lasting}
    return (*kept, *(Race(cidr=cidr, old=old, new=new, since=now) for (cidr, new), old in begun.items()))


def _bounded(stories: dict[str, Story]) -> dict[str, Story]:
    gone = [story for story in stories.values() if story.gone]
    if len(gone) <= _MOST_GONE:
        return stories
    gone.sort(key=lambda story: story.reached[Phase.GONE])
    for story in gone[: len(gone) - _MOST_GONE]:
        del stories[story.uid]
    return stories
