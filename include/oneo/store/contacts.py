"""Contacts: whether two spellings mean the same person, and what becomes of duplicates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from oneo.filters.sql import text_value
from oneo.store import records, tasks
from oneo.store.models import Record

Strategy = Literal["any", "all"]
_NAMES = ("name", "full_name")
_CANDIDATES = 200


def normalise(name: str, value: Any, region: str | None = None) -> str:
    """A value in the one spelling it is compared in: e-mail in lower case, phone as E.164, texts trimmed.

    Args:
        name: The field; `email` and `phone`, also as endings such as `work_email`, are known.
        value: The value as given.
        region: Country code (`DE`) for phone numbers without one.
    """
    text = re.sub(r"\s+", " ", str(value)).strip()
    if name.endswith("email"):
        return text.lower()
    if name.endswith(("phone", "mobile")):
        return _phone(text, region)
    return text


def _phone(text: str, region: str | None) -> str:
    import phonenumbers  # noqa: PLC0415 - 30 ms that only contact matching needs

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return re.sub(r"\D", "", text)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@dataclass(frozen=True)
class Match:
    """A contact that may be meant.

    Attributes:
        confidence: 0 to 1.
        by: The criteria that agree.
    """

    record: Record
    confidence: float
    by: tuple[str, ...]


def matches(
    session: Session,
    pipeline_id: str,
    criteria: Mapping[str, Any],
    strategy: Strategy,
    threshold: float,
    region: str | None = None,
) -> list[Match]:
    """Contacts that the criteria mean, best first, at equal confidence the oldest.

    `any`: the confidence is that of the best criterion. `all`: every criterion must agree, and the confidence is
    that of the worst. A name agrees by similarity (rapidfuzz), everything else when its normal spelling is equal.
    """
    wanted = {name: normalise(name, value, region) for name, value in criteria.items()}
    found = []
    for row in _candidates(session, pipeline_id, wanted):
        view = records.view(row)
        scores = {name: _score(name, view.get(name), value, region) for name, value in wanted.items()}
        confidence = min(scores.values()) if strategy == "all" else max(scores.values())
        if confidence >= threshold:
            by = tuple(name for name, score in scores.items() if score >= threshold)
            found.append(Match(row, round(confidence, 3), by))
    return sorted(found, key=lambda match: (-match.confidence, match.record.created_at, str(match.record.id)))


def _candidates(session: Session, pipeline_id: str, wanted: Mapping[str, str]) -> Sequence[Record]:
    """Records of which at least one criterion could agree, found by SQL before they are scored one by one."""
    conditions = []
    for name, value in wanted.items():
        text = func.lower(text_value((name,)))
        if name.endswith(("phone", "mobile")):
            digits = func.regexp_replace(text, r"\D", "", "g")
            conditions.append(digits.endswith(re.sub(r"\D", "", value)[-7:], autoescape=True))
        elif name in _NAMES:
            # Similar names share the beginning of some word.
            starts = {word[:3].lower() for word in value.split() if word}
            conditions += [text.contains(start, autoescape=True) for start in starts]
        else:
            conditions.append(text == value.lower())
    query = select(Record).where(
        Record.pipeline_id == pipeline_id, Record.deleted_at.is_(None), or_(*conditions)
    )
    return session.scalars(query.order_by(Record.created_at, Record.id).limit(_CANDIDATES)).all()


def _score(name: str, held: Any, wanted: str, region: str | None) -> float:
    if held in (None, ""):
        return 0.0
    spelled = normalise(name, held, region)
    if name in _NAMES:
        from rapidfuzz import fuzz  # noqa: PLC0415 - only where names are compared

        return float(fuzz.token_sort_ratio(spelled.lower(), wanted.lower()) / 100)
    if name.endswith(("phone", "mobile")):
        return 1.0 if spelled.lstrip("+") == wanted.lstrip("+") else 0.0
    return 1.0 if spelled == wanted else 0.0


def merge(session: Session, keep: Record, duplicates: Sequence[Record]) -> list[str]:
    """Fold duplicates into the contact that stays; returns their ids.

    The one that stays keeps its values and takes what it lacks from the others, oldest first. The others are
    marked deleted, not removed: their history stays, and `merged_into` says where they went.
    """
    gathered: dict[str, Any] = {}
    for duplicate in duplicates:
        for name, value in duplicate.data.items():
            if keep.data.get(name) in (None, "", []) and value not in (None, "", []):
                gathered.setdefault(name, value)
    if gathered:
        records.update(session, keep, records.Changes(set=gathered))
    for duplicate in duplicates:
        tasks.move(session, duplicate.id, keep.id)
        records.update(session, duplicate, records.Changes(set={"merged_into": str(keep.id)}))
        duplicate.deleted_at = session.scalar(select(func.clock_timestamp()))
        session.flush()
    return [str(duplicate.id) for duplicate in duplicates]
