"""What the shells and kubectl offer next, asked of the real shells where they are on this machine."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tui.arguments import SHELLS, VERBS
from tui.cli import main
from tui.completing import answer, script
from tui.demo import SCENARIOS
from tui.options import OPTIONS
from tui.pages import PAGES


def offered(*words: str) -> list[str]:
    return [word for word, _ in answer(words).candidates]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("",), list(VERBS)),
        (("--ascii", "ch"), ["check"]),
        (("--theme", "light", "w"), ["watch"]),
        (("--demo", "expl"), ["explain"]),
        (("--theme", "ansi"), ["ansi-dark", "ansi-light"]),
        (("plan", "--cloud=a"), ["--cloud=auto", "--cloud=aws", "--cloud=azure"]),
        (("check", "-o", ""), ["text", "json"]),
        (("watch", "--kinds", "c"), ["create-route"]),
        (("explain", ""), list(map(str, PAGES))),
        (("explain", "route-q"), ["route-quota"]),
        (("completion", ""), list(SHELLS)),
        (("check", "--wait", "--ti"), ["--timeout"]),
        (("--demo=",), [f"--demo={name}" for name in SCENARIOS]),
        (("nonsense", ""), []),
        (("check", ""), []),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_may_stand_there_is_offered(words: tuple[str, ...], expected: list[str]) -> None:
    assert offered(*words) == expected


def test_every_option_is_offered_before_and_after_a_verb() -> None:
    for before in ((), ("plan",)):
        assert {option.flag for option in OPTIONS} <= set(offered(*before, "--"))
    assert "--out" in offered("plan", "--")
    assert "--out" not in offered("--")


@pytest.mark.parametrize("words", [("--kubeconfig", ""), ("--config=",), ("plan", "--out", "a"), ("replay", "")])
def test_files_are_left_to_the_shell(words: tuple[str, ...]) -> None:
    assert answer(words).files
    assert answer(words).text.endswith(":0\n")


def test_contexts_are_those_of_the_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text("contexts: [{name: prod-eu, context: {cluster: a}}, {name: test, context: {cluster: b}}]")
    assert offered("--kubeconfig", str(file), "--context", "p") == ["prod-eu"]
    monkeypatch.setenv("KUBECONFIG", str(file))
    assert offered("check", "--context=") == ["--context=prod-eu", "--context=test"]
    file.write_text("not: [yaml")
    assert offered("--context", "") == []


def test_no_secret_of_a_help_text_is_left_unfilled() -> None:
    for verb in VERBS:
        assert "%(" not in answer((verb, "-")).text


# The shells themselves.


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put this program on the PATH, and return a folder for scripts."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, module in (
        ("l2bridge-tui", "tui"),
        ("kubectl-l2bridge", "tui"),
        ("kubectl_complete-l2bridge", "tui.completing"),
    ):
        code = f"import sys; from {module if module != 'tui' else 'tui.cli'} import main; sys.exit(main())"
        program = folder / name
        program.write_text(f"#!{sys.executable}\n{code}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def run(shell: str, code: str) -> list[str]:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    ran = subprocess.run([shell, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert ran.stderr == ""
    return ran.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("l2bridge-tui --demo=az", "azure"),
        ("l2bridge-tui --theme mo", "mono"),
        ("l2bridge-tui explain route-q", "route-quota"),
    ],
)
def test_bash_completes(path: Path, line: str, expected: str) -> None:
    (path / "script").write_text(script("bash"))
    asked = f"COMP_WORDBREAKS=' =:'; COMP_LINE='{line}'; COMP_POINT={len(line)}"
    assert (
        run("bash", f'source {path}/script; {asked}; _l2bridge_tui; printf "%s\\n" "${{COMPREPLY[@]}}"')[0] == expected
    )


def test_zsh_completes(path: Path) -> None:
    (path / "script").write_text(script("zsh"))
    words = "words=(l2bridge-tui --theme=ansi); CURRENT=2"
    fakes = "compdef() { : }; compadd() { print -l -- $values }"
    assert run("zsh", f"{fakes}; source {path}/script; {words}; _l2bridge_tui") == [
        "--theme=ansi-dark",
        "--theme=ansi-light",
    ]


def test_fish_completes(path: Path) -> None:
    (path / "script").write_text(script("fish"))
    told = run("fish", f"source {path}/script; complete -C 'l2bridge-tui jour'")
    assert told == [f"journal\t{VERBS['journal']}"]


def test_kubectl_completes(path: Path) -> None:
    assert run("bash", "kubectl_complete-l2bridge explain route-q") == [
        answer(["explain", "route-q"]).text.splitlines()[0],
        ":4",
    ]
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    assert run("bash", "kubectl __complete l2bridge jour 2>/dev/null")[0].startswith("journal")


def test_the_verb_prints_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in SHELLS:
        assert main(["completion", shell]) == 0
        assert capsys.readouterr().out == script(shell)
    assert main(["completion", "tcsh"]) == 2
    assert "bash" in capsys.readouterr().err
