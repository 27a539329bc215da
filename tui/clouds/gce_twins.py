"""Requests to Compute Engine as ``gcloud`` would send them. Standard library only."""

import shlex
from collections.abc import Mapping

from tui.model.text import printable

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "instances": ("instances",),
    "instanceGroupManagers": ("instance-groups", "managed"),
    "instanceTemplates": ("instance-templates",),
    "operations": ("operations",),
    "projects": ("project-info",),
    "routes": ("routes",),
    "subnetworks": ("networks", "subnets"),
}
_VERBS: Mapping[str, str] = {"DELETE": "delete", "POST": "create", "PUT": "update-from-file"}


def twin(method: str, path: str) -> str:
    """Return what asks for the same, whole: without pages, filters and fields. ``path`` is from ``projects/`` on."""
    words = printable(path).split("/")
    place = dict(zip(words[::2], words[1::2], strict=False))
    flags = ["--project", place["projects"]]
    flags += [word for kind in ("zone", "region") if f"{kind}s" in place for word in (f"--{kind}", place[f"{kind}s"])]
    tail = words[2:]
    if tail[:1] in (["aggregated"], ["global"]):
        tail = tail[1:]
    elif tail[:1] in (["zones"], ["regions"]):
        tail = tail[2:]
    kind, *named = tail or ["projects"]
    group = _GROUPS.get(kind, (kind,))
    verb = "describe" if named or kind == "projects" else "list"
    verb = "wait" if named[1:] == ["wait"] else _VERBS.get(method, verb)
    return shlex.join(["gcloud", "compute", *group, verb, *named[:1], *flags])
