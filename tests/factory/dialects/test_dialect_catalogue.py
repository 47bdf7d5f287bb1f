"""Other names of types and the shorthands of quoted workflows: read, or answered with what to write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dag_factory.dialects import to_canonical
from dag_factory.dialects.type_names import ALIASES
from dag_factory.examine import examine
from oneo_operators.catalogue import catalogue
from tests.factory.dialects.written import chain, node, notify

WORKFLOWS = sorted((Path(__file__).parents[2] / "fixtures/workflows").glob("*.json"))


def load(name: str):
    return json.loads((WORKFLOWS[0].parent / f"{name}.json").read_text())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_quoted_workflow_is_read_and_each_problem_has_a_remedy(path: Path):
    examination = examine(json.loads(path.read_text()), catalogue())

    assert examination.dialect == path.stem.split("-")[0]
    assert examination.ok
    for problem in examination.problems:
        assert problem.hint, problem
        assert "Traceback" not in problem.message


def test_there_are_ten_of_them():
    assert len(WORKFLOWS) == 10


@pytest.mark.parametrize(("written", "ours"), sorted(ALIASES.items()))
def test_other_name_of_a_type_is_read_and_reported(written: str, ours: str):
    converted = to_canonical(chain(node("a", written)))

    assert converted.document["nodes"][1]["type"] == ours
    assert converted.approximations[0] == f"node 'a': type {written!r} is read as {ours!r}"


def test_author_s_document_is_left_alone():
    document = chain(node("a", "record_create"))
    before = json.dumps(document)
    to_canonical(document)
    assert json.dumps(document) == before


def test_plain_document_is_passed_through_as_it_is():
    document = chain(notify())
    assert to_canonical(document).document is document


def test_field_changed_is_an_update_of_that_field():
    converted = to_canonical(
        {"nodes": [node("t", "trigger_field_changed", field="stage", pipeline_ids=["deals"])]}
    )

    assert converted.document["nodes"][0]["config"] == {
        "pipeline_ids": ["deals"],
        "specific_fields": ["stage"],
    }
    assert converted.original_path("$.nodes[0].config.specific_fields[0]") == "$.nodes[0].config.field"


@pytest.mark.parametrize(
    ("config", "place", "remedy"),
    [
        ({"threshold": 70}, ".threshold", ">= 70"),
        ({"check": "urgency"}, ".check", "record.urgency == 'high'"),
        ({"if": "record.score > 5"}, ".if", '"if": "record.score > 5"'),
        ({"condition": "record.score > 5"}, ".condition", '"if": "record.score > 5"'),
    ],
)
def test_shorthand_of_a_condition_is_answered_with_the_whole_form(config, place: str, remedy: str):
    problems = examine(chain(node("c", "condition", **config), notify()), catalogue()).problems

    assert [p.path for p in problems] == [f"$.nodes[1].config{place}"]
    assert remedy in problems[0].hint
    assert '"conditions": [{' in problems[0].hint


def test_complete_condition_is_not_touched():
    document = chain(
        node("c", "condition", conditions=[{"if": "record.score > 5", "then": "tell"}]), notify()
    )
    assert to_canonical(document).problems == []
