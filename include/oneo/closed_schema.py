"""JSON Schemas that tenants write, of records and of what comes in: compiled once, in a closed world.

Such a schema is data: it reads nothing from elsewhere, and its patterns run in linear time (RE2).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from oneo.suggest import did_you_mean

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
# Names that would change by which rules, or where, a schema is read; the last has patterns of its own.
_REFUSED = ("$id", "$schema", "$anchor", "$dynamicAnchor", "$dynamicRef", "patternProperties")


def errors(schema: Mapping[str, Any], data: Any) -> Iterator[ValidationError]:
    """What about `data` does not fit a schema."""
    yield from _compiled(json.dumps(schema)).iter_errors(data)


def problems(schema: Mapping[str, Any]) -> list[str]:
    """Why an author's schema cannot be used, with the place of each reason; empty where it can."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    if schema.get("$schema", _DRAFT) != _DRAFT:
        return [f"$schema: only {_DRAFT} is supported"]
    checker = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    found = [
        f"{'.'.join(map(str, error.absolute_path)) or 'the schema'}: {error.message}"
        for error in checker.iter_errors(schema)
    ]
    return found or list(_unusable(_without_draft(schema), "", list(schema.get("$defs", {}))))


def _without_draft(schema: Mapping[str, Any]) -> dict[str, Any]:
    # Where it stands, jsonschema would take the validator of that name instead of ours.
    return {name: value for name, value in schema.items() if name != "$schema"}


def _unusable(part: Any, place: str, definitions: list[str]) -> Iterator[str]:
    inside: Iterable[tuple[Any, Any]] = ()
    if isinstance(part, list):
        inside = enumerate(part)
    elif isinstance(part, dict):
        inside = part.items()
    for name, value in inside:
        inner = f"{place}.{name}".lstrip(".")
        if name in _REFUSED:
            yield f"{inner}: {name} is not supported here"
        elif name == "$ref" and isinstance(value, str):
            yield from _reference(value, inner, definitions)
        elif name == "pattern" and isinstance(value, str):
            yield from _pattern(value, inner)
        yield from _unusable(value, inner, definitions)


def _reference(target: str, place: str, definitions: list[str]) -> Iterator[str]:
    known = [f"#/$defs/{name}" for name in definitions]
    if target not in known:
        yield f"{place}: {target!r} is none of the schema's own $defs ({did_you_mean(target, known)})"
    elif place.startswith("$defs."):
        # Else a few lines could ask for more steps than there is time for.
        yield f"{place}: what stands in $defs cannot refer to $defs"


def _pattern(pattern: str, place: str) -> Iterator[str]:
    import re2  # noqa: PLC0415 - only where a schema has patterns

    try:
        re2.compile(pattern)
    except re2.error as error:
        yield f"{place}: {error} (patterns are those of RE2: no look-ahead, no back-references)"


@lru_cache(maxsize=256)
def _compiled(schema: str) -> Validator:
    from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415 - half the import time of a task that writes nothing
    from jsonschema.validators import extend  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415

    formats = FormatChecker(formats=["date", "email", "uuid"])
    # jsonschema knows this format only with a further package.
    formats.checks("date-time", raises=ValueError)(_is_datetime)
    validator: Any = extend(Draft202012Validator, {"pattern": _matches})  # type: ignore[no-untyped-call]
    # An empty registry: the default one fetches what a schema refers to.
    found: Validator = validator(
        _without_draft(json.loads(schema)), format_checker=formats, registry=Registry()
    )
    return found


def _matches(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    import re2  # noqa: PLC0415
    from jsonschema import ValidationError  # noqa: PLC0415

    try:
        fits = not isinstance(value, str) or re2.search(pattern, value)
    except UnicodeEncodeError:
        fits = False  # half a character, which no record can hold
    if not fits:
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _is_datetime(value: object) -> bool:
    if isinstance(value, str):
        datetime.fromisoformat(value)
        return len(value) > len("2026-01-31")
    return True
