"""The command line: arguments become settings, settings a front end, its end an exit code.

Imports lazily: asking for the version or for help loads neither the engine nor the screen. May import settings, wiring,
verbs and ``screen.start``.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from tui import __version__
from tui.model.text import printable
from tui.process import Interrupted, Signals, Streams, Unwritable, collect_rarely, has_terminal
from tui.settings import OPTIONS, PROGRAM, Settings, UsageError, load_settings

_USAGE = 2
_UNOBSERVED = 3
_REFUSED = 4
_PLUGIN = "kubectl-l2bridge"
_VERBS = {
    "check": "observe once and print what was found",
    "plan": "print what would be changed, as a diff",
    "apply": "show the plan, ask, apply it and prove it",
    "undo": "show the plan that takes an apply back, ask, apply it and prove it",
    "journal": "print what was applied, by whom, and what became of it",
}
_PLANNING = frozenset({"plan", "apply"})
_WRITING = frozenset({"apply", "undo"})
_ABOUT_AN_APPLY = frozenset({"undo", "journal"})
_EXIT_CODES = """\
exit codes:
  0  everything was observed and there is nothing to do; everything was applied and verified
  1  findings (check), changes pending (plan, a declined apply or undo)
  2  usage error
  3  something could not be observed: no proof of health
  4  a change was refused, failed, or its end is not known; an undo left something as it is; somebody else applies
  129, 130, 143  hung up, interrupted, terminated

Every option can also be given as L2BRIDGE_NAME in the environment and as a key of config.toml;
flag > environment > config file > default."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with these arguments (default: the process's) and return its exit code."""
    program = "kubectl l2bridge" if Path(sys.argv[0]).name == _PLUGIN else PROGRAM
    streams = Streams()
    try:
        return _run(_parse(sys.argv[1:] if argv is None else argv, program), program)
    except SystemExit as stop:  # argparse ends so after --help and --version
        return stop.code if isinstance(stop.code, int) else 0
    except (UsageError, Unwritable) as error:
        streams.talk(f"{program}: {printable(str(error))}")
        return _USAGE


# Arguments.


class _Parser(argparse.ArgumentParser):
    """Leaves the telling of errors to ``main``."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def _parse(argv: Sequence[str], program: str) -> argparse.Namespace:
    """Read options before the verb, then those after it; the latter win, repeatable ones add up."""
    # Its value follows "=" only, so that what comes next may be a verb; argparse has no such option.
    words = list(argv)
    end = words.index("--") if "--" in words else len(words)
    words[:end] = ["--demo=" if word == "--demo" else word for word in words[:end]]
    given = _program_parser(program).parse_args(words)
    if given.verb is None:
        return given
    if given.verb not in _VERBS:
        from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

        matches = get_close_matches(given.verb, _VERBS, n=1)
        hint = f"did you mean {matches[0]}?" if matches else f"there are {', '.join(_VERBS)}"
        raise UsageError(f"{given.verb!r} is no verb: {hint}")
    return _verb_parser(program, given.verb).parse_intermixed_args(given.rest, given)


def _program_parser(program: str) -> argparse.ArgumentParser:
    verbs = "".join(f"  {verb:<8} {about}\n" for verb, about in _VERBS.items())
    parser = _Parser(
        prog=program,
        usage=f"{program} [OPTION...] [VERB [NODE... | APPLY-ID]]",
        description="Shows, fixes and watches the cloud networking of clusters with routed pod CIDRs.\n\n"
        f"verbs (none opens the console; VERB --help tells its own options):\n{verbs}",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("verb", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    _add_options(parser)
    return parser


def _verb_parser(program: str, verb: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"{program} {verb}", description=f"{_VERBS[verb]}.".capitalize(), allow_abbrev=False)
    if verb in _ABOUT_AN_APPLY:
        which = "the newest that still stands" if verb == "undo" else "all"
        parser.add_argument("apply_id", nargs="?", metavar="APPLY-ID", help=f"only this apply (default: {which})")
    else:
        parser.add_argument("nodes", nargs="*", metavar="NODE", help="only these nodes (default: all)")
    if verb in _PLANNING:
        parser.add_argument("--prune", action="store_true", help="delete stray routes too")
        parser.add_argument(
            "--delete-first",
            action="store_true",
            help="replace routes by deleting the old one first where the quota has no room for both; "
            "the pod CIDR is unreachable meanwhile",
        )
    if verb == "plan":
        parser.add_argument("--out", metavar="FILE", type=Path, help="save the plan for apply --plan")
    if verb in _WRITING:
        parser.add_argument("--yes", action="store_true", help="do not ask")
    if verb == "apply":
        parser.add_argument("--plan", metavar="FILE", type=Path, help="apply a saved plan, and nothing else")
    _add_options(parser)
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    """Add what may stand before and after the verb. What is not given stays absent, so that the other place counts."""
    absent = argparse.SUPPRESS
    group = parser.add_argument_group("common options")
    group.add_argument("-o", "--output", choices=("text", "json"), default=absent, help="form of a verb's output")
    group.add_argument(
        "--demo", metavar="[=SCENARIO]", default=absent, help="the embedded world; --demo=list names its scenarios"
    )
    for option in OPTIONS:
        if option.metavar is None:
            group.add_argument(option.flag, dest=option.name, action="store_true", default=absent, help=option.about)
            continue
        group.add_argument(
            option.flag,
            dest=option.name,
            action="append" if option.repeatable else "store",
            metavar=option.metavar,
            default=absent,
            help=option.about + (" (repeatable)" if option.repeatable else ""),
        )
    group.add_argument("--config", metavar="FILE", default=absent, help="config file instead of the usual one")
    group.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")


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
    if settings.log_file is not None:
        _log_to(settings.log_file)
    if given.verb is None:
        return _console(settings, flags, program)
    with Signals() as signals:
        try:
            return _verb(given, settings, signals, _invocation(program, flags))
        except Interrupted as interrupted:
            Streams().talk("interrupted")
            return interrupted.code


def _verb(given: argparse.Namespace, settings: Settings, signals: Signals, invocation: str) -> int:
    from tui import verbs  # noqa: PLC0415 - not for --help, --version and mistakes
    from tui.applying import Consent  # noqa: PLC0415
    from tui.ports import Locked, Misconfigured, PortError  # noqa: PLC0415
    from tui.wiring import open_session  # noqa: PLC0415

    as_json = getattr(given, "output", "text") == "json"
    planning = given.verb in _PLANNING
    request = verbs.Request(
        nodes=tuple(getattr(given, "nodes", ())),
        json=as_json,
        program=invocation,
        prune=planning and given.prune,
        delete_first=planning and given.delete_first,
        apply_id=getattr(given, "apply_id", None),
    )
    streams = Streams(ascii_only=settings.ascii)
    if given.verb == "apply" and given.plan is not None and request.words:
        raise UsageError("a saved plan is applied whole: name no nodes, --prune or --delete-first beside --plan")
    try:
        session = open_session(settings)
        try:
            if given.verb == "check":
                return verbs.check(session, streams, request)
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


def _console(settings: Settings, flags: Mapping[str, object], program: str) -> int:
    if "output" in flags:
        raise UsageError("-o belongs to a verb, such as check; the console has no output")
    if not has_terminal():
        raise UsageError(f"the console needs a terminal; without one use a verb, such as {program} check")
    collect_rarely()
    from tui.ports import Misconfigured  # noqa: PLC0415 - not for --help, --version and mistakes
    from tui.wiring import open_session  # noqa: PLC0415

    try:
        session = open_session(settings)
    except Misconfigured as error:
        raise UsageError(str(error)) from error
    from tui.screen.start import run_console  # noqa: PLC0415 - the verbs work without Textual

    return run_console(session, settings)


def _scenarios() -> Mapping[str, str]:
    from tui.wiring import scenarios  # noqa: PLC0415 - only for the demo

    return scenarios()


def _list_scenarios(flags: Mapping[str, object]) -> int:
    if flags["verb"] is not None or "output" in flags:
        raise UsageError("--demo=list stands alone: it prints the scenarios' names")
    for name, about in _scenarios().items():
        Streams().data(f"{name:<12} {about}\n")
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
