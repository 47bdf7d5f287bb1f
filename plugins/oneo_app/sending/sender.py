"""Sends queued messages of a channel, tenant by tenant, beside the dispatcher's own work."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

from oneo.database import Database
from oneo.errors import ConfigError, NodeError, TransientNodeError
from oneo.http import HttpClient, OutcomeUnknownError
from oneo.messaging.incoming import WHATSAPP
from oneo.messaging.unipile_api import Account, send_text
from oneo.store import outgoing
from oneo.store.models import Notification
from oneo_app.sending.unipile_account import account
from oneo_operators.services import Vault

logger = logging.getLogger(__name__)

CHANNEL = WHATSAPP
IDLE_SECONDS = 1.0
# UniPile says how often nothing; WhatsApp blocks who sends like a machine.
PACE_SECONDS = 10.0
# A connection that is made or mended counts after this long.
LOOK_AGAIN_SECONDS = 60.0
TENANTS_AT_ONCE = 20
MOST_ATTEMPTS = 5
FIRST_WAIT_SECONDS = 30.0
TIMEOUT_SECONDS = 30.0
# Longer than any attempt takes.
SILENT_FOR = timedelta(seconds=10 * TIMEOUT_SECONDS)
# Whoever has written yesterday needs no thanks today.
TOO_OLD = timedelta(days=1)


class Sender:
    """One sender; several may run side by side.

    Args:
        database: The store.
        vault: Where the tenants' connections are.
        pace_seconds: How long a tenant's next message waits.
        timeout_seconds: How long an attempt may take.
        clock: Seconds that only ever grow.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        *,
        pace_seconds: float = PACE_SECONDS,
        timeout_seconds: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._vault = vault
        self._pace = pace_seconds
        self._timeout = timeout_seconds
        self._clock = clock
        self._not_before: dict[str, float] = {}

    def run(self, stop: Event) -> None:
        """Send until told to stop."""
        while not stop.is_set():
            try:
                sent = self.step()
            except Exception:
                # Whatever it is: nobody would notice a sender that has ended.
                logger.exception("messages are not sent, trying again later")
                sent = 0
            if not sent:
                stop.wait(IDLE_SECONDS)

    def step(self) -> int:
        """Send one message of each tenant that has some, and is not to wait; returns how many were tried."""
        with self._database.system() as session:
            lost = "the sender ended while it sent this: whether it went out is not known"
            outgoing.give_up(session, CHANNEL, SILENT_FOR, lost)
            waiting = outgoing.tenants_waiting(session, CHANNEL)
        now = self._clock()
        self._not_before = {tenant: until for tenant, until in self._not_before.items() if until > now}
        free = [tenant_id for tenant_id in waiting if tenant_id not in self._not_before]
        return asyncio.run(self._serve(free[:TENANTS_AT_ONCE])) if free else 0

    async def _serve(self, tenant_ids: list[str]) -> int:
        return sum(await asyncio.gather(*map(self._try_tenant, tenant_ids)))

    async def _try_tenant(self, tenant_id: str) -> int:
        try:
            return await self._serve_tenant(tenant_id)
        except Exception:
            # It must not break off what is on its way to others.
            logger.exception("messages of tenant %s are not sent", tenant_id)
            self._not_before[tenant_id] = self._clock() + LOOK_AGAIN_SECONDS
            return 0

    async def _serve_tenant(self, tenant_id: str) -> int:
        """Try the tenant's next message; returns whether there was one."""
        try:
            target = await asyncio.to_thread(account, self._vault, tenant_id)
        except ConfigError as error:
            self._not_before[tenant_id] = self._clock() + LOOK_AGAIN_SECONDS
            await asyncio.to_thread(self._explain, tenant_id, str(error))
            return 0
        row = await asyncio.to_thread(self._claim, tenant_id)
        if row is None:
            return 0
        self._not_before[tenant_id] = self._clock() + self._pace
        outcome = await self._attempt(target, row)
        await asyncio.to_thread(self._settle, row, outcome)
        return 1

    async def _attempt(self, target: Account, row: Notification) -> dict[str, Any]:
        """Send it; what is to be noted of that."""
        try:
            async with HttpClient() as client:
                text = row.message
                reference = await send_text(client, target, row.recipient, text, self._timeout)
        except OutcomeUnknownError as error:
            return {"status": "unknown", "problem": f"it may have been sent: {error}"}
        except TransientNodeError as error:
            if row.attempts >= MOST_ATTEMPTS:
                return {"status": "failed", "problem": f"after {row.attempts} attempts: {error}"}
            wait = error.retry_after
            seconds = FIRST_WAIT_SECONDS * 2 ** (row.attempts - 1) if wait is None else wait
            return {
                "status": "queued",
                "problem": f"attempt {row.attempts} of {MOST_ATTEMPTS}: {error}",
                "again_after": timedelta(seconds=seconds),
            }
        except NodeError as error:
            return {"status": "failed", "problem": str(error)}
        return {"status": "sent", "reference": reference}

    def _claim(self, tenant_id: str) -> Notification | None:
        with self._database.system() as session:
            old = f"nobody could send it within {TOO_OLD.total_seconds() / 3600:g} hours"
            outgoing.expire(session, tenant_id, CHANNEL, TOO_OLD, old)
            return outgoing.claim(session, tenant_id, CHANNEL)

    def _settle(self, row: Notification, outcome: dict[str, Any]) -> None:
        if outcome["status"] != "sent":
            logger.warning(
                "message %s of tenant %s is %s: %s",
                row.id,
                row.tenant_id,
                outcome["status"],
                outcome["problem"],
            )
        with self._database.system() as session:
            outgoing.settle(session, row, **outcome)

    def _explain(self, tenant_id: str, problem: str) -> None:
        logger.warning("messages of tenant %s wait: %s", tenant_id, problem)
        with self._database.system() as session:
            outgoing.explain(session, tenant_id, CHANNEL, problem)
