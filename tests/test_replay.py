"""The record of a watch, played again: the same story on the screen, the same lines without one."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.screen.console import picture, until
from tests.test_record import FILE, Watching
from tests.test_watch import TYPES
from tui.cli import main
from tui.demo import open_world
from tui.engine.replay import Replay
from tui.model.finding import Report
from tui.ports import Misconfigured
from tui.screen.app import L2BridgeApp
from tui.screen.commands import live_commands
from tui.settings import Settings
from tui.wiring import SystemClock


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, Report]:
    watch = Watching(open_world("rolling-upgrade", latency=False), tmp_path)
    report = watch.look(20)
    watch.session.close()
    return tmp_path / FILE, report


def played(replay: Replay, count: int) -> list[Report]:
    reports = replay.reports()
    return [next(reports) for _ in range(count)]


def test_a_record_is_played_to_what_the_watch_saw(recorded: tuple[Path, Report]) -> None:
    path, watched = recorded
    lines = len(path.read_text().splitlines()) - 1
    replay = Replay(path, SystemClock(), speed=1e9)
    *_, last = played(replay, lines)
    assert last.rollout is not None
    assert watched.rollout is not None
    assert last.rollout.stories == watched.rollout.stories
    assert [pair.old.name for pair in last.rollout.pairs] == [pair.old.name for pair in watched.rollout.pairs]
    assert [one.text for one in last.activity] == [one.text for one in watched.activity]
    assert last.happened == len(watched.activity)
    assert last.snapshot.taken_at <= watched.snapshot.taken_at
    assert replay.newest is last
    assert (replay.read_only, replay.cluster.context) == (True, "demo")


def test_it_is_played_from_the_start_when_asked_for_and_ends_when_closed(recorded: tuple[Path, Report]) -> None:
    path, _ = recorded
    lines = len(path.read_text().splitlines()) - 1
    replay = Replay(path, SystemClock(), speed=1e9)
    reports = replay.reports()
    first = next(reports)
    for _ in range(lines - 1):
        next(reports)
    threading.Timer(0.05, replay.refresh).start()
    again = next(reports)
    assert again.snapshot.taken_at == first.snapshot.taken_at
    assert again.revision == lines + 1
    replay.close()
    assert list(reports) == []


def test_its_pace_is_that_of_the_watch_but_for_long_pauses(recorded: tuple[Path, Report]) -> None:
    path, watched = recorded
    now = watched.snapshot.taken_at
    replay = Replay(path, SystemClock(), speed=60)
    assert replay._pause_s(None, now) == 0
    assert replay._pause_s(now.replace(minute=0), now.replace(minute=1)) == 1
    assert replay._pause_s(now.replace(hour=1), now.replace(hour=9)) == 2


async def test_the_console_plays_it_on_the_panes_that_it_has(recorded: tuple[Path, Report], tmp_path: Path) -> None:
    path, _ = recorded
    replay = Replay(path, SystemClock(), speed=1e9)
    app = L2BridgeApp(replay, Settings(state_dir=tmp_path, theme="dark"))
    async with app.run_test(size=(100, 40)) as pilot:
        shown = app.console_screen
        await until(pilot, lambda: (tell := app.report) is not None and tell.snapshot.taken_at.minute >= 3)
        assert shown.pane.TITLE == "upgrade"
        assert "record" in picture(app)[0]
        assert "RO  played" in picture(app)[0]
        assert "as it was at 12:03:" in picture(app)[1]
        assert {"3", "4"} == {key for command in live_commands(shown) for key in command.keys if key in set("12345")}
        assert not any(key in {"f", "F", "u", "A"} for command in live_commands(shown) for key in command.keys)
        await pilot.press("1", "5", "4")
        assert shown.pane.TITLE == "activity"
        await pilot.press("x", "ctrl+r")
        await until(pilot, lambda: list((tmp_path / "exports").glob("*.md")))
    replay.close()


def test_without_a_screen_it_is_printed(recorded: tuple[Path, Report], capsys: pytest.CaptureFixture[str]) -> None:
    path, watched = recorded
    assert main(["replay", str(path), "-o", "json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["type"] for event in told} <= TYPES
    assert len(told) == len(watched.activity)
    assert "summary" not in told[0], "a record does not hold what was not kept"
    assert main(["replay", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(watched.activity)
    assert "aws-pool-1: cordoned" in "\n".join(lines)


def test_a_real_watch_leaves_a_record_that_can_be_printed(tmp_path: Path) -> None:
    environment = {**os.environ, "L2BRIDGE_STATE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "tui", "--demo=upgrade", "watch"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, text=True, env=environment) as run:
        assert run.stdout is not None
        first = run.stdout.readline()
        run.terminate()
        assert run.wait(30) == 143
    (record,) = (tmp_path / "record").glob("*.jsonl")
    told = subprocess.run(
        [sys.executable, "-m", "tui", "replay", str(record)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert told.stdout.splitlines()[0] + "\n" == first


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "cannot be read: No such file"),
        ("", "is no record of a watch: it is empty"),
        ("{}\n", "is no record of a watch: line 1"),
        ('{"version":1,"type":"began","at":"2026-01-01T12:00:00+00:00","context":"x"}\n', "tells of nothing yet"),
    ],
)
def test_what_is_no_record_is_one_sentence(
    text: str | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / FILE
    if text is not None:
        path.write_text(text)
    with pytest.raises(Misconfigured, match=sentence):
        Replay(path, SystemClock(), speed=1)
    if "nothing yet" not in sentence:
        assert main(["replay", str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
