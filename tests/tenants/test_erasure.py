"""`oneo erase`: of a person who asks for it nothing is left, of others nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text

from oneo.database import Database
from oneo.settings import settings
from oneo.store import executions, inbox, mail_files, records
from oneo.store.models import Execution, InboxEvent
from tests.nodes.bench import Bench, workflow
from tests.nodes.conftest import bench

__all__ = ["bench"]

ANN = "Ann.Lee@example.com"
# Told apart from hers.
OTHERS = ("joann.lee@example.com", "ann.lee@example.com.au", "bob@example.com")
TELL = {
    "id": "tell",
    "type": "task_notify",
    "config": {"recipients": ["eva"], "title": "New", "message": "{{ record.name }} <{{ record.email }}>"},
}
REMIND = {"id": "remind", "type": "create_follow_up_task", "config": {"title": "Call {{ record.name }}"}}


@pytest.fixture
def ann(bench: Bench) -> str:
    """Ann's contact: changed once, with an execution, a task and a notification; other people beside her."""
    own = bench.record("contacts", name="Ann Lee", email=ANN)
    with bench.database.tenant(bench.tenant) as session:
        records.update(
            session, records.get(session, own, lock=True), records.Changes(set={"phone": "123456"})
        )
    bench.run(workflow(TELL, REMIND), {"record_id": own})
    for email in OTHERS:
        bench.run(workflow(TELL, REMIND), {"record_id": bench.record("contacts", name="X", email=email)})
    return own


@pytest.fixture
def mention(bench: Bench) -> str:
    return bench.record("deals", name="Deal", notes=f"as agreed with:\n{ANN.lower()}, and bob@example.com")


@pytest.fixture
def airflow(
    owner_url: str, bench: Bench, ann: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[psycopg.Connection[Any]]:
    """Airflow's tables as far as erasure knows them, with a row for every run."""
    monkeypatch.setenv("ONEO_AIRFLOW_DATABASE_URL", owner_url)
    settings.cache_clear()
    with bench.database.system() as session:
        runs = session.query(Execution).filter_by(tenant_id=bench.tenant).all()
    dsn = owner_url.replace("+psycopg", "")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE xcom (dag_id text, run_id text, value jsonb)")
        connection.execute("CREATE TABLE dag_run (dag_id text, run_id text, conf jsonb)")
        for row in runs:
            about = {"email": row.data.get("email"), "oneo_execution": str(row.id)}
            connection.execute("INSERT INTO xcom VALUES (%s, %s, '1')", [row.dag_id, row.run_id])
            connection.execute(
                "INSERT INTO dag_run VALUES (%s, %s, %s)", [row.dag_id, row.run_id, json.dumps(about)]
            )
        yield connection


def everything(database: Database, tenant: str) -> str:
    """All that the store holds of a tenant, in lower case."""
    with database.system() as session:
        tables = session.scalars(
            text("SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant_id'")
        ).all()
        rows = [
            str(row)
            for table in tables
            for row in session.scalars(
                text(f"SELECT to_jsonb(r) FROM {table} r WHERE tenant_id = :t ORDER BY 1"), {"t": tenant}
            )
        ]
    return "\n".join(rows).lower()


def erase(oneo: Callable[..., Any], tenant: str, *more: str, email: str = "ann.LEE@example.com ") -> Any:
    done = oneo("erase", "--tenant", tenant, "--email", email, "--json", *more)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_nothing_of_the_person_is_left(
    oneo: Callable[..., Any], bench: Bench, ann: str, mention: str
) -> None:
    said = erase(oneo, bench.tenant)

    left = everything(bench.database, bench.tenant)
    for email in OTHERS:
        left = left.replace(email, "")
    assert ANN.lower() not in left
    assert "ann lee" not in left
    assert "123456" not in left
    assert ann not in left.replace(f"'record_id': '{ann}'", "")
    counts = said["erased"]
    assert (
        counts["records"] == counts["executions_emptied"] == counts["tasks"] == counts["notifications"] == 1
    )
    assert (counts["record_events"], counts["records_mentioning"]) == (2, 1)


def test_others_keep_everything(oneo: Callable[..., Any], bench: Bench, ann: str, mention: str) -> None:
    before = everything(bench.database, bench.tenant)
    erase(oneo, bench.tenant)
    after = everything(bench.database, bench.tenant)
    for email in OTHERS[:2]:
        assert before.count(email) == after.count(email) > 3
    deal = bench.get(mention)
    assert deal is not None
    assert deal["notes"] == "as agreed with:\n[erased], and bob@example.com"


def test_erasing_starts_no_workflow(oneo: Callable[..., Any], bench: Bench, ann: str, mention: str) -> None:
    def waiting() -> list[str]:
        with bench.database.tenant(bench.tenant) as session:
            query = text("SELECT kind FROM record_events WHERE handled_at IS NULL ORDER BY id")
            return list(session.scalars(query))

    before = waiting()
    erase(oneo, bench.tenant)
    # Of Ann's two events none is left, and none came.
    assert len(waiting()) == len(before) - 2
    assert "deleted" not in waiting()


def test_a_dry_run_says_the_same_and_leaves_all(
    oneo: Callable[..., Any], bench: Bench, ann: str, mention: str, airflow: psycopg.Connection[Any]
) -> None:
    before = everything(bench.database, bench.tenant)
    said = erase(oneo, bench.tenant, "--dry-run")
    assert everything(bench.database, bench.tenant) == before
    assert airflow.execute("SELECT count(*) FROM xcom").fetchone() == (4,)
    assert erase(oneo, bench.tenant)["erased"] == said["erased"]
    assert set(erase(oneo, bench.tenant)["erased"].values()) == {0}


def test_airflows_copies_go_too(
    oneo: Callable[..., Any], bench: Bench, ann: str, airflow: psycopg.Connection[Any]
) -> None:
    said = erase(oneo, bench.tenant)
    assert (said["airflow"], said["erased"]["xcoms"], said["erased"]["dag_runs_emptied"]) == (True, 1, 1)
    assert airflow.execute("SELECT count(*) FROM xcom").fetchone() == (3,)
    confs = [row[0] for row in airflow.execute("SELECT conf FROM dag_run")]
    # What names the execution stays, so that a cleared task knows it.
    assert [set(conf) for conf in confs if "email" not in conf] == [{"oneo_execution"}]


def test_the_persons_mail_goes_and_that_of_others_loses_its_files(
    oneo: Callable[..., Any], database: Database, tenant: str
) -> None:
    mails = {"hers": ANN.lower(), "about her": "bob@example.com", "another's": "eva@example.com"}
    with database.tenant(tenant) as session:
        for subject, sender in mails.items():
            data = {"from": {"address": sender, "name": "X"}, "subject": subject, "text": "Hello"}
            if subject == "about her":
                data["text"] = f"ask {ANN}"
            event_id = inbox.put(session, tenant, "email", "support", data)
            assert event_id is not None
            mail_files.keep(
                session, tenant, event_id, uuid4(), name="a", content_type="text/plain", content=b"a"
            )
    counts = erase(oneo, tenant)["erased"]
    assert (counts["mails"], counts["mail_files"]) == (1, 2)
    with database.tenant(tenant) as session:
        left = list(session.scalars(select(InboxEvent).order_by(InboxEvent.id)))
        files = [len(mail_files.of_event(session, row.id)) for row in left]
    assert [(row.data["subject"], row.data["text"]) for row in left] == [
        ("about her", "ask [erased]"),
        ("another's", "Hello"),
    ]
    assert files == [0, 1]


def test_without_airflows_database_the_command_says_what_stays(
    oneo: Callable[..., Any], bench: Bench, ann: str
) -> None:
    done = oneo("erase", "--tenant", bench.tenant, "--email", ANN)
    assert (done.exit_code, "outputs of 1 run(s) stay there" in done.output) == (0, True)


@pytest.mark.parametrize("which", ["ann", "mention"])
def test_a_record_on_legal_hold_refuses(
    oneo: Callable[..., Any], bench: Bench, ann: str, mention: str, which: str
) -> None:
    held = {"ann": ann, "mention": mention}[which]
    with bench.database.tenant(bench.tenant) as session:
        records.update(
            session, records.get(session, held, lock=True), records.Changes(set={"legal_hold": True})
        )
    before = everything(bench.database, bench.tenant)
    done = oneo("erase", "--tenant", bench.tenant, "--email", ANN)
    assert done.exit_code == 1
    assert f"legal_hold is true on record {held}" in " ".join(done.output.split())
    assert everything(bench.database, bench.tenant) == before


def test_an_execution_that_has_not_ended_refuses(oneo: Callable[..., Any], bench: Bench, ann: str) -> None:
    state = bench.begin(workflow(TELL), {"record_id": ann})
    done = oneo("erase", "--tenant", bench.tenant, "--email", ANN)
    assert (done.exit_code, str(state.id) in done.output) == (1, True)
    with bench.database.system() as session:
        executions.finish(session, executions.get_for_update(session, bench.tenant, state.id), "failed")
    assert erase(oneo, bench.tenant)["erased"]["executions_emptied"] == 2


@pytest.mark.parametrize("email", ["ann", "@", "a b@c.de", ""])
def test_what_is_no_address_is_refused(oneo: Callable[..., Any], tenant: str, email: str) -> None:
    done = oneo("erase", "--tenant", tenant, "--email", email)
    assert (done.exit_code, "is no e-mail address" in done.output) == (1, True)
