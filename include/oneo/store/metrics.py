"""Metrics: the latest values of a series, say of a device, pushed from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from oneo.database import to_json
from oneo.errors import UserError
from oneo.filters.values import is_scalar, moment, plain, unusable

_SERIES = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
# As conditions can name it: a dot would lead below the value.
_NAME = re.compile(r"[^\W\d][\w -]{0,199}")


def push(
    session: Session,
    tenant_id: str,
    series: str,
    values: Mapping[str, Any],
    at: datetime | None = None,
) -> int | None:
    """Take over new values of a series; workflows whose conditions they meet start.

    A value that is older than the one that is there changes nothing, whatever order they come in.

    Args:
        session: The tenant's, or a system session.
        tenant_id: The tenant.
        series: What was measured, e.g. a device; letters, digits and _ . : -.
        values: By name; the other values of the series stay.
        at: When they were measured, default now; without a zone: UTC. A time that has not come counts as now.

    Returns:
        The event's id; None where every value is older than the one that is there.

    Raises:
        UserError: No name of a series, or values that none can have; all of them at once.
    """
    found = problems(series, values)
    if found:
        raise UserError(
            "; ".join(found),
            hint="a series is e.g. boiler-7 (letters, digits, _ . : -), its values e.g. temperature=101.5",
        )
    pushed = {name: plain(value) for name, value in values.items()}
    event_id: int | None = session.execute(
        text("SELECT oneo_push_metrics(:tenant, :series, CAST(:pushed AS jsonb), :at)"),
        {"tenant": tenant_id, "series": series, "pushed": to_json(pushed), "at": moment(at)},
    ).scalar_one()
    return event_id


def problems(series: str, values: Mapping[str, Any]) -> list[str]:
    """Everything that keeps values from being those of a series."""
    found = [] if _SERIES.fullmatch(series) else [f"{series[:200]!r} is no name of a series"]
    if not values:
        found.append("no value is given")
    for name, value in values.items():
        reason = "no name of a value" if not _NAME.fullmatch(name) else _unfit(plain(value))
        if reason:
            found.append(f"{name[:200]!r}: {reason}")
    return found


def _unfit(value: Any) -> str | None:
    if not is_scalar(value):
        return f"a value is a number, a text, true, false or null, got {type(value).__name__}"
    return unusable(value)
