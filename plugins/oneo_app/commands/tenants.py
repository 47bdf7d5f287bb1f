"""`oneo tenants`: who uses the installation, and what holds for all workflows of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from oneo.store.tenant_settings import described
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
            help=f"NAME=VALUE; without a value the setting is taken away. {described()}.",
            metavar="NAME=VALUE...",
        ),
    ],
    as_json: Json = False,
) -> None:
    """Change settings of a tenant."""
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.store import storage, tenants, workflows  # noqa: PLC0415
    from oneo.store.limits import STORAGE  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        wanted = [_parsed(text) for text in settings]
        with connect.store() as found:
            connect.ensure_tenant(found, tenant_id)
            with found.tenant(tenant_id) as session:
                for name, value in wanted:
                    if name != "error_workflow" or value is None:
                        continue
                    if not workflows.get(session, str(value)).active:
                        raise UserError(f"workflow {value!r} is not active", hint="publish it first")
            with found.system() as session:
                for name, value in wanted:
                    tenants.set_setting(session, tenant_id, name, value)
            if STORAGE in dict(wanted):
                # It holds from now on, not from when the dispatcher counts.
                with found.removal(tenant_id) as session:
                    storage.measure(session, tenant_id)
            held = _held(found, tenant_id)

        def show() -> None:
            shown = table("setting", "value")
            for name, value in held.items():
                shown.add_row(name, str(value))
            out.print(shown if held else f"tenant {tenant_id} has no settings")

        answer({"tenant": tenant_id, "settings": held}, as_json, show)


def show_settings(
    tenant: Annotated[str | None, typer.Argument(help="Id of a tenant; default: ONEO_TENANT.")] = None,
    as_json: Json = False,
) -> None:
    """Show the settings of a tenant, and how much of each quota it uses; its storage is counted anew."""
    from oneo.store import quotas, storage, tenants  # noqa: PLC0415
    from oneo.store.limits import QUOTAS, STORAGE  # noqa: PLC0415
    from oneo.store.storage import said  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found:
            with found.removal(tenant_id) as session:
                tenants.get(session, tenant_id)
                storage.measure(session, tenant_id)
            with found.tenant(tenant_id) as session:
                used, kept = quotas.used(session, tenant_id), storage.kept(session, tenant_id)
            held = _held(found, tenant_id)

        def show() -> None:
            shown = table("setting", "value", "used")
            for name in dict.fromkeys((*held, *QUOTAS)):
                use = said(kept.total) if name == STORAGE else str(used.get(name, ""))
                shown.add_row(name, str(held.get(name, "")), use)
            out.print(shown)
            kinds = table("kept", "size")
            for kind, size in kept.by_kind.items():
                kinds.add_row(kind.replace("_", " "), said(size))
            out.print(kinds)

        use = {**used, STORAGE: kept.total / storage.MB}
        answer({"tenant": tenant_id, "settings": held, "used": use, "storage": kept.by_kind}, as_json, show)


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
    from oneo import objects  # noqa: PLC0415
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
        # Nobody can name them any more: where this breaks off, they are but space that is lost.
        removed["large_results"] = objects.remove(tenant_id)

        def show() -> None:
            shown = table("table", "rows removed")
            for name, count in sorted(removed.items()):
                shown.add_row(name, str(count))
            out.print(shown)

        answer({"tenant": tenant_id, "removed": removed}, as_json, show)


def _held(found: Database, tenant_id: str) -> dict[str, Any]:
    from oneo.store import tenants  # noqa: PLC0415

    with found.tenant(tenant_id) as session:
        return tenants.settings_of(session, tenant_id).model_dump(exclude_none=True)


def _parsed(text: str) -> tuple[str, Any]:
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.store import tenant_settings  # noqa: PLC0415

    name, given, value = text.partition("=")
    if not given:
        raise UserError(f"{text!r} is no NAME=VALUE", hint="write e.g. error_workflow=rescue")
    return name, tenant_settings.checked(name, value or None)
