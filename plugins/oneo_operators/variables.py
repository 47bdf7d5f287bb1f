"""Changes of a workflow's variables, as one node leaves them for the nodes after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard


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

    def followed_by(self, later: Changes) -> Changes:
        """These changes and then others, as changes of their own."""
        gone = {*later.unset}
        made = {name: value for name, value in self.set.items() if name not in gone} | dict(later.set)
        increment = {name: by for name, by in self.increment.items() if name not in gone | later.set.keys()}
        append = {
            name: list(items) for name, items in self.append.items() if name not in gone | later.set.keys()
        }
        unset = [name for name in {*self.unset, *gone} if name not in later.set]
        for name, by in later.increment.items():
            if name in made or name in append:
                known = made.get(name)
                made[name] = known + by if is_number(known) else by
                append.pop(name, None)
            else:
                increment[name] = increment.get(name, 0) + by
        for name, items in later.append.items():
            if name in made or name in increment:
                known = made.get(name)
                made[name] = [*known, *items] if isinstance(known, list) else list(items)
                increment.pop(name, None)
            else:
                append[name] = [*append.get(name, ()), *items]
        return Changes(made, increment, append, sorted(unset))


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
