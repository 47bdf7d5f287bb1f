"""Hooks: requests of other systems become events, and their owners see what came in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from oneo.database import database
from oneo.events import Event
from oneo.store import inbox
from oneo.verdicts import Refuses
from oneo_app import hooks as kept
from oneo_app.dispatcher.trigger_index import Candidate
from oneo_app.http.authority import opened_by
from oneo_app.http.bodies import read_raw
from oneo_app.http.clients import client_address
from oneo_app.http.hook_events import Received, admit, read, read_unproven
from oneo_app.http.intake import Accepted, Incoming
from oneo_app.http.refusals import RequestRefusedError
from oneo_app.http.waiting import outcome
from oneo_operators.nodes.triggers.trigger_webhook import WEBHOOK, TriggerWebhookConfig
from oneo_operators.services import Secrets

router = APIRouter()


@router.api_route("/hooks/{tenant}/{path:path}", methods=["POST", "PUT", "GET"], include_in_schema=False)
async def receive(request: Request, tenant: str, path: str) -> JSONResponse:
    """Take a request in: 202 with its event, 200 where it came before."""
    found = await request.app.state.triggers.watching(tenant, WEBHOOK, path)
    if not found:
        raise RequestRefusedError(404, "there is no such hook", code="unknown")
    try:
        accepted = await _accept(request, tenant, _readable(found))
    except RequestRefusedError as refused:
        await run_in_threadpool(request.app.state.refusals.note, tenant, path, refused.code, refused.kept)
        raise
    waits = next((one for one in found if one.options.respond == "output"), None)
    told: dict[str, Any] = {"event": accepted.event_id, "status": "known" if accepted.known else "accepted"}
    status = 200 if accepted.known else 202
    if waits is not None:
        row = waits.row
        ended = await outcome(
            tenant, row.workflow_id, row.node_id, accepted.event_id, waits.options.wait_seconds
        )
        told |= ended
        status = {"success": 200, "refused": 200, "failed": 500, "cancelled": 500}.get(ended["status"], 202)
    return JSONResponse(told, status)


@router.get("/api/v1/hooks/{path}/events")
def events(
    path: str,
    tenant: Annotated[str, Depends(opened_by("hooks"))],
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """The last events of a hook with what was decided about each, and what it refused and why."""
    with database().tenant(tenant) as session:
        return kept.report(session, tenant, path, limit)


@router.post("/api/v1/hooks/{path}/test")
async def try_out(
    request: Request, path: str, tenant: Annotated[str, Depends(opened_by("hooks"))]
) -> dict[str, Any]:
    """What a hook would make of this body, and what each workflow says. It needs no signature; nothing is kept."""
    found = await request.app.state.triggers.watching(tenant, WEBHOOK, path)
    if not found:
        raise RequestRefusedError(404, "there is no such hook", code="unknown")
    hooks = _readable(found)
    raw = await read_raw(request, min(options.max_bytes for options in hooks))
    method = hooks[0].methods[0]
    received = Received(method, request.headers, request.query_params.multi_items(), raw)
    return await run_in_threadpool(_tried, tenant, found, read_unproven(tenant, hooks, received))


def _tried(tenant_id: str, found: Sequence[Candidate], incoming: Incoming) -> dict[str, Any]:
    event = Event(0, tenant_id, incoming.kind, incoming.topic, datetime.now(UTC), incoming.data)
    known = None
    if incoming.key is not None:
        with database().tenant(tenant_id) as session:
            known = inbox.find(session, tenant_id, incoming.kind, incoming.topic, incoming.key)
    said = []
    for one in found:
        verdict = one.consider(event)
        reason = verdict.reason if isinstance(verdict, Refuses) else ""
        said.append({"trigger": one.address, "outcome": "refuses" if reason else "starts", "reason": reason})
    return {"key": incoming.key, "known": known, "payload": incoming.data["payload"], "triggers": said}


async def _accept(request: Request, tenant: str, hooks: Sequence[TriggerWebhookConfig]) -> Accepted:
    address = client_address(request)
    for options in hooks:
        admit(options, request.method, address)
    raw = await read_raw(request, min(options.max_bytes for options in hooks))
    received = Received(request.method, request.headers, request.query_params.multi_items(), raw)
    incoming = await run_in_threadpool(
        read, tenant, hooks, received, Secrets(request.app.state.vault, tenant)
    )
    accepted: Accepted = await request.app.state.intake.put(incoming)
    return accepted


def _readable(found: Sequence[Candidate]) -> list[TriggerWebhookConfig]:
    if any(one.options is None for one in found):
        raise RequestRefusedError(
            503, "this hook's options cannot be read", "publish it again", code="options"
        )
    return [one.options for one in found]
