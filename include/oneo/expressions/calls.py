"""Calling functions of the table: arguments are put in order once, errors get their position."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from oneo.errors import ExpressionError
from oneo.expressions.functions.registry import REQUIRED, Entry
from oneo.expressions.lookup import MissingError
from oneo.expressions.run import Run
from oneo.suggest import did_you_mean

Evaluate = Callable[[Run], Any]
ABSENT: Final = object()
"""What stands for a missing value where that is allowed."""


def bind(
    entry: Entry,
    arguments: Sequence[Any],
    named: Sequence[tuple[str, Any]],
    position: int,
    *,
    may_be_dated: bool,
) -> list[Any]:
    """The arguments in the order of the parameters, defaults filled in."""
    given = list(arguments)
    names = [parameter.name for parameter in entry.parameters]
    keywords = dict(named)
    if (
        entry.dated
        and may_be_dated
        and names[0] not in keywords
        and len(given) + len(keywords) < entry.required
    ):
        given.insert(0, now)
    surplus = given[len(names) :]
    if surplus and not entry.rest:
        raise _misused(entry, f"takes at most {len(names)} argument(s), not {len(given)}", position)
    ordered = given[: len(names)]
    for parameter in entry.parameters[len(ordered) :]:
        value = keywords.pop(parameter.name, parameter.default)
        if value is REQUIRED:
            raise _misused(entry, f"needs {parameter.name!r}", position)
        ordered.append(value)
    if keywords:
        name = next(iter(keywords))
        if name in names:
            raise _misused(entry, f"gets {name!r} twice", position)
        raise ExpressionError(
            f"{entry.doc.name} has no argument {name!r}", position, did_you_mean(name, names)
        )
    return [*ordered, *surplus]


def now(run: Run) -> Any:
    """The scope's moment, where a date function is called without a date."""
    if run.scope.now is None:
        raise ExpressionError("what time it is, is not known here")
    return run.scope.now


def invoke(entry: Entry, arguments: list[Evaluate], position: int) -> Evaluate:
    """A closure that calls the function."""
    call, name = entry.call, entry.doc.name

    def called(run: Run) -> Any:
        values = [argument(run) for argument in arguments]
        try:
            return call(run, *values)
        except ExpressionError as exc:
            if exc.position is None:
                raise ExpressionError(f"{name}: {exc.message}", position, exc.hint) from exc
            raise
        except MissingError as exc:
            if exc.position is None:
                exc.position = position
            raise
        except OverflowError as exc:
            raise ExpressionError(f"{name}: the result is out of range", position) from exc
        except (ArithmeticError, ValueError, TypeError) as exc:
            raise ExpressionError(f"{name} cannot work with this: {exc}", position) from exc

    return called


def absent_if_missing(inner: Evaluate) -> Evaluate:
    """The same, giving `ABSENT` where what it reads is missing."""

    def caught(run: Run) -> Any:
        try:
            return inner(run)
        except MissingError:
            return ABSENT

    return caught


def defaulted(value: Evaluate, fallback: Evaluate, also_empty: Evaluate) -> Evaluate:
    """`default`: unlike other functions it catches what is missing, and reads the fallback only where needed."""

    def chosen(run: Run) -> Any:
        found = value(run)
        if found is ABSENT or found is None or (not found and also_empty(run)):
            return fallback(run)
        return found

    return chosen


def guarded(position: int, compute: Callable[..., Any], *arguments: Any) -> Any:
    """What an operator gives, its errors with their position."""
    try:
        return compute(*arguments)
    except ExpressionError as exc:
        if exc.position is None:
            exc.position = position
        raise
    except OverflowError as exc:
        raise ExpressionError("the result is out of range", position) from exc
    except (ArithmeticError, ValueError, TypeError) as exc:
        raise ExpressionError(f"this cannot be computed: {exc}", position) from exc


def _misused(entry: Entry, what: str, position: int) -> ExpressionError:
    return ExpressionError(f"{entry.doc.name} {what}", position, f"write {entry.doc.signature}")
