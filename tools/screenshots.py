"""Draws the screenshots of the README from the embedded world: ``python tools/screenshots.py [--check]``.

Reproducible: fixed sizes, a standing clock and seeded scenarios, so that two runs write the same bytes. ``--check``
draws elsewhere and fails when the pictures in the repository show another text; how Textual writes SVG may change.
"""

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", PYTHONUTF8="1")
os.environ.pop("NO_COLOR", None)

from tui.demo import DemoWorld, open_world
from tui.engine.applier import Writing
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.session import Session
from tui.screen.app import L2BridgeApp
from tui.settings import Settings

if TYPE_CHECKING:
    from textual.pilot import Pilot

PICTURES = Path(__file__).resolve().parents[1] / "screenshots"
_DEADLINE_S = 30.0
_STEP_S = 10
"""How far the world's time goes from one look at it to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: what the world has gone through, the keys, and what must have appeared before it is taken."""

    name: str
    scenario: str
    size: tuple[int, int]
    after_s: int = 0
    keys: tuple[str, ...] = ()
    awaited: str = ""
    theme: str = "dark"


SHOTS = (
    Shot(name="nodes", scenario="mixed", size=(120, 36), keys=("j",) * 10),
    Shot(name="nodes-80x24", scenario="mixed", size=(80, 24), theme="mono"),
    Shot(name="nodes-light", scenario="gce", size=(100, 24), theme="light"),
    Shot(name="chain", scenario="gce", size=(110, 44), keys=("j", "enter")),
    Shot(
        name="plan",
        scenario="gce",
        size=(120, 32),
        keys=("j", "j", "f"),
        awaited="Plan: 1 to add, 0 to change, 1 to destroy",
    ),
    Shot(name="routes", scenario="mixed", size=(120, 32), keys=("2", *"jjjj"), awaited="(foreign)"),
    Shot(name="upgrade", scenario="rolling-upgrade", size=(120, 32), after_s=150, keys=("3",)),
    Shot(name="lost-source", scenario="denied", size=(120, 24)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A part of a film: the keys, what must have appeared, and for how long it is shown then."""

    keys: tuple[str, ...] = ()
    awaited: str = ""
    seconds: float = 2.0
    looked: bool = False
    """Whether the world was looked at again meanwhile."""


FILM = (
    Scene(seconds=3.0),
    Scene(keys=("f",), awaited="Plan: 1 to add, 0 to change, 0 to destroy", seconds=5.0),
    Scene(keys=("y",), awaited="1 applied", seconds=3.5),
    Scene(keys=("enter",), awaited="3 OK", seconds=4.0, looked=True),
)
"""How one node is fixed by keyboard."""


class Studio:
    """A console on a world that stands still, which does what it is told and is looked at."""

    def __init__(self, shot: Shot, world: DemoWorld, state: Path) -> None:
        self._shot = shot
        self._world = world
        self.session = _session(world, state)
        self._app = L2BridgeApp(self.session, Settings(state_dir=state, demo=shot.scenario, theme=shot.theme))

    async def play(self, scenes: Sequence[Scene]) -> AsyncIterator[str]:
        """Yield what is seen at the end of each scene."""
        async with self._app.run_test(size=self._shot.size) as pilot:
            for _ in range(0, self._shot.after_s, _STEP_S):
                self._world.clock.advance(_STEP_S)
                self.session.observe()
            await self._until(pilot, self._is_current)
            for scene in scenes:
                await pilot.press(*scene.keys)
                if scene.looked:
                    self.session.observe()
                await self._until(pilot, lambda: scene.awaited in _plain(self._app.export_screenshot()))  # noqa: B023
                yield self._app.export_screenshot(title="l2bridge-tui")

    def _is_current(self) -> bool:
        report = self._app.report
        return report is not None and report.snapshot.taken_at == self._world.clock.now()

    async def _until(self, pilot: "Pilot[int]", holds: Callable[[], bool]) -> None:
        deadline_s = monotonic() + _DEADLINE_S
        while not holds() or self._app._batch_count:  # what is held back is not painted yet
            if monotonic() > deadline_s:
                raise TimeoutError(f"{self._shot.name}: not seen in\n{_plain(self._app.export_screenshot())}")
            await pilot.pause(0.02)
        await pilot.pause()


async def draw(shot: Shot, folder: Path, scenes: Sequence[Scene] = ()) -> None:
    """Take one picture, or with ``scenes`` a film."""
    world = open_world(shot.scenario, latency=False)
    with tempfile.TemporaryDirectory() as state:
        studio = Studio(shot, world, Path(state))
        try:
            frames = [
                _reproducible(svg, f"frame{number}")
                async for number, svg in _numbered(studio.play(scenes or [Scene(keys=shot.keys, awaited=shot.awaited)]))
            ]
        finally:
            world.close()
            await asyncio.to_thread(studio.session.close)
    picture = _film(frames, [scene.seconds for scene in scenes]) if scenes else frames[0]
    (folder / f"{shot.name}.svg").write_text(picture, encoding="utf-8")


async def _numbered(items: AsyncIterator[str]) -> AsyncIterator[tuple[int, str]]:
    number = 0
    async for item in items:
        yield number, item
        number += 1


def _film(frames: Sequence[str], seconds: Sequence[float]) -> str:
    """Lay the frames upon each other and let each be seen in its time, again and again."""
    whole = sum(seconds)
    parts, begun = [frames[0].partition(">")[0] + ">"], 0.0
    for number, (frame, lasts) in enumerate(zip(frames, seconds, strict=True)):
        start, end = 100 * begun / whole, 100 * (begun + lasts) / whole
        shown = f"@keyframes frame{number} {{ 0% {{ visibility: hidden }} {start:.2f}% {{ visibility: visible }} "
        shown += f"{end:.2f}% {{ visibility: hidden }} }}" if end < 100 else "}"
        inner = frame.partition(">")[2].removesuffix("</svg>\n").removesuffix("</svg>")
        parts.append(f"<style>{shown}</style>")
        parts.append(
            f'<g style="visibility: hidden; animation: frame{number} {whole:g}s step-end infinite">{inner}</g>'
        )
        begun += lasts
    return "\n".join([*parts, "</svg>\n"])


class _Still(Session):
    """A session that looks only when it is told to, so that every instant in a picture is the same each time."""

    def start(self, interval_s: float = 0, *, recorded: bool = False) -> None:
        """Look once."""
        del interval_s, recorded
        self.observe()

    def refresh(self) -> None:
        """Do not look."""


def _session(world: DemoWorld, state: Path) -> Session:
    observer = Observer(nodes=world.nodes, reader=world.reader, clock=world.clock, scope=world.scope)
    journal = Journal.of(state, observer.cluster, world.clock)
    return _Still(
        nodes=world.nodes,
        observer=observer,
        reader=world.reader,
        writing=Writing(writer=world.writer, width=1),
        journal=journal,
        clock=world.clock,
    )


def _plain(svg: str) -> str:
    return re.sub(r"<style.*?</style>|<[^>]+>", "", svg, flags=re.DOTALL).replace("&#160;", " ")


def _reproducible(svg: str, name: str) -> str:
    """Replace the random prefix of the ids."""
    return re.sub(r"terminal-\d+", name, svg)


async def _draw_all(folder: Path) -> None:
    for shot in SHOTS:
        await draw(shot, folder)
    await draw(Shot(name="fix-one-node", scenario="gce", size=(100, 26)), folder, FILM)


def _stale(drawn: Path) -> list[str]:
    """Return the names of pictures that are missing or show something else than the ones just drawn."""
    kept = {path.name: _plain(path.read_text(encoding="utf-8")) for path in PICTURES.glob("*.svg")}
    now = {path.name: _plain(path.read_text(encoding="utf-8")) for path in drawn.glob("*.svg")}
    return sorted(name for name in kept.keys() | now.keys() if kept.get(name) != now.get(name))


def main(arguments: Sequence[str]) -> int:
    """Draw, or compare; return 1 when a picture is out of date, 2 for an unknown argument."""
    if not arguments:
        asyncio.run(_draw_all(PICTURES))
        return 0
    if list(arguments) != ["--check"]:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_draw_all(Path(folder)))
        stale = _stale(Path(folder))
    print(f"out of date, draw again: {', '.join(stale)}" if stale else "the pictures are up to date")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
