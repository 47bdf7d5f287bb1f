"""Whatever is wrong with a document, the answer is a list of problems; and what passes can be rendered."""

from __future__ import annotations

import copy
import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from dag_factory.examine import examine
from dag_factory.render import Edition, render
from oneo_operators.catalogue import catalogue
from tests.control_flow.cases import CASES
from tests.factory.test_compile import DOCUMENTS

SOUND: list[Any] = [*(DOCUMENTS[name] for name in sorted(DOCUMENTS)), *(case.document for case in CASES)]
JUNK: list[Any] = [
    None, True, 0, -1, 10**400, 1.5, "", "x", "{{ trigger.x }}", "{{", "success", "error", "start", "a\nb", "é" * 300,
    [], [[]], ["{{ x }}"], {}, {"a": 1}, {"{{ x }}": 1}, "nodes", "trigger_manual", "condition", "for_each",
    "0 0 31 2 *", "each", "work", {"sub_nodes": [{}]},
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of everything inside a document."""
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        current = pending.pop()
        keys = list(current) if isinstance(current, dict) else range(len(current))
        for key in keys:
            found.append((current, key))
            if isinstance(current[key], dict | list):
                pending.append(current[key])
    return found


def damaged(seed: int) -> Any:
    """A sound document with one to three places replaced or removed."""
    chance = random.Random(seed)
    document = copy.deepcopy(chance.choice(SOUND))
    for _ in range(chance.randint(1, 3)):
        container, key = chance.choice(places(document) or [(document, "id")])
        if chance.random() < 0.2:
            container.pop(key, None) if isinstance(container, dict) else container.pop(key)
        else:
            container[key] = copy.deepcopy(chance.choice(JUNK))
    return document


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_document_is_examined_and_what_passes_is_rendered(seed: int):
    for turn in range(60):
        document = damaged(seed * 1000 + turn)
        examination = examine(document, catalogue())
        json.dumps(examination.as_json())
        assert examination.ok or examination.problems
        if examination.plan is not None:
            edition = Edition("acme", 1, datetime(2024, 1, 1, tzinfo=UTC), document)
            dag = render(examination.plan, edition, catalogue())
            json.dumps(DagSerialization.to_dict(dag))
