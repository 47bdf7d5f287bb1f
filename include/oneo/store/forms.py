"""Forms: kept, found, and which workflows wait for what is sent with them."""

from __future__ import annotations

from sqlalchemy import any_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.errors import NotFoundError, UserError
from oneo.forms.spec import FormSpec
from oneo.store import pipelines
from oneo.store.models import ActiveTrigger, Form
from oneo.store.record_data import RESERVED_FIELDS
from oneo.suggest import did_you_mean

# The kind of event that a submission is; its topic is the form.
FORM = "form"


def apply(session: Session, tenant_id: str, form: FormSpec) -> None:
    """Create the form, or bring it to what the spec says; links to it stay.

    Raises:
        NotFoundError: There is no such pipeline.
        UserError: Records cannot have fields of those names.
    """
    if form.settings.pipeline_id is not None:
        pipelines.own(session, form.settings.pipeline_id)
        taken = sorted(set(record_fields(form).values()) & set(RESERVED_FIELDS))
        if taken:
            raise UserError(
                f"form {form.id!r}: the store keeps {', '.join(taken)} itself for every record",
                hint="give these fields another name in settings.mapping",
            )
    values = {
        "name": form.name,
        "schema": form.fields_schema,
        "ui": form.ui.model_dump(exclude_defaults=True),
        "settings": form.settings.model_dump(exclude_defaults=True),
    }
    statement = insert(Form).values(tenant_id=tenant_id, id=form.id, **values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "id"], set_={**values, "updated_at": func.now()}
        )
    )


def get(session: Session, form_id: str) -> FormSpec:
    """The form.

    Raises:
        NotFoundError: No form of that id; the message names the nearest.
    """
    row = session.scalar(select(Form).where(Form.id == form_id))
    if row is None:
        known = list(session.scalars(select(Form.id)))
        raise NotFoundError(f"there is no form {form_id!r}", hint=did_you_mean(form_id, known))
    return _spec(row)


def all_forms(session: Session) -> list[FormSpec]:
    """Every form of the tenant."""
    return [_spec(row) for row in session.scalars(select(Form).order_by(Form.id))]


def triggers_of(session: Session, form_id: str) -> list[ActiveTrigger]:
    """The active triggers that wait for a form, by workflow and node."""
    topics = ActiveTrigger.topics
    query = select(ActiveTrigger).where(
        literal(FORM) == any_(ActiveTrigger.event_kinds),
        or_(literal(form_id) == any_(topics), literal("*") == any_(topics)),
    )
    return list(session.scalars(query.order_by(ActiveTrigger.workflow_id, ActiveTrigger.node_id)))


def record_fields(form: FormSpec) -> dict[str, str]:
    """Which fields of the form become which of the record; without a mapping all but files, under their own names."""
    return form.settings.mapping or {name: name for name, field in form.fields.items() if not field.is_file}


def _spec(row: Form) -> FormSpec:
    return FormSpec.model_validate(
        {"id": row.id, "name": row.name, "schema": row.schema, "ui": row.ui, "settings": row.settings}
    )
