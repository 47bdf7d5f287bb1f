"""A person whom workflows have dealt with on real Airflow is erased: afterwards nobody finds anything of them."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.e2e.looking import answers, files, tables
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.stack

START = {"id": "start", "type": "trigger_manual"}


class Person:
    """Somebody with data that nobody else has, in whatever case."""

    def __init__(self) -> None:
        core = uuid4().hex[:12]
        self.email = f"Quinn.{core}@example.com"
        self.name = f"Quinn Name{core}"
        self.phone = f"+49 30 {int(core, 16) % 10**9:09}"
        self.values = (self.email, self.name, self.phone)

    def found_in(self, places: dict[str, str]) -> dict[str, str]:
        """Where something of the person stands, and what is around it."""
        found = {}
        for place, text in places.items():
            for one in self.values:
                at = text.lower().find(one.lower())
                if at >= 0:
                    found[f"{one} in {place}"] = text[max(at - 300, 0) : at + 100]
        return found


def set_to(node_id: str, **variables: object) -> dict:
    return {"id": node_id, "type": "set_variable", "config": {"variables": variables}}


CALLED = {"id": "called", "name": "Called", "nodes": [START, set_to("seen", who="{{ trigger }}")]}
# Goes through everything that keeps something: variables, context, records, tasks, a large result, a failure.
ABOUT = {
    "id": "about",
    "name": "About",
    "nodes": [
        {"id": "start", "type": "trigger_record_created", "config": {"pipeline_ids": ["contacts"]}},
        set_to("keep", email="{{ record.email }}", name="{{ record.name }}"),
        set_to("large", pages="{{ (record.name ~ ' <' ~ record.email ~ '> ') * 2000 }}"),
        {
            "id": "change",
            "type": "update_record",
            "config": {"record_id": "{{ record.id }}", "update_fields": {"phone": "{{ record.phone }}"}},
        },
        {
            "id": "tell",
            "type": "task_notify",
            "config": {"recipients": ["eva"], "title": "{{ record.name }}", "message": "{{ record.email }}"},
        },
        {
            "id": "call",
            "type": "create_follow_up_task",
            "config": {"title": "Call {{ record.phone }}", "related_record": "{{ record.id }}"},
        },
        {"id": "inside", "type": "sub_workflow", "config": {"workflow_id": "called"}},
        {
            "id": "lost",
            "type": "find_records",
            "config": {"pipeline_id": "of {{ record.name }} {{ record.email }}"},
        },
    ],
}


@pytest.fixture
def person() -> Person:
    return Person()


def runs_of(stack, tenant_id: str) -> list[dict]:
    return stack.json("runs", "list", "--tenant", tenant_id)


def everywhere(stack, tenant_id: str) -> dict[str, str]:
    dag_ids = [f"{tenant_id}--about", f"{tenant_id}--called", f"{tenant_id}--asked"]
    shown = stack.oneo("runs", "list", "--tenant", tenant_id, "--json").stdout
    listed = stack.oneo("events", "list", "--tenant", tenant_id, "--json").stdout
    return {
        **tables(stack),
        **files(stack),
        **answers(stack, dag_ids),
        "runs list": shown,
        "events list": listed,
    }


def counted(stack, tenant_id: str, person: Person) -> dict[str, int]:
    """How much there is of what a report of the erasure counts, by other ways than its own."""
    from oneo.store.models import Execution, ExecutionLog, RecordHistory
    from oneo_app.stack import postgres
    from oneo_app.stack.layout import layout

    with stack.database.system() as session:
        rows = session.query(Execution).filter_by(tenant_id=tenant_id).all()
        # The run that was started with it, the one about the record, and the one that this has called.
        first = [one for one in rows if person.name in json.dumps(one.data)]
        own = [*first, *(one for one in rows if one.parent_execution_id in {one.id for one in first})]
        own = list({one.id: one for one in own}.values())
        [record] = {one.record_id for one in own if one.record_id}
        log = sum(session.query(ExecutionLog).filter_by(execution_id=one.id).count() for one in own)
        history = session.query(RecordHistory).filter_by(record_id=record).count()
    runs = {(one.dag_id, one.run_id) for one in own}
    home = layout(stack.home)
    with psycopg.connect(postgres.superuser_dsn(home, "airflow")) as connection:
        outputs = connection.execute("SELECT dag_id, run_id FROM xcom").fetchall()
    logs = [home.airflow_home / f"logs/dag_id={dag_id}/run_id={run_id}" for dag_id, run_id in runs]
    objects = [stack.home / "objects" / tenant_id / str(one.id) for one in own]
    return {
        "executions_emptied": len(own),
        "records": 1,
        "record_history": history,
        "log_rows_emptied": log,
        "tasks": 1,
        "notifications": 1,
        "xcoms": sum(one in runs for one in outputs),
        "dag_runs_emptied": 1,
        "airflow_notes": 2,
        "log_files": sum(path.is_file() for folder in logs for path in folder.rglob("*")),
        "large_results": sum(path.is_file() for folder in objects for path in folder.rglob("*")),
    }


def start_over_rest(stack, tenant_id: str, person: Person) -> tuple[str, str]:
    """As somebody at the UI does, who writes notes; returns DAG id and run id."""
    dag_id = f"{tenant_id}--asked"
    with stack.airflow() as airflow:
        conf = {"email": person.email, "name": person.name, "phone": person.phone}
        body = {"logical_date": None, "conf": conf, "note": f"asked by {person.email}"}
        made = airflow.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body)
        assert made.status_code == 200, made.text
        run_id = made.json()["dag_run_id"]
        of_run = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        wait_until(
            lambda: airflow.get(of_run, headers={"Accept": "application/json"}).json()["state"] == "success",
            "the end of the run",
        )
        noted = airflow.patch(f"{of_run}/taskInstances/keep", json={"note": f"{person.name}, {person.email}"})
        assert noted.status_code == 200, noted.text
    return dag_id, run_id


@pytest.mark.timeout(400)
def test_nothing_of_the_person_is_found_anywhere(
    stack, tenant_id, publish, pipelines, tmp_path: Path, person: Person
) -> None:
    another = Person()
    asked = {
        "id": "asked",
        "name": "Asked",
        "variables": {"email": {"type": "string"}, "name": {"type": "string"}, "phone": {"type": "string"}},
        "nodes": [START, set_to("keep", who="{{ variables.name }} {{ variables.phone }}")],
    }
    for document in (CALLED, ABOUT, asked):
        publish(document)
    people = tmp_path / "people.csv"
    rows = [f"{one.name},{one.email},{one.phone}\n" for one in (person, another)]
    people.write_text("name,email,phone\n" + "".join(rows))
    stack.oneo("records", "import", str(people), "--pipeline", "contacts", "--tenant", tenant_id)
    start_over_rest(stack, tenant_id, person)
    start_over_rest(stack, tenant_id, another)
    wait_until(
        lambda: (
            len([one for one in runs_of(stack, tenant_id) if one["status"] in ("failed", "success")]) == 6
        ),
        "the ends of all executions",
    )

    # What is erased was really there.
    before = everywhere(stack, tenant_id)
    seen = person.found_in(before)
    for place in ("oneo.records", "oneo.execution_log", "oneo.tasks", "oneo.record_history", "airflow.xcom"):
        assert any(place in one for one in seen), sorted(seen)
    for place in ("airflow.dag_run", "airflow.dag_run_note", "airflow.task_instance_note", "objects/"):
        assert any(place in one for one in seen), sorted(seen)

    # A hold comes first.
    arguments = ("erase", "--email", person.email, "--tenant", tenant_id)
    stack.oneo("erase", "hold", "--email", person.email, "--reason", "case 7", "--tenant", tenant_id)
    refused = stack.oneo(*arguments, check=False)
    assert (refused.returncode, "set by admin: case 7" in " ".join(refused.stderr.split())) == (1, True)
    in_tables = {one for one in seen if " in oneo." in one or " in airflow." in one}
    assert in_tables <= person.found_in(tables(stack)).keys()
    stack.oneo("erase", "unhold", "--email", person.email, "--tenant", tenant_id)

    there = counted(stack, tenant_id, person)
    said = stack.json(*arguments, "--dry-run")["erased"]
    assert stack.json(*arguments)["erased"] == said
    assert {name: said[name] for name in there} == there

    after = everywhere(stack, tenant_id)
    assert person.found_in(after) == {}
    assert set(another.found_in(before)) <= set(another.found_in(after)), "somebody else's data went, too"
    assert set(stack.json(*arguments)["erased"].values()) == {0}
