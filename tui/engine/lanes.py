"""Which pieces of a plan are written side by side: few at once, never two in one lane, each after what it needs.

A lane is what takes one write at a time: a route table, the subnets of one account, a VM. May import the model only.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from tui.model.change import AssociateRouteTable, Change, SetForwarding

Piece = Sequence[Change]
"""Changes that are written together, or a single one."""


class Lanes:
    """The pieces of one plan on their way, in its order. ``pieces`` rely on earlier ones only."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._waiting = [(piece, lanes(piece)) for piece in pieces]
        self._busy: set[str] = set()
        """The lanes of the pieces under way."""
        self._under_way: set[str] = set()
        """The ids of their changes."""
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def run(self, work: Callable[[Piece], None], *, width: int) -> None:
        """Do the work on every piece, on up to ``width`` of them at once, and return when all is done.

        The calling thread takes part. After an exception no further piece begins; it is raised when those under way
        have ended.
        """
        helping = min(width, len(self._waiting)) - 1
        # Started before anything is written, and no daemons: the process does not end between a write and its record.
        threads = [threading.Thread(target=self._work, args=(work,), name="apply") for _ in range(helping)]
        for thread in threads:
            thread.start()
        self._work(work)
        for thread in threads:
            thread.join()
        if self._error is not None:
            raise self._error

    def _work(self, work: Callable[[Piece], None]) -> None:
        while (taken := self._next()) is not None:
            piece, places = taken
            try:
                work(piece)
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that called
                self._error = self._error or error
            with self._changed:
                self._busy -= places
                self._under_way -= _ids(piece)
                self._changed.notify_all()

    def _next(self) -> tuple[Piece, frozenset[str]] | None:
        """Return the first piece that can begin, waiting for it; None when nothing begins any more."""
        with self._changed:
            while self._waiting and self._error is None:
                ready = next(self._ready(), None)
                if ready is not None:
                    piece, places = self._waiting.pop(ready)
                    self._busy |= places
                    self._under_way |= _ids(piece)
                    return piece, places
                self._changed.wait()
            return None

    def _ready(self) -> Iterator[int]:
        """Yield the positions of pieces that nothing earlier holds up."""
        taken, unfinished = set(self._busy), set(self._under_way)
        for number, (piece, places) in enumerate(self._waiting):
            if taken.isdisjoint(places) and unfinished.isdisjoint(_needed(piece)):
                yield number
            taken |= places
            unfinished |= _ids(piece)


def lanes(piece: Piece) -> frozenset[str]:
    """Return the lanes that a piece needs for itself."""
    return frozenset(lane for change in piece for lane in _of(change))


def _of(change: Change) -> Iterator[str]:
    if isinstance(change, SetForwarding):
        yield change.subject
        return
    yield change.table.lower()  # ARM ids differ in the case of letters
    if isinstance(change, AssociateRouteTable):  # subnets of one VNet are changed one after the other
        yield f"subnets of {change.source}"


def _ids(piece: Piece) -> set[str]:
    return {change.id for change in piece}


def _needed(piece: Piece) -> set[str]:
    return {id_ for change in piece for id_ in change.depends_on}
