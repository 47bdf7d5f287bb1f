"""How functions enter the table, and how they read their arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from oneo.errors import ExpressionError
from oneo.expressions.run import Run
from oneo.expressions.values import kind, moment_from_text, number_from_text, text

REQUIRED: Final = object()
"""The default of a parameter that has none."""


@dataclass(frozen=True, slots=True)
class FunctionDoc:
    """One function as the reference shows it.

    Attributes:
        name: Its name, e.g. `date.add_days`.
        aliases: Its other names.
        topic: `general`, `text`, `numbers`, `lists` or `dates`.
        signature: How it is written as a function.
        summary: What it gives.
        examples: Expressions and what they give, as JSON text or plain text.
    """

    name: str
    aliases: tuple[str, ...]
    topic: str
    signature: str
    summary: str
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `default` is `REQUIRED` where there is none."""

    name: str
    default: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One function of the table.

    Attributes:
        call: Takes the run, then the arguments.
        parameters: In order.
        rest: Whether any number of further arguments may follow.
        dated: Whether the first argument is the scope's now where it is left out.
        doc: What the reference shows.
    """

    call: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    rest: bool
    dated: bool
    doc: FunctionDoc

    @property
    def required(self) -> int:
        """How many arguments there must be."""
        return sum(parameter.default is REQUIRED for parameter in self.parameters)


TABLE: Final[dict[str, Entry]] = {}


def function(
    name: str, *aliases: str, examples: tuple[tuple[str, str], ...] = (), dated: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function into the table.

    Args:
        name: Its name in expressions.
        aliases: Its other names.
        examples: Expressions and the text of what they give; the tests evaluate them.
        dated: Whether its first argument may be left out and is now then.
    """

    def enter(call: Callable[..., Any]) -> Callable[..., Any]:
        parameters, rest, shown = [], False, []
        for parameter in list(inspect.signature(call).parameters.values())[1:]:
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                rest = True
                shown.append(f"{parameter.name}…")
                continue
            default = REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default
            label = parameter.name.rstrip("_")
            parameters.append(Parameter(label, default))
            optional = default is not REQUIRED or (dated and len(parameters) == 1)
            shown.append(f"[{label}]" if optional else label)
        doc = FunctionDoc(
            name,
            aliases,
            call.__module__.rpartition(".")[2],
            f"{name}({', '.join(shown)})",
            " ".join((call.__doc__ or "").split()),
            examples,
        )
        entry = Entry(call, tuple(parameters), rest, dated, doc)
        TABLE.update(dict.fromkeys((name, *aliases), entry))
        return call

    return enter


def need_text(run: Run, value: Any) -> str:
    """An argument as text; null is empty, numbers and dates are as they show."""
    if isinstance(value, str):
        run.spend(len(value) >> 8)
        return value
    if isinstance(value, Mapping | list | tuple):
        raise ExpressionError(f"needs text, not {kind(value)}", hint="write | join(', ') or | json first")
    return text(value, run.budget)


def need_number(value: Any) -> int | float | Decimal:
    """An argument as a number; a text that plainly is one will do."""
    found: Any = number_from_text(value) if isinstance(value, str) else value
    if isinstance(found, int | float | Decimal) and not isinstance(found, bool):
        return found
    raise ExpressionError(f"needs a number, not {kind(value)}")


def need_whole(value: Any, *, least: int = -(10**9), most: int = 10**9) -> int:
    """An argument as a whole number within bounds."""
    found = need_number(value)
    if not least <= found <= most or found != int(found):
        raise ExpressionError(f"needs a whole number from {least:,} to {most:,}")
    return int(found)


def need_list(run: Run, value: Any) -> list[Any]:
    """An argument as a list; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        hint = "write | values or | items first" if isinstance(value, Mapping) else None
        raise ExpressionError(f"needs a list, not {kind(value)}", hint=hint)
    run.spend(len(value))
    return list(value)


def need_object(run: Run, value: Any) -> Mapping[str, Any]:
    """An argument as an object; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ExpressionError(f"needs an object, not {kind(value)}")
    run.spend(len(value))
    return value


def need_date(run: Run, value: Any) -> date:
    """An argument as a date or moment; ISO 8601 texts will do."""
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        found = moment_from_text(value, run.scope.timezone)
        if found is not None:
            return found
        raise ExpressionError(
            "needs a date such as 2026-01-31 or 2026-01-31T09:00:00Z", hint="use date.parse(text, '%d.%m.%Y')"
        )
    raise ExpressionError(f"needs a date, not {kind(value)}")
