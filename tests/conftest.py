"""Every test starts without the developer's own settings, and nothing in a test may leave this machine."""

import os
import signal
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

import pytest

_FOREIGN = (
    "AWS_",
    "AZURE_",
    "ARM_",
    "CLOUDSDK_",
    "GOOGLE_",
    "KUBE",
    "L2BRIDGE_",
    "SSH_",
    "TMUX",
    "TEXTUAL",
    "XDG_",
)
_ALSO_FOREIGN = frozenset({"NO_COLOR", "COLORTERM", "CLICOLOR_FORCE", "FORCE_COLOR", "COLUMNS", "LINES"})


@pytest.fixture(autouse=True)
def without_the_developers_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a home of the test's own, and an environment in which no tool finds anything else."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name in _ALSO_FOREIGN or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("PYTHONUTF8", "1")  # the pictures are the same whatever the locale


@pytest.fixture(autouse=True)
def on_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse connections that leave loopback, and fail the test that tried, whoever swallowed the refusal."""
    tried: list[str] = []
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and isinstance(address, tuple) and not _local(address[0]):
            tried.append(str(address))
            raise ConnectionRefusedError(f"a test tried to reach {address}")
        connect(self, address)  # type: ignore[arg-type] # passed on as it came

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield
    assert tried == []


@pytest.fixture(scope="session", autouse=True)
def with_signals_that_arrive() -> None:
    """Undo what nohup and background jobs leave behind: programs that tests start would ignore signals too."""
    for number, handler in ((signal.SIGHUP, _survive), (signal.SIGINT, signal.default_int_handler)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def _survive(number: int, frame: FrameType | None) -> None:
    """Go on, while programs that are started do not inherit it."""


def _local(host: object) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds ``tui`` and ``tests``."""
    return Path(__file__).resolve().parent.parent
