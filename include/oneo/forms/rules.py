"""Rules of triggers about submissions: `email_required`, `phone_valid`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*")
RULE = r"^([A-Za-z_][A-Za-z0-9_]*_required|(([A-Za-z_][A-Za-z0-9_]*_)?(email|phone|mobile))_valid)$"
_EMPTY: tuple[Any, ...] = (None, "", [])


def broken(rules: Iterable[str], values: Mapping[str, Any], region: str | None = None) -> dict[str, str]:
    """What does not hold, by field.

    A rule is about the field of its name, or else about all whose names end with it: `email_valid` about
    `work_email`.

    Args:
        rules: See `RULE`.
        values: The submission's.
        region: Country code (`DE`) for phone numbers without one.
    """
    found: dict[str, str] = {}
    for rule in rules:
        name, _, wanted = rule.rpartition("_")
        meant = _meant(name, values) or [name]
        given = [one for one in meant if values.get(one) not in _EMPTY]
        if wanted == "required" and not given:
            found.setdefault(meant[0], "this is required")
        if wanted == "valid":
            for one in given:
                reason = _invalid(name, str(values[one]), region)
                if reason:
                    found.setdefault(one, reason)
    return found


def about(rule: str, names: Iterable[str]) -> bool:
    """Whether a form with fields of these names has what the rule is about."""
    return bool(_meant(rule.rpartition("_")[0], names))


def _meant(name: str, names: Iterable[str]) -> list[str]:
    known = list(names)
    return [name] if name in known else [one for one in known if one.endswith(f"_{name}")]


def _invalid(name: str, text: str, region: str | None) -> str | None:
    if name.endswith("email"):
        return None if EMAIL.fullmatch(text) else "this is no e-mail address, such as name@example.com"
    return None if is_phone(text, region) else "this is no phone number, such as +44 20 7946 0958"


def is_phone(text: str, region: str | None = None) -> bool:
    """Whether a number of this form can be given out by the country it names, or by the region's."""
    import phonenumbers  # noqa: PLC0415 - 30 ms that only forms with phone numbers need

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, region)))
    except phonenumbers.NumberParseException:
        return False
