"""Links to forms: made, found by their token, used, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from oneo.database import plain_json
from oneo.errors import NotFoundError, UserError
from oneo.forms.address import hash_of
from oneo.forms.answers import problem_of
from oneo.forms.redirects import problem_of as redirect_problem
from oneo.forms.spec import FormSpec
from oneo.store.models import FormLink

_TOKEN_BYTES = 32


@dataclass(frozen=True)
class LinkOptions:
    """What a link may do; what is not given is as the form says.

    Attributes:
        prefill: Values of fields that the form lets links fill; empty ones are left out.
        expires_at: The moment from which it is taken no more.
        tracked: Whether it is kept when it was first opened, and handed on what made it.
    """

    record_id: UUID | None = None
    prefill: Mapping[str, Any] | None = None
    expires_at: datetime | None = None
    single_use: bool | None = None
    redirect_url: str | None = None
    tracked: bool = False
    execution_id: UUID | None = None
    node_id: str | None = None


def create(
    session: Session,
    tenant_id: str,
    form: FormSpec,
    options: LinkOptions,
    now: datetime,
    *,
    link_id: UUID | None = None,
) -> tuple[FormLink, str]:
    """Make a link.

    Returns:
        The row, and the token, which nobody can see again.

    Raises:
        UserError: The form does not allow it; every reason is named.
    """
    filled = {
        name: value
        for name, value in plain_json(dict(options.prefill or {})).items()
        if value not in (None, "")
    }
    _check(form, filled, options.redirect_url)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    days, single_use = form.settings.expiry_days, options.single_use
    row = FormLink(
        tenant_id=tenant_id,
        id=link_id or uuid4(),
        form_id=form.id,
        hash=hash_of(token),
        state_key=secrets.token_bytes(32),
        record_id=options.record_id,
        prefill=filled,
        redirect_url=options.redirect_url,
        single_use=form.settings.single_use if single_use is None else single_use,
        tracked=options.tracked,
        execution_id=options.execution_id,
        node_id=options.node_id,
        created_at=now,
        expires_at=options.expires_at or (now + timedelta(days=days) if days else None),
    )
    session.add(row)
    session.flush()
    return row, token


def by_token(session: Session, token: str) -> FormLink | None:
    """The link of a token, detached; None where there is none (system session).

    Looked for by its hash: how long that takes says nothing about tokens that are like it.
    """
    row = session.scalar(select(FormLink).where(FormLink.hash == hash_of(token)))
    if row is not None:
        session.expunge(row)
    return row


def get(session: Session, link_id: UUID, *, lock: bool = False) -> FormLink:
    """The link.

    Args:
        session: A tenant's session.
        link_id: Its id.
        lock: Whether to hold it until the transaction ends.

    Raises:
        NotFoundError: There is none.
    """
    query = select(FormLink).where(FormLink.id == link_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = session.scalar(query)
    if row is None:
        raise NotFoundError(f"there is no link {link_id}", hint="`oneo forms show FORM` lists its links")
    return row


def of_form(session: Session, form_id: str, limit: int = 50) -> list[FormLink]:
    """The last links to a form, the newest first."""
    query = select(FormLink).where(FormLink.form_id == form_id)
    return list(session.scalars(query.order_by(FormLink.created_at.desc(), FormLink.id).limit(limit)))


def closed(link: FormLink, now: datetime) -> str | None:
    """Why a link is taken no more; None where it is."""
    if link.revoked_at is not None:
        return "revoked"
    if link.expires_at is not None and link.expires_at <= now:
        return "expired"
    return "used" if link.single_use and link.used_at is not None else None


def note_opened(session: Session, link_id: UUID, now: datetime) -> None:
    """Keep when a tracked link was first opened."""
    link = get(session, link_id)
    if link.tracked and link.opened_at is None:
        link.opened_at = now
        session.flush()


def note_used(session: Session, link_id: UUID, now: datetime) -> None:
    """Keep when a link had its first submission."""
    link = get(session, link_id)
    if link.used_at is None:
        link.used_at = now
        session.flush()


def revoke(session: Session, link_id: UUID, now: datetime) -> FormLink:
    """Let a link lead nowhere any more.

    Raises:
        NotFoundError: There is none.
    """
    link = get(session, link_id)
    link.revoked_at = link.revoked_at or now
    session.flush()
    return link


def _check(form: FormSpec, prefill: Mapping[str, Any], redirect_url: str | None) -> None:
    found = []
    for name, value in prefill.items():
        if not form.may_prefill(name):
            found.append(f"prefill.{name}: the form does not let links fill this field")
        elif reason := problem_of(form.fields[name], value):
            found.append(f"prefill.{name}: {reason}")
    found += [
        f"prefill.{name}: the form needs it, and only the link can fill it"
        for name, one in form.fields.items()
        if one.required and form.is_hidden(name) and name not in prefill
    ]
    if redirect_url is not None and (reason := redirect_problem(redirect_url, form.settings.redirect_hosts)):
        found.append(f"redirect_url: {reason}")
    if found:
        allowed = ", ".join(name for name in form.fields if form.may_prefill(name)) or "none"
        raise UserError(
            f"form {form.id!r} has no such link: " + "; ".join(found),
            f"fields that links may fill: {allowed}",
        )
