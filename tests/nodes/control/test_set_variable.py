"""set_variable: what the nodes after it see, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.examine import examine
from tests.nodes.bench import EXAMPLES, START, Bench, workflow

EXAMPLE = EXAMPLES["set_variable"]
VARIABLES = {"owner": "nobody", "tries": 2, "seen": ["a"], "old": 1}


def put(node_id: str, **config: Any) -> dict[str, Any]:
    return {
        "id": node_id,
        "type": "set_variable",
        "config": config,
        "error_handling": {"retry_count": 0},
    }


def show(node_id: str, expression: str) -> dict[str, Any]:
    return put(node_id, name="shown", value=expression)


def lead(*pairs: str) -> list[dict[str, str]]:
    return [dict(zip(("source", "target"), pair.split(), strict=True)) for pair in pairs]


def shown(report: dict[str, Any], node_id: str = "show") -> Any:
    assert report["nodes"][node_id]["status"] == "success", report["nodes"][node_id]["error"]
    return report["nodes"][node_id]["output"]["shown"]


def test_the_example_changes_what_later_nodes_see(bench: Bench) -> None:
    document = workflow(put("put", **EXAMPLE), show("show", "{{ variables }}"), variables=VARIABLES)
    report = bench.run(document, {"owner": "eva", "score": 7})
    after = {"owner": "eva", "score": 7, "tries": 3, "seen": ["a", "b"]}
    assert report["nodes"]["put"]["output"] == after
    assert shown(report) == after


def test_types_are_kept_and_bare_names_find_the_new_value(bench: Bench) -> None:
    values = {"n": "{{ trigger.n }}", "o": "{{ trigger.o }}", "t": "n is {{ trigger.n }}", "z": None}
    document = workflow(put("put", variables=values), show("show", "{{ [n, o, t, z, variables.n] }}"))
    data = {"n": 1.5, "o": {"a": [True]}}
    assert shown(bench.run(document, data)) == [1.5, {"a": [True]}, "n is 1.5", None, 1.5]


def test_name_and_value_are_short_for_one_variable(bench: Bench) -> None:
    document = workflow(put("put", name="n", value=None), show("show", "{{ variables.n }}"))
    assert shown(bench.run(document)) is None


def test_undeclared_names_count_from_nothing(bench: Bench) -> None:
    document = workflow(
        put("put", increment={"n": "{{ 2 }}"}, append={"list": {"a": 1}}),
        put("more", increment={"n": 0.5}, append={"list": [2, [3]]}),
        show("show", "{{ [variables.n, variables.list] }}"),
    )
    assert shown(bench.run(document)) == [2.5, [{"a": 1}, 2, [3]]]


def test_only_descendants_see_it(bench: Bench) -> None:
    document = workflow(
        put("a", name="x", value="a"),
        put("b", name="x", value="b"),
        show("after_a", "{{ variables.x }}"),
        show("after_b", "{{ variables.x }}"),
        show("beside", "{{ variables.x }}"),
        edges=lead("start a", "start b", "start beside", "a after_a", "b after_b"),
        variables={"x": "declared"},
    )
    state = bench.begin(document)
    for node_id in ("a", "b"):
        bench.attempt(state, node_id)
    # As in Airflow, where the next node runs in another process.
    state.context.clear()
    found = {one: bench.attempt(state, one).output["shown"] for one in ("after_a", "after_b", "beside")}
    assert found == {"after_a": "a", "after_b": "b", "beside": "declared"}


def test_what_branches_did_side_by_side_adds_up_where_they_meet(bench: Bench) -> None:
    document = workflow(
        put("first", variables={"n": 10}),
        put("a", increment={"n": 1}, append={"log": ["a"]}, variables={"last": "a"}),
        put("b", increment={"n": 2}, append={"log": ["b"]}, variables={"last": "b"}),
        show("show", "{{ [variables.n, variables.log, variables.last] }}"),
        edges=lead("start first", "first a", "first b", "a show", "b show"),
    )
    report = bench.run(document)
    assert shown(report) == [13, ["a", "b"], "b"]
    assert (report["nodes"]["a"]["output"]["n"], report["nodes"]["b"]["output"]["n"]) == (11, 12)


def test_changes_that_do_not_fit_each_other_still_meet(bench: Bench) -> None:
    document = workflow(
        put("a", variables={"n": "text", "log": "text"}),
        put("b", increment={"n": 2}, append={"log": ["b"]}),
        show("show", "{{ [variables.n, variables.log] }}"),
        edges=lead("start a", "start b", "a show", "b show"),
    )
    assert shown(bench.run(document)) == [2, ["b"]]


def test_a_removed_variable_is_an_unknown_name(bench: Bench) -> None:
    document = workflow(
        put("put", unset=["old"]),
        show("show", "{{ variables.old | default('gone') }}"),
        show("strict", "{{ variables.old }}"),
        variables=VARIABLES,
    )
    report = bench.run(document)
    assert shown(report) == "gone"
    assert "'old'" in report["nodes"]["strict"]["error"]["message"]


def test_it_leaves_nothing_else_in_the_context(bench: Bench) -> None:
    document = workflow(put("put", name="n", value=1), show("show", "{{ keys(context) }}"))
    assert shown(bench.run(document)) == []


def test_a_secret_is_not_kept(bench: Bench) -> None:
    bench.vault.keep("key", "s3cr3t-key")
    document = workflow(put("put", name="k", value="{{ secrets.key }}"), show("show", "{{ variables.k }}"))
    report = bench.run(document)
    assert shown(report) == "***"
    assert "s3cr3t" not in str([row.context_updates for row in bench.rows(report["execution"])])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"increment": {"owner": 1}}, "variable 'owner' is no number, it is 'nobody'"),
        ({"append": {"tries": 1}}, "variable 'tries' is no list, it is 2"),
        ({"increment": {"tries": "{{ trigger.text }}"}}, "config.increment.tries"),
    ],
)
def test_what_does_not_fit_fails_by_name(bench: Bench, config: dict[str, Any], message: str) -> None:
    assert message in bench.node("set_variable", config, {"text": "x"}, variables=VARIABLES).message


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "nothing happens to any variable"),
        ({"name": "x"}, "`name` and `value` stand together"),
        ({"value": 1}, "`name` and `value` stand together"),
        ({"variables": {"x": 1}, "unset": ["x"]}, "more than one thing happens to variable 'x'"),
        ({"variables": {"x": 1}, "name": "x", "value": 2}, "more than one thing happens to variable 'x'"),
        ({"variables": {"": 1}}, "a variable has a name"),
        ({"increment": {"x": "many"}}, "config.increment.x"),
        ({"variable": {"x": 1}}, "unknown option 'variable'"),
    ],
)
def test_saving_names_what_is_wrong(bench: Bench, config: dict[str, Any], message: str) -> None:
    assert message in " ".join(bench.problems("set_variable", config))


def test_reading_it_before_it_is_set_is_a_mistake_found_at_save(bench: Bench) -> None:
    def problems(document: dict[str, Any]) -> list[str]:
        return [f"{one.message} ({one.hint})" for one in examine(document, bench.catalogue).problems]

    put_x, show_x = put("put", append={"total": 1}), show("show", "{{ variables.total }}")
    assert problems(workflow(put_x, show_x)) == []
    [late] = problems(workflow(show_x, put_x))
    assert late.startswith(
        "variable 'total' is not declared, and node 'put', which sets it, does not run before"
    )
    [beside] = problems(
        {"name": "w", "nodes": [START, put_x, show_x], "edges": lead("start put", "start show")}
    )
    assert "lead an edge from that node to here" in beside
    [misspelt] = problems(workflow(put_x, show("show", "{{ variables.totl }}")))
    assert "did you mean 'total'?" in misspelt


def test_a_name_out_of_an_expression_is_set_but_not_known_at_save(bench: Bench) -> None:
    document = workflow(
        put("put", name="{{ trigger.name }}", value=1), show("show", "{{ variables.x | default(0) }}")
    )
    assert shown(bench.run(document, {"name": "x"})) == 1
