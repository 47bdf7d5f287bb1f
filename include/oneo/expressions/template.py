"""Templates and conditions: compiled once, kept by source, evaluated often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from oneo.errors import ExpressionError
from oneo.expressions.budget import DEFAULT_BUDGET, Budget
from oneo.expressions.lexer import lex_condition
from oneo.expressions.lookup import MissingError, Path
from oneo.expressions.reads import Reads, ReadsCollector
from oneo.expressions.run import Run
from oneo.expressions.scope import Scope
from oneo.expressions.segments import split_template
from oneo.expressions.values import QUICK_TYPES, measure

if TYPE_CHECKING:
    from oneo.expressions.calls import Evaluate
    from oneo.expressions.lexer import Lexeme

_MARKS: Final = ("{{", "{%", "{#")
_CACHED: Final = 4096
_MAX_TOTAL_TEXT: Final = 10
_ESCAPING: Final = (
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    MemoryError,
)


class _Compiled:
    """What templates and conditions share.

    Attributes:
        source: The source.
        reads: What it reads.
    """

    __slots__ = ("_cost", "_evaluate", "_path", "reads", "source")

    def __init__(
        self, source: str, evaluate: Evaluate, reads: Reads, cost: int, path: Path | None = None
    ) -> None:
        self.source = source
        self.reads = reads
        self._evaluate = evaluate
        self._cost = cost
        self._path = path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r})"

    def _run(self, scope: Scope, budget: Budget) -> Any:
        try:
            return self._evaluate(Run(scope, budget, self._cost))
        except MissingError as exc:
            raise exc.as_error() from None
        except _ESCAPING as exc:
            raise ExpressionError(f"the expression cannot be evaluated: {type(exc).__name__}: {exc}") from exc


class Template(_Compiled):
    """A text with `{{ … }}` in it. Make one with `compile_template`."""

    __slots__ = ()

    def evaluate(self, scope: Scope, budget: Budget = DEFAULT_BUDGET) -> Any:
        """The value: of any type where the source is exactly one `{{ … }}`, else text.

        Args:
            scope: The names it sees.
            budget: What it may cost.

        Raises:
            ExpressionError: It cannot be evaluated; nothing else is ever raised.
        """
        path = self._path
        if path is not None:
            value: Any = scope.names
            for key in path:
                if value.__class__ is not dict or key not in value:
                    break
                value = value[key]
            else:
                if value.__class__ in QUICK_TYPES:
                    return value
        return self._run(scope, budget)


class Condition(_Compiled):
    """A condition. Make one with `compile_condition`."""

    __slots__ = ()

    def evaluate(self, scope: Scope, budget: Budget = DEFAULT_BUDGET) -> bool:
        """Whether it holds: its value is not null, false, 0 or empty.

        Args:
            scope: The names it sees.
            budget: What it may cost.

        Raises:
            ExpressionError: It cannot be evaluated; nothing else is ever raised.
        """
        return bool(self._run(scope, budget))


def is_template(source: str) -> bool:
    """Whether a text has to be compiled: it contains `{{`, or `{%` and `{#` that would be complained about."""
    return "{" in source and any(mark in source for mark in _MARKS)


@lru_cache(_CACHED)
def compile_template(source: str, budget: Budget = DEFAULT_BUDGET) -> Template:
    """Compile a text with any number of `{{ … }}`.

    Args:
        source: The text. Exactly one `{{ … }}`, with white space around it, keeps the type of its value; otherwise
            the parts are joined as text: null is nothing, dates are ISO 8601, lists and objects compact JSON.
        budget: Limits of the source's length and depth.

    Raises:
        ExpressionError: It cannot be compiled.
    """
    _check_length(source, budget)
    parts = split_template(source)
    collector = ReadsCollector()
    expressions = [part for part in parts if not isinstance(part, str)]
    if len(expressions) == 1 and not any(isinstance(part, str) and part.strip() for part in parts):
        evaluate, cost, path = _compile(expressions[0], collector, budget)
        return Template(source, evaluate, collector.done(), cost, path)
    pieces: list[Evaluate] = []
    total = 0
    for part in parts:
        if isinstance(part, str):
            pieces.append(_literal(part))
        else:
            evaluate, cost, _ = _compile(part, collector, budget)
            pieces.append(evaluate)
            total += cost
    return Template(source, lambda run: run.joined([piece(run) for piece in pieces]), collector.done(), total)


@lru_cache(_CACHED)
def compile_condition(source: str, budget: Budget = DEFAULT_BUDGET) -> Condition:
    """Compile a condition: one expression in which `{{ … }}` may stand around any part.

    `record.score > 80`, `{{record.score}} > 80` and `{{ record.score > 80 }}` mean the same: each `{{ … }}` is that
    part of the expression in brackets, so values are compared as values and never become source. Only in quotes,
    as in `'{{record.name}}' == 'Ann'`, it gives text. Comparing null by size is false; a text that plainly is a
    number is compared with numbers as one.

    Args:
        source: The condition.
        budget: Limits of the source's length and depth.

    Raises:
        ExpressionError: It cannot be compiled.
    """
    _check_length(source, budget)
    collector = ReadsCollector()
    evaluate, cost, _ = _compile(lex_condition(source), collector, budget)
    return Condition(source, evaluate, collector.done(), cost)


def _check_length(source: str, budget: Budget) -> None:
    if len(source) > budget.source:
        raise ExpressionError(
            f"the source has {len(source):,} characters; at most {budget.source:,} are allowed", budget.source
        )


def _compile(
    lexemes: Sequence[Lexeme], collector: ReadsCollector, budget: Budget
) -> tuple[Evaluate, int, Path | None]:
    # Every Airflow task imports this package; most evaluate nothing before they have read their definition.
    from oneo.expressions.compiler import Compiler  # noqa: PLC0415
    from oneo.expressions.parser import parse  # noqa: PLC0415

    compiler = Compiler(budget, collector)
    tree = parse(list(lexemes))
    try:
        evaluate = compiler.compile(tree)
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply", hint="split it") from None
    if compiler.cost > budget.steps:
        raise ExpressionError(f"the expression takes more than {budget.steps:,} steps")
    found = compiler.path(tree)
    if found is None:
        return _bounded(evaluate), compiler.cost, None
    return evaluate, compiler.cost, None if found[0][0] == "secrets" else found[0]


def _literal(part: str) -> Evaluate:
    return lambda _run: part


def _bounded(evaluate: Callable[[Run], Any]) -> Evaluate:
    """The same, refusing results over budget: what an expression builds may name the same data many times."""

    def bounded(run: Run) -> Any:
        value = evaluate(run)
        if isinstance(value, str):
            run.fits_text(len(value))
        elif isinstance(value, dict | list | tuple):
            measure(value, items=run.budget.items, characters=_MAX_TOTAL_TEXT * run.budget.text)
        return value

    return bounded
