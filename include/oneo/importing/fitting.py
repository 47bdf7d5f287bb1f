"""Whether data surely fits a pipeline: a first look, which spares most rows of a file the whole one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import re2

from oneo.store.pipelines import PipelineSpec

_TYPES: dict[str, Any] = {
    "string": str,
    "number": int | float,
    "integer": int,
    "boolean": bool,
    "array": list,
}


class Fitting:
    """A pipeline's demands on data.

    Args:
        spec: The pipeline.
    """

    def __init__(self, spec: PipelineSpec) -> None:
        self._spec = spec
        schema = spec.json_schema()
        self._required = schema["required"]
        self._looks = {name: _look(one) for name, one in schema["properties"].items()}
        stages = {stage.id for stage in spec.stages}
        if stages:
            self._looks["stage"] = lambda stage: stage in stages

    def problems(self, data: dict[str, Any]) -> list[str]:
        """What does not fit, one sentence each; empty where everything does."""
        # What a JSON Schema of the author's demands, only the whole look knows.
        surely = not self._spec.record_schema and self._surely_fits(data)
        return [] if surely else self._spec.problems(data)

    def _surely_fits(self, data: dict[str, Any]) -> bool:
        looks = self._looks
        return all(name in data for name in self._required) and all(
            looks[name](value) for name, value in data.items() if name in looks
        )


def _look(schema: dict[str, Any]) -> Callable[[Any], bool]:
    """Whether a value surely fits a field's schema; for what the look does not know, it does not."""
    schema = schema.get("anyOf", [schema])[0]
    if not schema:
        return lambda _: True
    if not schema.keys() <= {"type", "pattern", "enum", "format"}:
        return lambda _: False
    kind = _TYPES[schema["type"]]
    allowed = schema.get("enum")
    fits_pattern = _pattern(schema["pattern"]) if "pattern" in schema else lambda _: True
    fits_format = _FORMATS.get(schema.get("format"), lambda _: False)

    def look(value: Any) -> bool:
        return (
            isinstance(value, kind)
            and (kind is bool or not isinstance(value, bool))
            and (allowed is None or value in allowed)
            and fits_pattern(value)
            and fits_format(value)
        )

    return look


def _pattern(pattern: str) -> Callable[[Any], bool]:
    # As a set of one: it does not say where the text fits, which takes most of a search's time.
    found = re2.Set.SearchSet()
    found.Add(pattern)
    found.Compile()
    return lambda value: bool(found.Match(value))


def _is_day(value: Any) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == str(value)
    except ValueError:
        return False


def _is_moment(value: Any) -> bool:
    try:
        return len(value) > len("2026-01-31") and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


_FORMATS: dict[str | None, Callable[[Any], bool]] = {
    None: lambda _: True,
    "date": _is_day,
    "date-time": _is_moment,
}
