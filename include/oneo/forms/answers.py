"""What somebody has entered: from texts to values, and whether they fit the form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from oneo.forms.fields import FormField
from oneo.forms.rules import EMAIL, is_phone
from oneo.forms.sniffing import safe_name, type_of
from oneo.forms.spec import FormSpec

if TYPE_CHECKING:
    from jsonschema import FormatChecker, ValidationError

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_PHONE = re.compile(r"[+()0-9 ./-]{4,30}")
_URL = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_MISSING = "this is required"
_WRONG_KIND = {"number": "this is no number", "integer": "this is no whole number"}
_FORMATS = {
    "email": "this is no e-mail address, such as name@example.com",
    "phone": "this is no phone number, such as +44 20 7946 0958",
    "url": "this is no web address, such as https://example.com",
    "date": "this is no date, such as 2026-01-31",
}


@dataclass(frozen=True)
class Upload:
    """A file as it came in."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Taken:
    """A file that fits its field.

    Attributes:
        name: What it may be called.
        content_type: What it is, by what stands in it.
    """

    field: str
    name: str
    content_type: str
    content: bytes


@dataclass
class Answers:
    """What was entered, as far as it fits.

    Attributes:
        values: By field.
        files: Files of fields that hold some.
        problems: What does not fit, by field.
    """

    values: dict[str, Any] = field(default_factory=dict)
    files: list[Taken] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def from_texts(spec: FormSpec, texts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The values of a page's inputs; a text that is no value of its field stays one, for `check` to complain about."""
    found: dict[str, Any] = {}
    for name, one in spec.fields.items():
        given = [text.replace("\r\n", "\n") for text in texts.get(name, ())]
        if one.kind == "boolean":
            found[name] = "true" in given
        elif one.kind == "choices":
            found[name] = given
        elif given:
            found[name] = _typed(one, given[-1])
    return found


def check(
    spec: FormSpec,
    given: Mapping[str, Any],
    uploads: Mapping[str, Sequence[Upload]],
    prefill: Mapping[str, Any],
) -> Answers:
    """Whether what was entered fits the form.

    Args:
        spec: The form.
        given: Values by field; those of hidden fields are not looked at.
        uploads: Files by field.
        prefill: What the link fills in; the only source of hidden fields.
    """
    found = Answers()
    for name in given.keys() - spec.fields.keys():
        found.problems[name] = "the form has no such field"
    for name, one in spec.fields.items():
        if one.is_file:
            _take(spec, one, uploads.get(name, ()), found)
            continue
        value = (prefill if spec.is_hidden(name) else given).get(name)
        problem = problem_of(one, value)
        if problem:
            found.problems[name] = problem
        elif not _is_empty(value):
            found.values[name] = value
    return found


def problem_of(one: FormField, value: Any) -> str | None:
    """Why a value does not fit a field; None where it does."""
    if _is_empty(value):
        return _MISSING if one.required else None
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - costs more than the rest of the store

    errors = Draft202012Validator(one.schema, format_checker=_formats()).iter_errors(value)
    return "; ".join(dict.fromkeys(_in_words(one, error) for error in errors)) or None


def _take(spec: FormSpec, one: FormField, uploads: Sequence[Upload], found: Answers) -> None:
    look = spec.look(one.name)
    given = [upload for upload in uploads if upload.content or upload.name]
    reasons = []
    if one.required and not given:
        reasons.append(_MISSING)
    if len(given) > one.most:
        reasons.append(f"these are {len(given)} files, and at most {one.most} are taken")
    if given and len(given) < int(one.schema.get("minItems", 0)):
        reasons.append(f"choose at least {one.schema['minItems']} files")
    for upload in given:
        name, kind = safe_name(upload.name), type_of(upload.content)
        if len(upload.content) > look.max_bytes:
            reasons.append(f"{name} is larger than {look.max_bytes:,} bytes")
        elif not upload.content:
            reasons.append(f"{name} is empty")
        elif kind is None or kind not in look.accept:
            reasons.append(f"{name} is of a type that is not taken here")
        else:
            found.files.append(Taken(one.name, name, kind, upload.content))
    if reasons:
        found.problems[one.name] = "; ".join(reasons)


def _typed(one: FormField, text: str) -> Any:
    if one.kind in ("number", "integer"):
        plain = text.strip()
        if not plain:
            return None
        if not _NUMBER.fullmatch(plain):
            return text
        return float(plain) if "." in plain else int(plain)
    return text.strip() if one.kind in ("email", "phone", "url", "date") else text


def _is_empty(value: Any) -> bool:
    return value in (None, "", [])


def _in_words(one: FormField, error: ValidationError) -> str:
    limit = error.validator_value
    match error.validator:
        case "type":
            return _WRONG_KIND.get(one.kind, "this is of another kind")
        case "format":
            return _FORMATS[one.kind]
        case "enum":
            return "choose one of what is offered"
        case "const":
            return "this must be ticked" if limit is True else "this must not be ticked"
        case "minLength":
            return f"write at least {limit} characters"
        case "maxLength":
            return f"this is longer than {limit} characters"
        case "minimum" | "exclusiveMinimum":
            return f"this must be {'more than' if error.validator != 'minimum' else 'at least'} {limit}"
        case "maximum" | "exclusiveMaximum":
            return f"this must be {'less than' if error.validator != 'maximum' else 'at most'} {limit}"
        case "minItems":
            return f"choose at least {limit}"
        case "maxItems":
            return f"choose at most {limit}"
        case _:
            return "choose each only once"


@cache
def _formats() -> FormatChecker:
    from jsonschema import FormatChecker  # noqa: PLC0415

    checker = FormatChecker(formats=[])
    for name, holds in {
        "email": EMAIL.fullmatch,
        "phone": _looks_like_a_phone,
        "tel": _looks_like_a_phone,
        "url": _URL.fullmatch,
        "uri": _URL.fullmatch,
        "date": _is_date,
    }.items():
        checker.checks(name)(lambda value, holds=holds: not isinstance(value, str) or bool(holds(value)))
    return checker


def _looks_like_a_phone(text: str) -> bool:
    # Without a country there is no telling whether such a number exists.
    return bool(_PHONE.fullmatch(text)) and (not text.startswith("+") or is_phone(text))


def _is_date(text: str) -> bool:
    try:
        return len(text) == len("2026-01-31") and bool(date.fromisoformat(text))
    except ValueError:
        return False
