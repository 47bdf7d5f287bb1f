"""What other systems send to a hook, signed as they sign."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from oneo_app.http.signatures import standard_key

SECRET = "a secret nobody guesses"


@dataclass
class Sender:
    """A system that calls one hook."""

    http: httpx.Client
    tenant: str
    secret: str = SECRET
    path: str = "orders"

    def signed(
        self, body: bytes, *, message: str | None = None, at: float | None = None, secret: str | None = None
    ) -> dict[str, str]:
        """The headers of Standard Webhooks."""
        message, moment = message or f"msg_{uuid4().hex}", int(at if at is not None else time.time())
        key = standard_key(secret if secret is not None else self.secret)
        signature = key.sign(message, datetime.fromtimestamp(moment, UTC), body.decode())
        return {"webhook-id": message, "webhook-timestamp": str(moment), "webhook-signature": signature}

    def post(self, body: bytes, headers: dict[str, str] | None = None, **options: Any) -> httpx.Response:
        """Send bytes."""
        sent = {"content-type": "application/json", **(headers or {})}
        return self.http.post(f"/hooks/{self.tenant}/{self.path}", content=body, headers=sent, **options)

    def send(self, value: Any, headers: dict[str, str] | None = None, **signing: Any) -> httpx.Response:
        """Send a value as JSON, signed."""
        body = json.dumps(value).encode()
        return self.post(body, {**self.signed(body, **signing), **(headers or {})})


def digest(body: bytes, secret: str = SECRET) -> str:
    """HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
