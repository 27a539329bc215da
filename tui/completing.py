"""What could be typed next on the command line: asked by the shells' scripts and by kubectl, of this program itself.

The answer has one candidate per line, a tab and what it means, and last a line as kubectl's own completion writes it:
``:4``, or ``:0`` where the shell shall complete files. May import arguments, settings, the pages and wiring.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tui.arguments import SHELLS, VERBS, parser_of
from tui.model.arming import FixKind
from tui.model.text import printable
from tui.options import OPTIONS
from tui.process import Streams

_FILES, _NO_FILES = 0, 4
"""What cobra calls ``ShellCompDirectiveDefault`` and ``ShellCompDirectiveNoFileComp``."""
_ASKING = "__complete"
_CHOICES: Mapping[str, tuple[str, ...]] = {option.name: option.choices for option in OPTIONS if option.choices}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The candidates that begin like the word that is typed, each with what it means; ``files`` may stand there too."""

    candidates: tuple[tuple[str, str], ...] = ()
    files: bool = False

    @property
    def text(self) -> str:
        """As the scripts read it."""
        lines = [f"{printable(word)}\t{printable(about)}" for word, about in self.candidates]
        return "\n".join([*lines, f":{_FILES if self.files else _NO_FILES}", ""])


def answer(words: Sequence[str]) -> Answer:
    """Return what could stand in the place of the last of these words, which follow the program's name."""
    *before, typed = words or [""]
    parser = parser_of("", None)
    options = _options(parser)
    verb, given = None, list(before)
    while given:
        word = given.pop(0)
        if word in options and options[word].nargs is None and given and word != "--demo":
            given.pop(0)
        elif not word.startswith("-") and verb is None:
            verb = word if word in VERBS else None
            if verb is None:
                return Answer()
            options = _options(parser := parser_of("", verb))
    name, is_valued, value = typed.partition("=")
    if typed.startswith("--") and is_valued:
        found = _values(options.get(name), before)
        candidates = tuple((f"{name}={word}", about) for word, about in _begun(found.candidates, value))
        return Answer(candidates=candidates, files=found.files)
    if before and before[-1] in options and options[before[-1]].nargs is None and before[-1] != "--demo":
        found = _values(options[before[-1]], before)
    elif typed.startswith("-"):
        found = Answer(candidates=tuple((flag, _about(action)) for flag, action in options.items()))
    elif verb is None:
        found = Answer(candidates=tuple(VERBS.items()))
    else:
        found = _arguments(verb)
    return Answer(candidates=tuple(_begun(found.candidates, typed)), files=found.files)


def tell(words: Sequence[str]) -> int:
    """Print the answer. Whatever is wrong with what was typed, completing it is no place to say so."""
    Streams().data(answer(words).text)
    return 0


def main() -> int:
    """Answer kubectl, which calls this with the words that follow ``kubectl l2bridge``."""
    return tell(sys.argv[1:])


def script(shell: str) -> str:
    """Return what makes a shell ask; one of ``SHELLS``."""
    return _SCRIPTS[shell]


def _options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Return what each flag stands for."""
    return {flag: action for action in parser._actions for flag in action.option_strings}


def _about(action: argparse.Action) -> str:
    """Return an option's help with its values in place."""
    return (action.help or "") % vars(action)


def _begun(candidates: Iterable[tuple[str, str]], typed: str) -> Iterator[tuple[str, str]]:
    return ((word, about) for word, about in candidates if word.startswith(typed))


def _values(action: argparse.Action | None, before: Sequence[str]) -> Answer:
    """Return what an option may be."""
    flag = "" if action is None else action.option_strings[-1].removeprefix("--")
    if action is None or action.nargs == 0:
        return Answer()
    if action.choices is not None:
        return _plain(map(str, action.choices))
    match flag:
        case "demo":
            from tui.wiring import scenarios  # noqa: PLC0415 - only where it is asked for

            return Answer(candidates=tuple(scenarios().items()))
        case "context":
            return _plain(_contexts(before))
        case "kinds":
            return _plain(FixKind)
    return _plain(_CHOICES.get(flag, ())) if action.metavar != "FILE" else Answer(files=True)


def _contexts(before: Sequence[str]) -> tuple[str, ...]:
    """Return the contexts of the kubeconfig that the words name, else of kubectl's own."""
    from tui.ports import Misconfigured  # noqa: PLC0415
    from tui.wiring import contexts  # noqa: PLC0415

    named = [word.partition("=")[2] for word in before if word.startswith("--kubeconfig=")]
    named += [after for word, after in pairwise(before) if word == "--kubeconfig"]
    try:
        return contexts(named[-1] if named else None)
    except Misconfigured:
        return ()


def _arguments(verb: str) -> Answer:
    """Return what may follow a verb without a dash. Nodes are not asked for: that would take a cluster's time."""
    match verb:
        case "explain":
            from tui.pages import PAGES  # noqa: PLC0415

            return Answer(candidates=tuple((str(code), page.about) for code, page in PAGES.items()))
        case "completion":
            return _plain(SHELLS)
        case _:
            return Answer(files=verb == "replay")


def _plain(words: Iterable[str]) -> Answer:
    return Answer(candidates=tuple((str(word), "") for word in words))


_BASH = f"""\
# bash completion of l2bridge-tui; in ~/.bashrc: source <(l2bridge-tui completion bash)
_l2bridge_tui() {{
    local line=${{COMP_LINE:0:COMP_POINT}} words reply last kept
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    mapfile -t reply < <("${{words[0]}}" {_ASKING} "${{words[@]:1}}" 2>/dev/null)
    last=${{reply[-1]}}
    unset 'reply[-1]'
    # What stands before an equals sign is a word of its own to bash.
    kept=${{words[-1]}}
    [[ $COMP_WORDBREAKS == *=* && $kept == *=* ]] && kept=${{kept%"${{kept##*=}}"}} || kept=
    COMPREPLY=()
    local each
    for each in "${{reply[@]}}"; do
        each=${{each%%$'\\t'*}}
        COMPREPLY+=("${{each#"$kept"}}")
    done
    [[ $last == :{_FILES} ]] && compopt -o default
}}
complete -F _l2bridge_tui l2bridge-tui
"""

_ZSH = f"""\
#compdef l2bridge-tui
# zsh completion of l2bridge-tui; in ~/.zshrc, after compinit: source <(l2bridge-tui completion zsh)
_l2bridge_tui() {{
    local -a reply values shown
    local each word
    reply=("${{(@f)$("$words[1]" {_ASKING} "${{(@)words[2,CURRENT]}}" 2>/dev/null)}}")
    for each in "${{(@)reply[1,-2]}}"; do
        word=${{each%%$'\\t'*}}
        values+=("$word")
        shown+=("$word  ${{each#*$'\\t'}}")
    done
    (( $#values )) && compadd -l -d shown -a values
    [[ ${{reply[-1]}} == :{_FILES} ]] && _files
}}
compdef _l2bridge_tui l2bridge-tui
"""

_FISH = f"""\
# fish completion of l2bridge-tui; once: l2bridge-tui completion fish > ~/.config/fish/completions/l2bridge-tui.fish
function __l2bridge_tui
    set -l words (commandline -opc) (commandline -ct)
    set -l reply ($words[1] {_ASKING} $words[2..-1] 2>/dev/null)
    if test "$reply[-1]" = :{_FILES}
        __fish_complete_path (commandline -ct)
    end
    for each in $reply[1..-2]
        echo -- $each
    end
end
complete -c l2bridge-tui -f -a '(__l2bridge_tui)'
"""

_SCRIPTS: Mapping[str, str] = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
