"""Workflows: versions, and the one order of revisions that all readers of the store follow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from oneo.database import Database
from oneo.errors import NotFoundError
from oneo.store import revisions, tenants, workflows
from oneo.store.models import ActiveTrigger, WorkflowVersion
from oneo.store.workflows import TriggerRow


@pytest.fixture
def withdraw(database: Database, tenant: str):
    def one(workflow_id: str = "welcome") -> workflows.Published:
        with database.tenant(tenant) as session:
            return workflows.withdraw(session, tenant, workflow_id)

    return one


def documents(database: Database, revision: int, tenant: str) -> dict[str, object]:
    with database.system() as session:
        stored = revisions.at_revision(session, revision)
        return {one.row.workflow_id: one.row.document for one in stored if one.row.tenant_id == tenant}


def test_each_publish_is_a_version_that_can_be_read_back(database: Database, tenant: str, publish):
    publish(note="first")
    second = publish(note="second")
    with database.tenant(tenant) as session:
        newest = workflows.get_version(session, "welcome")
        oldest = workflows.get_version(session, "welcome", 1)

    assert (second.version, newest.version, newest.revision) == (2, 2, second.revision)
    assert (oldest.document["note"], newest.document["note"]) == ("first", "second")


def test_a_document_keeps_the_order_of_its_keys(database: Database, tenant: str, publish):
    publish(z=1, a=2, m={"y": 1, "b": 2})
    with database.tenant(tenant) as session:
        document = workflows.get_version(session, "welcome").document

    assert list(document) == ["id", "z", "a", "m"]
    assert list(document["m"]) == ["y", "b"]


def test_revisions_become_visible_in_their_order(database_url: str, database: Database):
    """A reader that has seen a revision has seen all lower ones: it would never look for those again."""
    shared = Database(database_url, pool_size=10)
    ids = [f"p{uuid4().hex[:8]}" for _ in range(4)]
    with shared.system() as session:
        for one in ids:
            tenants.ensure(session, one)
        start = revisions.current_revision(session)

    def work(number: int) -> None:
        tenant_id = ids[number % len(ids)]
        with shared.tenant(tenant_id) as session:
            workflows.publish(
                session, tenant_id, f"w{number % 3}", name="W", document={}, definition_hash="", triggers=[]
            )

    gaps: list[str] = []

    def watch() -> None:
        seen = start
        while seen < start + 40:
            with shared.system() as session:
                query = select(func.count(), func.max(WorkflowVersion.revision))
                count, newest = session.execute(query.where(WorkflowVersion.revision > start)).one()
            seen = newest or start
            if count != seen - start:
                gaps.append(f"{count} revisions up to {seen}")

    with ThreadPoolExecutor(9) as pool:
        watcher = pool.submit(watch)
        list(pool.map(work, range(40)))
        watcher.result(timeout=30)
    with shared.system() as session:
        versions = session.execute(
            select(WorkflowVersion.tenant_id, WorkflowVersion.workflow_id, WorkflowVersion.version)
            .where(WorkflowVersion.revision > start)
            .order_by(WorkflowVersion.revision)
        ).all()
    shared.dispose()

    assert gaps == []
    counted: dict[tuple[str, str], int] = {}
    for tenant_id, workflow_id, version in versions:
        counted[tenant_id, workflow_id] = counted.get((tenant_id, workflow_id), 0) + 1
        assert version == counted[tenant_id, workflow_id]


def test_every_revision_shows_the_store_as_it_stood(database: Database, tenant: str, publish, withdraw):
    one = publish("a", n=1).revision
    two = publish("b", n=1).revision
    three = publish("a", n=2).revision
    four = withdraw("b").revision
    five = publish("b", n=2).revision
    numbers = [
        {name: document["n"] for name, document in documents(database, revision, tenant).items()}
        for revision in (one - 1, one, two, three, four, five)
    ]

    assert numbers == [{}, {"a": 1}, {"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 2}, {"a": 2, "b": 2}]


def test_one_dag_id_finds_one_workflow(database: Database, tenant: str, publish):
    revision = max(publish(name).revision for name in ("a", "a--b", "-a"))
    with database.system() as session:
        for name in ("a", "a--b", "-a"):
            (stored,) = revisions.at_revision(session, revision, workflows.dag_id(tenant, name))
            assert (stored.row.tenant_id, stored.row.workflow_id) == (tenant, name)
        assert revisions.at_revision(session, revision, workflows.dag_id(tenant, "c")) == []


def test_only_what_changed_since_is_named(database: Database, tenant: str, publish, withdraw):
    start = publish("a").revision
    publish("b")
    withdraw("a")
    end = publish("b").revision
    with database.system() as session:
        changed = revisions.changed_since(session, start, end)
        ids = revisions.live_dag_ids(session, end)

    assert sorted(changed) == [(tenant, "a"), (tenant, "b")]
    assert f"{tenant}--b" in ids
    assert f"{tenant}--a" not in ids


def test_a_withdrawn_workflow_watches_nothing_and_keeps_its_versions(
    database: Database, tenant: str, publish, withdraw
):
    publish()
    with database.tenant(tenant) as session:
        watching = session.scalar(select(func.count()).select_from(ActiveTrigger))
    gone = withdraw()
    with database.tenant(tenant) as session:
        assert (watching, session.scalar(select(func.count()).select_from(ActiveTrigger))) == (1, 0)
        assert not workflows.get(session, "welcome").active
        assert gone.version == 2
        assert workflows.get_version(session, "welcome", 1).active
    with database.system() as session:
        newest = session.scalars(
            select(WorkflowVersion).where(WorkflowVersion.revision == gone.revision)
        ).one()
        assert [row.version for row in revisions.earlier_versions(session, newest)] == [1]


def test_a_new_version_replaces_the_triggers(database: Database, tenant: str, publish):
    publish()
    with database.tenant(tenant) as session:
        workflows.publish(
            session,
            tenant,
            "welcome",
            name="Welcome",
            document={},
            definition_hash="",
            triggers=[TriggerRow("other", "trigger_manual", {"a": 1})],
        )
    with database.tenant(tenant) as session:
        (row,) = session.scalars(select(ActiveTrigger))

    assert (row.node_id, row.version, row.config, row.topics) == ("other", 2, {"a": 1}, [])


def test_a_version_is_awaited_until_airflow_runs_it(database: Database, tenant: str, publish):
    def awaited() -> list[int]:
        with database.system() as session:
            return [row.version for row in workflows.awaiting_airflow(session) if row.tenant_id == tenant]

    publish()
    first = awaited()
    with database.system() as session:
        workflows.mark_live(session, tenant, "welcome", 1)
    live = awaited()
    publish()

    assert (first, live, awaited()) == ([1], [], [2])


def test_a_render_error_belongs_to_its_version_and_goes_with_the_next(
    database: Database, tenant: str, publish
):
    def note(version: int, error: str | None) -> str | None:
        with database.tenant(tenant) as session:
            row = workflows.get_version(session, "welcome", version)
        with database.system() as session:
            workflows.note_render_error(session, row, error)
        with database.tenant(tenant) as session:
            return workflows.get(session, "welcome").render_error

    publish()
    assert note(1, "broken") == "broken"
    assert note(1, None) is None
    assert note(1, "broken again") == "broken again"
    publish()
    assert note(1, "too late") is None


def test_a_draft_has_room_for_executions_and_is_no_published_workflow(
    database: Database, tenant: str, publish
):
    with database.tenant(tenant) as session:
        assert workflows.ensure_known(session, tenant, "draft", "Draft") == 0
        assert workflows.all_workflows(session) == []
        with pytest.raises(NotFoundError, match="no version 0"):
            workflows.get_version(session, "draft")
    assert publish("draft").version == 1
    with database.tenant(tenant) as session:
        assert workflows.ensure_known(session, tenant, "draft", "Draft") == 1


def test_unknown_workflows_name_the_nearest(database: Database, tenant: str, publish):
    publish("lead_scoring")
    with database.tenant(tenant) as session:
        with pytest.raises(NotFoundError, match="did you mean 'lead_scoring'"):
            workflows.get(session, "lead_scorng")
        with pytest.raises(NotFoundError, match="no version 7"):
            workflows.get_version(session, "lead_scoring", 7)
        with pytest.raises(NotFoundError):
            workflows.withdraw(session, tenant, "nothing")
