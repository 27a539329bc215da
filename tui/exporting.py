"""Writes what somebody takes away: the hand-over report of a watch with its picture, a list, the script of a plan.

May import the model and what renders.
"""

import os
from datetime import datetime
from pathlib import Path

from tui.model.document import instant
from tui.model.finding import Report
from tui.model.plan import Plan
from tui.model.rollout import Rollout
from tui.model.text import printable
from tui.ports import Misconfigured
from tui.render_handover import handover
from tui.render_script import plan_script
from tui.render_table import Form
from tui.render_timeline import timeline_svg


def export_handover(report: Report, folder: Path) -> Path:
    """Write the report and its picture into a folder, which is made; return the report's path.

    Raises ``Misconfigured`` when they cannot be written.
    """
    now = report.snapshot.taken_at
    rollout = report.rollout or Rollout(began_at=now)
    context = report.snapshot.cluster.context
    stem = _stem(context, now)
    title = f"Rolling upgrade of {printable(context)}, {instant(rollout.began_at)} to {instant(now)}"
    picture = _write(folder / f"{stem}.svg", timeline_svg(rollout, now, title))
    return _write(folder / f"{stem}.md", handover(report, picture.name))


def export_list(text: str, what: str, form: Form, report: Report, folder: Path) -> Path:
    """Write a list of this report; raise as ``export_handover``. ``what`` is in the list, in one word."""
    stem = _stem(report.snapshot.cluster.context, report.snapshot.taken_at)
    return _write(folder / f"{stem}-{what}.{form}", text)


def export_script(plan: Plan, folder: Path) -> Path:
    """Write the commands of a plan as a script that may be run; raise as ``export_handover``."""
    path = folder / f"{_stem(plan.cluster.context, plan.created_at)}-plan.sh"
    return _write(path, plan_script(plan), mode=0o700)


def _stem(context: str, at: datetime) -> str:
    name = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "-" for sign in context)[:64]
    return f"{name.strip('.-') or 'cluster'}-{at:%Y-%m-%dT%H%M%SZ}"


def _write(path: Path, text: str, mode: int = 0o600) -> Path:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Misconfigured(f"{path.name} cannot be written ({error.strerror}) in {path.parent}") from error
    return path
