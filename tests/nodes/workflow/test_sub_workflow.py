"""sub_workflow: what the other workflow is given, when it runs, for whom, and what is said when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from dag_factory.publish import publish
from oneo.errors import ConfigError, InvalidDefinitionError
from oneo.settings import settings
from oneo.store import dag_runs, execution_queue, executions, families, workflows
from oneo_app.report import execution_report
from oneo_app.runs import run_here, run_queued
from oneo_operators.completion import complete
from oneo_operators.execution import state_of
from tests.nodes.bench import COUNT, EXAMPLES, MAKE, REMIND, START, TELL, Bench, workflow

EXAMPLE = EXAMPLES["sub_workflow"]


def shows(name: str = "other", /, **values: Any) -> dict[str, Any]:
    """A workflow whose output tells what it saw."""
    sources = [{"source": "static", "data": values}]
    return named(name, {"id": "show", "type": "merge_data", "config": {"merge_sources": sources}})


def named(name: str, *nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "nodes": [START, *nodes], **more}


def calling(workflow_id: str, **options: Any) -> dict[str, Any]:
    config = {"workflow_id": workflow_id, **options}
    return {"id": "call", "type": "sub_workflow", "config": config}


def put(bench: Bench, *documents: dict[str, Any]) -> None:
    for document in documents:
        publish(bench.database, bench.tenant, document, bench.catalogue)


def call(
    bench: Bench, config: dict[str, Any], data: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    output: dict[str, Any] = bench.node(
        "sub_workflow", {"workflow_id": "other", **config}, data, **more
    ).output
    return output


def shown(bench: Bench, execution_id: str) -> dict[str, Any]:
    with bench.database.tenant(bench.tenant) as session:
        return execution_report(session, executions.get(session, UUID(execution_id)))


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets who starts workflows; `eva` is a manager."""
    monkeypatch.setenv("ONEO_USER_TYPES", '{"eva": ["manager"]}')

    def be(name: str) -> None:
        monkeypatch.setenv("ONEO_USER", name)
        settings.cache_clear()

    be("eva")
    yield be
    monkeypatch.undo()
    settings.cache_clear()


def test_the_example_runs_the_campaign_about_the_parents_record(bench: Bench) -> None:
    put(
        bench,
        shows("email_campaign_workflow", parent="{{ trigger.parent_record }}", name="{{ record.name }}"),
    )
    lead = bench.record("leads", name="Ada")
    output = bench.node("sub_workflow", EXAMPLE, {"record_id": lead}).output
    assert output["output"] == {"parent": lead, "name": "Ada"}
    assert (output["workflow_id"], output["version"], output["status"]) == (
        "email_campaign_workflow",
        1,
        "success",
    )


def test_pass_context_gives_what_earlier_nodes_left(bench: Bench) -> None:
    put(bench, shows(task="{{ trigger.task_id }}", name="{{ trigger.name }}"))
    lead = bench.record("leads", name="Ada")
    found = call(bench, {"pass_context": True}, {"record_id": lead}, nodes=[REMIND])
    [task] = bench.tasks_of(lead)
    assert found["output"] == {"task": str(task["task_id"]), "name": "Ada"}


def test_without_pass_context_only_the_mapping_is_given(bench: Bench) -> None:
    put(bench, shows(record="{{ default(trigger.record_id, 'none') }}", n="{{ trigger.n }}"))
    lead = bench.record("leads")
    found = call(bench, {"pass_context": False, "context_mapping": {"n": 1}}, {"record_id": lead})
    assert found["output"] == {"record": "none", "n": 1}


def test_the_mapping_comes_before_the_context(bench: Bench) -> None:
    put(bench, shows(name="{{ record.name }}"))
    mine, others = bench.record("leads", name="mine"), bench.record("leads", name="other")
    found = call(bench, {"context_mapping": {"record_id": others}}, {"record_id": mine})
    assert found["output"] == {"name": "other"}


def test_it_is_an_execution_of_its_own_that_knows_its_parent(bench: Bench) -> None:
    put(bench, shows(n=1))
    ran = bench.node("sub_workflow", {"workflow_id": "other"})
    child = shown(bench, ran.output["execution_id"])
    assert (child["parent"], child["parent_node"], child["depth"]) == (ran.execution, "node", 1)
    assert (child["trigger"], child["url"], child["status"]) == ("sub_workflow", None, "success")
    assert set(child["nodes"]) == {"start", "show"}
    [listed] = ran.report["children"]
    assert (listed["execution"], listed["node"], listed["workflow"]) == (child["execution"], "node", "other")
    assert set(ran.report["nodes"]) == {"start", "node"}


def test_airflow_is_not_asked_about_it(bench: Bench) -> None:
    put(bench, named("other", MAKE))
    ran = bench.node("sub_workflow", {"workflow_id": "other"})
    with bench.database.system() as session:
        row = executions.get_for_update(session, bench.tenant, UUID(ran.output["execution_id"]))
        row.status = "running"
        session.flush()
        assert (row.dag_id, row.run_id) not in dag_runs.open_runs(session, 0)


def test_started_without_waiting_it_stands_in_the_queue_with_its_parent(bench: Bench) -> None:
    put(bench, shows(n="{{ trigger.n }}"))
    ran = bench.node(
        "sub_workflow",
        {"workflow_id": "other", "wait_for_completion": False, "context_mapping": {"n": 7}},
    )
    assert ran.output["status"] == "started"
    waiting = shown(bench, ran.output["execution_id"])
    assert (waiting["status"], waiting["parent"], waiting["depth"]) == ("pending", ran.execution, 1)
    with bench.database.system() as session:
        workflows.mark_live(session, bench.tenant, "other", 1)
        due = [row.id for row in execution_queue.claim_due(session, 1000)]
    assert UUID(waiting["execution"]) in due
    run_queued(bench.database, bench.tenant, UUID(ran.execution))
    done = shown(bench, waiting["execution"])
    assert (done["status"], done["output"]) == ("success", {"n": 7})


def test_a_local_run_also_runs_what_it_queued_and_what_that_queued(bench: Bench) -> None:
    put(bench, named("last", TELL), named("other", calling("last", wait_for_completion=False)))
    document = named("first", calling("other", wait_for_completion=False))
    report = run_here(bench.database, bench.tenant, document, {})
    assert [child["status"] for child in report["children"]] == ["success"]
    [inner] = shown(bench, report["children"][0]["execution"])["children"]
    assert inner["status"] == "success"
    assert len(bench.notifications_of(inner["execution"])) == 1


def test_a_node_that_fails_has_queued_nothing(
    bench: Bench, behave: Callable[[Callable[[Any, Any], Any]], None]
) -> None:
    from oneo_operators.calling import Wanted

    put(bench, shows(n=1))

    async def queue_and_fail(config: Any, context: Any) -> None:
        await context.store(lambda session: context.workflows.queue(session, Wanted("other", {})))
        raise ConfigError("no")

    behave(queue_and_fail)
    report = bench.run(workflow(MAKE))
    assert (report["status"], report["children"]) == ("failed", [])


def test_one_that_takes_too_long_is_stopped_and_fails_for_good(
    bench: Bench, behave: Callable[[Callable[[Any, Any], Any]], None]
) -> None:
    behave(lambda config, context: asyncio.Event().wait())
    put(bench, named("other", MAKE))
    ran = bench.node(
        "sub_workflow",
        {"workflow_id": "other", "timeout_minutes": 0.001},
        error_handling={"retry_count": 3},
    )
    assert "sub-workflow 'other' failed: it ran longer than 0.001 minutes" in ran.message
    assert ran.node["attempts"] == 1
    [child] = ran.report["children"]
    stopped = shown(bench, child["execution"])
    assert (stopped["status"], stopped["error"]["type"]) == ("failed", "Timeout")
    assert stopped["nodes"]["make"]["error"]["type"] == "Stopped"


def test_the_failure_names_the_node_and_the_execution(bench: Bench) -> None:
    put(bench, named("other", COUNT))
    ran = bench.node("sub_workflow", {"workflow_id": "other"}, {"id": "x"})
    [child] = ran.report["children"]
    assert ran.error["message"].startswith("sub-workflow 'other' failed: node 'count': ")
    assert child["execution"] in ran.error["hint"]
    assert child["status"] == "failed"


def test_permissions_are_inherited_or_asked_for_again(bench: Bench, users: Callable[[str], None]) -> None:
    manual = {**START, "config": {"allowed_user_types": ["manager"]}}
    put(bench, {"id": "other", "name": "other", "nodes": [manual, TELL]})
    strict = named("strict", calling("other", inherit_permissions=False))

    def status(document: dict[str, Any]) -> tuple[str, str]:
        report = run_here(bench.database, bench.tenant, document, {})
        return report["status"], (report["error"] or {}).get("message", "")

    assert status(strict)[0] == "success"
    users("tom")
    assert status(named("trusting", calling("other")))[0] == "success"
    refused, why = status(strict)
    assert (refused, "user 'tom' may not start this workflow" in why) == ("failed", True)
    # Started by nobody we know of.
    assert "user 'unknown' may not" in bench.run(strict)["error"]["message"]


def test_who_started_the_parent_stands_behind_its_children(
    bench: Bench, users: Callable[[str], None]
) -> None:
    put(bench, shows("last", n=1), named("other", calling("last")))
    report = run_here(bench.database, bench.tenant, named("first", calling("other")), {})
    [child] = report["children"]
    [last] = shown(bench, child["execution"])["children"]
    assert report["started_by"] == "eva"
    assert shown(bench, last["execution"])["started_by"] == "eva"


def test_a_question_is_answered_in_the_mapping(bench: Bench) -> None:
    asks = {**START, "config": {"require_confirmation": True, "confirmation_message": "Sure?"}}
    put(bench, {"id": "other", "name": "other", "nodes": [asks, TELL]})
    strict = {"workflow_id": "other", "inherit_permissions": False}
    assert "Sure?" in bench.node("sub_workflow", strict).message
    confirmed = bench.node("sub_workflow", {**strict, "context_mapping": {"oneo_confirmed": True}})
    assert confirmed.output["status"] == "success"
    assert bench.node("sub_workflow", {"workflow_id": "other"}).output["status"] == "success"


def test_the_newest_version_runs_unless_one_is_pinned(bench: Bench) -> None:
    put(bench, shows(n=1), shows(n=2))
    assert call(bench, {})["output"] == {"n": 2}
    assert call(bench, {"version": 1})["output"] == {"n": 1}
    assert (
        "has no version 9 (the newest is 2)"
        in bench.node("sub_workflow", {"workflow_id": "other", "version": 9}).message
    )


def test_a_queued_one_cannot_be_pinned(bench: Bench) -> None:
    [problem] = bench.problems(
        "sub_workflow", {"workflow_id": "other", "version": 1, "wait_for_completion": False}
    )
    assert "leave version out" in problem


def test_variables_that_are_missing_or_do_not_fit_are_all_named(bench: Bench) -> None:
    variables = {"email": {"type": "string", "required": True}, "n": {"type": "integer"}}
    put(bench, {**shows(n="{{ variables.n }}"), "variables": variables})
    ran = bench.node("sub_workflow", {"workflow_id": "other", "context_mapping": {"n": "two"}})
    assert ran.error["type"] == "ConfigError"
    assert "sub-workflow 'other': variable 'email' is required; variable 'n': 'two'" in ran.message
    assert ran.report["children"] == []
    good = call(bench, {"context_mapping": {"email": "a@b.de", "n": 3}})
    assert good["output"] == {"n": 3}


@pytest.mark.parametrize(
    ("workflow_id", "said"),
    [
        ("oter", "there is no workflow 'oter' (did you mean 'other'?)"),
        ("gone", "workflow 'gone' was withdrawn"),
        ("draft", "workflow 'draft' is not published"),
    ],
)
def test_a_workflow_that_is_not_in_service(bench: Bench, workflow_id: str, said: str) -> None:
    put(bench, shows(), shows("gone"))
    with bench.database.tenant(bench.tenant) as session:
        workflows.withdraw(session, bench.tenant, "gone")
        workflows.ensure_known(session, bench.tenant, "draft", "Draft")
    ran = bench.node("sub_workflow", {"workflow_id": workflow_id})
    assert (ran.error["type"], said in ran.message) == ("ConfigError", True), ran.message


def test_secrets_are_not_kept_with_the_sub_workflow(bench: Bench) -> None:
    bench.vault.keep("key", "hush-hush-value")
    put(bench, shows(key="{{ trigger.key }}", own="{{ secrets.key == 'hush-hush-value' }}"))
    output = call(bench, {"context_mapping": {"key": "{{ secrets.key }}"}})
    assert output["output"] == {"key": "***", "own": True}
    assert "hush" not in repr(shown(bench, output["execution_id"]))


def test_how_deep_workflows_may_call_each_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    put(bench, shows("c", n=1), named("b", calling("c")), named("a", calling("b")))
    monkeypatch.setenv("ONEO_MAX_SUB_WORKFLOW_DEPTH", "2")
    settings.cache_clear()
    try:
        assert bench.node("sub_workflow", {"workflow_id": "b"}).output["status"] == "success"
        assert "more than 2 deep in each other: w → a → b → c" in (
            bench.node("sub_workflow", {"workflow_id": "a"}).message
        )
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_a_workflow_that_calls_itself_cannot_be_saved(bench: Bench) -> None:
    with pytest.raises(InvalidDefinitionError, match="workflow 'a' cannot call itself"):
        put(bench, named("a", calling("a")))


def test_a_circle_of_calls_cannot_be_published(bench: Bench) -> None:
    put(bench, named("c", TELL), named("b", calling("c")), named("a", calling("b")))
    with pytest.raises(InvalidDefinitionError, match="c → a → b → c") as caught:
        put(bench, named("c", calling("a")))
    assert [problem.path for problem in caught.value.problems] == ["$.nodes[1].config.workflow_id"]
    # What is withdrawn calls nobody.
    with bench.database.tenant(bench.tenant) as session:
        workflows.withdraw(session, bench.tenant, "a")
    put(bench, named("c", calling("a")))


def test_many_side_by_side_and_in_each_other_share_the_places_of_the_task(bench: Bench) -> None:
    put(bench, named("c", TELL, MAKE), named("b", calling("c")), named("a", calling("b")))
    each = {
        "id": "each",
        "type": "for_each",
        "config": {"items_source": 30, "parallel_processing": True, "batch_size": 30},
    }
    edges = [
        {"source": "start", "target": "each"},
        {"source": "each", "target": "call", "loop": True},
        {"source": "call", "target": "each", "loop_back": True},
    ]
    report = bench.run({"name": "w", "nodes": [START, each, calling("a")], "edges": edges})
    assert report["status"] == "success", report["error"]
    assert len(report["children"]) == 30
    assert len(bench.all("deals")) == 30


def test_a_task_that_runs_only_this_node_calls_as_well(bench: Bench) -> None:
    put(bench, shows(n=1))
    outcome = bench.attempt(bench.begin(workflow(calling("other"))), "call")
    assert (outcome.status, outcome.output["output"]) == ("success", {"n": 1})


class TestBrokenOff:
    """A parent whose process ends while its sub-workflow is at work."""

    @pytest.fixture
    def count(self, bench: Bench) -> str:
        return bench.record("deals", n=0)

    @pytest.fixture
    def broken(self, bench: Bench, behave: Callable[..., None], count: str) -> Any:
        """The parent's state; the sub-workflow has counted, then the process was killed."""
        put(bench, named("other", COUNT, MAKE))

        def killed(config: Any, context: Any) -> None:
            raise KeyboardInterrupt

        behave(killed)
        state = bench.begin(workflow(calling("other", context_mapping={"id": count})))
        with pytest.raises(KeyboardInterrupt):
            bench.finish(state)
        return state

    def test_it_goes_on_where_it_stood(
        self, bench: Bench, broken: Any, behave: Callable[..., None], count: str
    ) -> None:
        from oneo_operators.result import NodeResult

        behave(lambda config, context: NodeResult({"made": True}))
        put(bench, shows("other", version=2))
        report = bench.finish(broken)
        assert report["status"] == "success", report["error"]
        output = report["nodes"]["call"]["output"]
        assert (output["output"], output["version"]) == ({"made": True}, 1)
        assert bench.get(count)["n"] == 1  # type: ignore[index]
        assert len(report["children"]) == 1

    def test_what_led_to_it_is_in_the_log_before_it_begins(
        self, bench: Bench, behave: Callable[..., None]
    ) -> None:
        from oneo_operators.result import NodeResult

        luck = {"id": "luck", "type": "set_variable", "config": {"variables": {"n": "{{ uuid() }}"}}}
        state = bench.begin(workflow(luck, calling("other", context_mapping={"n": "{{ variables.n }}"})))
        seen: list[str] = []

        def look(config: Any, context: Any) -> NodeResult:
            seen.extend(row.node_id for row in bench.rows(state.id) if row.status == "success")
            return NodeResult({})

        behave(look)
        put(bench, named("other", MAKE))
        assert bench.finish(state)["status"] == "success"
        assert seen == ["start", "luck"]

    def test_what_has_ended_is_not_run_again(self, bench: Bench, count: str) -> None:
        put(bench, named("other", COUNT))
        state = bench.begin(workflow(calling("other", context_mapping={"id": count})))
        first = bench.finish(state)
        with bench.database.tenant(bench.tenant) as session:
            # As if the process had ended before the node could say so.
            [row] = [row for row in bench.rows(state.id) if row.node_id == "call"]
            session.delete(session.merge(row))
        again = bench.finish(state)
        assert again["nodes"]["call"]["output"] == first["nodes"]["call"]["output"]
        assert bench.get(count)["n"] == 1  # type: ignore[index]

    def test_a_parent_that_ends_for_good_closes_it(self, bench: Bench, broken: Any) -> None:
        with bench.database.tenant(bench.tenant) as session:
            child = families.children(session, broken.id)[0].id
        assert shown(bench, str(child))["status"] == "running"
        with bench.database.system() as session:
            complete(
                session,
                executions.get_for_update(session, bench.tenant, broken.id),
                broken.plan,
                "failed",
            )
        closed = shown(bench, str(child))
        assert (closed["status"], closed["error"]["type"]) == ("failed", "Interrupted")
        assert {node["status"] for node in closed["nodes"].values()} == {"success", "failed"}


def test_another_workflow_cannot_take_the_place_of_one_that_has_begun(bench: Bench) -> None:
    bad = {"id": "bad", "type": "find_records", "config": {"pipeline_id": "no_such"}}
    put(bench, named("other", bad), shows("third"))
    deal = bench.record("deals", which="other")
    state = bench.begin(workflow(calling("{{ record.which }}")), {"record_id": deal})
    assert bench.finish(state)["status"] == "failed"
    bench.run(
        workflow({"id": "set", "type": "update_record", "config": {"update_fields": {"which": "third"}}}),
        {"record_id": deal},
    )
    with bench.database.tenant(bench.tenant) as session:
        later = state_of(session, executions.get(session, state.id), state.plan)
    report = bench.finish(later)
    assert "has begun workflow 'other', and now it is to run 'third'" in report["error"]["message"]


def test_an_operator_in_a_hand_written_dag_says_what_to_use(bench: Bench) -> None:
    from datetime import UTC, datetime

    from oneo.expressions import Scope
    from oneo_operators.context import NodeContext

    moment = datetime.now(UTC)
    context = NodeContext(
        lambda: bench.database,
        Scope({}, now=moment),
        tenant_id=bench.tenant,
        execution_id=None,
        node_id="n",
        vault=bench.vault,
        now=moment,
    )
    operator = bench.catalogue.get("sub_workflow")
    assert operator is not None
    config = operator.Config.model_validate({"workflow_id": "other"})
    with pytest.raises(ConfigError, match="TriggerDagRunOperator"):
        asyncio.run(operator(task_id="n").run(config, context))
