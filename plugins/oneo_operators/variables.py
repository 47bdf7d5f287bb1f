"""Changes of a workflow's variables, as one node leaves them for the nodes after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

# Where a node's changes are kept among its context updates; no name of a context entry looks like this.
VARIABLES: Final = "oneo:variables"


@dataclass(frozen=True)
class Changes:
    """What is done to variables.

    Kept as what is done and not as what comes out: what branches did side by side adds up where they meet.

    Attributes:
        set: New values.
        increment: Numbers to add.
        append: Items to add to lists.
        unset: Names that are no variables any more.
    """

    set: Mapping[str, Any] = field(default_factory=dict)
    increment: Mapping[str, float] = field(default_factory=dict)
    append: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    unset: Sequence[str] = ()

    def applied_to(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The variables after the changes.

        A number is added to 0, items to an empty list, where a branch beside put something of another kind.
        """
        after = {name: value for name, value in variables.items() if name not in self.unset}
        after |= self.set
        for name, by in self.increment.items():
            known = after.get(name)
            after[name] = known + by if is_number(known) else by
        for name, items in self.append.items():
            known = after.get(name)
            after[name] = [*known, *items] if isinstance(known, list) else list(items)
        return after


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
