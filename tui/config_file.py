"""The config file: its keys and values, and where in it a key stands. What they mean is the settings' business.

May import ``option_values`` and ``model.text``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui.model.text import printable
from tui.option_values import UsageError

_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEAD = re.compile(rf"\s*\[+\s*({_KEY})\s*\]")
_SETTING = re.compile(rf"\s*({_KEY})\s*=")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A config file: its keys, and its text to tell the line of one."""

    path: Path
    text: str
    values: Mapping[str, object]

    @classmethod
    def read(cls, named: Path | None, program: str, known: Sequence[str]) -> "ConfigFile":
        """Read the file that was named, else the one in the program's folder, which may be missing; check its keys.

        Raises ``UsageError``.
        """
        from platformdirs import user_config_path  # noqa: PLC0415 - not needed for --help and --version

        path = named or user_config_path(program, appauthor=False) / "config.toml"
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            if named is None:
                return cls(path, "", {})
            raise UsageError(f"the config file {printable(str(path))} does not exist") from error
        except (OSError, UnicodeDecodeError) as error:
            why = (error.strerror or "") if isinstance(error, OSError) else "it is not UTF-8 text"
            raise UsageError(f"the config file {printable(str(path))} cannot be read: {why}") from error
        return cls(path, text, cls._parsed(path, text))._checked(known)

    @staticmethod
    def _parsed(path: Path, text: str) -> Mapping[str, object]:
        import tomllib  # noqa: PLC0415 - most people have no config file

        try:
            return tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            # The parser gives the line of every mistake but that of a file which ends too early.
            why = str(error).replace("at end of document", f"at the end, line {len(text.splitlines())}")
            raise UsageError(f"the config file {printable(str(path))} is not valid TOML: {why}") from error

    def _checked(self, known: Sequence[str]) -> "ConfigFile":
        for key in self.values:
            if key not in known:
                raise UsageError(f"{self.place(key)} is unknown{suggestion(key, known)}")
        return self

    def tables(self, name: str) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Yield the tables within the table of this name, in the order of the file. Raises ``UsageError``."""
        tables = self.values.get(name, {})
        if not isinstance(tables, dict):
            raise self._no_table(name)
        for key, rules in tables.items():
            if not isinstance(rules, dict):
                raise self._no_table(name, key)
            yield key, rules

    def _no_table(self, *keys: str) -> UsageError:
        return UsageError(f'{self.place(*keys)} must be a table such as [{keys[0]}."prod*"]')

    def place(self, *keys: str) -> str:
        """Say where a key stands, by its way from the outermost table: the file, the line if it is told, the key."""
        number = self._line(keys)
        where = printable(str(self.path)) if number is None else f"{printable(str(self.path))}, line {number}"
        *tables, key = map(printable, keys)
        within = ".".join([*tables[:1], *(f'"{table}"' for table in tables[1:])])
        return f"{where}: {key!r}" + (f" in [{within}]" if within else "")

    def _line(self, keys: Sequence[str]) -> int | None:
        """Return where these keys are set; else where the innermost table is that holds them; None without either."""
        wanted, best, found = tuple(keys), 0, None
        for number, way in _ways(self.text):
            if way[: len(wanted)] == wanted:
                return number
            if best < len(way) and way == wanted[: len(way)]:
                best, found = len(way), number
        return found


def _ways(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield each line that opens a table or sets a key, with the keys that lead to it."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if head := _HEAD.match(line):
            table = _keys(head[1])
            yield number, table
        elif setting := _SETTING.match(line):
            yield number, (*table, *_keys(setting[1]))


def _keys(written: str) -> tuple[str, ...]:
    """Read dotted keys as they are written."""
    import tomllib  # noqa: PLC0415 - most people have no config file

    try:
        level: object = tomllib.loads(f"{written} = 0")
    except tomllib.TOMLDecodeError:  # it stands within a text of several lines
        return ()
    found: list[str] = []
    while isinstance(level, dict):
        ((key, level),) = level.items()
        found.append(key)
    return tuple(found)


def suggestion(key: str, known: Sequence[str]) -> str:
    """Return the end of a sentence about an unknown key: what is like it, else everything."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

    matches = get_close_matches(key.lower().replace("_", "-"), known, n=1)
    return f", did you mean {matches[0]!r}?" if matches else f"; known are {', '.join(known)}"
