"""What may be said on the command line, and the help that tells it. Settings are made of it by ``cli``.

Imported before anything is shown, so it stays light. May import settings and ``option_values``.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from tui import __version__
from tui import option_values as values
from tui.model.arming import FixKind
from tui.option_values import UsageError
from tui.options import OPTIONS, PROGRAM

_Value = TypeVar("_Value")

VERBS = {
    "check": "observe once and print what was found",
    "plan": "print what would be changed, as a diff",
    "apply": "show the plan, ask, apply it and prove it",
    "undo": "show the plan that takes an apply back, ask, apply it and prove it",
    "watch": "print one line per event, until it is interrupted",
    "replay": "play the record of a watch in the console, or print it where there is no terminal",
    "journal": "print what was applied, by whom, and what became of it",
    "explain": "print what a finding means, why packets die and what mends it",
    "info": "print paths, versions, identities, endpoints, and what will be read",
    "completion": "print what makes a shell complete this program's words",
}
SHELLS = ("bash", "zsh", "fish")
WAIT_S = 600.0
_METRICS = f"{values.LOOPBACK}:9797"
PLANNING = frozenset({"plan", "apply"})
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


class _Parser(argparse.ArgumentParser):
    """Leaves the telling of errors to its caller."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def parse_arguments(argv: Sequence[str], program: str) -> argparse.Namespace:
    """Read options before the verb, then those after it; the latter win, repeatable ones add up."""
    # Its value follows "=" only, so that what comes next may be a verb; argparse has no such option.
    words = list(argv)
    end = words.index("--") if "--" in words else len(words)
    words[:end] = ["--demo=" if word == "--demo" else word for word in words[:end]]
    given = _program_parser(program).parse_args(words)
    if given.verb is None:
        return given
    if given.verb not in VERBS:
        from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

        matches = get_close_matches(given.verb, VERBS, n=1)
        hint = f"did you mean {matches[0]}?" if matches else f"there are {', '.join(VERBS)}"
        raise UsageError(f"{given.verb!r} is no verb: {hint}")
    return _verb_parser(program, given.verb).parse_intermixed_args(given.rest, given)


def parser_of(program: str, verb: str | None) -> argparse.ArgumentParser:
    """Return what reads the words before a verb, or those after this one."""
    return _program_parser(program) if verb is None else _verb_parser(program, verb)


def _program_parser(program: str) -> argparse.ArgumentParser:
    width = max(map(len, VERBS))
    verbs = "".join(f"  {verb:<{width}} {about}\n" for verb, about in VERBS.items())
    parser = _Parser(
        prog=program,
        usage=f"{program} [OPTION...] [VERB [NODE... | APPLY-ID | FILE | CODE | SHELL]]",
        description="Shows, fixes and watches the cloud networking of clusters with routed pod CIDRs.\n\n"
        f"verbs (none opens the console; VERB --help tells its own options):\n{verbs}",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("verb", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    parser.add_argument("--select", metavar="NODE", help="in the console: begin on this node")
    _add_options(parser)
    return parser


def _verb_parser(program: str, verb: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"{program} {verb}", description=f"{VERBS[verb]}.".capitalize(), allow_abbrev=False)
    if verb == "replay":
        parser.add_argument("file", metavar="FILE", type=Path, help="a record that a watch has left")
        parser.add_argument("--speed", metavar="N", type=_read(values.count), default=60, help="default: %(default)s")
    elif verb == "explain":
        parser.add_argument("code", nargs="?", metavar="CODE", help="such as route-missing (default: all, a line each)")
    elif verb == "completion":
        parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    elif verb in _ABOUT_AN_APPLY:
        which = "the newest that still stands" if verb == "undo" else "all"
        parser.add_argument("apply_id", nargs="?", metavar="APPLY-ID", help=f"only this apply (default: {which})")
    elif verb != "info":
        parser.add_argument("nodes", nargs="*", metavar="NODE", help="only these nodes (default: all)")
    if verb == "check":
        parser.add_argument("--wait", action="store_true", help="return as soon as the nodes are fully routable")
        parser.add_argument(
            "--timeout", metavar="DURATION", type=_read(values.duration), help="how long to wait at most (default 10m)"
        )
    if verb == "watch":
        parser.add_argument("--ui", action="store_true", help="open the console on the upgrade pane")
        parser.add_argument(
            "--metrics",
            metavar="ADDR:PORT",
            nargs="?",
            const=_METRICS,
            type=_read(values.address),
            help="serve OpenMetrics over HTTP (without a value: %(const)s)",
        )
        _add_arming(parser)
    if verb in PLANNING:
        parser.add_argument("--prune", action="store_true", help="delete stray routes too")
        parser.add_argument(
            "--delete-first",
            action="store_true",
            help="replace routes by deleting the old one first where the quota has no room for both; "
            "the pod CIDR is unreachable meanwhile",
        )
    if verb == "plan":
        parser.add_argument("--out", metavar="FILE", type=Path, help="save the plan for apply --plan")
        parser.add_argument("--script", action="store_true", help="print a shell script of the clouds' own commands")
    if verb in _WRITING:
        parser.add_argument("--yes", action="store_true", help="do not ask")
    if verb == "apply":
        parser.add_argument("--plan", metavar="FILE", type=Path, help="apply a saved plan, and nothing else")
    _add_options(parser)
    return parser


def _add_arming(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("automatic fixes, off unless all of these and --max-changes are given")
    group.add_argument("--auto-fix", action="store_true", help="fix new nodes unasked, never only delete")
    group.add_argument("--nodes", dest="scope", metavar="PATTERN", help="names (win-*) or a label (agentpool=win)")
    group.add_argument("--kinds", metavar="KIND,...", type=_read(values.fix_kinds), help=f"some of {','.join(FixKind)}")
    group.add_argument("--for", dest="span", metavar="DURATION", type=_read(values.duration), help="for how long")


def _read(value: Callable[[object], _Value]) -> Callable[[str], _Value]:
    """Return what argparse reads such a value with."""

    def read(given: str) -> _Value:
        try:
            return value(given)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


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
