"""The verbs without a screen: check, plan and apply, over the same session that the screen holds.

Data goes to stdout, talk to stderr; the returned numbers are the exit codes of the public interface. May import engine,
ports, model, ``render``, ``render_plan``, ``render_text``, ``saved_plan`` and ``process``.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from queue import SimpleQueue

from tui.engine.session import Session
from tui.model.document import plan_document
from tui.model.finding import Code, Report, Severity
from tui.model.plan import ApplyResult, Plan, Progress, Status
from tui.model.snapshot import SourceState
from tui.model.text import printable
from tui.ports import Misconfigured, PortError
from tui.process import Signals, Streams, Unwritable
from tui.render import Selection, apply_document, json_text, report_document
from tui.render_plan import plan_summary
from tui.render_text import plan_text, progress_line, report_lines, result_lines, witness_line
from tui.saved_plan import read_plan, save_plan

DONE = 0
PENDING = 1
USAGE = 2
UNOBSERVED = 3
NOT_APPLIED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What every verb is asked: about which nodes (none means all), in which form, and how hints call this program.

    ``prune`` wants stray routes deleted too, ``delete_first`` accepts a gap where a quota has no room for two routes.
    """

    nodes: tuple[str, ...] = ()
    json: bool = False
    program: str = "l2bridge-tui"
    prune: bool = False
    delete_first: bool = False

    @property
    def words(self) -> list[str]:
        """What follows the verb to ask for the same again, safe to paste."""
        flags = {"--prune": self.prune, "--delete-first": self.delete_first}
        return [*(flag for flag, given in flags.items() if given), *map(_quoted, self.nodes)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """How far an apply may go: unasked with ``yes``, which holds for ``max_changes``; ``saved`` is a plan's file."""

    yes: bool = False
    saved: Path | None = None
    max_changes: int


def check(session: Session, streams: Streams, request: Request) -> int:
    """Observe once and tell what was found. Raises ``Misconfigured`` for an unknown node name."""
    report = session.observe()
    names = _names(report, request.nodes)
    selection = Selection.of(report, names)
    if request.json:
        streams.data(json_text(report_document(report, names)))
        _tell_losses(streams, selection)
    else:
        streams.data(_text(report_lines(report, names, program=request.program)))
    if not selection.observed:
        return UNOBSERVED
    return DONE if selection.faultless else PENDING


def plan(session: Session, streams: Streams, request: Request, out: Path | None = None) -> int:
    """Observe once and tell what would be changed; ``out`` takes the plan for a later apply.

    Raises ``Misconfigured`` for an unknown node name and for a file that cannot be written.
    """
    made, selection = _propose(session, request)
    if out is not None:
        save_plan(made, out)
    streams.data(json_text(plan_document(made)) if request.json else _text(plan_text(made)))
    _tell_losses(streams, selection)
    _tell_strays(streams, selection, request)
    if not made.changes:
        streams.talk(_nothing_to_do(made))
    elif out is not None:
        streams.talk(f"Saved. Apply exactly this: {request.program} apply --plan {_quoted(str(out))}")
    else:
        streams.talk(f"Apply it: {' '.join([request.program, 'apply', *request.words])}")
    if not selection.observed:
        return UNOBSERVED
    return PENDING if made.changes else DONE


def apply(session: Session, streams: Streams, signals: Signals, request: Request, consent: Consent) -> int:
    """Show a plan, ask, apply it and prove it.

    Raises ``Misconfigured`` when it must not be applied, and what the session raises before the first write.
    """
    if session.read_only:
        raise Misconfigured("apply writes, and --read-only forbids it")
    attended = streams.interactive and not consent.yes
    if not attended and not consent.yes and consent.saved is None:
        raise Misconfigured(
            "apply asks before it writes, and there is no terminal to ask on: give --yes or --plan FILE"
        )
    if consent.saved is not None:
        made, observed = read_plan(consent.saved, session.cluster), True
    else:
        made, selection = _propose(session, request)
        observed = selection.observed
        _tell_losses(streams, selection)
        _tell_strays(streams, selection, request)
    if not made.changes:
        streams.data(json_text(apply_document(None, made)) if request.json else _nothing_to_do(made) + "\n")
        return DONE if observed else UNOBSERVED
    streams.talk(_text(plan_text(made)))
    if not attended:
        _refuse_too_many(made, consent.max_changes)
    elif not _confirmed(made, streams, consent.max_changes):
        streams.talk("Nothing was changed.")
        return PENDING
    return _applied(session, streams, signals, request, made, observed=observed)


# What is asked about.


def _names(report: Report, nodes: tuple[str, ...]) -> frozenset[str] | None:
    """Return the names to select by; None for all. Names are not judged before the nodes are known."""
    if not nodes:
        return None
    present = [assessment.node.name for assessment in report.assessments]
    unknown = sorted(set(nodes).difference(present))
    if unknown and not report.synchronising:
        matches = get_close_matches(unknown[0], present, n=3, cutoff=0.75)
        hint = f", did you mean {' or '.join(map(printable, matches))}?" if matches else ""
        raise Misconfigured(f"there is no node {unknown[0]!r} in {report.snapshot.cluster.context}{hint}")
    return frozenset(nodes)


def _propose(session: Session, request: Request) -> tuple[Plan, Selection]:
    report = session.observe()
    names = _names(report, request.nodes)
    made = session.propose(names, prune=request.prune, delete_first=request.delete_first)
    return made, Selection.of(report, names)


def _tell_losses(streams: Streams, selection: Selection) -> None:
    """Say on stderr what the result is no proof of."""
    for source in selection.sources:
        if source.state is not SourceState.OK:
            why = printable(source.message or "no reason was given")
            streams.talk(f"not observed: {printable(source.name)} is {source.state}: {why}")
    unknown = sum(finding.severity is Severity.UNKNOWN for finding in selection.findings)
    if unknown:
        streams.talk(f"not answered: {unknown} of the questions; the result is no proof of health")


def _tell_strays(streams: Streams, selection: Selection, request: Request) -> None:
    """Say on stderr what could be deleted and is not, because nobody asked for it."""
    strays = sum(finding.code is Code.ROUTE_STRAY and finding.fixable for finding in selection.findings)
    if strays and not request.prune:
        routes = "1 stray route is" if strays == 1 else f"{strays} stray routes are"
        streams.talk(f"{routes} left alone: {request.program} plan --prune shows the deletion")


def _nothing_to_do(made: Plan) -> str:
    if not made.refused:
        return "Nothing to do."
    number = len(made.refused)
    left = "1 finding is" if number == 1 else f"{number} findings are"
    return f"Nothing to do: {left} left that no plan can mend, such as {printable(made.refused[0].reason)}"


def _quoted(text: str) -> str:
    return shlex.quote(printable(text))


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


# Consent.


def _refuse_too_many(made: Plan, limit: int) -> None:
    if len(made.changes) > limit:
        text = f"the plan has {len(made.changes)} changes, more than --max-changes {limit} allows unasked: "
        raise Misconfigured(text + "name fewer nodes, or allow more")


def _confirmed(made: Plan, streams: Streams, limit: int) -> bool:
    """Ask, and return whether the answer was yes. Many changes, and deletions, want the context's name as answer."""
    place = printable(made.cluster.context or made.cluster.server)
    if needs_name(made, limit):
        answer = streams.ask(f"{plan_summary(made)} Type the context's name, {place}, to apply it:")
        return answer == place
    answer = streams.ask(f"Apply it to {place}? [y/N]")
    return answer is not None and answer.lower() in {"y", "yes"}


def needs_name(made: Plan, limit: int) -> bool:
    """Tell whether a single key is too quick an answer for this plan."""
    return len(made.changes) > limit or made.destroys


# The run.


def _applied(
    session: Session, streams: Streams, signals: Signals, request: Request, made: Plan, *, observed: bool
) -> int:
    result = _run(session, streams, signals, made)
    if result is None:
        return signals.code or NOT_APPLIED
    try:
        if request.json:
            streams.data(json_text(apply_document(result, made)))
        else:
            streams.data(_text(result_lines(result, made, program=request.program)))
    except Unwritable as error:
        streams.talk(f"{error}; the journal has the outcomes")  # what was done is done, whoever could read about it
    if signals.code is not None:
        return signals.code
    if not request.json:
        _tell_witnesses(session, streams, made, result)
    if not result.good:
        return NOT_APPLIED
    return DONE if observed else UNOBSERVED


def _tell_witnesses(session: Session, streams: Streams, made: Plan, result: ApplyResult) -> None:
    """Say on stderr what the fabric does with the pod CIDRs, where something was written and a cloud tells of it."""
    if not any(outcome.status is Status.APPLIED for outcome in result.outcomes):
        return
    for witness in session.witness(made, result):
        streams.talk(witness_line(witness))


def _run(session: Session, streams: Streams, signals: Signals, made: Plan) -> ApplyResult | None:
    """Apply a plan and tell every step. Returns None when it broke off after the first change had begun.

    The apply has a thread of its own: a terminal that stalls cannot hold it up, nor a signal cut a change in two.
    """
    steps: SimpleQueue[Progress | ApplyResult | PortError | None] = SimpleQueue()

    def stop() -> None:
        session.stop_after_current()
        steps.put(None)

    def progressed(step: Progress) -> None:
        if signals.code is not None:  # it may have come before there was anything to stop
            session.stop_after_current()
        steps.put(step)

    signals.defer(stop)
    try:
        session.start_apply(made, progressed, steps.put)
        return _follow(steps, streams)
    finally:
        signals.defer(None)


def _follow(steps: "SimpleQueue[Progress | ApplyResult | PortError | None]", streams: Streams) -> ApplyResult | None:
    """Tell every step until the result is there; None in between says that a signal came."""
    begun = False
    while True:
        step = steps.get()
        if isinstance(step, ApplyResult):
            return step
        if isinstance(step, PortError):
            if not begun:
                raise step
            streams.talk(f"broken off: {printable(str(step))}; the journal has what was done until then")
            return None
        if step is None:
            streams.talk("Stopping after the current change ...")
        else:
            begun = True
            streams.talk(progress_line(step))
