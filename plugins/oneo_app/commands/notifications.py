"""`oneo notifications`: what people are told, and what became of what goes out."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from oneo_app.console import Json, Tenant, answer, out, plain_errors, table

_COLOURS = {"sent": "green", "failed": "red", "unknown": "yellow", "queued": "cyan", "sending": "cyan"}


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Look at notifications, and send again what failed.", no_args_is_help=True)
    group.command(name="list")(list_notifications)
    group.command(name="send-again")(send_again)
    app.add_typer(group, name="notifications")


def list_notifications(
    channel: Annotated[str | None, typer.Option("--channel", help="Only of this one, e.g. whatsapp.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="Only in this state, e.g. queued, sent, failed, unknown.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most that many.")] = 20,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """List the newest notifications, with why some have not gone out."""
    from oneo.store import outgoing  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            rows = [outgoing.view(row) for row in outgoing.recent(session, channel, status, limit)]

        def show() -> None:
            shown = table("notification", "channel", "to", "text", "status", "created", "why")
            for row in rows:
                colour = _COLOURS.get(row["status"], "default")
                shown.add_row(
                    row["notification"],
                    row["channel"],
                    _plain(row["recipient"]),
                    _plain(row["title"] or row["message"])[:60],
                    f"[{colour}]{row['status']}[/{colour}]",
                    f"{row['created_at']:%Y-%m-%d %H:%M:%S}",
                    _plain(row["problem"]),
                )
            out.print(shown)

        answer(rows, as_json, show)


def send_again(
    notification: Annotated[
        UUID, typer.Argument(help="Id of a notification, as `oneo notifications list` shows it.")
    ],
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Send a message once more that failed, or of which it is not known whether it went out."""
    from oneo.store import outgoing  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            row: dict[str, Any] = outgoing.view(outgoing.send_again(session, tenant_id, notification))
        answer(row, as_json, lambda: out.print(f"{notification} is queued"))


def _plain(value: Any) -> str:
    return "" if value is None else str(value).replace("[", r"\[")
