"""`oneo.emit`: events of hand-written DAGs and other programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def emit(
    name: str, data: Mapping[str, Any] | None = None, *, key: str | None = None, tenant: str | None = None
) -> int | None:
    """Announce that something happened; workflows with a `trigger_event` of that name start.

    It is committed when this returns. To announce it in a transaction of your own, use `oneo.store.emitting.emit`.

    Args:
        name: What happened, e.g. `lead_qualified`.
        data: What workflows get to know of it; JSON values and dates.
        key: Your name for this event: the same one again is the same event.
        tenant: Whose event it is; by default that of ONEO_TENANT.

    Returns:
        The event's id; None where it came before.

    Raises:
        UserError: The name is none an event can have.
        InfrastructureError: The database of ONEO_DATABASE_URL does not answer, or none is configured.
    """
    from oneo.database import database  # noqa: PLC0415 - `import oneo` stays cheap
    from oneo.settings import settings  # noqa: PLC0415
    from oneo.store import emitting  # noqa: PLC0415

    tenant_id = tenant or settings().tenant
    with database().tenant(tenant_id) as session:
        return emitting.emit(session, tenant_id, name, data or {}, key=key)
