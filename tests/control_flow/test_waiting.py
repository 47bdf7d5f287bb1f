"""Executions that wait and are taken up by another process: they go on where they stood."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from oneo.store import executions
from oneo_operators.execution import ExecutionState
from oneo_operators.runner import PlanRunner
from tests.control_flow.cases_waits import pause
from tests.control_flow.test_store_in_loops import create, document, values
from tests.control_flow.writing import each, put, show, split
from tests.http.server import Answer, RecordingServer
from tests.nodes.bench import Bench

LONG = 3600
EACH = "start > each; each > before loop; before > pause; pause > after; after > each back; each > end done"


def waiting(bench: Bench, state: ExecutionState) -> datetime:
    """Run as far as it goes; until when it waits."""
    end = bench.go_on(state)
    assert end.status == "waiting"
    assert end.until is not None
    return end.until


def let_pass(bench: Bench, state: ExecutionState, seconds: int = LONG) -> None:
    """As if so much time had passed since everything that has begun."""
    with bench.database.system() as session:
        for table in ("execution_log", "executions"):
            key = "execution_id" if table == "execution_log" else "id"
            session.connection().exec_driver_sql(
                f"UPDATE {table} SET started_at = started_at - interval '{seconds} s' WHERE {key} = %s",
                (state.id,),
            )


def status(bench: Bench, state: ExecutionState) -> str:
    with bench.database.tenant(bench.tenant) as session:
        return executions.get(session, state.id).status


def test_what_was_done_before_a_wait_is_done_once(bench: Bench) -> None:
    nodes = {
        "each": each(3),
        "before": create("deals", n="{{ item }}"),
        "pause": pause(LONG),
        "after": create("deals", n="{{ item + 10 }}"),
        "end": create("deals", n=99),
    }
    state = bench.begin(document(nodes, EACH))
    for done in ([0], [0, 1, 10], [0, 1, 2, 10, 11]):
        assert waiting(bench, state) > datetime.now(UTC)
        assert sorted(values(bench, "deals", "n")) == done
        assert status(bench, state) == "waiting"
        let_pass(bench, state)
        state = bench.again(state)
        assert status(bench, state) == "running"
    report = bench.finish(state)
    assert sorted(values(bench, "deals", "n")) == [0, 1, 2, 10, 11, 12, 99]
    assert report["status"] == "success"
    assert {node["attempts"] for node in report["nodes"].values()} == {1}


def test_taken_up_too_early_it_waits_on(bench: Bench) -> None:
    state = bench.begin(
        document({"pause": pause(LONG), "end": create("deals", n=1)}, "start > pause; pause > end")
    )
    until = waiting(bench, state)
    assert waiting(bench, bench.again(state)) == until
    assert values(bench, "deals", "n") == []
    [row] = bench.attempts(state, "pause")
    assert (row.status, row.output) == ("waiting", {"until": until.isoformat()})


def test_the_earliest_of_several_waits_is_what_is_waited_for(bench: Bench) -> None:
    nodes = {"split": split(), "long": pause(2 * LONG), "short": pause(LONG), "then": create("deals", n=1)}
    state = bench.begin(document(nodes, "start > split; split > long; split > short; short > then"))
    until = waiting(bench, state)
    assert until - datetime.now(UTC) < timedelta(seconds=LONG)
    let_pass(bench, state)
    state = bench.again(state)
    assert waiting(bench, state) - until < timedelta(seconds=LONG + 5)
    assert values(bench, "deals", "n") == [1]


def test_a_call_that_failed_for_good_is_not_made_again_behind_a_wait(
    bench: Bench, server: RecordingServer
) -> None:
    server.on("GET", "/gone", Answer(status=404, body="no"))
    call = {"type": "http_request", "config": {"url": server.url("/gone")}}
    nodes = {
        "each": each(2, continue_on_error=True, parallel_processing=True),
        "before": {
            "type": "condition",
            "config": {
                "conditions": [{"if": "item == 0", "label": "call"}, {"else": "pause", "label": "pause"}]
            },
        },
        "call": call,
        "pause": pause(LONG),
        "after": show(n=1),
        "end": show(failed="{{ nodes.each.errors[0].error.message }}"),
    }
    order = """start > each; each > before loop; before > call : call; before > pause : pause; pause > after
               call > each back; after > each back; each > end done"""
    state = bench.begin(document(nodes, order))
    waiting(bench, state)
    let_pass(bench, state)
    report = bench.finish(bench.again(state))
    assert len(server.requests) == 1
    assert report["nodes"]["each"]["output"]["failed_count"] == 1
    assert "404" in report["nodes"]["end"]["output"]["failed"]


def test_a_loop_keeps_the_items_it_began_with(bench: Bench) -> None:
    lead = bench.record("leads", tags=["a", "b"])
    nodes = {
        "each": each("{{ record.tags }}"),
        "before": pause(LONG),
        "pause": {"type": "update_record", "config": {"update_fields": {"tags": ["z"]}}},
        "after": show(tag="{{ item }}"),
        "end": show(tags="{{ nodes.each.results | map('tag') }}", now="{{ record.tags }}"),
    }
    state = bench.begin(document(nodes, EACH), {"record_id": lead})
    for _ in range(2):
        waiting(bench, state)
        let_pass(bench, state)
        state = bench.again(state)
    assert bench.finish(state)["nodes"]["end"]["output"] == {"tags": ["a", "b"], "now": ["z"]}


def test_secrets_of_a_node_that_waits_are_not_kept_and_are_there_again(bench: Bench) -> None:
    bench.vault.keep("key", "s3cret-value")
    nodes = {
        "each": each(["{{ secrets.key }}"]),
        "before": put(length="{{ item | length }}"),
        "pause": pause(LONG),
        "after": show(same="{{ item == secrets.key }}"),
        "end": show(n="{{ nodes.each.results }}"),
    }
    state = bench.begin(document(nodes, EACH))
    waiting(bench, state)
    assert "s3cret" not in str([(row.input, row.output, row.context_updates) for row in bench.rows(state.id)])
    let_pass(bench, state)
    report = bench.finish(bench.again(state))
    assert report["nodes"]["end"]["output"] == {"n": [{"same": True}]}


def test_a_workflow_that_may_not_take_so_long_ends_in_its_wait(bench: Bench) -> None:
    nodes = {"pause": pause(2 * LONG), "end": show(n=1)}
    more = {"settings": {"timeout_minutes": 60}}
    state = bench.begin({**document(nodes, "start > pause; pause > end"), **more})
    assert (
        timedelta() <= waiting(bench, state) - state.started_at - timedelta(minutes=60) < timedelta(minutes=1)
    )
    let_pass(bench, state)
    state = bench.again(state)
    end = bench.go_on(state)
    assert end.status == "timed_out"
    report = bench.complete(state, end.status)
    assert "not done after 60 minutes: still running: 'pause'" in report["error"]["message"]
    assert report["nodes"]["pause"]["error"]["message"] == "the run ended while this node waited"


def test_two_processes_that_take_up_the_same_wait_do_its_work_once(bench: Bench) -> None:
    nodes = {"pause": pause(LONG), "end": create("deals", n=1)}
    state = bench.begin(document(nodes, "start > pause; pause > end"))
    waiting(bench, state)
    let_pass(bench, state)
    both = [bench.again(state), bench.again(state)]

    def runner(one: ExecutionState) -> PlanRunner:
        return PlanRunner(one.plan, one, bench.catalogue, bench.database, bench.vault)

    async def side_by_side() -> list[Any]:
        return list(await asyncio.gather(*(runner(one).run() for one in both)))

    assert [end.status for end in asyncio.run(side_by_side())] == ["success", "success"]
    assert values(bench, "deals", "n") == [1]
