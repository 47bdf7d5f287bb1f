"""The state of one evaluation."""

from __future__ import annotations

from typing import Any

from oneo.errors import ExpressionError
from oneo.expressions.budget import Budget
from oneo.expressions.scope import Scope
from oneo.expressions.values import json_text, text, too_large


class Run:
    """One evaluation: the names it sees and what it may still spend.

    Args:
        scope: The names.
        budget: The limits.
        cost: Steps the expression itself takes; there are no loops, so they are known beforehand.
    """

    __slots__ = ("budget", "scope", "steps")

    def __init__(self, scope: Scope, budget: Budget, cost: int) -> None:
        self.scope = scope
        self.budget = budget
        self.steps = budget.steps - cost

    def spend(self, steps: int) -> None:
        """Pay for work in proportion to data."""
        self.steps -= steps
        if self.steps < 0:
            raise ExpressionError(
                f"the expression takes more than {self.budget.steps:,} steps",
                hint="work on a smaller part of the data",
            )

    def fits_text(self, length: int) -> None:
        """Refuse to build a longer text than allowed, before it is built."""
        if length > self.budget.text:
            raise too_large(f"more than {self.budget.text:,} characters")
        self.spend(length >> 8)  # what is built is also held: steps bound the memory too

    def fits_items(self, count: int) -> None:
        """Refuse to build a longer list than allowed, before it is built."""
        if count > self.budget.items:
            raise too_large(f"more than {self.budget.items:,} items")
        self.spend(count >> 6)

    def text(self, value: Any) -> str:
        """A value as text."""
        if value.__class__ is str:
            return str(value)
        made = text(value, self.budget)
        self.spend(len(made) >> 5)
        return made

    def json(self, value: Any, indent: int | None = None) -> str:
        """A value as JSON text."""
        made = json_text(value, self.budget, indent)
        self.spend(len(made) >> 5)
        return made

    def joined(self, values: list[Any]) -> str:
        """Values as one text."""
        parts = [value if value.__class__ is str else self.text(value) for value in values]
        self.fits_text(sum(map(len, parts)))
        return "".join(parts)
