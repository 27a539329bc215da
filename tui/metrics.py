"""What is observed as numbers over time, for Prometheus: an OpenMetrics page over HTTP.

Imports prometheus-client, and is imported only where it is asked for. May import the model.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv6Address, ip_address
from socket import AF_INET6
from typing import ClassVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from tui import __version__
from tui.model.finding import VERDICTS_WORST_FIRST, Code, Report
from tui.model.rollout import Rollout
from tui.model.snapshot import SourceState

_PATH = "/metrics"


class Observation(Collector):
    """What is known when somebody asks. ``report`` returns the newest report, ``now`` the instant."""

    def __init__(self, report: Callable[[], Report | None], now: Callable[[], datetime]) -> None:
        self._report = report
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield every metric; before the first list of nodes only those that need none."""
        report = self._report()
        yield InfoMetricFamily("l2bridge_tui", "This program.", value={"version": __version__})
        if report is None:
            return
        yield from _sources(report, self._now())
        yield from _requests(report)
        if report.synchronising:
            return  # no number of nodes was observed yet
        yield from _nodes(report)
        yield from _rollout(report.rollout or Rollout(began_at=self._now()), self._now())

    def describe(self) -> tuple[Metric, ...]:
        """Tell of no metric beforehand: they depend on what is observed."""
        return ()


def _nodes(report: Report) -> Iterator[Metric]:
    verdicts = Counter(assessment.verdict for assessment in report.assessments)
    nodes = GaugeMetricFamily("l2bridge_nodes", "Nodes by verdict.", labels=["verdict"])
    for verdict in VERDICTS_WORST_FIRST:
        nodes.add_metric([verdict.name.lower()], verdicts[verdict])
    yield nodes
    codes = Counter(finding.code for finding in report.findings)
    findings = GaugeMetricFamily("l2bridge_findings", "Findings by code.", labels=["code"])
    for code in Code:
        findings.add_metric([code.value], codes[code])
    yield findings


def _rollout(rollout: Rollout, now: datetime) -> Iterator[Metric]:
    seconds = CounterMetricFamily(
        "l2bridge_unroutable_seconds", "Seconds for which ready nodes were seen to be unroutable, summed."
    )
    seconds.add_metric([], rollout.unroutable_s(now))
    yield seconds
    suffering = sum(story.outage is not None for story in rollout.stories.values())
    yield GaugeMetricFamily("l2bridge_unroutable_nodes", "Ready nodes whose pods cannot be reached.", suffering)
    races = sum(race.ended_at is None for race in rollout.races)
    yield GaugeMetricFamily("l2bridge_pod_cidr_races", "Pod CIDRs whose route leads to their last owner.", races)
    yield GaugeMetricFamily("l2bridge_nodes_leaving", "Nodes that leave or have left.", len(rollout.pairs))
    replaced = sum(pair.replaced for pair in rollout.pairs)
    yield GaugeMetricFamily("l2bridge_nodes_replaced", "Nodes that left and were replaced.", replaced)


def _requests(report: Report) -> Iterator[Metric]:
    requests = CounterMetricFamily("l2bridge_requests", "Requests by source.", labels=["source"])
    throttled = CounterMetricFamily("l2bridge_throttled_requests", "Requests that were too many.", labels=["source"])
    for source, calls in sorted(report.calls.items()):
        requests.add_metric([source], calls.made)
        throttled.add_metric([source], calls.throttled)
    yield requests
    yield throttled


def _sources(report: Report, now: datetime) -> Iterator[Metric]:
    answers = GaugeMetricFamily("l2bridge_source_up", "Whether a source answers, and lately.", labels=["source"])
    ages = GaugeMetricFamily(
        "l2bridge_data_age_seconds", "Seconds since a source last told something.", labels=["source"], unit="seconds"
    )
    for source in report.snapshot.sources:
        answers.add_metric([source.name], source.state is SourceState.OK and source.observed_at is not None)
        if source.observed_at is not None:
            ages.add_metric([source.name], max(0.0, (now - source.observed_at).total_seconds()))
    yield answers
    yield ages


class _Page(BaseHTTPRequestHandler):
    """Answers with the numbers of now, in OpenMetrics whatever the asker would accept."""

    registry: ClassVar[CollectorRegistry]
    timeout: ClassVar[float] = 10

    def do_GET(self) -> None:
        """Answer."""
        found = self.path.partition("?")[0] == _PATH
        body: bytes = f"the metrics are at {_PATH}\n".encode()
        if found:
            body = generate_latest(self.registry)  # type: ignore[no-untyped-call]
        self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST if found else "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing: stderr is the terminal's."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when an asker has gone away."""


class _Server6(_Server):
    address_family = AF_INET6


class MetricsServer:
    """Serves until ``close``. ``address`` is an IP address and a port; port 0 takes a free one. Raises ``OSError``."""

    def __init__(
        self, address: tuple[str, int], report: Callable[[], Report | None], now: Callable[[], datetime]
    ) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Observation(report, now))
        page = type("Page", (_Page,), {"registry": registry})
        kind = _Server6 if isinstance(ip_address(address[0]), IPv6Address) else _Server
        self._server = kind(address, page)
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    @property
    def url(self) -> str:
        """Where the page is."""
        host, port = self._server.server_address[:2]
        name = str(host)
        return f"http://{f'[{name}]' if ':' in name else name}:{port}{_PATH}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
