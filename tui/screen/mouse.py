"""The mouse: off by default over SSH, so that the terminal's own selection works there; a key turns it on and off."""

from typing import Protocol, cast

from textual.app import App
from textual.binding import Binding

from tui.screen.console import Console
from tui.screen.format import Tone

MOUSE = Binding("m", "mouse", "Mouse", show=False, id="app.mouse", tooltip="Mouse on or off; off, the terminal selects")


class _Terminal(Protocol):
    """What Textual's drivers of real terminals do; they offer no public name for it."""

    _mouse: bool

    def _enable_mouse_support(self) -> None: ...
    def _disable_mouse_support(self) -> None: ...


class MouseApp(App[int], inherit_bindings=False):
    """An app whose mouse can be turned on and off. ``mouse`` tells whether it is on."""

    console_screen: Console
    mouse = True

    def action_mouse(self) -> None:
        """Turn it on or off."""
        self.mouse = not self.mouse
        if hasattr(self._driver, "_enable_mouse_support"):  # else it is no terminal
            terminal = cast("_Terminal", self._driver)
            terminal._mouse = True  # a driver that was started without the mouse does nothing about it
            terminal._enable_mouse_support() if self.mouse else terminal._disable_mouse_support()
        told = "Mouse on: the terminal selects with shift held." if self.mouse else "Mouse off: the terminal selects."
        self.console_screen.say(told, Tone.DIM)
