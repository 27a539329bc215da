"""Lists: pages of at most 500, opaque page tokens, aggregated scopes, and zones that cannot be reached."""

import base64
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.wire.gce_refusals import Refusal, invalid_parameter
from tests.wire.gce_world import ZONES, Json, Project

_MOST = 500
_CONDITION = re.compile(r"""\(?\s*([A-Za-z.]+)\s*(=|eq|:)\s*(?:"([^"]*)"|'([^']*)'|([^\s()"']+))\s*\)?""")


@dataclass(slots=True)
class Pages:
    """Cuts pages and remembers its tokens; a token is good for the list that it came from."""

    _tokens: dict[str, tuple[str, int]] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def cut(
        self, items: Sequence[tuple[str, Json]], query: Mapping[str, str], what: str
    ) -> tuple[list[tuple[str, Json]], str | None]:
        """Return one page of the (scope, item) pairs and the token of the next. Raises ``Refusal``."""
        size = int(query.get("maxResults", _MOST))
        if size > _MOST:
            raise invalid_parameter("maxResults", size, f"Must be less than or equal to {_MOST}.")
        size = size or _MOST
        start = 0
        if token := query.get("pageToken"):
            known, start = self._tokens.get(token, ("", 0))
            if known != what:
                raise Refusal(400, "invalid", f"Invalid value for field 'pageToken': '{token}'.")
        if start + size >= len(items):
            return list(items[start:]), None
        following = base64.b64encode(f"{what}/{next(self._numbers)}".encode()).decode()
        self._tokens[following] = (what, start + size)
        return list(items[start : start + size]), following

    def forget(self) -> None:
        """Let every token expire."""
        self._tokens.clear()


def plain(kind: str, path: str, prefix: str, page: list[tuple[str, Json]], token: str | None) -> Json:
    """Return the answer of a list in one scope."""
    body: Json = {"kind": f"compute#{kind}List", "id": path, "selfLink": prefix + path}
    if page:
        body["items"] = [one for _, one in page]
    if token:
        body["nextPageToken"] = token
    return body


def aggregated(
    kind: str,
    path: str,
    prefix: str,
    page: list[tuple[str, Json]],
    token: str | None,
    *,
    scopes: Sequence[str],
    unreachable: Sequence[str] = (),
) -> Json:
    """Return the answer of an aggregated list: every scope, with what is in it on this page, or with a warning."""
    items: Json = {}
    for scope in sorted({*scopes, *(scope for scope, _ in page)}):
        here = [one for at, one in page if at == scope]
        if here:
            items[scope] = {f"{kind}s": here}
        elif scope in unreachable:
            items[scope] = {"warning": _warning("UNREACHABLE", scope, f"The scope '{scope}' cannot be reached.")}
        else:
            told = f"There are no results for scope '{scope}' on this page."
            items[scope] = {"warning": _warning("NO_RESULTS_ON_PAGE", scope, told)}
    body: Json = {"kind": f"compute#{kind}AggregatedList", "id": path, "selfLink": prefix + path, "items": items}
    if unreachable:
        body["unreachables"] = list(unreachable)
    if token:
        body["nextPageToken"] = token
    return body


def scopes(project: Project, kind: str) -> list[str]:
    """Return the scopes that an aggregated list names, even where nothing is in them."""
    if kind == "instances":
        return sorted({f"zones/{zone}" for zone in (*ZONES, *project.unreachable)} | _used(project, kind))
    return sorted({f"regions/{zone.rpartition('-')[0]}" for zone in ZONES} | _used(project, kind))


def scope_of(path: str) -> str:
    """Return ``zones/Z``, ``regions/R`` or ``global`` of a resource's path."""
    parts = path.split("/")
    return "global" if parts[2] == "global" else "/".join(parts[2:4])


def condition(query: Mapping[str, str]) -> Callable[[Json], bool]:
    """Return the filter of a list. Equality of one field, or several in parentheses; anything else is refused."""
    text = query.get("filter", "").strip()
    if not text:
        return lambda _: True
    found = _CONDITION.findall(text)
    if not found or _CONDITION.sub("", text).replace("AND", "").strip():
        raise Refusal(400, "invalid", f"Invalid value for field 'filter': '{text}'. Invalid list filter expression.")

    def holds(item: Json) -> bool:
        for name, operator, *values in found:
            wanted, told = "".join(values), item.get(name)
            told = json.dumps(told) if isinstance(told, bool | int) else told or ""
            if operator == "eq" and not re.fullmatch(wanted, told):
                return False
            if operator != "eq" and told != wanted:
                return False
        return True

    return holds


def _used(project: Project, kind: str) -> set[str]:
    return {scope_of(path) for path in project.kinds[kind]}


def _warning(code: str, scope: str, message: str) -> Json:
    return {"code": code, "message": message, "data": [{"key": "scope", "value": scope}]}
