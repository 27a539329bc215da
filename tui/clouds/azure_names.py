"""How Azure's resources are called: by ids of which the same one comes in several casings.

One answer writes ``resourceGroups/TEST`` where another writes ``resourcegroups/test``, so ids are compared folded, as
a whole, and sent as they were given. Standard library only.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/(?P<namespace>[^/]+)"
    r"/(?P<rest>[^/]+/[^/]+(?:/[^/]+/[^/]+)*)",
    re.IGNORECASE,
)
_FORBIDDEN = re.compile(r"[?#%\\\x00-\x20\x7f]|(?:^|/)\.{1,2}(?:/|$)")
"""What would lead a request elsewhere: ids also come from saved plans and journals."""

_SUBSCRIPTION = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z-]{0,63}")
_GROUP = re.compile(r"[\w().-]{0,89}[\w()-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceId:
    """An id, taken apart.

    ``text`` is the id as it was given, ``kind`` its full type in lower case
    (``microsoft.network/virtualnetworks/subnets``), ``names`` the resource's own name last.
    """

    text: str
    subscription: str
    group: str
    kind: str
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "ResourceId | None":
        """Take an id apart; None for what is no id of a resource, or could lead a request elsewhere."""
        found = _ID.fullmatch(text.rstrip("/"))
        if found is None or _FORBIDDEN.search(text):
            return None
        words = found["rest"].split("/")
        return cls(
            text=found.group(),
            subscription=found["subscription"],
            group=found["group"],
            kind="/".join([found["namespace"], *words[::2]]).lower(),
            names=tuple(words[1::2]),
        )

    @property
    def name(self) -> str:
        """The resource's own name."""
        return self.names[-1]

    @property
    def parent(self) -> str:
        """The id of the resource that this one is a part of, in the same spelling; "" when it is no part."""
        return self.text.rsplit("/", 2)[0] if len(self.names) > 1 else ""

    @property
    def group_id(self) -> str:
        """The id of the resource group, in the same spelling."""
        return "/".join(self.text.split("/")[:5])


class Spellings:
    """One spelling for each id: that of the resource itself where it is known, else the first that was asked about."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._known: dict[str, str] = {}
        for id_ in ids:
            self.of(id_)

    def of(self, reference: str) -> str:
        """Return the one spelling of the id that a reference means."""
        return self._known.setdefault(fold(reference), reference.rstrip("/"))


def fold(id_: str) -> str:
    """Return what is equal for two ids exactly when they mean the same resource."""
    return id_.rstrip("/").lower()


def same(one: str, other: str) -> bool:
    """Tell whether two ids mean the same resource."""
    return fold(one) == fold(other)


def kind_of(path: str) -> str:
    """Return the type that a path is about, in lower case: of a resource, a collection or an action.

    "" for a path that names no provider. What comes after the last ``/providers/`` counts.
    """
    namespace, _, rest = path.lower().rpartition("/providers/")[2].partition("/")
    return "/".join([namespace, *rest.split("/")[::2]]) if "/providers/" in path.lower() else ""


def name_of(id_: str) -> str:
    """Return the last word of an id."""
    return id_.rstrip("/").rpartition("/")[2]


def is_subscription(text: str) -> bool:
    """Tell whether the text can be a subscription's id."""
    return _SUBSCRIPTION.fullmatch(text) is not None


def is_group(text: str) -> bool:
    """Tell whether the text can be a resource group's name."""
    return _GROUP.fullmatch(text) is not None
