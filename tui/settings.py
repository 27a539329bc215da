"""What the operator asked for: flag, else environment, else config file, else default, as one frozen value.

``OPTIONS`` is the one table of options: the command line, the environment variables and the keys of the config file are
all made from it. May import the model's nouns and ``model.text``; imported before anything is shown, so it stays light.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import cast

from tui.model.node import Cloud, IPNetwork
from tui.model.text import printable

PROGRAM = "l2bridge-tui"
THEMES = ("dark", "light", "ansi-dark", "ansi-light", "mono")
"""The names that the screen has colours for."""
MAX_CHANGES = 50


class UsageError(ValueError):
    """What the operator gave cannot be used; the text is one sentence that says where it stands and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that was asked for. None means "not said": then the nodes, kubectl's or the SDK's own rules decide.

    ``max_changes`` is the number of changes that are applied without a further question; ``demo`` the scenario of the
    embedded world that replaces cluster and clouds.
    """

    state_dir: Path
    kubeconfig: str | None = None
    context: str | None = None
    read_only: bool = False
    cluster_cidrs: tuple[IPNetwork, ...] = ()
    node_subnets: tuple[IPNetwork, ...] = ()
    cloud: Cloud | None = None
    max_changes: int = MAX_CHANGES
    theme: str | None = None
    ascii: bool = False
    aws_region: str | None = None
    aws_vpc: str | None = None
    gcp_project: str | None = None
    log_file: Path | None = None
    demo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option, wherever it is given. ``name`` is its flag without dashes and its key in the config file.

    ``read`` turns what was given into the value of ``field``, or raises ``ValueError`` with the end of a sentence that
    begins with the option's name. ``metavar`` is None for a switch.
    """

    name: str
    field: str
    read: Callable[[object], object]
    about: str
    metavar: str | None
    repeatable: bool = False

    @property
    def flag(self) -> str:
        """How it is written on the command line."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "L2BRIDGE_" + self.name.upper().replace("-", "_")


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise ValueError("must be text")
    if not given.strip():
        raise ValueError("must not be empty")
    return given


def _switch(given: object) -> bool:
    if isinstance(given, bool):
        return given
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if not isinstance(given, str) or given.lower() not in words:
        raise ValueError(f"must be true or false, not {given!r}")
    return words[given.lower()]


def _count(given: object) -> int:
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ValueError(f"must be a whole number from 1, not {given!r}")
    return given


def _networks(given: object) -> tuple[IPNetwork, ...]:
    """Read ranges: a list, or one text in which they are separated by commas or spaces."""
    found: list[IPNetwork] = []
    for text in given if isinstance(given, list) else [given]:
        if not isinstance(text, str) or not text.strip():
            raise ValueError("must be a CIDR such as 10.42.0.0/16, or a list of them")
        found.extend(map(_network, text.replace(",", " ").split()))
    return tuple(found)


def _network(text: str) -> IPNetwork:
    try:
        if "/" not in text:
            raise ValueError
        return ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"must be a CIDR such as 10.42.0.0/16, not {text!r}") from error


def _cloud(given: object) -> Cloud | None:
    choice = _one_of("auto", *Cloud)(given)
    return None if choice == "auto" else Cloud(choice)


def _one_of(*choices: str) -> Callable[[object], str]:
    def read(given: object) -> str:
        if given not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {given!r}")
        return str(given)

    return read


def _project(given: object) -> str:
    """Read a project's id. Its number would name the same project, and compare as another one."""
    if not re.fullmatch(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]*", _text(given)):
        raise ValueError(f"must be a project's id such as my-project-1, not {given!r}")
    return _text(given)


def _path(given: object) -> Path:
    return Path(_text(given)).expanduser()


OPTIONS: tuple[Option, ...] = (
    Option(name="kubeconfig", field="kubeconfig", read=_text, metavar="FILE", about="kubeconfig instead of kubectl's"),
    Option(name="context", field="context", read=_text, metavar="NAME", about="kubeconfig context instead of current"),
    Option(name="read-only", field="read_only", read=_switch, metavar=None, about="nothing can be changed"),
    Option(
        name="cluster-cidr",
        field="cluster_cidrs",
        read=_networks,
        metavar="CIDR",
        repeatable=True,
        about="the cluster's pod CIDR, where flannel's configuration cannot be read",
    ),
    Option(
        name="node-subnet",
        field="node_subnets",
        read=_networks,
        metavar="CIDR",
        repeatable=True,
        about="a layer-2 subnet of nodes that live in no cloud",
    ),
    Option(name="cloud", field="cloud", read=_cloud, metavar="CLOUD", about="auto, aws, gce, azure or none"),
    Option(
        name="max-changes",
        field="max_changes",
        read=_count,
        metavar="N",
        about=f"apply no more changes than this unasked (default {MAX_CHANGES})",
    ),
    Option(name="theme", field="theme", read=_one_of(*THEMES), metavar="NAME", about=", ".join(THEMES)),
    Option(name="ascii", field="ascii", read=_switch, metavar=None, about="write ASCII only"),
    Option(name="aws-region", field="aws_region", read=_text, metavar="REGION", about="where EC2 nodes are looked for"),
    Option(name="aws-vpc", field="aws_vpc", read=_text, metavar="VPC", about="the only VPC that is looked at"),
    Option(
        name="gcp-project",
        field="gcp_project",
        read=_project,
        metavar="PROJECT",
        about="where Compute Engine nodes are looked for",
    ),
    Option(name="log-file", field="log_file", read=_path, metavar="FILE", about="append what the SDKs have to say"),
)


def load_settings(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """Merge what was given, each option by its name; ``flags`` may also name ``config`` and ``demo``.

    Reads the config file. Raises ``UsageError``.
    """
    named = flags.get("config") or environ.get("L2BRIDGE_CONFIG")
    config = _Config.read(Path(str(named)).expanduser() if named else None)
    values: dict[str, object] = {}
    for option in OPTIONS:
        if option.name in flags:
            values[option.field] = _read(option, flags[option.name], option.flag)
        elif environ.get(option.variable):
            values[option.field] = _read(option, environ[option.variable], option.variable)
        elif option.name in config.values:
            values[option.field] = _read(option, config.values[option.name], config.place(option.name))
    return Settings(
        state_dir=_state_dir(environ),
        demo=cast("str | None", flags.get("demo")),
        **values,  # type: ignore[arg-type]  # the table gives each field its type
    )


def _read(option: Option, given: object, place: str) -> object:
    try:
        return option.read(given)
    except ValueError as error:
        raise UsageError(f"{place} {error}") from error


def _state_dir(environ: Mapping[str, str]) -> Path:
    named = environ.get("L2BRIDGE_STATE_DIR")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_state_path  # noqa: PLC0415 - not needed for --help and --version

    return user_state_path(PROGRAM, appauthor=False)


@dataclass(frozen=True, slots=True)
class _Config:
    """A config file: its keys, and its text to tell the line of one."""

    path: Path
    text: str
    values: Mapping[str, object]

    @classmethod
    def read(cls, named: Path | None) -> "_Config":
        """Read the file that was named, else the one in the config folder, which may be missing."""
        from platformdirs import user_config_path  # noqa: PLC0415 - not needed for --help and --version

        path = named or user_config_path(PROGRAM, appauthor=False) / "config.toml"
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            if named is None:
                return cls(path, "", {})
            raise UsageError(f"the config file {printable(str(path))} does not exist") from error
        except (OSError, UnicodeDecodeError) as error:
            why = (error.strerror or "") if isinstance(error, OSError) else "it is not UTF-8 text"
            raise UsageError(f"the config file {printable(str(path))} cannot be read: {why}") from error
        return cls(path, text, cls._parsed(path, text))._checked()

    @staticmethod
    def _parsed(path: Path, text: str) -> Mapping[str, object]:
        import tomllib  # noqa: PLC0415 - most people have no config file

        try:
            return tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            # The parser gives the line of every mistake but that of a file which ends too early.
            why = str(error).replace("at end of document", f"at the end, line {len(text.splitlines())}")
            raise UsageError(f"the config file {printable(str(path))} is not valid TOML: {why}") from error

    def _checked(self) -> "_Config":
        known = [option.name for option in OPTIONS]
        for key in self.values:
            if key not in known:
                raise UsageError(f"{self.place(key)} is unknown{_suggestion(key, known)}")
        return self

    def place(self, key: str) -> str:
        """Say where a key stands: the file, the line where it can be told, the key."""
        pattern = re.compile(rf"""^\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
        lines = (number for number, line in enumerate(self.text.splitlines(), start=1) if pattern.match(line))
        number = next(lines, None)
        where = printable(str(self.path)) if number is None else f"{printable(str(self.path))}, line {number}"
        return f"{where}: {printable(key)!r}"


def _suggestion(key: str, known: list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

    matches = get_close_matches(key.lower().replace("_", "-"), known, n=1)
    return f", did you mean {matches[0]!r}?" if matches else f"; known are {', '.join(known)}"
