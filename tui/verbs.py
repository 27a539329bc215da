"""The verbs without a screen: check, plan, apply, undo and journal, over the same session that the screen holds.

Data goes to stdout, talk to stderr; the returned numbers are the exit codes of the public interface. May import engine,
ports, model, what renders, ``applying``, ``saved_plan`` and ``process``.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

from tui.applying import NOT_APPLIED, Consent, PlannedApply
from tui.engine.session import Session
from tui.engine.undoing import recorded_as
from tui.model.finding import Code, Report, Severity
from tui.model.plan import Plan
from tui.model.plan_document import plan_document
from tui.model.snapshot import SourceState
from tui.model.text import did_you_mean, printable
from tui.ports import Misconfigured
from tui.process import Signals, Streams
from tui.render import Selection, apply_document, json_text, report_document
from tui.render_journal import aftermath_lines, apply_lines, journal_document, journal_lines
from tui.render_script import plan_script
from tui.render_text import NOTHING_TO_UNDO, plan_text, report_lines, text_of
from tui.saved_plan import read_plan, save_plan
from tui.watching import wait_for

DONE = 0
PENDING = 1
UNOBSERVED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What every verb is asked: about which nodes (none means all), in which form, and how hints call this program.

    ``prune`` wants stray routes deleted too, ``delete_first`` accepts a gap where a quota has no room for two routes.
    ``apply_id`` names a recorded apply for those verbs that are about one. ``script`` wants a plan as a shell script.
    """

    nodes: tuple[str, ...] = ()
    json: bool = False
    program: str = "l2bridge-tui"
    prune: bool = False
    delete_first: bool = False
    apply_id: str | None = None
    script: bool = False

    @property
    def words(self) -> list[str]:
        """What follows the verb to ask for the same again, safe to paste."""
        flags = {"--prune": self.prune, "--delete-first": self.delete_first}
        return [*(flag for flag, given in flags.items() if given), *map(_quoted, self.nodes)]


def check(session: Session, streams: Streams, request: Request, *, wait_s: float | None = None) -> int:
    """Observe once and tell what was found; with ``wait_s`` as soon as the nodes are routable, or when it is over.

    Raises ``Misconfigured`` for an unknown node name, unless it is waited for.
    """
    _look_back(session, streams, request, record=False)
    if wait_s is None:
        report = session.observe()
        names = _names(report, request.nodes)
    else:
        report = wait_for(session, streams, frozenset(request.nodes), wait_s)
        names = frozenset(request.nodes) or None
    selection = Selection.of(report, names)
    if request.json:
        streams.data(json_text(report_document(report, names)))
        _tell_losses(streams, selection)
    else:
        streams.data(text_of(report_lines(report, names, program=request.program)))
    if not selection.observed:
        return UNOBSERVED
    if names is not None and len(selection.assessments) < len(names):
        return PENDING  # a node that was waited for has not come
    return DONE if selection.faultless else PENDING


def plan(session: Session, streams: Streams, request: Request, out: Path | None = None) -> int:
    """Observe once and tell what would be changed; ``out`` takes the plan for a later apply.

    Raises ``Misconfigured`` for an unknown node name and for a file that cannot be written.
    """
    _look_back(session, streams, request, record=False)
    made, selection = _propose(session, request)
    if out is not None:
        save_plan(made, out)
    if request.script:
        streams.data(plan_script(made))
    else:
        streams.data(json_text(plan_document(made)) if request.json else text_of(plan_text(made)))
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
    asks = consent.asks("apply", session, streams)
    _look_back(session, streams, request, record=True)
    if consent.saved is not None:
        made, observed = session.identities.signed(read_plan(consent.saved, session.cluster)), True
    else:
        made, selection = _propose(session, request)
        observed = selection.observed
        _tell_losses(streams, selection)
        _tell_strays(streams, selection, request)
    done = DONE if observed else UNOBSERVED
    if not made.changes:
        _tell_nothing(streams, request, made, _nothing_to_do(made))
        return done
    planned = PlannedApply(session, streams, signals, made, json=request.json, program=request.program)
    code = planned.carry_out(asks=asks, max_changes=consent.max_changes)
    return done if code is None else code


def undo(session: Session, streams: Streams, signals: Signals, request: Request, consent: Consent) -> int:
    """Show the plan that takes a recorded apply back (default: the newest that still stands), ask, apply and prove it.

    Raises as ``apply``, and ``Misconfigured`` when there is no such apply.
    """
    asks = consent.asks("undo", session, streams)
    _look_back(session, streams, request, record=True)
    made = session.propose_undo(request.apply_id)
    done = NOT_APPLIED if made.refused else DONE
    if not made.changes:
        _tell_nothing(streams, request, made, _nothing_to_undo(made))
        return done
    planned = PlannedApply(session, streams, signals, made, json=request.json, program=request.program)
    code = planned.carry_out(asks=asks, max_changes=consent.max_changes)
    return done if code is None else code


def journal(session: Session, streams: Streams, request: Request) -> int:
    """Tell what earlier applies did, newest first; one of them with every change as a diff.

    Raises ``Misconfigured`` for an unknown id and for a journal that cannot be read.
    """
    applies = session.applies()
    if request.apply_id is not None:
        applies = (recorded_as(applies, request.apply_id),)
    if request.json:
        streams.data(json_text(journal_document(applies, cluster=session.cluster, path=str(session.journal_path))))
    elif request.apply_id is None:
        streams.data(text_of(journal_lines(applies, path=str(session.journal_path), program=request.program)))
    else:
        streams.data(text_of(apply_lines(applies[0], program=request.program)))
    return DONE


def _look_back(session: Session, streams: Streams, request: Request, *, record: bool) -> None:
    """Say on stderr what became of an apply that was cut off, and the ways on; with ``record`` for the last time."""
    try:
        found = session.look_back(record=record)
    except Misconfigured as error:
        if record:
            raise
        streams.talk(printable(str(error)))  # who only looks can do without
        return
    if found is None:
        return
    streams.talk(text_of(aftermath_lines(found)), end="")
    left = f"{request.program} plan shows what is left to do"
    back = f"; {request.program} undo {_quoted(found.apply.id)} takes back what it did" if found.apply.written else ""
    streams.talk(f"  {left}{back}\n")


# What is asked about.


def _names(report: Report, nodes: tuple[str, ...]) -> frozenset[str] | None:
    """Return the names to select by; None for all. Names are not judged before the nodes are known."""
    if not nodes:
        return None
    present = [assessment.node.name for assessment in report.assessments]
    unknown = sorted(set(nodes).difference(present))
    if unknown and not report.synchronising:
        hint = did_you_mean(unknown[0], present)
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


def _nothing_to_undo(made: Plan) -> str:
    if not made.refused:
        return NOTHING_TO_UNDO
    return f"Nothing can be undone: {printable(made.refused[0].reason)}"


def _tell_nothing(streams: Streams, request: Request, made: Plan, why: str) -> None:
    streams.data(json_text(apply_document(None, made)) if request.json else f"{why}\n")


def _quoted(text: str) -> str:
    return shlex.quote(printable(text))
