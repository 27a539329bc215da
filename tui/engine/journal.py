"""What was meant and what happened, on disk before and after every write.

One append-only file of JSON lines per cluster, mode 0600. An entry is on disk (fsync) when a method returns. A run that
was cut off leaves an intent without an outcome, and at most one torn last line. May import ports and model.
"""

import errno
import fcntl
import getpass
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tui.engine.files import cluster_file
from tui.engine.history import history
from tui.model.aftermath import Aftermath
from tui.model.change import Change
from tui.model.document import change_document, instant
from tui.model.history import RecordedApply
from tui.model.plan import Outcome, Plan, Status
from tui.model.snapshot import Cluster
from tui.ports import Clock, Locked, Misconfigured

VERSION = 1
_LOOKS = 5
_LOOK_S = 0.02


class Journal:
    """The journal of one cluster. Safe for several threads."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._writing = threading.Lock()

    @classmethod
    def of(cls, folder: Path, cluster: Cluster, clock: Clock) -> "Journal":
        """Return the journal of a cluster."""
        return cls(cluster_file(folder, "journal", cluster), clock)

    @contextmanager
    def reserved(self) -> Iterator[bool]:
        """Keep other processes of this machine from applying to the cluster meanwhile; the end of this one frees it.

        Yields whether that is sure: a few file systems keep nobody out. Raises ``Locked`` when another process
        applies, ``Misconfigured`` when the file cannot be written.
        """
        try:
            descriptor = self._open()
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            seized = self._seize(descriptor)
            if seized is False:
                raise Locked("another l2bridge-tui on this machine applies to this cluster: wait for its end")
            yield seized is True
        finally:
            os.close(descriptor)

    def applies(self) -> tuple[RecordedApply, ...]:
        """Return what earlier applies did, oldest first. Raises ``Misconfigured`` when the file cannot be read."""
        under_way = self._in_use()  # asked first: an apply that ends in between has its end in the file
        return history(self.entries(), version=VERSION, under_way=under_way)

    def began(self, run: str, plan: Plan, *, taken_from: str | None = None) -> None:
        """Record who begins which plan, and from whom the cluster's lock was taken by force.

        Raises ``Misconfigured`` when the folder cannot be written.
        """
        who = {
            "user": user(),
            "context": plan.cluster.context,
            "server": plan.cluster.server,
            "identities": {actor.source: actor.identity for actor in plan.actors},
        }
        fields = {"plan": plan.id, "changes": len(plan.changes), "undoes": plan.undoes, "who": who}
        self._append(run, "began", fields | {"lockTakenFrom": taken_from})

    def knows(self, run: str) -> bool:
        """Tell whether an apply of this id was begun with this journal."""
        return any(entry.get("apply") == run for entry in self.entries())

    def intent(self, run: str, change: Change) -> None:
        """Record what is about to be written, and why."""
        self._append(run, "intent", {"change": change_document(change)})

    def step(self, run: str, step: Change, status: Status) -> None:
        """Record how a step of a change that takes several has ended."""
        fields = {"change": step.id, "action": step.action.value, "subject": step.subject, "status": status.value}
        self._append(run, "step", fields)

    def outcome(self, run: str, outcome: Outcome) -> None:
        """Record what became of a change."""
        fields = {"change": outcome.change, "status": outcome.status.value, "message": outcome.message}
        self._append(run, "outcome", fields | {"seconds": round(outcome.seconds, 3)})

    def ended(self, run: str, counts: Mapping[str, int]) -> None:
        """Record the end of a run with its outcomes counted."""
        self._append(run, "ended", {"summary": dict(counts)})

    def found(self, aftermath: Aftermath) -> None:
        """Record what became of an apply that was cut off, and with that its end."""
        run = aftermath.apply.id
        for fate in aftermath.fates:
            if fate.outcome is not None:
                self.outcome(run, fate.outcome)
        self.ended(run, {})

    def entries(self) -> tuple[dict[str, object], ...]:
        """Return what the file holds, oldest first; empty without a file. Lines that are not whole are left out.

        Raises ``Misconfigured`` when the file cannot be read.
        """
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return ()
        except OSError as error:
            text = f"the journal {self.path} cannot be read ({error.strerror}): nothing is changed without it; "
            raise Misconfigured(text + "move it away, or set L2BRIDGE_STATE_DIR") from error
        found: list[dict[str, object]] = []
        for line in lines:
            try:
                entry: object = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                found.append(entry)
        return tuple(found)

    def _append(self, run: str, kind: str, fields: Mapping[str, object]) -> None:
        entry = {"version": VERSION, "at": instant(self._clock.now()), "apply": run, "type": kind} | dict(fields)
        line = json.dumps(entry, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        try:
            self._write(line)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> Misconfigured:
        text = f"the journal {self.path} cannot be written ({error.strerror}): nothing is changed without it; "
        return Misconfigured(text + "make room, or set L2BRIDGE_STATE_DIR")

    def _seize(self, descriptor: int) -> bool | None:
        """Return whether the file is this descriptor's now, as ``_locked``. Who only looks holds it for an instant."""
        never = threading.Event()
        for _ in range(_LOOKS):
            locked = _locked(descriptor, fcntl.LOCK_EX)
            if locked is not False:
                return locked
            self._clock.wait(never, _LOOK_S)
        return False

    def _in_use(self) -> bool:
        """Tell whether somebody applies now, in this process or in another one of this machine."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return _locked(descriptor, fcntl.LOCK_SH) is False
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        """Return a descriptor that appends; the file's name is durable then."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if fresh:
            _sync_folder(self.path.parent)
        return descriptor

    def _write(self, line: bytes) -> None:
        with self._writing:
            self._write_whole(line)

    def _write_whole(self, line: bytes) -> None:
        descriptor = self._open()
        try:
            if _torn(descriptor):
                line = b"\n" + line
            while line:
                line = line[os.write(descriptor, line) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool | None:
    """Return whether the lock was to be had; None where the file system has none, and nobody can be told to wait."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in {errno.EWOULDBLOCK, errno.EACCES} else None
    return True


def _torn(descriptor: int) -> bool:
    """Tell whether the file ends inside a line, as a run that lost power leaves it."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _sync_folder(folder: Path) -> None:
    """Make a new file's name durable as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def user() -> str:
    """Return who runs this program on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name for this uid, as in many containers
        return str(os.getuid())
