"""`oneo suppress`: lists of those whom workflows leave alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oneo_app.console import Json, Tenant, answer, out, plain_errors, table

if TYPE_CHECKING:
    from oneo.store.suppressions import Kind

ListName = Annotated[str, typer.Argument(metavar="LIST", help="Name of a list, e.g. unsubscribed.")]
Values = Annotated[
    list[str], typer.Argument(help="E-mail addresses, telephone numbers, domains or ids of records.")
]
KindOption = Annotated[
    str | None,
    typer.Option("--kind", help="email, phone, record or domain; default: what the value looks like."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(
        help="Lists of those whom workflows leave alone (settings.start.suppression_lists).",
        no_args_is_help=True,
    )
    group.command(name="add")(add)
    group.command(name="remove")(remove)
    group.command(name="list")(list_entries)
    group.command(name="import")(import_entries)
    app.add_typer(group, name="suppress")


def add(
    list_name: ListName,
    values: Values,
    kind: KindOption = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Put somebody on a list."""
    with plain_errors(as_json):
        _add(list_name, _entries([("", value) for value in values], kind), tenant, as_json)


def remove(
    list_name: ListName,
    values: Values,
    kind: KindOption = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Take somebody off a list."""
    from oneo.store import suppressions  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        entries = _entries([("", value) for value in values], kind)
        with connect.store() as found, found.tenant(tenant_id) as session:
            removed = suppressions.remove(session, tenant_id, list_name, entries)
        shown = {"tenant": tenant_id, "list": list_name, "removed": removed}
        answer(shown, as_json, lambda: out.print(f"{removed} of {len(entries)} taken off {list_name}"))


def list_entries(
    list_name: Annotated[str | None, typer.Argument(metavar="LIST", help="Only of this list.")] = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Show what stands on the lists."""
    from oneo.store import suppressions  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            rows: list[dict[str, Any]] = [
                {"list": row.list, "kind": row.kind, "value": row.value, "created_at": row.created_at}
                for row in suppressions.entries(session, list_name)
            ]

        def show() -> None:
            shown = table("list", "kind", "value", "since")
            for row in rows:
                shown.add_row(row["list"], row["kind"], row["value"], f"{row['created_at']:%Y-%m-%d}")
            out.print(shown)

        answer(rows, as_json, show)


def import_entries(
    list_name: ListName,
    file: Annotated[Path, typer.Argument(help="A value a line; of a CSV file, the first column.")],
    kind: KindOption = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Put everybody in a file on a list; nobody where a line cannot be read."""
    with plain_errors(as_json):
        lines = [(f"{file.name}:{number}: ", value) for number, value in _lines(file)]
        _add(list_name, _entries(lines, kind), tenant, as_json)


def _add(list_name: str, entries: list[tuple[Kind, str]], tenant: str | None, as_json: bool) -> None:
    from oneo.store import suppressions  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    tenant_id = connect.tenant_or_default(tenant)
    suppressions.check_list(list_name)
    with connect.store() as found:
        connect.ensure_tenant(found, tenant_id)
        with found.tenant(tenant_id) as session:
            added = suppressions.add(session, tenant_id, list_name, entries)
    known = len(entries) - added
    shown = {"tenant": tenant_id, "list": list_name, "added": added, "known": known}
    answer(shown, as_json, lambda: out.print(f"{added} put on {list_name}, {known} stood there before"))


def _lines(file: Path) -> list[tuple[int, str]]:
    """The values of a file with their line numbers; empty lines are left out.

    Raises:
        UserError: It cannot be read.
    """
    import csv  # noqa: PLC0415

    from oneo.errors import UserError  # noqa: PLC0415

    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.reader(opened)
            return [(reader.line_num, row[0]) for row in reader if row and row[0].strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file} cannot be read: {error}", hint="give a text file in UTF-8") from error


def _entries(given: list[tuple[str, str]], kind: str | None) -> list[tuple[Kind, str]]:
    """The values as they stand on a list.

    Raises:
        UserError: Some are none; each is named, with its place.
    """
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.store import suppressions  # noqa: PLC0415
    from oneo.suggest import did_you_mean  # noqa: PLC0415

    wanted = next((one for one in suppressions.KINDS if one == kind), None)
    if kind is not None and wanted is None:
        raise UserError(f"there is no kind {kind!r}", hint=did_you_mean(kind, suppressions.KINDS))
    found, problems, hint = [], [], ""
    for place, value in given:
        try:
            found.append(suppressions.entry(value, wanted))
        except UserError as error:
            problems.append(f"{place}{error.message}")
            hint = error.hint or ""
    if problems:
        raise UserError("; ".join(problems), hint=hint)
    return list(dict.fromkeys(found))
