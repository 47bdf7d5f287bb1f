"""reusable_workflow: inputs and outputs with types; and outputs of workflows that run by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.examine import examine
from dag_factory.publish import publish
from oneo.errors import InvalidDefinitionError
from oneo.store import workflows
from tests.nodes.bench import START, Bench, workflow

BLOCK: dict[str, Any] = {
    "id": "score",
    "name": "Score",
    "variables": {
        "company": {"type": "string", "required": True},
        "employees": {"type": "integer", "default": 0, "minimum": 0},
    },
    "nodes": [
        START,
        {
            "id": "sum",
            "type": "merge_data",
            "config": {
                "merge_sources": [{"source": "static", "data": {"points": "{{ variables.employees * 2 }}"}}]
            },
        },
    ],
    "outputs": {
        "points": {"value": "{{ nodes.sum.points }}", "type": "integer", "description": "0 or more"},
        "label": {"value": "{{ variables.company }}: {{ nodes.sum.points }}", "type": "string"},
    },
}


@pytest.fixture
def block(bench: Bench) -> Bench:
    publish(bench.database, bench.tenant, BLOCK, bench.catalogue)
    return bench


def using(config: dict[str, Any]) -> dict[str, Any]:
    node = {"id": "use", "type": "reusable_workflow", "config": {"workflow_id": "score", **config}}
    return {"id": "caller", **workflow(node)}


def problems_at_publish(bench: Bench, config: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidDefinitionError) as caught:
        publish(bench.database, bench.tenant, using(config), bench.catalogue)
    return {one.path: f"{one.message} ({one.hint})" for one in caught.value.problems}


def outputs(bench: Bench, given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return bench.run({"name": "w", "nodes": [START], "outputs": given, **more})


def test_inputs_go_in_and_outputs_come_out(block: Bench) -> None:
    ran = block.node(
        "reusable_workflow",
        {"workflow_id": "score", "inputs": {"company": "{{ trigger.name }}", "employees": 4}},
        {"name": "Acme"},
    )
    assert ran.output["outputs"] == {"points": 8, "label": "Acme: 8"}
    [child] = ran.report["children"]
    assert ran.output == {
        "outputs": {"points": 8, "label": "Acme: 8"},
        "execution_id": child["execution"],
        "workflow_id": "score",
        "version": 1,
        "status": "success",
    }


def test_nothing_but_the_inputs_goes_in(block: Bench) -> None:
    lead = block.record("leads", employees=9)
    found = block.node(
        "reusable_workflow",
        {"workflow_id": "score", "inputs": {"company": "Acme"}},
        {"record_id": lead, "employees": 9},
    ).output
    assert found["outputs"]["points"] == 0


def test_publishing_checks_the_inputs_of_a_known_block(block: Bench) -> None:
    found = problems_at_publish(block, {"inputs": {"compny": "Acme", "employees": "many"}})
    assert found == {
        "$.nodes[1].config.inputs.compny": "workflow 'score' has no variable 'compny' (did you mean 'company'?)",
        "$.nodes[1].config.inputs": "variable 'company' is required (workflow 'score' declares it)",
        "$.nodes[1].config.inputs.employees": "variable 'employees': 'many' is not of type 'integer' "
        "(workflow 'score' declares it)",
    }


def test_publishing_leaves_expressions_and_unknown_blocks_to_the_run(block: Bench) -> None:
    good = {"inputs": {"company": "{{ trigger.name }}", "employees": "{{ trigger.n }}"}}
    for config in (
        good,
        {"workflow_id": "later", "inputs": {"x": 1}},
        {"workflow_id": "{{ trigger.which }}"},
    ):
        publish(block.database, block.tenant, using(config), block.catalogue)


def test_a_pinned_version_is_the_one_that_is_checked_and_run(block: Bench) -> None:
    newer = {**BLOCK, "variables": {"name": {"type": "string"}}, "outputs": {"n": {"value": 1}}}
    newer["nodes"] = [START]
    publish(block.database, block.tenant, newer, block.catalogue)
    publish(block.database, block.tenant, using({"version": 1, "inputs": {"company": "A"}}), block.catalogue)
    assert "$.nodes[1].config.inputs.company" in problems_at_publish(block, {"inputs": {"company": "A"}})
    found = block.node(
        "reusable_workflow", {"workflow_id": "score", "version": 1, "inputs": {"company": "A"}}
    )
    assert (found.output["version"], found.output["outputs"]["label"]) == (1, "A: 0")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"company": "A", "emploees": 1}, "there is no variable 'emploees' (did you mean 'employees'?)"),
        ({}, "variable 'company' is required"),
        ({"company": "A", "employees": -1}, "variable 'employees': -1 is less than the minimum of 0"),
    ],
)
def test_a_run_checks_them_again(block: Bench, inputs: dict[str, Any], said: str) -> None:
    ran = block.node("reusable_workflow", {"workflow_id": "score", "inputs": inputs})
    assert (ran.error["type"], said in ran.message) == ("ConfigError", True), ran.message


def test_an_output_of_another_type_names_both(bench: Bench) -> None:
    wrong = {**BLOCK, "outputs": {"points": {"value": "{{ variables.company }}", "type": "integer"}}}
    publish(bench.database, bench.tenant, wrong, bench.catalogue)
    ran = bench.node("reusable_workflow", {"workflow_id": "score", "inputs": {"company": "A"}})
    assert "output 'points' is declared as integer, and its value is string" in ran.message


def test_a_block_without_outputs_gives_none(bench: Bench) -> None:
    silent = {name: value for name, value in BLOCK.items() if name != "outputs"}
    publish(bench.database, bench.tenant, silent, bench.catalogue)
    ran = bench.node("reusable_workflow", {"workflow_id": "score", "inputs": {"company": "A"}})
    assert ran.output["outputs"] == {}


def test_a_withdrawn_block_is_not_run(block: Bench) -> None:
    with block.database.tenant(block.tenant) as session:
        workflows.withdraw(session, block.tenant, "score")
    ran = block.node("reusable_workflow", {"workflow_id": "score", "inputs": {"company": "A"}})
    assert "workflow 'score' was withdrawn" in ran.message


def test_outputs_are_the_execution_s_output_however_it_was_started(bench: Bench) -> None:
    report = bench.run(BLOCK, {"company": "Acme", "employees": 2})
    assert report["output"] == {"points": 4, "label": "Acme: 4"}


def test_outputs_see_the_context_the_record_and_changed_variables(bench: Bench) -> None:
    lead = bench.record("leads", name="Ada")
    nodes = [
        START,
        {"id": "set", "type": "set_variable", "config": {"increment": {"n": 2}}},
        {"id": "remind", "type": "create_follow_up_task", "config": {"title": "Call"}},
    ]
    given = {
        "n": {"value": "{{ variables.n }}", "type": "number"},
        "who": {"value": "{{ record.name }}"},
        "all": {"value": {"task": "{{ context.task_id }}", "fixed": [1]}, "type": "object"},
    }
    report = bench.run(
        {"name": "w", "nodes": nodes, "variables": {"n": 1}, "outputs": given}, {"record_id": lead}
    )
    [task] = bench.tasks_of(lead)
    assert report["output"] == {"n": 3, "who": "Ada", "all": {"task": str(task["task_id"]), "fixed": [1]}}


def test_outputs_see_no_record_of_another_tenant(bench: Bench) -> None:
    from oneo.store import tenants
    from tests.nodes.bench import Bench as Other

    with bench.database.system() as session:
        tenants.ensure(session, f"{bench.tenant}-b")
    stranger = Other(bench.database, f"{bench.tenant}-b")
    stranger.pipeline("leads")
    secret = stranger.record("leads", name="theirs")
    document = {
        "name": "w",
        "nodes": [START],
        "outputs": {"x": {"value": "{{ default(record.name, 'none') }}"}},
    }
    assert bench.run(document, {"record_id": secret})["output"] == {"x": "none"}


def test_an_output_that_cannot_be_made_fails_the_execution(bench: Bench) -> None:
    report = outputs(bench, {"x": {"value": "{{ trigger.nme }}"}})
    assert (report["status"], report["error"]["type"]) == ("failed", "ConfigError")
    assert report["error"]["message"].startswith("output 'x': ")


def test_an_output_reads_what_a_loop_left(bench: Bench) -> None:
    nodes = [
        START,
        {"id": "step", "type": "set_variable", "config": {"increment": {"n": 1}}},
        {
            "id": "again",
            "type": "workflow_loop_controller",
            "config": {"loop_back_to": "step", "loop_type": "while", "while_condition": "variables.n < 3"},
        },
    ]
    edges = [{"source": "start", "target": "step"}, {"source": "step", "target": "again"}]
    given = {"n": {"value": "{{ variables.n }}"}, "step": {"value": "{{ nodes.step.n }}"}}
    report = bench.run({"name": "w", "nodes": nodes, "edges": edges, "variables": {"n": 0}, "outputs": given})
    assert report["output"] == {"n": 3, "step": 3}


@pytest.mark.parametrize(
    ("value", "more", "said"),
    [
        ("{{ nodes.strat.x }}", {}, "reads node 'strat', which does not exist (did you mean 'start'?)"),
        ("{{ 1 + }}", {}, "$.outputs.x.value"),
        ("{{ secrets.key }}", {}, "reads secret 'key', and outputs are kept"),
        ("{{ variables.n }}", {"variables": {"m": 1}}, "variable 'n' is not declared"),
        ("{{ nodes.work.x }}", {}, "reads node 'work', whose output stays in its loop"),
    ],
)
def test_saving_checks_what_outputs_read(bench: Bench, value: str, more: dict[str, Any], said: str) -> None:
    nodes = [
        START,
        {"id": "each", "type": "for_each", "config": {"items_source": [1]}},
        {"id": "work", "type": "merge_data", "config": {"merge_sources": [{"source": "trigger"}]}},
    ]
    edges = [
        {"source": "start", "target": "each"},
        {"source": "each", "target": "work", "loop": True},
        {"source": "work", "target": "each", "loop_back": True},
    ]
    document = {"name": "w", "nodes": nodes, "edges": edges, "outputs": {"x": {"value": value}}, **more}
    problems = [str(problem) for problem in examine(document, bench.catalogue).problems]
    assert any(said in problem for problem in problems), problems


def test_a_fixed_output_of_another_type_cannot_be_saved(bench: Bench) -> None:
    document = {"name": "w", "nodes": [START], "outputs": {"x": {"value": "one", "type": "number"}}}
    [problem] = examine(document, bench.catalogue).problems
    assert problem.message == "output 'x' is declared as number, and its value is string"
