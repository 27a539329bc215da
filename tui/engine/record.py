"""The story of a watch on disk: a restarted one goes on with it, and it can be played again.

One file of JSON lines per cluster, mode 0600, of bounded size, and the one before it (``.old.jsonl``): a line per
report in which something happened, with what was new in it. What is lost with the machine is the last seconds at most.
May import ports and model.
"""

import fcntl
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tui.model.finding import Activity, Report
from tui.model.pairing import paired
from tui.model.record_document import (
    Document,
    activity_document,
    activity_from,
    race_document,
    race_from,
    story_document,
    story_from,
)
from tui.model.rollout import Race, Rollout, Story
from tui.ports import Misconfigured

VERSION = 1
MOST_BYTES = 16 << 20
"""A file that is larger is written anew, with what is known now."""
_ENOUGH = 4
"""How much larger than what is known now a file is worth being, however much that is."""
_GOES_ON = timedelta(hours=12)
"""How long a watch may have been interrupted for its story to go on."""


@dataclass(slots=True)
class Page:
    """What a record has told up to one of its lines. ``news`` are the events of that line, oldest first.

    It changes as further lines are read. ``activity`` are the newest events.
    """

    context: str
    began_at: datetime
    at: datetime
    activity: deque[Activity]
    stories: dict[str, Story] = field(default_factory=dict)
    races: tuple[Race, ...] = ()
    news: tuple[Activity, ...] = ()

    def turn(self, line: Mapping[str, Any]) -> None:
        """Take a line in. Raises ``ValueError``, ``KeyError`` and ``TypeError`` for one that is none."""
        self.at = datetime.fromisoformat(line["at"])
        self.stories.update((story.uid, story) for story in map(story_from, line["stories"]))
        for uid in line["forgotten"]:
            self.stories.pop(uid, None)
        self.races = self.races if line["races"] is None else tuple(map(race_from, line["races"]))
        self.news = tuple(map(activity_from, line["activity"]))
        self.activity.extend(self.news)

    def rollout(self) -> Rollout:
        """Return what had become of the nodes by then."""
        stories = dict(self.stories)
        pairs = paired(stories.values())
        return Rollout(began_at=self.began_at, listed=True, stories=stories, races=self.races, pairs=pairs)


def read_record(path: Path, limit: int) -> Iterator[Page]:
    """Yield the page after each line of a record, with at most ``limit`` events on it. Raises ``Misconfigured``.

    A torn last line is left out.
    """
    page: Page | None = None
    number = 0
    try:
        with path.open("rb") as file:
            for line in file:
                number += 1
                if not line.endswith(b"\n"):
                    break
                told = json.loads(line)
                if told["type"] == "began":
                    page = _first(told, limit)
                elif page is None:
                    raise ValueError("it does not begin as a record does")
                else:
                    page.turn(told)
                    yield page
    except OSError as error:
        raise Misconfigured(f"the record {path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"{path} is no record of a watch: line {number}: {error}") from error
    if page is None:
        raise Misconfigured(f"{path} is no record of a watch: it is empty")


def _first(told: Mapping[str, Any], limit: int) -> Page:
    if told["version"] != VERSION:
        raise ValueError(f"its version is {told['version']}, and this program reads {VERSION}")
    at = datetime.fromisoformat(told["at"])
    return Page(context=told["context"], began_at=at, at=at, activity=deque(maxlen=limit))


class Record:
    """The record of one cluster, kept by one process at a time: ``kept`` is False where another one keeps it.

    For one thread. ``failed`` is called with a sentence when it cannot be kept any further; ``anew`` forgets what it
    told.
    """

    def __init__(self, path: Path, context: str, *, anew: bool = False, most_bytes: int = MOST_BYTES) -> None:
        self.path = path
        self.failed: Callable[[str], None] = lambda _: None
        self.kept = False
        self._context = context
        self._most_bytes = most_bytes
        self._anew = anew
        self._descriptor: int | None = None
        self._enough = most_bytes
        self._last: Rollout | None = None

    def go_on(self, now: datetime, limit: int) -> Page | None:
        """Begin to keep the record; return what it tells, None where nothing is gone on with."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open()
            page = None if self._anew else _newest(self.path, limit)
            if page is not None and timedelta() <= now - page.at <= _GOES_ON:
                self._last = Rollout(began_at=page.began_at, listed=True, stories=dict(page.stories), races=page.races)
                os.ftruncate(self._sure(), _whole_bytes(self.path))
                return page
            if not self._anew and self.path.stat().st_size:
                self.path.replace(self.path.with_suffix(".old.jsonl"))
                self.close()
                self._open()
            os.ftruncate(self._sure(), 0)
        except BlockingIOError:
            self.close()
            self.failed("another watch on this machine keeps the record of this cluster: this one keeps none")
        except OSError as error:
            self._give_up(error)
        return None

    def add(self, report: Report, news: Sequence[Activity]) -> None:
        """Keep what is new in a report."""
        rollout = report.rollout
        if not self.kept or rollout is None or not rollout.listed:
            return
        try:
            line = _line(self._last, rollout, news, report.snapshot.taken_at)
            if line is not None:
                if self._last is None:
                    self._write([self._began(rollout)])
                self._write([line])
            self._last = rollout
            if os.fstat(self._sure()).st_size > self._enough:
                self._write_anew(rollout, report)
        except OSError as error:
            self._give_up(error)

    def _open(self) -> None:
        """Take the file. Raises ``BlockingIOError`` when another process has it, and any other ``OSError``."""
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.kept = True

    def close(self) -> None:
        """Let another process keep it."""
        self.kept = False
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _began(self, rollout: Rollout) -> Document:
        return {"version": VERSION, "type": "began", "at": rollout.began_at.isoformat(), "context": self._context}

    def _write_anew(self, rollout: Rollout, report: Report) -> None:
        """Leave out what was overtaken. Whatever happens meanwhile, the file is the old one or the new one."""
        line = _line(None, rollout, report.activity, report.snapshot.taken_at)
        text = _text([self._began(rollout), *([line] if line else [])])
        draft = self.path.with_suffix(".new")
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write_all(descriptor, text)
        draft.replace(self.path)
        os.close(self._sure())
        self._descriptor = descriptor
        self._enough = max(self._most_bytes, _ENOUGH * len(text))

    def _write(self, documents: Iterable[Document]) -> None:
        _write_all(self._sure(), _text(documents))

    def _sure(self) -> int:
        if self._descriptor is None:
            raise OSError(0, "it is closed")
        return self._descriptor

    def _give_up(self, error: OSError) -> None:
        self.close()
        self.failed(f"the record {self.path} cannot be written ({error.strerror}): this watch will not be gone on with")


def _newest(path: Path, limit: int) -> Page | None:
    """Return the last page; None where there is none that can be read."""
    page = None
    try:
        for page in read_record(path, limit):  # noqa: B007 - the last one is wanted
            pass
    except Misconfigured:
        return None
    return page


def _whole_bytes(path: Path) -> int:
    """Return how much of the file are whole lines."""
    text = path.read_bytes()
    return text.rfind(b"\n") + 1


def _line(before: Rollout | None, after: Rollout, news: Sequence[Activity], at: datetime) -> Document | None:
    """Return what is new; None when nothing is."""
    known = {} if before is None else before.stories
    stories = [story_document(story) for uid, story in after.stories.items() if known.get(uid) is not story]
    forgotten = [uid for uid in known if uid not in after.stories]
    races = (
        None if before is not None and before.races == after.races else [race_document(race) for race in after.races]
    )
    if not (stories or forgotten or races or news):
        return None
    return {
        "type": "told",
        "at": at.isoformat(),
        "activity": [activity_document(activity) for activity in news],
        "stories": stories,
        "forgotten": forgotten,
        "races": races,
    }


def _text(documents: Iterable[Document]) -> bytes:
    return b"".join(json.dumps(document, separators=(",", ":")).encode() + b"\n" for document in documents)


def _write_all(descriptor: int, text: bytes) -> None:
    left = memoryview(text)
    while left:
        left = left[os.write(descriptor, left) :]
