"""One object out of several."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from dag_factory.catalogue import Place
from oneo.database import plain_json
from oneo.errors import ConfigError, ExpressionError, PermanentNodeError
from oneo.expressions import Lazy, is_template
from oneo.expressions.lookup import MissingError, walk
from oneo.expressions.scope import MISSING
from oneo.expressions.values import kind
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.nodes.data._merging import Merger, Resolution, without_nulls
from oneo_operators.result import NodeResult

logger = logging.getLogger(__name__)

_STATIC = "static"
_NAMES = ("context", "trigger", "record", "variables")
_API_RESPONSE = "api_response"


class MergeSource(NodeConfig):
    """Where an object comes from."""

    source: str = Field(
        min_length=1,
        description="`context`, `trigger`, `record`, `variables`; `static` for `data`; `api_response` for the body "
        "that the last HTTP request before this node got; or the output of a node: its id or `nodes.ID`.",
    )
    path: str | None = Field(
        default=None, description="Part of it, e.g. `company.address`. Default: all of it."
    )
    data: dict[str, Any] | None = Field(default=None, description="With `static`: the object itself.")

    @model_validator(mode="after")
    def _data_is_static(self) -> MergeSource:
        if (self.source == _STATIC) != ("data" in self.model_fields_set):
            raise ValueError(
                f"`data` is given with the source `static`, and with no other: this is {self.source!r}"
            )
        return self


class MergeDataConfig(NodeConfig):
    """What to merge, and how."""

    merge_sources: list[MergeSource] = Field(
        min_length=1, description="The objects, in the order they are merged."
    )
    merge_strategy: Literal["deep", "shallow"] = Field(
        default="deep", description="Merge objects inside the objects too, or take them as values."
    )
    conflict_resolution: Resolution = Field(
        default="latest_wins",
        description="Where two sources differ: the later value, the first, a list of both (lists are joined), "
        "or fail.",
    )
    remove_nulls: bool = Field(
        default=False, description="Leave out fields that are null, so that they replace no value."
    )
    on_missing: Literal["error", "skip"] = Field(
        default="skip",
        description="A source that is not there: fail, or go on without it and note it in `context.missing_sources`.",
    )


class MergeDataOperator(NodeOperator):
    """Merge objects."""

    type: ClassVar[str] = "merge_data"
    category: ClassVar[str] = "data_operation"
    description: ClassVar[str] = "Merges objects from several sources into one."
    Config = MergeDataConfig

    @classmethod
    def reads(cls, config: Mapping[str, Any], place: Place) -> Iterable[tuple[str, str]]:
        """The nodes among the sources."""
        sources = config.get("merge_sources")
        for index, one in enumerate(sources if isinstance(sources, list) else ()):
            name = one.get("source") if isinstance(one, Mapping) else None
            if isinstance(name, str) and not is_template(name):
                for node_id in _nodes_of(name, place):
                    yield f".merge_sources[{index}].source", node_id

    async def run(self, config: MergeDataConfig, context: NodeContext) -> NodeResult:
        """Merge the sources; the output is the merged object, also `context.merged_data`."""
        merger = Merger(deep=config.merge_strategy == "deep", resolution=config.conflict_resolution)
        missing = []
        for index, source in enumerate(config.merge_sources):
            place = f"config.merge_sources[{index}]"
            found, reason = _found(source, context, place)
            if found is None:
                if config.on_missing == "error":
                    hint = "correct it, or go on without it with on_missing: skip"
                    raise ConfigError(f"{place}: {reason}", hint)
                logger.warning("%s is left out: %s", place, reason)
                missing.append({"source": source.source, "path": source.path, "reason": reason})
                continue
            before = len(merger.conflicts)
            merger.add(without_nulls(found) if config.remove_nulls else found)
            if config.conflict_resolution == "error" and len(merger.conflicts) > before:
                fields = ", ".join(merger.conflicts[before : before + 10])
                raise PermanentNodeError(
                    f"{place} ({source.source}) differs from the sources before it in: {fields}",
                    "choose another conflict_resolution, or sources that agree",
                )
        return NodeResult(merger.merged, {"merged_data": merger.merged, "missing_sources": missing})


def _nodes_of(source: str, place: Place) -> list[str]:
    """The nodes a source may stand for, the nearest last."""
    if source == _STATIC or source in _NAMES:
        return []
    if source == _API_RESPONSE and source not in place.before:
        return [one for one in place.before if place.types[one] == "http_request"]
    return [source.removeprefix("nodes.")]


def _found(source: MergeSource, context: NodeContext, place: str) -> tuple[dict[str, Any] | None, str]:
    """The object, or None and why there is none."""
    value = _value(source, context)
    if value is MISSING or value is None:
        return None, f"there is no {source.source!r}"
    try:
        part = walk(value, source.path) if source.path else value
    except MissingError as error:
        return None, f"{source.source!r} has no {source.path!r}: {error.message}"
    except ExpressionError as error:
        raise ConfigError(f"{place}.path: {error.message}", error.hint) from error
    if part is None:
        return None, f"{source.path or source.source!r} is null"
    try:
        plain = plain_json(_fetched(part))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{place}: {error}", "choose a part of it with `path`") from error
    if not isinstance(plain, dict):
        what = f"{source.source}.{source.path}" if source.path else source.source
        raise ConfigError(
            f"{place}: {what} is no object, it is {kind(plain)}",
            "choose an object with `path`, or name it in `data`",
        )
    return plain, ""


def _value(source: MergeSource, context: NodeContext) -> Any:
    if source.source == _STATIC:
        return source.data
    if source.source in _NAMES:
        return context.scope.find(source.source)
    for node_id in reversed(_nodes_of(source.source, context.place)):
        output = context.output_of(node_id)
        if output is not None:
            is_response = source.source == _API_RESPONSE and context.place.types[node_id] == "http_request"
            return output.get("body") if is_response else output
    return MISSING


def _fetched(value: Any) -> Any:
    """An object whose fields are all there: the record in the context is read at its first use."""
    if not isinstance(value, dict):
        return value
    return {name: part.get() if isinstance(part, Lazy) else part for name, part in value.items()}
