"""A process that is killed while it applies, and what the next one makes of it: over HTTP, with real processes."""

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.test_story import Cluster, cluster, ec2  # noqa: F401 - the fixtures
from tests.wire.ec2_rules import Call
from tui.cli import main

WRITE = "ModifyNetworkInterfaceAttribute"


class Victim:
    """An apply in a process of its own, killed with no chance to say anything as soon as ``fatal`` holds."""

    def __init__(self, cluster: Cluster, fatal: Callable[[Call, bool, int], bool]) -> None:  # noqa: F811
        self._fatal = fatal
        self._writes = 0
        cluster.ec2.watcher = self._watch
        self.process = an_apply()
        self.said, _ = self.process.communicate(timeout=60)
        cluster.ec2.watcher = lambda _, __: False

    def _watch(self, call: Call, done: bool) -> bool:
        self._writes += call.action == WRITE and done
        if not self._fatal(call, done, self._writes):
            return False
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return True


def an_apply() -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tui", "apply", "--yes"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def before_the_write(call: Call, done: bool, writes: int) -> bool:
    return call.action == WRITE and not done and writes == 0


def before_its_answer(call: Call, done: bool, writes: int) -> bool:
    return call.action == WRITE and done and writes == 1


def before_the_proof(call: Call, done: bool, writes: int) -> bool:
    return call.action != WRITE and not done and writes == 1


def before_the_judgement(call: Call, done: bool, writes: int) -> bool:
    """Hold once the intent is on disk: the first read of the one interface that is to be written."""
    del done
    return writes == 0 and any(name.startswith("NetworkInterfaceId") for name in call.parameters)


@pytest.mark.parametrize(
    ("fatal", "written"),
    [
        (before_the_judgement, False),
        (before_the_write, False),
        (before_its_answer, True),
        (before_the_proof, True),
    ],
)
def test_whenever_a_process_is_killed_the_next_one_tells_the_truth_and_can_go_on_or_back(
    cluster: Cluster,  # noqa: F811
    fatal: Callable[[Call, bool, int], bool],
    written: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    victim = Victim(cluster, fatal)
    assert victim.process.returncode == -signal.SIGKILL, victim.said
    assert [entry["type"] for entry in cluster.journal()] == ["began", "intent"]
    assert cluster.ec2.check(cluster.interface) is not written
    told = f"forwarding of {cluster.interface} (node broken): {'it is in place' if written else 'it is not in place'}"

    assert main(["check"]) == (0 if written else 1)
    assert told in capsys.readouterr().err
    assert main(["undo", "--yes"]) == 0
    out, err = capsys.readouterr()
    assert told in err
    assert ("1 applied." if written else "1 already-so.") in out
    assert cluster.ec2.check(cluster.interface) is True
    assert main(["apply", "--yes"]) == 0
    assert "cut off" not in capsys.readouterr().err
    assert cluster.ec2.check(cluster.interface) is False


def test_two_processes_do_not_apply_at_once(cluster: Cluster) -> None:  # noqa: F811
    ends: list[tuple[int, str]] = []

    def second_comes(call: Call, done: bool, writes: int) -> bool:
        if before_the_write(call, done, writes) and not ends:
            second = an_apply()
            said, _ = second.communicate(timeout=60)
            ends.append((second.returncode, said))
        return False

    first = Victim(cluster, second_comes)
    assert first.process.returncode == 0, first.said
    ((code, said),) = ends
    assert code == 4
    assert "another l2bridge-tui on this machine applies to this cluster: wait for its end" in said
    assert cluster.ec2.check(cluster.interface) is False
    assert cluster.ec2.count()[WRITE] == 1
