"""What a watch serves to Prometheus, read over HTTP by Prometheus' own parser."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.test_worlds import session_of
from tui import __version__
from tui.cli import main
from tui.demo import DemoWorld, open_world
from tui.engine.session import Session
from tui.option_values import address
from tui.ports import Misconfigured, Unavailable
from tui.watching import serving

ANYWHERE = ("127.0.0.1", 0)


@contextmanager
def served(scenario: str, folder: Path) -> Iterator[tuple[DemoWorld, Session, str]]:
    world = open_world(scenario, latency=False)
    session = session_of(world, folder)
    with serving(session, ANYWHERE) as url:
        assert url is not None
        yield world, session, url
    world.close()
    session.close()


def read(url: str) -> dict[str, float]:
    """Return every sample by its name and labels."""
    with urlopen(url, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        text = answer.read().decode()
    assert text.endswith("# EOF\n")
    families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    samples = [sample for family in families for sample in family.samples]
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for sample in samples
    }


def test_the_numbers_are_those_of_the_newest_report(tmp_path: Path) -> None:
    with served("gce", tmp_path) as (world, session, url):
        report = session.observe()
        world.clock.advance(17)
        told = read(url)
        verdicts = [assessment.verdict.name.lower() for assessment in report.assessments]
        for verdict in ("ok", "fix", "bad", "unknown", "new"):
            assert told[f"l2bridge_nodes verdict={verdict}"] == verdicts.count(verdict)
        codes = [finding.code.value for finding in report.findings]
        assert codes.count("route-stray") == told["l2bridge_findings code=route-stray"] == 1
        assert told["l2bridge_findings code=layer2-different"] == 0
        assert told["l2bridge_data_age_seconds source=kubernetes"] == 17
        assert told["l2bridge_data_age_seconds source=gce:demo-project"] == 17
        assert told["l2bridge_source_up source=gce:demo-project"] == 1
        assert told["l2bridge_requests_total source=gce"] == world.meter.told()["gce"].made
        assert told["l2bridge_throttled_requests_total source=gce"] == 0


def test_seconds_unroutable_and_races_are_told_while_they_last_and_after(tmp_path: Path) -> None:
    with served("rolling-upgrade", tmp_path) as (world, session, url):
        session.observe()
        before = read(url)
        assert before["l2bridge_unroutable_seconds_total"] == before["l2bridge_pod_cidr_races"] == 0
        for _ in range(12):
            world.clock.advance(10)
            session.observe()
        told = read(url)
        report = session.newest
        assert report is not None
        assert report.rollout is not None
        assert told["l2bridge_unroutable_seconds_total"] == report.rollout.unroutable_s(world.clock.now()) > 0
        assert told["l2bridge_unroutable_nodes"] > 0
        assert told["l2bridge_pod_cidr_races"] > 0
        assert told["l2bridge_nodes_leaving"] >= told["l2bridge_nodes_replaced"] > 0


def test_what_was_not_observed_is_not_told(tmp_path: Path) -> None:
    with served("gce", tmp_path) as (world, session, url):
        assert [name for name in read(url) if not name.startswith("l2bridge_tui_info")] == []
        world.lose("kubernetes", Unavailable("not now"))
        session.observe()
        told = read(url)
        assert told["l2bridge_source_up source=kubernetes"] == 0
        assert not any(name.startswith(("l2bridge_nodes", "l2bridge_findings", "l2bridge_data_age")) for name in told)


def test_only_one_page_is_served(tmp_path: Path) -> None:
    with served("gce", tmp_path) as (_, _, url), pytest.raises(HTTPError) as caught:
        read(url.replace("/metrics", "/elsewhere"))
    assert caught.value.code == 404


def test_it_is_served_as_long_as_it_is_watched(tmp_path: Path) -> None:
    with served("gce", tmp_path) as (_, _, url):
        read(url)
    with pytest.raises(OSError, match="refused"):
        read(url)


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    session = session_of(open_world("gce", latency=False), tmp_path)
    with socket.create_server(ANYWHERE) as taken:
        place: tuple[str, int] = taken.getsockname()
        sentence = f"--metrics 127.0.0.1:{place[1]} cannot be listened on: Address already in use"
        with pytest.raises(Misconfigured, match=sentence), serving(session, place):
            raise AssertionError("it is taken")


def test_a_process_says_where_it_serves(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "--demo", "watch", "--metrics", "127.0.0.1:0"]
    environment = {**os.environ, "L2BRIDGE_STATE_DIR": str(tmp_path)}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    ) as run:
        assert run.stderr is not None
        said = run.stderr.readline()
        assert said.startswith("metrics: http://127.0.0.1:")
        told = read(said.removeprefix("metrics: ").strip())
        run.send_signal(signal.SIGINT)
        assert run.wait(30) == 130
    assert f"l2bridge_tui_info version={__version__}" in told


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ("127.0.0.1:9100", ("127.0.0.1", 9100)),
        (":9100", ("127.0.0.1", 9100)),
        ("9100", ("127.0.0.1", 9100)),
        ("0.0.0.0:9100", ("0.0.0.0", 9100)),
        ("[::1]:9100", ("::1", 9100)),
    ],
)
def test_addresses_are_loopback_unless_told_otherwise(given: str, read_as: tuple[str, int]) -> None:
    assert address(given) == read_as


@pytest.mark.parametrize(
    "given", ["win-1", "127.0.0.1", "127.0.0.1:", "localhost:9100", "127.0.0.1:65536", "::1:x", ""]
)
def test_anything_else_is_a_usage_error(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--demo", "watch", "--metrics", given]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "must be an IP address and a port such as 127.0.0.1:9797" in err
