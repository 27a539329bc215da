"""Real processes that are killed while they apply, over HTTP, and what the next one makes of what they left behind.

A moment is what a process would leave behind if it died now: the journal's content and what stands in the cloud. Dying
twice in the same moment is the same death.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tui.cli import main

Json = dict[str, Any]

_SETTLED = timedelta(minutes=11)


class Place(ABC):
    """A cluster and its cloud, as their owner sees them. ``state`` is the folder of the journal."""

    def __init__(self, state: Path) -> None:
        self.state = state

    @abstractmethod
    def watch(self, victim: "Victim") -> None:
        """Let the victim be asked before a call is served, and again before its answer is sent."""

    @abstractmethod
    def standing(self) -> Json:
        """Return all that a change could change, by kind and name; equal when it was restored."""

    @abstractmethod
    def routes(self) -> Counter[tuple[str, str, str]]:
        """Count routes by table, destination and next hop."""

    @abstractmethod
    def steps(self, change: Json) -> list[bool]:
        """Tell of each step of a change, as the journal writes it, whether it is in place."""

    @abstractmethod
    def settle(self) -> None:
        """Let the cloud end all that it has accepted."""

    @property
    def journal(self) -> Path:
        """The journal's file, whether there is one yet or not."""
        return next((self.state / "journal").glob("*.jsonl"), self.state / "none")

    def entries(self) -> list[Json]:
        """Return the journal's entries. Raises for a line that is damaged."""
        return [json.loads(line) for line in self.journal.read_text().splitlines()]

    def age(self) -> None:
        """Let the journal be as old as it must be for every absence to be certain."""
        entries = self.entries()
        for entry in entries:
            earlier = datetime.fromisoformat(entry["at"]) - _SETTLED
            entry["at"] = earlier.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.journal.write_text("".join(json.dumps(entry) + "\n" for entry in entries))


class Victim:
    """An apply in a process of its own, killed once ``passed`` moments have passed since it first meant to write."""

    def __init__(self, place: Place, words: Sequence[str], passed: int) -> None:
        self._place = place
        self._left = passed
        self.taken = 0
        self._moment: object = None
        self._lock = threading.Lock()
        place.watch(self)
        command = [sys.executable, "-m", "tui", "apply", "--yes", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said, _ = self.process.communicate(timeout=60)
        self.survived = self.process.returncode != -signal.SIGKILL
        assert not self.survived or self.process.returncode == 0, self.said

    def dies(self, *, taken: bool) -> bool:
        """Tell whether it dies in this moment; ``taken`` when the cloud has taken a write from it right now."""
        with self._lock:
            if self.process.returncode is not None:
                return False
            self.taken += taken
            try:
                journal = self._place.journal.read_bytes()
            except FileNotFoundError:
                return False
            moment = (journal, self._place.standing(), self.taken)
            if b'"type":"intent"' not in journal or moment == self._moment:
                return False
            self._moment = moment
            self._left -= 1
            if self._left >= 0:
                return False
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            return True


class Aftermath:
    """What stands after a death, against what stood ``before`` it and what was ``planned``."""

    def __init__(self, place: Place, before: Json, planned: Sequence[Json], capsys: pytest.CaptureFixture[str]) -> None:
        self._place = place
        self._before = before
        self._planned = planned
        self._capsys = capsys

    def assert_nothing_was_written_before_it_was_said(self) -> None:
        said = {change["id"] for change in self._intents()}
        for change in self._planned:
            assert change["id"] in said or not any(self._place.steps(change))
        assert max(self._place.routes().values()) == 1

    def assert_the_truth_is_told(self) -> None:
        """Once at once, once after the cloud has ended what it has accepted, and once when that is certain."""
        self._assert_told(", which may still change")
        self._place.settle()
        self._assert_told(", which may still change")
        self._place.age()
        self._assert_told("")

    def assert_it_goes_back(self) -> None:
        assert self.run("undo", "--yes") == 0
        assert self._place.standing() == self._before
        self._capsys.readouterr()
        self.run("check")
        assert "cut off" not in self._capsys.readouterr().err

    def assert_it_goes_on(self, *words: str) -> None:
        assert self.run("apply", "--yes", *words) == 0
        for change in self._planned:
            assert all(self._place.steps(change))
        assert max(self._place.routes().values()) == 1
        self._capsys.readouterr()
        assert self.run("apply", "--yes", *words) == 0
        assert "Nothing to do" in self._capsys.readouterr().out

    def run(self, *words: str) -> int:
        return main(list(words))

    def _intents(self) -> list[Json]:
        return [entry["change"] for entry in self._place.entries() if entry["type"] == "intent"]

    def _assert_told(self, doubt: str) -> None:
        ended = {entry["change"] for entry in self._place.entries() if entry["type"] == "outcome"}
        self._capsys.readouterr()
        self.run("check")
        told = self._capsys.readouterr().err.splitlines()
        for change in self._intents():
            lines = [line for line in told if f" of {change['subject']} " in f"{line.partition(':')[0]} "]
            assert len(lines) == (change["id"] not in ended), told
            for line in lines:
                assert line.partition(": ")[2] == self._expected(change, doubt), line

    def _expected(self, change: Json, doubt: str) -> str:
        steps = self._place.steps(change)
        if all(steps):
            return "it is in place"
        if any(steps):
            return f"it is half done: create of {change['subject']} is in place, delete is not{doubt}"
        return f"it is not in place{doubt}"


Home = Callable[[Path], AbstractContextManager[Place]]
"""Makes a place in a folder of its own, and the environment in which the program finds it."""


def undisturbed(home: Home, folder: Path, words: Sequence[str]) -> list[Json]:
    """Return the changes of an apply that nobody kills."""
    with home(folder / "undisturbed") as place:
        assert Victim(place, words, 1000).survived
        return [entry["change"] for entry in place.entries() if entry["type"] == "intent"]


def die_at_every_moment(
    home: Home, folder: Path, words: Sequence[str], planned: Sequence[Json], capsys: pytest.CaptureFixture[str]
) -> None:
    """Let an apply die in its first moment, in a later one, and so on until it survives.

    Every third moment is one to die in, and with L2BRIDGE_EVERY_MOMENT in the environment every single one.

    There are more moments than writes; how many more depends on what was under way side by side. What it leaves behind
    is judged each time, and then taken to its end or taken back, by turns.
    """
    for passed in count(step=1 if os.environ.get("L2BRIDGE_EVERY_MOMENT") else 3):
        with home(folder / str(passed)) as place:
            before = place.standing()
            victim = Victim(place, words, passed)
            if victim.survived:
                assert passed > victim.taken > 0
                return
            aftermath = Aftermath(place, before, planned, capsys)
            aftermath.assert_nothing_was_written_before_it_was_said()
            aftermath.assert_the_truth_is_told()
            if passed % 2:
                aftermath.assert_it_goes_on(*words)
            else:
                aftermath.assert_it_goes_back()
    raise AssertionError("it never survived")
