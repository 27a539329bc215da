"""The lists of Compute Engine that are read, whole or of some names or ranges alone.

May import the adapter's own files only.
"""

import re
from collections.abc import Collection

from tui.clouds import gce_objects as objects
from tui.clouds.gce_refusals import Call

_PAGE_SIZE = "500"
_PARTIAL = {"maxResults": _PAGE_SIZE, "returnPartialSuccess": "true"}


def instances_call(project: str, names: Collection[str] = ()) -> Call:
    """Return the list of a project's VMs; with ``names`` of those that are called so, in whichever zone."""
    return Call(
        path=f"projects/{project}/aggregated/instances",
        permission="compute.instances.list",
        query={**_PARTIAL, **_filter("name", names), "fields": objects.INSTANCE_PAGE_FIELDS},
    )


def subnetworks_call(project: str, role: str) -> Call:
    """Return the list of a project's subnetworks. ``role`` says in few words what else the project is."""
    return Call(
        path=f"projects/{project}/aggregated/subnetworks",
        permission="compute.subnetworks.list",
        query={**_PARTIAL, "fields": objects.SUBNETWORK_PAGE_FIELDS},
        role=role,
    )


def routes_call(project: str, role: str, destinations: Collection[str] = ()) -> Call:
    """Return the list of a project's routes; with ``destinations`` of those for exactly these ranges."""
    return Call(
        path=f"projects/{project}/global/routes",
        permission="compute.routes.list",
        query={"maxResults": _PAGE_SIZE, **_filter("destRange", destinations), "fields": objects.ROUTE_PAGE_FIELDS},
        role=role,
    )


def _filter(field: str, values: Collection[str]) -> dict[str, str]:
    """Return the condition that a field is one of these, as the one expression that is matched against all of it."""
    return {"filter": f'{field} eq "({"|".join(map(re.escape, sorted(values)))})"'} if values else {}
