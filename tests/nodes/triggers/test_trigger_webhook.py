"""trigger_webhook: what can be published, and what an event of a hook leads to."""

from __future__ import annotations

from typing import Any

import pytest

from dag_factory.examine import examine
from oneo.store import inbox
from oneo_operators.catalogue import catalogue
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.nodes.bench import EXAMPLES, Bench

__all__ = ["crm"]
NAMED = {"path": "orders", "secret_key": "{{ secrets.shop }}"}


def put(crm: Crm, path: str, payload: Any) -> None:
    data = {"payload": payload, "headers": {"x-shop": "7"}, "query": {}, "method": "POST"}
    with crm.database.tenant(crm.tenant) as session:
        inbox.put(session, crm.tenant, "webhook", path, data)


def test_a_request_s_fields_are_the_trigger_s(crm: Crm) -> None:
    crm.watch("trigger_webhook", **NAMED)
    put(crm, "orders", {"amount": 12, "headers": "mine"})
    put(crm, "others", {"amount": 13})
    crm.round()
    (row,) = crm.started
    assert (row.data["amount"], row.data["payload"]["headers"]) == (12, "mine")
    assert (row.data["headers"], row.data["event"], row.data["topic"]) == (
        {"x-shop": "7"},
        "webhook",
        "orders",
    )


@pytest.mark.parametrize("payload", [{"type": "order.created"}, ["order.paid"], None, "order.paid"])
def test_only_payloads_that_fit(crm: Crm, payload: Any) -> None:
    crm.watch("trigger_webhook", **NAMED, filters={"type": "order.paid"})
    put(crm, "orders", payload)
    crm.round()
    assert (crm.started, crm.decision()["outcome"]) == ([], "refused")
    assert "type" in crm.decision()["reason"]


def test_the_older_spelling_of_the_path(crm: Crm) -> None:
    crm.watch("trigger_webhook", **EXAMPLES["trigger_webhook"])
    put(crm, "abc123", {})
    crm.round()
    assert len(crm.started) == 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"secret_key": "x"}, "the hook needs a path"),
        ({"path": "../x", "secret_key": "x"}, "the hook needs a path"),
        ({"path": "a/b", "secret_key": "x"}, "the hook needs a path"),
        ({"path": "orders"}, "secret_key is missing"),
        ({"path": "orders", "secret_key": []}, "secret_key is missing"),
        ({"path": "orders", "secret_key": ""}, "a secret is empty"),
        ({"path": "orders", "secret_key": ["x", " "]}, "a secret is empty"),
        ({"path": "orders", "secret_key": "{{ record.x }}"}, "is no secret"),
        ({**NAMED, "methods": ["GET"]}, "GET has no body"),
        ({**NAMED, "allowed_ips": ["10.0.0.0/33"]}, "is no network"),
        ({**NAMED, "payload_schema": {"type": "objekt"}}, "'objekt' is not valid"),
        (
            {**NAMED, "payload_schema": {"$ref": "https://example.com/s.json"}},
            "none of the schema's own $defs",
        ),
        (
            {**NAMED, "payload_schema": {"properties": {"a": {"pattern": "(?=x)y"}}}},
            "patterns are those of RE2",
        ),
        ({**NAMED, "payload_schema": {"patternProperties": {"^(a+)+$": {}}}}, "is not supported"),
        ({**NAMED, "signature_header": "X Y"}, "no name of a header"),
        ({**NAMED, "signature": "md5"}, "'standard'"),
    ],
)
def test_what_no_hook_can_be(bench: Bench, config: dict[str, Any], message: str) -> None:
    assert message in str(bench.problems("trigger_webhook", config))


@pytest.mark.parametrize(
    ("config", "warnings"),
    [
        (NAMED, []),
        ({"path": "orders", "secret_key": "word"}, ["'secret_key' stands here in plain text"]),
        ({"path": "orders", "secret_key": ["{{ secrets.a }}", "word"]}, ["stands here in plain text"]),
        ({"path": "orders", "signature": "none"}, ["everyone who knows the address"]),
    ],
)
def test_what_may_not_be_meant_is_a_warning(config: dict[str, Any], warnings: list[str]) -> None:
    document = {"id": "w", "nodes": [{"id": "start", "type": "trigger_webhook", "config": config}]}
    found = examine(document, catalogue())
    assert found.ok
    assert [problem.severity for problem in found.problems] == ["warning"] * len(warnings)
    for problem, text in zip(found.problems, warnings, strict=True):
        assert text in problem.message
