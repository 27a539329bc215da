"""What the operator asked for: flag, else environment, else config file, else default, as one frozen value.

May import options, the config file and the model's nouns; imported before anything is shown, so it stays light.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

from tui import option_values as values
from tui.config_file import ConfigFile, suggestion
from tui.model.node import Cloud, IPNetwork
from tui.options import LOCK_NAMESPACE, MAX_CHANGES, OPTIONS, PROGRAM

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
    further question; ``demo`` the scenario of the embedded world that replaces cluster and clouds; ``select`` the node
    that the console begins on. ``contexts`` say what holds in single ones, in the order of the file; it is not heeded
    before ``of_context``.
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
    node_columns: tuple[str, ...] = ()
    route_columns: tuple[str, ...] = ()
    aws_region: str | None = None
    aws_vpc: str | None = None
    gcp_project: str | None = None
    azure_subscription: str | None = None
    azure_resource_groups: tuple[str, ...] = ()
    azure_route_table: str | None = None
    log_file: Path | None = None
    demo: str | None = None
    select: str | None = None
    contexts: tuple[ContextTable, ...] = ()
    config_file: Path | None = field(default=None, compare=False)
    """Where the config file stands, or would."""
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Where each option was given, by its name."""

    def of_context(self, context: str) -> "Settings":
        """Return the settings as they hold for the context of this name; that is all they are good for.

        A context's table is weaker than a flag and the environment, and stronger than the rest of the config file. Of
        several tables whose patterns match, the first one in the file that has a key decides about it. What a table
        makes read-only stays so whatever stands in the environment.
        """
        chosen: dict[str, object] = {}
        origins = dict(self.origins)
        for option in OPTIONS:
            said = origins.get(option.name) in {option.flag, option.variable}
            tables = (one for one in self.contexts if option.name in one.values and fnmatchcase(context, one.pattern))
            table = next(tables, None)
            if table is None:
                continue
            value = table.values[option.name]
            if not said or (option.field == "read_only" and value):
                chosen[option.field], origins[option.name] = value, table.places[option.name]
        return replace(self, contexts=(), origins=origins, **chosen)  # type: ignore[arg-type]  # as the table says


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
        select=cast("str | None", flags.get("select")),
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
