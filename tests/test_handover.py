"""What a watch leaves to whoever takes over: a report and a picture that say what was seen, and are safe to open."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.test_record import Watching
from tui.demo import open_world
from tui.exporting import export_handover
from tui.model.finding import Report
from tui.model.rollout import Phase
from tui.ports import Misconfigured
from tui.render_handover import handover
from tui.render_timeline import timeline_svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return Watching(open_world("rolling-upgrade", latency=False), tmp_path).look(25)


def sections(text: str) -> dict[str, list[str]]:
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return {title: body.strip().splitlines() for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def test_the_report_tells_everything_that_was_seen(report: Report) -> None:
    text = handover(report, "picture.svg")
    assert text.startswith("# Rolling upgrade of demo-rolling-upgrade\n\nWatched from 2026-01-01T12:00:10Z to ")
    assert "![The timeline of every node](picture.svg)" in text
    told = sections(text)
    pairs = told["Who replaced whom"][2:]
    assert len(pairs) == 12
    assert any(row.startswith("| gce-pool-4 | 2026-01-01T12:03:50Z | none yet |") for row in pairs)
    rollout = report.rollout
    assert rollout is not None
    assert len(told["Ready, and unroutable"]) - 2 == sum(len(story.outages) for story in rollout.stories.values())
    assert len(told["Pod CIDRs whose route led to their last owner"]) == len(rollout.races) > 0
    assert len(told["Everything that happened"]) == len(report.activity)
    assert told["What was changed"] == ["Nothing."]


def test_what_was_applied_meanwhile_is_told(tmp_path: Path) -> None:
    watch = Watching(open_world("rolling-upgrade", latency=False), tmp_path)
    watch.look(8)
    watch.session.apply(watch.session.propose(None), lambda _: None)
    watch.session._recall()
    (apply,) = watch.session.applies()
    (line,) = sections(handover(watch.look(), None))["What was changed"]
    assert f"`{apply.id}` by" in line
    assert f"{apply.total} of {apply.total} changes" in line


def test_the_picture_has_a_row_for_everybody_who_left_or_came(report: Report) -> None:
    rollout = report.rollout
    assert rollout is not None
    root = ET.fromstring(timeline_svg(rollout, report.snapshot.taken_at, "an upgrade"))
    labels = [element.text or "" for element in root.iter(f"{SVG}text")]
    for story in rollout.stories.values():
        assert (f"{story.name} (left)" if story.gone else story.name) in labels
    kinds = [element.get("class") for element in root.iter(f"{SVG}rect")]
    assert kinds.count("lost") - 1 == sum(len(story.outages) for story in rollout.stories.values())
    assert kinds.count("race") - 1 == len(rollout.races)
    width = float(root.get("width", "0"))
    for rect in root.iter(f"{SVG}rect"):
        assert 0 <= float(rect.get("x", "0")) <= float(rect.get("x", "0")) + float(rect.get("width", "0")) <= width


def test_the_length_of_a_bar_is_the_time_that_it_lasted(report: Report) -> None:
    rollout, now = report.rollout, report.snapshot.taken_at
    assert rollout is not None
    root = ET.fromstring(timeline_svg(rollout, now, "an upgrade"))
    whole_s = (now - rollout.began_at).total_seconds()
    told = sorted(
        float(rect.get("width", "0")) / 900 * whole_s for rect in root.iter(f"{SVG}rect") if rect.get("class") == "lost"
    )
    seen = sorted(outage.seconds(now) for story in rollout.stories.values() for outage in story.outages)
    legend, *bars = told
    assert legend > 0
    assert bars == pytest.approx(seen, abs=1)


def test_before_anything_happens_both_say_so(tmp_path: Path) -> None:
    quiet = Watching(open_world("healthy", latency=False), tmp_path).look()
    assert quiet.rollout is not None
    assert "No node has left or come." in timeline_svg(quiet.rollout, quiet.snapshot.taken_at, "quiet")
    assert sections(handover(quiet, None))["Who replaced whom"] == ["Nothing."]


def test_foreign_names_are_text_in_both(report: Report) -> None:
    rollout = report.rollout
    assert rollout is not None
    uid, story = next(iter(rollout.stories.items()))
    evil = replace(story, name="<script>|[x](javascript:y)\x1b[2J\n# h")
    hostile = replace(
        report,
        rollout=replace(rollout, stories={uid: evil}, pairs=(replace(rollout.pairs[0], old=evil, new=None),)),
        activity=(),
    )
    picture = timeline_svg(replace(rollout, stories={uid: evil}, pairs=()), report.snapshot.taken_at, evil.name)
    ET.fromstring(picture)
    assert "<script" not in picture
    text = handover(hostile, None)
    assert "\x1b" not in text
    assert "\n# h" not in text
    assert "\\<script\\>\\|\\[x\\](javascript:y)" in text


def test_five_thousand_nodes_stay_a_picture(report: Report) -> None:
    rollout = report.rollout
    assert rollout is not None
    story = next(story for story in rollout.stories.values() if story.gone)
    many = {f"u{number}": replace(story, uid=f"u{number}") for number in range(5000)}
    picture = timeline_svg(replace(rollout, stories=many, pairs=()), report.snapshot.taken_at, "many")
    assert "and 4800 more nodes" in picture
    assert len(picture) < 200_000


def test_both_are_written_side_by_side(report: Report, tmp_path: Path) -> None:
    path = export_handover(report, tmp_path / "new" / "folder")
    (name,) = re.findall(r"\]\((.*\.svg)\)", path.read_text())
    assert (path.parent / name).read_text().startswith("<svg ")
    assert path.name.startswith("demo-rolling-upgrade-2026-01-01T12")
    with pytest.raises(Misconfigured, match=r"cannot be written \(File exists\)"):
        export_handover(report, path)


def test_a_story_that_is_not_over_reaches_to_now(report: Report) -> None:
    rollout, later = report.rollout, report.snapshot.taken_at + timedelta(hours=3)
    assert rollout is not None
    assert any(Phase.GONE in story.reached for story in rollout.stories.values())
    assert "13:00Z" in timeline_svg(rollout, later, "later")
