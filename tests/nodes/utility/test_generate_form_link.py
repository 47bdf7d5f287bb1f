"""generate_form_link: a link for one person, and what it may do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from oneo.forms.spec import parse_form
from oneo.store import form_links, forms
from oneo.store.models import FormLink
from tests.nodes.bench import EXAMPLES, Bench

FEEDBACK: dict[str, Any] = {
    "id": "customer_feedback",
    "name": "Feedback",
    "schema": {
        "required": ["customer_id"],
        "properties": {
            "customer_id": {"type": "string"},
            "email": {"type": "string", "format": "email"},
            "text": {"type": "string"},
        },
    },
    "ui": {"fields": {"customer_id": {"widget": "hidden"}}},
    "settings": {"prefill_fields": ["email"], "redirect_hosts": ["company.com"], "expiry_days": 30},
}


@pytest.fixture
def ann(bench: Bench) -> dict[str, str]:
    """Trigger data about a contact; the form is there."""
    with bench.database.tenant(bench.tenant) as session:
        forms.apply(session, bench.tenant, parse_form(FEEDBACK, "form"))
    bench.pipeline("contacts")
    return {"record_id": bench.record("contacts", email="ann@example.com")}


def link_of(bench: Bench, output: dict[str, Any]) -> FormLink:
    with bench.database.system() as session:
        found = form_links.by_token(session, output["url"].rpartition("/")[2])
    assert found is not None
    assert str(found.id) == output["link_id"]
    return found


def test_the_catalogue_s_example(bench: Bench, ann: dict[str, str]) -> None:
    ran = bench.node("generate_form_link", EXAMPLES["generate_form_link"], ann)
    row = link_of(bench, ran.output)
    assert ran.output["url"].startswith("http://localhost:8080/oneo/forms/")
    assert row.prefill == {"customer_id": ann["record_id"], "email": "ann@example.com"}
    assert row.expires_at is not None
    assert abs(row.expires_at - row.created_at - timedelta(days=7)) < timedelta(minutes=1)
    assert (row.single_use, row.tracked) == (True, True)
    assert row.redirect_url == "https://company.com/thank-you"
    assert (str(row.record_id), row.execution_id) == (ann["record_id"], UUID(ran.execution))


def test_what_is_not_said_is_as_the_form_says(bench: Bench, ann: dict[str, str]) -> None:
    config = {
        "form": "customer_feedback",
        "prefill_data": {"customer_id": "7", "email": "{{ record.fax | default('') }}"},
    }
    row = link_of(bench, bench.node("generate_form_link", config, ann).output)
    assert row.expires_at is not None
    assert (row.expires_at - row.created_at, row.single_use, row.tracked) == (
        timedelta(days=30),
        False,
        False,
    )
    assert row.prefill == {"customer_id": "7"}


def test_later_nodes_know_the_address(bench: Bench, ann: dict[str, str]) -> None:
    ask = {"form_id": "customer_feedback", "prefill_data": {"customer_id": "7"}}
    both = "{{ nodes.ask.url }} {{ context.form_link }}"
    document = {
        "name": "w",
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            {"id": "ask", "type": "generate_form_link", "config": ask},
            {"id": "keep", "type": "set_variable", "config": {"variables": {"both": both}}},
        ],
    }
    report = bench.run(document, ann)
    url = report["nodes"]["ask"]["output"]["url"]
    assert f"{url} {url}" in str(report["nodes"]["keep"]["output"])


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"form_id": "customer_feedbak"}, "customer_feedback"),
        ({"form_id": "customer_feedback"}, "prefill.customer_id: the form needs it"),
        (
            {"form_id": "customer_feedback", "prefill_data": {"text": "x"}},
            "prefill.text: the form does not let",
        ),
        (
            {"form_id": "customer_feedback", "prefill_data": {"email": "x"}},
            "prefill.email: this is no e-mail",
        ),
        (
            {"form_id": "customer_feedback", "redirect_url": "https://evil.example/"},
            "evil.example is not allowed",
        ),
        ({"form_id": "customer_feedback", "record_id": "00000000-0000-0000-0000-000000000000"}, "no record"),
    ],
)
def test_links_that_are_not_made(
    bench: Bench, ann: dict[str, str], config: dict[str, Any], told: str
) -> None:
    assert told in bench.node("generate_form_link", config, ann).message


def test_each_round_of_a_loop_makes_its_own(bench: Bench, ann: dict[str, str]) -> None:
    ask = {"form_id": "customer_feedback", "prefill_data": {"customer_id": "{{ item }}"}}
    document = {
        "name": "w",
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            {"id": "each", "type": "for_each", "config": {"items_source": "{{ ['a', 'b', 'c'] }}"}},
            {"id": "ask", "type": "generate_form_link", "config": ask},
        ],
        "edges": [
            {"source": "start", "target": "each"},
            {"source": "each", "target": "ask", "loop": True},
            {"source": "ask", "target": "each", "loop_back": True},
        ],
    }
    assert bench.run(document, ann)["status"] == "success"
    with bench.database.tenant(bench.tenant) as session:
        rows = form_links.of_form(session, "customer_feedback")
    assert sorted(row.prefill["customer_id"] for row in rows) == ["a", "b", "c"]
