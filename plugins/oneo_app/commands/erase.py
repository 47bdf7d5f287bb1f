"""`oneo erase`: erasure of a person who asks for it."""

from __future__ import annotations

from typing import Annotated

import typer

from oneo_app.console import Json, Tenant, answer, err, out, plain_errors, table


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(erase)


def erase(
    email: Annotated[str, typer.Option("--email", help="The person's e-mail address.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what there is, and leave it.", show_default=False)
    ] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Erase a person: records with their history, tasks, notifications, and the data of executions about them."""
    from oneo.store import erasure, tenants  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.removal(tenant_id) as session:
            tenants.get(session, tenant_id)
            erased = erasure.erase(session, email)
            # Before ours is committed: where Airflow's does not answer, all of it can be done again.
            copies = _remove_copies(erased.runs, dry_run=dry_run)
            if dry_run:
                session.rollback()
        counts = {**erased.counts, **(copies or {})}

        def show() -> None:
            shown = table("what", "would go" if dry_run else "erased")
            for name, count in counts.items():
                shown.add_row(name.replace("_", " "), str(count))
            out.print(shown)
            if copies is None and erased.runs:
                err.print(
                    f"[yellow]Airflow's database is not at hand: outputs of {len(erased.runs)} run(s) stay there; "
                    "set ONEO_AIRFLOW_DATABASE_URL[/yellow]"
                )

        about = {"tenant": tenant_id, "email": email, "dry_run": dry_run, "airflow": copies is not None}
        answer({**about, "erased": counts}, as_json, show)


def _remove_copies(runs: list[tuple[str, str]], *, dry_run: bool) -> dict[str, int] | None:
    """What Airflow held of the runs; None where its database is not at hand."""
    from oneo.settings import settings  # noqa: PLC0415
    from oneo_app.airflow_copies import remove_copies  # noqa: PLC0415
    from oneo_app.stack import postgres  # noqa: PLC0415
    from oneo_app.stack.databases import resolve  # noqa: PLC0415
    from oneo_app.stack.layout import layout  # noqa: PLC0415

    where = layout()
    if settings().airflow_database_url is None and postgres.postmaster(where) is None:
        return None
    return remove_copies(resolve(where).airflow, runs, dry_run=dry_run)
