"""What a table is made of: its columns, how they share the width, and the order that one of them gives the rows.

Pure; may import format only.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tui.screen.format import Elide, Span

Item = TypeVar("Item")

_ABSENT = frozenset({"-", "", "none yet"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[Item]):
    """One column: its title and its cell, kept together so that they cannot drift apart.

    ``width`` is the least, ``ideal`` the most that it takes where there is room (both in cells); 0 means ``width``.
    A ``kept`` column never gives way on narrow terminals. ``elide`` says where too long text is cut. ``order`` returns
    what rows are sorted by, where that is not the cell's text.
    """

    title: str
    width: int
    cell: Callable[[Item], Span]
    ideal: int = 0
    kept: bool = False
    elide: Elide = Elide.END
    order: Callable[[Item], int] | None = None

    @property
    def name(self) -> str:
        """What it is called in a config file: its title in lower case, one word."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower())


@dataclass(frozen=True, slots=True)
class Sorting(Generic[Item]):
    """The column that rows are sorted by, and in which direction."""

    column: Column[Item]
    descending: bool = False

    def sorted(self, items: Sequence[Item]) -> list[Item]:
        """Return the rows in this order, equal ones as they were; rows without a value come last either way."""
        keyed = [(self._key(item), item) for item in items]
        present = sorted(
            ((key, item) for key, item in keyed if key is not None), key=lambda pair: pair[0], reverse=self.descending
        )
        return [item for _, item in present] + [item for key, item in keyed if key is None]

    def _key(self, item: Item) -> tuple[tuple[int, int | str], ...] | None:
        if self.column.order is not None:
            return ((0, self.column.order(item)),)
        text = self.column.cell(item).text
        return None if text in _ABSENT else natural(text)


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """Return what texts are compared by so that numbers in them count as numbers: ``node-9`` before ``node-10``."""
    parts = re.split(r"(\d+)", text.lower())
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts if part)


def layout(columns: Sequence[Column[Item]], width: int, skip: int = 0) -> tuple[tuple[Column[Item], int], ...]:
    """Return the columns that fit into ``width`` cells with the widths they get, separated by one space.

    The first ``skip`` of those that are not kept are left out, and further ones give way from the right. What is left
    over goes to the columns that want more, from the left.
    """
    moving = [column for column in columns if not column.kept]
    chosen = [column for column in columns if column.kept or column in moving[skip:]]

    def needed() -> int:
        return sum(column.width + 1 for column in chosen) - 1

    while needed() > width and any(not column.kept for column in chosen):
        chosen.remove(next(column for column in reversed(chosen) if not column.kept))
    spare = max(0, width - needed())
    widths: list[tuple[Column[Item], int]] = []
    for column in chosen:
        more = min(spare, max(0, column.ideal - column.width))
        spare -= more
        widths.append((column, column.width + more))
    return tuple(widths)


def chosen_columns(columns: Sequence[Column[Item]], names: Sequence[str]) -> tuple[Column[Item], ...]:
    """Return the columns of these names in their order; all of them where none is named."""
    by_name = {column.name: column for column in columns}
    return tuple(by_name[name] for name in names) if names else tuple(columns)
