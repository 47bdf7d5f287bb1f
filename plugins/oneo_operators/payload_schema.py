"""JSON Schemas that what strangers send is checked with: nothing is fetched, and no pattern takes for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


def problem_of(schema: Mapping[str, Any]) -> str | None:
    """Why a schema cannot be used; None where it can."""
    import re2  # noqa: PLC0415 - not needed in tasks
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"no JSON Schema: {error.message}"
    for part in _parts(schema):
        for name in ("$ref", "$dynamicRef"):
            if isinstance(part.get(name), str) and not part[name].startswith("#"):
                return f"`{name}` must point into this schema (`#/…`); others are not fetched"
        if "patternProperties" in part:
            return "`patternProperties` is not supported; name the properties"
        if isinstance(part.get("pattern"), str):
            try:
                re2.compile(part["pattern"], _quiet())
            except re2.error as error:
                return f"the pattern {part['pattern']!r} cannot be used: {_text(error)}"
    return None


def validator_of(schema: Mapping[str, Any]) -> Validator:
    """What payloads are checked with; its patterns take time in proportion to the text, whatever they are."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - not needed in tasks
    from jsonschema.validators import extend  # noqa: PLC0415

    linear = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
    made: Validator = linear(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return made


def _pattern(_: Validator, pattern: str, instance: Any, __: Any) -> Iterator[Exception]:
    import re2  # noqa: PLC0415
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415

    if isinstance(instance, str) and not re2.search(pattern, instance, _quiet()):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _quiet() -> Any:
    """Options with which the engine does not write its errors to the log as well."""
    import re2  # noqa: PLC0415

    options = re2.Options()
    options.log_errors = False
    return options


def _text(error: Exception) -> str:
    found = error.args[0] if error.args else ""
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)


def _parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    pending = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            yield part
            pending += part.values()
        elif isinstance(part, list):
            pending += part
