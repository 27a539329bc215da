"""What was last seen of a cluster: kept whole, for its owner only, and never taken from something else's file."""

import json
import stat
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from tui.checks import diagnose
from tui.demo import open_world
from tui.engine.elsewhere import LastState, keep_state, last_state, state_file
from tui.engine.observer import Observer
from tui.model.finding import Report, Verdict
from tui.model.snapshot import Cluster
from tui.ports import Unavailable

CLUSTER = Cluster(context="demo-aws", server="https://demo.invalid:6443")


def observer() -> Observer:
    world = open_world("aws", latency=False)
    return Observer(nodes=world.nodes, reader=world.reader, clock=world.clock, scope=world.scope)


@pytest.fixture(scope="module")
def report() -> Report:
    watching = observer()
    watching.list_nodes()
    watching.read_clouds()
    return diagnose(watching.snapshot())


def test_what_was_kept_is_found_again_and_only_its_owner_can_read_it(tmp_path: Path, report: Report) -> None:
    keep_state(tmp_path, report)
    kept = last_state(tmp_path, CLUSTER)
    assert kept == LastState(at=report.snapshot.taken_at, counts={Verdict.OK: 6, Verdict.FIX: 2})
    path = state_file(tmp_path, CLUSTER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_what_tells_nothing_replaces_nothing(tmp_path: Path, report: Report) -> None:
    keep_state(tmp_path, report)
    before = last_state(tmp_path, CLUSTER)
    watching = observer()
    keep_state(tmp_path, diagnose(watching.snapshot()))
    watching.list_nodes()
    keep_state(tmp_path, diagnose(watching.snapshot()))
    keep_state(tmp_path, replace(report, recorded=True, assessments=()))
    keep_state(tmp_path, None)
    assert last_state(tmp_path, CLUSTER) == before


def test_nodes_that_are_lost_are_as_old_as_they_were_seen() -> None:
    world = open_world("aws", latency=False)
    watching = Observer(nodes=world.nodes, reader=world.reader, clock=world.clock, scope=world.scope)
    watching.list_nodes()
    watching.read_clouds()
    seen_at = world.clock.now()
    world.clock.advance(3600)
    watching.lost_nodes(Unavailable("gone"))
    state = LastState.of(diagnose(watching.snapshot()))
    assert state is not None
    assert state.at == seen_at


def test_a_folder_that_cannot_be_written_holds_nothing_up(tmp_path: Path, report: Report) -> None:
    (tmp_path / "state").write_text("in the way")
    keep_state(tmp_path, report)
    assert last_state(tmp_path, CLUSTER) is None


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "l2bridge-tui/state/v2"},
        {"context": "demo*aws"},  # whose file has the same name
        {"server": "https://elsewhere:6443"},
        {"at": "yesterday"},
        {"at": datetime(2026, 1, 1).isoformat()},  # noqa: DTZ001 - without a zone it is no instant
        {"counts": {"OK": -1}},
        {"counts": {"OK": True}},
        {"counts": {"OK": "6"}},
        {"counts": {"FINE": 1}},
        {"counts": [1]},
    ],
    ids=str,
)
def test_a_file_that_tells_something_else_counts_as_none(
    tmp_path: Path, report: Report, change: dict[str, object]
) -> None:
    keep_state(tmp_path, report)
    path = state_file(tmp_path, CLUSTER)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert last_state(tmp_path, CLUSTER) is None


@pytest.mark.parametrize("text", [b"", b'{"schema": "l2bri', b"\xff\xfe", b"[" * 60_000, b"[]"], ids=range(5))
def test_a_torn_or_foreign_file_counts_as_none(tmp_path: Path, text: bytes) -> None:
    path = state_file(tmp_path, CLUSTER)
    path.parent.mkdir()
    path.write_bytes(text)
    assert last_state(tmp_path, CLUSTER) is None
