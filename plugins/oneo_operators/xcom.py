"""Outputs as XCom values and back; large ones go by reference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from oneo import objects
from oneo.database import to_json

_RESERVED_BY_XCOM = ("__classname__", "__version__", "__data__", "__type", "__var")
_WRAPPED = "oneo_json"
_OURS = (_WRAPPED, objects.REFERENCE)


def wrap(output: Any) -> Any:
    """An output as an XCom value; keys that XCom or we keep to ourselves travel as text."""
    text = to_json(output)
    if any(f'"{key}"' in text for key in (*_RESERVED_BY_XCOM, *_OURS)):
        return {_WRAPPED: text}
    return json.loads(text)


def pass_on(output: Any, tenant_id: str, execution_id: UUID, node_id: str) -> Any:
    """A node's output as an XCom value: itself, or a reference to it with its beginning."""
    reference = objects.keep(tenant_id, execution_id, node_id, output)
    if reference is None:
        return wrap(output)
    return {**reference, "preview": to_json(objects.preview(output))}


def unwrap(value: Any, tenant_id: str, execution_id: UUID) -> Any:
    """The output that was made an XCom value.

    Raises:
        InfrastructureError: It went by reference, and the object is gone.
    """
    if isinstance(value, Mapping):
        if set(value) == {_WRAPPED}:
            return json.loads(value[_WRAPPED])
        # Only ours: data with such a key came wrapped.
        if objects.REFERENCE in value:
            return objects.read(tenant_id, execution_id, dict(value))
    return value
