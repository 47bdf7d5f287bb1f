"""`oneo forms`: what people can fill in, and the links that lead there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from oneo_app.console import Json, Tenant, answer, out, plain_errors, table

if TYPE_CHECKING:
    from oneo.store.models import FormLink

FormId = Annotated[str, typer.Argument(help="Id of a form.", metavar="FORM")]
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Forms that people fill in, and links to them.", no_args_is_help=True)
    group.command(name="apply")(apply)
    group.command(name="list")(list_forms)
    group.command(name="show")(show)
    group.command(name="link")(link)
    group.command(name="revoke")(revoke)
    group.command(name="file")(file)
    app.add_typer(group, name="forms")


def apply(
    file: Annotated[
        Path, typer.Argument(help="A form as JSON: id, name, schema, ui, settings.", metavar="FILE")
    ],
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Create a form, or bring it to what the file says."""
    from dag_factory.reading import read_file  # noqa: PLC0415
    from oneo.forms.spec import parse_form  # noqa: PLC0415
    from oneo.store import forms  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        spec = parse_form(read_file(file), str(file))
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found:
            connect.ensure_tenant(found, tenant_id)
            with found.tenant(tenant_id) as session:
                forms.apply(session, tenant_id, spec)
        result = {"form": spec.id, "fields": len(spec.fields)}
        answer(result, as_json, lambda: out.print(f"form {spec.id} has {len(spec.fields)} fields"))


def list_forms(tenant: Tenant = None, as_json: Json = False) -> None:
    """List the forms."""
    from oneo.store import forms  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            specs = forms.all_forms(session)

        def display() -> None:
            shown = table("form", "name", "fields")
            for spec in specs:
                shown.add_row(spec.id, spec.name, ", ".join(spec.fields))
            out.print(shown)

        answer([spec.model_dump(by_alias=True) for spec in specs], as_json, display)


def show(form: FormId, tenant: Tenant = None, as_json: Json = False) -> None:
    """Show a form with its last links and what became of them; their addresses cannot be seen again."""
    from oneo.store import form_links, forms  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            spec = forms.get(session, form)
            rows = form_links.of_form(session, form)
            links = [_shown(row) for row in rows]

        def display() -> None:
            shown = table("field", "kind", "required")
            for name, one in spec.fields.items():
                shown.add_row(name, one.kind, "yes" if one.required else "")
            out.print(shown)
            listed = table("link", "state", "record", "made", "expires")
            for made in links:
                cells = (
                    made["link"],
                    made["state"],
                    made["record_id"],
                    made["created_at"],
                    made["expires_at"],
                )
                listed.add_row(*("" if cell is None else str(cell) for cell in cells))
            out.print(listed)

        answer({**spec.model_dump(by_alias=True), "links": links}, as_json, display)


def link(
    form: FormId,
    record: Annotated[UUID | None, typer.Option("--record", help="Record that it is about.")] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", help="How long it is valid: 30m, 12h, 7d.")
    ] = None,
    single_use: Annotated[
        bool, typer.Option("--single-use", help="It takes one submission.", show_default=False)
    ] = False,
    prefill: Annotated[str | None, typer.Option("--prefill", help="Values of fields, as JSON.")] = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Make a link to a form."""
    from oneo.forms.address import url_of  # noqa: PLC0415
    from oneo.store import form_links, forms, records  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        now = datetime.now(UTC)
        options = form_links.LinkOptions(
            record_id=record,
            prefill=_prefill(prefill),
            expires_at=_moment(expires, now),
            single_use=True if single_use else None,
        )
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            if record is not None:
                records.get(session, record)
            row, token = form_links.create(session, tenant_id, forms.get(session, form), options, now)
            result = {"url": url_of(token), **_shown(row)}
        answer(result, as_json, lambda: out.print(result["url"], markup=False))


def revoke(
    link_id: Annotated[UUID, typer.Argument(help="Id of a link.", metavar="LINK")],
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Let a link lead nowhere any more."""
    from oneo.store import form_links  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            result = _shown(form_links.revoke(session, link_id, datetime.now(UTC)))
        answer(result, as_json, lambda: out.print(f"link {link_id} is revoked"))


def file(
    file_id: Annotated[UUID, typer.Argument(help="A file_id of a submission.", metavar="FILE_ID")],
    path: Annotated[Path, typer.Argument(help="Where to write it; must not be there yet.", metavar="PATH")],
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Write a file that came with a form."""
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.store import form_files  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            row = form_files.get(session, file_id)
        try:
            with path.open("xb") as target:
                target.write(row.content)
        except OSError as error:
            raise UserError(
                f"cannot write {path}: {error.strerror}", hint="give the path of a new file"
            ) from None
        result = {"file_id": row.id, "name": row.name, "content_type": row.content_type, "path": str(path)}
        answer(result, as_json, lambda: out.print(f"{row.name} is in {path}", markup=False))


def _shown(row: FormLink) -> dict[str, Any]:
    from oneo.store import form_links  # noqa: PLC0415

    names = (
        "record_id",
        "single_use",
        "created_at",
        "expires_at",
        "opened_at",
        "used_at",
        "execution_id",
        "node_id",
    )
    state = form_links.closed(row, datetime.now(UTC)) or "open"
    return {
        "link": row.id,
        "form": row.form_id,
        "state": state,
        **{name: getattr(row, name) for name in names},
    }


def _moment(text: str | None, now: datetime) -> datetime | None:
    from oneo.errors import UserError  # noqa: PLC0415

    if text is None:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if found is None:
        raise UserError(f"--expires is {text!r}", hint="write 30m, 12h or 7d")
    return now + timedelta(**{_UNITS[found[2]]: int(found[1])})


def _prefill(text: str | None) -> dict[str, Any]:
    from dag_factory.reading import parse_json  # noqa: PLC0415
    from oneo.errors import UserError  # noqa: PLC0415

    found = parse_json(text.encode(), "--prefill") if text else {}
    if not isinstance(found, dict):
        raise UserError("--prefill is no object", hint='write e.g. {"email": "ann@example.com"}')
    return found
