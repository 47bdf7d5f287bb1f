"""One attempt of a node: exactly once, all or nothing, and who handles a failure."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from oneo.errors import PermanentNodeError, TransientNodeError
from oneo.store import records
from oneo_operators.attempt import NodeAttempt
from oneo_operators.result import NodeResult
from tests.nodes.bench import COUNT, MAKE, REMIND, RESOLVE, TELL, Bench, workflow


def test_run_twice_the_kept_result_comes_back_and_nothing_happens_again(bench: Bench) -> None:
    deal = bench.record("deals", n=0)
    state = bench.begin(workflow(MAKE, COUNT, TELL, REMIND, RESOLVE), {"id": deal})
    for node in ("make", "count", "tell", "remind", "who"):
        first, second = bench.attempt(state, node), bench.attempt(state, node)
        assert (first.replayed, second.replayed) == (False, True)
        assert (first.output, first.context_updates, first.routes) == (
            second.output,
            second.context_updates or {},
            second.routes,
        )
        assert len(bench.attempts(state, node)) == 1
    assert (bench.get(deal) or {})["n"] == 1
    assert len(bench.all("deals")) == 2
    assert len(bench.notifications_of(str(state.id))) == 1


@pytest.mark.parametrize("node", [MAKE, COUNT, TELL, REMIND, RESOLVE], ids=lambda node: str(node["type"]))
def test_run_at_the_same_time_there_is_one_effect_and_one_outcome(bench: Bench, node: dict[str, Any]) -> None:
    deal = bench.record("deals", n=0)
    state = bench.begin(workflow(node), {"id": deal})
    here = threading.Barrier(4)

    def run(_: int) -> Any:
        here.wait(5)
        return bench.attempt(state, str(node["id"]))

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(run, range(4)))
    assert {outcome.status for outcome in outcomes} == {"success"}, [outcome.error for outcome in outcomes]
    assert all(outcome.output == outcomes[0].output for outcome in outcomes)
    assert sum(not outcome.replayed for outcome in outcomes) == 1
    assert [row.status for row in bench.attempts(state, str(node["id"]))] == ["success"]
    assert (bench.get(deal) or {})["n"] == (1 if node is COUNT else 0)
    assert len(bench.all("deals")) == (2 if node is MAKE else 1)
    assert len(bench.all("contacts")) == (1 if node is RESOLVE else 0)


def test_a_failure_takes_effects_back_and_leaves_a_row(bench: Bench, behave: Any) -> None:
    async def work(config: Any, context: Any) -> NodeResult:
        await context.store(lambda session: records.create(session, bench.tenant, "deals", {}))
        raise PermanentNodeError("the provider said no", "ask it")

    behave(work)
    state = bench.begin(workflow(MAKE))
    outcome = bench.attempt(state, "make")
    assert (outcome.status, outcome.routes) == ("failed", ())
    assert bench.all("deals") == []
    [row] = bench.attempts(state, "make")
    assert row.status == "failed"
    assert row.ended_at > row.started_at
    assert row.input["pipeline_id"] == "deals"
    assert row.error == {
        "type": "PermanentNodeError",
        "message": "the provider said no",
        "hint": "ask it",
        "node": "make",
        "attempt": 1,
    }


def test_attempts_are_numbered_and_see_the_same_moment_and_chances(bench: Bench, behave: Any) -> None:
    seen: list[Any] = []

    def work(config: Any, context: Any) -> NodeResult:
        seen.append((context.now, config.record_data))
        if len(seen) < 3:
            raise TransientNodeError("busy")
        return NodeResult({"ok": True})

    behave(work)
    state = bench.begin(workflow(MAKE))
    for _ in range(3):
        outcome = bench.attempt(state, "make", retries=True)
    assert outcome.output == {"ok": True}
    assert seen[0] == seen[1] == seen[2]
    rows = bench.attempts(state, "make")
    assert [(row.attempt, row.status) for row in rows] == [(1, "failed"), (2, "failed"), (3, "success")]
    assert rows[1].error["attempt"] == 2


ERROR_EDGE = [
    {"source": "start", "target": "make"},
    {"source": "make", "target": "tell", "condition": "error"},
]


@pytest.mark.parametrize(
    ("more", "routes"),
    [
        ({}, ()),
        ({"error_handling": {"on_error": "continue"}}, ("success",)),
        ({"edges": ERROR_EDGE}, ("error",)),
        ({"edges": ERROR_EDGE, "error_handling": {"on_error": "continue"}}, ("error",)),
    ],
)
def test_who_handles_a_failure(
    bench: Bench, behave: Any, more: dict[str, Any], routes: tuple[str, ...]
) -> None:
    def work(config: Any, context: Any) -> NodeResult:
        raise TransientNodeError("busy", retry_after=3)

    behave(work)
    state = bench.begin(workflow(MAKE, TELL, **more))
    again = bench.attempt(state, "make", retries=True)
    assert (again.routes, again.output) == ((), None)
    assert isinstance(again.error, TransientNodeError)
    assert again.error.retry_after == 3
    last = bench.attempt(state, "make", retries=False)
    assert last.routes == routes
    assert (last.output is None) == (routes == ())
    if routes:
        assert last.output["error"]["message"] == "busy"
    assert [tuple(row.routes or ()) for row in bench.attempts(state, "make")] == [(), routes]


def test_stores_of_one_node_run_one_after_the_other(bench: Bench, behave: Any) -> None:
    async def work(config: Any, context: Any) -> NodeResult:
        def create(number: int) -> Any:
            return context.store(
                lambda session: records.create(session, bench.tenant, "deals", {"n": number}).data
            )

        return NodeResult(await asyncio.gather(*(create(number) for number in range(10))))

    behave(work)
    outcome = bench.attempt(bench.begin(workflow(MAKE)), "make")
    assert outcome.output == [{"n": number} for number in range(10)]
    assert len(bench.all("deals")) == 10


def test_a_stopped_attempt_takes_its_changes_back_once_its_thread_is_done(bench: Bench, behave: Any) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    async def work(config: Any, context: Any) -> NodeResult:
        def slow(session: Any) -> None:
            records.create(session, bench.tenant, "deals", {})
            at_work.set()
            go_on.wait(5)

        await context.store(slow)
        return NodeResult()

    behave(work)
    state = bench.begin(workflow(MAKE))

    async def stop_it() -> None:
        task = asyncio.create_task(bench.attempt_of(state, "make").run(may_retry=lambda _: False))
        await asyncio.to_thread(at_work.wait, 5)
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stop_it())
    assert bench.all("deals") == []
    [row] = bench.attempts(state, "make")
    assert (row.status, row.error["type"]) == ("failed", "Stopped")


def test_an_attempt_can_be_opened_in_the_callers_transaction(bench: Bench) -> None:
    state = bench.begin(workflow(MAKE))
    attempt: NodeAttempt = bench.attempt_of(state, "make")
    with bench.database.tenant(bench.tenant) as session:
        attempt.open(session)
    assert [row.status for row in bench.attempts(state, "make")] == ["running"]
    assert asyncio.run(attempt.run(may_retry=lambda _: False)).status == "success"
    assert [row.status for row in bench.attempts(state, "make")] == ["success"]
