"""What the wire server does with single objects: select, patch, encode, and refuse with a ``Status``."""

import copy
import json
import re
from typing import Any, cast

Object = dict[str, Any]
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class Refused(Exception):
    """A request is answered with a ``Status`` object."""

    def __init__(self, code: int, message: str, *, reason: str | None = None, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.document: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason or _REASONS.get(code, "Unknown"),
            "code": code,
        }
        if details:
            self.document["details"] = details


def encode(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def is_true(value: str | None) -> bool:
    """Read a flag in a query as the API server does, which takes almost anything for a yes."""
    return value is not None and value.lower() not in {"false", "0"}


def selected(document: Object, fields: str, labels: str) -> bool:
    metadata = document["metadata"]
    found = {"metadata.name": metadata["name"]}
    if "nodeName" in document.get("spec", {}):
        found |= {"spec.nodeName": document["spec"]["nodeName"], "status.phase": document["status"]["phase"]}
    for term in filter(None, fields.split(",")):
        name, separator, value = term.partition("=")
        if name.removesuffix("!") not in found or not separator:
            raise Refused(400, f'field label not supported: "{name}"')
        if (found[name.removesuffix("!")] == value.removeprefix("=")) is name.endswith("!"):
            return False
    present = metadata.get("labels", {})
    for term in re.findall(r"[^,(]+(?:\([^)]*\))?", labels):
        key, separator, value = term.partition("=")
        if " in " in term:
            key, _, values = term.partition(" in ")
            if present.get(key.strip()) not in values.strip(" ()").split(","):
                return False
        elif key.startswith("!") and not separator:
            if key[1:] in present:
                return False
        elif key not in present or (separator and present[key] != value.removeprefix("=")):
            return False
    return True


def patched(before: Object, kind: str, patch: Any) -> Object:
    match kind:
        case "application/merge-patch+json" | "application/strategic-merge-patch+json":
            return cast("Object", _merged(copy.deepcopy(before), patch))
        case "application/json-patch+json":
            document = copy.deepcopy(before)
            for operation in patch:
                _operate(document, operation)
            return document
    raise Refused(415, f"the body of the request was in an unknown format - {kind}")


def _merged(target: Any, patch: Any) -> Any:
    """Merge by RFC 7396, lists as a whole also where a strategic merge would go by their keys."""
    if not isinstance(patch, dict):
        return patch
    merged = target if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif not key.startswith("$"):
            merged[key] = _merged(merged.get(key), value)
    return merged


def _operate(document: Any, operation: Object) -> None:
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    for part in way:
        document = document[int(part) if isinstance(document, list) else part]
    key: Any = int(last) if isinstance(document, list) and last != "-" else last
    try:
        match operation["op"]:
            case "add" if isinstance(document, list):
                document.insert(len(document) if key == "-" else key, operation["value"])
            case "add":
                document[key] = operation["value"]
            case "replace":
                document[key]  # what is not there cannot be replaced
                document[key] = operation["value"]
            case "remove":
                del document[key]
            case "test" if document[key] != operation["value"]:
                raise Refused(422, f"testing {operation['path']} failed")
            case "test":
                pass
            case unknown:
                raise Refused(400, f"unknown operation {unknown!r}")
    except (KeyError, IndexError) as error:
        raise Refused(422, f"there is nothing at {operation['path']}") from error
