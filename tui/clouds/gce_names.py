"""How Compute Engine's resources are called: by everything from ``projects/`` on.

The same resource is named under several hosts, in part, and with its project's number, so nothing else can be compared.
Standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How resources are called in the answers about one project.

    ``aliases`` lead from other spellings of a project, such as its number, to the one that is used here.
    """

    home: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def id(self, reference: str) -> str:
        """Return a URL, full or partial, from ``projects/`` on; "" for none. Thousands of VMs name one network."""
        known = self._known.get(reference)
        if known is None:
            known = self._known[reference] = self._id(reference)
        return known

    def _id(self, reference: str) -> str:
        _, found, rest = reference.rpartition("/projects/")
        if not found:
            if not reference:
                return ""
            path = reference.lstrip("/")
            rest = path.removeprefix("projects/") if path.startswith("projects/") else f"{self.home}/{path}"
        if self.aliases:
            project, _, tail = rest.partition("/")
            rest = f"{self.aliases.get(project, project)}/{tail}"
        return f"projects/{rest}"


def project_of(resource_id: str) -> str:
    """Return the project that an id names."""
    return resource_id.split("/", 2)[1] if resource_id.startswith("projects/") else ""


def name_of(resource_id: str) -> str:
    """Return the last word of an id."""
    return resource_id.rpartition("/")[2]
