"""Where this program looks, as whom, and what for; never a secret.

May import settings, what renders, ``process`` and wiring.
"""

import os
import platform
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from urllib.parse import urlsplit

from tui import __version__
from tui.engine.elsewhere import state_file
from tui.engine.files import cluster_file
from tui.engine.observer import NODES
from tui.model.node import Cloud
from tui.model.text import printable
from tui.options import OPTIONS, PROGRAM
from tui.ports import Misconfigured
from tui.process import Streams
from tui.render import json_text
from tui.settings import Settings
from tui.wiring import cluster_of, open_session

_SCHEMA = "l2bridge-tui/info/v1"
_WIDTH = 80
_LABEL = 22

READS: Mapping[str, tuple[str, ...]] = {
    "kubernetes": (
        "nodes: list, watch",
        "configmaps kube-flannel-cfg, canal-config: get",
        "namespace kube-system: get",
        "pods on nodes that are drained: list",
        "pods in kube-system: list",
        "lease l2bridge-tui: get",
    ),
    "aws": ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"),
    "gce": (
        "compute.instances.list",
        "compute.instances.get",
        "compute.subnetworks.list",
        "compute.routes.list",
        "compute.routes.get",
        "compute.projects.get",
        "compute.instanceGroupManagers.get",
        "compute.instanceTemplates.get",
    ),
    "azure": (
        "Microsoft.Network/networkInterfaces/read",
        "Microsoft.Network/virtualNetworks/read",
        "Microsoft.Network/virtualNetworks/subnets/read",
        "Microsoft.Network/routeTables/read",
        "Microsoft.Network/routeTables/routes/read",
        "Microsoft.Compute/virtualMachineScaleSets/networkInterfaces/read",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces/read",
    ),
}
"""What is read, by the rights that it takes; of clouds, only where nodes live."""

_ENVIRONMENT: Mapping[str, tuple[str, ...]] = {
    "kubernetes": ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"),
    "aws": (
        *("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
        *("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2", "AWS_CA_BUNDLE"),
    ),
    "gce": (
        *("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"),
        *("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "REQUESTS_CA_BUNDLE"),
    ),
    "azure": (
        *("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_FEDERATED_TOKEN_FILE"),
        *("AZURE_CONFIG_DIR", "AZURE_TOKEN_CREDENTIALS", "AZURE_CLOUD", "AZURE_AUTHORITY_HOST", "ARM_ENDPOINT"),
        "REQUESTS_CA_BUNDLE",
    ),
}
"""The variables that say where and as whom, without those that are secrets themselves."""
_SECRETS: Mapping[str, tuple[str, ...]] = {
    "kubernetes": (),
    "aws": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    "gce": (),
    "azure": ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_PASSWORD"),
}
"""Those of which only the name is told, and that they are set."""


def info(settings: Settings, streams: Streams, *, as_json: bool) -> int:
    """Print everything; what is missing, a cluster too, is told in its place.

    What stands on this machine is printed before any server is asked.
    """
    told = {"schema": _SCHEMA, **local(settings, os.environ)}
    if as_json:
        streams.data(json_text(told | {"sources": _sources(settings)}))
        return 0
    for title in ("versions", "paths", "cluster", "options", "environment", "reads"):
        _print(streams, title, told[title])
    _print(streams, "sources", {str(source["name"]): source for source in _sources(settings)})
    return 0


def local(settings: Settings, environ: Mapping[str, str]) -> dict[str, object]:
    """Return what is known without asking any server."""
    return {
        "versions": {PROGRAM: __version__, "python": platform.python_version(), **_packages()},
        "paths": _paths(settings),
        "cluster": _cluster(settings),
        "options": {
            option.name: {"value": _told(getattr(settings, option.field)), "from": settings.origins[option.name]}
            for option in OPTIONS
            if option.name in settings.origins
        },
        "environment": {
            source: {
                **{name: _without_secret(environ[name]) for name in names if environ.get(name)},
                **{name: "set, not shown" for name in _SECRETS[source] if environ.get(name)},
            }
            for source, names in _ENVIRONMENT.items()
        },
        "reads": {source: list(rights) for source, rights in READS.items()},
    }


def _sources(settings: Settings) -> list[dict[str, object]]:
    """Read everything once; return of each source how that ended, and whom it takes this program for."""
    try:
        session = open_session(settings)
    except Misconfigured:
        return []  # which the cluster's part tells
    try:
        sources = session.observe().snapshot.sources
        clouds = [(one.name, Cloud(one.name.partition(":")[0])) for one in sources if one.name != NODES]
        actors = {actor.source: actor.identity for actor in session.identities.of(clouds)}
    finally:
        session.close()
    return [
        {"name": one.name, "state": str(one.state), "message": one.message, "identity": actors.get(one.name)}
        for one in sources
    ]


def _cluster(settings: Settings) -> dict[str, str | None]:
    """Return the cluster that would be looked at, or what is in the way of that."""
    try:
        found = cluster_of(settings)
    except Misconfigured as error:
        return {"trouble": str(error)}
    return {
        "context": found.cluster.context,
        "server": _without_secret(found.cluster.server),
        "credentials": found.credentials,
        "access": "read-only" if found.read_only else "protected" if found.protected else "read-write",
        "journal": str(cluster_file(settings.state_dir, "journal", found.cluster)),
        "record": str(cluster_file(settings.state_dir, "record", found.cluster)),
        "state": str(state_file(settings.state_dir, found.cluster)),
        "trouble": None,
    }


def _paths(settings: Settings) -> dict[str, object]:
    config = settings.config_file
    return {
        "config": None if config is None else str(config),
        "configExists": config is not None and config.exists(),
        "state": str(settings.state_dir),
        "exports": str(settings.state_dir / "exports"),
        "program": str(Path(__file__).parent),
    }


def _packages() -> dict[str, str]:
    """Return the versions of what this program depends on; it may run without being installed."""
    try:
        needed = [need for need in requires(PROGRAM) or () if "extra ==" not in need]
    except PackageNotFoundError:
        return {}
    found: dict[str, str] = {}
    for name in sorted(need.split(">")[0].split("[")[0].strip() for need in needed):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def _told(value: object) -> object:
    if isinstance(value, tuple | frozenset):
        return [_told(one) for one in value]
    return value if isinstance(value, bool | int) else str(value)


def _without_secret(text: str) -> str:
    """Return a URL without the user and the password that may stand in it; anything else as it is."""
    parts = urlsplit(text) if "://" in text else None
    if parts is None or "@" not in parts.netloc:
        return text
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _print(streams: Streams, title: str, content: object) -> None:
    """Print one part of the document for people."""
    streams.data(f"{title.capitalize()}\n")
    entries = content.items() if isinstance(content, Mapping) else ()
    lines = [line for name, value in entries for line in _entry(str(name), value)]
    streams.data("".join(f"{line}\n" for line in [*(lines or ["  nothing"]), ""]))


def _entry(name: str, value: object) -> Iterator[str]:
    match value:
        case None:
            return
        case bool():
            texts = ["yes" if value else "no"]
        case {"from": place, "value": given}:
            texts = [f"{_joined(given)} ({place})"]
        case {"state": state, "message": message, "identity": identity}:
            texts = [
                f"{state}, as {identity or 'nobody it would tell'}",
                *textwrap.wrap(message or "", _WIDTH - _LABEL),
            ]
        case Mapping():
            texts = [f"{key}={one}" for key, one in value.items()] or ["nothing"]
        case list():
            texts = [str(one) for one in value]
        case _:
            texts = [str(value)]
    label = f"  {printable(name)}"
    if len(label) > _LABEL:
        yield label
        label = ""
    for text in texts:
        yield f"{label:<{_LABEL + 2}}{printable(text)}"
        label = ""


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
