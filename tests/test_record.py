"""The record of a watch: a restarted watch goes on with its story, and the file stays small and its own."""

import json
import math
import stat
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.build import NOON
from tui.demo import DemoWorld, open_world
from tui.engine import timeline
from tui.engine.applier import Writing
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.record import Page, Record, read_record
from tui.engine.session import Session
from tui.model.finding import Activity, ActivityKind, Code, Finding, Report, Severity
from tui.model.record_document import (
    activity_document,
    activity_from,
    race_document,
    race_from,
    story_document,
    story_from,
)
from tui.model.rollout import Outage, Phase, Race, Story
from tui.model.snapshot import Evidence
from tui.ports import Misconfigured

FILE = "record.jsonl"


class Watching:
    """A watch of a world with a record, whose every look is asked for."""

    def __init__(self, world: DemoWorld, folder: Path, *, most_bytes: int = 1 << 24) -> None:
        world.clock.skips_up_to_s = math.inf
        self.world = world
        self.path = folder / FILE
        observer = Observer(nodes=world.nodes, reader=world.reader, clock=world.clock, scope=world.scope)
        self.record = Record(self.path, "demo", most_bytes=most_bytes)
        self.session = Session(
            nodes=world.nodes,
            observer=observer,
            reader=world.reader,
            writing=Writing(writer=world.writer, width=1),
            journal=Journal.of(folder, observer.cluster, world.clock),
            clock=world.clock,
            record=self.record,
        )
        self.session._reports.go_on(world.clock.now())

    def look(self, times: int = 1, after_s: float = 10) -> Report:
        for _ in range(times - 1):
            self.world.clock.advance(after_s)
            self.session.observe()
        self.world.clock.advance(after_s)
        return self.session.observe()


@pytest.fixture
def world() -> DemoWorld:
    return open_world("rolling-upgrade", latency=False)


def last(path: Path) -> Page:
    return list(read_record(path, timeline.LIMIT))[-1]


def told(report: Report) -> list[tuple[object, ...]]:
    return [(one.at, one.kind, one.node, one.text) for one in report.activity]


def test_a_restarted_watch_goes_on_with_its_story(world: DemoWorld, tmp_path: Path) -> None:
    first = Watching(world, tmp_path)
    before = first.look(15)
    first.session.close()
    second = Watching(world, tmp_path)
    after = second.look(1, after_s=0)
    assert before.rollout is not None
    assert after.rollout is not None
    assert after.rollout.began_at == before.rollout.began_at
    assert [(pair.old.name, pair.new and pair.new.name, pair.guess) for pair in after.rollout.pairs] == [
        (pair.old.name, pair.new and pair.new.name, pair.guess) for pair in before.rollout.pairs
    ]
    now = world.clock.now()
    assert after.rollout.unroutable_s(now) == before.rollout.unroutable_s(now) > 0
    assert after.rollout.races == before.rollout.races != ()
    assert told(after)[: len(before.activity)] == told(before)
    assert after.happened < len(after.activity), "what an earlier watch has told is no news"
    third = second.look(10)
    assert third.rollout is not None
    assert sum(pair.old.gone for pair in third.rollout.pairs) == 12


def test_who_joined_in_between_is_new_and_who_left_is_gone(world: DemoWorld, tmp_path: Path) -> None:
    first = Watching(world, tmp_path)
    first.look()
    first.session.close()
    world.clock.advance(60)
    report = Watching(world, tmp_path).look()
    assert report.rollout is not None
    stories = {story.name: story for story in report.rollout.stories.values()}
    assert stories["aws-pool-1"].gone
    assert not stories["aws-pool-5"].original
    assert stories["aws-pool-2"].original


def test_after_half_a_day_a_new_story_begins(world: DemoWorld, tmp_path: Path) -> None:
    first = Watching(world, tmp_path)
    first.look(10)
    first.session.close()
    world.clock.advance(13 * 3600)
    report = Watching(world, tmp_path).look()
    assert report.rollout is not None
    assert report.rollout.pairs == ()
    assert last(tmp_path / "record.old.jsonl").rollout().pairs, "the story before it is kept"
    assert len({json.loads(line)["at"] for line in (tmp_path / FILE).read_text().splitlines()}) == 1


def test_what_is_written_is_what_was_watched(world: DemoWorld, tmp_path: Path) -> None:
    watch = Watching(world, tmp_path)
    report = watch.look(25)
    assert report.rollout is not None
    page = last(watch.path)
    assert page.rollout().stories == report.rollout.stories
    assert page.rollout().races == report.rollout.races
    assert [(one.at, one.kind, one.node, one.text) for one in page.activity] == told(report)
    assert stat.S_IMODE(watch.path.stat().st_mode) == 0o600


def test_nothing_is_written_while_nothing_happens(tmp_path: Path) -> None:
    watch = Watching(open_world("healthy", latency=False), tmp_path)
    watch.look()
    size = watch.path.stat().st_size
    watch.look(20)
    assert watch.path.stat().st_size == size


def test_a_file_that_grows_too_large_is_written_anew(world: DemoWorld, tmp_path: Path) -> None:
    watch = Watching(world, tmp_path, most_bytes=20_000)
    sizes = []
    report = watch.look()
    for _ in range(25):
        report = watch.look()
        sizes.append(watch.path.stat().st_size)
    assert any(after < before for before, after in pairwise(sizes))
    assert report.rollout is not None
    assert last(watch.path).rollout().stories == report.rollout.stories
    assert list(tmp_path.glob("*.new")) == []
    watch.session.close()
    again = Watching(world, tmp_path).look()
    assert again.rollout is not None
    assert again.rollout.began_at == report.rollout.began_at


def test_one_watch_at_a_time_keeps_the_record(world: DemoWorld, tmp_path: Path) -> None:
    first = Watching(world, tmp_path)
    first.look()
    second = Watching(world, tmp_path)
    assert (first.record.kept, second.record.kept) == (True, False)
    (said,) = [one.text for one in second.look().activity if one.kind is ActivityKind.NOTE]
    assert "another watch on this machine keeps the record" in said
    first.session.close()
    assert Watching(world, tmp_path).record.kept


@pytest.mark.parametrize("damage", [lambda text: text[:-30], lambda text: text + b'{"type":"told","at":'])
def test_a_torn_last_line_is_left_out_and_written_over(
    damage: Callable[[bytes], bytes], world: DemoWorld, tmp_path: Path
) -> None:
    first = Watching(world, tmp_path)
    first.look(10)
    first.session.close()
    path = tmp_path / FILE
    path.write_bytes(damage(path.read_bytes()))
    second = Watching(world, tmp_path)
    report = second.look()
    assert report.rollout is not None
    assert report.rollout.pairs
    assert last(path).rollout().stories == report.rollout.stories


@pytest.mark.parametrize("text", ["", "nonsense\n", '{"type":"told"}\n', '{"type":"began","version":99}\n', "[1]\n"])
def test_what_is_no_record_is_refused_and_a_watch_begins_anew(text: str, world: DemoWorld, tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text(text)
    with pytest.raises(Misconfigured, match="is no record of a watch"):
        last(path)
    Watching(world, tmp_path).look()
    assert len(last(path).stories) == 12
    assert (tmp_path / "record.old.jsonl").exists() is bool(text), "nothing that somebody wrote is lost"


def test_a_folder_that_cannot_be_written_is_said_and_the_watch_goes_on(world: DemoWorld, tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    report = Watching(world, tmp_path).look()
    assert len(report.assessments) == 12
    assert any("cannot be written" in one.text for one in report.activity if one.kind is ActivityKind.NOTE)


# Documents.

instants = st.integers(0, 10**6).map(lambda ms: NOON + timedelta(milliseconds=ms))
evidence = st.builds(Evidence, asked_at=instants, answered_at=instants)
outages = st.builds(Outage, not_before=instants, first_bad=evidence, last_bad=evidence, ended_at=st.none() | instants)
stories = st.builds(
    Story,
    uid=st.text(),
    name=st.text(),
    original=st.booleans(),
    first_at=instants,
    pool=st.none() | st.text(),
    zone=st.none() | st.text(),
    version=st.none() | st.text(),
    pod_cidrs=st.lists(st.sampled_from([ip_network("10.42.1.0/24"), ip_network("fd00::/64")]), max_size=2).map(tuple),
    vm=st.none() | st.text(),
    reached=st.dictionaries(st.sampled_from(Phase), instants),
    ready_since=st.none() | instants,
    reachable=st.none() | st.booleans(),
    good_until=st.none() | instants,
    outages=st.lists(outages, max_size=2).map(tuple),
    node=st.none(),
)


@given(stories)
def test_a_story_is_read_as_it_was_written(story: Story) -> None:
    assert story_from(json.loads(json.dumps(story_document(story)))) == story


@given(st.builds(Race, cidr=st.just(ip_network("10.42.1.0/24")), since=instants, ended_at=st.none() | instants))
def test_a_race_is_read_as_it_was_written(race: Race) -> None:
    assert race_from(json.loads(json.dumps(race_document(race)))) == race


def test_an_event_is_read_as_a_watch_tells_it() -> None:
    finding = Finding(code=Code.ROUTE_STRAY, severity=Severity.WARNING, node=None, subject="r", summary="it is stray")
    event = Activity(at=NOON, kind=ActivityKind.FINDING_OPENED, text="route-stray: it is stray", finding=finding)
    read = activity_from(json.loads(json.dumps(activity_document(event))))
    assert (read.at, read.kind, read.text, read.node) == (event.at, event.kind, event.text, None)
    assert read.finding is not None
    assert (read.finding.code, read.finding.severity, read.finding.subject) == (finding.code, finding.severity, "r")
