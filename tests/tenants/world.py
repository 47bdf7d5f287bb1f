"""Two tenants with the same ids, one of whom must never see a word of the other's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from dag_factory.publish import publish
from oneo.approvals import ApprovalRequest
from oneo.database import Database
from oneo.forms.answers import Taken
from oneo.forms.spec import FormSpec
from oneo.store import (
    api_tokens,
    approvals,
    executions,
    form_files,
    form_links,
    forms,
    gatherings,
    holds,
    hook_refusals,
    inbox,
    log,
    mail_files,
    mail_state,
    metrics,
    notifications,
    pipelines,
    records,
    source_events,
    sources,
    suppressions,
    tasks,
    tenants,
    timers,
    workflows,
)
from oneo.store.form_links import LinkOptions
from oneo.store.log import NodeKey
from oneo.store.pipelines import PipelineField, PipelineSpec
from oneo.verdicts import Gathers
from oneo_operators.catalogue import catalogue

# Stands in every row of theirs, and nowhere else; as a number, in what is summed.
SECRET, SECRET_NUMBER = "omegasecret", 77777777
EMAIL = "ann@example.com"
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Ids:
    """Ids of one row of each kind."""

    record: UUID
    duplicate: UUID
    execution: UUID
    task: UUID
    notification: UUID
    event: int
    workflow: str
    pipeline: str
    form: str
    link: UUID
    file: UUID


def new_ids(name: str) -> Ids:
    return Ids(
        uuid4(),
        uuid4(),
        uuid4(),
        uuid4(),
        uuid4(),
        uuid4().int % 10**15,
        f"{name}-flow",
        name,
        f"{name}-form",
        uuid4(),
        uuid4(),
    )


@dataclass(frozen=True)
class World:
    """Who looks (`mine`), who must stay unseen (`theirs`), and who has the same rows as the first, but no double.

    Attributes:
        shared: Ids that rows of all three have.
        only: Ids that only rows of theirs have.
        numbers: What functions count for a tenant with these rows, by name; counted before theirs were there.
    """

    database: Database
    mine: str
    theirs: str
    alone: str
    shared: Ids
    only: Ids
    numbers: Mapping[str, str] = field(default_factory=dict)


def make_world(database: Database, count: Callable[[World], Mapping[str, str]] = lambda _: {}) -> World:
    key = uuid4().hex[:10]
    world = World(
        database, f"mine-{key}", f"theirs-{key}", f"alone-{key}", new_ids("leads"), new_ids("vault")
    )
    with database.system() as session:
        for tenant in (world.mine, world.theirs, world.alone):
            tenants.create(session, tenant, SECRET if tenant == world.theirs else "open")
            tenants.set_setting(
                session, tenant, "error_workflow", SECRET if tenant == world.theirs else "open"
            )
            # So that what is written is counted, and theirs is another number.
            most = SECRET_NUMBER if tenant == world.theirs else 1000
            tenants.set_setting(session, tenant, "max_storage_mb", most)
    _fill(database, world.alone, world.shared, "open")
    numbers = count(world)
    for tenant, ids in (
        (world.mine, world.shared),
        (world.theirs, world.shared),
        (world.theirs, world.only),
    ):
        _fill(database, tenant, ids, SECRET if tenant == world.theirs else "open")
    return replace(world, numbers=numbers)


def remove_world(world: World) -> None:
    """Take the tenants away: their workflows would fill the files of every later test's bundle."""
    for tenant in (world.mine, world.theirs, world.alone):
        with world.database.removal(tenant) as session:
            session.execute(text("DELETE FROM legal_holds"))
            tenants.remove(session, tenant)


def _fill(database: Database, tenant: str, ids: Ids, word: str) -> None:
    score = SECRET_NUMBER if word == SECRET else 1
    document = {
        "id": ids.workflow,
        "name": word,
        "outputs": {"word": {"type": "string", "value": word}},
        "nodes": [
            {"id": "start", "type": "trigger_record_created", "config": {"pipeline_ids": [ids.pipeline]}},
            {"id": "set", "type": "set_variable", "config": {"variables": {"word": word}}},
        ],
    }
    data = {"word": word, "email": EMAIL, "score": score}
    with database.tenant(tenant) as session:
        fields = [PipelineField(id=name, indexed=True) for name in ("email", "word")]
        fields += [PipelineField(id="number", unique=True)]
        pipelines.apply(session, tenant, PipelineSpec(id=ids.pipeline, name=word, fields=fields))
        for one, external in ((ids.record, "E1"), (ids.duplicate, "E2")):
            full = {**data, "external_id": external, "owner": word, "number": external}
            records.create(session, tenant, ids.pipeline, full, record_id=one)
    publish(database, tenant, document, catalogue())
    publish(database, tenant, document, catalogue())
    about: dict[str, Any] = {"execution_id": ids.execution, "node_id": "set"}
    with database.tenant(tenant) as session:
        session.execute(
            text(
                "INSERT INTO record_events (tenant_id, id, pipeline_id, record_id, kind, after)"
                " OVERRIDING SYSTEM VALUE VALUES (:tenant, :id, :pipeline, :record, 'created',"
                " jsonb_build_object('data', jsonb_build_object('word', CAST(:word AS text))))"
            ),
            {
                "tenant": tenant,
                "id": ids.event,
                "pipeline": ids.pipeline,
                "record": ids.record,
                "word": word,
            },
        )
        metrics.push(session, tenant, "boiler-7", {"word": word, "score": score, "seat": EMAIL})
        suppressions.add(session, tenant, word, [("email", EMAIL)])
        suppressions.add(session, tenant, "unsubscribed", [("domain", f"{word}.com")])
        form = form_of(ids, word)
        forms.apply(session, tenant, form)
        options = LinkOptions(ids.record, {"word": word}, tracked=True)
        form_links.create(session, tenant, form, options, LATER, link_id=ids.link)
        cv = Taken(word, word, "text/plain", word.encode())
        form_files.keep(session, tenant, ids.form, uuid4(), cv, ids.record, file_id=ids.file)
        api_tokens.create(session, tenant, word, ["events"])
        approvals.request(session, tenant, ApprovalRequest(word, [word], word), key="discount")
        hook_refusals.note(session, tenant, "orders", "signature", word)
        mail_id = inbox.put(session, tenant, "app", word, {"word": word}, record_id=ids.record)
        assert mail_id is not None
        mail_files.keep(
            session, tenant, mail_id, ids.task, name=word, content_type="text/plain", content=word.encode()
        )
        mail_state.advance(session, tenant, "support", "INBOX", 1, 1)
        source_events.keep_rows(session, tenant, ids.pipeline, {"7": {"id": "7", "data": {"word": word}}})
        sources.note_writer(session, tenant, ids.pipeline, "7", ids.execution)
        sources.reader(session, tenant, ids.pipeline).taken = [word]
        sources.begin_effect(session, tenant, ids.execution, "make")
        executions.enqueue(
            session,
            tenant,
            ids.workflow,
            version=2,
            trigger_node="start",
            trigger_type="trigger_record_created",
            data=data,
            dag_id=workflows.dag_id(tenant, ids.workflow),
            record_id=ids.record,
            execution_id=ids.execution,
        )
        log.write_row(
            session, NodeKey(tenant, ids.execution, "set"), "set_variable", "success", output={"word": word}
        )
        log.start_attempt(session, NodeKey(tenant, ids.execution, "open"), "set_variable")
        if word == SECRET:
            held = f"{ids.workflow}@example.com"
            holds.place(session, tenant, "email", held, reason=word, set_by=word)
        tasks.create(
            session,
            tenant,
            task_id=ids.task,
            record_id=ids.record,
            type="call",
            title=word,
            description=None,
            priority="low",
            assigned_to=None,
            due_at=None,
            remind_at=None,
            **about,
        )
        notifications.create(
            session,
            tenant,
            notification_id=ids.notification,
            channel="in_app",
            recipient="eva",
            title=word,
            message=word,
            priority="low",
            link_url=None,
            **about,
        )

    with database.system() as session:
        gatherings.add(session, tenant, ids.workflow, "start", ids.event, Gathers(word), [{"workflow": word}])
        timers.arm(session, tenant, ids.workflow, "start", "k", LATER, ids.record)
        timers.arm(session, tenant, ids.workflow, "start", word, LATER, ids.record)


def form_of(ids: Ids, word: str) -> FormSpec:
    """A form that a link may fill."""
    return FormSpec.model_validate(
        {
            "id": ids.form,
            "name": word,
            "schema": {"properties": {"word": {"type": "string"}}},
            "settings": {"prefill_fields": ["word"], "pipeline_id": ids.pipeline},
        }
    )


def rows_of(session: Session, tenant: str) -> Mapping[str, list[Any]]:
    """Every row of a tenant in every table (system role)."""
    tables = session.scalars(
        text(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'tenant_id'"
        )
    ).all()
    found = {
        table: [
            str(row)
            for row in session.scalars(
                text(f"SELECT to_jsonb(r) FROM {table} r WHERE tenant_id = :t ORDER BY to_jsonb(r)::text"),
                {"t": tenant},
            )
        ]
        for table in sorted(tables)
    }
    own = session.scalars(text("SELECT to_jsonb(t) FROM tenants t WHERE id = :t"), {"t": tenant})
    return {**found, "tenants": list(map(str, own))}
