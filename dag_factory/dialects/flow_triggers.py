"""When the trigger of a workflow row fires: its conditions on the record, as a filter."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from dag_factory.dialects.converted import Converted

_COMPARED: Final = {"==": "$eq", "!=": "$ne", ">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
_IN_TEXT: Final = {"contains": "$contains", "starts_with": "$starts_with", "ends_with": "$ends_with"}
_OPERATORS: Final = {**_COMPARED, **_IN_TEXT}
_CONDITIONS: Final = "conditions"
_IGNORED: Final = "field_conditions"


def with_filters(result: Converted, config: dict[str, Any], place: list[int | str]) -> dict[str, Any]:
    """The options of a record trigger, its `conditions` read as `field_filters`.

    Args:
        result: Takes what cannot be read.
        config: As written.
        place: Where the trigger's options stand in the canonical document.
    """
    at: list[int | str] = ["trigger_config", _CONDITIONS]
    if _IGNORED in config:
        result.note(
            f"`{_IGNORED}` decided nothing there and is left out; specific_fields names fields to watch"
        )
    rest = {key: value for key, value in config.items() if key not in (_CONDITIONS, _IGNORED)}
    written = config.get(_CONDITIONS)
    if written is None:
        return rest
    if not isinstance(written, list):
        result.refuse(at, "`conditions` is a list", 'write [{"field": …, "operator": "==", "value": …}]')
        return rest
    clauses = [clause for index, one in enumerate(written) if (clause := _clause(result, one, [*at, index]))]
    fields = Counter(field for clause in clauses for field in clause)
    once = all(count == 1 for count in fields.values())
    wanted = (
        {field: test for clause in clauses for field, test in clause.items()} if once else {"$and": clauses}
    )
    if not clauses:
        return rest
    result.place([*place, "field_filters"], at, alike=False)
    given = rest.get("field_filters")
    return {**rest, "field_filters": {"$and": [given, wanted]} if given else wanted}


def _clause(result: Converted, written: Any, at: list[int | str]) -> dict[str, Any]:
    """One condition as part of a filter; empty where it is none."""
    field = written.get("field") if isinstance(written, dict) else None
    if not isinstance(field, str) or not field:
        result.refuse(at, "a condition names its `field`", 'write {"field": …, "operator": "==", "value": …}')
        return {}
    sign, value = written.get("operator", "=="), written.get("value")
    if sign in ("contains", "not_contains"):
        result.note("`contains` in `conditions` of the trigger: upper and lower case are told apart here")
    if sign == "not_contains":
        return {field: {"$exists": True, "$not": {"$contains": value}}}
    if not isinstance(sign, str) or sign not in _OPERATORS:
        hint = "one of " + ", ".join([*_OPERATORS, "not_contains"])
        result.refuse(at, f"there is no operator {sign!r}", hint)
        return {}
    # There, a field that is missing fits no condition.
    return {field: {"$exists": True, "$ne": value} if sign == "!=" else {_OPERATORS[sign]: value}}
