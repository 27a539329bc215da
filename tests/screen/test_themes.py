from pathlib import Path

import pytest

from tests.screen.console import console
from tui import settings
from tui.screen.themes import THEMES, choose_theme, needs_ascii

TRUECOLOR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


@pytest.mark.parametrize(
    ("wanted", "environ", "name"),
    [
        (None, TRUECOLOR, "dark"),
        (None, {**TRUECOLOR, "COLORFGBG": "0;15"}, "light"),
        (None, {"TERM": "linux", "COLORTERM": "truecolor"}, "ansi-dark"),
        (None, {"TERM": "xterm"}, "ansi-dark"),
        (None, {"TERM": "screen-256color"}, "dark"),
        (None, {**TRUECOLOR, "NO_COLOR": "1"}, "mono"),
        ("light", {**TRUECOLOR, "NO_COLOR": ""}, "mono"),
        ("ansi-light", TRUECOLOR, "ansi-light"),
    ],
)
def test_the_theme_follows_the_terminal(wanted: str | None, environ: dict[str, str], name: str) -> None:
    assert choose_theme(wanted, environ).name == name


def test_every_theme_of_the_settings_has_colours() -> None:
    assert tuple(THEMES) == settings.THEMES


def test_ascii_for_terminals_that_cannot_encode_more() -> None:
    assert not needs_ascii(False, "UTF-8")
    assert not needs_ascii(False, "utf8")
    assert needs_ascii(False, "ANSI_X3.4-1968")
    assert needs_ascii(False, None)
    assert needs_ascii(True, "utf-8")


async def test_without_colours_the_cursor_is_still_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(tmp_path) as shown:
        strip = shown.app.screen._compositor.render_strips()[3]
        styles = [segment.style for segment in strip if segment.text.strip()]
        assert styles
        assert all(style is not None and style.reverse for style in styles[:3])
        assert all(style is None or style.color is None or style.color.is_default for style in styles[:3])
