"""Templates anywhere inside a JSON value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from oneo.errors import ExpressionError
from oneo.expressions.budget import DEFAULT_BUDGET, Budget
from oneo.expressions.scope import Scope
from oneo.expressions.template import compile_template, is_template

MAX_DEPTH: Final = 64


class ResolutionError(ExpressionError):
    """An expression inside a JSON value that cannot be compiled or evaluated.

    Args:
        cause: What is wrong with it.
        path: JSON path of the text, e.g. `$.headers.Authorization`.
    """

    def __init__(self, cause: ExpressionError, path: str) -> None:
        super().__init__(f"{path}: {cause.message}", cause.position, cause.hint)
        self.path = path

    def as_json(self) -> dict[str, Any]:
        """The error with its place."""
        return {**super().as_json(), "path": self.path}


def resolve(value: Any, scope: Scope, budget: Budget = DEFAULT_BUDGET, *, path: str = "$") -> Any:
    """The value with every template in it evaluated; names of fields stay as they are, the input is not changed.

    What a template gives is data and not looked at again.

    Args:
        value: A JSON value.
        scope: The names the templates see.
        budget: What each template may cost.
        path: JSON path of the value, for messages.

    Raises:
        ResolutionError: A template cannot be compiled or evaluated.
    """
    return _resolve(value, scope, budget, path, 0)


def templates_in(value: Any, path: str = "$") -> Iterator[tuple[str, str]]:
    """Every template inside a JSON value: its JSON path and its source.

    Args:
        value: A JSON value.
        path: JSON path of the value.

    Raises:
        ResolutionError: The value is nested too deeply.
    """
    pending = [(path, value, 0)]
    while pending:
        place, current, depth = pending.pop()
        if isinstance(current, str):
            if is_template(current):
                yield place, current
        elif isinstance(current, dict | list):
            _check_depth(depth, place)
            pending.extend((inner, part, depth + 1) for inner, part in reversed(list(_parts(current, place))))


def _resolve(value: Any, scope: Scope, budget: Budget, path: str, depth: int) -> Any:
    if isinstance(value, str):
        if not is_template(value):
            return value
        try:
            return compile_template(value, budget).evaluate(scope, budget)
        except ExpressionError as exc:
            raise ResolutionError(exc, path) from exc
    if isinstance(value, dict):
        _check_depth(depth, path)
        return {
            key: _resolve(part, scope, budget, inner, depth + 1)
            for key, (inner, part) in zip(value, _parts(value, path), strict=True)
        }
    if isinstance(value, list):
        _check_depth(depth, path)
        return [_resolve(part, scope, budget, inner, depth + 1) for inner, part in _parts(value, path)]
    return value


def _parts(value: dict[str, Any] | list[Any], path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        yield from ((f"{path}[{index}]", part) for index, part in enumerate(value))
        return
    for key, part in value.items():
        plain = isinstance(key, str) and key.isidentifier() and key.isascii()
        yield (f"{path}.{key}" if plain else f"{path}[{key!r}]"), part


def _check_depth(depth: int, path: str) -> None:
    if depth >= MAX_DEPTH:
        raise ResolutionError(ExpressionError(f"the value is nested more than {MAX_DEPTH} levels deep"), path)
