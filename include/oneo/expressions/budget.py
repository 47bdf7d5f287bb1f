"""Limits that keep one expression from taking the process down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """What one expression may cost.

    Attributes:
        source: Longest source, in characters.
        depth: Deepest nesting of the expression.
        steps: Evaluation steps; functions pay one per list item they look at.
        text: Longest text an expression may produce, in characters.
        items: Most list items and object fields, counted through all levels, an expression may produce.
    """

    source: int = 10_000
    depth: int = 50
    steps: int = 100_000
    text: int = 1_000_000
    items: int = 100_000


DEFAULT_BUDGET = Budget()
