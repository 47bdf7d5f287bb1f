"""What nobody will ask for any more: events that were handled long ago."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from oneo.database import Database
from oneo.errors import InfrastructureError
from oneo.settings import settings
from oneo.store import retention, tenants

logger = logging.getLogger(__name__)

BATCH = 500


def remove_old_events(database: Database) -> bool:
    """Remove some old events of each tenant; returns whether there may be more.

    A transaction for each tenant, in the role that may remove and sees no other tenant's rows.
    """
    with database.system() as session:
        days = {
            row.id: row.settings.get("event_retention_days", settings().event_retention_days)
            for row in tenants.all_tenants(session)
        }
    more = False
    for tenant_id, kept in days.items():
        try:
            with database.removal(tenant_id) as session:
                removed = retention.remove_handled(session, tenant_id, timedelta(days=kept), BATCH)
        except (OperationalError, InfrastructureError):
            raise
        except SQLAlchemyError:
            # What cannot be tidied must not stop the work.
            logger.exception("old events of tenant %s stay", tenant_id)
            continue
        if removed:
            logger.info("%d event(s) of tenant %s, handled more than %d days ago", removed, tenant_id, kept)
        more = more or removed >= BATCH
    return more
