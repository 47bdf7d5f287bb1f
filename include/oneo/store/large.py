"""Columns that hold a node's result: whole in the row, or as a preview with the whole in the object store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from oneo import objects
from oneo.store.models import Execution, ExecutionLog


def columns_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a log row; what is large of them is kept in the object store.

    Args:
        row: The columns as they would be without one, key included.
    """
    place = f"{row['node_id']}{row['loop_index']}"
    output, context = row.get("output"), row.get("context_updates")
    kept = [
        objects.keep(row["tenant_id"], row["execution_id"], place, one) if one else None
        for one in (output, context)
    ]
    return {
        **row,
        # What is read from it is what nodes do; the input is for people.
        "input": objects.shortened(row.get("input")),
        "output": objects.preview(output) if kept[0] else output,
        "output_object": kept[0],
        "context_updates": objects.preview(context) if kept[1] else context,
        "context_object": kept[1],
    }


def whole(tenant_id: str, execution_id: UUID, held: Any, reference: dict[str, Any] | None) -> Any:
    """What a column stands for.

    Args:
        tenant_id: Whose row it is.
        execution_id: Of which execution.
        held: What the column holds.
        reference: What the column beside it refers to.

    Raises:
        InfrastructureError: It is gone from the object store.
    """
    return held if reference is None else objects.read(tenant_id, execution_id, reference)


def output_of(row: ExecutionLog) -> Any:
    """The output of an attempt."""
    return whole(row.tenant_id, row.execution_id, row.output, row.output_object)


def context_of(row: ExecutionLog) -> Any:
    """What an attempt put into the context."""
    return whole(row.tenant_id, row.execution_id, row.context_updates, row.context_object)


def final_output_of(row: Execution) -> Any:
    """The output of an execution."""
    return whole(row.tenant_id, row.id, row.output, row.output_object)
