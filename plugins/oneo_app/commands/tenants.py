"""`oneo tenants`: who uses the installation, and what holds for all workflows of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from oneo_app.console import Json, answer, out, plain_errors, table

if TYPE_CHECKING:
    from oneo.database import Database

Id = Annotated[str, typer.Argument(help="Id of a tenant.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(
        help="Tenants, and the settings that hold for all workflows of one.", no_args_is_help=True
    )
    group.command(name="create")(create)
    group.command(name="list")(list_tenants)
    group.command(name="show")(show_settings)
    group.command(name="set")(set_settings)
    group.command(name="remove")(remove)
    app.add_typer(group, name="tenants")


def create(
    tenant: Id,
    name: Annotated[str | None, typer.Option("--name", help="Its name for people.")] = None,
    as_json: Json = False,
) -> None:
    """Create a tenant."""
    from oneo.store import tenants  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        with connect.store() as found, found.system() as session:
            tenants.create(session, tenant, name)
        shown = {"tenant": tenant, "name": name or tenant}
        answer(shown, as_json, lambda: out.print(f"created tenant {tenant}"))


def list_tenants(as_json: Json = False) -> None:
    """List all tenants."""
    from oneo.store import tenants  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        with connect.store() as found, found.system() as session:
            rows: list[dict[str, Any]] = [
                {"tenant": row.id, "name": row.name, "settings": row.settings, "created_at": row.created_at}
                for row in tenants.all_tenants(session)
            ]

        def show() -> None:
            shown = table("tenant", "name", "created")
            for row in rows:
                shown.add_row(row["tenant"], row["name"], f"{row['created_at']:%Y-%m-%d}")
            out.print(shown)

        answer(rows, as_json, show)


def set_settings(
    tenant: Id,
    settings: Annotated[
        list[str],
        typer.Argument(
            help="NAME=VALUE; without a value the setting is taken away. error_workflow=ID: what runs after a "
            "failed execution of any workflow that names no other. max_executions_per_hour, max_active_executions "
            "and max_records: how much it may use. event_retention_days: how long its handled events are kept.",
            metavar="NAME=VALUE...",
        ),
    ],
    as_json: Json = False,
) -> None:
    """Change settings of a tenant."""
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.store import tenants, workflows  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        wanted = [_parsed(text) for text in settings]
        with connect.store() as found:
            connect.ensure_tenant(found, tenant_id)
            with found.tenant(tenant_id) as session:
                for name, value in wanted:
                    if name != tenants.ERROR_WORKFLOW or value is None:
                        continue
                    if not workflows.get(session, str(value)).active:
                        raise UserError(f"workflow {value!r} is not active", hint="publish it first")
            with found.system() as session:
                for name, value in wanted:
                    tenants.set_setting(session, tenant_id, name, value)
            held = _held(found, tenant_id)
        _show(tenant_id, held, as_json)


def show_settings(
    tenant: Annotated[str | None, typer.Argument(help="Id of a tenant; default: ONEO_TENANT.")] = None,
    as_json: Json = False,
) -> None:
    """Show the settings of a tenant."""
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found:
            held = _held(found, tenant_id)
        _show(tenant_id, held, as_json)


def remove(
    tenant: Id,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Really remove it; there is no way back.", show_default=False)
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also while executions run; these fail.", show_default=False)
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove a tenant with everything it has: records, workflows, executions."""
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.store import tenants  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = tenants.check_id(tenant)
        if not yes:
            raise UserError(
                f"removing tenant {tenant_id!r} deletes everything it has, for good", hint="add --yes"
            )
        with connect.store() as found, found.removal(tenant_id) as session:
            running = tenants.running(session)
            if running and not force:
                raise UserError(
                    f"{running} execution(s) of tenant {tenant_id!r} are running",
                    hint="wait for their end, or add --force",
                )
            removed = tenants.remove(session, tenant_id)

        def show() -> None:
            shown = table("table", "rows removed")
            for name, count in sorted(removed.items()):
                shown.add_row(name, str(count))
            out.print(shown)

        answer({"tenant": tenant_id, "removed": removed}, as_json, show)


def _held(found: Database, tenant_id: str) -> dict[str, Any]:
    from oneo.store import tenants  # noqa: PLC0415

    with found.tenant(tenant_id) as session:
        return tenants.settings_of(session, tenant_id)


def _parsed(text: str) -> tuple[str, str | int | None]:
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.store.tenants import NUMBERS, SETTINGS  # noqa: PLC0415
    from oneo.suggest import did_you_mean  # noqa: PLC0415

    name, given, value = text.partition("=")
    if not given:
        raise UserError(f"{text!r} is no NAME=VALUE", hint="write e.g. error_workflow=rescue")
    if name not in SETTINGS:
        raise UserError(f"tenants have no setting {name!r}", hint=did_you_mean(name, SETTINGS))
    if not value or name not in NUMBERS:
        return name, value or None
    least, most = NUMBERS[name]
    digits = value.isascii() and value.isdigit() and len(value) <= len(str(most))
    if not digits or not least <= int(value) <= most:
        raise UserError(f"{name} is {value!r}", hint=f"a whole number from {least} to {most:,}, e.g. 1000")
    return name, int(value)


def _show(tenant_id: str, held: dict[str, Any], as_json: bool) -> None:
    def show() -> None:
        shown = table("setting", "value")
        for name, value in held.items():
            shown.add_row(name, str(value))
        out.print(shown if held else f"tenant {tenant_id} has no settings")

    answer({"tenant": tenant_id, "settings": held}, as_json, show)
