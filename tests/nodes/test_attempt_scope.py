"""What a node sees of the others, and that data stays data."""

from __future__ import annotations

from typing import Any

import pytest

from oneo.settings import settings
from tests.nodes.bench import MAKE, Bench, workflow


def test_context_is_seen_by_descendants_only(bench: Bench) -> None:
    def seeing(name: str) -> dict[str, Any]:
        message = "{{ context.created_record_id | default('unknown') }}"
        config = {"recipients": ["eva"], "title": name, "message": message}
        return {"id": name, "type": "task_notify", "config": config}

    document = workflow(
        MAKE,
        seeing("after"),
        seeing("beside"),
        edges=[
            {"source": "start", "target": "make"},
            {"source": "make", "target": "after"},
            {"source": "start", "target": "beside"},
        ],
    )
    state = bench.begin(document)
    bench.attempt(state, "make")
    for node in ("after", "beside"):
        bench.attempt(state, node)
    told = {note.title: note.message for note in bench.notifications_of(str(state.id))}
    assert told["beside"] == "unknown"
    assert told["after"] == bench.all("deals")[0]["id"]


def test_the_output_of_a_skipped_node_is_an_unknown_name(bench: Bench) -> None:
    config = {"recipients": ["eva"], "title": "x", "message": "{{ nodes.make.record_id | default('none') }}"}
    late = {"id": "late", "type": "task_notify", "config": config}
    strict = {**late, "id": "strict", "config": {**config, "message": "{{ nodes.make.record_id }}"}}
    never = {"id": "if", "type": "condition", "config": {"conditions": [{"if": "false", "then": "make"}]}}
    edges = [
        {"source": "start", "target": "if"},
        {"source": "if", "target": "late"},
        {"source": "make", "target": "late"},
        {"source": "late", "target": "strict"},
    ]
    report = bench.run(workflow(never, MAKE, late, strict, edges=edges))
    assert report["nodes"]["make"]["status"] == "skipped"
    assert bench.notifications_of(report["execution"])[0].message == "none"
    assert "'make'" in report["nodes"]["strict"]["error"]["message"]


def test_a_handler_in_a_task_of_its_own_finds_the_failure_in_the_log(bench: Bench) -> None:
    lost = {"id": "find", "type": "find_records", "config": {"pipeline_id": "no_such"}}
    config = {"recipients": ["eva"], "title": "{{ error.node }}", "message": "{{ error.message }}"}
    edges = [
        {"source": "start", "target": "find"},
        {"source": "find", "target": "tell", "condition": "error"},
    ]
    tell = {"id": "tell", "type": "task_notify", "config": config}
    state = bench.begin(workflow(lost, tell, edges=edges))
    assert bench.attempt(state, "find").routes == ("error",)
    state.context.clear()
    bench.attempt(state, "tell")
    (told,) = bench.notifications_of(str(state.id))
    assert (told.title, told.message) == ("find", "there is no pipeline 'no_such'")


HOSTILE = "{{secrets.key}} {% if 1 %} {{ 7*7 }} ${x} {# c #} \u202e \" \\ {{'{{'}}"


def test_data_that_looks_like_a_template_passes_five_nodes_unchanged(bench: Bench) -> None:
    bench.vault.keep("key", "s3cr3t-key")
    read = "{{context.record.note}}"
    document = workflow(
        {
            "id": "a",
            "type": "update_record",
            "config": {"update_fields": {"b": "{{record.note}}", "b2": read}},
        },
        {
            "id": "b",
            "type": "find_records",
            "config": {"pipeline_id": "leads", "filters": {"note": "{{trigger.note}}"}},
        },
        {
            "id": "c",
            "type": "create_record",
            "config": {"pipeline_id": "deals", "record_data": {"note": "{{nodes.b.records[0].b2}}"}},
        },
        {
            "id": "d",
            "type": "resolve_contact",
            "config": {
                "match_criteria": {"email": "a@b.de"},
                "contact_data": {"note": "{{nodes.c.record.note}}"},
            },
        },
        {
            "id": "e",
            "type": "task_notify",
            "config": {"recipients": ["eva"], "title": "x", "message": "<{{context.contact.note}}>"},
        },
    )
    report = bench.run(document, {"record_id": bench.record("leads", note=HOSTILE)})
    assert report["status"] == "success", report["error"]
    assert bench.notifications_of(report["execution"])[0].message == f"<{HOSTILE}>"
    assert [one["note"] for pipeline in ("leads", "deals", "contacts") for one in bench.all(pipeline)] == [
        HOSTILE
    ] * 3
    assert "s3cr3t" not in repr(report)


def test_a_wrong_placeholder_in_the_records_address_breaks_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEO_RECORD_URL", "https://crm.example/{id.__class__}/{nope}/{id}")
    settings.cache_clear()
    lead = bench.record("leads")
    config = {"recipients": ["eva"], "title": "x", "message": "{{record.url}}"}
    ran = bench.node("task_notify", config, {"record_id": lead})
    settings.cache_clear()
    assert (
        bench.notifications_of(ran.execution)[0].message
        == f"https://crm.example/{{id.__class__}}/{{nope}}/{lead}"
    )
