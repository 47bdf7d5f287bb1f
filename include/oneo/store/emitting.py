"""Events of applications: `emit(session, tenant, "lead_qualified", {...})`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from oneo.errors import UserError
from oneo.store import inbox

APP = "app"
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,200}")


def emit(
    session: Session,
    tenant_id: str,
    name: str,
    data: Mapping[str, Any],
    *,
    key: str | None = None,
    execution_id: UUID | None = None,
) -> int | None:
    """Announce that something happened; workflows with a `trigger_event` of that name start.

    `key` is the sender's name for this event: the same one again is the same event. `execution_id` is the execution on
    whose behalf it is emitted.

    Returns:
        The event's id; None where it came before.

    Raises:
        UserError: The name is none an event can have.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{name!r} is no name of an event", hint="use letters, digits and _ . : -, e.g. lead_qualified"
        )
    return inbox.put(session, tenant_id, APP, name, data, key=key, execution_id=execution_id)
