"""The lock of a cluster as everybody who applies to it sees it. Standard library only."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who holds a cluster's lock, as a Lease of ``coordination.k8s.io/v1`` says it.

    ``holder`` is empty when nobody does. ``since`` and ``renewed_at`` are by the holder's clock, None when the object
    does not say; the lock counts for ``lasts_s`` seconds after ``renewed_at``. ``transitions`` counts how often it
    passed from one to another. ``version`` is the object's concurrency token, empty for one that does not exist yet.
    """

    holder: str
    since: datetime | None
    renewed_at: datetime | None
    lasts_s: float
    transitions: int
    version: str

    def passed_to(self, holder: str, now: datetime, *, lasts_s: float) -> "Lease":
        """Return the lease in the hands of somebody else."""
        return replace(
            self, holder=holder, since=now, renewed_at=now, lasts_s=lasts_s, transitions=self.transitions + 1
        )

    def renewed(self, now: datetime) -> "Lease":
        """Return the lease confirmed by its holder."""
        return replace(self, renewed_at=now)

    def released(self, now: datetime) -> "Lease":
        """Return the lease in nobody's hands."""
        return replace(self, holder="", renewed_at=now)

    def seems_alive(self, now: datetime) -> bool:
        """Tell whether the holder has confirmed it lately, if its clock and ours agree."""
        return self.renewed_at is not None and now < self.renewed_at + timedelta(seconds=self.lasts_s)


NEVER_HELD = Lease(holder="", since=None, renewed_at=None, lasts_s=0, transitions=-1, version="")
"""The lock before there is an object; the first holder is no transition."""
