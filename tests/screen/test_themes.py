from pathlib import Path

import pytest

from tests.screen.console import console
from tui import options
from tui.screen.themes import THEMES, choose_theme, encodings, needs_ascii

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
    assert tuple(THEMES) == options.THEMES


def test_ascii_for_terminals_that_cannot_encode_more() -> None:
    assert not needs_ascii(False, "UTF-8")
    assert not needs_ascii(False, "utf8")
    assert needs_ascii(False, "ANSI_X3.4-1968")
    assert needs_ascii(False, None)
    assert needs_ascii(True, "utf-8")
    assert needs_ascii(False, "utf-8", "ISO-8859-1"), "Python writes UTF-8 whatever the locale says"
    assert not needs_ascii(False, "utf-8", "UTF-8")
    assert len(encodings({})) == 2
    assert len(encodings({"PYTHONUTF8": "1"})) == 1


async def test_without_colours_the_cursor_is_still_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(tmp_path) as shown:
        strip = shown.app.screen._compositor.render_strips()[3]
        styles = [segment.style for segment in strip if segment.text.strip()]
        assert styles
        assert all(style is not None and style.reverse for style in styles[:3])
        assert all(style is None or style.color is None or style.color.is_default for style in styles[:3])


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it, from 1 to 21."""
    light = sorted((_luminance(colour) for colour in (one, other)), reverse=True)
    return (light[0] + 0.05) / (light[1] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("name", "least"), [("dark", 4.5), ("light", 4.5), ("contrast", 7.0)])
def test_every_colour_can_be_read_on_every_ground(name: str, least: float) -> None:
    theme = THEMES[name]
    inks = (theme.primary, theme.warning, theme.error, theme.success, theme.accent, theme.foreground)
    for ink in (*inks, theme.variables["muted"]):
        for ground in (theme.background, theme.panel, theme.variables["cursor"]):
            assert contrast(str(ink), str(ground)) >= least, (ink, ground)
