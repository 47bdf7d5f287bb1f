"""`oneo tokens`: keys to the API."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from oneo_app.console import Json, Tenant, answer, out, plain_errors, table


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Keys to the API of a tenant.", no_args_is_help=True)
    group.command(name="create")(create)
    group.command(name="list")(list_tokens)
    group.command(name="revoke")(revoke)
    app.add_typer(group, name="tokens")


def create(
    name: Annotated[str, typer.Argument(help="What it is for, e.g. shop.")],
    scope: Annotated[
        list[str],
        typer.Option("--scope", help="What it opens: events, metrics, hooks, approvals; may be repeated."),
    ] = ["events"],  # noqa: B006 - typer's way to give a default
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, once."""
    from oneo.store import api_tokens  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found:
            connect.ensure_tenant(found, tenant_id)
            with found.tenant(tenant_id) as session:
                row, key = api_tokens.create(session, tenant_id, name, scope)
        shown = {"id": str(row.id), "name": name, "scopes": row.scopes, "tenant": tenant_id, "token": key}

        def show() -> None:
            out.print(key, markup=False)
            out.print("[yellow]Keep it: it is not shown again.[/yellow]")

        answer(shown, as_json, show)


def list_tokens(tenant: Tenant = None, as_json: Json = False) -> None:
    """List the keys, without what opens."""
    from oneo.store import api_tokens  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            rows: list[dict[str, Any]] = [
                {
                    "id": str(row.id),
                    "name": row.name,
                    "scopes": row.scopes,
                    "created_at": row.created_at,
                    "last_used_at": row.last_used_at,
                    "revoked_at": row.revoked_at,
                }
                for row in api_tokens.all_tokens(session)
            ]

        def show() -> None:
            shown = table("id", "name", "opens", "created", "last used", "revoked")
            for row in rows:
                moments = (row[name] for name in ("created_at", "last_used_at", "revoked_at"))
                days = (f"{moment:%Y-%m-%d %H:%M}" if moment else "" for moment in moments)
                shown.add_row(row["id"], row["name"], ", ".join(row["scopes"]), *days)
            out.print(shown)

        answer(rows, as_json, show)


def revoke(
    token: Annotated[UUID, typer.Argument(help="Id of a key, as `oneo tokens list` shows it.")],
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Let a key open nothing any more, at once."""
    from oneo.store import api_tokens  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            row = api_tokens.revoke(session, token)
        result = {"id": str(row.id), "name": row.name, "revoked_at": row.revoked_at}
        answer(result, as_json, lambda: out.print(f"{row.name} opens nothing any more"))
