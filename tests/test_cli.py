"""The command line from outside: arguments, streams, exit codes, signals, terminals."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.terminal import LIMIT_S, Terminal
from tui import __version__
from tui.cli import main
from tui.settings import load_settings
from tui.wiring import open_session, settled


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the program a machine on which nobody has configured anything."""
    for name in list(os.environ):
        if name.startswith(("L2BRIDGE_", "AWS_", "XDG_", "KUBE", "GOOGLE_", "AZURE_", "CLOUDSDK_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("L2BRIDGE_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def program(*arguments: str, **changes: str) -> tuple[list[str], Mapping[str, str]]:
    """Return the command and the environment of a process."""
    return [sys.executable, "-m", "tui", *arguments], {**os.environ, **changes}


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command, environ = program(*arguments, **changes)
    return subprocess.run(
        command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


# Arguments.


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["chek"], "'chek' is no verb: did you mean check?"),
        (["fix-it"], "'fix-it' is no verb: there are check, plan, apply"),
        (["plan", "--wait"], "unrecognized arguments: --wait"),
        (
            ["explain", "route-mising"],
            "no finding code 'route-mising', did you mean route-missing or route-table-missing?",
        ),
        (["--demo", "explain", "zap"], "there is no finding code 'zap': l2bridge-tui explain lists them"),
        (["explain", "route-missing", "win-1"], "unrecognized arguments: win-1"),
        (["check", "--timeout", "5m"], "--timeout belongs to --wait"),
        (["check", "--wait", "--timeout", "soon"], "must be a length of time such as 90s, 10m or 1h30m, not 'soon'"),
        (["watch", "--ui", "win-1"], "watch --ui shows all nodes: name none"),
        (["--demo", "watch", "--ui"], "the console needs a terminal"),
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["check", "\x1b[2J", "--\x1b[2J"], "unrecognized arguments: --\\x1b[2J"),
        (["--dem", "check"], "unrecognized arguments: --dem"),
        (["check", "-o", "yaml"], "argument -o/--output: invalid choice: 'yaml' (choose from 'text', 'json')"),
        (["check", "--context"], "argument --context: expected one argument"),
        (["check", "--cloud", "ec2"], "--cloud must be one of auto, aws, gce, azure, none, not 'ec2'"),
        (["check", "--azure-subscription", "prod"], "--azure-subscription must be a subscription's id such as 0000"),
        (
            ["check", "--azure-resource-group", "a/b"],
            "--azure-resource-group must be a resource group's name, not 'a/b'",
        ),
        (["check", "--azure-route-table", "g/t"], "--azure-route-table must be a route table's name, not its id"),
        (["--demo", "check", "--max-changes", "-1"], "--max-changes"),
        (["--demo=nowhere", "check"], "there is no demo scenario 'nowhere'; there are mixed, "),
        (["--demo=list", "check"], "--demo=list stands alone"),
        (["--demo", "-o", "json"], "-o belongs to a verb"),
        (["--demo"], "the console needs a terminal; without one use a verb, such as l2bridge-tui check"),
        (["--demo", "apply"], "apply asks before it writes, and there is no terminal to ask on"),
        (["--demo", "apply", "--yes", "--read-only"], "apply writes, and --read-only forbids it"),
        (["--demo", "apply", "--plan", "x", "node"], "a saved plan is applied whole"),
        (["--demo", "apply", "--plan", "x", "--prune"], "a saved plan is applied whole"),
        (["--demo", "apply", "--plan", "x", "--delete-first"], "a saved plan is applied whole"),
        (["--demo", "check", "--prune"], "unrecognized arguments: --prune"),
        (["--demo", "apply", "--plan", "missing.json"], "the saved plan missing.json cannot be read"),
        (["--demo", "check", "--config", "missing.toml"], "the config file missing.toml does not exist"),
        (["--demo", "check", "nobody"], "there is no node 'nobody' in demo-mixed"),
        (["--demo", "check", "--log-file", "/no/such/folder/log"], "/no/such/folder/log cannot be written: No such"),
        (["check", "--kubeconfig", "/no/such/kubeconfig"], "/no/such/kubeconfig"),
    ],
)
def test_a_usage_error_is_one_sentence_and_a_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("l2bridge-tui: ")
    assert sentence in err


def test_version_and_help_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"l2bridge-tui {__version__}\n"
    assert main(["check", "--version"]) == 0
    for arguments in (["--help"], ["check", "--help"], ["apply", "-h"], ["--demo", "plan", "--help"]):
        assert main(arguments) == 0
        assert "--cluster-cidr CIDR" in capsys.readouterr().out


def test_kubectl_finds_its_plugin_under_its_own_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/kubectl-l2bridge", "--help"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("usage: kubectl l2bridge [OPTION...]")
    assert main(["--demo=aws", "check"]) == 1
    assert ": kubectl l2bridge --demo=aws plan\n" in capsys.readouterr().out


def test_the_scenarios_have_names_and_descriptions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--demo=list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("mixed            three clouds")
    assert len(lines) > 5


@pytest.mark.parametrize(
    "arguments",
    [
        ["--demo", "check", "-o", "json", "aws-linux-1"],
        ["check", "--demo", "aws-linux-1", "-o", "json"],
        ["-o", "json", "--demo=mixed", "check", "aws-linux-1"],
        ["-o", "text", "--demo=aws", "check", "aws-linux-1", "--demo", "-o=json"],
        ["check", "--demo", "--output=json", "--", "aws-linux-1"],
    ],
)
def test_options_stand_before_or_after_the_verb(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert [node["name"] for node in json.loads(capsys.readouterr().out)["nodes"]] == ["aws-linux-1"]


def test_names_stand_between_options_and_repeated_options_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = ["--cluster-cidr", "10.42.0.0/16"], ["--cluster-cidr", "10.43.0.0/16", "-o", "json"]
    assert main([*before, "check", "linux-1", *after, "linux-2", "--demo=aws"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["cluster"]["podCIDRs"] == ["10.42.0.0/16", "10.43.0.0/16"]
    assert [node["name"] for node in document["nodes"]] == ["linux-1", "linux-2"]


def test_the_environment_counts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("L2BRIDGE_READ_ONLY", "1")
    assert main(["--demo=aws", "apply", "--yes"]) == 2
    monkeypatch.setenv("L2BRIDGE_READ_ONLY", "0")
    assert main(["--demo=aws", "apply", "--yes", "linux-3"]) == 0
    assert "1 applied" in capsys.readouterr().out


def test_options_of_a_context_hold_for_verbs_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "my.toml"
    config.write_text('max-changes = 40\n[contexts."demo-aws"]\nmax-changes = 1\nascii = true\n')
    assert main(["--demo=aws", "--config", str(config), "apply", "--yes"]) == 2
    told = capsys.readouterr()
    assert "--max-changes" in told.err
    assert (told.out + told.err).isascii()
    assert main(["--demo=aws", "--config", str(config), "apply", "--yes", "--max-changes", "9"]) == 0


def test_what_holds_for_a_context_meets_no_other_one_that_becomes_current_meanwhile(tmp_path: Path) -> None:
    kubeconfig, config = tmp_path / "kubeconfig", tmp_path / "my.toml"
    text = """
        current-context: lab
        contexts: [{name: lab, context: {cluster: c}}, {name: prod, context: {cluster: c}}]
        clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
    """
    kubeconfig.write_text(text)
    config.write_text("[contexts.prod]\nread-only = true\n")
    settings = settled(load_settings({"kubeconfig": str(kubeconfig), "config": str(config)}, {}))
    kubeconfig.write_text(text.replace("current-context: lab", "current-context: prod"))
    session = open_session(settings)
    session.close()
    assert (session.cluster.context, session.read_only) == ("lab", False)


def test_a_context_can_be_read_only_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.toml").write_text('[contexts."demo-a*"]\nread-only = true')
    monkeypatch.setenv("L2BRIDGE_CONFIG", str(tmp_path / "my.toml"))
    assert main(["--demo=aws", "apply", "--yes"]) == 2
    assert "apply writes, and --read-only forbids it, or the config file for this context" in capsys.readouterr().err
    assert main(["--demo=gce", "apply", "--yes"]) == 0


@pytest.mark.parametrize("verb", ["apply", "undo"])
def test_nothing_is_written_in_a_protected_context_before_its_name_was_typed(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--demo=aws", "apply", "--yes", "linux-3"]) == 0
    monkeypatch.setenv("L2BRIDGE_PROTECTED", "demo-*")
    for consent in ([], ["--yes"]):
        assert main(["--demo=aws", verb, *consent]) == 2
        assert f"the context demo-aws is protected: {verb} wants its name typed" in capsys.readouterr().err
    for typed, code in (("y", 1), ("demo-aws", 0)):
        terminal = Terminal("--demo=aws", verb, whole=True)
        try:
            terminal.wait_for("Type the context's name, demo-aws, to apply it:")
            terminal.type(f"{typed}\n")
            assert terminal.end() == code, terminal.seen
        finally:
            terminal.kill()


# Processes.


def test_a_plan_made_by_one_process_is_applied_by_another(isolated: Path) -> None:
    path = str(isolated / "plan.json")
    made = run("--demo=aws", "plan", "-o", "json", "--out", path)
    assert (made.returncode, len(json.loads(made.stdout)["changes"])) == (1, 2)
    applied = run("--demo=aws", "apply", "--plan", path, "-o", "json")
    assert applied.returncode == 0, applied.stderr
    assert json.loads(applied.stdout)["summary"]["applied"] == 2
    (journal,) = (isolated / "state" / "journal").iterdir()
    assert journal.stat().st_mode & 0o777 == 0o600


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    script = (
        "import sys, tui.cli, tui.verbs, tui.clouds; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"textual", "rich", "kubernetes", "boto3", "botocore", "google", "azure", "msgspec", "urllib3", "yaml"}
    assert heavy.isdisjoint(loaded)
    script = "import sys, tui.cli; tui.cli.main(['--version']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert {"tui.engine.session", "tui.verbs", "tui.ports", "tui.screen.app", "tomllib", "logging"}.isdisjoint(loaded)


def test_the_demo_loads_no_sdk_and_opens_no_socket() -> None:
    script = (
        "import sys; sys.addaudithook(lambda event, _: event == 'socket.connect' and sys.exit('a socket was opened'))\n"
        "import tui.cli; tui.cli.main(['--demo', 'check', '-o', 'json']); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    json.loads(done.stdout)
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert {"textual", "kubernetes", "boto3", "google", "azure"}.isdisjoint(loaded)


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command, environ = program("--demo=large", "check", "-o", "json")
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "{\n"
        process.stdout.close()
        told = process.stderr.read()
    assert (process.returncode, told) == (1, "")


def test_output_that_cannot_be_written_is_no_success() -> None:
    command, environ = program("--demo=healthy", "check")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, env=environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "the standard output cannot be written (No space left on device)" in done.stderr


def test_an_apply_whose_result_nobody_can_read_was_still_an_apply(isolated: Path) -> None:
    command, environ = program("--demo=aws", "apply", "--yes", "linux-3")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, env=environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    assert "No space left on device); the journal has the outcomes" in done.stderr


def test_closed_streams_are_survived() -> None:
    command, environ = program("--demo=aws", "check")
    script = f"exec {' '.join(command)} >&- 2>&- <&-"
    assert subprocess.run(["bash", "-c", script], env=environ, timeout=LIMIT_S, check=False).returncode == 1


def test_what_the_terminal_cannot_encode_is_escaped() -> None:
    done = run("--demo=hostile", "check", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout.isascii()) == (3, True)
    assert "\\u7bc0\\u70b9" in done.stdout
    done = run("--demo=mixed", "check", "azure-linux-2", "--ascii", PYTHONIOENCODING="utf-8")
    assert done.stdout.isascii()
    assert " -> 10.240.0.4)" in done.stdout


def test_a_log_file_is_private_and_appended_to(isolated: Path) -> None:
    path = isolated / "log"
    assert run("--demo=healthy", "check", "--log-file", str(path)).returncode == 0
    assert path.stat().st_mode & 0o777 == 0o600


def kubeconfig(folder: Path, port: int) -> str:
    """Return a kubeconfig for a server on this port."""
    path = folder / "kubeconfig"
    path.write_text(f"""
apiVersion: v1
kind: Config
current-context: lab
contexts: [{{name: lab, context: {{cluster: lab, user: me}}}}]
clusters: [{{name: lab, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: me, user: {{token: t}}}}]
""")
    return str(path)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_an_observation(number: signal.Signals, code: int, isolated: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # it will accept, and then say nothing
        server.settimeout(LIMIT_S)
        command, environ = program("check", "--kubeconfig", kubeconfig(isolated, server.getsockname()[1]))
        with subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            connection, _ = server.accept()
            connection.recv(1)
            process.send_signal(number)
            out, err = process.communicate(timeout=LIMIT_S)
            connection.close()
    assert (process.returncode, out, err) == (code, "", "interrupted\n")


def test_a_server_that_is_not_there_is_no_proof_of_health(isolated: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = run("check", "-o", "json", "--kubeconfig", kubeconfig(isolated, port))
    assert done.returncode == 3
    assert json.loads(done.stdout)["sources"][0]["state"] == "unavailable"
    assert "Traceback" not in done.stderr


# Terminals.


APPLY = ("--demo=aws", "apply", "linux-3")


@pytest.mark.parametrize(
    ("arguments", "answer", "code"),
    [
        (APPLY, "y\n", 0),
        (APPLY, "\n", 1),
        (APPLY, "yup\n", 1),
        (APPLY, "\x04", 1),
        (("--demo=aws", "apply", "--max-changes", "1"), "demo-aws\n", 0),
        (("--demo=aws", "apply", "--max-changes", "1"), "y\n", 1),
        (("--demo=aws", "apply", "--max-changes", "1"), "\n", 1),
    ],
)
def test_only_a_clear_yes_applies(arguments: Sequence[str], answer: str, code: int, isolated: Path) -> None:
    terminal = Terminal(*arguments)
    many = "--max-changes" in arguments
    terminal.wait_for("Type the context's name, demo-aws, to apply it: " if many else "Apply it to demo-aws? [y/N] ")
    terminal.type(answer)
    assert terminal.end() == code
    assert ("Nothing was changed." in terminal.seen) == (code == 1)
    assert (isolated / "state").exists() == (code == 0)


def test_what_was_typed_before_the_question_is_no_answer(isolated: Path) -> None:
    terminal = Terminal(*APPLY, typed="y\n")
    terminal.wait_for("[y/N] ")
    terminal.type("\n")
    assert terminal.end() == 1
    assert not (isolated / "state").exists()


def test_an_interrupt_at_the_question_is_no_answer(isolated: Path) -> None:
    terminal = Terminal(*APPLY)
    terminal.wait_for("[y/N] ")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert not (isolated / "state").exists()


def test_a_saved_plan_is_asked_about_on_a_terminal(isolated: Path) -> None:
    path = str(isolated / "plan.json")
    run("--demo=aws", "plan", "--out", path)
    terminal = Terminal("--demo=aws", "apply", "--plan", path)
    terminal.wait_for("[y/N] ")
    terminal.type("n\n")
    assert terminal.end() == 1


def test_a_terminal_that_hangs_up_ends_an_apply_that_waits_for_an_answer(isolated: Path) -> None:
    terminal = Terminal(*APPLY)
    terminal.wait_for("[y/N] ")
    terminal.process.send_signal(signal.SIGHUP)
    assert terminal.end() == 129
    assert not (isolated / "state").exists()


@pytest.mark.parametrize(("whole", "term"), [(True, "dumb"), (False, "xterm-256color")])
def test_the_console_needs_a_terminal_that_can_draw(whole: bool, term: str) -> None:
    terminal = Terminal("--demo", whole=whole, TERM=term)
    assert terminal.end() == 2
    assert terminal.seen.strip() == (
        "l2bridge-tui: the console needs a terminal; without one use a verb, such as l2bridge-tui check"
    )
