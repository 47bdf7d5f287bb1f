"""Starts by hand, and the ends of other workflows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from oneo.store.executions import id_for_run
from oneo.store.models import Execution
from oneo.store.workflows import dag_id
from tests.e2e.trigger_cases import SEEN, Case, Family, Outside, Trace, Watched
from tests.nodes.bench import EXAMPLES

MANUAL, COMPLETED = EXAMPLES["trigger_manual"], EXAMPLES["trigger_workflow_completed"]
Happening = Callable[[Outside], Trace]

BY_HAND = {
    "asking": Watched("trigger_manual", MANUAL),
    "asking_otherwise": Watched(
        "trigger_manual", {**MANUAL, "confirmation_message": "Really?", "button_text": "Go"}
    ),
    "unasked": Watched("trigger_manual", {}),
}


def run(workflow: str, *arguments: str, user: str = "admin") -> Happening:
    """Somebody starts a workflow with the command."""

    def happens(outside: Outside) -> Trace:
        types = {"eva": ["sales"], "max": ["manager"], "admin": ["admin"]}
        stack = copy(outside.stack)
        stack.environment = {**stack.environment, "ONEO_USER": user, "ONEO_USER_TYPES": json.dumps(types)}
        done = stack.oneo("run", workflow, *arguments, "--tenant", outside.tenant, "--json", check=False)
        if done.returncode:
            return Trace(answer=done.stdout + done.stderr)
        return Trace(executions=(json.loads(done.stdout)["execution"],))

    return happens


def pressed(workflow: str, **conf: Any) -> Happening:
    """Somebody presses the button of Airflow's form, which its REST API stands behind."""

    def happens(outside: Outside) -> Trace:
        dag = dag_id(outside.tenant, workflow)
        with outside.stack.airflow() as airflow:
            body = {"logical_date": None, "conf": conf}
            answer = airflow.post(f"/api/v2/dags/{dag}/dagRuns", json=body)
        if not answer.is_success:
            return Trace(answer=f"{answer.status_code} {answer.text}")
        return Trace(executions=(str(id_for_run(dag, answer.json()["dag_run_id"])),))

    return happens


def offered(workflow: str) -> Happening:
    """Somebody looks at the form."""

    def happens(outside: Outside) -> Trace:
        with outside.stack.airflow() as airflow:
            details = airflow.get(f"/api/v2/dags/{dag_id(outside.tenant, workflow)}/details").json()
        return Trace(answer=json.dumps(details["params"]))

    return happens


HAND_CASES = [
    Case("asking", "require_confirmation", run("asking", "--yes")),
    Case("asking", "require_confirmation", run("asking"), "the start was not confirmed"),
    Case("asking", "require_confirmation", pressed("asking", oneo_confirmed=True)),
    Case("asking", "require_confirmation", pressed("asking"), "400"),
    Case("unasked", "require_confirmation", run("unasked")),
    Case("asking", "confirmation_message", run("asking"), "not confirmed: Execute workflow?"),
    Case("asking", "confirmation_message", offered("asking"), '"Execute workflow?"'),
    Case("asking_otherwise", "confirmation_message", run("asking_otherwise"), "not confirmed: Really?"),
    Case("asking", "allowed_user_types", run("asking", "--yes", user="max")),
    Case("asking", "allowed_user_types", run("asking", "--yes", user="eva"), "only admin, manager may"),
    Case("unasked", "allowed_user_types", run("unasked", user="eva")),
    Case("asking", "button_text", offered("asking"), '"Run Workflow"'),
    Case("asking_otherwise", "button_text", offered("asking_otherwise"), '"Go"'),
]

# It leaves the contact's id in the context.
LEAVE = {"id": "who", "type": "resolve_contact", "config": {"match_criteria": {"email": "a@b.de"}}}
BREAK = {
    "id": "break",
    "type": "update_record",
    "config": {"record_id": "{{ trigger.n }}", "update_fields": {"a": 1}},
    "error_handling": {"retry_count": 0},
}


def source(name: str, *nodes: dict[str, Any]) -> Watched:
    """A workflow whose end is waited for; an application starts it."""
    return Watched("trigger_event", {"event": f"run_{name}"}, nodes)


def completed(**options: Any) -> Watched:
    return Watched("trigger_workflow_completed", {**COMPLETED, **options}, [SEEN])


ENDS = {
    **{f"workflow_{number}": source(f"workflow_{number}", LEAVE) for number in range(1, 4)},
    "workflow_4": source("workflow_4", BREAK),
    "completed": completed(source_workflow_ids=[*COMPLETED["source_workflow_ids"], "workflow_4"]),
    "completed_anyhow": completed(source_workflow_ids=["workflow_3", "workflow_4"], success_only=False),
    "completed_bare": completed(source_workflow_ids=["workflow_3"], pass_context=False),
    "completed_all": completed(source_workflow_ids=["workflow_5", "workflow_6"], merge_outputs=True),
    "workflow_5": source("workflow_5", LEAVE),
    "workflow_6": source("workflow_6", LEAVE),
}


def ended(*sources: str) -> Happening:
    """Executions of other workflows end."""

    def happens(outside: Outside) -> Trace:
        emit = "SELECT oneo_emit(:tenant, :name, CAST(:data AS jsonb))"
        return Trace(
            sources=tuple(
                outside.sql(emit, name=f"run_{name}", data={"n": number})
                for number, name in enumerate(sources, 1)
            )
        )

    return happens


def with_context(found: Sequence[Execution], _: Outside) -> None:
    data = found[0].data
    assert data["contact_id"] == data["context"]["contact_id"] is not None


def without_context(found: Sequence[Execution], _: Outside) -> None:
    assert not {"contact_id", "context"} & found[0].data.keys()
    assert found[0].data["workflow_id"] == "workflow_3"


def merged(found: Sequence[Execution], _: Outside) -> None:
    assert set(found[0].data["outputs"]) == {"workflow_5", "workflow_6"}


def each_alone(found: Sequence[Execution], _: Outside) -> None:
    assert {row.data["workflow_id"] for row in found} == {"workflow_1", "workflow_2"}
    assert not any("outputs" in row.data for row in found)


END_CASES = [
    Case("completed", "source_workflow_ids", ended("workflow_1")),
    Case("completed", "source_workflow_ids", ended("workflow_2")),
    Case("completed", "source_workflow_ids", ended("workflow_3"), "the event is about 'workflow_3'"),
    Case("completed", "success_only", ended("workflow_4"), "it ended as 'failed'"),
    Case("completed_anyhow", "success_only", ended("workflow_4")),
    Case("completed", "pass_context", ended("workflow_1"), shows=with_context),
    Case("completed_bare", "pass_context", ended("workflow_3"), shows=without_context),
    Case("completed", "merge_outputs", ended("workflow_1", "workflow_2"), starts=2, shows=each_alone),
    Case("completed_all", "merge_outputs", ended("workflow_5", "workflow_6"), shows=merged),
]

FAMILY = Family(
    "others", {**BY_HAND, **ENDS}, [*HAND_CASES, *END_CASES], lambda outside: outside.pipeline("contacts")
)
