"""Searching a pipeline."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from dag_factory.catalogue import Effect
from oneo.store import pipelines, records
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.filter_option import Filters
from oneo_operators.result import NodeResult


class FindRecordsConfig(NodeConfig):
    """What to look for."""

    pipeline_id: str = Field(description="Pipeline to search.")
    filters: Filters = Field(
        default_factory=dict,
        description='All of them must hold: `{"status": "active", "score": {"$gte": 50}}`.',
    )
    sort: dict[str, Literal[1, -1]] = Field(
        default_factory=dict, description="Field to 1 (ascending) or -1 (descending). Default: oldest first."
    )
    limit: int = Field(default=100, ge=1, le=records.MAX_LIMIT, description="At most that many records.")
    include_fields: list[str] | None = Field(
        default=None, description="Only these fields; `company.name` is a field inside one. Default: all."
    )
    aggregate: bool = Field(
        default=False,
        description="Instead of records: their number, and sum, average, minimum and maximum of each numeric "
        "field in include_fields, over all that fit (limit does not apply).",
    )


class FindRecordsOperator(NodeOperator):
    """Find records."""

    type: ClassVar[str] = "find_records"
    category: ClassVar[str] = "data_operation"
    description: ClassVar[str] = "Finds the records of a pipeline that fit a filter, or counts and sums them."
    effect: ClassVar[Effect] = "pure"
    Config = FindRecordsConfig

    async def run(self, config: FindRecordsConfig, context: NodeContext) -> NodeResult:
        """Search; `output.records` and `output.count`, or `output.aggregate`; `context.records` for loops."""

        def work(session: Session) -> dict[str, Any]:
            pipelines.get(session, config.pipeline_id)
            if config.aggregate:
                fields = config.include_fields or []
                totals = records.aggregate(session, config.pipeline_id, config.filters, fields)
                return {"count": totals["count"], "aggregate": totals}
            rows = records.find(
                session, config.pipeline_id, config.filters, sort=config.sort, limit=config.limit
            )
            found = [_only(records.view(row), config.include_fields) for row in rows]
            return {"count": len(found), "records": found}

        output = await context.store(work)
        return NodeResult(output, {"records": output["records"]} if "records" in output else {})


def _only(view: dict[str, Any], fields: list[str] | None) -> dict[str, Any]:
    return view if fields is None else {name: _value(view, name) for name in fields}


def _value(view: dict[str, Any], name: str) -> Any:
    value: Any = view
    for part in [name] if name in view else name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
