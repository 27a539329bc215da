"""Plans in files: written whole or not at all, and read only for the cluster that they were made for.

May import ports, model, ``render`` and the engine's files.
"""

from pathlib import Path

from tui.engine.files import write_whole
from tui.model.fields import BadPlan
from tui.model.plan import Plan
from tui.model.plan_document import plan_document, plan_from_document
from tui.model.snapshot import Cluster
from tui.ports import Misconfigured
from tui.render import json_text


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan so that the file holds the old content or the new, whole, and only its owner can read it.

    Raises ``Misconfigured``.
    """
    text = json_text(plan_document(plan))
    try:
        if path.exists() and not path.is_file():
            raise Misconfigured(f"the plan cannot be saved: {path} is not a file")
        write_whole(path, text)
    except OSError as error:
        raise Misconfigured(f"the plan cannot be saved to {path}: {error.strerror}") from error


def read_plan(path: Path, cluster: Cluster) -> Plan:
    """Read a saved plan for this cluster. Raises ``Misconfigured``."""
    try:
        plan = plan_from_document(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured(f"the saved plan {path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, RecursionError) as error:  # what is not text, and what nests without end
        raise Misconfigured(f"the file {path} is no saved plan: make one with plan --out") from error
    except BadPlan as error:
        raise Misconfigured(f"{path}: {error}") from error
    if plan.cluster.server != cluster.server:
        here = f"{cluster.context} is {cluster.server}"
        raise Misconfigured(
            f"the saved plan is for the cluster {plan.cluster.server}, and {here}: choose its --context"
        )
    return plan
