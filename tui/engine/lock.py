"""One operator at a time: the cluster's lock is taken before an apply, renewed while it lasts, and given back.

The thread that renews lives here. What keeps changes right when there is no lock, or when it is lost, are the
preconditions of every write. May import ports and the model.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tui.model.lease import NEVER_HELD, Lease
from tui.model.text import printable
from tui.ports import Clock, ClusterLock, Conflict, Denied, Locked, PortError, Rejected

LASTS_S = 15.0
"""How long the lock counts after it was renewed: as long as those of Kubernetes' own controllers."""
RENEWED_EVERY_S = 5.0
GIVEN_UP_AFTER_S = 10.0
"""Without a renewal for this long nothing new is begun: somebody else may think soon that nobody is there."""
_LONGEST_LOOK_S = 60.0
_ATTEMPTS = 4


class Hold:
    """The lock in our hands for one apply, or the reason why there is none.

    ``unlocked`` says why the apply goes on without a lock, ``taken_from`` who held it and was put aside; None else.
    """

    def __init__(self, clock: Clock, *, unlocked: str | None = None, taken_from: str | None = None) -> None:
        self.unlocked = unlocked
        self.taken_from = taken_from
        self._clock = clock
        self._confirmed_s = clock.monotonic_s()
        self._lost: str | None = None

    def lost(self) -> str | None:
        """Say why nothing further may be begun; None while the lock is ours, or was never to be had."""
        if self.unlocked is not None or self._lost is not None:
            return self._lost
        silent_s = self._clock.monotonic_s() - self._confirmed_s
        return f"the lock was not renewed for {silent_s:.0f} s" if silent_s > GIVEN_UP_AFTER_S else None

    def confirm(self) -> None:
        """Record that the lock is ours as of now."""
        self._confirmed_s = self._clock.monotonic_s()

    def lose(self, why: str) -> None:
        """Record that it is not ours any more."""
        self._lost = why


class Locking:
    """Takes a cluster's lock for an apply. ``lock`` None: there is none to be had, and nothing is said about it.

    With ``force`` the lock is taken from whoever holds it.
    """

    def __init__(self, lock: ClusterLock | None, clock: Clock, *, force: bool) -> None:
        self._lock = lock
        self._clock = clock
        self._force = force

    @contextmanager
    def held(self, holder: str, *, gone: Callable[[str], bool], stop: threading.Event) -> Iterator[Hold]:
        """Hold the lock under this name inside of the block.

        ``gone`` tells of a holder that it is certainly not at work any more. ``stop`` ends the waiting for one that may
        not be. Raises ``Locked`` when somebody else holds it, and what the port raises but for a missing right.
        """
        if self._lock is None:
            yield Hold(self._clock, unlocked="")
            return
        try:
            lease, before = self._taken(self._lock, holder, gone, stop)
        except (Denied, Rejected) as error:
            yield Hold(self._clock, unlocked=f"without a lock, other operators are not kept out: {error}")
            return
        hold = Hold(self._clock, taken_from=before)
        renewal = _Renewal(self._lock, self._clock, hold, lease)
        with renewal.going_on():
            yield hold

    def _taken(
        self, lock: ClusterLock, holder: str, gone: Callable[[str], bool], stop: threading.Event
    ) -> tuple[Lease, str | None]:
        """Return the lock in our hands, and from whom it was taken by force."""
        for _ in range(_ATTEMPTS):
            standing = lock.read()
            before = None
            if standing is None:
                standing = NEVER_HELD
            elif not self._free(lock, standing, gone, stop):
                if not self._force:
                    raise Locked(_refusal(lock, standing))
                before = standing.holder
            with suppress(Conflict):  # somebody was faster: look again
                return lock.write(standing.passed_to(holder, self._clock.now(), lasts_s=LASTS_S)), before
        raise Locked(f"others take the {lock.place} again and again: wait for their end")

    def _free(self, lock: ClusterLock, standing: Lease, gone: Callable[[str], bool], stop: threading.Event) -> bool:
        """Tell whether nobody is at work. Where clocks differ, only a lock that stands still for its time is old."""
        if not standing.holder or gone(standing.holder):
            return True
        if self._force or standing.seems_alive(self._clock.now()):
            return False
        self._clock.wait(stop, min(standing.lasts_s, _LONGEST_LOOK_S))
        return not stop.is_set() and lock.read() == standing


class _Renewal:
    """Renews a lock in a thread of its own, and gives it back."""

    def __init__(self, lock: ClusterLock, clock: Clock, hold: Hold, lease: Lease) -> None:
        self._lock = lock
        self._clock = clock
        self._hold = hold
        self._lease = lease
        self._over = threading.Event()
        self._renewing = threading.Lock()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Renew inside of the block. A renewal that hangs is not waited for at its end."""
        threading.Thread(target=self._renew_on, name="lock", daemon=True).start()
        try:
            yield
        finally:
            self._over.set()
            self._give_back()

    def _renew_on(self) -> None:
        while not self._clock.wait(self._over, RENEWED_EVERY_S):
            with self._renewing:
                if self._over.is_set() or not self._renewed():
                    return

    def _renewed(self) -> bool:
        """Renew once; return whether it is worth another time."""
        try:
            self._lease = self._lock.write(self._lease.renewed(self._clock.now()))
        except Conflict:
            return self._still_ours()
        except PortError:
            return True  # the hold counts the seconds
        self._hold.confirm()
        return True

    def _still_ours(self) -> bool:
        """Look who changed it: our own renewal, whose answer was lost, or somebody who took it."""
        try:
            standing = self._lock.read()
        except PortError:
            return True
        if standing is not None and standing.holder == self._lease.holder:
            self._lease = standing
            return True
        other = printable(standing.holder) if standing is not None and standing.holder else "somebody"
        self._hold.lose(f"{other} has taken the lock over")
        return False

    def _give_back(self) -> None:
        """Free the lock for the next one; where that fails, it runs out by itself."""
        if self._hold.lost() is not None or not self._renewing.acquire(timeout=1):
            return
        with suppress(PortError):
            try:
                self._lock.write(self._lease.released(self._clock.now()))
            except Conflict:
                if self._still_ours():
                    self._lock.write(self._lease.released(self._clock.now()))
        self._renewing.release()


def _refusal(lock: ClusterLock, standing: Lease) -> str:
    since = f" since {standing.since:%Y-%m-%d %H:%M:%S} UTC" if standing.since is not None else ""
    return (
        f"{printable(standing.holder)} applies to this cluster{since} and holds the {lock.place}: "
        "wait for its end, or take over with --force-lock"
    )
