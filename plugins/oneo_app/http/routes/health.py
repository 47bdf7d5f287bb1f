"""Whether the store answers."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import text

from oneo.database import database

router = APIRouter()


@router.get("/api/v1/health")
def health() -> dict[str, str]:
    """`ok` where the store answers; 503 where it does not."""
    with database().system() as session:
        session.execute(text("SELECT 1"))
    return {"status": "ok"}
