"""Executions that were broken off and run again: what was done is not done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from oneo_operators.execution import ExecutionState
from oneo_operators.nodes.data.update_record import UpdateRecordOperator
from tests.control_flow.test_store_in_loops import EACH, count, create, document, values
from tests.control_flow.writing import add, again, each, leave, show, split
from tests.nodes.bench import Bench


@pytest.fixture
def breaks_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has the process stopped in the round of update_record that is named, once its change is made."""
    work = UpdateRecordOperator.run

    def break_at(place: str, stop: type[BaseException] = KeyboardInterrupt) -> None:
        async def run(self: Any, config: Any, context: Any) -> Any:
            result = await work(self, config, context)
            if context.key == place:
                monkeypatch.setattr(UpdateRecordOperator, "run", work)
                raise stop
            return result

        monkeypatch.setattr(UpdateRecordOperator, "run", run)

    return break_at


def broken_off(bench: Bench, state: ExecutionState, stop: type[BaseException] = KeyboardInterrupt) -> None:
    with pytest.raises(stop):
        bench.finish(state)


def resumed(bench: Bench, state: ExecutionState) -> dict[str, Any]:
    """The report of another run of the same execution, by a process that knows nothing of the first."""
    state.outputs = {name: output for name, output in state.outputs.items() if name == state.trigger_node}
    state.context = {}
    return bench.finish(state)


def started(bench: Bench, state: ExecutionState) -> dict[str, Any]:
    """When each node that succeeded began, by node and round."""
    rows = [row for row in bench.rows(state.id) if row.status == "success"]
    return {f"{row.node_id}{row.loop_index}": row.started_at for row in rows}


def counts(bench: Bench, leads: list[str]) -> list[int]:
    return [(bench.get(lead) or {})["n"] for lead in leads]


def leads_of(bench: Bench, number: int) -> list[str]:
    return [bench.record("leads", n=0) for _ in range(number)]


OVER_LEADS = {
    "each": each("{{ trigger.leads }}"),
    "when": show(now="{{ now }}", lucky="{{ uuid() }}"),
    "work": count("{{ item }}", n=1),
    "end": show(n="{{ nodes.each.success_count }}", at="{{ nodes.each.results | map('record_id') }}"),
}
OVER_LEADS_EDGES = "start > each; each > when loop; when > work; work > each back; each > end done"


def test_a_second_run_of_a_loop_repeats_nothing(bench: Bench) -> None:
    nodes = {"each": each(3), "work": create("deals", n="{{ item }}"), "end": create("deals", n=99)}
    state = bench.begin(document(nodes, EACH))
    first = bench.finish(state)
    before = started(bench, state)
    again_report = resumed(bench, state)
    assert values(bench, "deals", "n") == [0, 1, 2, 99]
    assert again_report["nodes"] == first["nodes"]
    assert started(bench, state) == before


def test_a_crash_in_the_middle_of_a_loop(bench: Bench, breaks_at: Callable[..., None]) -> None:
    leads = leads_of(bench, 5)
    state = bench.begin(document(OVER_LEADS, OVER_LEADS_EDGES), {"leads": leads})
    breaks_at("work[2]")
    broken_off(bench, state)
    assert counts(bench, leads) == [1, 1, 0, 0, 0]
    kept = started(bench, state)
    seen = {row.loop_index: row.output for row in bench.attempts(state, "when")}
    report = resumed(bench, state)
    assert report["status"] == "success"
    assert counts(bench, leads) == [1, 1, 1, 1, 1]
    assert report["nodes"]["end"]["output"] == {"n": 5, "at": leads}
    assert {place: moment for place, moment in started(bench, state).items() if place in kept} == kept
    # What expressions saw as now and as chance in the rounds before is what they have seen.
    after = {row.loop_index: row.output for row in bench.attempts(state, "when")}
    assert {index: after[index] for index in seen} == seen
    assert sorted(seen) == ["[0]", "[1]", "[2]"]
    assert report["nodes"]["work[2]"]["attempts"] == 2
    assert report["nodes"]["work[1]"]["attempts"] == 1


def test_a_crash_in_parallel_rounds(bench: Bench, breaks_at: Callable[..., None]) -> None:
    leads = leads_of(bench, 12)
    nodes = {**OVER_LEADS, "each": each("{{ trigger.leads }}", parallel_processing=True, batch_size=4)}
    state = bench.begin(document(nodes, OVER_LEADS_EDGES), {"leads": leads})
    breaks_at("work[5]")
    broken_off(bench, state)
    assert 4 <= sum(counts(bench, leads)) <= 7
    report = resumed(bench, state)
    assert counts(bench, leads) == [1] * 12
    assert report["nodes"]["end"]["output"] == {"n": 12, "at": leads}


def test_a_run_that_is_stopped_in_a_loop(bench: Bench, breaks_at: Callable[..., None]) -> None:
    leads = leads_of(bench, 3)
    state = bench.begin(document(OVER_LEADS, OVER_LEADS_EDGES), {"leads": leads})
    breaks_at("work[1]", asyncio.CancelledError)
    broken_off(bench, state, asyncio.CancelledError)
    assert counts(bench, leads) == [1, 0, 0]
    stopped = bench.attempts(state, "work")[-1]
    assert (stopped.status, stopped.error["type"]) == ("failed", "Stopped")
    assert resumed(bench, state)["status"] == "success"
    assert counts(bench, leads) == [1, 1, 1]


def test_a_crash_in_an_inner_loop(bench: Bench, breaks_at: Callable[..., None]) -> None:
    leads = leads_of(bench, 2)
    nodes = {
        "outer": each("{{ trigger.leads }}", item_variable="lead"),
        "inner": each(3),
        "work": count("{{ lead }}", n="{{ 1 + item }}"),
        "note": create("deals", at="{{ loop.parent.index }}{{ loop.index }}"),
        "end": show(n="{{ nodes.outer.success_count }}"),
    }
    text = """start > outer; outer > inner loop; inner > work loop; work > note; note > inner back
              inner > outer back; outer > end done"""
    state = bench.begin(document(nodes, text), {"leads": leads})
    breaks_at("work[1][1]")
    broken_off(bench, state)
    assert counts(bench, leads) == [6, 1]
    assert resumed(bench, state)["nodes"]["end"]["output"] == {"n": 2}
    assert counts(bench, leads) == [6, 6]
    assert values(bench, "deals", "at") == ["00", "01", "02", "10", "11", "12"]


def test_a_controller_counts_on_where_it_was_broken_off(bench: Bench, breaks_at: Callable[..., None]) -> None:
    (lead,) = leads_of(bench, 1)
    nodes = {
        "again": again(loop_type="while", while_condition="variables.n < 5"),
        "step": add(n=1),
        "work": count("{{ trigger.lead }}", n="{{ variables.n }}"),
        "end": show(n="{{ variables.n }}", rounds="{{ nodes.again.iterations }}"),
    }
    text = "start > again; again > step loop; step > work; work > again back; again > end done"
    state = bench.begin(document(nodes, text, variables={"n": 0}), {"lead": lead})
    breaks_at("work[3]")
    broken_off(bench, state)
    assert counts(bench, [lead]) == [1 + 2 + 3]
    report = resumed(bench, state)
    assert report["nodes"]["end"]["output"] == {"n": 5, "rounds": 5}
    assert counts(bench, [lead]) == [1 + 2 + 3 + 4 + 5]


def test_a_loop_that_was_left_early_stays_left(bench: Bench, breaks_at: Callable[..., None]) -> None:
    leads = leads_of(bench, 4)
    nodes = {
        "each": each("{{ trigger.leads }}"),
        "stop": leave("loop.index == 2", "enough"),
        "work": count("{{ item }}", n=1),
        "last": count("{{ trigger.leads[3] }}", n=100),
        "end": show(why="{{ nodes.each.exit_reason }}"),
    }
    text = "start > each; each > stop loop; stop > work; work > each back; each > last done; last > end"
    state = bench.begin(document(nodes, text), {"leads": leads})
    breaks_at("last")
    broken_off(bench, state)
    assert counts(bench, leads) == [1, 1, 0, 0]
    assert resumed(bench, state)["nodes"]["end"]["output"] == {"why": "enough"}
    assert counts(bench, leads) == [1, 1, 0, 100]


def test_a_branch_beside_the_crash_is_not_repeated(bench: Bench, breaks_at: Callable[..., None]) -> None:
    leads = leads_of(bench, 2)
    nodes = {
        "split": split(),
        "a": create("deals", name="a"),
        "b": count("{{ trigger.leads[0] }}", n=1),
        "join": count("{{ trigger.leads[1] }}", n=1),
    }
    text = "start > split; split > a; split > b; a > join; b > join"
    state = bench.begin(document(nodes, text), {"leads": leads})
    breaks_at("join")
    broken_off(bench, state)
    assert resumed(bench, state)["status"] == "success"
    assert counts(bench, leads) == [1, 1]
    assert values(bench, "deals", "name") == ["a"]


def test_a_failed_round_is_tried_again_and_the_others_are_kept(bench: Bench) -> None:
    leads = leads_of(bench, 3)
    nodes = {
        "each": each("{{ trigger.leads }}"),
        "work": count("{{ item }}", n=1),
        "make": create("{{ 'deals' if loop.index != 1 else 'later' }}", n="{{ loop.index }}"),
        "end": show(n="{{ nodes.each.success_count }}"),
    }
    text = "start > each; each > work loop; work > make; make > each back; each > end done"
    state = bench.begin(document(nodes, text), {"leads": leads})
    assert bench.finish(state)["status"] == "failed"
    assert counts(bench, leads) == [1, 1, 0]
    bench.pipeline("later")
    report = resumed(bench, state)
    assert (report["status"], report["nodes"]["end"]["output"]) == ("success", {"n": 3})
    assert counts(bench, leads) == [1, 1, 1]
    assert (values(bench, "deals", "n"), values(bench, "later", "n")) == ([0, 2], [1])


def test_two_crashes_at_different_places(bench: Bench, breaks_at: Callable[..., None]) -> None:
    leads = leads_of(bench, 6)
    state = bench.begin(document(OVER_LEADS, OVER_LEADS_EDGES), {"leads": leads})
    for place in ("work[1]", "work[4]"):
        breaks_at(place)
        state.context, state.outputs = {}, {"start": state.data}
        broken_off(bench, state)
    assert counts(bench, leads) == [1, 1, 1, 1, 0, 0]
    report = resumed(bench, state)
    assert counts(bench, leads) == [1] * 6
    attempts = [report["nodes"][f"work[{index}]"]["attempts"] for index in range(6)]
    assert attempts == [1, 2, 1, 1, 2, 1]
