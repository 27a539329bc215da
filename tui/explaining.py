"""The verb that tells what a finding code means, and needs no cluster for it.

May import the pages, settings, what renders and ``process``.
"""

from tui.model.text import did_you_mean
from tui.pages import PAGES
from tui.process import Streams
from tui.render import json_text
from tui.render_explain import index_lines, page_lines, pages_document
from tui.render_text import text_of
from tui.settings import UsageError


def explain(code: str | None, streams: Streams, *, program: str, as_json: bool) -> int:
    """Print the page of a code, without one all codes in a line each. Raises ``UsageError`` for an unknown code."""
    pages = {str(known): page for known, page in PAGES.items()}
    if code is not None and code not in pages:
        hint = did_you_mean(code, pages) or f": {program} explain lists them"
        raise UsageError(f"there is no finding code {code!r}{hint}")
    chosen = pages.values() if code is None else [pages[code]]
    if as_json:
        streams.data(json_text(pages_document(chosen)))
    elif code is None:
        streams.data(text_of(index_lines(chosen, program=program)))
    else:
        streams.data(text_of(page_lines(pages[code])))
    return 0
