"""`oneo metrics`: values that are measured outside, for workflows that watch them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from oneo_app.console import Json, Tenant, answer, out, plain_errors


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Metrics that workflows watch.", no_args_is_help=True)
    group.command()(push)
    app.add_typer(group, name="metrics")


def push(
    series: Annotated[str, typer.Argument(help="What was measured, e.g. boiler-7.")],
    values: Annotated[
        list[str],
        typer.Argument(help="Values as name=value, e.g. temperature=101.5 door=open.", metavar="NAME=VALUE…"),
    ],
    at: Annotated[
        str | None, typer.Option("--at", help="When they were measured, as ISO 8601; default: now.")
    ] = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Take over new values of a series; workflows whose conditions they meet start."""
    from oneo.store import metrics  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        pushed, moment = _values(values), _moment(at)
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found:
            connect.ensure_tenant(found, tenant_id)
            with found.tenant(tenant_id) as session:
                event_id = metrics.push(session, tenant_id, series, pushed, moment)
        known = "" if event_id is not None else ": newer values are there already"
        result = {"series": series, "values": pushed, "event_id": event_id}
        answer(result, as_json, lambda: out.print(f"{series}: {len(pushed)} value(s){known}"))


def _values(written: list[str]) -> dict[str, Any]:
    """Numbers, true, false and null as such; everything else is text."""
    from oneo.errors import UserError  # noqa: PLC0415

    wrong = [one for one in written if "=" not in one]
    if wrong:
        raise UserError(
            f"no value stands in {', '.join(map(repr, wrong))}", hint="write e.g. temperature=101.5"
        )
    found: dict[str, Any] = {}
    for one in written:
        name, _, value = one.partition("=")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _moment(written: str | None) -> datetime | None:
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.filters.values import moment  # noqa: PLC0415

    found = moment(written)
    if written is not None and found is None:
        raise UserError(f"{written!r} is no time", hint="write ISO 8601, e.g. 2026-01-31T09:00:00+00:00")
    return found
