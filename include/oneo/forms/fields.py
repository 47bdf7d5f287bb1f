"""One field of a form: which kind it is, and its JSON Schema without what a page could not show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from oneo.errors import UserError

Kind = Literal[
    "text", "email", "phone", "url", "date", "number", "integer", "boolean", "choice", "choices", "file"
]
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
# What nobody has limited is limited by this, in characters.
MAX_TEXT = 10_000
MAX_FILES = 5
_FORMATS: dict[str, Kind] = {
    "email": "email", "phone": "phone", "tel": "phone", "uri": "url", "url": "url", "date": "date", "file": "file",
}  # fmt: skip
_COMMON = {"type", "title", "description"}
# No patterns: a regular expression of a stranger's making can take for ever over a text of another's.
_KEYS: dict[str, set[str]] = {
    "string": {*_COMMON, "format", "enum", "minLength", "maxLength"},
    "number": {*_COMMON, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "integer": {*_COMMON, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "boolean": {*_COMMON, "const"},
    "array": {*_COMMON, "items", "minItems", "maxItems", "uniqueItems"},
}
_COUNTS = {"minLength", "maxLength", "minItems", "maxItems"}
_NUMBERS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}


@dataclass(frozen=True)
class FormField:
    """One field.

    Attributes:
        schema: Its JSON Schema.
        options: What can be chosen, for `choice` and `choices`.
        several: Whether there may be more than one.
    """

    name: str
    kind: Kind
    schema: Mapping[str, Any]
    required: bool = False
    options: tuple[str, ...] = ()
    several: bool = False

    @property
    def is_file(self) -> bool:
        """Whether it holds files."""
        return self.kind == "file"

    @property
    def title(self) -> str:
        """Its label where the form gives none."""
        return str(self.schema.get("title") or self.name.replace("_", " ").capitalize())

    @property
    def most(self) -> int:
        """How many files it takes."""
        return int(self.schema.get("maxItems", MAX_FILES)) if self.several else 1


def field_of(name: str, schema: Any, *, required: bool = False) -> FormField:
    """The field of a schema.

    Raises:
        UserError: A form cannot show it; the message begins with the place inside the schema.
    """
    if not isinstance(schema, Mapping):
        raise UserError(": give a JSON Schema", 'e.g. {"type": "string"}')
    type_name = schema.get("type")
    if type_name not in _KEYS:
        raise UserError(f".type: {type_name!r} is none of {', '.join(_KEYS)}")
    for key, value in schema.items():
        _check_key(type_name, key, value)
    if type_name == "array":
        return _several(name, schema, required)
    if type_name != "string":
        return FormField(name, type_name, schema, required)
    if "enum" in schema:
        return FormField(name, "choice", schema, required, _options(schema["enum"], ".enum"))
    return FormField(name, _kind(schema), {"maxLength": MAX_TEXT, **schema}, required)


def _several(name: str, schema: Mapping[str, Any], required: bool) -> FormField:
    items = schema.get("items")
    if not isinstance(items, Mapping) or items.get("type") != "string":
        raise UserError(
            ".items: only texts can be several", 'e.g. {"type": "string", "enum": ["red", "blue"]}'
        )
    for key, value in items.items():
        _check_key("string", key, value)
    if "enum" in items:
        return FormField(name, "choices", schema, required, _options(items["enum"], ".items.enum"), True)
    if _kind(items) == "file":
        return FormField(name, "file", schema, required, several=True)
    raise UserError(".items: choices have an enum, files the format 'file'")


def _kind(schema: Mapping[str, Any]) -> Kind:
    name = schema.get("format")
    if name is None:
        return "text"
    if name not in _FORMATS:
        raise UserError(f".format: {name!r} is none of {', '.join(_FORMATS)}")
    return _FORMATS[name]


def _options(given: Any, place: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(one, str) and one for one in given):
        raise UserError(f"{place}: give a list of texts")
    return tuple(dict.fromkeys(given))


def _check_key(type_name: str, key: str, value: Any) -> None:
    if key not in _KEYS[type_name]:
        raise UserError(f".{key}: forms do not read it", f"known: {', '.join(sorted(_KEYS[type_name]))}")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if (key in _NUMBERS and not is_number) or (
        key in _COUNTS and not (is_number and value >= 0 and value == int(value))
    ):
        raise UserError(f".{key}: {value!r} is no number that can stand there")
    if key in ("title", "description") and not isinstance(value, str):
        raise UserError(f".{key}: give a text")
    if key in ("const", "uniqueItems") and not isinstance(value, bool):
        raise UserError(f".{key}: give true or false")
