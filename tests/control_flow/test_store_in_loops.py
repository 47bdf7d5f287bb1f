"""Loops that read and change records."""

from __future__ import annotations

from typing import Any

from tests.control_flow.writing import again, each, edges, show, when
from tests.nodes.bench import Bench, workflow

EACH = "start > each; each > work loop; work > each back; each > end done"


def document(nodes: dict[str, dict[str, Any]], text: str, **more: Any) -> dict[str, Any]:
    return workflow(*({"id": name, **node} for name, node in nodes.items()), edges=edges(text), **more)


def create(pipeline: str, **data: Any) -> dict[str, Any]:
    return {"type": "create_record", "config": {"pipeline_id": pipeline, "record_data": data}}


def count(record_id: str, **steps: Any) -> dict[str, Any]:
    return {"type": "update_record", "config": {"record_id": record_id, "increment_fields": steps}}


def find(pipeline: str, **filters: Any) -> dict[str, Any]:
    return {"type": "find_records", "config": {"pipeline_id": pipeline, "filters": filters}}


def values(bench: Bench, pipeline: str, name: str) -> list[Any]:
    return sorted(record[name] for record in bench.all(pipeline))


def test_a_record_for_each_item(bench: Bench) -> None:
    nodes = {
        "each": each(["a", "b", "c"]),
        "work": create("deals", name="{{ item }}", place="{{ loop.number }}"),
        "end": show(ids="{{ nodes.each.results | map('record_id') }}"),
    }
    report = bench.run(document(nodes, EACH))
    assert values(bench, "deals", "name") == ["a", "b", "c"]
    ids = {record["place"]: record["id"] for record in bench.all("deals")}
    assert report["nodes"]["end"]["output"] == {"ids": [ids[1], ids[2], ids[3]]}


def test_parallel_rounds_create_a_record_each(bench: Bench) -> None:
    nodes = {
        "each": each(25, parallel_processing=True, batch_size=12),
        "work": create("deals", n="{{ item }}"),
        "end": show(n="{{ nodes.each.results | map('record') | map('n') }}"),
    }
    report = bench.run(document(nodes, EACH))
    assert values(bench, "deals", "n") == list(range(25))
    assert report["nodes"]["end"]["output"] == {"n": list(range(25))}


def test_each_record_found_is_counted_once(bench: Bench) -> None:
    leads = [bench.record("leads", n=start, kind=kind) for start, kind in ((0, "x"), (10, "x"), (20, "y"))]
    nodes = {
        "find": find("leads", kind="x"),
        "each": each("{{ nodes.find.records }}", item_variable="lead"),
        "work": count("{{ lead.id }}", n=1),
        "end": show(n="{{ nodes.each.success_count }}"),
    }
    report = bench.run(document(nodes, f"start > find; {EACH.replace('start', 'find', 1)}"))
    assert report["nodes"]["end"]["output"] == {"n": 2}
    assert [(bench.get(lead) or {})["n"] for lead in leads] == [1, 11, 20]


def test_parallel_rounds_count_on_one_record(bench: Bench) -> None:
    lead = bench.record("leads", n=0)
    nodes = {
        "each": each(20, parallel_processing=True, batch_size=20),
        "work": count("{{ trigger.lead }}", n="{{ item }}"),
        "end": show(p=1),
    }
    assert bench.run(document(nodes, EACH), {"lead": lead})["status"] == "success"
    assert (bench.get(lead) or {})["n"] == sum(range(20))


def test_a_round_finds_what_it_has_created(bench: Bench) -> None:
    nodes = {
        "each": each(["a", "b"]),
        "work": create("deals", name="{{ item }}"),
        "look": find("deals", name="{{ item }}"),
        "mark": count("{{ nodes.look.records[0].id }}", seen=1),
        "end": show(p=1),
    }
    text = "start > each; each > work loop; work > look; look > mark; mark > each back; each > end done"
    assert bench.run(document(nodes, text))["status"] == "success"
    assert values(bench, "deals", "seen") == [1, 1]


def test_a_controller_works_off_what_is_left(bench: Bench) -> None:
    for name in "abc":
        bench.record("leads", name=name, open=True)
    nodes = {
        "find": find("leads", open=True),
        "some": when(("nodes.find.count > 0", "yes")),
        "close": {
            "type": "update_record",
            "config": {"record_id": "{{ nodes.find.records[0].id }}", "update_fields": {"open": False}},
        },
        "again": again(loop_back_to="find", exit_conditions=[{"condition": "nodes.find.count == 0"}]),
        "end": show(rounds="{{ nodes.again.iterations }}"),
    }
    text = "start > find; find > some; some > close : yes; some > again; close > again; again > end"
    report = bench.run(document(nodes, text))
    assert report["nodes"]["end"]["output"] == {"rounds": 4}
    assert values(bench, "leads", "open") == [False, False, False]


def test_what_a_failed_round_had_done_before_is_kept(bench: Bench) -> None:
    nodes = {
        "each": each([1, 2, 3], continue_on_error=True),
        "work": create("deals", n="{{ item }}"),
        "check": create("{{ 'deals' if item != 2 else 'no_such' }}", n="{{ item + 10 }}"),
        "end": show(failed="{{ nodes.each.errors | map('index') }}"),
    }
    text = "start > each; each > work loop; work > check; check > each back; each > end done"
    report = bench.run(document(nodes, text))
    assert report["nodes"]["end"]["output"] == {"failed": [1]}
    assert values(bench, "deals", "n") == [1, 2, 3, 11, 13]


def test_the_output_of_a_round_does_not_depend_on_what_took_longest(bench: Bench) -> None:
    nodes = {
        "each": each([1]),
        "slow": find("deals"),
        "late": when(("nodes.slow.count > 0", "never")),
        "soon": when(("1 > 2", "never")),
        "never": show(p=1),
        "end": show(last="{{ nodes.each.results[0].conditions[0].condition }}"),
    }
    text = """start > each; each > slow loop; each > soon loop; slow > late; late > never : never
              soon > never : never; never > each back; each > end done"""
    assert bench.run(document(nodes, text))["nodes"]["end"]["output"] == {"last": "1 > 2"}
