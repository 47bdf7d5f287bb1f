"""A request to one's own hook, signed as its sender would."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from oneo.database import Database
from oneo.errors import InfrastructureError, UserError
from oneo.settings import settings
from oneo_app.hooks import options_of
from oneo_app.http.app import PREFIX
from oneo_app.http.signatures import GITHUB_HEADER, HMAC_HEADER, STRIPE_HEADER, TOKEN_HEADER, standard_key
from oneo_app.server_vault import server_vault
from oneo_operators.nodes.triggers.trigger_webhook import TriggerWebhookConfig
from oneo_operators.secret_option import values
from oneo_operators.services import Secrets, Vault


def send(
    database: Database, tenant_id: str, path: str, body: str, vault: Vault | None = None
) -> dict[str, Any]:
    """Send a body to a hook of the stack at ONEO_PUBLIC_URL.

    Returns:
        `status` and `answer` of the hook.

    Raises:
        UserError: There is no such hook, or it has no secret.
        InfrastructureError: Nothing answers.
    """
    with database.tenant(tenant_id) as session:
        options = options_of(session, path)
    if vault is None:
        vault = server_vault()
    url = f"{settings().public_url.rstrip('/')}{PREFIX}/hooks/{tenant_id}/{path}"
    headers = signed(options, values(options.secrets, Secrets(vault, tenant_id)), body.encode())
    try:
        found = httpx.request(
            options.methods[0],
            url,
            content=body.encode(),
            headers={"content-type": "application/json", **headers},
            timeout=90,
            trust_env=False,
        )
    except httpx.HTTPError as error:
        raise InfrastructureError(f"{url} does not answer: {error}", hint="see `oneo status`") from error
    return {"url": url, "status": found.status_code, "answer": found.text}


def signed(options: TriggerWebhookConfig, secrets: Sequence[str], body: bytes) -> dict[str, str]:
    """The headers that prove that the sender knows the first of the secrets.

    Raises:
        UserError: There is none.
    """
    if options.signature == "none":
        return {}
    if not secrets:
        raise UserError(f"hook {options.topic!r} has no secret", hint="set the secret that secret_key names")
    secret, moment = secrets[0], int(time.time())
    match options.signature:
        case "standard":
            message = f"msg_{uuid4().hex}"
            proof = standard_key(secret).sign(message, datetime.fromtimestamp(moment, UTC), body.decode())
            return {"webhook-id": message, "webhook-timestamp": str(moment), "webhook-signature": proof}
        case "hmac":
            header = options.signature_header or HMAC_HEADER
            if options.timestamp_header is None:
                return {header: _digest(secret, body)}
            signed_bytes = f"{moment}.".encode() + body
            return {options.timestamp_header: str(moment), header: _digest(secret, signed_bytes)}
        case "github":
            return {GITHUB_HEADER: f"sha256={_digest(secret, body)}"}
        case "stripe":
            return {STRIPE_HEADER: f"t={moment},v1={_digest(secret, f'{moment}.'.encode() + body)}"}
        case "token":
            return {options.signature_header or TOKEN_HEADER: secret}


def _digest(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
