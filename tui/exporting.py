"""Writes what somebody takes away: the hand-over report of a watch, with its picture beside it.

May import the model and what renders.
"""

from pathlib import Path

from tui.model.document import instant
from tui.model.finding import Report
from tui.model.rollout import Rollout
from tui.model.text import printable
from tui.ports import Misconfigured
from tui.render_handover import handover
from tui.render_timeline import timeline_svg


def export_handover(report: Report, folder: Path) -> Path:
    """Write the report and its picture into a folder, which is made; return the report's path.

    Raises ``Misconfigured`` when they cannot be written.
    """
    now = report.snapshot.taken_at
    rollout = report.rollout or Rollout(began_at=now)
    context = report.snapshot.cluster.context
    name = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "-" for sign in context)[:64]
    stem = f"{name.strip('.-') or 'cluster'}-{now:%Y-%m-%dT%H%M%SZ}"
    picture = folder / f"{stem}.svg"
    path = folder / f"{stem}.md"
    title = f"Rolling upgrade of {printable(context)}, {instant(rollout.began_at)} to {instant(now)}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        picture.write_text(timeline_svg(rollout, now, title), encoding="utf-8")
        path.write_text(handover(report, picture.name), encoding="utf-8")
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written: {error.strerror}") from error
    return path
