"""Nodes of types that the catalogue knows and this version lacks: said, drawn, and where a run stops."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.dialects import type_names
from dag_factory.examine import examine, plan_of
from dag_factory.publish import publish
from oneo.errors import InvalidDefinitionError, NotFoundError
from oneo.store import workflows
from oneo_operators.catalogue import NodeCatalogue, catalogue
from tests.factory.documents import chain, edge, graph, node, notify
from tests.nodes.bench import Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]

# Names that no version will ever have.
LACKING = {"beam": "control_flow", "trigger_eclipse": "trigger"}
BEAM = node("jump", "beam", to="{{ trigger.place }}")
ECLIPSE = node("dark", "trigger_eclipse", where="Bonn")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> NodeCatalogue:
    """The node types, where the catalogue has two names more."""
    for name, category in LACKING.items():
        monkeypatch.setitem(type_names.CATALOGUED, name, category)
    return NodeCatalogue()


@pytest.fixture
def crm(bench: Bench, known: NodeCatalogue) -> Bench:
    bench.catalogue = known
    return bench


def said(document: Any, known: NodeCatalogue) -> list[tuple[str, str]]:
    return [(problem.severity, problem.path) for problem in examine(document, known).problems]


def test_it_is_said_with_its_place_and_what_to_use_meanwhile(known: NodeCatalogue):
    examination = examine(chain(BEAM), known)

    assert examination.ok
    (problem,) = examination.problems
    assert (problem.severity, problem.node, problem.path) == ("missing", "jump", "$.nodes[1].type")
    assert "'beam'" in problem.message
    assert "a run that comes here stops" in problem.message
    assert (problem.hint or "").startswith("meanwhile, ")


def test_missing_trigger_leaves_the_start_by_hand(crm: Bench, known: NodeCatalogue):
    document = {"id": "w", "name": "W", "nodes": [ECLIPSE, notify("tell", message="{{ trigger.name }}")]}
    examination = examine(document, known)

    assert [(one.severity, one.path) for one in examination.problems] == [("missing", "$.nodes[0].type")]
    assert "nothing but a start by hand" in examination.problems[0].message
    report = crm.run(document, {"name": "Ann"}, "dark")
    assert report["status"] == "success", report["error"]
    assert [one.message for one in crm.notifications_of(report["execution"])] == ["Ann"]


@pytest.mark.parametrize("name", sorted(type_names.CATALOGUED))
def test_every_type_of_the_catalogue_is_there_or_missing_with_a_remedy(name: str):
    examination = examine({"name": "W", "nodes": [{"id": "a", "type": name}]}, catalogue())
    found = [one for one in examination.problems if one.path == "$.nodes[0].type"]

    if name in catalogue().types():
        assert found == []
    else:
        assert [one.severity for one in found] == ["missing"]
        assert (found[0].hint or "").startswith("meanwhile, ")
        assert examination.ok


def test_a_name_that_nobody_knows_stays_an_error(known: NodeCatalogue):
    assert said(chain(node("jump", "bem")), known) == [("error", "$.nodes[1].type")]


def test_a_type_that_is_there_is_not_missing(known: NodeCatalogue, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(type_names.CATALOGUED, "task_notify", "utility")
    assert said(chain(notify()), known) == []
    assert known.types() == NodeCatalogue().types()
    assert not {"beam", "trigger_eclipse"} & {one.type for one in known.all()}


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"to": "{{ nodes.nowhere.x }}"}, ".to"),
        ({"to": [{"name": "{{ 1 + }}"}]}, ".to[0].name"),
        ({"to": "{{ variables.unknown }}"}, ".to"),
        ({"{{ trigger.x }}": 1}, "['{{ trigger.x }}']"),
    ],
)
def test_what_its_options_read_is_checked_all_the_same(
    known: NodeCatalogue, config: dict[str, Any], place: str
):
    found = [
        path for severity, path in said(chain(node("jump", "beam", **config)), known) if severity == "error"
    ]
    assert found == [f"$.nodes[1].config{place}"]


def test_ways_out_of_it_may_have_any_name(known: NodeCatalogue):
    edges = [edge("start", "jump"), edge("jump", "tell", "landed"), edge("jump", "other", "lost")]
    document = graph([BEAM, notify(), notify("other")], edges)

    assert said(document, known) == [("missing", "$.nodes[1].type")]
    assert [one.routes for one in plan_of(document, known).edges_from("jump")] == [(), ()]


def test_a_loop_is_one_where_it_is_drawn(known: NodeCatalogue):
    edges = [
        edge("start", "jump"),
        edge("jump", "tell", loop=True),
        edge("tell", "jump", loop_back=True),
        edge("jump", "end", loop_complete=True),
    ]
    document = graph([BEAM, notify(), notify("end")], edges)

    assert said(document, known) == [("missing", "$.nodes[1].type")]
    assert plan_of(document, known).inside == {"jump": {"tell"}}


def test_a_run_stops_there_whatever_its_options_read(crm: Bench):
    report = crm.run(chain(notify("first"), BEAM, notify("last"), error_handling={"retry_count": 3}))

    assert report["status"] == "failed"
    jump = report["nodes"]["jump"]
    assert (jump["status"], jump["attempts"]) == ("failed", 1)
    assert jump["error"]["message"] == "this version does not have node type 'beam' yet"
    assert jump["error"]["hint"].startswith("meanwhile, ")
    assert [one.node_id for one in crm.notifications_of(report["execution"])] == ["first"]


def test_a_run_that_goes_another_way_does_not_stop(crm: Bench):
    route = node("route", "condition", conditions=[{"if": "trigger.far", "then": "jump"}, {"else": "tell"}])
    document = graph([route, BEAM, notify()], [edge("start", "route")])

    assert crm.run(document, {"far": False})["status"] == "success"
    assert crm.run(document, {"far": True})["status"] == "failed"


def test_its_failure_can_be_handled(crm: Bench):
    document = chain({**BEAM, "error_handling": {"fallback_node": "tell"}}, notify("tell"))
    report = crm.run(document)

    assert report["status"] == "success", report["error"]
    assert len(crm.notifications_of(report["execution"])) == 1


def test_publishing_it_is_its_author_s_decision(crm: Bench, known: NodeCatalogue):
    document = chain(BEAM, notify())
    with pytest.raises(InvalidDefinitionError, match="--with-missing-nodes") as refused:
        publish(crm.database, crm.tenant, document, known)
    assert "1 problem(s): node 'jump' at $.nodes[1].type" in str(refused.value)
    with crm.database.tenant(crm.tenant) as session, pytest.raises(NotFoundError):
        workflows.get(session, "w")

    assert publish(crm.database, crm.tenant, document, known, with_missing_nodes=True).version == 1


def test_no_decision_lets_errors_pass(crm: Bench, known: NodeCatalogue):
    document = chain(BEAM, notify(tittle="x"))
    with pytest.raises(InvalidDefinitionError) as refused:
        publish(crm.database, crm.tenant, document, known, with_missing_nodes=True)
    assert "tittle" in str(refused.value)
    assert "jump" not in str(refused.value)
