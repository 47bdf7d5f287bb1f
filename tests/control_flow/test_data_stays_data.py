"""What looks like an expression in data comes out as those very characters, however far it travels."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control_flow.writing import again, each, edges, put, show, when
from tests.nodes.bench import Bench

HOSTILE = [
    "{{ secrets.key }}",
    "{% for x in y %}{{ x }}{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "{{{{ 7 * 7 }}}}",
    "${7*7} #{7*7} <%= 7*7 %> {7*7} %(x)s %s",
    "{{ nodes.first }}\r\nX-Header: {{ trigger.text }}",
    "\\{\\{ 1 \\}\\} {# gone #} {{ '}}' }}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_through_nodes_and_loops_it_stays_what_it_is(bench: Bench, text: str) -> None:
    bench.vault.keep("key", "geheim")
    record = bench.record("leads", note=text)
    nodes: dict[str, Any] = {
        "first": show(text="{{ trigger.text }}", seen="{{ record.note }}"),
        "second": put(kept="{{ nodes.first.text }}", beside="<{{ nodes.first.seen }}>"),
        "route": when(("{{ variables.kept == trigger.text }}", "same")),
        "each": each(["{{ variables.kept }}", "{{ variables.beside }}"]),
        "work": show(item="{{ item }}", again="{{ loop.item }}"),
        "again": again(loop_type="count", count=2),
        "step": put(kept="{{ variables.kept }}"),
        "make": {
            "type": "create_record",
            "config": {"pipeline_id": "deals", "record_data": {"text": "{{ nodes.each.results[0].item }}"}},
        },
        "last": show(text="{{ nodes.each.results[1].again }}", kept="{{ variables.kept }}"),
    }
    ways = """start > first; first > second; second > route; route > each : same; each > work loop; work > each back
              each > again done; again > step loop; step > again back; again > make done; make > last"""
    document = {
        "name": "w",
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            *({"id": name, **node} for name, node in nodes.items()),
        ],
        "edges": edges(ways),
    }
    report = bench.run(document, {"text": text, "record_id": record})
    assert report["status"] == "success", report["error"]
    assert report["nodes"]["last"]["output"] == {"text": f"<{text}>", "kept": text}
    [deal] = bench.all("deals")
    assert deal["text"] == text
    assert "geheim" not in repr(report)
