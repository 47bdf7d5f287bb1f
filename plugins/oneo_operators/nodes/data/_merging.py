"""Merging of JSON objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

Resolution = Literal["latest_wins", "first_wins", "keep_both", "error"]


class Merger:
    """Merges objects one after the other.

    Args:
        deep: Whether objects inside the objects are merged too; else they are values like others.
        resolution: What to do where two objects have different values for the same field.

    Attributes:
        merged: What came out so far.
        conflicts: Dotted paths of the fields for which they differed.
    """

    def __init__(self, *, deep: bool, resolution: Resolution) -> None:
        self.deep = deep
        self.resolution = resolution
        self.merged: dict[str, Any] = {}
        self.conflicts: list[str] = []

    def add(self, data: Mapping[str, Any]) -> None:
        """Merge another object into what there is; it becomes part of it."""
        pending: list[tuple[str, dict[str, Any], Mapping[str, Any]]] = [("", self.merged, data)]
        while pending:
            path, into, values = pending.pop()
            for name, value in values.items():
                here = f"{path}{name}"
                if name not in into:
                    into[name] = value
                elif self.deep and isinstance(into[name], dict) and isinstance(value, dict):
                    pending.append((f"{here}.", into[name], value))
                elif _identity(into[name]) != _identity(value):
                    self.conflicts.append(here)
                    into[name] = self._resolved(into[name], value)

    def _resolved(self, first: Any, latest: Any) -> Any:
        if self.resolution == "latest_wins":
            return latest
        if self.resolution == "keep_both":
            known = first if isinstance(first, list) else [first]
            seen = {_identity(item) for item in known}
            more = latest if isinstance(latest, list) else [latest]
            return [*known, *(item for item in more if _identity(item) not in seen)]
        return first


def without_nulls(value: Any) -> Any:
    """The value without the fields that are null, in objects at any depth; items of lists keep their places."""
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


def _identity(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
