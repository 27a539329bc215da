"""Partial answers: the ``fields`` parameter, such as ``items/*/instances(id,name),nextPageToken``."""

import re
from collections.abc import Mapping
from typing import Any

from tests.wire.gce_document import field_schema
from tests.wire.gce_refusals import Refusal

Mask = dict[str, "Mask"]
_TOKEN = re.compile(r"[A-Za-z0-9_.$-]+|[*,()/]")


def parse_mask(text: str, schema: str) -> Mask:
    """Return the mask as a tree, an empty branch meaning everything below. Raises ``Refusal``."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text or not tokens:
        raise _invalid(text)
    mask, rest = _selections(tokens, text)
    if rest:
        raise _invalid(text)
    _check(mask, schema)
    return mask


def apply_mask(value: Any, mask: Mask) -> Any:
    """Return what the mask leaves of a value."""
    if not mask:
        return value
    if isinstance(value, list):
        return [apply_mask(one, mask) for one in value]
    if not isinstance(value, dict):
        return value
    every = mask.get("*")
    kept = {}
    for name, one in value.items():
        branch = mask.get(name, every)
        if branch is not None:
            kept[name] = apply_mask(one, branch)
    return kept


def _selections(tokens: list[str], text: str) -> tuple[Mask, list[str]]:
    mask: Mask = {}
    while True:
        tokens = _selection(tokens, mask, text)
        if tokens[:1] != [","]:
            return mask, tokens
        tokens = tokens[1:]


def _selection(tokens: list[str], mask: Mask, text: str) -> list[str]:
    """Read one path with what it selects below itself; return the tokens that follow."""
    while True:
        if not tokens or tokens[0] in {",", "(", ")", "/"}:
            raise _invalid(text)
        mask = mask.setdefault(tokens[0], {})
        tokens = tokens[1:]
        if tokens[:1] == ["/"]:
            tokens = tokens[1:]
            continue
        if tokens[:1] != ["("]:
            return tokens
        below, tokens = _selections(tokens[1:], text)
        if tokens[:1] != [")"]:
            raise _invalid(text)
        mask.update(below)
        return tokens[1:]


def _check(mask: Mask, schema: str | Mapping[str, Any]) -> None:
    for name, below in mask.items():
        found = field_schema(schema, name)
        if found is None and name != "*":
            raise _invalid(name)
        if found is not None:
            _check(below, found)


def _invalid(text: str) -> Refusal:
    return Refusal(400, "invalidParameter", f"Invalid field selection {text}")
