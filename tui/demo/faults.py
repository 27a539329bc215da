"""What can go wrong in the embedded world, on request: single errors, lost sources, calls that hang.

Holds what was asked for and knows nothing of the world; whoever uses it holds the world's lock. May import the ports.
"""

import threading
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from tui.model.node import Cloud
from tui.ports import PortError

KUBERNETES = "kubernetes"


class Call(StrEnum):
    """The calls of the ports."""

    LIST = "list"
    WATCH = "watch"
    FACTS = "facts"
    OBSERVE = "observe"
    READ = "read"
    WRITE = "write"
    IDENTITY = "identity"
    LOCK = "lock"
    POST = "post"
    PODS = "pods"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    call: Call
    cloud: Cloud | None
    error: PortError
    done: bool


class Faults:
    """What was asked for.

    ``lost`` are the sources that answer with an error, by name; ``held`` the calls that hang, with the event that tells
    of an arrival; ``calls`` counts. ``streams`` grows when the server closes all watches, ``stream_error`` is how.
    """

    def __init__(self) -> None:
        self.lost: dict[str, PortError] = {}
        self.held: list[tuple[Call, threading.Event]] = []
        self.calls: Counter[Call] = Counter()
        self.streams = 0
        self.stream_error: PortError | None = None
        self._waiting: list[_Fault] = []

    def add(self, call: Call, error: PortError, *, cloud: Cloud | None, times: int, done: bool) -> None:
        """Let the next calls of this kind fail; ``cloud`` None means whatever cloud they are about."""
        self._waiting.extend([_Fault(call=call, cloud=cloud, error=error, done=done)] * times)

    def arrive(self, call: Call) -> None:
        """Count the call, and tell those who hold it."""
        self.calls[call] += 1
        for held, arrived in self.held:
            if held is call:
                arrived.set()

    def holds(self, call: Call) -> bool:
        """Tell whether calls of this kind hang."""
        return any(held is call for held, _ in self.held)

    def take(self, call: Call, cloud: Cloud | None) -> tuple[PortError, bool] | None:
        """Return the error that this call ends with, and whether it takes effect nevertheless; None: it succeeds."""
        for fault in self._waiting:
            if fault.call is call and fault.cloud in {None, cloud}:
                self._waiting.remove(fault)
                return fault.error, fault.done and call is Call.WRITE
        return None
