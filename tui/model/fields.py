"""Reading a saved plan's JSON with types: what is missing or of another type is a ``BadPlan`` that names the field.

Standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast


class BadPlan(ValueError):
    """A saved plan that cannot be used; the text is one sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object whose fields are read with their type; anything else is a ``BadPlan`` that names the field."""

    values: Mapping[str, object]
    where: str

    @classmethod
    def of(cls, value: object, where: str) -> "Fields":
        """Return the object. Raises ``BadPlan`` when the value is none; ``where`` names it for people."""
        if not isinstance(value, dict):
            raise BadPlan(f"the saved plan is not usable: {where} is not an object; make it again with plan --out")
        return cls(cast("dict[str, object]", value), where)

    def _read(self, name: str, *types: type) -> object:
        value = self.values.get(name)
        if not isinstance(value, types):
            raise BadPlan(f"the saved plan is not usable: {name!r} of {self.where} is missing or of another type")
        return value

    def text(self, name: str) -> str:
        """Return a text."""
        return cast("str", self._read(name, str))

    def optional_text(self, name: str) -> str | None:
        """Return a text, or None for null."""
        return cast("str | None", self._read(name, str, type(None)))

    def optional_number(self, name: str) -> int | None:
        """Return a whole number, or None for null."""
        return cast("int | None", self._read(name, int, type(None)))

    def number(self, name: str) -> float:
        """Return a number."""
        return cast("float", self._read(name, int, float))

    def flag(self, name: str) -> bool:
        """Return a truth value."""
        return cast("bool", self._read(name, bool))

    def fields(self, name: str) -> "Fields":
        """Return an object."""
        return Fields.of(self.values.get(name), name)

    def optional_fields(self, name: str) -> "Fields | None":
        """Return an object; None for null and when there is none."""
        return None if self.values.get(name) is None else self.fields(name)

    def objects(self, name: str) -> "list[Fields]":
        """Return the objects of an array."""
        return [Fields.of(item, f"an entry of {name}") for item in cast("list[object]", self._read(name, list))]

    def texts(self, name: str) -> "list[str]":
        """Return the texts of an array."""
        items = cast("list[object]", self._read(name, list))
        if not all(isinstance(item, str) for item in items):
            raise BadPlan(f"the saved plan is not usable: {name!r} of {self.where} holds something else than text")
        return cast("list[str]", items)
