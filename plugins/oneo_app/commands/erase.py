"""`oneo erase`: erasure of a person who asks for it, and what stands against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from oneo_app.console import Json, Tenant, answer, err, out, plain_errors, table

if TYPE_CHECKING:
    from oneo.store.erasure import Erased
    from oneo.store.holds import Kind

Email = Annotated[str | None, typer.Option("--email", help="A person's e-mail address.")]
RecordId = Annotated[str | None, typer.Option("--record", help="Id of a record.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what there is, and leave it.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(
        help="Erase a person: records with their history, tasks, notifications, and the data of executions about them.",
        invoke_without_command=True,
    )
    group.callback()(erase)
    group.command(name="hold")(hold)
    group.command(name="unhold")(unhold)
    group.command(name="holds")(list_holds)
    app.add_typer(group, name="erase")


def erase(
    context: typer.Context,
    email: Email = None,
    dry_run: DryRun = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Erase a person: records with their history, tasks, notifications, and the data of executions about them."""
    if context.invoked_subcommand is not None:
        return
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.store import erasure, tenants  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        if email is None:
            raise UserError("nobody is named", hint="add --email ann@example.com")
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.removal(tenant_id) as session:
            tenants.get(session, tenant_id)
            erased = erasure.erase(session, email)
            # Before ours is committed: where others do not answer, all of it can be done again.
            copies = _remove_copies(tenant_id, erased, dry_run=dry_run)
            kept = _remove_files(tenant_id, erased, dry_run=dry_run)
            if dry_run:
                session.rollback()
        counts = {**erased.counts, **kept, **(copies or {})}

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


def hold(
    reason: Annotated[str, typer.Option("--reason", help="Why; whoever is refused reads it.")],
    record: RecordId = None,
    email: Email = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Put a record, a person or a whole tenant on legal hold: nothing of it is erased or removed for good."""
    from oneo.settings import settings  # noqa: PLC0415
    from oneo.store import holds  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        kind, subject = _held(record, email)
        with connect.store() as found, found.tenant(tenant_id) as session:
            row = holds.place(session, tenant_id, kind, subject, reason=reason, set_by=settings().user)
            shown = _shown(row)
        answer(shown, as_json, lambda: out.print(f"{kind} {shown['subject']} is on legal hold"))


def unhold(
    record: RecordId = None, email: Email = None, tenant: Tenant = None, as_json: Json = False
) -> None:
    """Lift a legal hold: of a record, a person, or else of the tenant."""
    from oneo.store import holds  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        kind, subject = _held(record, email)
        with connect.store() as found, found.tenant(tenant_id) as session:
            holds.lift(session, tenant_id, kind, subject)
        shown = {"tenant": tenant_id, "kind": kind, "subject": subject or tenant_id}
        answer(shown, as_json, lambda: out.print(f"{kind} {shown['subject']} is free"))


def list_holds(tenant: Tenant = None, as_json: Json = False) -> None:
    """List the legal holds of a tenant."""
    from oneo.store import holds  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            rows = [_shown(row) for row in holds.all_holds(session)]

        def show() -> None:
            shown = table("what", "which", "since", "set by", "why")
            for row in rows:
                since = f"{row['created_at']:%Y-%m-%d}"
                shown.add_row(row["kind"], row["subject"], since, row["set_by"], row["reason"])
            out.print(shown)

        answer(rows, as_json, show)


def _held(record: str | None, email: str | None) -> tuple[Kind, str | None]:
    from oneo.errors import UserError  # noqa: PLC0415

    if record is not None and email is not None:
        raise UserError(
            "--record and --email name two things", hint="give one of them, or none for the tenant"
        )
    if record is not None:
        return "record", record
    return ("email", email) if email is not None else ("tenant", None)


def _shown(row: Any) -> dict[str, Any]:
    return {
        "tenant": row.tenant_id,
        "kind": row.kind,
        "subject": row.subject,
        "reason": row.reason,
        "set_by": row.set_by,
        "created_at": row.created_at,
    }


def _remove_copies(tenant_id: str, erased: Erased, *, dry_run: bool) -> dict[str, int] | None:
    """What Airflow held of the runs; None where its database is not at hand."""
    from oneo.settings import settings  # noqa: PLC0415
    from oneo_app.airflow_copies import remove_copies  # noqa: PLC0415
    from oneo_app.stack import postgres  # noqa: PLC0415
    from oneo_app.stack.databases import resolve  # noqa: PLC0415
    from oneo_app.stack.layout import layout  # noqa: PLC0415

    where = layout()
    if settings().airflow_database_url is None and postgres.postmaster(where) is None:
        return None
    url = resolve(where).airflow
    return remove_copies(url, tenant_id, erased.runs, erased.address, dry_run=dry_run)


def _remove_files(tenant_id: str, erased: Erased, *, dry_run: bool) -> dict[str, int]:
    """Large results, and what logs say of the runs."""
    from oneo import objects  # noqa: PLC0415
    from oneo_app.log_copies import blank_entries, remove_logs  # noqa: PLC0415

    count = objects.count if dry_run else objects.remove
    return {
        "large_results": sum(count(tenant_id, one) for one in erased.executions),
        "log_files": remove_logs(erased.runs, dry_run=dry_run),
        "log_entries_blanked": blank_entries(erased.runs, erased.address, dry_run=dry_run),
    }
