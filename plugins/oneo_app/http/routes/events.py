"""Events of applications that speak HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from oneo.database import database
from oneo.store import emitting, inbox
from oneo_app.http.authority import opened_by
from oneo_app.http.bodies import read_raw
from oneo_app.http.schemas import MAX_BYTES, Body, read

router = APIRouter()


class EmittedEvent(Body):
    """An event as its sender describes it."""

    name: str = Field(description="What happened, e.g. `lead_qualified`.")
    data: dict[str, Any] = Field(default_factory=dict, description="What workflows get to know of it.")
    key: str | None = Field(
        default=None, min_length=1, max_length=200, description="The same key again is the same event."
    )


@router.post("/api/v1/events", status_code=202)
async def emit(request: Request, tenant: Annotated[str, Depends(opened_by("events"))]) -> JSONResponse:
    """Announce that something happened: 202 with the event, 200 where it came before."""
    raw = await read_raw(request, MAX_BYTES)
    return await run_in_threadpool(_emit, tenant, raw)


def _emit(tenant_id: str, raw: bytes) -> JSONResponse:
    event = read(EmittedEvent, raw, "event", 'send {"name": …, "data": {…}, "key": …}')
    with database().tenant(tenant_id) as session:
        event_id = emitting.emit(session, tenant_id, event.name, event.data, key=event.key)
        known = event_id is None
        if known:
            event_id = inbox.find(session, tenant_id, emitting.APP, event.name, event.key or "")
    return JSONResponse(
        {"event": event_id, "status": "known" if known else "accepted"}, 200 if known else 202
    )
