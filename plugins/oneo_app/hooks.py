"""A tenant's hooks and what came in through them, as commands and the API show it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from oneo.errors import NotFoundError
from oneo.store import hook_refusals, inbox, triggers
from oneo.store.models import ActiveTrigger
from oneo.suggest import did_you_mean
from oneo_operators.nodes.triggers.trigger_webhook import WEBHOOK, TriggerWebhookConfig


def all_hooks(session: Session, tenant_id: str) -> list[dict[str, Any]]:
    """The tenant's hooks, by path and workflow."""
    found = [_hook(row, tenant_id) for row in triggers.of_kind(session, WEBHOOK)]
    return sorted(found, key=lambda hook: (hook["path"], hook["workflow"]))


def options_of(session: Session, path: str) -> TriggerWebhookConfig:
    """How the hook of a path is configured; of several, the first.

    Raises:
        NotFoundError: No such hook.
    """
    rows = triggers.of_kind(session, WEBHOOK)
    row = next((row for row in rows if path in row.topics), None)
    if row is None:
        known = sorted({topic for row in rows for topic in row.topics})
        raise NotFoundError(f"there is no hook {path!r}", hint=did_you_mean(path, known))
    return TriggerWebhookConfig.model_validate(row.config)


def report(session: Session, tenant_id: str, path: str, limit: int = 50) -> dict[str, Any]:
    """The last events of a hook with what was decided about each, and what it refused and why.

    Raises:
        NotFoundError: There is no such hook, and nothing ever came in through it.
    """
    hooks = [hook for hook in all_hooks(session, tenant_id) if hook["path"] == path]
    events = inbox.recent(session, WEBHOOK, path, limit)
    refused = hook_refusals.of_hook(session, path)
    if not hooks and not events and not refused:
        options_of(session, path)
    return {
        "path": path,
        "hooks": hooks,
        "events": [
            {
                "event": row.id,
                "at": row.created_at,
                "key": row.key,
                "method": row.data.get("method"),
                "handled_at": row.handled_at,
                "problem": row.problem,
                "decisions": row.decisions or {},
            }
            for row in events
        ],
        "refused": [
            {
                "code": row.code,
                "message": row.message,
                "count": row.count,
                "first_at": row.first_at,
                "last_at": row.last_at,
            }
            for row in refused
        ],
    }


def _hook(row: ActiveTrigger, tenant_id: str) -> dict[str, Any]:
    return {
        "path": row.topics[0],
        "url": f"/oneo/hooks/{tenant_id}/{row.topics[0]}",
        "workflow": row.workflow_id,
        "node": row.node_id,
        "methods": row.config.get("methods", ["POST"]),
        "signature": row.config.get("signature", "standard"),
    }
