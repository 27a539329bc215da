"""The config file: its keys and values, and where in it a key stands. What they mean is the settings' business.

May import ``option_values`` and ``model.text``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui.model.text import printable
from tui.option_values import UsageError


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
                raise UsageError(f"{self.place(key)} is unknown{_suggestion(key, known)}")
        return self

    def place(self, key: str) -> str:
        """Say where a key stands: the file, the line where it can be told, the key."""
        pattern = re.compile(rf"""^\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
        lines = (number for number, line in enumerate(self.text.splitlines(), start=1) if pattern.match(line))
        number = next(lines, None)
        where = printable(str(self.path)) if number is None else f"{printable(str(self.path))}, line {number}"
        return f"{where}: {printable(key)!r}"


def _suggestion(key: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

    matches = get_close_matches(key.lower().replace("_", "-"), known, n=1)
    return f", did you mean {matches[0]!r}?" if matches else f"; known are {', '.join(known)}"
