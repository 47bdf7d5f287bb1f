"""Metrics of devices and programs that speak HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from oneo.database import database
from oneo.filters.values import moment
from oneo.store import metrics
from oneo_app.http.authority import opened_by
from oneo_app.http.bodies import read_raw
from oneo_app.http.schemas import MAX_BYTES, Body, invalid, read

MAX_PUSHES = 500
_HINT = 'send {"metrics": [{"series": "boiler-7", "values": {"temperature": 101.5}, "at": "2026-01-31T09:00:00Z"}]}'

router = APIRouter()


class Push(Body):
    """New values of a series."""

    series: str = Field(description="What was measured, e.g. a device; letters, digits and _ . : -.")
    values: dict[str, Any] = Field(description="By name: numbers, texts, true, false or null.")
    at: str | None = Field(default=None, description="When they were measured, as ISO 8601; default: now.")


class Pushes(Body):
    """New values of one series or several."""

    metrics: list[Push] = Field(
        min_length=1, max_length=MAX_PUSHES, description="In the order they are taken over."
    )


@router.post("/api/v1/metrics", status_code=202)
async def push(request: Request, tenant: Annotated[str, Depends(opened_by("metrics"))]) -> JSONResponse:
    """Take over new values, all or none of them: 202 with the event of each series, null where all were old."""
    raw = await read_raw(request, MAX_BYTES)
    return await run_in_threadpool(_push, tenant, raw)


def _push(tenant_id: str, raw: bytes) -> JSONResponse:
    given = read(Pushes, raw, "push of metrics", _HINT).metrics
    problems = [
        {"path": f"$.metrics.{number}", "message": text}
        for number, one in enumerate(given)
        for text in _problems(one)
    ]
    if problems:
        raise invalid("these metrics cannot be taken over", _HINT, problems)
    with database().tenant(tenant_id) as session:
        # Two that push the same series at a time wait for each other in one order.
        pushed = {
            number: metrics.push(session, tenant_id, one.series, one.values, moment(one.at))
            for number, one in sorted(enumerate(given), key=lambda each: each[1].series)
        }
    told = [{"series": one.series, "event": pushed[number]} for number, one in enumerate(given)]
    return JSONResponse({"metrics": told}, 202)


def _problems(one: Push) -> Iterator[str]:
    yield from metrics.problems(one.series, one.values)
    if one.at is not None and moment(one.at) is None:
        yield f"at: {one.at[:80]!r} is no time; write ISO 8601, e.g. 2026-01-31T09:00:00Z"
