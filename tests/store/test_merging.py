"""Duplicates: what the one that stays keeps and takes, and what leads to it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from oneo.database import Database
from oneo.errors import NotFoundError, UserError
from oneo.store import deletion, history, merging, pipelines, records, relations, tasks
from oneo.store.models import RecordEvent, RecordRelation
from oneo.store.pipelines import PipelineSpec


@pytest.fixture
def add(database: Database, tenant: str, leads: str):
    def one(**data: object) -> str:
        with database.tenant(tenant) as session:
            return str(records.create(session, tenant, leads, data).id)

    return one


@pytest.fixture
def fold(database: Database, tenant: str):
    """Merges records by id."""

    def one(keep: str, *duplicates: str, **options: str) -> dict[str, object]:
        with database.tenant(tenant) as session:
            rows = [records.get(session, each, lock=True) for each in (keep, *duplicates)]
            merging.merge(session, rows[0], rows[1:], **options)
            return records.view(rows[0])

    return one


@pytest.fixture
def merged(database: Database, tenant: str, add):
    """Anna, who kept her values, and the two she took over."""
    young = add(email="young@x.de", city="Bonn", phone="1", tags=["y"], owner="zoe", external_id="crm-7")
    keep = add(email="anna@x.de", city="", tags=[], score=0)
    old = add(email="old@x.de", city="Köln", score=9, stage="hot")
    with database.tenant(tenant) as session:
        tasks.create(
            session,
            tenant,
            task_id=uuid4(),
            record_id=records.get(session, old).id,
            type="call",
            title="Call",
            description=None,
            priority="high",
            assigned_to=None,
            due_at=None,
            remind_at=None,
            execution_id=None,
            node_id=None,
        )
    with database.tenant(tenant) as session:
        rows = [records.get(session, one, lock=True) for one in (keep, old, young)]
        assert merging.merge(session, rows[0], rows[1:]) == [old, young]
    return keep, old, young


def test_a_merge_keeps_values_and_takes_what_is_missing_from_the_oldest(database, tenant, merged):
    with database.tenant(tenant) as session:
        view = records.view(records.get(session, merged[0]))

    kept = {"email": "anna@x.de", "score": 0}
    taken = {
        "city": "Bonn",
        "phone": "1",
        "tags": ["y"],
        "stage": "hot",
        "owner": "zoe",
        "external_id": "crm-7",
    }
    assert {name: view[name] for name in kept | taken} == kept | taken


def test_a_merge_moves_tasks_and_leads_to_the_one_that_stayed(database, tenant, merged):
    keep, *others = merged
    with database.tenant(tenant) as session:
        moved = tasks.of_record(session, records.get(session, keep).id)
        asked = [str(records.get(session, one).id) for one in others]
        gone = [records.find_one(session, one, deleted=True) for one in others]

    assert [task.title for task in moved] == ["Call"]
    assert asked == [keep, keep]
    assert all(row.deleted_at is not None and str(row.merged_into) == keep for row in gone)


def test_the_history_of_the_one_that_stayed_shows_all(database, tenant, merged):
    keep, *others = merged
    with database.tenant(tenant) as session:
        entries = [history.view(one) for one in history.of_record(session, keep)]
        alone = [one.kind for one in history.of_record(session, others[0])]
        events = session.scalars(select(RecordEvent.kind).where(RecordEvent.record_id == UUID(others[0])))
        assert list(events) == alone == ["created", "deleted"]
    told = [(one["record"], one["kind"]) for one in entries]
    assert told[3:] == [(others[0], "deleted"), (others[1], "deleted"), (keep, "updated")]
    assert {one for one, kind in told[:3]} == set(merged)
    assert entries[3]["changes"]["merged_into"] == {"before": None, "after": keep}


def test_the_other_systems_id_leads_to_the_one_that_stayed(database, tenant, leads, merged):
    with database.tenant(tenant) as session:
        found = records.by_external_id(session, leads, "crm-7")

    assert str(found.id) == merged[0]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("fill", {"city": "Bonn", "phone": "1", "tags": ["a"]}),
        ("newest", {"city": "Köln", "phone": "1", "tags": ["a"]}),
        ("keep", {"city": "Bonn", "tags": ["a"]}),
    ],
)
def test_the_policy_says_what_is_taken(add, fold, policy: str, expected: dict[str, object]):
    keep = add(city="Bonn", tags=["a"])
    view = fold(keep, add(city="Köln", phone="1", tags=[]), policy=policy)

    assert {name: view[name] for name in ("city", "phone", "tags") if name in view} == expected


def test_relations_become_those_of_the_one_that_stayed(database, tenant, add, fold):
    keep, duplicate, company, deal = (add(name=name) for name in ("keep", "double", "company", "deal"))
    with database.tenant(tenant) as session:
        rows = {one: records.get(session, one) for one in (keep, duplicate, company, deal)}
        relations.relate(session, rows[company], rows[duplicate], "employee")
        relations.relate(session, rows[company], rows[keep], "employee")
        relations.relate(session, rows[duplicate], rows[deal], "deal", cascades=False)
        relations.relate(session, rows[keep], rows[duplicate], "same")
    fold(keep, duplicate)
    with database.tenant(tenant) as session:
        found = session.scalars(select(RecordRelation)).all()
        related = relations.of_record(session, UUID(keep))
        deals = relations.of_record(session, UUID(keep), "deal")

    ends = {(str(one.parent_id), str(one.child_id), one.kind, one.cascades) for one in found}
    assert ends == {(company, keep, "employee", True), (keep, deal, "deal", False)}
    assert (related, deals) == ({UUID(company), UUID(deal)}, {UUID(deal)})


def test_what_was_merged_before_goes_along(database, tenant, add, fold):
    first, second, third = (add(name=name) for name in "abc")
    fold(second, first)
    fold(third, second)
    with database.tenant(tenant) as session:
        assert str(records.get(session, first).id) == third
        assert {str(one.record_id) for one in history.of_record(session, third)} == {first, second, third}


def test_where_the_one_that_stayed_is_deleted_nobody_answers(database, tenant, add, fold):
    keep, duplicate = add(name="a"), add(name="b")
    fold(keep, duplicate)
    with database.tenant(tenant) as session:
        deletion.delete(session, records.get(session, keep, lock=True))
    with database.tenant(tenant) as session, pytest.raises(NotFoundError):
        records.get(session, duplicate)


def test_a_duplicate_that_is_brought_back_is_itself_again(database, tenant, add, fold):
    keep, duplicate = add(name="a"), add(name="b")
    fold(keep, duplicate)
    with database.tenant(tenant) as session:
        deletion.restore(session, deletion.locate(session, duplicate))
    with database.tenant(tenant) as session:
        assert records.view(records.get(session, duplicate))["name"] == "b"


def test_only_records_of_one_pipeline_are_one(database, tenant, add, fold):
    keep = add(name="a")
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec(id="deals"))
        deal = str(records.create(session, tenant, "deals", {}).id)

    with pytest.raises(UserError, match="cannot be merged into itself"):
        fold(keep, keep)
    with pytest.raises(UserError, match=r"is in pipeline 'deals', record .* in 'leads'"):
        fold(keep, deal)
