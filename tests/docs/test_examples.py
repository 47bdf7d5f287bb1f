"""Code in the documentation and the example DAG do what is said about them."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

from dag_factory.config import config_problems
from dag_factory.definition import Node
from dag_factory.examine import examine
from oneo_operators import nodes
from oneo_operators.catalogue import NodeCatalogue
from tests.docs.documents import ROOT, blocks


@pytest.fixture
def node_of_the_guide(tmp_path, monkeypatch):
    """The guide's module where it says it belongs, though not in the repository."""
    from oneo_operators.nodes import data

    module, test = blocks("docs/guides/add-a-node.md", "python")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "count_words.py").write_text(module)
    monkeypatch.setattr(nodes, "__path__", [*nodes.__path__, str(tmp_path)])
    monkeypatch.setattr(data, "__path__", [*data.__path__, str(folder)])
    importlib.invalidate_caches()
    yield test
    importlib.sys.modules.pop("oneo_operators.nodes.data.count_words", None)


def test_the_node_of_the_guide_works_as_written(node_of_the_guide):
    found = NodeCatalogue()
    assert found.get("count_words") is not None
    document = {
        "name": "Words",
        "variables": {"text": "some words"},
        "nodes": [{"id": "count", "type": "count_words", "config": {"text": "{{ variables.text }}"}}],
    }
    assert examine(document, found).problems == []


def test_the_test_of_the_guide_passes(node_of_the_guide):
    names: dict = {}
    exec(compile(node_of_the_guide, "guide", "exec"), names)
    names["test_short_words_do_not_count"]()


def test_the_hand_written_dag_uses_two_of_our_operators_and_waits_to_be_started():
    spec = importlib.util.spec_from_file_location("example", ROOT / "dags/example_hand_written.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag = module.contact.dag
    assert dag.schedule is None
    assert "example" in dag.tags
    assert {type(task).__name__ for task in dag.tasks} == {"CreateRecordOperator", "TaskNotifyOperator"}
    for task in dag.tasks:
        node = Node(id=task.task_id, type=task.type, config=task.node_config)
        assert config_problems(node, type(task), "$") == []
    assert module.contact.downstream_task_ids == {"tell"}


def test_the_hand_written_dag_that_waits_does_so_one_after_the_other():
    spec = importlib.util.spec_from_file_location("example_sensors", ROOT / "dags/example_sensors.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.won.dag.schedule is None
    assert (module.won.topics, module.won.kinds, module.signed.topics) == (
        ["deals"],
        ["created", "updated"],
        ["deal_signed"],
    )
    assert module.won.downstream_task_ids == {"signed"}
    assert module.signed.downstream_task_ids == {"tell"}
