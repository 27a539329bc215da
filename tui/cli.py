"""The command line: arguments become settings, settings a front end, its end an exit code.

Imports lazily: asking for the version or for help loads neither the engine nor the screen. May import settings, wiring,
verbs and ``screen.start``.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tui.arguments import PLANNING, WAIT_S, parse_arguments
from tui.model.arming import Wish
from tui.model.text import printable
from tui.options import PROGRAM
from tui.process import Interrupted, Signals, Streams, Unwritable, collect_rarely, has_terminal
from tui.settings import Settings, UsageError, load_settings

if TYPE_CHECKING:
    from tui.engine.session import Session

_USAGE = 2
_UNOBSERVED = 3
_REFUSED = 4
_PLUGIN = "kubectl-l2bridge"
_WITHOUT_A_CLUSTER = frozenset({"replay", "explain", "completion"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with these arguments (default: the process's) and return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["__complete"]:
        from tui.completing import tell  # noqa: PLC0415 - only where a shell asks

        return tell(words[1:])
    program = "kubectl l2bridge" if Path(sys.argv[0]).name == _PLUGIN else PROGRAM
    streams = Streams()
    try:
        return _run(parse_arguments(words, program), program)
    except SystemExit as stop:  # argparse ends so after --help and --version
        return stop.code if isinstance(stop.code, int) else 0
    except (UsageError, Unwritable) as error:
        streams.talk(f"{program}: {printable(str(error))}")
        return _USAGE


# From settings to a front end.


def _run(given: argparse.Namespace, program: str) -> int:
    flags = dict(vars(given))
    if flags.get("demo") == "list":
        return _list_scenarios(flags)
    if flags.get("demo") == "":
        flags["demo"] = next(iter(_scenarios()))
    settings = load_settings(flags, os.environ)
    if settings.demo is not None and settings.demo not in _scenarios():
        raise UsageError(f"there is no demo scenario {settings.demo!r}; there are {', '.join(_scenarios())}")
    if given.verb is not None and given.select is not None:
        raise UsageError("--select belongs to the console, not to a verb: name the node after the verb")
    if settings.log_file is not None:
        _log_to(settings.log_file)
    if given.verb is None:
        return _console(settings, flags, program)
    if given.verb == "watch" and given.ui:
        if given.nodes:
            raise UsageError("watch --ui shows all nodes: name none")
        return _console(settings, flags, program, pane="upgrade", metrics=given.metrics, wish=_wish(given, settings))
    if given.verb in _WITHOUT_A_CLUSTER:
        return _without_a_cluster(given, settings, program)
    with Signals() as signals:
        try:
            return (_info if given.verb == "info" else _verb)(given, settings, signals, _invocation(program, flags))
        except Interrupted as interrupted:
            Streams().talk("interrupted")
            return interrupted.code


def _info(given: argparse.Namespace, settings: Settings, signals: Signals, invocation: str) -> int:
    from tui.info import info  # noqa: PLC0415 - not for the other verbs

    del signals, invocation
    with suppress(UsageError):  # which is told in its place
        settings = _settled(settings)
    return info(settings, Streams(ascii_only=settings.ascii), as_json=getattr(given, "output", "text") == "json")


def _verb(given: argparse.Namespace, settings: Settings, signals: Signals, invocation: str) -> int:
    from tui import verbs  # noqa: PLC0415 - not for --help, --version and mistakes
    from tui.applying import Consent  # noqa: PLC0415
    from tui.ports import Locked, Misconfigured, PortError  # noqa: PLC0415
    from tui.watching import Watch, serving, watch  # noqa: PLC0415
    from tui.wiring import open_session  # noqa: PLC0415

    as_json = getattr(given, "output", "text") == "json"
    planning = given.verb in PLANNING
    request = verbs.Request(
        nodes=tuple(getattr(given, "nodes", ())),
        json=as_json,
        program=invocation,
        prune=planning and given.prune,
        delete_first=planning and given.delete_first,
        apply_id=getattr(given, "apply_id", None),
        script=given.verb == "plan" and given.script,
    )
    settings = _settled(settings)
    streams = Streams(ascii_only=settings.ascii)
    if given.verb == "apply" and given.plan is not None and request.words:
        raise UsageError("a saved plan is applied whole: name no nodes, --prune or --delete-first beside --plan")
    if request.script and as_json:
        raise UsageError("--script is a form of its own: leave out -o json")
    if given.verb == "check" and given.timeout is not None and not given.wait:
        raise UsageError("--timeout belongs to --wait")
    wish = _wish(given, settings) if given.verb == "watch" else None
    try:
        session = open_session(settings, asks=streams.interactive)
        try:
            if given.verb == "check":
                return verbs.check(session, streams, request, wait_s=(given.timeout or WAIT_S) if given.wait else None)
            if given.verb == "watch":
                collect_rarely()
                with serving(session, given.metrics) as url:
                    if url is not None:
                        streams.talk(f"metrics: {url}")
                    what = Watch(nodes=frozenset(request.nodes), json=as_json)
                    return watch(session, streams, what, wish)
            if given.verb == "plan":
                return verbs.plan(session, streams, request, given.out)
            if given.verb == "journal":
                return verbs.journal(session, streams, request)
            saved = getattr(given, "plan", None)
            consent = Consent(yes=given.yes, saved=saved, max_changes=settings.max_changes)
            writes = verbs.undo if given.verb == "undo" else verbs.apply
            return writes(session, streams, signals, request, consent)
        finally:
            session.close()
    except Misconfigured as error:
        raise UsageError(str(error)) from error
    except PortError as error:
        streams.talk(f"{PROGRAM}: {printable(str(error))}")
        return signals.code or (_REFUSED if isinstance(error, Locked) else _UNOBSERVED)


def _settled(settings: Settings) -> Settings:
    """Return the settings as they hold for the context that is looked at. Raises ``UsageError`` where there is none."""
    from tui.ports import Misconfigured  # noqa: PLC0415 - not for --help, --version and mistakes
    from tui.wiring import settled  # noqa: PLC0415

    try:
        return settled(settings)
    except Misconfigured as error:
        raise UsageError(str(error)) from error


def _check_arming(given: argparse.Namespace) -> None:
    """Raise ``UsageError`` where automatic fixes are asked for, and not how far they may go."""
    limits = {
        "--nodes": given.scope,
        "--kinds": given.kinds,
        "--max-changes": getattr(given, "max-changes", None),
        "--for": given.span,
    }
    missing = [name for name, value in limits.items() if value is None]
    if given.auto_fix and missing:
        raise UsageError(f"--auto-fix writes unasked: say how far it may go with {', '.join(missing)}")
    stray = [name for name in ("--nodes", "--kinds", "--for") if name not in missing]
    if not given.auto_fix and stray:
        raise UsageError(f"{stray[0]} belongs to --auto-fix")


def _wish(given: argparse.Namespace, settings: Settings) -> Wish | None:
    """Return what is to be armed; None where nothing is. Raises ``UsageError`` where it is not said how far."""
    _check_arming(given)
    if not given.auto_fix:
        return None
    return Wish(nodes=given.scope, kinds=given.kinds, max_changes=settings.max_changes, span_s=given.span)


def _console(
    settings: Settings,
    flags: Mapping[str, object],
    program: str,
    *,
    pane: str | None = None,
    metrics: tuple[str, int] | None = None,
    wish: Wish | None = None,
) -> int:
    if "output" in flags:
        raise UsageError("-o belongs to a verb, such as check; the console has no output")
    if not has_terminal():
        raise UsageError(f"the console needs a terminal; without one use a verb, such as {program} check")
    collect_rarely()
    from tui.ports import Misconfigured  # noqa: PLC0415 - not for --help, --version and mistakes
    from tui.watching import serving  # noqa: PLC0415
    from tui.wiring import Clusters, open_session  # noqa: PLC0415

    # What was asked for on one cluster, and is at work outside of the screen, does not move to another one.
    clusters = Clusters(settings) if metrics is None and wish is None else None
    settings = _settled(settings)
    try:
        session = open_session(settings)
        if wish is not None and session.read_only:
            raise Misconfigured("--auto-fix writes, and --read-only forbids it, or the config file for this context")
        _log_in_first(session)
        with serving(session, metrics):
            from tui.screen.start import run_console  # noqa: PLC0415 - the verbs work without Textual

            return run_console(session, settings, pane, wish, clusters)
    except Misconfigured as error:
        raise UsageError(str(error)) from error
    except Interrupted as interrupted:
        return interrupted.code


def _log_in_first(session: "Session") -> None:
    """Let whoever wants the terminal for a login have it before anything is drawn there."""
    from tui.ports import PortError  # noqa: PLC0415 - not for --help, --version and mistakes

    if session.login is not None and session.login.possible:
        with suppress(PortError), Signals():
            session.login.log_in()  # what stands in its way, the console tells


def _replay(given: argparse.Namespace, settings: Settings) -> int:
    """Play a record on the screen; print it where there is no screen, or -o asks for a form."""
    from tui.ports import Misconfigured  # noqa: PLC0415
    from tui.watching import Watch, print_record  # noqa: PLC0415

    output = getattr(given, "output", None)
    try:
        if output is not None or not has_terminal():
            return print_record(given.file, Streams(ascii_only=settings.ascii), Watch(json=output == "json"))
        from tui.wiring import open_record  # noqa: PLC0415

        session = open_record(given.file, speed=given.speed)
        from tui.screen.start import run_console  # noqa: PLC0415

        return run_console(session, settings)
    except Misconfigured as error:
        raise UsageError(str(error)) from error


def _without_a_cluster(given: argparse.Namespace, settings: Settings, program: str) -> int:
    """Do what needs no session, each with what it imports alone."""
    streams, as_json = Streams(ascii_only=settings.ascii), getattr(given, "output", "text") == "json"
    match given.verb:
        case "explain":
            from tui.explaining import explain  # noqa: PLC0415 - not for --help, --version and mistakes

            return explain(given.code, streams, program=program, as_json=as_json)
        case "completion":
            from tui.completing import script  # noqa: PLC0415

            streams.data(script(given.shell))
            return 0
        case _:
            return _replay(given, settings)


def _scenarios() -> Mapping[str, str]:
    from tui.wiring import scenarios  # noqa: PLC0415 - only for the demo

    return scenarios()


def _list_scenarios(flags: Mapping[str, object]) -> int:
    if flags["verb"] is not None or "output" in flags:
        raise UsageError("--demo=list stands alone: it prints the scenarios' names")
    for name, about in _scenarios().items():
        Streams().data(f"{name:<16} {about}\n")
    return 0


def _invocation(program: str, flags: Mapping[str, object]) -> str:
    """Return how this program was called, as far as it says which cluster: hints must lead to the same one."""
    places = [f"--{name}={flags[name]}" for name in ("demo", "kubeconfig", "context") if name in flags]
    return " ".join([program, *(shlex.quote(printable(place)) for place in places)])


def _log_to(path: Path) -> None:
    """Append what libraries log, debugging aside: there some of them write credentials."""
    import logging  # noqa: PLC0415 - only with --log-file
    import time  # noqa: PLC0415

    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the log file {path} cannot be written: {error.strerror}") from error
    handler = logging.StreamHandler(file)
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
