"""Which field a column goes to, and what its cells mean, as the one who imports says it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from oneo.errors import UserError
from oneo.store.pipelines import FieldType
from oneo.store.record_data import RESERVED_FIELDS

# In a mapping: what holds for every column.
EVERY = "*"
_FIELD = re.compile(r"[^\W\d]\w*")


class ColumnMapping(BaseModel):
    """What becomes of one column."""

    model_config = ConfigDict(extra="forbid")
    field: str | None = Field(default=None, description="Field it goes to. Default: by its title.")
    values: dict[str, Any] = Field(
        default_factory=dict, description="Cell text to the value it means; null is `not answered`."
    )
    type: FieldType | None = Field(default=None, description="Type to read cells as. Default: the field's.")
    skip: bool = Field(default=False, description="The column is left out.")


def parse_mapping(document: Any, source: str) -> dict[str, ColumnMapping]:
    """A mapping as its author writes it: column to field, to null (left out), or to an object.

    Args:
        document: The parsed JSON.
        source: Its name, for messages.

    Raises:
        UserError: It is none; every reason is named.
    """
    if not isinstance(document, Mapping):
        raise UserError(f"{source} is no mapping", hint='write e.g. {"Lead Source": "source"}')
    found: dict[str, ColumnMapping] = {}
    problems: list[str] = []
    for column, value in document.items():
        given = {"skip": True} if value is None else {"field": value} if isinstance(value, str) else value
        try:
            one = ColumnMapping.model_validate(given)
        except ValidationError as error:
            problems += [
                f"$.{'.'.join([column, *map(str, part['loc'])])}: {part['msg']}"
                for part in error.errors(include_url=False)
            ]
            continue
        if one.field is not None and (reason := _unusable(column, one.field)):
            problems.append(f"$.{column}: {reason}")
        found[column] = one
    if problems:
        raise UserError(f"{source} is not a mapping: " + "; ".join(problems))
    return found


def parse_pairs(pairs: Sequence[str]) -> dict[str, ColumnMapping]:
    """Mappings written `Lead Source=source`.

    Raises:
        UserError: One has another form.
    """
    for pair in pairs:
        if not all(pair.rpartition("=")[::2]):
            raise UserError(f"--map {pair!r} names no field", hint='write e.g. --map "Lead Source=source"')
    return parse_mapping(dict(pair.rpartition("=")[::2] for pair in pairs), "--map")


def _unusable(column: str, field: str) -> str | None:
    if column == EVERY:
        return "all columns cannot go to one field"
    if field in RESERVED_FIELDS:
        return f"the store keeps {field!r} itself"
    return None if _FIELD.fullmatch(field) else f"{field!r} is not a field's name"
