"""A kubeconfig's plugin that asks on the terminal: for a verb, before anything is drawn, and in an open console."""

import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tests.wire.kube import KubeServer, node_object

V1 = "client.authentication.k8s.io/v1"
PLUGIN = f"""#!{sys.executable}
import json, os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
if not json.loads(os.environ["KUBERNETES_EXEC_INFO"])["spec"]["interactive"]:
    sys.exit("nobody can be asked")
print("Password: ", end="", file=sys.stderr, flush=True)
token = input()
print(json.dumps({{"apiVersion": "{V1}", "kind": "ExecCredential", "status": {{"token": token}}}}))
"""


@pytest.fixture
def server() -> Iterator[KubeServer]:
    with KubeServer([node_object("node-a")], tls=True, authorizations=["Bearer good"]) as running:
        yield running


@pytest.fixture
def environment(server: KubeServer, tmp_path: Path) -> dict[str, str]:
    plugin = tmp_path / "ask-me"
    plugin.write_text(PLUGIN)
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    user = {"exec": {"apiVersion": V1, "command": str(plugin), "interactiveMode": "IfAvailable"}}
    path = server.kubeconfig(tmp_path / "config", user=user)
    told = {"KUBECONFIG": str(path), "L2BRIDGE_STATE_DIR": str(tmp_path / "state"), "HOME": str(tmp_path)}
    return told | {"COLUMNS": "100", "LINES": "30"}


def test_a_verb_lets_the_plugin_ask(environment: dict[str, str]) -> None:
    terminal = Terminal("check", "--cloud", "none", whole=True, **environment)
    try:
        terminal.wait_for("Password: ")
        terminal.type("good\n")
        assert terminal.end() in {0, 1, 3}
        assert "node-a" in terminal.seen
    finally:
        terminal.kill()


def test_the_console_asks_before_it_draws_and_again_when_the_login_is_over(
    server: KubeServer, environment: dict[str, str]
) -> None:
    terminal = Terminal("--cloud", "none", whole=True, **environment)
    try:
        terminal.wait_for("Password: ")
        assert "\x1b[?1049h" not in terminal.seen, "nothing is drawn yet"
        terminal.type("good\n")
        terminal.wait_for("node-a")
        server.authorizations = {"Bearer better"}
        terminal.type("\x12")  # ctrl+r
        terminal.wait_for(":login asks you for credentials again")
        terminal.wait_for("DENIED")
        log_in(terminal)
        os.killpg(terminal.process.pid, signal.SIGINT)
        terminal.wait_for("Not logged in")
        log_in(terminal)
        terminal.type("better\n")
        terminal.wait_for("Logged in")
        terminal.type("4")
        terminal.wait_for("answers again")
        terminal.type("q")
        assert terminal.end() == 0
    finally:
        terminal.kill()


def log_in(terminal: Terminal) -> None:
    """Ask for it by name, and see the plugin ask on a terminal that is its own."""
    terminal.seen = ""
    terminal.type(":")
    terminal.wait_for("COMMAND")
    terminal.type("login")
    terminal.wait_for("Log in to the cluster")
    terminal.type("\r")
    terminal.wait_for("Password: ")
    assert "\x1b[?1049l" in terminal.seen, "the console has left the screen"


def test_an_interrupt_before_the_console_ends_the_program(environment: dict[str, str]) -> None:
    terminal = Terminal("--cloud", "none", whole=True, **environment)
    try:
        terminal.wait_for("Password: ")
        os.killpg(terminal.process.pid, signal.SIGINT)
        assert terminal.end() == 130
        assert "Traceback" not in terminal.seen
    finally:
        terminal.kill()
