"""`oneo records`: records from files, and what happened to one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from oneo_app.commands import record_files
from oneo_app.commands.capture import capture_records
from oneo_app.commands.merge import merge_records
from oneo_app.console import Json, Tenant, answer, out, plain_errors, table


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Records of the CRM.", no_args_is_help=True)
    record_files.register(group)
    group.command(name="show")(show_record)
    group.command(name="relate")(relate_records)
    group.command(name="merge")(merge_records)
    group.command(name="capture")(capture_records)
    app.add_typer(group, name="records")


def show_record(
    record: Annotated[str, typer.Argument(help="Id of a record, be it deleted or not.")],
    history: Annotated[bool, typer.Option("--history", help="Also every change, with who made it.")] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Show one record. With --history, one that was removed for good shows what is left of it."""
    from oneo.errors import NotFoundError  # noqa: PLC0415
    from oneo.store import history as kept  # noqa: PLC0415
    from oneo.store import records  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            row = records.find_one(session, record, deleted=True)
            changes = [kept.view(entry) for entry in kept.of_record(session, record)] if history else []
            if row is None and not changes:
                raise NotFoundError(f"there is no record {record}", hint="give the id of a record")
            shown: dict[str, Any] = {"record": None}
            if row is not None:
                fate = {name: getattr(row, name) for name in ("deleted_at", "archived_at", "merged_into")}
                shown["record"] = {**records.view(row), **fate}
        if history:
            shown["history"] = changes
        answer(shown, as_json, lambda: _show(shown))


def _show(shown: dict[str, Any]) -> None:
    fields = table("field", "value")
    for name, value in (shown["record"] or {}).items():
        fields.add_row(_plain(name), _plain(value))
    if shown["record"] is not None:
        out.print(fields)
    if "history" in shown:
        changes = table("record", "version", "when", "what", "who", "execution", "changes")
        for one in shown["history"]:
            changes.add_row(
                one["record"],
                str(one["version"]),
                f"{one['created_at']:%Y-%m-%d %H:%M:%S}",
                one["kind"],
                _plain(one["actor"]),
                _plain(one["execution"]),
                "; ".join(
                    f"{_plain(name)}: {_plain(change['before'])} → {_plain(change['after'])}"
                    for name, change in one["changes"].items()
                ),
            )
        out.print(changes)


def _plain(value: Any) -> str:
    return "" if value is None else str(value).replace("[", r"\[")


def relate_records(
    parent: Annotated[str, typer.Argument(help="Id of the record the other belongs to.")],
    child: Annotated[str, typer.Argument(help="Id of the record that belongs to it.")],
    kind: Annotated[str, typer.Option("--kind", help="As what, e.g. contact or invoice.")],
    cascade: Annotated[
        bool, typer.Option(help="Whether `cascade_delete` of the parent takes the child along.")
    ] = True,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Note that a record belongs to another."""
    from oneo.store import records, relations  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            above, below = records.get(session, parent), records.get(session, child)
            relations.relate(session, above, below, kind, cascades=cascade)
        result = {"parent": parent, "child": child, "kind": kind, "cascades": cascade}
        answer(result, as_json, lambda: out.print(f"{child} belongs to {parent} as {kind}"))
