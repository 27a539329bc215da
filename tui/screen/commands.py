"""What can be done right now, read from the live bindings: the one list behind help, palette and key line."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from textual.dom import DOMNode
from textual.screen import Screen

from tui.screen.format import Line, Span, Tone, line

_KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "escape": "esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "exclamation_mark": "!",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One live binding, or one thing that is only called by name.

    ``keys`` are all keys of it, as people write them; ``node`` is whose action it is.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    explanation: str
    action: str
    node: DOMNode
    shown: bool
    obstacle: str | None = None
    """Why it is not available now; None when it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Something to do that has no key: it is typed after the colon. ``action`` is its node's."""

    name: str
    explanation: str
    action: str


@runtime_checkable
class Naming(Protocol):
    """A screen with commands that have no key."""

    def named(self) -> Iterable[Named]:
        """Return them."""


@runtime_checkable
class Obstructing(Protocol):
    """An app that knows why something is not available."""

    def obstacle(self, action: str) -> str | None:
        """Return why, in a few words; None when it is available."""


def live_commands(screen: "Screen[object] | Screen[None]") -> list[Command]:
    """Return what can be done on the screen: bindings of the focused widget, its parents, the app; then the named."""
    found: dict[str, Command] = {}
    for key, active in screen.active_bindings.items():
        binding = active.binding
        if not binding.description:
            continue
        identity = binding.id or binding.action
        known = found.get(identity)
        found[identity] = Command(
            id=identity,
            keys=(*(known.keys if known else ()), key_name(key)),
            title=binding.description,
            explanation=binding.tooltip,
            action=binding.action,
            node=active.node,
            shown=binding.show,
            obstacle=None if active.enabled else _obstacle(screen, binding.action),
        )
    return [*found.values(), *_named_commands(screen)]


def _named_commands(screen: "Screen[object] | Screen[None]") -> Iterable[Command]:
    for named in screen.named() if isinstance(screen, Naming) else ():
        yield Command(
            id=f"{screen.id}.{named.name}",
            keys=(f":{named.name}",),
            title=named.name.replace("-", " ").capitalize(),
            explanation=named.explanation,
            action=named.action,
            node=screen,
            shown=False,
            obstacle=None if screen.check_action(named.action, ()) else _obstacle(screen, named.action),
        )


def _obstacle(screen: "Screen[object] | Screen[None]", action: str) -> str:
    app = screen.app
    return (app.obstacle(action) if isinstance(app, Obstructing) else None) or "not now"


def key_name(key: str) -> str:
    """Return a key as people write it."""
    return _KEY_NAMES.get(key, key)


def key_line(commands: list[Command], width: int) -> Line:
    """Return the commands worth a place on the key line, as many as fit; the last two always do."""
    shown = [command for command in commands if command.shown and command.obstacle is None]
    pairs = [(command.keys[0], command.title.lower()) for command in shown]
    while len(pairs) > 2 and sum(len(key) + len(title) + 3 for key, title in pairs) > width:
        pairs.pop(-3)
    spans: list[Span] = []
    for key, title in pairs:
        spans += [Span(key, Tone.KEY), Span(f" {title}  ")]
    return line(*spans)
