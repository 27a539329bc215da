"""The pages of finding codes as text and as JSON. Pure; may import the model and the pages only."""

import textwrap
from collections.abc import Iterable, Iterator

from tui.pages import Page

_SCHEMA = "l2bridge-tui/explain/v1"
_WIDTH = 80
_INDENT = 9


def index_lines(pages: Iterable[Page], *, program: str) -> Iterator[str]:
    """Yield every code in one line. ``program`` is how hints call this program."""
    pages = tuple(pages)
    width = max(len(page.code) for page in pages)
    for page in pages:
        yield f"{page.code:<{width}}  {page.about}"
    yield ""
    yield f"{program} explain CODE tells what it means and what to do."


def page_lines(page: Page) -> Iterator[str]:
    """Yield a page, no line of which is wider than a small terminal."""
    yield from textwrap.wrap(f"{page.code}: {page.about}", _WIDTH)
    yield f"{'Fixable':<{_INDENT}}{page.fix}"
    for label, text in page.sections():
        yield from textwrap.wrap(
            f"{label:<{_INDENT}}{text}",
            _WIDTH,
            subsequent_indent=" " * _INDENT,
            break_on_hyphens=False,  # a code or an option that is cut cannot be copied
        )


def pages_document(pages: Iterable[Page]) -> dict[str, object]:
    """Write pages for programs."""
    return {
        "schema": _SCHEMA,
        "pages": [
            {
                "code": page.code,
                "about": page.about,
                "fixable": page.fixable,
                "fix": page.fix,
                "meaning": page.meaning,
                "effect": page.effect,
                "remedy": page.remedy,
                "recurrence": page.recurrence,
                "references": list(page.references),
            }
            for page in pages
        ],
    }
