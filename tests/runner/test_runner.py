"""Workflows run to their end in this process, by the rules that hold in Airflow."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest

from dag_factory.compile import compile_workflow
from dag_factory.definition import Workflow
from oneo.errors import ConfigError, InfrastructureError
from oneo_operators.nodes.data.create_record import CreateRecordOperator
from oneo_operators.result import NodeResult
from oneo_operators.runner import PlanRunner
from tests.nodes.bench import START, Bench, workflow


def note(name: str, text: str = "x", **more: Any) -> dict[str, Any]:
    """A node that tells eva a text."""
    config = {"recipients": ["eva"], "title": name, "message": text}
    return {"id": name, "type": "task_notify", "config": config, **more}


def broken(name: str, **more: Any) -> dict[str, Any]:
    """A node that fails for good."""
    return {"id": name, "type": "find_records", "config": {"pipeline_id": "no_such"}, **more}


def branch(**ways: str) -> dict[str, Any]:
    conditions = [{"if": source, "then": target} for target, source in ways.items()]
    return {
        "id": "decide",
        "type": "condition",
        "config": {"conditions": conditions, "evaluation_mode": "all_match"},
    }


def edges(*pairs: str) -> list[dict[str, Any]]:
    """`"a>b"` and `"a>b:error"` as edges."""
    made = []
    for pair in pairs:
        ends, _, condition = pair.partition(":")
        source, target = ends.split(">")
        made.append({"source": source, "target": target, **({"condition": condition} if condition else {})})
    return made


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {name: node["status"] for name, node in report["nodes"].items()}


def reason(report: dict[str, Any], node: str) -> str:
    found: str = report["nodes"][node]["error"]["message"]
    return found


def test_nodes_run_in_order_and_the_last_gives_the_output(bench: Bench) -> None:
    report = bench.run(workflow(note("a"), note("b", "{{nodes.a.recipients[0]}}")))
    assert statuses(report) == {"start": "success", "a": "success", "b": "success"}
    assert report["output"] == report["nodes"]["b"]["output"]
    assert (report["status"], report["error"]) == ("success", None)


def test_a_branch_and_a_merge_after_the_one_not_taken(bench: Bench) -> None:
    document = workflow(
        branch(yes="1 < 2", no="1 > 2"),
        note("yes"),
        note("no"),
        note("merge"),
        edges=edges("start>decide", "yes>merge", "no>merge"),
    )
    report = bench.run(document)
    assert report["status"] == "success"
    assert statuses(report) == {
        "start": "success",
        "decide": "success",
        "yes": "success",
        "no": "skipped",
        "merge": "success",
    }
    assert reason(report, "no") == "node 'decide' did not take 'no' (it took 'yes')"


def test_a_chain_behind_a_branch_not_taken_is_skipped_to_its_end(bench: Bench) -> None:
    document = workflow(branch(no="1 > 2"), note("no"), note("then"), edges=edges("start>decide", "no>then"))
    report = bench.run(document)
    assert (report["status"], statuses(report)["then"]) == ("success", "skipped")
    assert reason(report, "then") == "node 'no' did not run"


def test_a_diamond_joins_once_both_sides_are_done(bench: Bench) -> None:
    document = workflow(
        note("left", "l"),
        note("right", "r"),
        note("join", "{{nodes.left.channels[0]}} {{nodes.right.channels[0]}}"),
        edges=edges("start>left", "start>right", "left>join", "right>join"),
    )
    report = bench.run(document)
    told = {one.title: one.message for one in bench.notifications_of(report["execution"])}
    assert told == {"left": "l", "right": "r", "join": "in_app in_app"}


def test_several_ends_give_an_output_each(bench: Bench) -> None:
    report = bench.run(workflow(note("a"), note("b"), edges=edges("start>a", "start>b")))
    assert report["output"] == {name: report["nodes"][name]["output"] for name in ("a", "b")}


def test_an_error_edge_leads_to_a_handler_that_reads_the_error(bench: Bench) -> None:
    document = workflow(
        broken("find"),
        note("fine"),
        note("handle", "{{nodes.find.error.type}}: {{nodes.find.error.message}}"),
        note("merge"),
        edges=edges("start>find", "find>fine", "find>handle:error", "fine>merge", "handle>merge"),
    )
    report = bench.run(document)
    assert (report["status"], report["error"]) == ("success", None)
    assert statuses(report) == {
        "start": "success",
        "find": "failed",
        "fine": "skipped",
        "handle": "success",
        "merge": "success",
    }
    told = {one.title: one.message for one in bench.notifications_of(report["execution"])}
    assert told["handle"] == "ConfigError: there is no pipeline 'no_such'"
    assert reason(report, "fine") == "node 'find' did not take 'success' (it took 'error')"


def test_an_error_edge_of_a_node_that_succeeds_is_not_taken(bench: Bench) -> None:
    report = bench.run(workflow(note("a"), note("handle"), edges=edges("start>a", "a>handle:error")))
    assert (report["status"], statuses(report)["handle"]) == ("success", "skipped")
    assert reason(report, "handle") == "node 'a' did not take 'error' (it took another way)"


def test_continue_goes_on_with_the_error_as_output(bench: Bench) -> None:
    on_error = {"error_handling": {"on_error": "continue"}}
    report = bench.run(workflow(broken("find", **on_error), note("next", "{{nodes.find.error.node}}")))
    assert report["status"] == "success"
    assert bench.notifications_of(report["execution"])[0].message == "find"


def test_a_failure_stops_what_follows_and_nothing_else(bench: Bench) -> None:
    document = workflow(
        broken("find"),
        note("next"),
        note("last"),
        note("beside"),
        edges=edges("start>find", "find>next", "next>last", "start>beside"),
    )
    report = bench.run(document)
    assert report["status"] == "failed"
    assert statuses(report) == {
        "start": "success",
        "find": "failed",
        "next": "skipped",
        "last": "skipped",
        "beside": "success",
    }
    assert reason(report, "next") == "node 'find' failed"
    assert reason(report, "last") == "node 'next' did not run"
    assert report["error"]["message"] == "there is no pipeline 'no_such'"
    assert report["error"]["node"] == "find"


def test_of_several_triggers_only_what_the_one_that_fired_leads_to_runs(bench: Bench) -> None:
    document = workflow(
        {"id": "new", "type": "trigger_record_created"},
        note("by_hand"),
        note("by_event"),
        note("both"),
        edges=edges("start>by_hand", "new>by_event", "by_hand>both", "by_event>both"),
    )
    report = bench.run(document, {"record_id": bench.record("leads")}, trigger="new")
    assert statuses(report) == {
        "start": "skipped",
        "new": "success",
        "by_hand": "skipped",
        "by_event": "success",
        "both": "success",
    }
    assert reason(report, "start") == "another trigger started this execution"
    assert reason(report, "by_hand") == "node 'start' did not run"


def test_retries_wait_between_attempts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from oneo.errors import TransientNodeError
    from oneo_operators import flow_runner

    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    async def fail(self: Any, config: Any, context: Any) -> NodeResult:
        raise TransientNodeError("busy")

    monkeypatch.setattr(flow_runner.asyncio, "sleep", wait)
    monkeypatch.setattr(CreateRecordOperator, "run", fail)
    config = {"pipeline_id": "deals", "record_data": {}}
    node = {"id": "make", "type": "create_record", "config": config, "error_handling": {"retry_count": 3}}
    report = bench.run(workflow(node))
    assert (waits, report["nodes"]["make"]["attempts"]) == ([1.0, 2.0, 4.0], 4)


def test_a_wide_fan_does_not_exhaust_the_stores_connections(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hold(self: Any, config: Any, context: Any) -> NodeResult:
        await context.store(lambda session: session.connection())
        await asyncio.sleep(0.1 if context.node_id == "n0" else 0.3)
        return NodeResult()

    monkeypatch.setattr(CreateRecordOperator, "run", hold)
    make = {"type": "create_record", "config": {"pipeline_id": "deals", "record_data": {}}}
    names = [f"n{number}" for number in range(24)]
    # What follows begins while the others still hold their connections.
    fan = [pair for name in names for pair in (f"start>{name}", f"{name}>late_{name}")]
    late = [note(f"late_{name}") for name in names]
    document = workflow(*({"id": name, **make} for name in names), *late, edges=edges(*fan))
    assert bench.run(document)["status"] == "success"


def test_a_store_that_stops_answering_is_one_clear_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[str] = []

    async def work(self: Any, config: Any, context: Any) -> NodeResult:
        if config.pipeline_id == "leads":

            def down(*args: Any, **kwargs: Any) -> Any:
                raise InfrastructureError("the oneo database does not answer", "start the stack")

            monkeypatch.setattr(bench.database, "tenant", down)
            return NodeResult()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(context.node_id)
            raise
        return NodeResult()

    monkeypatch.setattr(CreateRecordOperator, "run", work)
    nodes = [
        {"id": name, "type": "create_record", "config": {"pipeline_id": pipeline, "record_data": {}}}
        for name, pipeline in (("slow", "deals"), ("slow2", "deals"), ("fails", "leads"))
    ]
    state = bench.begin(workflow(*nodes, edges=edges("start>slow", "start>slow2", "start>fails")))
    runner = PlanRunner(state.plan, state, bench.catalogue, bench.database, bench.vault)
    with pytest.raises(InfrastructureError, match="does not answer"):
        asyncio.run(runner.run())
    assert sorted(stopped) == ["slow", "slow2"]


def test_a_type_that_is_not_installed_stops_the_run_before_it_begins(bench: Bench) -> None:
    class Without:
        """A catalogue that lost a type since the plan was made."""

        broken: ClassVar[dict[str, Any]] = {}

        def get(self, name: str) -> Any:
            return None if name == "find_records" else bench.catalogue.get(name)

    state = bench.begin(workflow(note("a"), broken("find")))
    runner = PlanRunner(state.plan, state, Without(), bench.database, bench.vault)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="node type 'find_records' of node 'find' is not installed"):
        asyncio.run(runner.run())
    assert [row.node_id for row in bench.rows(state.id)] == ["start"]


def test_a_second_run_of_the_same_execution_repeats_nothing(bench: Bench) -> None:
    state = bench.begin(workflow(note("a"), broken("find"), note("last")))
    assert bench.finish(state)["status"] == "failed"
    bench.pipeline("no_such")
    state.outputs.clear()
    again = bench.finish(state)
    assert (again["status"], again["nodes"]["find"]["attempts"]) == ("success", 2)
    assert len(bench.notifications_of(again["execution"])) == 2


def test_run_here_is_the_whole_way(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from oneo_app.runs import run_here

    monkeypatch.setenv(f"AIRFLOW_VAR_ONEO__{bench.tenant.upper()}__GREETING", "hush-hush-value")
    lead = bench.record("leads", name="Ada")
    document = workflow(note("a", "{{record.name}} {{secrets.greeting}}"))
    report = run_here(bench.database, bench.tenant, document, {"record_id": lead})
    assert report["status"] == "success", report["error"]
    assert report["nodes"]["a"]["input"]["message"] == "Ada ***"
    assert "hush" not in repr(report)


def test_plans_without_triggers_run_too(bench: Bench) -> None:
    plan = compile_workflow(
        Workflow.model_validate({"name": "w", "nodes": [note("a")]}), bench.catalogue, "hash"
    )
    assert bench.run(plan)["status"] == "success"
    assert START["type"] not in {node.type for node in plan.nodes}
