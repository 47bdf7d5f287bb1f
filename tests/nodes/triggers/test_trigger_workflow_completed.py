"""trigger_workflow_completed: executions that end start other workflows."""

from __future__ import annotations

from uuid import UUID

import pytest

from dag_factory.catalogue import Watch
from oneo.store import dag_runs, executions
from oneo.store.models import Execution
from oneo_app.dispatcher.finishing import finish_ended
from oneo_operators.nodes.triggers.trigger_workflow_completed import TriggerWorkflowCompletedOperator
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.nodes.bench import EXAMPLES, Bench

__all__ = ["crm"]

EXAMPLE = EXAMPLES["trigger_workflow_completed"]
TYPE = "trigger_workflow_completed"


@pytest.fixture
def bench(crm: Crm) -> Bench:
    """Runs workflows of the tenant to their end."""
    return Bench(crm.database, crm.tenant)


def end(crm: Crm, execution_id: UUID, state: str = "success") -> None:
    """Airflow tells that the DAG run of an execution has ended."""
    with crm.database.system() as session:
        row = executions.get_for_update(session, crm.tenant, execution_id)
        dag_runs.note_run_state(session, row.dag_id, row.run_id, state)
    finish_ended(crm.database)
    crm.round()


def of(crm: Crm, workflow_id: str) -> list[Execution]:
    return [row for row in crm.started if row.workflow_id == workflow_id]


def sources(crm: Crm, *names: str) -> None:
    for name in names:
        crm.watch("trigger_record_created", name)


def test_the_example(bench: Bench, crm: Crm) -> None:
    assert TriggerWorkflowCompletedOperator.watch(EXAMPLE) == Watch(
        ("workflow",), ("workflow_1", "workflow_2")
    )
    assert bench.problems(TYPE, EXAMPLE) == []
    sources(crm, "workflow_1", "workflow_2", "workflow_3")
    crm.watch(TYPE, **EXAMPLE)
    record = crm.add(name="Ann")
    crm.round()
    first, second, third = crm.started
    end(crm, first.id)
    end(crm, second.id, "failed")
    end(crm, third.id)
    (row,) = of(crm, "watch")
    assert (row.data["workflow_id"], row.data["execution_id"], row.data["status"]) == (
        "workflow_1",
        str(first.id),
        "success",
    )
    assert (row.record_id, row.data["name"], row.data["pipeline_id"]) == (record.id, "Ann", "leads")
    assert row.chain == [{"workflow": "workflow_1", "execution": str(first.id)}]
    refused = [one["watch/start"] for one in crm.decisions if "watch/start" in one][-1]
    assert refused["reason"] == "it ended as 'failed', and only success counts (success_only)"


def test_where_nobody_waits_there_is_no_event(crm: Crm) -> None:
    sources(crm, "a", "b")
    crm.watch(TYPE, source_workflow_id="b")
    crm.add()
    crm.round()
    count = len(crm.decisions)
    end(crm, of(crm, "a")[0].id)
    assert len(crm.decisions) == count
    end(crm, of(crm, "b")[0].id)
    assert len(crm.decisions) == count + 1


def test_failures_count_where_they_are_asked_for_and_an_end_that_is_told_twice_is_one(crm: Crm) -> None:
    sources(crm, "a")
    crm.watch(TYPE, source_workflow_id="a", success_only=False)
    crm.add()
    crm.round()
    for _ in range(2):
        end(crm, crm.started[0].id, "failed")
    (row,) = of(crm, "watch")
    assert (row.data["status"], row.data["error"]["type"]) == ("failed", "RunFailed")


SETS = {"id": "who", "type": "resolve_contact", "config": {"match_criteria": {"email": "a@b.de"}}}


@pytest.mark.parametrize("passes", [True, False])
def test_what_its_nodes_left_comes_along_where_it_is_wished(crm: Crm, bench: Bench, passes: bool) -> None:
    crm.pipeline("contacts")
    crm.watch(TYPE, source_workflow_id="source", pass_context=passes)
    report = bench.run(
        {"id": "source", "name": "s", "nodes": [{"id": "start", "type": "trigger_manual"}, SETS]}
    )
    crm.round()
    data = of(crm, "watch")[0].data
    contact = report["nodes"]["who"]["output"]["contact_id"]
    assert data["output"]["contact_id"] == contact
    assert (data.get("contact_id"), data.get("context", {}).get("contact_id")) == (
        (contact, contact) if passes else (None, None)
    )


def test_outputs_of_all_sources_for_the_same_record_come_together(crm: Crm) -> None:
    sources(crm, "a", "b")
    crm.watch(TYPE, source_workflow_ids=["a", "b"], merge_outputs=True)
    ann, ben = crm.add(name="Ann"), crm.add(name="Ben")
    crm.round()
    by = {(row.workflow_id, row.record_id): row.id for row in crm.started}
    end(crm, by["a", ann.id])
    end(crm, by["b", ben.id])
    assert of(crm, "watch") == []
    end(crm, by["b", ann.id])
    (row,) = of(crm, "watch")
    assert row.record_id == ann.id
    assert row.data["executions"] == {"a": str(by["a", ann.id]), "b": str(by["b", ann.id])}
    assert set(row.data["outputs"]) == {"a", "b"}
    end(crm, by["a", ben.id])
    assert [row.record_id for row in of(crm, "watch")] == [ann.id, ben.id]


def test_a_source_that_does_not_end_in_time_is_given_up_and_that_is_noted(crm: Crm) -> None:
    sources(crm, "a", "b")
    crm.watch(TYPE, source_workflow_ids=["a", "b"], merge_outputs=True, merge_hours=1)
    crm.add()
    crm.round()
    end(crm, of(crm, "a")[0].id)
    crm.make_due()
    crm.round()
    assert of(crm, "watch") == []
    assert crm.decision() == {
        "outcome": "stopped",
        "reason": "it was given up to wait: 'b' had not come in time",
    }


CALL = {"id": "call", "type": "sub_workflow", "config": {"workflow_id": "part"}}


@pytest.mark.parametrize("wished", [True, False])
def test_parts_of_other_executions_count_where_they_are_asked_for(
    crm: Crm, bench: Bench, wished: bool
) -> None:
    crm.watch("trigger_manual", "part")
    crm.watch(TYPE, source_workflow_id="part", include_sub_workflows=wished)
    bench.run({"id": "whole", "name": "w", "nodes": [{"id": "start", "type": "trigger_manual"}, CALL]})
    crm.round()
    assert len(of(crm, "watch")) == int(wished)


def test_workflows_that_follow_each_other_for_ever_stop(crm: Crm) -> None:
    crm.watch(TYPE, "a", source_workflow_id="b", settings={"start": {"max_chain_depth": 3}})
    crm.watch(TYPE, "b", source_workflow_ids=["a", "first"], settings={"start": {"max_chain_depth": 3}})
    sources(crm, "first")
    crm.add()
    crm.round()
    for _ in range(9):
        end(crm, crm.started[-1].id)
    assert [row.workflow_id for row in crm.started] == ["first", "b", "a"]
    assert "first → b → a → b; at most 3 may" in crm.decision("b")["reason"]


def test_all_sources_cannot_be_waited_for_without_their_names(bench: Bench) -> None:
    (problem,) = bench.problems(TYPE, {"source_workflow_ids": ["*"], "merge_outputs": True})
    assert "name them in source_workflow_ids instead of '*'" in problem
