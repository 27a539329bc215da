"""How much there is to scroll in a view on the line API. May import Textual only."""

from textual.geometry import Size
from textual.scroll_view import ScrollView


def set_extent(view: ScrollView, extent: Size) -> None:
    """Tell how much there is, without painting again what is in sight, as setting the attribute would.

    Only where the view has to grow, or its scrollbar to come or go, is everything laid out anew.
    """
    height, has_bar = view.size.height, view.styles.overflow_y != "hidden"
    fits, fitted = extent.height <= height, view.virtual_size.height <= height
    if view.styles.auto_dimensions or (has_bar and fits is not fitted) or extent.width != view.virtual_size.width:
        view.virtual_size = extent
        return
    view.set_reactive(ScrollView.virtual_size, extent)
    if has_bar and not fits:
        view.vertical_scrollbar.window_virtual_size = extent.height
    if view.scroll_offset.y > view.max_scroll_y:
        view.scroll_to(y=view.max_scroll_y, animate=False, immediate=True, force=True)
