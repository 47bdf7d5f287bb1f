"""`oneo approvals`: what people are asked to decide."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from oneo_app.console import Json, Tenant, answer, out, plain_errors, table

Approval = Annotated[UUID, typer.Argument(help="Id of an approval, as `oneo approvals list` shows it.")]
By = Annotated[str | None, typer.Option("--by", help="Who does it; default: ONEO_USER.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Look at approvals and decide them.", no_args_is_help=True)
    group.command(name="list")(list_approvals)
    group.command()(show)
    group.command()(decide)
    group.command()(cancel)
    app.add_typer(group, name="approvals")


def list_approvals(
    status: Annotated[
        str | None, typer.Option("--status", help="Only pending, decided, expired or cancelled ones.")
    ] = None,
    assignee: Annotated[
        str | None, typer.Option("--assignee", help="Only those that ask this person or role:TYPE.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most that many.")] = 20,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """List the newest approvals."""
    from oneo.store import approvals  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            rows = [approvals.view(row) for row in approvals.recent(session, status, assignee, limit)]

        def print_them() -> None:
            shown = table("approval", "title", "asks", "status", "by", "expires")
            for row in rows:
                shown.add_row(
                    row["approval_id"],
                    _plain(row["title"]),
                    _plain(", ".join(row["assignees"])),
                    row["decision"] or row["status"],
                    _plain(row["decided_by"]),
                    _minute(row["expires_at"]),
                )
            out.print(shown)

        answer(rows, as_json, print_them)


def show(approval: Approval, tenant: Tenant = None, as_json: Json = False) -> None:
    """Show an approval."""
    from oneo.store import approvals  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            row = approvals.view(approvals.get(session, approval))
        answer(row, as_json, lambda: _show(row))


def decide(
    approval: Approval,
    decision: Annotated[str, typer.Argument(help="Id of one of its options, e.g. approve.")],
    comment: Annotated[str | None, typer.Option("--comment", help="Why.")] = None,
    by: By = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Decide an approval, once and for all."""
    from oneo.settings import settings  # noqa: PLC0415
    from oneo.store import approvals  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        person = by or settings().user
        roles = settings().user_types.get(person, ())
        with connect.store() as found, found.tenant(tenant_id) as session:
            row = approvals.view(
                approvals.decide(
                    session, tenant_id, approval, decision, by=person, roles=roles, comment=comment
                )
            )
        answer(row, as_json, lambda: _show(row))


def cancel(approval: Approval, by: By = None, tenant: Tenant = None, as_json: Json = False) -> None:
    """Take an approval back that nobody has decided yet; what waits for it fails."""
    from oneo.settings import settings  # noqa: PLC0415
    from oneo.store import approvals  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            row = approvals.view(approvals.cancel(session, tenant_id, approval, by=by or settings().user))
        answer(row, as_json, lambda: _show(row))


def _show(row: dict[str, Any]) -> None:
    out.print(f"[bold]{_plain(row['title'])}[/bold]  {row['status']}")
    if row["description"]:
        out.print(_plain(row["description"]))
    shown = table("field", "value")
    shown.add_row("options", _plain(", ".join(f"{one['id']} ({one['label']})" for one in row["options"])))
    shown.add_row("asks", _plain(", ".join(row["assignees"])))
    for name in ("decision", "comment", "decided_by", "record_id", "execution_id"):
        if row[name]:
            shown.add_row(name.replace("_", " "), _plain(row[name]))
    for name in ("created_at", "expires_at", "decided_at"):
        if row[name]:
            shown.add_row(name.replace("_at", "").replace("decided", "ended"), _minute(row[name]))
    out.print(shown)


def _minute(moment: Any) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def _plain(value: Any) -> str:
    return "" if value is None else str(value).replace("[", r"\[")
