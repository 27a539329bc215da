"""Draws the screenshots of the README from the embedded world: ``python tools/screenshots.py [FOLDER]``.

Reproducible: fixed sizes, a standing clock and seeded scenarios, so that two runs write the same bytes.
"""

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
os.environ.pop("NO_COLOR", None)

from tui.demo import DemoWorld, open_world
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.session import Session
from tui.screen.app import L2BridgeApp
from tui.settings import Settings

_DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: the keys that lead to it, and what must have appeared before it is taken."""

    name: str
    scenario: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    awaited: str = ""


SHOTS = (
    Shot(name="nodes", scenario="mixed", size=(120, 36), keys=("j",) * 10),
    Shot(name="nodes-80x24", scenario="mixed", size=(80, 24)),
    Shot(
        name="plan",
        scenario="mixed",
        size=(120, 32),
        keys=("slash", *"win @fix", "enter", "f"),
        awaited="Plan: 0 to add, 1 to change",
    ),
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

                await until(lambda: _complete(app))
                await pilot.press(*shot.keys)
                await until(lambda: shot.awaited in _plain(app.export_screenshot()))
                svg = app.export_screenshot(title="l2bridge-tui")
        finally:
            world.close()
            await asyncio.to_thread(session.close)
    (folder / f"{shot.name}.svg").write_text(_reproducible(svg), encoding="utf-8")
    print(folder / f"{shot.name}.svg")


def _session(world: DemoWorld, state: Path) -> Session:
    observer = Observer(nodes=world.nodes, reader=world.reader, clock=world.clock, scope=world.scope)
    journal = Journal.of(state, observer.cluster, world.clock)
    return Session(
        nodes=world.nodes,
        observer=observer,
        reader=world.reader,
        writer=world.writer,
        journal=journal,
        clock=world.clock,
    )


def _complete(app: L2BridgeApp) -> bool:
    report = app.report
    return (
        report is not None
        and report.snapshot.nodes is not None
        and all(assessment.placement.reason != "not read yet" for assessment in report.assessments)
    )


def _plain(svg: str) -> str:
    return re.sub(r"<[^>]+>", "", svg).replace("&#160;", " ")


def _reproducible(svg: str) -> str:
    """Replace the random prefix of the ids."""
    return re.sub(r"terminal-\d+", "terminal", svg)


async def _main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        await draw(shot, folder)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "screenshots"))
