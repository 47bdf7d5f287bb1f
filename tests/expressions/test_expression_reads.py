"""What an expression reads, found without evaluating it."""

from __future__ import annotations

import pytest

from oneo.expressions import PathRead, compile_condition, compile_template, reads


@pytest.mark.parametrize(
    ("source", "nodes"),
    [
        ("{{ nodes.a.x }} {{ nodes['b-c'].y }} {{ outputs.d }} {{ node_e.z }}", {"a", "b-c", "d", "e"}),
        ("{{ record.nodes.a }}", set()),
        ("{{ [nodes.a.x | default(nodes.b)] }}", {"a", "b"}),
        ("{{ nodes.a[nodes.b.key] }}", {"a", "b"}),
    ],
)
def test_nodes(source: str, nodes: set[str]) -> None:
    assert reads(source).nodes == nodes
    assert not reads(source).dynamic_nodes


@pytest.mark.parametrize(
    "source", ["{{ nodes[record.x].y }}", "{{ nodes }}", "{{ outputs | json }}", "{{ get(nodes, 'a') }}"]
)
def test_nodes_known_only_at_run_time(source: str) -> None:
    assert reads(source).dynamic_nodes


def test_paths_have_positions_and_say_whether_they_may_be_missing() -> None:
    found = reads("Hi {{ record.name }}, {{ record.tags[0] | default(manager) }} {{ item.id is defined }}")
    assert found.paths == (
        PathRead(("record", "name"), 6),
        PathRead(("record", "tags", 0), 25, guarded=True),
        PathRead(("manager",), 50),
        PathRead(("item", "id"), 65, guarded=True),
    )
    assert found.roots == {"record", "manager", "item"}
    assert [str(path) for path in found.paths] == ["record.name", "record.tags[0]", "manager", "item.id"]


def test_secrets_and_functions() -> None:
    found = reads("{{ secrets.a }} {{ secrets['b'] | upper }} {{ date.add_days(3) }}")
    assert found.secrets == {"a", "b"}
    assert found.functions == {"upper", "date.add_days"}
    assert found.roots == {"secrets"}


def test_conditions_and_compiled_objects() -> None:
    assert reads(compile_condition("{{record.score}} > 80 and nodes.a.ok")).nodes == {"a"}
    both = compile_template("{{ a.b }}").reads | compile_template("{{ nodes.x }}").reads
    assert both.roots == {"a", "nodes"}
    assert both.nodes == {"x"}
    assert reads("plain").paths == ()
