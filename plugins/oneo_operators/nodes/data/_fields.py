"""Field values on their way into a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oneo.database import plain_json
from oneo.errors import ConfigError
from oneo.store.record_data import SYSTEM_FIELDS
from oneo_operators.context import NodeContext


def record_values(values: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The values as a record keeps them: dates as ISO text; stage, owner and external id as text.

    Raises:
        ConfigError: A value that no record can hold.
    """
    try:
        plain: dict[str, Any] = plain_json(values)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{place}: {error}", "give texts, numbers, dates, lists or objects") from error
    for name in SYSTEM_FIELDS:
        value = plain.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            plain[name] = str(value)
        elif value is not None and not isinstance(value, str):
            raise ConfigError(f"{place}.{name} must be a text, got {value!r}", "give a text or null")
    return plain


def own_name(context: NodeContext) -> str:
    """What the record that a node creates is called: whoever runs it again means the same record."""
    return f"record/{context.key}"
