"""The keys that every pane with a list has. What they do is the pane's business."""

from textual.binding import Binding, BindingType


def list_keys(pane: str, row: str, *, filtered: str) -> list[BindingType]:
    """Return the keys of a list pane of this title, whose rows are each a ``row``."""

    def key(keys: str, action: str, title: str, about: str, *, shown: bool = False, first: bool = False) -> Binding:
        identity = f"{pane}.{action.replace('_', '-')}"
        return Binding(keys, action, title, show=shown, id=identity, tooltip=about, priority=first)

    return [
        key("enter", "open", "Detail", f"The selected {row}, link by link", shown=True),
        key("escape", "back", "Back", "Back; then clears filter and marks"),
        # First, so that keys typed in one burst after it are text already, not commands.
        key("slash", "filter", "Filter", filtered, shown=True, first=True),
        key("space", "mark", "Mark", f"Mark the {row} for what is done with several", shown=True),
        key("v", "mark_range", "Mark range", "Mark everything from the last mark to here"),
        key("e", "only_wrong", "Not OK", "Only what is not OK, or everything again", shown=True),
        key("o", "sort", "Sort", "Choose a column to sort by; again: the other way"),
        key("w", "wide", "Wide", "The list over the whole width; left and right move it"),
        key("d", "explain", "Explain", "Why this verdict, what to do, what brings it back", shown=True),
        key("y", "raw", "Raw", f"What was observed of the {row}, as it is"),
        key("c", "copy", "Copy", f"Copy the id of the {row} or of the marked ones"),
        key("C", "copy_command", "Copy command", "Copy the cloud's own commands for the fix"),
        key("x", "export", "Export", "Write the list as CSV, Markdown or JSON"),
    ]
