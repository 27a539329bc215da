"""The HTTP side of the Resource Manager: paths, versions, tokens, pages, etags, and the identity's token endpoint."""

import copy
import json
import re
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.wire import arm_rules
from tests.wire.arm_operations import Form, Operation
from tests.wire.arm_rules import Refused
from tests.wire.arm_world import TENANT, Json, fold, kind_of

if TYPE_CHECKING:
    from tests.wire.arm import ArmServer, Fault

VERSIONS = ("2026-03-01", "2025-07-01", "2024-07-01", "2023-11-01")
_SCALE_SET_VERSION = "2018-10-01"
_LIST = re.compile(r"/subscriptions/[^/]+(/resourcegroups/[^/]+)?/providers/microsoft\.network/(\w+)")
_SET_LIST = re.compile(r".*/virtualmachinescalesets/[^/]+/networkinterfaces")
_OPERATION = re.compile(
    r"/subscriptions/[^/]+/providers/microsoft\.network/locations/\w+/(operations|results)/(op-\d+)"
)
_LISTED = {"networkinterfaces", "virtualnetworks", "routetables"}


class _Dropped(Exception):
    """The connection is to be broken."""


def bound(server: "ArmServer") -> tuple[type[BaseHTTPRequestHandler], type[BaseHTTPRequestHandler]]:
    """Return the handlers of a server and of the identity beside it."""
    return type("BoundHandler", (Handler,), {"arm": server}), type("BoundIdentity", (Identity,), {"arm": server})


class Identity(BaseHTTPRequestHandler):
    """A managed identity, as an App Service has it."""

    arm: "ArmServer"

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        known = self.headers.get("X-IDENTITY-HEADER") == "secret" and query.get("api-version") == ["2019-08-01"]
        body: Json = {"error": "unauthorized_client"}
        if known:
            token = self.arm.token(query["resource"][0])
            body = {"access_token": token, "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}
        content = json.dumps(body).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    arm: "ArmServer"
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        from tests.wire.arm import Request

        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parse_qs(parts.query)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        version = query.get("api-version", [""])[0]
        body = json.loads(content) if content else None
        with self.arm.lock:
            request = Request(method=self.command, path=path, version=version, headers=dict(self.headers), body=body)
            self.arm.requests.append(request)
            try:
                if self.arm.watcher(request, False):
                    raise _Dropped
                fault = self.arm.fault(self.command, path)
                status, answer, headers = self._faulty(fault, path, query, version, body)
                if self.arm.watcher(request, True):
                    raise _Dropped
            except _Dropped:
                self.close_connection = True
                return
        raw = b"" if answer is None else json.dumps(answer).encode()
        if fault is not None and fault.raw is not None:
            raw, status = fault.raw, fault.status
        self._send(status, raw, headers)

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = _handle  # noqa: N815

    def _faulty(
        self, fault: "Fault | None", path: str, query: dict[str, list[str]], version: str, body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        try:
            if fault is None or fault.effect or fault.raw is not None:
                answered = self._answer(path, query, version, body)
                if fault is None or fault.raw is not None:
                    return answered
            if fault.dropped:
                raise _Dropped
            assert fault.refused is not None
            return fault.refused.status, fault.refused.body, fault.headers
        except Refused as refused:
            return refused.status, refused.body, {}

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    # What is answered.

    def _answer(
        self, path: str, query: dict[str, list[str]], version: str, body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        about = self._about(fold(path))
        if about is not None:
            return 200, about, {}
        self._check_version(path, version)
        if not fold(path).startswith(f"/subscriptions/{self.arm.subscription}/"):
            raise Refused(404, "SubscriptionNotFound", f"the subscription of {path} could not be found")
        operation = _OPERATION.fullmatch(fold(path))
        if operation is not None:
            return self._operation(operation.group(1), operation.group(2))
        match self.command:
            case "GET":
                return self._get(path, query)
            case "PUT":
                return self._put(path, body)
            case "DELETE":
                return self._delete(path)
            case "POST" if fold(path).endswith("/effectiveroutetable"):
                return self._effective(path)
        raise Refused(405, "MethodNotAllowed")

    def _about(self, path: str) -> Json | None:
        """Return what clients ask first: what the endpoint is, and which subscriptions and tenants there are.

        Checks the token of all other questions.
        """
        origin = self.arm.origin
        if path == "/metadata/endpoints":
            login = {"loginEndpoint": f"{origin}/", "audiences": [origin], "tenant": "common"}
            return {"name": "wire", "authentication": login, "resourceManager": origin, "suffixes": {}}
        if not self.arm.accepts(self.headers.get("Authorization", "")):
            raise Refused(401, "InvalidAuthenticationToken", "the access token is invalid")
        subscription: Json = {
            "id": f"/subscriptions/{self.arm.subscription}",
            "displayName": "wire",
            "state": "Enabled",
        }
        subscription |= {"subscriptionId": self.arm.subscription, "tenantId": TENANT}
        tenant = {"id": f"/tenants/{TENANT}", "tenantId": TENANT, "displayName": "wire"}
        listed: dict[str, Json] = {
            "/subscriptions": {"value": [subscription]},
            "/tenants": {"value": [tenant]},
            f"/subscriptions/{self.arm.subscription}": subscription,
        }
        return listed.get(path)

    def _check_version(self, path: str, version: str) -> None:
        supported = (_SCALE_SET_VERSION,) if "/microsoft.compute/" in fold(path) else VERSIONS
        if not version:
            raise Refused(400, "MissingApiVersionParameter", "the api-version query parameter is required")
        if version not in supported:
            text = f"No registered resource provider found for API version '{version}'. The supported api-versions are "
            raise Refused(400, "NoRegisteredProviderFound", f"{text}'{', '.join(supported)}'.")

    def _get(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
        listed = _LIST.fullmatch(fold(path))
        if listed is not None and listed.group(2) in _LISTED:
            scope = fold(path).partition("/providers/")[0]
            found = [one["id"] for one in self.arm.of_kind(listed.group(2)) if fold(one["id"]).startswith(f"{scope}/")]
            return 200, self._page(path, query, found), {}
        if _SET_LIST.fullmatch(fold(path)):
            prefix = fold(path).removesuffix("networkinterfaces")
            members = self.arm.of_kind("virtualmachinescalesets/virtualmachines/networkinterfaces")
            found = [one["id"] for one in members if fold(one["id"]).startswith(f"{prefix}virtualmachines/")]
            return 200, self._page(path, query, found), {}
        if kind_of(path) == "routetables/routes":
            table, _, name = path.rpartition("/routes/")
            document = self._resource(table)
            for route in document["properties"]["routes"]:
                route["properties"]["provisioningState"] = document["properties"]["provisioningState"]
                if route["name"].lower() == name.lower():
                    return 200, route, {"ETag": route["etag"]}
            raise Refused(404, "NotFound", f"resource {path} not found")
        document = self._resource(path)
        return 200, document, {"ETag": document["etag"]}

    def _resource(self, path: str) -> Json:
        if fold(path) not in self.arm.resources:
            raise Refused(404, "ResourceNotFound", f"the resource {path} was not found")
        document = self.arm.told(path)
        state = self.arm.operations.state_of(fold(_owner(path)), counts=self.command == "GET")
        if state is not None:
            document["properties"]["provisioningState"] = state
        return document

    def _page(self, path: str, query: dict[str, list[str]], found: list[str]) -> Json:
        start = int(query.get("$skiptoken", ["0"])[0])
        page: Json = {"value": [self.arm.told(one) for one in found[start : start + self.arm.page_size]]}
        following = start + self.arm.page_size
        if following < len(found):
            version = query["api-version"][0]
            page["nextLink"] = f"{self.arm.origin}{path}?api-version={version}&%24skiptoken={following}"
        return page

    def _put(self, path: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        kind = kind_of(path)
        if kind == "virtualnetworks":
            self.arm.mistakes.append(f"a whole virtual network was put: {path}")
            raise Refused(400, "InvalidRequestFormat")
        if kind not in arm_rules.READ_ONLY:
            raise Refused(405, "MethodNotAllowed")
        owner = _owner(path)
        created = not self._exists(path)
        self._check_etag(path)
        self._check_busy(owner)
        make = arm_rules.put_route if kind == "routetables/routes" else arm_rules.put_resource
        effect = make(self.arm, path, body)
        name, operation = self.arm.operations.begin(fold(owner))
        if operation.failure is None or self.arm.operations.effect:
            self.arm.wrote(f"PUT {path}", effect)
        _, document, headers = self._get(path, {}) if self._exists(path) else (0, body, {})
        operation.result = copy.deepcopy(document)
        operation.result["properties"]["provisioningState"] = "Succeeded"
        document["properties"]["provisioningState"] = "Updating" if operation.running else "Succeeded"
        return (201 if created else 200), document, headers | self._links(name, operation)

    def _delete(self, path: str) -> tuple[int, Any, dict[str, str]]:
        owner = _owner(path)
        self._check_etag(path)
        self._check_busy(owner)
        effect = arm_rules.delete(self.arm, path)
        if effect is None:
            return 204, None, {}
        name, operation = self.arm.operations.begin(fold(owner))
        if self.arm.operations.form is Form.STATE:  # there is nothing left that could tell the end
            operation.left = 0
        if operation.failure is None or self.arm.operations.effect:
            self.arm.wrote(f"DELETE {path}", effect)
        return (202 if operation.running else 200), None, self._links(name, operation)

    def _effective(self, path: str) -> tuple[int, Any, dict[str, str]]:
        nic = path.rpartition("/")[0]
        if "virtualMachine" not in self._resource(nic)["properties"]:
            raise Refused(400, "NicMustBeAttachedToRunningVm", "the interface must be attached to a running VM")
        name, _ = self.arm.operations.begin("", {"value": self.arm.effective(nic)})
        return 202, None, {"Location": self._link("results", name), "Retry-After": "0"}

    def _exists(self, path: str) -> bool:
        try:
            self._get(path, {})
        except Refused:
            return False
        return True

    def _check_etag(self, path: str) -> None:
        wanted, exists = self.headers.get("If-Match"), self._exists(path)
        if self.headers.get("If-None-Match") == "*" and exists:
            raise Refused(412, "PreconditionFailed", "the resource exists")
        if self.command == "PUT" and exists and not wanted and self.arm.demands_etags:
            self.arm.mistakes.append(f"{path} was put without If-Match")
        if wanted and exists and self._get(path, {})[2]["ETag"] != wanted:
            raise Refused(412, "PreconditionFailed", "precondition failed")

    def _check_busy(self, resource: str) -> None:
        if self.arm.operations.busy(fold(resource)):
            raise Refused(429, "AnotherOperationInProgress", "another operation on this resource is in progress")

    def _link(self, kind: str, name: str) -> str:
        place = f"/subscriptions/{self.arm.subscription}/providers/Microsoft.Network/locations/westeurope"
        return f"{self.arm.operations.host or self.arm.origin}{place}/{kind}/{name}?api-version={VERSIONS[0]}"

    def _links(self, name: str, operation: Operation) -> dict[str, str]:
        operations = self.arm.operations
        headers = {} if operations.retry_after is None else {"Retry-After": operations.retry_after}
        match operations.form:
            case Form.OPERATION:
                return headers | {"Azure-AsyncOperation": self._link("operations", name)}
            case Form.LOCATION if operation.running:
                return headers | {"Location": self._link("results", name)}
        return headers

    def _operation(self, kind: str, name: str) -> tuple[int, Any, dict[str, str]]:
        operation = self.arm.operations.begun[name]
        running = operation.look()
        if kind == "results":
            if running:
                return 202, None, {"Location": self._link(kind, name), "Retry-After": "0"}
            if operation.failure is not None:
                raise operation.failure
            return 200, operation.result or {}, {}
        if running:
            return 200, {"status": "InProgress"}, {"Retry-After": "0"}
        if operation.failure is not None:
            return 200, {"status": "Failed"} | operation.failure.body, {}
        return 200, {"status": "Succeeded"}, {}


def _owner(path: str) -> str:
    """Return what a write locks: a route its table, a subnet its whole network."""
    for part in ("/routes/", "/subnets/"):
        if part in path:
            return path.rpartition(part)[0]
    return path
