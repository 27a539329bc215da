"""The official discovery document of Compute Engine v1: which calls there are, and what they take and answer.

The document lies inside google-api-python-client. Its schemas are nearly JSON schemas: references need a prefix,
``pattern`` and ``format`` go beyond what the service keeps to, and additional properties are allowed only where the
document says so. Each object schema gets its place as ``title``, so that an exception can be made for one field there.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

_DOCUMENT = files("googleapiclient") / "discovery_cache" / "documents" / "compute.v1.json"
_KEPT = {"type", "enum", "minimum"}
_RESOURCES = (
    "globalOperations",
    "instanceGroupManagers",
    "instanceTemplates",
    "instances",
    "networks",
    "projects",
    "regionInstanceGroupManagers",
    "regionInstanceTemplates",
    "routes",
    "subnetworks",
    "zoneOperations",
)
STANDARD_PARAMETERS = frozenset({"$alt", "alt", "fields", "key", "prettyPrint", "quotaUser", "userIp", "$prettyPrint"})
# Sent by gcloud, documented for lists, and not in every edition of the document.
UNLISTED_PARAMETERS = frozenset({"returnPartialSuccess"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One call of the API, such as ``compute.routes.insert``."""

    id: str
    verb: str
    pattern: re.Pattern[str]
    query: Mapping[str, Mapping[str, Any]]
    request: str | None
    response: str

    @property
    def lists(self) -> bool:
        return "maxResults" in self.query


@cache
def document() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(_DOCUMENT.read_bytes())
    return loaded


@cache
def methods() -> tuple[Method, ...]:
    """Return every call of the resources that matter here."""
    return tuple(
        Method(
            id=told["id"],
            verb=told["httpMethod"],
            pattern=re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", told["path"])),
            query={name: one for name, one in told["parameters"].items() if one["location"] == "query"},
            request=told["request"]["$ref"] if "request" in told else None,
            response=told.get("response", {"$ref": "Operation"})["$ref"],
        )
        for resource in _RESOURCES
        for told in document()["resources"][resource]["methods"].values()
    )


def find_method(verb: str, path: str) -> tuple[Method, dict[str, str]] | None:
    """Return the call and the parameters in its path, which starts at ``projects/``; None when there is no such."""
    for method in methods():
        if method.verb == verb and (match := method.pattern.fullmatch(path)):
            return method, {name: unquote(value) for name, value in match.groupdict().items()}
    return None


@cache
def _definitions() -> dict[str, Any]:
    return {name: _translated(schema, name) for name, schema in document()["schemas"].items()}


def _translated(schema: Mapping[str, Any], place: str) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": f"#/definitions/{schema['$ref']}"}
    made = {key: value for key, value in schema.items() if key in _KEPT and value != "any"}
    if "minimum" in made:
        made["minimum"] = float(made["minimum"])
    if "items" in schema:
        made["items"] = _translated(schema["items"], f"{place}[]")
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        made["title"] = place
        made["properties"] = {name: _translated(value, f"{place}.{name}") for name, value in properties.items()}
        additional = schema.get("additionalProperties")
        made["additionalProperties"] = _translated(additional, f"{place}.*") if additional else False
    return made


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/definitions/{schema}", "definitions": _definitions()})


def deviations(value: object, schema: str, also: frozenset[tuple[str, str]] = frozenset()) -> Iterator[str]:
    """Yield what keeps the value from being of this schema.

    ``also`` are fields that are allowed although the document does not know them: (title of the object, name).
    """
    for error in _validator(schema).iter_errors(value):
        if error.validator == "additionalProperties":
            unknown = set(error.instance) - set(error.schema["properties"])
            unknown = {name for name in unknown if (error.schema["title"], name) not in also}
            if unknown:
                yield f"{error.json_path}: unknown {', '.join(sorted(unknown))}"
        else:
            yield f"{error.json_path}: {error.message[:200]}"


def unknown_fields(value: object, schema: str) -> frozenset[tuple[str, str]]:
    """Return the fields at every depth that the document does not know, for ``deviations``."""
    return frozenset(
        (error.schema["title"], name)
        for error in _validator(schema).iter_errors(value)
        if error.validator == "additionalProperties"
        for name in set(error.instance) - set(error.schema["properties"])
    )


def field_schema(schema: str | Mapping[str, Any], name: str) -> str | Mapping[str, Any] | None:
    """Return what the document says about a field, arrays looked through; None when there is no such field."""
    told = document()["schemas"][schema] if isinstance(schema, str) else schema
    while told.get("type") == "array":
        told = told["items"]
    if "$ref" in told:
        return field_schema(told["$ref"], name)
    additional: Mapping[str, Any] | None = told.get("additionalProperties")
    found: Mapping[str, Any] | None = told.get("properties", {}).get(name, additional)
    return found
