"""How far drains have come: while nodes are cordoned, the cluster is asked which pods are left on them.

May import ports, model and the observer.
"""

import threading
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from tui.engine.observer import Observer
from tui.model.node import Node
from tui.ports import Clock, PortError

_EVERY_S = 6.0
_DENIED_S = 300.0
"""Rights may be given while somebody watches."""
_MOST = 20
"""How many nodes are asked about in one go: an upgrade drains a few at a time."""


@runtime_checkable
class PodCounter(Protocol):
    """What a source of nodes also offers that can tell how far a drain has come."""

    def remaining(self, node: str) -> int | None:
        """Return how many pods a drain still has to move off a node (a name); None where that may not be seen.

        Raises as ``NodeSource.list``.
        """


class Drains:
    """Asks until it is closed; ``told`` is called when there is something newer."""

    def __init__(self, source: object, *, observer: Observer, clock: Clock, told: Callable[[], None]) -> None:
        self._source = source
        self._observer = observer
        self._clock = clock
        self._told = told
        self._closed = threading.Event()
        self._wanted = threading.Event()

    def touch(self, node: Node) -> None:
        """Something has happened to a node: ask now if it is being drained."""
        if not node.schedulable:
            self._wanted.set()

    def close(self) -> None:
        """End soon."""
        self._closed.set()
        self._wanted.set()

    def run(self) -> None:
        """Ask again and again until closed, rarely where the cluster does not let it be seen."""
        while not self._closed.is_set():
            if self.ask():
                self._clock.wait(self._wanted, _EVERY_S)
                self._wanted.clear()
            else:
                self._clock.wait(self._closed, _DENIED_S)

    def ask(self) -> bool:
        """Ask once about every node that is being drained; tell whether that may be seen."""
        if not isinstance(self._source, PodCounter):
            return False
        for node in self._observer.draining()[:_MOST]:
            try:
                number = self._source.remaining(node.name)
            except PortError:
                return True  # the watch tells that the server is lost; this is asked again
            if number is None:
                return False
            if self._observer.left_on(node, number):
                self._told()
        return True
