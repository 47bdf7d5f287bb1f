"""`oneo explain`: why a workflow started, or did not."""

from __future__ import annotations

from typing import Annotated

import typer

from oneo_app.commands.events import record_key, show_decisions, show_head
from oneo_app.console import Json, Tenant, answer, out, plain_errors


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(explain)


def explain(
    workflow: Annotated[str, typer.Option("--workflow", help="Id of the workflow.")],
    record: Annotated[str | None, typer.Option("--record", help="Id of a record: its events.")] = None,
    event: Annotated[int | None, typer.Option("--event", help="Number of an event: this one only.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most that many events.")] = 20,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Say of each event whether it started a workflow, which condition decided, and what became of it."""
    from oneo.errors import NotFoundError, UserError  # noqa: PLC0415
    from oneo.store import event_log  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        record_id = record_key(record)
        if record_id is None and event is None:
            raise UserError("explain what?", hint="give --record, --event or both")
        with connect.store() as found, found.tenant(tenant_id) as session:
            from oneo_app.explaining import explain as explained  # noqa: PLC0415

            if event is not None:
                rows = [event_log.get(session, event)]
                if record_id is not None and rows[0].record_id != record_id:
                    raise UserError(
                        f"event {event} is not about record {record_id}",
                        hint=f"`oneo events list --record {record_id}` shows those that are",
                    )
            else:
                rows = event_log.recent(session, record_id=record_id, limit=limit)
            if not rows:
                raise NotFoundError(
                    f"there is no event about record {record}",
                    hint="`oneo records show --history` shows what happened to it",
                )
            answers = [explained(session, workflow, row) for row in rows]

        def show() -> None:
            for one in answers:
                show_head(one)
                show_decisions(one["decisions"])
                out.print()

        answer(answers, as_json, show)
