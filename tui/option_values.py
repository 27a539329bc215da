"""What was given for an option, read into its value.

Each function raises ``ValueError`` with the end of a sentence that begins with the option's name. May import the
model's nouns; imported before anything is shown, so it stays light.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

from tui.model.arming import FixKind
from tui.model.node import Cloud, IPNetwork

_LONGEST_S = 7 * 86400
LOOPBACK = "127.0.0.1"


class UsageError(ValueError):
    """What the operator gave cannot be used; the text is one sentence that says where it stands and what is wrong."""


def text(given: object) -> str:
    """Read a text that says something."""
    if not isinstance(given, str):
        raise ValueError("must be text")
    if not given.strip():
        raise ValueError("must not be empty")
    return given


def switch(given: object) -> bool:
    """Read a truth value, in the words that people use."""
    if isinstance(given, bool):
        return given
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if not isinstance(given, str) or given.lower() not in words:
        raise ValueError(f"must be true or false, not {given!r}")
    return words[given.lower()]


def count(given: object) -> int:
    """Read a whole number from 1."""
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ValueError(f"must be a whole number from 1, not {given!r}")
    return given


def duration(given: object) -> float:
    """Read a length of time such as ``90s``, ``10m`` or ``1h30m``, in seconds."""
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", given) if isinstance(given, str) else None
    seconds = (
        sum(int(number or 0) * size for number, size in zip(parts.groups(), (3600, 60, 1), strict=True)) if parts else 0
    )
    if not 0 < seconds <= _LONGEST_S:
        raise ValueError(f"must be a length of time such as 90s, 10m or 1h30m, not {given!r}")
    return float(seconds)


def address(given: object) -> tuple[str, int]:
    """Read where to listen, ``ADDR:PORT``; without the address it is loopback."""
    host, _, port = given.rpartition(":") if isinstance(given, str) else ("", "", "")
    host = (host[1:-1] if host.startswith("[") and host.endswith("]") else host) or LOOPBACK
    try:
        if not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise ValueError
        return str(ip_address(host)), int(port)
    except ValueError as error:
        raise ValueError(f"must be an IP address and a port such as {LOOPBACK}:9797, not {given!r}") from error


def networks(given: object) -> tuple[IPNetwork, ...]:
    """Read ranges: a list, or one text in which they are separated by commas or spaces."""
    found: list[IPNetwork] = []
    for one in given if isinstance(given, list) else [given]:
        if not isinstance(one, str) or not one.strip():
            raise ValueError("must be a CIDR such as 10.42.0.0/16, or a list of them")
        found.extend(map(network, one.replace(",", " ").split()))
    return tuple(found)


def network(given: str) -> IPNetwork:
    """Read one range; host bits are cleared."""
    try:
        if "/" not in given:
            raise ValueError
        return ip_network(given, strict=False)
    except ValueError as error:
        raise ValueError(f"must be a CIDR such as 10.42.0.0/16, not {given!r}") from error


CLOUDS = ("auto", *map(str, Cloud))


def cloud(given: object) -> Cloud | None:
    """Read a cloud; None for ``auto``."""
    choice = one_of(*CLOUDS)(given)
    return None if choice == "auto" else Cloud(choice)


def one_of(*choices: str) -> Callable[[object], str]:
    """Return what reads one of these words."""

    def read(given: object) -> str:
        if given not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {given!r}")
        return str(given)

    return read


def some_of(*choices: str) -> Callable[[object], tuple[str, ...]]:
    """Return what reads some of these words: a list, or one text in which they are separated by commas."""

    def read(given: object) -> tuple[str, ...]:
        words = tuple(
            word.strip() for one in (given if isinstance(given, list) else [given]) for word in text(one).split(",")
        )
        wrong = next((word for word in words if word not in choices), None)
        if wrong is not None:
            raise ValueError(f"must be some of {', '.join(choices)}, not {wrong!r}")
        return tuple(dict.fromkeys(words))

    return read


def project(given: object) -> str:
    """Read a project's id. Its number would name the same project, and compare as another one."""
    if not re.fullmatch(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]*", text(given)):
        raise ValueError(f"must be a project's id such as my-project-1, not {given!r}")
    return text(given)


def namespace(given: object) -> str:
    """Read a namespace's name."""
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", text(given)):
        raise ValueError(f"must be a namespace's name such as kube-system, not {given!r}")
    return text(given)


def patterns(given: object) -> tuple[str, ...]:
    """Read names with ``*`` and ``?``: a list, or one text in which they are separated by commas."""
    found: list[str] = []
    for one in given if isinstance(given, list) else [given]:
        found.extend(text(pattern.strip()) for pattern in text(one).split(","))
    return tuple(found)


def fix_kinds(given: object) -> frozenset[FixKind]:
    """Read what may be fixed unasked: words that are separated by commas."""
    words = [word.strip() for word in text(given).split(",")]
    unknown = [word for word in words if word not in set(FixKind)]
    if unknown:
        raise ValueError(f"must be some of {','.join(FixKind)}, not {unknown[0]!r}")
    return frozenset(map(FixKind, words))


def path(given: object) -> Path:
    """Read a path; ``~`` is the home folder."""
    return Path(text(given)).expanduser()


def subscription(given: object) -> str:
    """Read a subscription's id; its name may be another one's as well."""
    if not re.fullmatch(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text(given)):
        raise ValueError(f"must be a subscription's id such as 00000000-0000-0000-0000-000000000000, not {given!r}")
    return text(given).lower()


def resource_groups(given: object) -> tuple[str, ...]:
    """Read resource groups: a list, or one text in which they are separated by commas."""
    found: list[str] = []
    for one in given if isinstance(given, list) else [given]:
        for name in text(one).split(","):
            if not re.fullmatch(r"[\w().-]{0,89}[\w()-]", name.strip()):
                raise ValueError(f"must be a resource group's name, not {name.strip()!r}")
            found.append(name.strip())
    return tuple(found)


def route_table(given: object) -> str:
    """Read a route table's name."""
    if not re.fullmatch(r"[0-9A-Za-z](?:[0-9A-Za-z_.-]{0,78}[0-9A-Za-z_])?", text(given)):
        raise ValueError(f"must be a route table's name, not its id and not {given!r}")
    return text(given)
