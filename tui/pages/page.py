"""The form of a page: short enough to be read whole on a small terminal."""

from collections.abc import Iterator
from dataclasses import dataclass

from tui.model.finding import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one code means.

    ``about`` and ``fix`` are the code in one line; ``fix`` begins with "no" where no plan mends it. ``meaning`` says
    what was found, ``effect`` why packets die, ``remedy`` what the fix does, or the operator where there is none,
    ``recurrence`` what could bring it back. ``references`` are titles of pages in others' documentation, each after
    the name of what it documents.
    """

    code: Code
    about: str
    fix: str
    meaning: str
    effect: str
    remedy: str
    recurrence: str
    references: tuple[str, ...]

    @property
    def fixable(self) -> bool:
        """Tell whether a plan can mend it, as long as nothing stands in the way."""
        return not self.fix.startswith("no")

    def sections(self) -> Iterator[tuple[str, str]]:
        """Yield what the page says under its heading: a label and a paragraph each."""
        yield "Means", self.meaning
        yield "Packets", self.effect
        yield ("The fix" if self.fixable else "To do"), self.remedy
        yield "Returns", self.recurrence
        yield "Read", "; ".join(self.references)
