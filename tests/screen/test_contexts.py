"""The way to another cluster: what the list tells, what a switch takes along, and what holds the console back."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.events import Key

from tests.screen.console import Console, console
from tests.test_autofix import ALL
from tui.demo import Call, cluster_named
from tui.engine.elsewhere import Choice, LastState, state_file
from tui.engine.session import Session
from tui.model.arming import Wish
from tui.ports import Misconfigured
from tui.screen.commands import live_commands
from tui.screen.confirm import Confirm
from tui.screen.contexts import ClusterPicker
from tui.settings import Settings, load_settings
from tui.wiring import Clusters

CONFIG = """
theme = "light"
protected = ["demo-h*"]
[contexts."demo-azure"]
read-only = true
theme = "contrast"
"""
KUBECONFIG = """
current-context: good
contexts:
- {name: good, context: {cluster: c}}
- {name: "torn\\e[31m", context: {cluster: missing}}
clusters:
- {name: c, cluster: {server: "https://127.0.0.1:1"}}
"""


def demo(folder: Path, **flags: str) -> Clusters:
    """Return the scenarios as they are offered with a config file."""
    config = folder / "config.toml"
    config.write_text(CONFIG)
    return Clusters(load_settings({"config": config, "demo": "gce", **flags}, {"L2BRIDGE_STATE_DIR": str(folder)}))


def kubernetes(folder: Path, text: str = KUBECONFIG) -> Clusters:
    path = folder / "kubeconfig"
    path.write_text(text)
    return Clusters(Settings(state_dir=folder, kubeconfig=str(path)))


def enabled(shown: Console) -> bool:
    commands = live_commands(shown.app.console_screen)
    return next(command.obstacle is None for command in commands if ":ctx" in command.keys)


def row(shown: Console, name: str) -> str:
    return next(row for row in shown.rows() if name in row.split())


async def list_clusters(shown: Console) -> ClusterPicker:
    await shown.press(*":ctx", "enter")
    await shown.until(lambda: isinstance(shown.app.screen, ClusterPicker) and shown.app.screen.grid.items)
    picker = shown.app.screen
    assert isinstance(picker, ClusterPicker)
    return picker


async def test_the_list_tells_access_and_what_was_last_seen(tmp_path: Path) -> None:
    path = state_file(tmp_path, cluster_named("healthy"))
    path.parent.mkdir()
    path.write_text(
        '{"schema": "l2bridge-tui/state/v1", "context": "demo-healthy", "server": "https://demo.invalid:6443",'
        ' "at": "2026-02-03T04:05:06Z", "counts": {"OK": 10, "FIX": 1, "??": 1}}'
    )
    async with console(tmp_path, "gce", size=(120, 40), clusters=demo(tmp_path)) as shown:
        counted = shown.rows()[1].partition("  1 stray")[0].split()
        await list_clusters(shown)
        text = shown.text()
        assert row(shown, "CONTEXT").strip(" │").split() == ["CONTEXT", "ACCESS", "LAST", "SEEN", "NODES"]
        here = row(shown, "gce").strip(" │>").split()
        assert here == ["gce", "RW", "shown", "now", *counted]
        assert row(shown, "azure").strip(" │").split() == ["azure", "RO", "never", "-"]
        told = "healthy protected 2026-02-03 04:05Z 12 nodes 1 FIX ! 1 ?? ? 10 OK +"
        assert row(shown, "healthy").strip(" │").split() == told.split()
        assert "rolling-upgrade" in text
        await shown.press("escape")
        assert len(shown.app.screen_stack) == 1
        assert shown.app.successor is None


async def test_it_is_shown_at_80_by_24(tmp_path: Path) -> None:
    async with console(tmp_path, "gce", clusters=demo(tmp_path)) as shown:
        await list_clusters(shown)
        assert "shown now" in row(shown, "gce")
        assert "6 nodes" in row(shown, "gce")


async def test_a_part_of_a_name_and_enter_switch_with_the_options_that_hold_there(tmp_path: Path) -> None:
    async with console(tmp_path, "gce", clusters=demo(tmp_path, **{"max-changes": "3"})) as shown:
        picker = await list_clusters(shown)
        await shown.press(*"azur")
        assert [choice.name for choice in picker.grid.items] == ["azure"]
        await shown.press("enter")
        await shown.until(lambda: shown.app.successor)
        assert shown.app.successor is not None
        session, settings = shown.app.successor
        session.close()
    assert shown.app.return_value == 0
    assert (session.cluster.context, session.read_only) == ("demo-azure", True)
    assert (settings.demo, settings.theme, settings.max_changes) == ("azure", "contrast", 3)


def test_another_context_replaces_the_one_of_the_command_line_and_other_flags_stay(tmp_path: Path) -> None:
    kubeconfig, config = tmp_path / "kubeconfig", tmp_path / "config.toml"
    kubeconfig.write_text(KUBECONFIG.replace("missing", "c").replace("torn\\e[31m", "prod"))
    config.write_text("[contexts.prod]\nread-only = true\ntheme = 'light'\n")
    flags = {"kubeconfig": str(kubeconfig), "context": "good", "theme": "mono", "config": str(config)}
    clusters = Clusters(load_settings(flags, {}))
    assert [(choice.name, choice.read_only) for choice in clusters.choices()] == [("good", False), ("prod", True)]
    session, settings = clusters.open("prod")
    session.close()
    assert (session.cluster.context, session.read_only, settings.theme) == ("prod", True, "mono")


async def test_the_cluster_that_is_shown_is_not_opened_again(tmp_path: Path) -> None:
    async with console(tmp_path, "gce", clusters=demo(tmp_path)) as shown:
        await list_clusters(shown)
        await shown.press(*"gce", "enter")
        assert "gce is shown already." in shown.text()
        assert shown.app.successor is None


async def test_a_key_that_is_pressed_twice_at_once_leaves_one_screen_only(tmp_path: Path) -> None:
    async with console(tmp_path, clusters=demo(tmp_path)) as shown:
        await shown.press("colon", *"ctx")
        for _ in range(2):
            shown.app.post_message(Key("enter", "\r"))
        await shown.until(lambda: isinstance(shown.app.screen, ClusterPicker))
        await shown.until(lambda: "rolling-upgrade" in shown.text())


async def test_a_context_that_cannot_be_used_is_told_and_the_console_stays(tmp_path: Path) -> None:
    async with console(tmp_path, clusters=kubernetes(tmp_path)) as shown:
        await list_clusters(shown)
        assert "torn\\x1b[31m" in shown.text()
        await shown.press(*"torn", "enter")
        await shown.until(lambda: "No switch to torn" in shown.text())
        assert 'names the cluster "missing"' in shown.app.console_screen._said.text
        assert shown.app.successor is None
        await shown.press("4")
        assert shown.app.console_screen.pane.id == "activity"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("contexts: [", "is malformed"), ("contexts: []", "the kubeconfig names no context")],
)
async def test_a_kubeconfig_that_names_nothing_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    async with console(tmp_path, size=(200, 24), clusters=kubernetes(tmp_path, text)) as shown:
        await shown.press(*":ctx", "enter")
        await shown.until(lambda: sentence in shown.text())
        assert len(shown.app.screen_stack) == 1


async def test_there_is_no_way_out_while_an_apply_runs(tmp_path: Path) -> None:
    async with console(tmp_path, clusters=demo(tmp_path)) as shown:
        assert enabled(shown)
        await shown.press("F")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        with shown.world.hold(Call.WRITE) as arrived:
            await shown.press("y")
            await shown.until(arrived.is_set)
            assert not enabled(shown)
        await shown.until(lambda: not shown.session.applying)
        assert enabled(shown)


async def test_an_armed_window_is_not_left_alone(tmp_path: Path) -> None:
    wish = Wish(nodes="win-*", kinds=ALL, max_changes=1, span_s=60)
    async with console(tmp_path, "healthy", clusters=demo(tmp_path), wish=wish) as shown:
        await shown.until(lambda: len(shown.app.screen_stack) == 2)
        await shown.press("y")
        assert "ARMED" in shown.rows()[1]
        assert not enabled(shown)
        await shown.press("A")
        assert enabled(shown)


async def test_without_a_choice_of_clusters_it_is_not_available(tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        assert not enabled(shown)


@dataclass
class Slow:
    """Clusters that take their time to be opened."""

    session: Session | None = None
    asked: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def choices(self) -> Sequence[Choice]:
        last = LastState(at=datetime(2026, 1, 1, tzinfo=UTC), counts={})
        return [Choice(name="far", cluster=None, read_only=False, protected=False, last=last)]

    def open(self, name: str) -> tuple[Session, Settings]:
        self.asked.set()
        assert self.go_on.wait(10)
        if self.session is None:
            raise Misconfigured(f"{name} is too far")
        return self.session, Settings(state_dir=Path())


async def test_an_apply_that_begins_meanwhile_keeps_the_console(tmp_path: Path) -> None:
    slow = Slow()
    async with console(tmp_path, clusters=slow) as shown, console(tmp_path / "far", "gce", ready=False) as far:
        slow.session = far.session
        await list_clusters(shown)
        assert "0 nodes" in shown.text()
        await shown.press("enter")
        await shown.until(slow.asked.is_set)
        assert not enabled(shown)
        await shown.press("F")
        await shown.until(lambda: isinstance(shown.app.screen, Confirm))
        with shown.world.hold(Call.WRITE) as arrived:
            await shown.press("y")
            await shown.until(arrived.is_set)
            slow.go_on.set()
            await shown.until(lambda: "No switch to far" in shown.app.console_screen._said.text)
        assert shown.app.successor is None
        await shown.until(lambda: not shown.session.applying)
