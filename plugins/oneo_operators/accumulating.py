"""Gathering one value from many: what the accumulators of loops do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from oneo.errors import ConfigError
from oneo.expressions.lookup import MissingError, walk
from oneo_operators.variables import is_number

Operation = Literal["append", "extend", "sum", "count", "min", "max", "merge", "concat", "first", "last"]

OPERATIONS: Final = (
    "`append` and `extend` make a list, `sum` a number, `count` counts, `min` and `max` keep one, `merge` puts objects "
    "over each other, `concat` joins texts, `first` and `last` keep that round's."
)

_BEGINNINGS: Final[Mapping[str, Any]] = {
    "append": [],
    "extend": [],
    "sum": 0,
    "count": 0,
    "merge": {},
    "concat": "",
}


def value_at(value: Any, path: str | None) -> Any:
    """What stands at a dotted path inside a value, as expressions read it; None where nothing does.

    Raises:
        ExpressionError: The path holds a name that is not available.
    """
    try:
        return walk(value, path) if path else value
    except MissingError:
        return None


def accumulate(operation: Operation, initial: Any, values: Sequence[Any]) -> Any:
    """All values gathered into one; values that are null are left out, but by `append` and `count`.

    Raises:
        ConfigError: A value does not fit the operation.
    """
    found = _BEGINNINGS.get(operation) if initial is None else initial
    if operation in ("append", "extend"):
        # A list of its own, which grows in place.
        found = list(found) if isinstance(found, list) else [found]
    if operation not in ("append", "count"):
        values = [value for value in values if value is not None]
    for value in values:
        found = _STEPS[operation](found, value)
    return found


def _append(found: Any, value: Any) -> Any:
    found.append(value)
    return found


def _extend(found: Any, value: Any) -> Any:
    found.extend(value if isinstance(value, list) else [value])
    return found


def _sum(found: Any, value: Any) -> Any:
    if not is_number(value) or not is_number(found):
        raise ConfigError(f"accumulator: {value!r} cannot be added to {found!r}", "give a path to a number")
    return found + value


def _merge(found: Any, value: Any) -> Any:
    if not isinstance(value, Mapping) or not isinstance(found, Mapping):
        raise ConfigError(f"accumulator: {value!r} cannot be merged", "give a path to an object")
    return {**found, **value}


def _extreme(pick: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def step(found: Any, value: Any) -> Any:
        try:
            return value if found is None else pick(found, value)
        except TypeError as error:
            raise ConfigError(
                f"accumulator: {value!r} cannot be compared with {found!r}", "give a path"
            ) from error

    return step


_STEPS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "append": _append,
    "extend": _extend,
    "sum": _sum,
    "count": lambda found, _: found + 1,
    "min": _extreme(min),
    "max": _extreme(max),
    "merge": _merge,
    "concat": lambda found, value: f"{found}{value}",
    "first": lambda found, value: value if found is None else found,
    "last": lambda _, value: value,
}
