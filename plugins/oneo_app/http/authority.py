"""Who may ask: `Authorization: Bearer` with a key of `oneo tokens create`."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from oneo.database import database
from oneo.store import api_tokens
from oneo_app.http.refusals import RequestRefusedError


def opened_by(scope: str) -> Callable[[Request], str]:
    """A dependency that gives the tenant whose key the request carries.

    Args:
        scope: What the key must open.
    """

    def tenant_of(request: Request) -> str:
        kind, _, key = request.headers.get("authorization", "").partition(" ")
        found = None
        if kind.lower() == "bearer" and key.strip():
            with database().system() as session:
                found = api_tokens.bearer(session, key.strip())
        if found is None:
            raise RequestRefusedError(
                401,
                "this needs a key that is known and not revoked",
                "make one with `oneo tokens create`, and send it as `Authorization: Bearer …`",
                code="unauthorised",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if scope not in found.scopes:
            raise RequestRefusedError(
                403, f"this key does not open {scope!r}", f"make one with --scope {scope}", code="scope"
            )
        return found.tenant_id

    return tenant_of
