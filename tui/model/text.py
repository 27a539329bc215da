"""Other people's text, made safe for a terminal.

Node names, labels, route names, error messages and resource ids are written by strangers. Nothing of theirs may move
the cursor, change a colour, or look like our own markup. Imports nothing of the project.
"""

import unicodedata
from collections.abc import Iterable

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    r"""Return the text on one line, control, format and unassigned characters shown as escapes (``\x1b``)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _UNSAFE_CATEGORIES else c for c in text)


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name, with those that are like it; empty where none is."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

    matches = get_close_matches(word, list(names), n=3, cutoff=0.75)
    return f", did you mean {' or '.join(map(printable, matches))}?" if matches else ""


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
