"""Draws the screenshots of the README from the embedded world: ``python tools/screenshots.py [--check]``.

Reproducible: fixed sizes, a standing clock and seeded scenarios, so that two runs write the same bytes. ``--check``
draws elsewhere and fails when the pictures in the repository show another text; how Textual writes SVG may change.
"""

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
os.environ.pop("NO_COLOR", None)

from tui.demo import DemoWorld, open_world
from tui.engine.applier import Writing
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.session import Session
from tui.screen.app import L2BridgeApp
from tui.settings import Settings

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


SHOTS = (
    Shot(name="nodes", scenario="mixed", size=(120, 36), keys=("j",) * 10),
    Shot(name="nodes-80x24", scenario="mixed", size=(80, 24)),
    Shot(
        name="plan",
        scenario="gce",
        size=(120, 32),
        keys=("j", "j", "f"),
        awaited="Plan: 1 to add, 0 to change, 1 to destroy",
    ),
    Shot(name="upgrade", scenario="rolling-upgrade", size=(120, 32), after_s=150, keys=("3",)),
    Shot(name="lost-source", scenario="denied", size=(120, 24)),
)


async def draw(shot: Shot, folder: Path) -> None:
    """Take one picture."""
    world = open_world(shot.scenario, latency=False)
    with tempfile.TemporaryDirectory() as state:
        session = _session(world, Path(state))
        app = L2BridgeApp(session, Settings(state_dir=Path(state), demo=shot.scenario, theme="dark"))
        try:
            async with app.run_test(size=shot.size) as pilot:

                async def until(holds: Callable[[], bool]) -> None:
                    deadline_s = monotonic() + _DEADLINE_S
                    while not holds():
                        if monotonic() > deadline_s:
                            raise TimeoutError(f"{shot.name}: what was waited for did not appear")
                        await pilot.pause(0.02)
                    await pilot.pause()

                for _ in range(0, shot.after_s, _STEP_S):
                    world.clock.advance(_STEP_S)
                    session.observe()
                await until(lambda: app.report is not None and app.report.snapshot.taken_at == world.clock.now())
                await pilot.press(*shot.keys)
                await until(lambda: shot.awaited in _plain(app.export_screenshot()))
                svg = app.export_screenshot(title="l2bridge-tui")
        finally:
            world.close()
            await asyncio.to_thread(session.close)
    (folder / f"{shot.name}.svg").write_text(_reproducible(svg), encoding="utf-8")


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


def _reproducible(svg: str) -> str:
    """Replace the random prefix of the ids."""
    return re.sub(r"terminal-\d+", "terminal", svg)


async def _draw_all(folder: Path) -> None:
    for shot in SHOTS:
        await draw(shot, folder)


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
