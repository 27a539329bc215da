"""What every pane has in common: a title, the key that shows it, the report it draws and one line about its state."""

from typing import ClassVar

from textual.binding import Binding
from textual.containers import Container
from textual.reactive import reactive

from tui.model.finding import Report
from tui.screen.format import Line


class Pane(Container, inherit_bindings=False):
    """One view of the report. ``report`` is bound to the app's; a pane never changes it."""

    TITLE: ClassVar[str]
    KEY: ClassVar[str]

    report: reactive[Report | None] = reactive(None, repaint=False)
    status: reactive[Line] = reactive(Line(), repaint=False)
    """What is special about the view now (filter, position), for the counters row."""

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__(id=type(self).TITLE)
        self.ascii_only = ascii_only

    @classmethod
    def key_binding(cls) -> Binding:
        """Return the app's binding that shows this pane."""
        name, about = cls.TITLE, f"The {cls.TITLE} pane"
        return Binding(cls.KEY, f"pane('{name}')", name.capitalize(), show=False, id=f"app.{name}", tooltip=about)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave what is available to the one place that says so."""
        return self.app.check_action(action, parameters)

    def focus_content(self) -> None:
        """Give the keys to what the pane shows."""
        raise NotImplementedError

    def hint(self) -> Line:
        """Return what the message line says while there is nothing newer to say."""
        return Line()
