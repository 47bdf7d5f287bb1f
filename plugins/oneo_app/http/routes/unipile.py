"""UniPile's webhooks: mail and messages become events before UniPile gets its answer."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from oneo.database import database
from oneo.messaging import unipile
from oneo.messaging.incoming import Unwanted
from oneo.store import tenants
from oneo_app.http.bodies import read_raw
from oneo_app.http.intake import Incoming
from oneo_app.http.refusals import RequestRefusedError
from oneo_app.http.unipile_proof import prove

router = APIRouter()
logger = logging.getLogger(__name__)

MAX_BYTES = 10 * 1024 * 1024


@router.post("/unipile/{tenant}", include_in_schema=False)
async def receive(request: Request, tenant: str) -> JSONResponse:
    """Take a webhook of the tenant's connection `oneo_unipile` in."""
    return await _receive(request, tenant, unipile.CONNECTION)


@router.post("/unipile/{tenant}/{connection}", include_in_schema=False)
async def receive_of(request: Request, tenant: str, connection: str) -> JSONResponse:
    """Take a webhook of another of the tenant's connections in."""
    return await _receive(request, tenant, connection)


async def _receive(request: Request, tenant: str, connection: str) -> JSONResponse:
    raw = await read_raw(request, MAX_BYTES)
    vault = request.app.state.vault
    await run_in_threadpool(prove, vault, tenant, connection, request.headers, raw, time.time())
    found = unipile.read(_payload(raw))
    if isinstance(found, Unwanted):
        if not found.is_known:
            logger.warning("UniPile, tenant %s, connection %s: %.200s", tenant, connection, found.reason)
        status = "ignored" if found.is_known else "noted"
        return JSONResponse({"status": status, "reason": found.reason})
    # A shared connection proves nothing about the tenant of the address.
    await run_in_threadpool(_check_tenant, tenant)
    incoming = Incoming(tenant, found.kind, found.topic, found.data, found.key)
    accepted = await request.app.state.intake.put(incoming)
    return JSONResponse({"event": accepted.event_id, "status": "known" if accepted.known else "accepted"})


def _payload(raw: bytes) -> dict[str, Any]:
    """The JSON of a body, whatever it says that it is: UniPile does not always name the type."""
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError):
        raise RequestRefusedError(400, "the body is no JSON", code="payload") from None
    if not isinstance(payload, dict):
        raise RequestRefusedError(400, "the body is no JSON object", code="payload")
    return payload


def _check_tenant(tenant_id: str) -> None:
    with database().tenant(tenant_id) as session:
        tenants.get(session, tenant_id)
