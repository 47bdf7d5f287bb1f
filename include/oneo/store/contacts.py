"""Contacts: whether two spellings mean the same person, and which records could be that person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, desc, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from oneo.filters.sql import text_value
from oneo.store import records
from oneo.store.models import Record, RecordKey

Strategy = Literal["any", "all", "weighted"]
# The names that the database makes keys for, as it does for fields that end in email, phone or mobile.
_NAMES = ("name", "full_name", "first_name", "last_name")
_PHONES = ("phone", "mobile")
_CANDIDATES = 200
# Of so many that share the most, the oldest are candidates: to ask all namesakes for their age takes a while.
_SHARING = 1000
# Keys of addresses without their tag start with it.
_UNTAGGED = "~"


def normalise(name: str, value: Any, region: str | None = None) -> str:
    """A value in the one spelling it is compared in: e-mail in lower case, phone as E.164, texts trimmed.

    Args:
        name: The field; `email` and `phone`, also as endings such as `work_email`, are known.
        value: The value as given.
        region: Country code (`DE`) for phone numbers without one.
    """
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", str(value))).strip()
    if name.endswith("email"):
        return unicodedata.normalize("NFC", text.lower())
    if name.endswith(_PHONES):
        return _phone(text, region)
    return text


def untagged(email: str) -> str:
    """An address without its tag: `ann+news@example.com` as `ann@example.com`."""
    return re.sub(r"\+[^@]*@", "@", email)


def _phone(text: str, region: str | None) -> str:
    import phonenumbers  # noqa: PLC0415 - 30 ms that only contact matching needs

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return re.sub(r"\D", "", text)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@dataclass(frozen=True)
class Wanted:
    """Whom to look for.

    Attributes:
        criteria: Field to value.
        strategy: `any`: the confidence is that of the best criterion. `all`: every criterion must agree, and the
            confidence is that of the worst. `weighted`: it is their mean by weight.
        threshold: From which confidence on a contact is meant, 0 to 1.
        region: Country code (`DE`) for phone numbers without one.
        weights: Field to weight; 1 where it is not named.
        tags: Whether `ann+news@example.com` is somebody else than `ann@example.com`.
    """

    criteria: Mapping[str, Any]
    strategy: Strategy = "any"
    threshold: float = 0.8
    region: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    tags: bool = True

    def spelled(self, name: str, value: Any) -> str:
        """A value of a field in the spelling it is compared in."""
        text = "" if value is None else normalise(name, value, self.region)
        return text if self.tags or not name.endswith("email") else untagged(text)

    def confidence(self, scores: Mapping[str, float]) -> float:
        """How sure it is that a contact is meant for whom the criteria have these scores."""
        if self.strategy == "any":
            return max(scores.values())
        if self.strategy == "all":
            return min(scores.values())
        weights = {name: self.weights.get(name, 1.0) for name in scores}
        return sum(scores[name] * weights[name] for name in scores) / (sum(weights.values()) or 1.0)


@dataclass(frozen=True)
class Match:
    """A contact that may be meant.

    Attributes:
        confidence: 0 to 1.
        by: The criteria that agree.
        meant: Whether the confidence is enough.
    """

    record: Record
    confidence: float
    by: tuple[str, ...]
    meant: bool


def matches(session: Session, pipeline_id: str, wanted: Wanted) -> list[Match]:
    """Contacts that may be meant, best first, at equal confidence the oldest.

    A name agrees by similarity (rapidfuzz), everything else when its normal spelling is equal.
    """
    criteria = {name: wanted.spelled(name, value) for name, value in wanted.criteria.items()}
    found = []
    for row in _candidates(session, pipeline_id, criteria, wanted):
        view = records.view(row)
        scores = {
            name: _score(name, wanted.spelled(name, view.get(name)), criteria[name]) for name in criteria
        }
        confidence = round(wanted.confidence(scores), 3)
        if confidence > 0:
            by = tuple(name for name, score in scores.items() if 0 < score >= wanted.threshold)
            found.append(Match(row, confidence, by, confidence >= wanted.threshold))
    return sorted(found, key=lambda match: (-match.confidence, match.record.created_at, str(match.record.id)))


def _score(name: str, held: str, wanted: str) -> float:
    if not held or not wanted:
        return 0.0  # "n/a" is nobody's number
    if name in _NAMES:
        from rapidfuzz import fuzz  # noqa: PLC0415 - only where names are compared

        pair = (held.lower(), wanted.lower())
        # Sorted, words may be in any order; but one wrong initial moves a word away from its counterpart.
        return max(fuzz.ratio(*pair), fuzz.token_sort_ratio(*pair)) / 100
    if name.endswith(_PHONES):
        return 1.0 if held.lstrip("+") == wanted.lstrip("+") else 0.0
    return 1.0 if held == wanted else 0.0


def _candidates(
    session: Session, pipeline_id: str, criteria: Mapping[str, str], wanted: Wanted
) -> Sequence[Record]:
    """Records that the criteria could mean, before they are scored one by one: at most 200 of each way to find them.

    Addresses, numbers and names are looked up by their keys, those with an equal address or number first, then
    those with most of the name. Any other field is compared with that of every record of the pipeline.
    """
    given = {name: value for name, value in criteria.items() if value}
    if not given or (wanted.strategy == "all" and len(given) < len(criteria)):
        return []
    keys = _keys(session, given, tags=wanted.tags)
    plain = [_equals(name, value) for name, value in given.items() if name not in keys]
    query = select(Record).where(Record.pipeline_id == pipeline_id, Record.deleted_at.is_(None))
    oldest = query.order_by(Record.created_at, Record.id).limit(_CANDIDATES)
    if wanted.strategy == "all":
        known = _by_keys(query, pipeline_id, keys, together=True) if keys else oldest
        return session.scalars(known.where(*plain)).all()
    ways = [_by_keys(query, pipeline_id, keys, together=False)] if keys else []
    ways += [oldest.where(one) for one in plain]
    found: dict[UUID, Record] = {}
    for way in ways:
        found |= {row.id: row for row in session.scalars(way)}
    return list(found.values())


def _keys(session: Session, given: Mapping[str, str], *, tags: bool) -> dict[str, list[str]]:
    """Field to its keys, made by the function that makes those of the records."""
    found: dict[str, list[str]] = {}
    for key in session.scalars(select(func.contact_keys(literal(dict(given), JSONB)))):
        name, _, text = key.partition(":")
        if not name.endswith("email") or text.startswith(_UNTAGGED) is not tags:
            found.setdefault(name, []).append(key)
    return found


def _by_keys(
    query: Select[Record], pipeline_id: str, keys: Mapping[str, list[str]], *, together: bool
) -> Select[Record]:
    """The records that share a key, or together: a key of every field."""
    every = reduce(list.__add__, keys.values())
    exact = [key for name, own in keys.items() if name not in _NAMES for key in own]
    sharing = (
        select(
            RecordKey.record_id,
            func.count().label("number"),
            func.count().filter(RecordKey.key.in_(exact)).label("exact"),
        )
        .where(RecordKey.pipeline_id == pipeline_id, RecordKey.key.in_(every))
        .group_by(RecordKey.record_id)
    )
    if together:
        sharing = sharing.having(*(func.bool_or(RecordKey.key.in_(own)) for own in keys.values()))
    sharing = sharing.order_by(desc("exact"), desc("number"), RecordKey.record_id).limit(_SHARING)
    likely = sharing.subquery()
    order = (likely.c.exact.desc(), likely.c.number.desc(), Record.created_at, Record.id)
    return query.join(likely, likely.c.record_id == Record.id).order_by(*order).limit(_CANDIDATES)


def _equals(name: str, value: str) -> ColumnElement[bool]:
    if name == "external_id":
        return Record.external_id == value
    return func.btrim(func.regexp_replace(text_value((name,)), r"\s+", " ", "g")) == value
