"""for_each: the same steps for every item, and what the loop tells of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control_flow.writing import edges, show
from tests.nodes.bench import EXAMPLES, Bench, workflow

EXAMPLE = EXAMPLES["for_each"]
EDGES = "start > node; node > work loop; work > node back; node > end done"


def looped(config: dict[str, Any], work: dict[str, Any], text: str = EDGES, **more: Any) -> dict[str, Any]:
    """A loop called `node` around a node called `work`."""
    node = {"id": "node", "type": "for_each", "config": config}
    return workflow(node, {"id": "work", **work}, {"id": "end", **show(p=1)}, edges=edges(text), **more)


def ran(bench: Bench, config: dict[str, Any], data: dict[str, Any] | None = None) -> dict[str, Any]:
    """The loop's output, where each round gives its item."""
    output: dict[str, Any] = bench.run(looped(config, show(v="{{ loop.item }}")), data)["nodes"]["node"][
        "output"
    ]
    return output


def test_the_example_goes_through_the_records_that_were_found(bench: Bench) -> None:
    leads = [bench.record("leads", n=n) for n in (1, 2, "three")]
    bench.record("deals", n=1)
    count = {
        "type": "update_record",
        "config": {"record_id": "{{ current_record.id }}", "increment_fields": {"n": 10}},
        "error_handling": {"retry_count": 0},
    }
    find = {"id": "find", "type": "find_records", "config": {"pipeline_id": "leads"}}
    document = looped(EXAMPLE, count, "start > find; find > node; " + EDGES.partition(";")[2])
    document["nodes"].insert(1, find)
    report = bench.run(document)
    output = report["nodes"]["node"]["output"]
    # One of the records cannot be counted up, and the others are all the same.
    assert [(bench.get(lead) or {})["n"] for lead in leads] == [11, 12, "three"]
    assert (output["processed_count"], output["success_count"], output["failed_count"]) == (3, 2, 1)
    assert [error["index"] for error in output["errors"]] == [2]
    assert output["errors"][0]["item"]["id"] == leads[2]
    assert output["errors"][0]["error"]["node"] == "work"
    assert [one["record_id"] for one in output["accumulated"]] == leads[:2]
    assert (output["exit_reason"], output["remaining_count"]) == ("completed", 0)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("{{ trigger.rows }}", [1, [2], {"three": 3}]),
        ("{{ trigger.one }}", [{"key": "three", "value": 3}]),
        ("{{ trigger.number }}", [0, 1]),
        ("{{ trigger.none }}", []),
        ([], []),
        ({}, []),
        (2, [0, 1]),
        (["{{ trigger.number }}", "x"], [2, "x"]),
    ],
)
def test_what_can_be_gone_through(bench: Bench, items: Any, expected: list[Any]) -> None:
    data = {"rows": [1, [2], {"three": 3}], "one": {"three": 3}, "number": 2, "none": []}
    output = ran(bench, {"items_source": items}, data)
    assert output["results"] == [{"v": item} for item in expected]
    assert output["exit_reason"] == "completed"


@pytest.mark.parametrize("items", ["a text", None, 1.5])
def test_what_cannot_be_gone_through(bench: Bench, items: Any) -> None:
    document = looped({"items_source": "{{ trigger.rows }}"}, show(p=1))
    report = bench.run(document, {"rows": items})
    assert report["status"] == "failed"
    message = report["error"]["message"]
    assert message.count("config.items_source: ") == 1
    assert "list[" not in message


def test_fewer_than_no_rounds(bench: Bench) -> None:
    report = bench.run(looped({"items_source": -1}, show(p=1)))
    assert "-1 rounds are not possible" in report["error"]["message"]


def test_only_so_many_rounds(bench: Bench) -> None:
    output = ran(bench, {"items_source": 5, "max_iterations": 3})
    assert output["results"] == [{"v": 0}, {"v": 1}, {"v": 2}]
    assert (output["processed_count"], output["remaining_count"]) == (3, 2)
    assert output["exit_reason"] == "max_iterations"


def test_the_item_by_a_name_of_its_own(bench: Bench) -> None:
    document = looped({"items_source": ["x"], "item_variable": "row"}, show(v="{{ row }}{{ loop.item }}"))
    assert bench.run(document)["nodes"]["node"]["output"]["results"] == [{"v": "xx"}]


@pytest.mark.parametrize(
    ("batch", "at_once"), [({"batch_size": 4}, 4), ({"batch_size": 6, "max_concurrency": 2}, 2)]
)
def test_how_many_rounds_run_at_once(bench: Bench, behave: Any, batch: dict[str, Any], at_once: int) -> None:
    import asyncio

    from oneo_operators.result import NodeResult

    working, most = 0, 0

    async def work(config: Any, context: Any) -> NodeResult:
        nonlocal working, most
        working += 1
        most = max(most, working)
        for _ in range(10):
            await asyncio.sleep(0)
        working -= 1
        return NodeResult({})

    behave(work)
    make = {"type": "create_record", "config": {"pipeline_id": "deals", "record_data": {}}}
    config = {"items_source": 12, "parallel_processing": True, **batch}
    assert bench.run(looped(config, make))["status"] == "success"
    assert most == at_once


def test_rounds_run_one_after_the_other_unless_told_otherwise(bench: Bench) -> None:
    make = {"type": "find_records", "config": {"pipeline_id": "deals"}}
    report = bench.run(looped({"items_source": 4, "batch_size": 4}, make))
    rounds = [report["nodes"][f"work[{index}]"]["started_at"] for index in range(4)]
    assert rounds == sorted(rounds)


def test_a_failed_round_is_named_and_ends_the_loop(bench: Bench) -> None:
    bad = {"type": "update_record", "config": {"record_id": "{{ item }}", "increment_fields": {"n": 1}}}
    report = bench.run(looped({"items_source": [bench.record("leads"), "no-id", "other"]}, bad))
    assert report["status"] == "failed"
    assert (report["error"]["node"], report["error"]["loop"], report["error"]["round"]) == ("work", "node", 1)
    assert report["error"]["message"].startswith("round 1, node 'work': ")
    assert "work[2]" not in report["nodes"]


def test_without_a_body_the_items_themselves_are_gathered(bench: Bench) -> None:
    accumulator = {"operation": "sum", "path": "n", "initial_value": 1}
    ran_alone = bench.node("for_each", {"items_source": [{"n": 2}, {"n": 3}], "accumulator": accumulator})
    assert ran_alone.output["accumulated"] == 6
    assert ran_alone.output["results"] == [{"n": 2}, {"n": 3}]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "items_source"),
        ({"items_source": [], "batch_size": 0}, "batch_size"),
        ({"items_source": [], "max_iterations": 0}, "max_iterations"),
        ({"items_source": [], "max_concurrency": 0}, "max_concurrency"),
        ({"items_source": [], "item_variable": "my item"}, "item_variable"),
        ({"items_source": [], "accumulator": {"operation": "average"}}, "accumulator.operation"),
        ({"items_source": [], "acumulator": {}}, "acumulator"),
    ],
)
def test_mistakes_in_the_options_are_named(bench: Bench, config: dict[str, Any], says: str) -> None:
    assert any(says in problem for problem in bench.problems("for_each", config))


def test_a_number_of_rounds_is_not_made_a_list(bench: Bench) -> None:
    ran = bench.node("for_each", {"items_source": 900_000_000, "max_iterations": 2})
    assert (ran.output["processed_count"], ran.output["remaining_count"]) == (2, 899_999_998)
    refused = bench.node("for_each", {"items_source": 10**30})
    assert "rounds are not possible" in refused.message
