"""Does a control plane component write the cloud's routes? Told by the arguments of its pods.

The rules are those of Kubernetes' route controller. It runs in the cloud controller manager when cloud routes are
configured (the default) and the cluster CIDR is given; in the kube-controller-manager only with a provider of its own
and when node CIDRs are allocated. Components outside of pods, as RKE runs them, are not seen here. May import msgspec.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from tui.kube.answers import Malformed

_KUBE, _CLOUD = "kube-controller-manager", "cloud-controller-manager"
SELECTORS = (
    f"component in ({_KUBE},{_CLOUD})",
    f"k8s-app in ({_KUBE},{_CLOUD},aws-{_CLOUD},gcp-{_CLOUD},azure-{_CLOUD})",
)
"""Of kubeadm's static pods, and of the cloud controller managers that are deployed as a DaemonSet."""
_CONTROLLER_NAMES = frozenset({"route", "node-route-controller"})
_SWITCHES = frozenset({"configure-cloud-routes", "allocate-node-cidrs"})
"""Flags that take no word of their own as a value, only one behind an equals sign."""


class _Labels(msgspec.Struct, gc=False):
    component: str = ""
    k8s_app: str = msgspec.field(default="", name="k8s-app")


class _Metadata(msgspec.Struct, gc=False):
    name: str = ""
    labels: _Labels | None = None


class _Container(msgspec.Struct, gc=False):
    command: list[str] | None = None
    args: list[str] | None = None


class _Spec(msgspec.Struct, gc=False):
    containers: list[_Container] | None = None


class _Status(msgspec.Struct, gc=False):
    phase: str = ""


class _Pod(msgspec.Struct, gc=False):
    metadata: _Metadata
    spec: _Spec | None = None
    status: _Status | None = None


class _PodList(msgspec.Struct, gc=False):
    items: list[_Pod] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod as far as it is needed here.

    ``component`` is what its labels call it, "" when they do not say. ``words`` are the command lines of its
    containers, split as a shell does.
    """

    name: str
    component: str = ""
    running: bool
    words: tuple[tuple[str, ...], ...]


def decode_pods(body: bytes) -> tuple[Pod, ...]:
    """Return the pods of a list. Raises ``Malformed``."""
    try:
        return tuple(_pod(raw) for raw in msgspec.json.decode(body, type=_PodList).items or ())
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from error


def route_writer(pods: Iterable[Pod]) -> str | None:
    """Return, in words, which running pod writes routes and how that is known; None when none does."""
    for pod in pods:
        for words in pod.words if pod.running else ():
            evidence = _evidence(pod.component, words)
            if evidence is not None:
                return f"pod kube-system/{pod.name} {evidence}"
    return None


def _pod(raw: _Pod) -> Pod:
    containers = raw.spec.containers or () if raw.spec else ()
    labels = raw.metadata.labels or _Labels()
    return Pod(
        name=raw.metadata.name,
        component=labels.component or labels.k8s_app,
        running=raw.status is not None and raw.status.phase == "Running",
        words=tuple(tuple(_words(container)) for container in containers),
    )


def _words(container: _Container) -> Iterator[str]:
    """Yield the words of a command line; a word that is itself a command line, as for ``sh -c``, is taken apart."""
    for word in (*(container.command or ()), *(container.args or ())):
        if any(name in word and not word.startswith("-") and " " in word for name in (_KUBE, _CLOUD)):
            try:
                yield from shlex.split(word)
            except ValueError:  # a quotation that does not end
                yield from word.split()
        else:
            yield word


def _evidence(component: str, words: tuple[str, ...]) -> str | None:
    """Return why this command line writes routes; None when it does not."""
    flags = _flags(words)
    told = flags.get("configure-cloud-routes", "")
    if told.lower() in {"false", "0", "f"} or not _selected(flags.get("controllers", "*")):
        return None
    if component == _KUBE or any(word.rpartition("/")[2] == _KUBE for word in words):
        provider = flags.get("cloud-provider", "")
        if provider in {"", "external"} or flags.get("allocate-node-cidrs", "").lower() not in {"true", "1", "t"}:
            return None
    elif not flags.get("cluster-cidr"):
        return None
    return f"runs with --configure-cloud-routes={told}" if told else "does not switch --configure-cloud-routes off"


def _flags(words: tuple[str, ...]) -> Mapping[str, str]:
    """Return the flags by name without dashes, the last of a name winning. A flag without a value is ``true``."""
    flags: dict[str, str] = {}
    for word, following in zip(words, (*words[1:], "-"), strict=False):
        if word.startswith("-"):
            name, given, value = word.lstrip("-").partition("=")
            alone = name in _SWITCHES or following.startswith("-")
            flags[name] = value if given else "true" if alone else following
    return flags


def _selected(controllers: str) -> bool:
    """Tell whether ``--controllers`` lets the route controller run."""
    chosen = [name.strip() for name in controllers.split(",")]
    if any(f"-{name}" in chosen for name in _CONTROLLER_NAMES):
        return False
    return "*" in chosen or not _CONTROLLER_NAMES.isdisjoint(chosen)
