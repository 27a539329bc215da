"""What the operator asked for: flag, else environment, else config file, else default, as one frozen value.

``OPTIONS`` is the one table of options: the command line, the environment variables and the keys of the config file are
all made from it. May import the model's nouns and ``model.text``; imported before anything is shown, so it stays light.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

from tui import option_values as values
from tui.config_file import ConfigFile, suggestion
from tui.model.node import Cloud, IPNetwork

PROGRAM = "l2bridge-tui"
THEMES = ("dark", "light", "contrast", "ansi-dark", "ansi-light", "mono")
"""The names that the screen has colours for."""
MAX_CHANGES = 50
LOCK_NAMESPACE = "kube-system"
_CONTEXTS = "contexts"
"""The table in the config file with what holds for single contexts."""
_GENERAL = frozenset({"kubeconfig", "context", "protected", "log-file"})
"""What cannot be said of a single context: what chooses it, and what is done before it is known."""
UsageError = values.UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextTable:
    """What the config file says of the contexts whose names match a pattern: values and places by options' names."""

    pattern: str
    values: Mapping[str, object]
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that was asked for. None means "not said": then the nodes, kubectl's or the SDK's own rules decide.

    ``protected`` are patterns of contexts' names. ``max_changes`` is the number of changes that are applied without a
    further question; ``demo`` the scenario of the embedded world that replaces cluster and clouds. ``contexts`` say
    what holds in single ones, in the order of the file; it is not heeded before ``of_context``.
    """

    state_dir: Path
    kubeconfig: str | None = None
    context: str | None = None
    protected: tuple[str, ...] = ()
    read_only: bool = False
    cluster_cidrs: tuple[IPNetwork, ...] = ()
    node_subnets: tuple[IPNetwork, ...] = ()
    cloud: Cloud | None = None
    max_changes: int = MAX_CHANGES
    force_lock: bool = False
    lock_namespace: str = LOCK_NAMESPACE
    theme: str | None = None
    ascii: bool = False
    aws_region: str | None = None
    aws_vpc: str | None = None
    gcp_project: str | None = None
    azure_subscription: str | None = None
    azure_resource_groups: tuple[str, ...] = ()
    azure_route_table: str | None = None
    log_file: Path | None = None
    demo: str | None = None
    contexts: tuple[ContextTable, ...] = ()
    config_file: Path | None = field(default=None, compare=False)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Where each option was given, by its name."""

    def of_context(self, context: str) -> "Settings":
        """Return the settings as they hold for the context of this name; that is all they are good for.

        A context's table is weaker than a flag and the environment, and stronger than the rest of the config file. Of
        several tables whose patterns match, the first one in the file that has a key decides about that key.
        """
        chosen: dict[str, object] = {}
        origins = dict(self.origins)
        for option in OPTIONS:
            if origins.get(option.name) in {option.flag, option.variable}:
                continue
            for table in self.contexts:
                if option.name in table.values and fnmatchcase(context, table.pattern):
                    chosen[option.field], origins[option.name] = table.values[option.name], table.places[option.name]
                    break
        return replace(self, contexts=(), origins=origins, **chosen)  # type: ignore[arg-type]  # as the table says


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
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """How it is written on the command line."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "L2BRIDGE_" + self.name.upper().replace("-", "_")


OPTIONS: tuple[Option, ...] = (
    Option(
        name="kubeconfig",
        field="kubeconfig",
        read=values.text,
        metavar="FILE",
        about="kubeconfig instead of kubectl's",
    ),
    Option(name="context", field="context", read=values.text, metavar="NAME", about="instead of the current context"),
    Option(
        name="protected",
        field="protected",
        read=values.patterns,
        metavar="PATTERN",
        repeatable=True,
        about="contexts whose name must be typed before anything is written",
    ),
    Option(name="read-only", field="read_only", read=values.switch, metavar=None, about="nothing can be changed"),
    Option(
        name="cluster-cidr",
        field="cluster_cidrs",
        read=values.networks,
        metavar="CIDR",
        repeatable=True,
        about="the cluster's pod CIDR, where flannel's configuration cannot be read",
    ),
    Option(
        name="node-subnet",
        field="node_subnets",
        read=values.networks,
        metavar="CIDR",
        repeatable=True,
        about="a layer-2 subnet of nodes that live in no cloud",
    ),
    Option(
        name="cloud",
        field="cloud",
        read=values.cloud,
        metavar="CLOUD",
        choices=values.CLOUDS,
        about="auto, aws, gce, azure or none",
    ),
    Option(
        name="max-changes",
        field="max_changes",
        read=values.count,
        metavar="N",
        about=f"apply no more changes than this unasked (default {MAX_CHANGES})",
    ),
    Option(
        name="force-lock",
        field="force_lock",
        read=values.switch,
        metavar=None,
        about="take the cluster's lock from whoever holds it",
    ),
    Option(
        name="lock-namespace",
        field="lock_namespace",
        read=values.namespace,
        metavar="NAME",
        about=f"where the cluster's lock is kept (default {LOCK_NAMESPACE})",
    ),
    Option(
        name="theme",
        field="theme",
        read=values.one_of(*THEMES),
        metavar="NAME",
        choices=THEMES,
        about=", ".join(THEMES),
    ),
    Option(name="ascii", field="ascii", read=values.switch, metavar=None, about="write ASCII only"),
    Option(
        name="aws-region",
        field="aws_region",
        read=values.text,
        metavar="REGION",
        about="where EC2 nodes are looked for",
    ),
    Option(name="aws-vpc", field="aws_vpc", read=values.text, metavar="VPC", about="the only VPC that is looked at"),
    Option(
        name="gcp-project",
        field="gcp_project",
        read=values.project,
        metavar="PROJECT",
        about="where Compute Engine nodes are looked for",
    ),
    Option(
        name="azure-subscription",
        field="azure_subscription",
        read=values.subscription,
        metavar="ID",
        about="where Azure nodes are looked for",
    ),
    Option(
        name="azure-resource-group",
        field="azure_resource_groups",
        read=values.resource_groups,
        metavar="NAME",
        repeatable=True,
        about="read this group only, not the whole subscription",
    ),
    Option(
        name="azure-route-table",
        field="azure_route_table",
        read=values.route_table,
        metavar="NAME",
        about="the table for subnets that have none",
    ),
    Option(
        name="log-file",
        field="log_file",
        read=values.path,
        metavar="FILE",
        about="append what the SDKs have to say",
    ),
)


def load_settings(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """Merge what was given, each option by its name; ``flags`` may also name ``config`` and ``demo``.

    Reads the config file. Raises ``UsageError``.
    """
    named = flags.get("config") or environ.get("L2BRIDGE_CONFIG")
    known = [*(option.name for option in OPTIONS), _CONTEXTS]
    config = ConfigFile.read(Path(str(named)).expanduser() if named else None, PROGRAM, known)
    chosen: dict[str, object] = {}
    origins: dict[str, str] = {}
    for option in OPTIONS:
        if option.name in flags:
            place, given = option.flag, flags[option.name]
        elif environ.get(option.variable):
            place, given = option.variable, environ[option.variable]
        elif option.name in config.values:
            place, given = config.place(option.name), config.values[option.name]
        else:
            continue
        chosen[option.field], origins[option.name] = _read(option.read, given, place), place
    return Settings(
        state_dir=_state_dir(environ),
        demo=cast("str | None", flags.get("demo")),
        contexts=tuple(_context_tables(config)),
        config_file=config.path,
        origins=origins,
        **chosen,  # type: ignore[arg-type]  # the table gives each field its type
    )


def _context_tables(config: ConfigFile) -> Iterator[ContextTable]:
    """Yield the contexts' tables, each value of which can be used, whether or not there is such a context now."""
    known = {option.name: option for option in OPTIONS if option.name not in _GENERAL}
    for pattern, given in config.tables(_CONTEXTS):
        places = {name: config.place(_CONTEXTS, pattern, name) for name in given}
        for name, place in places.items():
            if name in _GENERAL:
                raise UsageError(f"{place} holds for all contexts: say it above the first table")
            if name not in known:
                raise UsageError(f"{place} is unknown{suggestion(name, [*known])}")
        read = {name: _read(known[name].read, value, places[name]) for name, value in given.items()}
        yield ContextTable(pattern=pattern, values=read, places=places)


def _read(read: Callable[[object], object], given: object, place: str) -> object:
    try:
        return read(given)
    except ValueError as error:
        raise UsageError(f"{place} {error}") from error


def _state_dir(environ: Mapping[str, str]) -> Path:
    named = environ.get("L2BRIDGE_STATE_DIR")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_state_path  # noqa: PLC0415 - not needed for --help and --version

    return user_state_path(PROGRAM, appauthor=False)
