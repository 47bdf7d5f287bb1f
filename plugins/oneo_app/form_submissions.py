"""A submission: checked, and kept as one event with everything that belongs to it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from oneo.database import Database, plain_json
from oneo.errors import InvalidRecordError
from oneo.forms.answers import Answers, Upload, check
from oneo.forms.rules import about, broken
from oneo.forms.spec import FormSpec
from oneo.store import form_files, form_links, forms, inbox, pipelines, records
from oneo.store.events import RECORD
from oneo.store.locks import lock_values
from oneo.store.models import ActiveTrigger, FormLink, Record


@dataclass(frozen=True)
class Sent:
    """What somebody sends.

    Attributes:
        submission_id: What it is called: sent twice, it is one.
        values: By field.
        uploads: Files by field.
    """

    submission_id: UUID
    values: Mapping[str, Any]
    uploads: Mapping[str, Sequence[Upload]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Attributes:
        status: `known` where it came before, `closed` where the link takes no more.
        reason: Why the link is closed.
        problems: What does not fit, by field; the empty name is the form as a whole.
    """

    status: Literal["accepted", "known", "closed", "invalid"]
    reason: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


def accept(database: Database, link: FormLink, spec: FormSpec, sent: Sent, now: datetime) -> Outcome:
    """Take a submission in: once, however often and however many at a time send it.

    Raises:
        QuotaError: The tenant has as many records as it may, or no room for more.
    """
    try:
        with database.tenant(link.tenant_id, actor=f"form {spec.id}") as session:
            return _accept(session, link, spec, sent, now)
    except InvalidRecordError as error:
        return Outcome("invalid", problems={"": error.message})


def _accept(session: Session, link: FormLink, spec: FormSpec, sent: Sent, now: datetime) -> Outcome:
    tenant_id, key = link.tenant_id, str(sent.submission_id)
    lock_values(session, tenant_id, spec.id, [("submission", key)])
    link = form_links.get(session, link.id, lock=link.single_use)
    if inbox.find(session, tenant_id, forms.FORM, spec.id, key) is not None:
        return Outcome("known")
    reason = form_links.closed(link, now)
    if reason:
        return Outcome("closed", reason)
    answers = check(spec, sent.values, sent.uploads, link.prefill)
    triggers = forms.triggers_of(session, spec.id)
    _apply_rules(triggers, spec, answers)
    if answers.problems:
        return Outcome("invalid", problems=answers.problems)

    record = records.find_one(session, link.record_id, lock=True) if link.record_id else None
    wanted = (
        spec.settings.pipeline_id if any(row.config.get("auto_create_record") for row in triggers) else None
    )
    if record is not None and record.pipeline_id != wanted:
        # The mapping names fields of the form's own pipeline, so another's record is only what it is about.
        wanted = None
    if record is None and wanted is not None:
        record = _same_record(session, tenant_id, wanted, spec, answers.values)
    record_id = record.id if record else (uuid4() if wanted else None)
    values: dict[str, Any] = dict(answers.values)
    for file in answers.files:
        told = form_files.keep(session, tenant_id, spec.id, sent.submission_id, file, record_id)
        values.setdefault(file.field, []).append(told)
    if wanted is not None and record_id is not None:
        record = _write(session, tenant_id, wanted, spec, values, record, record_id)
    data = {**values, "form_data": values, "form_id": spec.id, "submission_id": key}
    if link.tracked:
        made_by = {"execution_id": link.execution_id, "node_id": link.node_id}
        data["link"] = plain_json({"id": link.id, **made_by, "opened_at": link.opened_at})
    if record is not None:
        data[RECORD] = plain_json(records.view(record))
    inbox.put(session, tenant_id, forms.FORM, spec.id, data, key=key, record_id=record_id)
    form_links.note_used(session, link.id, now)
    return Outcome("accepted")


def _apply_rules(triggers: Sequence[ActiveTrigger], spec: FormSpec, answers: Answers) -> None:
    """Add what the rules of the waiting triggers find. A rule about a field that the form has not is the trigger's."""
    values = {name: answers.values.get(name) for name in spec.fields}
    values |= {file.field: file.name for file in answers.files}
    for row in triggers:
        rules = [rule for rule in row.config.get("validation_rules", ()) if about(rule, values)]
        for name, problem in broken(rules, values, row.config.get("phone_region")).items():
            answers.problems.setdefault(name, problem)


def _same_record(
    session: Session, tenant_id: str, pipeline_id: str, spec: FormSpec, values: Mapping[str, Any]
) -> Record | None:
    """The record that is there already, by the form's `match_fields`."""
    data = _record_data(spec, values)
    given = [(name, data[name]) for name in spec.settings.match_fields if name in data]
    # Two submissions of one person wait for each other: the second finds what the first created.
    lock_values(session, tenant_id, pipeline_id, given)
    for name, value in given:
        found = records.find_equal(session, pipeline_id, name, value)
        if found:
            return records.get(session, found[0].id, lock=True)
    return None


def _write(
    session: Session,
    tenant_id: str,
    pipeline_id: str,
    spec: FormSpec,
    values: Mapping[str, Any],
    record: Record | None,
    record_id: UUID,
) -> Record:
    data = _record_data(spec, values)
    if record is None:
        pipelines.check(pipelines.own(session, pipeline_id), data)
        return records.create(session, tenant_id, pipeline_id, data, record_id=record_id)
    pipelines.check(pipelines.get(session, record.pipeline_id), {**records.values_of(record), **data})
    records.update(session, record, records.Changes(set=data))
    return record


def _record_data(spec: FormSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    return {target: values[name] for name, target in forms.record_fields(spec).items() if name in values}
