"""A console on an embedded world whose clock stands: what the story tests drive, and how they wait."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from tui.demo import Call, DemoWorld, Scenario, open_world
from tui.engine.applier import Writing
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.session import Session
from tui.model.arming import Wish
from tui.model.finding import Assessment
from tui.screen.app import L2BridgeApp
from tui.screen.contexts import Clusters
from tui.screen.nodes import NodesPane
from tui.screen.routes import RoutesPane
from tui.screen.themes import THEMES
from tui.settings import Settings

DEADLINE_S = 15.0
TCSS = Path(__file__).parents[2] / "tui" / "screen" / "app.tcss"


def picture(app: App[object] | App[int]) -> list[str]:
    """Return what the terminal shows, row by row."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


async def until(
    pilot: "Pilot[object] | Pilot[int]", holds: Callable[[], object], *, world: DemoWorld | None = None
) -> None:
    """Let the app work, and the world's time pass, until the condition holds."""
    deadline_s = monotonic() + DEADLINE_S
    while not holds():
        assert monotonic() < deadline_s, "\n".join(picture(pilot.app))
        if world is not None:
            world.clock.advance(1)
        await pilot.pause(0.01)
    await pilot.pause()


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """A running console."""

    app: L2BridgeApp
    pilot: Pilot[int]
    world: DemoWorld
    session: Session

    @property
    def nodes(self) -> NodesPane:
        return self.app.console_screen.query_one(NodesPane)

    @property
    def routes(self) -> RoutesPane:
        return self.app.console_screen.query_one(RoutesPane)

    def rows(self) -> list[str]:
        return picture(self.app)

    def text(self) -> str:
        return "\n".join(self.rows())

    def unwrapped(self) -> str:
        """Return what a dialog shows as if it had room for long lines."""
        return re.sub(r"[│\s]+", " ", self.text())

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, holds: Callable[[], object]) -> None:
        await until(self.pilot, holds, world=self.world)

    async def select(self, name: str) -> Assessment:
        """Put the cursor on a node with the keys."""
        await self.press("g")
        await self.until(lambda: any(item.node.name == name for item in self.nodes.grid.items))
        for _ in self.nodes.grid.items:
            selected = self.nodes.grid.selected
            assert selected is not None
            if selected.node.name == name:
                return selected
            await self.press("j")
        raise AssertionError(f"no row of {name}")


def complete(app: L2BridgeApp) -> bool:
    """Tell whether nodes and every cloud have been read, or denied, once."""
    report = app.report
    if report is None or report.snapshot.nodes is None:
        return False
    return all(assessment.placement.reason != "not read yet" for assessment in report.assessments)


@asynccontextmanager
async def console(
    folder: Path,
    scenario: str | Scenario = "aws",
    *,
    size: tuple[int, int] = (80, 24),
    read_only: bool = False,
    protected: bool = False,
    ascii_only: bool = False,
    ready: bool = True,
    held: Call | None = None,
    pane: str | None = None,
    wish: Wish | None = None,
    clusters: Clusters | None = None,
    **looks: Any,
) -> AsyncIterator[Console]:
    """Open a console, by default with everything observed once. ``looks`` are further settings."""
    world = open_world(scenario, latency=False) if isinstance(scenario, str) else DemoWorld(scenario, latency=False)
    observer = Observer(nodes=world.nodes, reader=world.reader, clock=world.clock, scope=world.scope)
    session = Session(
        nodes=world.nodes,
        observer=observer,
        reader=world.reader,
        writing=None if read_only else Writing(writer=world.writer, width=1),
        journal=Journal.of(folder, observer.cluster, world.clock),
        clock=world.clock,
        meter=world.meter,
        protected=protected,
    )
    settings = Settings(
        state_dir=folder, demo=world.scenario.name, read_only=read_only, ascii=ascii_only, theme="dark", **looks
    )
    app = L2BridgeApp(session, settings, pane)
    app.wish, app.clusters = wish, clusters
    try:
        with world.hold(held) if held else nullcontext():
            async with app.run_test(size=size) as pilot:
                made = Console(app=app, pilot=pilot, world=world, session=session)
                if ready:
                    await made.until(lambda: complete(app) and not app._batch_count)  # and painted
                yield made
                world.close()
    finally:
        world.close()
        await asyncio.to_thread(session.close)


class Stage(App[object]):
    """A bare app with the console's colours, for one widget alone."""

    CSS_PATH = TCSS

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = "dark"
        self._widgets = widgets

    def compose(self) -> ComposeResult:
        yield from self._widgets
