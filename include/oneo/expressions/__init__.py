"""Expressions: `{{ record.name }}` in configs, `record.score > 80` in conditions.

A closed world: values are JSON values, dates and decimals; names resolve by dict lookup; functions come from one
table; data is never parsed. `import oneo.expressions` is cheap: Jinja2's parser is loaded by the first compilation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneo.expressions.budget import DEFAULT_BUDGET, Budget
from oneo.expressions.reads import PathRead, Reads
from oneo.expressions.resolve import ResolutionError, resolve, templates_in
from oneo.expressions.scope import Lazy, Scope
from oneo.expressions.template import Condition, Template, compile_condition, compile_template, is_template

if TYPE_CHECKING:
    from oneo.expressions.functions import FunctionDoc

__all__ = [
    "DEFAULT_BUDGET",
    "Budget",
    "Condition",
    "Lazy",
    "PathRead",
    "Reads",
    "ResolutionError",
    "Scope",
    "Template",
    "compile_condition",
    "compile_template",
    "is_template",
    "reads",
    "reference",
    "resolve",
    "templates_in",
]


def reads(source: str | Template | Condition) -> Reads:
    """What a template or a condition reads, without evaluating it; a source is taken to be a template.

    Raises:
        ExpressionError: The source cannot be compiled.
    """
    return compile_template(source).reads if isinstance(source, str) else source.reads


def reference() -> list[FunctionDoc]:
    """Every function and filter, for the documentation."""
    from oneo.expressions import functions  # noqa: PLC0415 - the table is loaded by the first compilation

    return functions.reference()
