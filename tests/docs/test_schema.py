"""The JSON Schema of definitions is current, accepts what is right and points at what is wrong."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from oneo_app import docs
from tests.control_flow.cases import CASES
from tests.docs.documents import NAMES, ROOT, blocks, read

DEFINITIONS = sorted([*(ROOT / "docs/examples").glob("*.json"), *(ROOT / "include/workflows").glob("*.json")])


@pytest.fixture(scope="module")
def schema():
    return json.loads(read(docs.SCHEMA))


def test_schema_is_current():
    assert read(docs.SCHEMA) == docs.pages()[docs.SCHEMA], "run `.venv/bin/python -m oneo_app.docs`"


def test_schema_is_one(schema):
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_definition_is_accepted(schema, path):
    assert list(Draft202012Validator(schema).iter_errors(json.loads(path.read_text()))) == []


def test_every_control_flow_workflow_is_accepted(schema):
    validator = Draft202012Validator(schema)
    documents = [document for case in CASES for document in (case.document, *case.others)]
    assert [document["id"] for document in documents if not validator.is_valid(document)] == []


@pytest.mark.parametrize("name", NAMES)
def test_definitions_in_documents_are_accepted(schema, name):
    for body in blocks(name, "json"):
        document = json.loads(body)
        if "nodes" in document:
            assert list(Draft202012Validator(schema).iter_errors(document)) == []


def notify(**config):
    return {"name": "W", "nodes": [{"id": "a", "type": "task_notify", "config": config}]}


FULL = {"recipients": ["a@example.com"], "title": "T", "message": "M"}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (notify(**FULL, titel="x"), "$.nodes[0].config"),
        (notify(**{**FULL, "priority": "huge"}), "$.nodes[0].config.priority"),
        (notify(**{**FULL, "channels": ["pigeon"]}), "$.nodes[0].config.channels"),
        ({"name": "W", "nodes": [{"id": "a", "type": "task_notify"}]}, "$.nodes[0]"),
        ({"name": "W", "nodes": []}, "$.nodes"),
        ({"name": "W", "nodes": [{"id": "a b", "type": "x"}]}, "$.nodes[0].id"),
    ],
)
def test_mistake_is_found_at_its_place(schema, document, path):
    assert [error.json_path for error in Draft202012Validator(schema).iter_errors(document)] == [path]


@pytest.mark.parametrize(
    "document",
    [
        notify(**{**FULL, "priority": "{{ record.priority }}"}),
        notify(**{**FULL, "recipients": "{{ variables.team }}"}),
        notify(**{**FULL, "channels": ["{{ record.channel }}"]}),
        {
            "name": "W",
            "nodes": [
                {"id": "a", "type": "set_variable", "config": {"increment": {"n": "{{ record.score }}"}}},
                {
                    "id": "b",
                    "type": "find_records",
                    "config": {"pipeline_id": "p", "sort": {"a": "{{ record.order }}"}},
                },
            ],
        },
        {"name": "W", "variables": {"limit": 5}, "nodes": [{"id": "a", "type": "type_of_another_package"}]},
    ],
)
def test_expressions_short_variables_and_types_of_others_are_accepted(schema, document):
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
