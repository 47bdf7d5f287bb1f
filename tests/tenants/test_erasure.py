"""`oneo erase`: of a person who asks for it nothing is left, of others nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select, text

from dag_factory.publish import publish
from oneo.approvals import ApprovalRequest
from oneo.database import Database
from oneo.forms.answers import Taken
from oneo.forms.spec import parse_form
from oneo.importing import ImportOptions, import_file
from oneo.settings import settings
from oneo.store import (
    approvals,
    executions,
    form_files,
    form_links,
    forms,
    held_events,
    inbox,
    mail_files,
    metrics,
    records,
    suppressions,
)
from oneo.store.form_links import LinkOptions
from oneo.store.models import Execution, InboxEvent, Metric
from oneo_app.log_copies import remove_logs
from oneo_app.report import execution_report
from oneo_app.stack.layout import layout
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
        connection.execute(
            "CREATE TABLE dag_run (id int GENERATED ALWAYS AS IDENTITY, dag_id text, run_id text, conf jsonb)"
        )
        connection.execute("CREATE TABLE log (id int PRIMARY KEY, dag_id text, run_id text, extra text)")
        connection.execute("CREATE TABLE task_instance (id uuid, dag_id text, run_id text)")
        connection.execute("CREATE TABLE task_instance_note (ti_id uuid, content text)")
        connection.execute("CREATE TABLE serialized_dag (dag_id text, data json)")
        connection.execute("CREATE TABLE dag_run_note (dag_run_id int, content text)")
        for number, owner in enumerate((bench.tenant, f"{bench.tenant}-other")):
            said = f"asked by {ANN.upper()}, copy to jo{ANN}"
            dag = f"{owner}--w"
            connection.execute("INSERT INTO log (id, dag_id, extra) VALUES (%s, %s, %s)", [number, dag, said])
            connection.execute("INSERT INTO serialized_dag VALUES (%s, %s)", [dag, json.dumps({"doc": said})])
        for row in runs:
            about = {"email": row.data.get("email"), "oneo_execution": str(row.id)}
            connection.execute("INSERT INTO xcom VALUES (%s, %s, '1')", [row.dag_id, row.run_id])
            connection.execute(
                "INSERT INTO dag_run (dag_id, run_id, conf) VALUES (%s, %s, %s)",
                [row.dag_id, row.run_id, json.dumps(about)],
            )
        connection.execute("INSERT INTO dag_run_note SELECT id, %s FROM dag_run", [f"see {ANN}!"])
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
    assert (counts["record_events"], counts["record_history"]) == (2, 2)
    assert (counts["records_mentioning"], counts["record_history_mentioning"]) == (1, 1)


@pytest.mark.parametrize("email", [ANN, "ann@old.example.com"])
def test_what_was_merged_goes_along(oneo: Callable[..., Any], bench: Bench, ann: str, email: str) -> None:
    double = bench.record("contacts", name="Ann L.", email="ann@old.example.com", phone="987654")
    assert oneo("records", "merge", ann, double, "--tenant", bench.tenant).exit_code == 0
    counts = erase(oneo, bench.tenant, email=email)["erased"]
    left = everything(bench.database, bench.tenant)
    assert [word for word in ("987654", "ann l.", "ann@old.example.com") if word in left] == []
    assert (counts["records"], bench.get(ann), bench.get(double)) == (2, None, None)


def test_a_value_that_names_the_person_is_taken_out(oneo: Callable[..., Any], bench: Bench, ann: str) -> None:
    with bench.database.tenant(bench.tenant) as session:
        metrics.push(session, bench.tenant, "desk-3", {"seat": ANN, "height": 70})
    assert erase(oneo, bench.tenant)["erased"]["metrics_mentioning"] == 1
    with bench.database.tenant(bench.tenant) as session:
        assert session.get_one(Metric, (bench.tenant, "desk-3")).data == {"seat": "[erased]", "height": 70}


def test_lists_and_ends_of_workflows_forget_the_person(
    oneo: Callable[..., Any], bench: Bench, ann: str
) -> None:
    waits = {"id": "start", "type": "trigger_workflow_completed", "config": {"source_workflow_id": "w"}}
    publish(bench.database, bench.tenant, {"id": "after", "name": "After", "nodes": [waits]}, bench.catalogue)
    bench.run({"id": "w", **workflow(TELL)}, {"record_id": ann})
    listed = [suppressions.entry(one) for one in (ANN, ann, OTHERS[2])]
    with bench.database.tenant(bench.tenant) as session:
        suppressions.add(session, bench.tenant, "stop", listed)
    counts = erase(oneo, bench.tenant)["erased"]
    assert (counts["suppressions"], counts["inbox_events"]) == (2, 1)
    with bench.database.tenant(bench.tenant) as session:
        assert [one.value for one in suppressions.entries(session)] == [OTHERS[2]]


def test_approvals_about_the_person_go_and_their_name_goes_out_of_others(
    oneo: Callable[..., Any], bench: Bench, ann: str
) -> None:
    wanted = {
        "about": ApprovalRequest("Discount?", ["eva"], record_id=UUID(ann)),
        "asked": ApprovalRequest(f"From {ANN}?", [ANN, "eva"]),
        "others": ApprovalRequest("From?", [OTHERS[0]]),
    }
    with bench.database.tenant(bench.tenant) as session:
        rows = {key: approvals.request(session, bench.tenant, one, key=key) for key, one in wanted.items()}
        approvals.decide(session, bench.tenant, rows["about"].id, "approve", by="eva")
        approvals.decide(session, bench.tenant, rows["asked"].id, "approve", by=ANN, comment=ANN)
    counts = erase(oneo, bench.tenant)["erased"]
    assert (counts["approvals"], counts["approvals_mentioning"]) == (1, 1)
    with bench.database.tenant(bench.tenant) as session:
        left = {row.key: row for row in approvals.recent(session)}
        assert sorted(left) == ["asked", "others"]
        assert (left["asked"].decision, left["asked"].assignees) == ("approve", ["[erased]", "eva"])
        assert (
            ANN.lower()
            not in str([vars(row) for row in inbox.recent(session, "approval", "decided")]).lower()
        )


def test_forms_that_the_person_filled_in(oneo: Callable[..., Any], bench: Bench, ann: str) -> None:
    spec = parse_form(
        {
            "id": "contact",
            "name": "Contact",
            "schema": {"properties": {"email": {"type": "string"}}},
            "settings": {"prefill_fields": ["email"]},
        },
        "form",
    )
    with bench.database.tenant(bench.tenant) as session:
        forms.apply(session, bench.tenant, spec)
        now = datetime.now(UTC)
        for email, record in ((ANN, None), (OTHERS[0], None), (OTHERS[0], UUID(ann))):
            options = LinkOptions(prefill={"email": email}, record_id=record)
            form_links.create(session, bench.tenant, spec, options, now)
            submission = uuid4()
            cv = Taken("cv", "cv.txt", "text/plain", f"cv of {email}".encode())
            file = form_files.keep(session, bench.tenant, "contact", submission, cv, record)
            inbox.put(
                session, bench.tenant, "form", "contact", {"email": email, "cv": [file]}, key=str(submission)
            )
    said = erase(oneo, bench.tenant)
    assert (said["erased"]["form_links"], said["erased"]["form_files"]) == (2, 2)
    with bench.database.tenant(bench.tenant) as session:
        assert [row.prefill for row in form_links.of_form(session, "contact")] == [{"email": OTHERS[0]}]
    left = everything(bench.database, bench.tenant)
    assert f"cv of {OTHERS[0]}".encode().hex() in left
    assert f"cv of {ANN}".encode().hex() not in left


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


def test_what_an_import_held_back_goes_too(oneo: Callable[..., Any], bench: Bench, tmp_path: Path) -> None:
    bench.record("contacts", name="X")
    file = tmp_path / "people.csv"
    file.write_text(f"name,email\nAnn Lee,{ANN}\nBob,bob@example.com\n")
    options = ImportOptions(tmp_path / "rejects.csv", events="held")
    import_file(bench.database, bench.tenant, "contacts", file, options)
    erase(oneo, bench.tenant)

    assert "ann" not in everything(bench.database, bench.tenant).replace(bench.tenant, "")
    with bench.database.tenant(bench.tenant) as session:
        assert held_events.release(session, "contacts") == 1


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


def test_the_address_goes_out_of_whatever_airflow_says_of_the_tenant(
    oneo: Callable[..., Any], bench: Bench, ann: str, airflow: psycopg.Connection[Any]
) -> None:
    said = erase(oneo, bench.tenant)
    # Notes of her own run go as a whole.
    assert (said["erased"]["airflow_notes"], said["erased"]["airflow_texts"]) == (1, 2 + 3)
    mine, others = [row[0] for row in airflow.execute("SELECT extra FROM log ORDER BY id")]
    assert mine == f"asked by [erased], copy to jo{ANN}"
    assert others == f"asked by {ANN.upper()}, copy to jo{ANN}"
    docs = [row[0]["doc"] for row in airflow.execute("SELECT data FROM serialized_dag ORDER BY dag_id")]
    assert docs == [mine, others]
    assert {row[0] for row in airflow.execute("SELECT content FROM dag_run_note")} == {"see [erased]!"}


def test_large_results_are_looked_through_and_go(oneo: Callable[..., Any], bench: Bench) -> None:
    big = {"rows": [{"n": number, "pad": "x" * 20} for number in range(5000)], "last": f"<{ANN}>"}
    show = {"id": "show", "type": "set_variable", "config": {"variables": {"big": "{{ trigger.big }}"}}}
    report = bench.run(workflow(show), {"big": big})
    with bench.database.system() as session:
        row = executions.get_for_update(session, bench.tenant, UUID(report["execution"]))
        row.data = {}
    assert ANN not in everything(bench.database, bench.tenant)
    assert erase(oneo, bench.tenant, "--dry-run")["erased"]["large_results"] > 0
    folder = settings().home / "objects" / bench.tenant / report["execution"]
    assert folder.is_dir()

    said = erase(oneo, bench.tenant)

    assert said["erased"]["executions_emptied"] == 1
    assert not folder.exists()
    with bench.database.tenant(bench.tenant) as session:
        nodes = execution_report(session, executions.get(session, UUID(report["execution"])))["nodes"]
    assert nodes["show"]["output"] is None
    assert set(erase(oneo, bench.tenant)["erased"].values()) == {0}


def test_the_logs_of_its_tasks_go(oneo: Callable[..., Any], bench: Bench, ann: str) -> None:
    with bench.database.system() as session:
        rows = session.query(Execution).filter_by(tenant_id=bench.tenant).all()
    own = next(row for row in rows if str(row.record_id or row.data.get("record_id")) == ann)
    logs = settings().home / "airflow/logs"
    for row in rows:
        file = logs / f"dag_id={row.dag_id}/run_id={row.run_id}/task_id=tell/attempt=1.log"
        file.parent.mkdir(parents=True)
        file.write_text("…")
    assert erase(oneo, bench.tenant, "--dry-run")["erased"]["log_files"] == 1
    assert erase(oneo, bench.tenant)["erased"]["log_files"] == 1
    left = {path.name for path in (logs / f"dag_id={own.dag_id}").iterdir()}
    assert left == {f"run_id={row.run_id}" for row in rows} - {f"run_id={own.run_id}"}


def test_what_components_log_about_it_is_blanked(oneo: Callable[..., Any], bench: Bench, ann: str) -> None:
    with bench.database.system() as session:
        rows = session.query(Execution).filter_by(tenant_id=bench.tenant).all()
    own = next(row for row in rows if str(row.record_id or row.data.get("record_id")) == ann)
    other = next(row for row in rows if row is not own)
    begin = "Received 1\n2026-11-29T10:00:00.1Z [info] started\n"
    about = f"2026-11-29 10:00:01+00:00 [error] failed:\nTraceback:\n  no Ann\n run_id={own.run_id}\n"
    called = f"2026-11-29 10:00:02 GET /x?to={quote(ANN)}\n"
    end = f"2026-11-29 10:00:03 run_id={other.run_id}\n2026-11-29 10:00:04 for jo{ANN}\n"
    log = layout().logs / "scheduler.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(begin + about + called + end)

    assert erase(oneo, bench.tenant, "--dry-run")["erased"]["log_entries_blanked"] == 2
    assert log.read_text() == begin + about + called + end
    with log.open("ab") as writer:
        assert erase(oneo, bench.tenant)["erased"]["log_entries_blanked"] == 2
        writer.write(b"2026-11-29 10:00:05 goes on\n")

    left = log.read_text()
    assert left.startswith(begin)
    assert left.endswith(end + "2026-11-29 10:00:05 goes on\n")
    between = [line.rstrip() for line in left[len(begin) : left.index(end)].splitlines()]
    assert between == ["2026-11-29 10:00:01 [erased]", "", "", "", "2026-11-29 10:00:02 [erased]"]


def test_a_run_that_is_named_like_a_path_leads_nowhere_else(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path / "logs"))
    other = tmp_path / "logs/dag_id=other/run_id=x/a.log"
    other.parent.mkdir(parents=True)
    other.write_text("…")
    (tmp_path / "logs/dag_id=mine").mkdir()
    for run in ("x/../../dag_id=other/run_id=x", "/../../dag_id=other", "../../../.."):
        assert remove_logs([("mine", run), ("../dag_id=other", "x")]) == 0
    assert other.exists()


def test_a_document_in_service_is_for_its_author_to_change_and_earlier_ones_are_cleaned(
    oneo: Callable[..., Any], bench: Bench, ann: str
) -> None:
    def publish_for(recipient: str) -> None:
        tell = {**TELL, "config": {**TELL["config"], "recipients": [recipient]}}
        publish(bench.database, bench.tenant, workflow(tell, id="tells"), bench.catalogue, published_by=ANN)

    publish_for(ANN)
    before = everything(bench.database, bench.tenant)
    done = oneo("erase", "--tenant", bench.tenant, "--email", ANN)
    assert done.exit_code == 1
    assert "the address stands in workflow 'tells' version 1, in service" in " ".join(done.output.split())
    assert everything(bench.database, bench.tenant) == before

    publish_for("desk@example.com")
    assert erase(oneo, bench.tenant)["erased"]["documents_mentioning"] == 2
    left = everything(bench.database, bench.tenant)
    for email in OTHERS:
        left = left.replace(email, "")
    assert ANN.lower() not in left


def test_a_hold_says_who_set_it_and_why_until_it_is_lifted(
    oneo: Callable[..., Any], bench: Bench, ann: str, mention: str
) -> None:
    before = everything(bench.database, bench.tenant)
    for what in (["--record", ann], ["--record", mention], ["--email", ANN.upper()], []):
        where = ["--tenant", bench.tenant]
        assert oneo("erase", "hold", *what, *where, "--reason", "case 7/31").exit_code == 0
        again = oneo("erase", "hold", *what, *where, "--reason", "other")
        assert (again.exit_code, "on legal hold already" in again.output) == (1, True)
        [held] = json.loads(oneo("erase", "holds", *where, "--json").stdout)
        assert (held["set_by"], held["reason"]) == ("admin", "case 7/31")

        refused = oneo("erase", "--email", ANN, *where)

        said = " ".join(refused.output.split())
        assert refused.exit_code == 1
        assert f"{held['kind']} {held['subject']} is on legal hold since" in said
        assert "set by admin: case 7/31" in said
        assert oneo("erase", "unhold", *what, *where).exit_code == 0
        assert oneo("erase", "unhold", *what, *where).exit_code == 1
    assert everything(bench.database, bench.tenant) == before
    assert erase(oneo, bench.tenant)["erased"]["records"] == 1


def test_what_is_held_is_not_removed_for_good_by_a_node(
    oneo: Callable[..., Any], bench: Bench, ann: str
) -> None:
    gone = {"record_id": ann, "soft_delete": False}
    assert oneo("erase", "hold", "--email", ANN, "--tenant", bench.tenant, "--reason", "case").exit_code == 0
    assert "set by admin: case" in bench.node("delete_record", gone).message
    assert bench.get(ann) is not None
    assert oneo("erase", "unhold", "--email", ANN, "--tenant", bench.tenant).exit_code == 0
    bench.node("delete_record", gone)
    assert bench.get(ann) is None
