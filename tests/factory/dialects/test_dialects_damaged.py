# ruff: noqa: E501 - tables
"""Whatever is wrong with a document of any dialect, the answer is a list of problems; and conversion is repeatable."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from dag_factory.dialects import to_canonical
from dag_factory.examine import examine
from oneo_operators.catalogue import catalogue

FIXTURES = Path(__file__).parents[2] / "fixtures/workflows"
DRAWN = {
    "name": "D", "trigger_type": "manual", "retry_count": 1, "status": "active",
    "workflow_definition": {
        "nodes": [
            {"id": "c", "type": "condition", "position": {"x": 1}, "data": {"default_output": "n", "conditions": [
                {"left": {"context_path": "a.b"}, "operator": "==", "right": 1, "output": "y"},
                {"left": "{{ a }}", "operator": "contains", "right": "x", "output": "n"}]}},
            {"id": "l", "type": "for_each", "data": {"items_path": "a", "sub_nodes": [{"id": "s", "type": "http", "url": "{u}"}]}},
            {"id": "d", "type": "wait_delay", "data": {"delay_type": "hours", "delay_value": 1, "input_mapping": {"a": "b.c"}}},
            {"id": "p", "type": "ai_prompt", "data": {"prompt": "{a}", "ai_config": {"model": "m"}}},
        ],
        "edges": [{"source": "c", "target": "l", "sourceHandle": "y"}, {"source": "l", "target": "d", "sourceHandle": "done"}],
    },
}  # fmt: skip
DOCUMENTS = [*(json.loads(path.read_text()) for path in sorted(FIXTURES.glob("*.json"))), DRAWN]
JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    10**400,
    1.5,
    "",
    "x",
    "{x}",
    "{{",
    "+1 day",
    [],
    [[]],
    ["x"],
    {},
    {"a": 1},
    {"id": []},
]


def places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of everything inside a document."""
    found = []
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        found.append((value, key))
        if isinstance(value[key], dict | list):
            found += places(value[key])
    return found


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_document_is_answered_with_problems(seed: int):
    for turn in range(80):
        chance = random.Random(seed * 1000 + turn)
        document = copy.deepcopy(chance.choice(DOCUMENTS))
        for _ in range(chance.randint(1, 3)):
            container, key = chance.choice(places(document) or [(document, "id")])
            container[key] = copy.deepcopy(chance.choice(JUNK))
        before = json.dumps(document)
        examination = examine(document, catalogue())
        json.dumps(examination.as_json())
        assert examination.ok or examination.problems
        assert json.dumps(document) == before


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.get("name"))
def test_conversion_is_the_same_each_time(document: dict[str, Any]):
    first, second = to_canonical(document), to_canonical(copy.deepcopy(document))
    assert json.dumps(first.document) == json.dumps(second.document)
    assert first == second
