"""Suppression lists: people, companies and records that workflows leave alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import UserError
from oneo.store.contacts import normalise
from oneo.store.models import Suppression

Kind = Literal["email", "phone", "record", "domain"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_LIST = re.compile(r"[A-Za-z0-9_-]{1,100}")
_DOMAIN = re.compile(r"@?([a-z0-9-]+\.)+[a-z0-9-]+")
_PHONE = re.compile(r"\+?[0-9]{4,20}")
# Who wrote a mail, which has an address, or a message.
_WRITERS = ("from", "sender")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def check_list(name: str) -> str:
    """The name itself, where a list can have it.

    Raises:
        UserError: It cannot.
    """
    if not _LIST.fullmatch(name):
        raise UserError(
            f"{name!r} is no name of a list", hint="use letters, digits, _ and -, e.g. unsubscribed"
        )
    return name


def entry(value: str, kind: Kind | None = None) -> tuple[Kind, str]:
    """A value as it stands on a list; what it is follows from how it is written, unless it is said.

    Raises:
        UserError: It is none of the kinds.
    """
    for one in (kind,) if kind is not None else KINDS:
        spelled = _spelled(one, value.strip())
        if spelled is not None:
            return one, spelled
    what = kind or "e-mail address, telephone number, record's id or domain"
    raise UserError(
        f"{value!r} is no {what}",
        hint="write e.g. ann@example.com, +49 30 123456, a record's id or example.com",
    )


def _spelled(kind: Kind, value: str) -> str | None:
    """The one spelling of a value of a kind; None where it is none."""
    match kind:
        case "email":
            return normalise("email", value) if _EMAIL.fullmatch(value) else None
        case "phone":
            # Letters tell an id or a name from a number.
            number = "" if re.search(r"[^\W\d_]", value) else normalise("phone", value)
            return number if _PHONE.fullmatch(number) else None
        case "record":
            try:
                return str(UUID(value))
            except ValueError:
                return None
        case "domain":
            return value.lower().removeprefix("@") if _DOMAIN.fullmatch(value.lower()) else None


def add(session: Session, tenant_id: str, list_name: str, entries: Iterable[tuple[Kind, str]]) -> int:
    """Put entries on a list; returns how many were not there before."""
    rows = [
        {"tenant_id": tenant_id, "list": list_name, "kind": kind, "value": value}
        for kind, value in dict.fromkeys(entries)
    ]
    if not rows:
        return 0
    new = insert(Suppression).on_conflict_do_nothing().returning(Suppression.value)
    return len(session.execute(new, rows).all())


def remove(session: Session, tenant_id: str, list_name: str, entries: Iterable[tuple[Kind, str]]) -> int:
    """Take entries off a list; returns how many were there."""
    gone = delete(Suppression).where(
        Suppression.tenant_id == tenant_id,
        Suppression.list == list_name,
        tuple_(Suppression.kind, Suppression.value).in_(list(entries)),
    )
    return len(session.execute(gone.returning(Suppression.value)).all())


def entries(session: Session, list_name: str | None = None) -> list[Suppression]:
    """What stands on the tenant's lists, or on one of them."""
    query = select(Suppression).order_by(Suppression.list, Suppression.kind, Suppression.value)
    return list(session.scalars(query if list_name is None else query.where(Suppression.list == list_name)))


def listed(
    session: Session, tenant_id: str, lists: Sequence[str], data: Mapping[str, Any]
) -> tuple[str, str] | None:
    """The first of the lists that something in the data of a record or an event stands on, and what it is.

    Fields whose names end with `email`, `phone` or `mobile` count, the record's id, and who wrote a mail or a message;
    of addresses their domains.
    """
    wanted = set(_values(data))
    if not lists or not wanted:
        return None
    query = select(Suppression.list, Suppression.kind).where(
        Suppression.tenant_id == tenant_id,
        Suppression.list.in_(lists),
        tuple_(Suppression.kind, Suppression.value).in_(wanted),
    )
    found = session.execute(query.order_by(Suppression.list, Suppression.kind).limit(1)).first()
    return (found[0], found[1]) if found else None


def _values(data: Mapping[str, Any]) -> Iterator[tuple[Kind, str]]:
    for name, held in data.items():
        for value in held if isinstance(held, list) else [held]:
            if isinstance(value, Mapping) and name in _WRITERS:
                yield from _values(
                    {"email" if part == "address" else part: one for part, one in value.items()}
                )
            if not isinstance(value, str):
                continue
            if name.endswith("email"):
                address = normalise("email", value)
                yield "email", address
                parts = address.rpartition("@")[2].split(".")
                yield from (("domain", ".".join(parts[start:])) for start in range(len(parts) - 1))
            elif name.endswith(("phone", "mobile")):
                yield "phone", normalise("phone", value)
            elif name in ("id", "record_id"):
                yield "record", value
