"""Keys to the API: shown once, kept as a hash, each with what it opens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from oneo.errors import NotFoundError, UserError
from oneo.store.models import ApiToken
from oneo.suggest import did_you_mean

# What a key may open: events of applications, pushed metrics, looking at hooks, approvals (in the name of any person).
SCOPES = ("events", "metrics", "hooks", "approvals")
PREFIX = "oneo_"
# When a key was last used need not be known to the second, and a write for each request would cost as much as the rest.
_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Bearer:
    """Who asks, by their key."""

    tenant_id: str
    scopes: frozenset[str]


def create(session: Session, tenant_id: str, name: str, scopes: Sequence[str]) -> tuple[ApiToken, str]:
    """Make a key.

    Returns:
        The row, and the key itself, which nobody can see again.

    Raises:
        UserError: There is no such scope.
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        problem = f"there is no scope {unknown[0]!r}" if unknown else "the key would open nothing"
        hint = did_you_mean(unknown[0], SCOPES) if unknown else f"choose of {', '.join(SCOPES)}"
        raise UserError(problem, hint=hint)
    key = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(tenant_id=tenant_id, id=uuid4(), name=name, hash=_hash(key), scopes=sorted(set(scopes)))
    session.add(row)
    session.flush()
    session.refresh(row)
    return row, key


def all_tokens(session: Session) -> list[ApiToken]:
    """The tenant's keys, oldest first, revoked ones too."""
    return list(session.scalars(select(ApiToken).order_by(ApiToken.created_at, ApiToken.id)))


def revoke(session: Session, token_id: UUID) -> ApiToken:
    """Let a key open nothing any more.

    Raises:
        NotFoundError: No such key.
    """
    row = session.scalar(select(ApiToken).where(ApiToken.id == token_id))
    if row is None:
        raise NotFoundError(f"there is no key {token_id}", hint="`oneo tokens list` shows all")
    if row.revoked_at is None:
        change = update(ApiToken).where(ApiToken.tenant_id == row.tenant_id, ApiToken.id == token_id)
        session.execute(change.values(revoked_at=func.now()))
        session.refresh(row)
    return row


def bearer(session: Session, key: str) -> Bearer | None:
    """Whose key it is; None where it opens nothing (system session).

    Looked for by its hash: how long that takes says nothing about keys that are like it.
    """
    valid = (ApiToken.hash == _hash(key)) & ApiToken.revoked_at.is_(None)
    row = session.scalar(select(ApiToken).where(valid))
    if row is None:
        return None
    now = func.clock_timestamp()
    stale = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < now - _USED_EVERY)
    session.execute(update(ApiToken).where(valid, stale).values(last_used_at=now))
    return Bearer(row.tenant_id, frozenset(row.scopes))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
