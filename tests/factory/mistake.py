"""One mistake an author can make, and what must be said about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oneo.problems import Problem


@dataclass(frozen=True)
class Mistake:
    """A definition with one mistake in it.

    Attributes:
        name: What is wrong; the id of its test.
        document: The definition.
        path: JSON path of the one problem.
        node: Id of the node concerned.
        says: Words that message and hint together must hold: what is wrong, and what would be right.
        severity: `error`, or `warning` where publishing goes on.
    """

    name: str
    document: Any
    path: str
    node: str | None
    says: tuple[str, ...]
    severity: str = "error"

    def __str__(self) -> str:
        return self.name


def said(problem: Problem) -> str:
    """Everything a problem tells its reader."""
    return f"{problem.message} {problem.hint or ''}"
