"""Outputs as XCom values and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from oneo.database import to_json

_RESERVED_BY_XCOM = ("__classname__", "__version__", "__data__", "__type", "__var")
_WRAPPED = "oneo_json"


def wrap(output: Any) -> Any:
    """An output as an XCom value; keys that XCom keeps to itself travel as text."""
    text = to_json(output)
    if any(f'"{key}"' in text for key in (*_RESERVED_BY_XCOM, _WRAPPED)):
        return {_WRAPPED: text}
    return json.loads(text)


def unwrap(value: Any) -> Any:
    """The output that was made an XCom value."""
    if isinstance(value, Mapping) and set(value) == {_WRAPPED}:
        return json.loads(value[_WRAPPED])
    return value
