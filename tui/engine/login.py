"""Logging in on the terminal, for credentials that a person has to give. May import nothing."""

from typing import Protocol


class Login(Protocol):
    """Lets whoever sits at the terminal log in to the cluster."""

    @property
    def possible(self) -> bool:
        """Tell whether there is anything that could ask."""

    def log_in(self) -> None:
        """Let it ask on the terminal, which must be free, and use the answer from now on. Raises ``Denied``."""
