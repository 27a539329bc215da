"""Which colours and signs the terminal can show, decided from its environment. May import Textual's themes only."""

import locale
import sys
from collections.abc import Mapping

from textual.theme import BUILTIN_THEMES, Theme

_DARK = Theme(
    name="dark",
    primary="#6cb6ff",
    secondary="#95a2af",
    warning="#f0b72f",
    error="#ff7b72",
    success="#7ee787",
    accent="#d2a8ff",
    foreground="#dce3ea",
    background="#0f141a",
    surface="#0f141a",
    panel="#1c2530",
    dark=True,
    variables={"muted": "#95a2af", "cursor": "#16304d"},
)
_LIGHT = Theme(
    name="light",
    primary="#0550ae",
    secondary="#57606a",
    warning="#7d4e00",
    error="#b3141e",
    success="#116329",
    accent="#6639ba",
    foreground="#1f2328",
    background="#ffffff",
    surface="#ffffff",
    panel="#e7ecf1",
    dark=False,
    variables={"muted": "#57606a", "cursor": "#c6e0ff"},
)
_CONTRAST = Theme(
    name="contrast",
    primary="#7fd4ff",
    secondary="#ffffff",
    warning="#ffd700",
    error="#ff9d9d",
    success="#7dff7d",
    accent="#e0b0ff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    variables={"muted": "#ffffff", "cursor": "#000000"},
)


def _native(name: str, builtin: str, **colours: str) -> Theme:
    """Derive a theme that only uses the terminal's own colours."""
    source = BUILTIN_THEMES[builtin]
    plain = {
        "primary": source.primary,
        "secondary": source.secondary,
        "warning": source.warning,
        "error": source.error,
        "success": source.success,
        "accent": source.accent,
    }
    return Theme(
        name=name,
        ansi=True,
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        dark=source.dark,
        variables={
            **source.variables,
            "muted": "ansi_default",
            "cursor": "ansi_default",
        },
        **{**plain, **colours},  # type: ignore[arg-type]
    )


_MONO = dict.fromkeys(("primary", "secondary", "warning", "error", "success", "accent"), "ansi_default")

THEMES: Mapping[str, Theme] = {
    "dark": _DARK,
    "light": _LIGHT,
    "contrast": _CONTRAST,
    "ansi-dark": _native("ansi-dark", "ansi-dark"),
    "ansi-light": _native("ansi-light", "ansi-light"),
    "mono": _native("mono", "ansi-dark", **_MONO),
}


def choose_theme(wanted: str | None, environ: Mapping[str, str]) -> Theme:
    """Return the theme asked for, else one that the terminal can show.

    ``NO_COLOR`` wins over everything, and means attributes instead of colours.
    """
    if "NO_COLOR" in environ:
        return THEMES["mono"]
    if wanted is not None:
        return THEMES[wanted]
    light = environ.get("COLORFGBG", "").rpartition(";")[2] in {"7", "15"}
    if _few_colours(environ):
        return THEMES["ansi-light" if light else "ansi-dark"]
    return THEMES["light" if light else "dark"]


def _few_colours(environ: Mapping[str, str]) -> bool:
    term = environ.get("TERM", "")
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"} and term != "linux":
        return False
    return not (term.endswith(("256color", "-direct")) or term in {"xterm-kitty", "alacritty", "xterm-ghostty", "foot"})


def needs_ascii(wanted: bool, *encodings: str | None) -> bool:
    """Tell whether only ASCII may be written: asked for, or one of the stream and the locale knows no more."""
    return wanted or any((one or "").lower().replace("-", "").replace("_", "") != "utf8" for one in encodings)


def encodings(environ: Mapping[str, str]) -> tuple[str | None, ...]:
    """Return what the terminal's stream and the locale can encode.

    Python writes UTF-8 under ``LC_ALL=C`` too, while terminals and multiplexers go by the locale. ``PYTHONUTF8=1`` says
    that they do not.
    """
    stream = getattr(sys.__stderr__, "encoding", None)
    return (stream,) if environ.get("PYTHONUTF8") == "1" else (stream, locale.getencoding())
