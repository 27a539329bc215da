"""The rules of replacing an instance: the fingerprint, what may be disrupted, and what is lost when it is left out."""

import copy
from collections.abc import Mapping

from tests.wire.gce_refusals import Refusal, invalid_field
from tests.wire.gce_world import Json, World

_ORDER = ("INVALID", "NO_EFFECT", "REFRESH", "RESTART")
_RESTARTING = ("machineType", "serviceAccounts", "minCpuPlatform", "guestAccelerators")
_KEPT_BY_SERVER = (
    "kind", "id", "name", "selfLink", "zone", "creationTimestamp", "status", "cpuPlatform", "startRestricted",
)  # fmt: skip
_BUSY = frozenset({"PROVISIONING", "STAGING", "STOPPING", "SUSPENDING", "SUSPENDED", "REPAIRING"})


def check_update(world: World, path: str, body: Json, query: Mapping[str, str]) -> None:
    """Raise ``Refusal`` for an update that the service would not take."""
    current = world.get(path)
    if body.get("name", current["name"]) != current["name"]:
        raise invalid_field("resource.name", body["name"], "The name cannot be changed.")
    if not body.get("fingerprint"):
        raise Refusal(400, "required", "Required field 'resource.fingerprint' not specified")
    if _decoded(body["fingerprint"]) != _decoded(current.get("fingerprint", "")):
        raise Refusal(412, "conditionNotMet", "Supplied fingerprint does not match current metadata fingerprint.")
    if current["status"] in _BUSY:
        raise Refusal(400, "resourceNotReady", f"The resource '{path}' is not ready")
    allowed = query.get("mostDisruptiveAllowedAction", "RESTART")
    wanted = max(_needed(world, current, body), query.get("minimalAction", "NO_EFFECT"), key=_ORDER.index)
    if _ORDER.index(wanted) > _ORDER.index(allowed):
        told = f"The update needs the action {wanted}, which is more than the allowed {allowed}."
        raise Refusal(400, "invalid", told)


def replaced(world: World, path: str, body: Json) -> Json:
    """Return the instance as it stands after the update: what is missing from the body is gone."""
    current = world.get(path)
    kept = {name: current[name] for name in _KEPT_BY_SERVER if name in current}
    return copy.deepcopy(body) | kept | {"fingerprint": world.fingerprint(path)}


def _needed(world: World, current: Json, body: Json) -> str:
    """Return the least action that brings the difference about."""
    if _attached(world, current) != _attached(world, body):
        return "RESTART"
    if any(current.get(name) != body.get(name) for name in _RESTARTING):
        return "RESTART"
    return "REFRESH" if current != body else "NO_EFFECT"


def _attached(world: World, told: Json) -> list[object]:
    """Return the disks and addresses of an instance."""
    nics = [(world.path(one.get("network", "")), one.get("networkIP")) for one in told.get("networkInterfaces", [])]
    return [nics, [world.path(one.get("source", "")) for one in told.get("disks", [])]]


def _decoded(fingerprint: str) -> str:
    """Return a fingerprint so that both alphabets of base64 compare equal."""
    return fingerprint.replace("-", "+").replace("_", "/")
