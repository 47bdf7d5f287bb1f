"""Searching a pipeline."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from dag_factory.catalogue import Effect
from oneo.store import records
from oneo.store.record_store import RecordStore
from oneo.store.totals import FUNCTIONS, MAX_GROUP_FIELDS, Function
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.filter_option import Filters
from oneo_operators.result import NodeResult


class FindRecordsConfig(NodeConfig):
    """What to look for."""

    pipeline_id: str = Field(description="Pipeline to search.")
    filters: Filters = Field(
        default_factory=dict,
        description='All of them must hold: `{"status": "active", "score": {"$gte": 50}}`. '
        "The operators are in the guide to filters.",
    )
    sort: dict[str, Literal[1, -1]] = Field(
        default_factory=dict,
        description="Field to 1 (ascending) or -1 (descending), the first weighs most. Default: oldest first.",
    )
    limit: int = Field(
        default=100, ge=1, le=records.MAX_LIMIT, description="At most that many records, or groups."
    )
    cursor: str | None = Field(
        default=None,
        description="Go on where a page before ended: its `next_cursor`, with the same pipeline and sort.",
    )
    include_fields: list[str] | None = Field(
        default=None, description="Only these fields; `company.name` is a field inside one. Default: all."
    )
    aggregate: bool | list[Function] = Field(
        default=False,
        description="Instead of records: their number, and of each numeric field in include_fields the sum, average, "
        "minimum and maximum, or those listed, over all that fit (limit does not apply). Times have the last two.",
    )
    group_by: list[str] = Field(
        default_factory=list,
        max_length=MAX_GROUP_FIELDS,
        description="With `aggregate`: the same for each value of these fields, largest groups first, at most `limit`.",
    )

    @model_validator(mode="after")
    def _pages_or_totals(self) -> FindRecordsConfig:
        if self.group_by and not self.aggregate:
            raise ValueError("`group_by` needs `aggregate`: groups are counted and summed")
        if self.cursor is not None and self.aggregate:
            raise ValueError("`cursor` is for records: totals have no pages")
        return self


class FindRecordsOperator(NodeOperator):
    """Find records."""

    type: ClassVar[str] = "find_records"
    category: ClassVar[str] = "data_operation"
    description: ClassVar[str] = (
        "Finds the records of a pipeline that fit a filter, or counts and sums them. `output.records`, `output.count` "
        "(of this page) and `output.next_cursor` (empty on the last page); or `output.count` (of all) and "
        "`output.aggregate`, which holds `count` and, by field, what was made of it, with `output.groups`, the same "
        "for each `group`."
    )
    effect: ClassVar[Effect] = "pure"
    Config = FindRecordsConfig

    async def run(self, config: FindRecordsConfig, context: NodeContext) -> NodeResult:
        """Search; the records are also in the context, for loops."""

        def work(store: RecordStore) -> dict[str, Any]:
            return _totals(store, config) if config.aggregate else _page(store, config)

        output = await context.read_records(config.pipeline_id, work)
        return NodeResult(output, {"records": output["records"]} if "records" in output else {})


def _page(store: RecordStore, config: FindRecordsConfig) -> dict[str, Any]:
    found = store.page(config.filters, sort=config.sort, limit=config.limit, cursor=config.cursor)
    shown = [_only(view, config.include_fields) for view in found.views]
    return {"count": len(shown), "records": shown, "next_cursor": found.cursor}


def _totals(store: RecordStore, config: FindRecordsConfig) -> dict[str, Any]:
    about = (config.filters, config.include_fields or [])
    functions = config.aggregate if isinstance(config.aggregate, list) else FUNCTIONS
    [whole] = store.totals(*about, functions=functions)
    output = {"count": whole["count"], "aggregate": whole}
    if config.group_by:
        output["groups"] = store.totals(
            *about, functions=functions, group_by=config.group_by, limit=config.limit
        )
    return output


def _only(view: dict[str, Any], fields: list[str] | None) -> dict[str, Any]:
    return view if fields is None else {name: _value(view, name) for name in fields}


def _value(view: dict[str, Any], name: str) -> Any:
    value: Any = view
    for part in [name] if name in view else name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
