"""The calls: what each method of the API reads and writes in the world of the server."""

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.wire.gce_document import Method
from tests.wire.gce_instances import check_update, replaced
from tests.wire.gce_lists import Pages, aggregated, condition, plain, scope_of, scopes
from tests.wire.gce_operations import Operation, Operations
from tests.wire.gce_refusals import QUOTA, Fault, Refusal, invalid_field
from tests.wire.gce_routes import addresses, check_route, is_static, told_route
from tests.wire.gce_world import Json, Moment, Project, World

_SINGULAR = {"instances": "instance", "networks": "network", "subnetworks": "subnetwork", "routes": "route"}
_PERMISSIONS = {"insert": "create", "aggregatedList": "list", "wait": "get"}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_READ_KINDS = {
    "instances": "instances",
    "networks": "networks",
    "subnetworks": "subnetworks",
    "routes": "routes",
    "instanceTemplates": "instanceTemplates",
    "regionInstanceTemplates": "instanceTemplates",
    "instanceGroupManagers": "instanceGroupManagers",
    "regionInstanceGroupManagers": "instanceGroupManagers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it arrived. ``path`` starts at ``projects/``; ``fault`` is what a test wants of its operation."""

    method: Method
    path: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    fault: Fault | None = None


class Service:
    """Answers calls. Not safe for threads: the server lets one in at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pages = Pages()
        self.operations = Operations(lambda: world.prefix)
        self.quota_at: Literal["operation", "request"] = "operation"
        self.history: list[Moment] = []

    def answer(self, call: Call) -> Json:
        """Return the answer's body. Raises ``Refusal``."""
        project = self.world.at(call.names["project"])
        self._check_permission(project, call)
        resource, name = call.method.id.split(".")[1:]
        if name not in {"list", "aggregatedList"} and call.names.get("zone") in project.unreachable:
            raise Refusal(503, "backendError", f"The zone '{call.names['zone']}' cannot be reached. Try again later.")
        if name in {"list", "aggregatedList"} and resource in _SINGULAR:
            return self._list(project, resource, call)
        if name == "get" and resource in _READ_KINDS:
            return self._get(call)
        special: dict[str, Callable[[Project, Call], Json]] = {
            "compute.projects.get": self._project,
            "compute.instances.update": self._update_instance,
            "compute.routes.insert": self._insert_route,
            "compute.routes.delete": self._delete_route,
            "compute.zoneOperations.get": self._operation,
            "compute.zoneOperations.wait": self._operation,
            "compute.globalOperations.get": self._operation,
            "compute.globalOperations.wait": self._operation,
        }
        if call.method.id not in special:
            raise Refusal(501, "notImplemented", f"This program has no reason to call {call.method.id}.")
        return special[call.method.id](project, call)

    def note(self, what: str) -> None:
        """Remember all route tables as they are now."""
        self.history.append(
            Moment(what=what, routes={project: self.routes(project) for project in self.world.projects})
        )

    def routes(self, project: str) -> dict[str, Json]:
        """Return a project's routes by name, with the warnings that hold now."""
        held = addresses(self.world)
        every = self.world.at(project).kinds["routes"].values()
        return {one["name"]: copy.deepcopy(told_route(self.world, one, held)) for one in every}

    def used_routes(self, project: str) -> int:
        """Return how many routes count against the project's limit."""
        return sum(is_static(one) for one in self.world.at(project).kinds["routes"].values())

    def _check_permission(self, project: Project, call: Call) -> None:
        resource, name = call.method.id.split(".")[1:]
        resource = _READ_KINDS.get(resource, resource)
        needed = [f"compute.{resource}.{_PERMISSIONS.get(name, name)}"]
        if resource == "routes" and name in {"insert", "delete"}:
            needed.append("compute.networks.updatePolicy")
        for permission in needed:
            if permission in project.denied:
                at = self.world.path(call.path) if "get" in name else f"projects/{project.id}"
                raise Refusal(403, "forbidden", f"Required '{permission}' permission for '{at}'")

    def _list(self, project: Project, resource: str, call: Call) -> Json:
        path, query, world = self.world.path(call.path), call.query, self.world
        together = call.method.id.endswith("aggregatedList")
        unreachable = sorted(f"zones/{zone}" for zone in project.unreachable) if resource == "instances" else []
        if not together:
            unreachable = [one for one in unreachable if f"/{one}/" in path]
        if unreachable and query.get("returnPartialSuccess") != "true":
            raise Refusal(503, "backendError", f"The scope '{unreachable[0]}' cannot be reached. Try again later.")
        wanted = condition(query)
        start = f"projects/{project.id}/" if together else f"{path}/"
        items = [
            (scope_of(at), body)
            for at, body in sorted(project.kinds[resource].items())
            if at.startswith(start) and scope_of(at) not in unreachable and wanted(body)
        ]
        page, token = self.pages.cut(items, query, path)
        if resource == "routes":
            held = addresses(world)
            page = [(scope, told_route(world, one, held)) for scope, one in page]
        kind = _SINGULAR[resource]
        if not together:
            body = plain(kind, path, world.prefix, page, token)
            return body | {"unreachables": unreachable} if unreachable else body
        named = scopes(project, resource)
        return aggregated(kind, path, world.prefix, page, token, scopes=named, unreachable=unreachable)

    def _get(self, call: Call) -> Json:
        found = self.world.get(call.path)
        return told_route(self.world, found, addresses(self.world)) if found["kind"] == "compute#route" else found

    def _project(self, project: Project, call: Call) -> Json:
        del call
        used = self.used_routes(project.id)
        return {
            "kind": "compute#project",
            "id": project.number,
            "name": project.id,
            "selfLink": f"{self.world.prefix}projects/{project.id}",
            "quotas": [
                {"metric": "NETWORKS", "limit": 5.0, "usage": float(len(project.kinds["networks"]))},
                {"metric": "ROUTES", "limit": float(project.routes_limit), "usage": float(used)},
            ],
            "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS",
        }

    def _operation(self, project: Project, call: Call) -> Json:
        del project
        path = self.world.path(call.path).removesuffix("/wait")
        operation = self.operations.poll(path, wait=call.method.id.endswith("wait"))
        return self.operations.told(operation)

    def _update_instance(self, project: Project, call: Call) -> Json:
        path, body = self.world.path(call.path), call.body

        def effect() -> None:
            check_update(self.world, path, body, call.query)
            project.kinds["instances"][path] = replaced(self.world, path, body)
            self.note(f"update {path}")

        def check() -> None:
            check_update(self.world, path, body, call.query)

        return self._write(project, call, path, check, effect)

    def _insert_route(self, project: Project, call: Call) -> Json:
        body = copy.deepcopy(call.body)
        path = f"projects/{project.id}/global/routes/{body.get('name')}"

        def check() -> None:
            check_route(self.world, project, body)
            if path in project.kinds["routes"] or self.operations.makes(path):
                raise Refusal(409, "alreadyExists", f"The resource '{path}' already exists")
            if self.quota_at == "request":
                self._check_quota(project)

        def effect() -> None:
            self._check_quota(project)
            self.world.add_route(project.id, body)
            self.note(f"insert {path}")

        return self._write(project, call, path, check, effect)

    def _delete_route(self, project: Project, call: Call) -> Json:
        path = self.world.path(call.path)

        def check() -> None:
            if not is_static(self.world.get(path)):
                told = "The local route cannot be deleted because it is part of a subnetwork."
                raise Refusal(400, "invalidResourceUsage", f"Invalid resource usage: '{told}'.")

        def effect() -> None:
            self.world.get(path)
            del project.kinds["routes"][path]
            self.note(f"delete {path}")

        return self._write(project, call, path, check, effect)

    def _write(
        self, project: Project, call: Call, target: str, check: Callable[[], None], effect: Callable[[], None]
    ) -> Json:
        """Start an operation, or return that of the same request id."""
        request_id = call.query.get("requestId")
        if request_id is not None and not _UUID.fullmatch(request_id):
            raise invalid_field("requestId", request_id, "Must be a valid UUID.")
        operation: Operation | None = self.operations.repeated(project, call.method.id, request_id)
        if operation is None:
            check()
            operation = self.operations.start(project, target, call.method.id.rpartition(".")[2], effect, call.fault)
            self.operations.remember(project, call.method.id, request_id, operation)
        if call.fault and (call.fault.done or call.fault.cut):
            self.operations.finish(operation)
        return self.operations.told(operation)

    def _check_quota(self, project: Project) -> None:
        if self.used_routes(project.id) >= project.routes_limit:
            limit = f"Limit: {float(project.routes_limit)} globally."
            raise Refusal(QUOTA.status or 403, "quotaExceeded", f"Quota 'ROUTES' exceeded.  {limit}")
