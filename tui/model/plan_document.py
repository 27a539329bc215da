"""Plans as JSON documents, and back: written and read side by side, so that they cannot drift apart.

A saved plan is the public plan document plus the preconditions of each change. Standard library only, no I/O.
"""

import json
from datetime import datetime
from ipaddress import ip_network

from tui.model.change import Action
from tui.model.document import change_document, change_from_document, cluster_document, instant
from tui.model.fields import BadPlan, Fields
from tui.model.plan import Actor, Plan, Refusal, seal
from tui.model.snapshot import Cluster

PLAN_SCHEMA = "l2bridge-tui/plan/v1"


def plan_document(plan: Plan) -> dict[str, object]:
    """Write a plan; ``plan_from_document`` reads the same document from text."""
    return {
        "schema": PLAN_SCHEMA,
        "id": plan.id,
        "cluster": cluster_document(plan.cluster),
        "createdAt": instant(plan.created_at),
        "changes": [change_document(change) for change in plan.changes],
        "refused": [{"node": refusal.node, "code": refusal.code, "reason": refusal.reason} for refusal in plan.refused],
        "summary": {action.value: plan.count(action) for action in Action},
        "actors": [{"source": actor.source, "identity": actor.identity} for actor in plan.actors],
    }


def plan_from_document(text: str) -> Plan:
    """Read a saved plan, and prove by its id that it is as it was written. Raises ``BadPlan``."""
    try:
        decoded: object = json.loads(text)
    except ValueError as error:
        raise BadPlan(f"the saved plan is not complete JSON ({error}): make it again with plan --out") from error
    document = Fields.of(decoded, "the plan")
    schema = document.text("schema")
    if schema != PLAN_SCHEMA:
        raise BadPlan(f"the saved plan has the schema {schema!r}, this version reads {PLAN_SCHEMA!r}: make it again")
    cluster = document.fields("cluster")
    try:
        plan = Plan(
            id=document.text("id"),
            cluster=Cluster(
                context=cluster.text("context"),
                server=cluster.text("server"),
                pod_cidrs=tuple(ip_network(cidr) for cidr in cluster.texts("podCIDRs")),
            ),
            created_at=datetime.fromisoformat(document.text("createdAt")),
            changes=tuple(change_from_document(change) for change in document.objects("changes")),
            refused=tuple(
                Refusal(node=refusal.optional_text("node"), code=refusal.text("code"), reason=refusal.text("reason"))
                for refusal in document.objects("refused")
            ),
            actors=tuple(
                Actor(source=actor.text("source"), identity=actor.optional_text("identity"))
                for actor in document.objects("actors")
            ),
        )
    except BadPlan:
        raise
    except ValueError as error:
        raise BadPlan(
            f"the saved plan has a value that cannot be used ({error}): make it again with plan --out"
        ) from error
    if seal(plan.cluster, plan.changes) != plan.id:
        raise BadPlan("the saved plan was altered after it was made: make it again with plan --out")
    return plan
