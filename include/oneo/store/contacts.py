"""Contacts: whether two spellings mean the same person, and what becomes of duplicates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from oneo.filters.sql import text_value
from oneo.store import records, tasks
from oneo.store.models import Record

Strategy = Literal["any", "all"]
_NAMES = ("name", "full_name")
_CANDIDATES = 200
_EMPTY: tuple[Any, ...] = (None, "", [])


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
    for row in _candidates(session, pipeline_id, wanted, strategy):
        view = records.view(row)
        scores = {name: _score(name, view.get(name), value, region) for name, value in wanted.items()}
        confidence = min(scores.values()) if strategy == "all" else max(scores.values())
        if 0 < confidence >= threshold:
            by = tuple(name for name, score in scores.items() if 0 < score >= threshold)
            found.append(Match(row, round(confidence, 3), by))
    return sorted(found, key=lambda match: (-match.confidence, match.record.created_at, str(match.record.id)))


def _candidates(
    session: Session, pipeline_id: str, wanted: Mapping[str, str], strategy: Strategy
) -> Sequence[Record]:
    """Records that the criteria could mean, found by SQL before they are scored one by one.

    At most 200 of them, the likeliest: those with an equal e-mail, number or name before those with similar names.
    """
    conditions: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    similar: list[ColumnElement[bool]] = []
    for name, value in wanted.items():
        if value:
            could, is_equal, is_similar = _conditions(name, value)
            conditions.append(could)
            equal.append(is_equal)
            similar.append(is_similar)
    if not conditions or (strategy == "all" and len(conditions) < len(wanted)):
        return []
    together = and_(*conditions) if strategy == "all" else or_(*conditions)
    query = select(Record).where(Record.pipeline_id == pipeline_id, Record.deleted_at.is_(None), together)
    likeliest = [_number_of(equal).desc(), _number_of(similar).desc()]
    return session.scalars(query.order_by(*likeliest, Record.created_at, Record.id).limit(_CANDIDATES)).all()


def _number_of(signs: Sequence[ColumnElement[bool]]) -> ColumnElement[int]:
    counted = [case((sign, 1), else_=0) for sign in signs]
    return sum(counted[1:], counted[0])


def _conditions(
    name: str, value: str
) -> tuple[ColumnElement[bool], ColumnElement[bool], ColumnElement[bool]]:
    """Whether a record could agree with a criterion, whether it is equal, and whether it is similar."""
    text = func.lower(func.btrim(func.regexp_replace(text_value((name,)), r"\s+", " ", "g")))
    if name.endswith(("phone", "mobile")):
        digits = func.regexp_replace(text, r"\D", "", "g")
        ends = digits.endswith(re.sub(r"\D", "", value)[-7:], autoescape=True)
        return ends, ends, ends
    equal = text == value.lower()
    if name not in _NAMES:
        return equal, equal, equal
    # Similar names share the beginning of some word.
    starts = dict.fromkeys(word[:3].lower() for word in value.split())
    shared = [text.contains(start, autoescape=True) for start in starts]
    return or_(*shared), equal, and_(*shared)


def _score(name: str, held: Any, wanted: str, region: str | None) -> float:
    spelled = "" if held is None else normalise(name, held, region)
    if not spelled or not wanted:
        return 0.0  # "n/a" is nobody's number
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
    for duplicate in sorted(duplicates, key=lambda row: (row.created_at, str(row.id))):
        columns = {name: getattr(duplicate, name) for name in records.SYSTEM_FIELDS}
        for name, value in {**duplicate.data, **columns}.items():
            held = getattr(keep, name) if name in columns else keep.data.get(name)
            if held in _EMPTY and value not in _EMPTY and name not in records.RESERVED_FIELDS:
                gathered.setdefault(name, value)
    # The duplicates first: of two records that are not deleted, one external id can be only in one.
    for duplicate in duplicates:
        tasks.move(session, duplicate.id, keep.id)
        records.delete(session, duplicate, {"merged_into": str(keep.id)})
    if gathered:
        records.update(session, keep, records.Changes(set=gathered))
    return [str(duplicate.id) for duplicate in duplicates]
