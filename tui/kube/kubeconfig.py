"""Which cluster and whose credentials: kubectl's rules for kubeconfig files, read before the first paint.

The ``kubernetes`` package merges several files by other rules than kubectl, and takes a second to import; so the files
are read here, and only the chosen context is handed to the package. May import the ports' errors and the model.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

from tui.kube.entries import ClusterEntry, ContextEntry, Document, UserEntry
from tui.model.text import printable
from tui.ports import Misconfigured

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet mounts a pod's token and the cluster's CA."""

_DEFAULT = "~/.kube/config"
_IN_CLUSTER = "in-cluster"
_NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The chosen context with everything it names. ``origin`` says in words where it was read, for messages.

    ``server`` has a scheme, no trailing slash, and no login, since it is shown in many places. ``user`` is empty for a
    context without one.
    """

    context: str
    server: str
    cluster: ClusterEntry = field(repr=False)
    user: UserEntry = field(repr=False)
    origin: str


def read_access(kubeconfig: str | None, context: str | None) -> Access:
    """Read the files that kubectl would read, and choose the context it would choose.

    ``kubeconfig`` and ``context`` are the operator's flags. Raises ``Misconfigured``.
    """
    paths = _paths(kubeconfig)
    merged = _merged(paths)
    if merged is not None:
        return merged.access(context)
    host = os.environ.get("KUBERNETES_SERVICE_HOST")
    if host and not kubeconfig and context in {None, _IN_CLUSTER} and (SERVICE_ACCOUNT / "token").exists():
        return _in_cluster(host)
    names = ", ".join(printable(str(path)) for path in paths)
    raise Misconfigured(f"there is no kubeconfig: {names} does not exist; name one with --kubeconfig or KUBECONFIG")


def known_contexts(kubeconfig: str | None) -> tuple[str, ...]:
    """Return the names of all contexts in the files that kubectl would read. Raises ``Misconfigured``."""
    merged = _merged(_paths(kubeconfig))
    return () if merged is None else tuple(merged.contexts)


def known_servers(kubeconfig: str | None) -> dict[str, str | None]:
    """Return the server of each context in those files; None of one that cannot be used. Raises ``Misconfigured``."""
    merged = _merged(_paths(kubeconfig))
    if merged is None:
        return {}
    found: dict[str, str | None] = {}
    for name in merged.contexts:
        try:
            found[name] = merged.access(name).server
        except Misconfigured:
            found[name] = None
    return found


def _merged(paths: Sequence[Path]) -> "_Merged | None":
    """Return what is in the files; None where there is none of them."""
    texts = [(path, text) for path in paths if (text := _text(path)) is not None]
    return _Merged.of([(path, _parse(path, text)) for path, text in texts]) if texts else None


def _paths(kubeconfig: str | None) -> list[Path]:
    names = [kubeconfig] if kubeconfig else os.environ.get("KUBECONFIG", "").split(os.pathsep)
    return [Path(name).expanduser() for name in dict.fromkeys(filter(None, names))] or [Path(_DEFAULT).expanduser()]


def _in_cluster(host: str) -> Access:
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    return Access(
        context=_IN_CLUSTER,
        server=server,
        cluster=ClusterEntry(server=server, certificate_authority=str(SERVICE_ACCOUNT / "ca.crt")),
        user=UserEntry(token_file=str(SERVICE_ACCOUNT / "token")),
        origin="the pod's service account",
    )


def _text(path: Path) -> str | None:
    """Return the file's text; None when there is no such file. Raises ``Misconfigured``."""
    name = printable(str(path))
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Misconfigured(f"the kubeconfig {name} cannot be read ({error.strerror}): name a readable file") from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"the kubeconfig {name} is not text in UTF-8: name another with --kubeconfig") from error


def _parse(path: Path, text: str) -> Document:
    name = printable(str(path))
    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
        return msgspec.convert(document, Document) if document is not None else Document()
    except yaml.YAMLError as error:
        line, problem = _problem(error, text)
        raise Misconfigured(f"the kubeconfig {name} is malformed in line {line} ({problem}): correct it") from error
    except (msgspec.ValidationError, ValueError) as error:  # the latter for a date that is none
        raise Misconfigured(f"the kubeconfig {name} is malformed ({printable(str(error))}): correct it") from error


def _problem(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """Return the line, counted from 1, and what is wrong there."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return error.problem_mark.line + 1, printable(error.problem or error.context or "not YAML")
    position = error.position if isinstance(error, yaml.reader.ReaderError) else len(text)
    return text.count("\n", 0, position) + 1, "a character that YAML does not allow"


@dataclass(frozen=True, slots=True)
class _Merged:
    """Several files as one. As in kubectl, the first file that says something wins, entry by entry."""

    origin: str
    current_context: str | None
    contexts: Mapping[str, ContextEntry]
    clusters: Mapping[str, ClusterEntry]
    users: Mapping[str, UserEntry]

    @classmethod
    def of(cls, files: Sequence[tuple[Path, Document]]) -> "_Merged":
        contexts: dict[str, ContextEntry] = {}
        clusters: dict[str, ClusterEntry] = {}
        users: dict[str, UserEntry] = {}
        for path, file in files:
            folder = path.absolute().parent
            for context in file.contexts or ():
                contexts.setdefault(context.name, context.context or ContextEntry())
            for cluster in file.clusters or ():
                entry = _settled(cluster.cluster or ClusterEntry(), folder, "certificate_authority")
                clusters.setdefault(cluster.name, entry)
            for user in file.users or ():
                users.setdefault(user.name, _user(user.user or UserEntry(), folder))
        return cls(
            origin="the kubeconfig " + ", ".join(printable(str(path)) for path, _ in files),
            current_context=next((file.current_context for _, file in files if file.current_context), None),
            contexts=contexts,
            clusters=clusters,
            users=users,
        )

    def access(self, wanted: str | None) -> Access:
        """Return the wanted context, else the current one. Raises ``Misconfigured``."""
        if not self.contexts:
            raise Misconfigured(f"{self.origin} has no contexts: name another file with --kubeconfig")
        name = wanted or self.current_context
        if name is None:
            raise Misconfigured(f"{self.origin} has no current-context: choose with --context one of {self._known()}")
        context = self.contexts.get(name)
        if context is None:
            said = f'"{printable(name)}"' + ("" if wanted else ", its current-context")
            raise Misconfigured(f"{self.origin} has no context {said}: choose with --context one of {self._known()}")
        told = f'the context "{printable(name)}" of {self.origin}'
        if not context.cluster:
            raise Misconfigured(f"{told} names no cluster: correct it with kubectl config set-context --cluster")
        cluster = self.clusters.get(context.cluster)
        if cluster is None:
            raise Misconfigured(f'{told} names the cluster "{printable(context.cluster)}", which is missing: add it')
        if context.user and context.user not in self.users:
            raise Misconfigured(f'{told} names the user "{printable(context.user)}", which is missing: add it')
        _check(cluster, f'the cluster "{printable(context.cluster)}" of {self.origin}')
        user = self.users.get(context.user or "", UserEntry())
        return Access(context=name, server=_server(cluster, user), cluster=cluster, user=user, origin=self.origin)

    def _known(self) -> str:
        names = [printable(name) for name in self.contexts]
        more = [f"and {len(names) - _NAMES_SHOWN} more"] if len(names) > _NAMES_SHOWN else []
        return ", ".join(names[:_NAMES_SHOWN] + more)


def _check(cluster: ClusterEntry, told: str) -> None:
    if not cluster.server:
        raise Misconfigured(f"{told} has no server: correct it with kubectl config set-cluster --server")
    scheme = (cluster.proxy_url or "http://").partition("://")[0]
    if scheme not in {"http", "https", "socks5", "socks5h"}:
        raise Misconfigured(f"{told} has a proxy-url of an unknown kind: begin it with http://, https:// or socks5://")
    if scheme.startswith("socks") and find_spec("socks") is None:
        raise Misconfigured(f"{told} is behind a SOCKS proxy, which needs the Python package PySocks: install it")


def _server(cluster: ClusterEntry, user: UserEntry) -> str:
    """Return the server as kubectl reads it: without a scheme, https is meant where the context speaks of TLS."""
    server = (cluster.server or "").rstrip("/")
    scheme, is_told, rest = server.partition("://")
    if is_told:
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    told = (cluster.certificate_authority, cluster.certificate_authority_data, cluster.insecure_skip_tls_verify)
    return ("https://" if any((*told, user.client_certificate, user.client_certificate_data)) else "http://") + server


_Entry = TypeVar("_Entry", ClusterEntry, UserEntry)


def _settled(entry: _Entry, folder: Path, *path_fields: str) -> _Entry:
    """Read empty texts as not set, as kubectl does, and paths as relative to the file's folder."""
    changes: dict[str, str | None] = {}
    for name in entry.__struct_fields__:
        value = getattr(entry, name)
        if value == "":
            changes[name] = None
        elif value is not None and name in path_fields:
            changes[name] = os.path.normpath(folder / value)
    return msgspec.structs.replace(entry, **changes) if changes else entry


def _user(entry: UserEntry, folder: Path) -> UserEntry:
    entry = _settled(entry, folder, "client_certificate", "client_key", "token_file")
    plugin = entry.exec
    if plugin is None or "/" not in plugin.command:
        return entry
    command = os.path.normpath(folder / plugin.command)
    return msgspec.structs.replace(entry, exec=msgspec.structs.replace(plugin, command=command))
