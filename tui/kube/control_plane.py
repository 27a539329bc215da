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

SELECTORS = tuple(
    f"{label} in (kube-controller-manager,cloud-controller-manager)" for label in ("component", "k8s-app")
)
"""Of kubeadm's static pods, and of the controller managers that are deployed as a DaemonSet."""
_KUBE, _CLOUD = "kube-controller-manager", "cloud-controller-manager"
_CONTROLLER_NAMES = frozenset({"route", "node-route-controller"})


class _ListMetadata(msgspec.Struct, gc=False):
    continue_: str = msgspec.field(default="", name="continue")


class _Metadata(msgspec.Struct, gc=False):
    name: str = ""


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


class _PodPage(msgspec.Struct, gc=False):
    metadata: _ListMetadata
    items: list[_Pod] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod as far as it is needed here. ``words`` are the command lines of its containers, split as a shell does."""

    name: str
    running: bool
    words: tuple[tuple[str, ...], ...]


def decode_pods(body: bytes) -> tuple[tuple[Pod, ...], str]:
    """Return one page of a pod list, and the token of the next, "" on the last. Raises ``Malformed``."""
    try:
        page = msgspec.json.decode(body, type=_PodPage)
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from error
    return tuple(_pod(raw) for raw in page.items or ()), page.metadata.continue_


def route_writer(pods: Iterable[Pod]) -> str | None:
    """Return, in words, which running pod writes routes and how that is known; None when none does."""
    for pod in pods:
        for words in pod.words if pod.running else ():
            evidence = _evidence(words)
            if evidence is not None:
                return f"pod kube-system/{pod.name} {evidence}"
    return None


def _pod(raw: _Pod) -> Pod:
    containers = raw.spec.containers or () if raw.spec else ()
    return Pod(
        name=raw.metadata.name,
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


def _evidence(words: tuple[str, ...]) -> str | None:
    """Return why this command line writes routes; None when it does not."""
    flags = _flags(words)
    told = flags.get("configure-cloud-routes", "")
    if told.lower() in {"false", "0", "f"} or not _selected(flags.get("controllers", "*")):
        return None
    known = any(_KUBE in word for word in words if not word.startswith("-"))
    if known:
        provider = flags.get("cloud-provider", "")
        if provider in {"", "external"} or flags.get("allocate-node-cidrs", "").lower() not in {"true", "1", "t"}:
            return None
    elif not flags.get("cluster-cidr"):
        return None
    return f"runs with --configure-cloud-routes={told}" if told else "does not switch --configure-cloud-routes off"


def _flags(words: tuple[str, ...]) -> Mapping[str, str]:
    """Return the flags by name without dashes, the last of a name winning. A flag without a value is ``true``."""
    flags: dict[str, str] = {}
    for position, word in enumerate(words):
        name, given, value = word.lstrip("-").partition("=")
        if not word.startswith("-"):
            continue
        following = words[position + 1] if position + 1 < len(words) else "-"
        flags[name] = value if given else "true" if following.startswith("-") else following
    return flags


def _selected(controllers: str) -> bool:
    """Tell whether ``--controllers`` lets the route controller run."""
    chosen = [name.strip() for name in controllers.split(",")]
    if any(f"-{name}" in chosen for name in _CONTROLLER_NAMES):
        return False
    return "*" in chosen or not _CONTROLLER_NAMES.isdisjoint(chosen)
