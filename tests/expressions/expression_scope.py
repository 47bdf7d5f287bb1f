"""One scope that most tests of expressions read from."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from oneo.expressions import Scope

NOW = datetime(2026, 1, 30, 12, 30, tzinfo=UTC)  # a Friday


def names() -> dict[str, Any]:
    return {
        "record": {
            "name": "Ann O'Brien",
            "score": 85,
            "score_text": "85",
            "price": Decimal("1500.00"),
            "ratio": 0.1,
            "vip": True,
            "phone": None,
            "tags": ["vip", "eu"],
            "company": {"name": "Acme", "size": 12},
            "deals": [{"stage": "won", "amount": 100}, {"stage": "lost", "amount": 50}, {"stage": "won"}],
            "created_at": "2026-01-01T09:00:00Z",
            "birthday": date(1990, 5, 17),
            "note": "{{secrets.api_key}} {% if x %} ${7*7}",
            "Größe": 4,
        },
        "trigger": {"email": "ann@example.com", "amount": 1, "depth": "trigger"},
        "context": {"attempts": 2, "amount": 2, "depth": "context"},
        "variables": {"manager": "Bob", "depth": "variables"},
        "nodes": {"fetch": {"rows": [1, 2, 3]}, "send-mail": {"id": "m1"}},
        "secrets": {"api_key": "s3cr3t", "pair": {"user": "u1", "password": "p1"}, "empty": ""},
        "item": {"id": 7},
        "increment": 3,
        "last_sync": "2026-01-29T00:00:00Z",
    }


def make_scope(**more: Any) -> Scope:
    return Scope({**names(), **more}, now=NOW, timezone="UTC", seed="tenant/execution/node/1")
