"""Whether a webhook is UniPile's: it knows the secret of the tenant's connection."""

from __future__ import annotations

import hashlib
import hmac

from starlette.datastructures import Headers

from oneo.errors import ConfigError, UserError
from oneo.store.tenants import check_id
from oneo_app.http.refusals import RequestRefusedError
from oneo_operators.services import Vault, find_connection

OWN_HEADER = "unipile-auth"
SIGNATURE = "unipile-signature"
WINDOW_SECONDS = 300


def prove(vault: Vault, tenant_id: str, connection: str, headers: Headers, raw: bytes, now: float) -> None:
    """Let a request pass that carries the secret (v1) or is signed with it (v2).

    Args:
        vault: Where the connection is; its `webhook_secret` stands among its extra settings.
        tenant_id: Whose.
        connection: The connection's name.
        headers: The request's.
        raw: The request's body.
        now: Seconds since 1970.

    Raises:
        RequestRefusedError: 401. Whether there is no tenant, no connection or no secret, a stranger is not told.
    """
    secret = _secret(vault, tenant_id, connection)
    signature = headers.get(SIGNATURE)
    sent = headers.get(OWN_HEADER, "")
    proven = (
        hmac.compare_digest(sent.encode(), secret.encode())
        if signature is None
        else _is_signed(signature, secret, raw, now)
    )
    # Compared in any case, and with nothing it is never right: an empty secret opens to nobody.
    if not (secret and proven):
        raise RequestRefusedError(
            401,
            "this is not proven to come from UniPile",
            f"send the connection's webhook_secret in the header Unipile-Auth; the connection is {connection!r}",
            code="unauthorised",
        )


def _secret(vault: Vault, tenant_id: str, connection: str) -> str:
    try:
        found = find_connection(vault, check_id(tenant_id), connection).extra.get("webhook_secret")
    except (UserError, ConfigError):
        return ""
    return found if isinstance(found, str) else ""


def _is_signed(signature: str, secret: str, raw: bytes, now: float) -> bool:
    parts = dict(part.strip().partition("=")[::2] for part in signature.split(","))
    moment = parts.get("t", "")
    if not (moment.isascii() and moment.isdigit() and abs(now - int(moment[:12])) <= WINDOW_SECONDS):
        return False
    right = hmac.new(secret.encode(), f"{moment}.".encode() + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(parts.get("v0", "").encode(), right.encode())
