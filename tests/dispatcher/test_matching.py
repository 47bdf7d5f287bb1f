"""Events that wait: each is looked at once, and one that cannot be read does not hold up the others."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select

from dag_factory.publish import publish
from oneo.store import executions, pipelines, records
from oneo.store.models import RecordEvent
from oneo.store.pipelines import PipelineField, PipelineSpec
from oneo_app.dispatcher.matching import match_events
from oneo_operators.catalogue import catalogue


@pytest.fixture
def leads(database, tenant):
    """A pipeline with a workflow that watches it; earlier events of the database are out of the way."""
    while match_events(database):
        pass
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec(id="leads"))
    return tenant


def watch(database, tenant, workflow_id="watch", **config):
    publish(
        database,
        tenant,
        {
            "id": workflow_id,
            "name": workflow_id,
            "nodes": [
                {
                    "id": "new",
                    "type": "trigger_record_created",
                    "config": {"pipeline_ids": ["leads"], **config},
                },
                {
                    "id": "tell",
                    "type": "task_notify",
                    "config": {"recipients": ["a@b.c"], "title": "t", "message": ""},
                },
            ],
        },
        catalogue(),
    )


def add(database, tenant, **data):
    with database.tenant(tenant) as session:
        return records.create(session, tenant, "leads", data)


def started(database, tenant):
    with database.tenant(tenant) as session:
        return executions.recent(session, limit=1000)


def test_an_event_starts_each_workflow_that_fits_once(database, leads):
    watch(database, leads)
    watch(database, leads, "rich", field_filters={"amount": {"$gte": 100}})
    small, large = add(database, leads, amount=5), add(database, leads, amount=500)
    assert match_events(database) == 2
    assert match_events(database) == 0
    found = sorted((row.workflow_id, row.record_id) for row in started(database, leads))
    assert found == sorted([("rich", large.id), ("watch", small.id), ("watch", large.id)])
    (rich,) = [row for row in started(database, leads) if row.workflow_id == "rich"]
    assert (rich.data["amount"], rich.data["event"], rich.data["record"]["amount"]) == (500, "created", 500)


def test_fields_of_type_date_compare_as_moments(database, leads):
    with database.tenant(leads) as session:
        due = PipelineField(id="due", type="datetime")
        pipelines.apply(session, leads, PipelineSpec(id="leads", fields=[due]))
    watch(database, leads, field_filters={"$not": {"due": {"$gte": "2026-01-31T04:00:00Z"}}})
    add(database, leads, due="2026-01-31T09:00:00+05:30")
    match_events(database)

    assert len(started(database, leads)) == 1


def test_a_rolled_back_record_starts_nothing(database, leads):
    watch(database, leads)

    def create_and_fail():
        with database.tenant(leads) as session:
            records.create(session, leads, "leads", {"a": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        create_and_fail()
    assert match_events(database) == 0


def test_a_delay_counts_from_the_event(database, leads):
    watch(database, leads, delay_seconds=60)
    add(database, leads)
    match_events(database)
    (row,) = started(database, leads)
    with database.tenant(leads) as session:
        event = session.scalars(select(RecordEvent)).one()
    assert (row.run_after - event.created_at).total_seconds() == 60


def test_an_event_that_cannot_be_read_is_set_aside_with_the_reason(database, database_url, leads):
    watch(database, leads)
    first = add(database, leads, name="before")
    dsn = database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(dsn, options="-c role=oneo_app") as plain:
        plain.execute("SELECT set_config('oneo.tenant', %s, true)", (leads,))
        # A number that PostgreSQL keeps and Python refuses to read.
        plain.execute(
            "INSERT INTO records (tenant_id, id, pipeline_id, data) VALUES (%s, %s, 'leads', %s::jsonb)",
            (leads, uuid4(), '{"n": ' + "9" * 5000 + "}"),
        )
    last = add(database, leads, name="after")
    while match_events(database):
        pass
    assert {row.record_id for row in started(database, leads)} == {first.id, last.id}
    with database.tenant(leads) as session:
        problems = list(session.scalars(select(RecordEvent.problem).order_by(RecordEvent.id)))
    assert [problem is None for problem in problems] == [True, False, True]
    assert "digits" in problems[1]
