"""Lists as files that other programs read: CSV, Markdown and JSON of the same rows. Pure; standard library only."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

ABSENT = "-"
"""What a cell says that has nothing to say."""
_FORMULAS = ("=", "+", "-", "@")


class Form(StrEnum):
    """The forms that a list can be taken away in."""

    CSV = "csv"
    MARKDOWN = "md"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Table:
    """A list: the names of its columns, and its rows, each with one safe text per column."""

    names: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self, form: Form) -> str:
        """Return the list in this form."""
        match form:
            case Form.CSV:
                return self._csv()
            case Form.MARKDOWN:
                return "".join(f"{line}\n" for line in self._markdown())
            case Form.JSON:
                rows = [dict(zip(self.names, map(_value, row), strict=True)) for row in self.rows]
                return json.dumps(rows, indent=2) + "\n"

    def _csv(self) -> str:
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(self.names)
        writer.writerows([_harmless(_value(cell) or "") for cell in row] for row in self.rows)
        return file.getvalue()

    def _markdown(self) -> Iterator[str]:
        for row in (self.names, ["---"] * len(self.names), *self.rows):
            yield f"| {' | '.join(map(_escaped, row))} |"


def _value(cell: str) -> str | None:
    return None if cell == ABSENT else cell


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from reading a name as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
