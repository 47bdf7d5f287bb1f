"""Approvals for programs that show them to people, e.g. a CRM's own pages."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from oneo.database import database
from oneo.settings import settings
from oneo.store import approvals
from oneo_app.http.authority import opened_by
from oneo_app.http.bodies import read_raw
from oneo_app.http.schemas import MAX_BYTES, Body, read

router = APIRouter()
Caller = Annotated[str, Depends(opened_by("approvals"))]


class Decision(Body):
    """A decision as the program that asked a person hands it in."""

    decision: str = Field(description="Id of one of the options.")
    by: str = Field(
        min_length=1,
        max_length=200,
        description="Who has decided. The key's holder vouches for it; the types of user they are of are ours to say.",
    )
    comment: str | None = Field(default=None, description="Why.")


@router.get("/api/v1/approvals")
def recent(
    tenant: Caller,
    status: str | None = None,
    assignee: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[dict[str, Any]]:
    """The newest approvals first; `assignee` is a person or `role:…`, as it was written."""
    with database().tenant(tenant) as session:
        return [approvals.view(row) for row in approvals.recent(session, status, assignee, limit)]


@router.get("/api/v1/approvals/{approval_id}")
def show(tenant: Caller, approval_id: UUID) -> dict[str, Any]:
    """An approval."""
    with database().tenant(tenant) as session:
        return approvals.view(approvals.get(session, approval_id))


@router.post("/api/v1/approvals/{approval_id}/decision")
async def decide(request: Request, tenant: Caller, approval_id: UUID) -> dict[str, Any]:
    """Decide: 403 for whom was not asked, 409 where it has ended before, with who decided."""
    raw = await read_raw(request, MAX_BYTES)
    return await run_in_threadpool(_decide, tenant, approval_id, raw)


def _decide(tenant_id: str, approval_id: UUID, raw: bytes) -> dict[str, Any]:
    given = read(Decision, raw, "decision", 'send {"decision": …, "by": …, "comment": …}')
    with database().tenant(tenant_id) as session:
        row = approvals.decide(
            session,
            tenant_id,
            approval_id,
            given.decision,
            by=given.by,
            roles=settings().user_types.get(given.by, ()),
            comment=given.comment,
        )
        return approvals.view(row)
