"""What every finding code means, for whoever meets it: the one source of what the verb, the console and the README say.

Pure text; may import the model's codes only.
"""

from tui.model.finding import Code
from tui.pages import nodes, routes
from tui.pages.page import Page

PAGES: dict[Code, Page] = {page.code: page for page in (*nodes.PAGES, *routes.PAGES)}
"""By code: those about the node and its VM first, those about routes after them."""

__all__ = ["PAGES", "Page"]
