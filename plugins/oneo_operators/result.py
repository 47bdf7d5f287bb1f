"""What a node gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from oneo_operators.variables import Changes


@dataclass(frozen=True)
class NodeResult:
    """The result of a node's run.

    Attributes:
        output: JSON value; later nodes read it as `nodes.<id>`.
        context_updates: Entries of `context` that nodes after this one see.
        routes: For branching nodes, the keys of the branches taken; None for all others.
        variables: Changes of variables that nodes after this one see.
    """

    output: Any = None
    context_updates: Mapping[str, Any] = field(default_factory=dict)
    routes: tuple[str, ...] | None = None
    variables: Changes | None = None


@dataclass(frozen=True)
class Wait:
    """A node that cannot go on yet.

    What it has done so far is kept. It is run anew with the same config and the same `now`, and finds out by itself
    whether it may go on then.

    Attributes:
        until: When to run it anew.
    """

    until: datetime
