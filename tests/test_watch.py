"""The verbs that stay: what a watch tells of an upgrade, line by line, and a check that waits for its nodes."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.test_worlds import session_of
from tui.cli import main
from tui.demo import DemoWorld, open_world
from tui.engine.session import Session
from tui.process import Streams
from tui.verbs import Request, check
from tui.watching import Watch, watch

Json = dict[str, Any]

TYPES = {
    "synced",
    "node-added",
    "node-changed",
    "node-removed",
    "finding-opened",
    "finding-closed",
    "applied",
    "source-lost",
    "source-recovered",
}
"""Those of the public interface."""


class Beside:
    """Something that goes on in a thread beside a verb; what it raises is raised at its end."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,))
        self._thread.start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it belongs to the test
            self._error = error

    def end(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error


def seconds_pass(world: DemoWorld, session: Session, seconds: int) -> Callable[[], None]:
    """Let so many seconds pass, everything being looked at in each, and end the watch."""

    def work() -> None:
        try:
            for _ in range(seconds):
                world.clock.advance(1)
                session.observe()
        finally:
            session.close()

    return work


def watched(tmp_path: Path, capsys: pytest.CaptureFixture[str], what: Watch, seconds: int = 150) -> list[str]:
    world = open_world("rolling-upgrade", latency=False)
    session = session_of(world, tmp_path)
    session.observe()
    beside = Beside(seconds_pass(world, session, seconds))
    assert watch(session, Streams(), what) == 0
    beside.end()
    world.close()
    return capsys.readouterr().out.splitlines()


def test_every_line_of_a_watch_is_an_event_of_the_interface(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Json] = [json.loads(line) for line in watched(tmp_path, capsys, Watch(json=True))]
    assert {event["schema"] for event in told} == {"l2bridge-tui/watch/v1"}
    assert {event["type"] for event in told} <= TYPES
    assert [event["at"] for event in told] == sorted(event["at"] for event in told)
    assert told[0]["type"] == "synced"
    assert told[0]["summary"]["nodes"] == 12
    for event in told:
        assert ("code" in event) is ("severity" in event) is ("subject" in event)
        assert ("code" in event) is event["type"].startswith("finding-")
        assert ("node" in event) is (event["type"] != "synced" and event.get("code") != "route-stray")


def test_a_watch_tells_an_upgrade_in_the_order_in_which_it_happens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [json.loads(line) for line in watched(tmp_path, capsys, Watch(json=True))]
    first = [
        (event["type"], event.get("event") or event.get("code"))
        for event in told
        if event.get("node") in {"az-pool-1", "az-pool-5"}
    ]
    assert first == [
        ("node-changed", None),  # cordoned
        ("node-removed", None),
        ("node-added", None),
        ("finding-opened", "podcidr-missing"),
        ("node-changed", None),  # its pod CIDR
        ("finding-closed", "podcidr-missing"),
        ("finding-opened", "route-blackhole"),
        ("node-changed", "race-opened"),
        ("node-changed", None),  # ready
        ("node-changed", "unroutable"),
        ("finding-closed", "route-blackhole"),  # the address was given to the next VM
        ("finding-opened", "route-wrong-next-hop"),
    ]


def test_named_nodes_are_told_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = watched(tmp_path, capsys, Watch(nodes=frozenset({"aws-pool-5"})))
    others = [line for line in lines if "aws-pool-5: " not in line]
    assert others.pop(0).endswith("12 nodes listed")
    assert all("route-stray: " in line for line in others), "what is about no node"
    last = next(line for line in reversed(lines) if "aws-pool-5" in line)
    assert last.endswith("unroutable        aws-pool-5: ready, and its pods cannot be reached (10.42.1.0/24)")


def test_an_interrupt_ends_a_watch_with_130_and_a_sum(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "watch", "--demo", "-o", "json"]
    environ = os.environ | {"L2BRIDGE_STATE_DIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["type"] == "synced"
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(20) == 130
        assert "ready nodes unroutable for" in process.stderr.read()


def test_a_watch_ends_when_nobody_reads_it(tmp_path: Path) -> None:
    """As in ``l2bridge-tui watch | head -1``."""
    command = f"{sys.executable} -m tui watch --demo | head -1"
    environ = os.environ | {"L2BRIDGE_STATE_DIR": str(tmp_path)}
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=environ, timeout=30, check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


# A gate between two steps of an upgrade.


def test_a_check_that_waits_returns_as_soon_as_the_node_is_routable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = open_world("rolling-upgrade", latency=False)
    session, returned = session_of(world, tmp_path), threading.Event()

    def upgrade() -> None:
        while world.clock.monotonic_s() < 120:
            world.clock.advance(1)
            session.observe()
        world.change_behind(world.interface("aws-pool-5").switch.subject, True)
        while not returned.is_set():
            world.clock.advance(1)
            session.observe()

    beside = Beside(upgrade)
    try:
        assert check(session, Streams(), Request(nodes=("aws-pool-5",)), wait_s=60) == 0
    finally:
        returned.set()
        beside.end()
    world.close()
    session.close()
    said = capsys.readouterr()
    assert "aws-pool-5" in said.out
    assert "waiting: there is no node aws-pool-5 yet" in said.err
    assert "waiting: aws-pool-5: SourceDestCheck of" in said.err


@pytest.mark.parametrize(
    ("node", "code", "why"),
    [("nobody", 1, "there is no node nobody yet"), ("aws-win-1", 1, "SourceDestCheck of")],
)
def test_a_check_that_waits_in_vain_says_what_for(  # noqa: PLR0917 - fixtures
    node: str, code: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("L2BRIDGE_STATE_DIR", str(tmp_path))
    assert main(["--demo", "check", "--wait", "--timeout", "2s", node]) == code
    told = capsys.readouterr().err
    assert "waited 2 s in vain: " in told
    assert why in told.splitlines()[-1]
