"""Reading fields: by dict lookup and list position, never by attribute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from oneo.errors import ExpressionError
from oneo.expressions.scope import MISSING, NODE_ROOTS, Lazy, Scope
from oneo.expressions.values import kind
from oneo.suggest import did_you_mean, nearest

Key = str | int
Path = tuple[Key, ...]

_FORBIDDEN: Final = frozenset(
    (
        "constructor", "prototype", "mro", "subclasses", "gi_frame", "gi_code", "gi_yieldfrom",
        "cr_frame", "cr_code", "cr_await", "ag_frame", "ag_code", "ag_await", "tb_frame", "tb_next",
        "f_back", "f_builtins", "f_code", "f_globals", "f_locals", "func_code", "func_globals", "func_closure",
    )
)  # fmt: skip
_SHOWN_KEYS: Final = 500
_NOT_RUN: Final = "no node of that id has run before this one; default(…) catches that"


class MissingError(Exception):
    """Something read is not there; `default(…)` and `is defined` catch it.

    It becomes an `ExpressionError` only at the end, since finding the nearest known name takes time.

    Args:
        message: What is missing.
        position: Where it was read.
        wanted: The name that was not found.
        known: The names there were.
        hint: A remedy that is known already.
        otherwise: A remedy where no known name is near.
    """

    def __init__(
        self,
        message: str,
        position: int | None = None,
        *,
        wanted: Key | None = None,
        known: Iterable[str] | None = None,
        hint: str | None = None,
        otherwise: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.wanted = wanted
        self.known = known
        self.hint = hint
        self.otherwise = otherwise

    def as_error(self) -> ExpressionError:
        """The error to show."""
        hint = self.hint
        if hint is None and self.known is not None:
            names = [
                name for name, _ in zip(self.known, range(_SHOWN_KEYS), strict=False) if isinstance(name, str)
            ]
            if self.otherwise is not None and nearest(str(self.wanted), names) is None:
                return ExpressionError(self.message, self.position, self.otherwise)
            hint = did_you_mean(str(self.wanted), names) if names else "it has no fields at all"
        return ExpressionError(self.message, self.position, hint)


def refuse_name(name: str, position: int | None = None) -> None:
    """Refuse names that open doors in other template languages; here they open none, and no data needs them."""
    if name.startswith("__") or name in _FORBIDDEN:
        raise ExpressionError(
            f"the name {name!r} is not available", position, "use the fields of your own data"
        )


def show_path(path: Iterable[Key]) -> str:
    """A path as its author would write it."""
    shown = ""
    for key in path:
        if isinstance(key, int):
            shown += f"[{key}]"
        elif key.isidentifier() and key.isascii():
            shown += f".{key}" if shown else key
        else:
            shown += f"[{key!r}]"
    return shown


def step(value: Any, key: Key, owner: str, position: int | None = None) -> Any:
    """One step into a value: a field of an object, an item of a list, a character of a text."""
    if isinstance(value, Lazy):
        value = value.get()
    if isinstance(value, Mapping):
        found = value.get(key, MISSING)
        if found is MISSING and isinstance(key, int):
            found = value.get(str(key), MISSING)
        if found is MISSING:
            otherwise = _NOT_RUN if owner in NODE_ROOTS else None
            raise MissingError(
                f"{owner} has no field {key!r}", position, wanted=key, known=value, otherwise=otherwise
            )
        return found.get() if isinstance(found, Lazy) else found
    if isinstance(key, int) and isinstance(value, list | tuple | str):
        if -len(value) <= key < len(value):
            return value[key]
        what = "characters" if isinstance(value, str) else "items"
        raise MissingError(f"{owner} has {len(value)} {what}, so none at position {key}", position)
    hint = None
    if key == "length":
        hint = f"write {owner} | length"
    elif isinstance(value, list | tuple):
        hint = f"write {owner}[0].{key} for the first item, or {owner} | map({key!r}) for all"
    elif value is None:
        hint = "write | default(…) behind it if it may be empty"
    raise MissingError(f"{owner} is {kind(value)}, so it has no field {key!r}", position, hint=hint)


def walk(value: Any, dotted: str) -> Any:
    """The value at a dotted path inside a value, as written in `map('company.name')`."""
    for part in dotted.split("."):
        refuse_name(part)
        key: Key = int(part) if part.isascii() and part.isdigit() and len(part) < 10 else part
        value = step(value, key, "an item")
    return value


def field_of(item: Any, dotted: str, fallback: Any = None) -> Any:
    """A field of a list's item, or the fallback where it lacks it; every item must be able to have fields."""
    if not isinstance(item, Mapping | list | tuple) and item is not None:
        raise ExpressionError(f"an item is {kind(item)}, so it has no field {dotted!r}")
    try:
        return walk(item, dotted)
    except MissingError:
        return fallback


def root(scope: Scope, name: str, position: int) -> Any:
    """The value of a bare name."""
    value = scope.find(name)
    if value is not MISSING:
        return value
    record = scope.names.get("record")
    hint = f"write record.{name}" if isinstance(record, Mapping) and name in record else None
    raise MissingError(
        f"there is nothing named {name!r}", position, wanted=name, known=scope.known(), hint=hint
    )
