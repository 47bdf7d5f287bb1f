"""`oneo tenants`: settings that hold for all workflows of a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from oneo_app.console import Json, answer, out, plain_errors, table

if TYPE_CHECKING:
    from oneo.database import Database


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Settings that hold for all workflows of a tenant.", no_args_is_help=True)
    group.command(name="set")(set_settings)
    group.command(name="show")(show_settings)
    app.add_typer(group, name="tenants")


def set_settings(
    tenant: Annotated[str, typer.Argument(help="Id of a tenant.")],
    settings: Annotated[
        list[str],
        typer.Argument(
            help="NAME=VALUE; without a value the setting is taken away. error_workflow=ID: what runs after a "
            "failed execution of any workflow that names no other.",
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
        wanted = [_parsed(text, tenants.SETTINGS) for text in settings]
        with connect.store() as found:
            connect.ensure_tenant(found, tenant_id)
            with found.tenant(tenant_id) as session:
                for workflow in [value for _, value in wanted if value is not None]:
                    if not workflows.get(session, workflow).active:
                        raise UserError(f"workflow {workflow!r} is not active", hint="publish it first")
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


def _held(found: Database, tenant_id: str) -> dict[str, Any]:
    from oneo.store import tenants  # noqa: PLC0415

    with found.tenant(tenant_id) as session:
        return tenants.settings_of(session, tenant_id)


def _parsed(text: str, known: tuple[str, ...]) -> tuple[str, str | None]:
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.suggest import did_you_mean  # noqa: PLC0415

    name, given, value = text.partition("=")
    if not given:
        raise UserError(f"{text!r} is no NAME=VALUE", hint="write e.g. error_workflow=rescue")
    if name not in known:
        raise UserError(f"tenants have no setting {name!r}", hint=did_you_mean(name, known))
    return name, value or None


def _show(tenant_id: str, held: dict[str, Any], as_json: bool) -> None:
    def show() -> None:
        shown = table("setting", "value")
        for name, value in held.items():
            shown.add_row(name, str(value))
        out.print(shown if held else f"tenant {tenant_id} has no settings")

    answer({"tenant": tenant_id, "settings": held}, as_json, show)
