"""The verbs that stay: watch, and a check that waits.

Both follow the reports of a session that observes in the background. May import engine, ports, model, what renders and
``process``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tui.engine import timeline
from tui.engine.autofix import AutoFix
from tui.engine.record import read_record
from tui.engine.session import Session
from tui.model.arming import Wish
from tui.model.finding import Activity, ActivityKind, Report, Severity
from tui.model.text import printable
from tui.ports import Misconfigured
from tui.process import Interrupted, Streams
from tui.render_watch import farewell, watch_json, watch_line

_WAITING_INTERVAL_S = 10.0
"""How often the clouds are read while somebody waits for them."""
_OF_AN_OPERATOR = frozenset({ActivityKind.ARMED, ActivityKind.DISARMED, ActivityKind.NOTE})
"""What is said to people, where programs read the lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is told: about which nodes (none means all), in which form. What is about no node is told in any case."""

    nodes: frozenset[str] = frozenset()
    json: bool = False

    def line(self, activity: Activity, report: Report | None) -> str | None:
        """Return how an event is told; None where nobody asked for it."""
        if self.nodes and activity.node is not None and activity.node not in self.nodes:
            return None
        return watch_json(activity, report) if self.json else watch_line(activity)


@contextmanager
def serving(session: Session, address: tuple[str, int] | None) -> Iterator[str | None]:
    """Serve the session's metrics at an IP address and port, if there is one; yield their URL.

    Raises ``Misconfigured`` when nobody can listen there.
    """
    if address is None:
        yield None
        return
    from tui.metrics import MetricsServer  # noqa: PLC0415 - only where it is asked for

    try:
        server = MetricsServer(address, lambda: session.newest, session.clock.now)
    except OSError as error:
        host, port = address
        raise Misconfigured(f"--metrics {host}:{port} cannot be listened on: {error.strerror}") from error
    try:
        yield server.url
    finally:
        server.close()


def watch(session: Session, streams: Streams, what: Watch, wish: Wish | None = None) -> int:
    """Tell every event on a line of its own until a signal ends it, or nobody reads any more; return the exit code.

    With a ``wish`` new nodes are fixed unasked. Raises ``Misconfigured`` where that is not allowed.
    """
    newest: Report | None = None
    if wish is not None:
        _permit(session, streams, wish)
    try:
        session.start()
        if wish is not None:
            AutoFix(session, wish.from_now(session.clock.now())).start()
        told = 0
        for report in session.reports():
            newest = report
            missed = report.happened - told - len(report.activity)
            if missed > 0:
                streams.talk(f"{missed} events came faster than they could be told")
            news = report.activity[-(report.happened - told) :] if report.happened > told else ()
            told = report.happened
            for activity in news:
                line = what.line(activity, report)
                if line is not None:
                    streams.data(line + "\n")
                elif activity.kind in _OF_AN_OPERATOR:
                    streams.talk(watch_line(activity))
            if not streams.heard:
                break
    except Interrupted:
        if newest is not None:
            streams.talk(farewell(newest))
        raise
    return 0


def print_record(path: Path, streams: Streams, what: Watch) -> int:
    """Tell every event of a record on a line of its own, as the watch that left it did; return the exit code.

    Raises ``Misconfigured`` when the file is no record.
    """
    for page in read_record(path, timeline.LIMIT):
        for activity in page.news:
            line = what.line(activity, None)
            if line is not None:
                streams.data(line + "\n")
        if not streams.heard:
            break
    return 0


def _permit(session: Session, streams: Streams, wish: Wish) -> None:
    """Say what is armed; in a protected context the operator types its name. Raises ``Misconfigured``."""
    if session.read_only:
        raise Misconfigured("watch --auto-fix writes, and --read-only forbids it, or the config file for this context")
    place = printable(session.cluster.context)
    streams.talk("\n".join(map(printable, wish.from_now(session.clock.now()).told())))
    if not session.protected:
        return
    if not streams.interactive:
        raise Misconfigured(f"the context {place} is protected: watch --auto-fix wants its name typed, at a terminal")
    if streams.ask(f"Type the context's name, {place}, to arm this:") != place:
        raise Misconfigured("nothing was armed: that is not the context's name")


def wait_for(session: Session, streams: Streams, nodes: frozenset[str], timeout_s: float) -> Report:
    """Return the first report by which these nodes (none means all) are routable, or the last one in that time.

    Says on stderr what is waited for whenever that changes.
    """
    session.start(interval_s=_WAITING_INTERVAL_S, recorded=False)
    said = ""
    newest = None
    for report in session.reports(timeout_s=timeout_s):
        newest = report
        obstacle = _obstacle(report, nodes)
        if obstacle is None:
            return report
        if obstacle != said:
            streams.talk(f"waiting: {obstacle}")
            said = obstacle
    streams.talk(f"waited {timeout_s:.0f} s in vain: {said or 'nothing was observed'}")
    return newest or session.observe()


def _obstacle(report: Report, nodes: frozenset[str]) -> str | None:
    """Return why the nodes do not count as routable yet; None when they do."""
    if report.synchronising:
        return "the nodes are not listed yet"
    for name in sorted(nodes):
        if report.of(name) is None:
            return f"there is no node {printable(name)} yet"
    for assessment in report.assessments:
        name = printable(assessment.node.name)
        if nodes and assessment.node.name not in nodes:
            continue
        serious = [finding for finding in assessment.findings if finding.severity in {Severity.ERROR, Severity.UNKNOWN}]
        if serious:
            return f"{name}: {printable(serious[0].summary)}"
        if assessment.reachable is not True:
            return f"{name}: it was not observed that its pods can be reached"
    return None
