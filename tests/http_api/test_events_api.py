"""Events of applications over HTTP, and the keys that open it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from oneo.store import api_tokens
from tests.dispatcher.crm import Crm

URL = "/api/v1/events"


@pytest.fixture
def key(crm: Crm) -> str:
    with crm.database.tenant(crm.tenant) as session:
        return api_tokens.create(session, crm.tenant, "shop", ["events"])[1]


def headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_an_event_starts_the_workflows_of_its_name(crm: Crm, http: httpx.Client, key: str) -> None:
    crm.watch("trigger_event", event="paid")
    body = {"name": "paid", "data": {"amount": 7, "note": "{{secrets.x}}"}, "key": "invoice-7"}
    first, again = (http.post(URL, json=body, headers=headers(key)) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["event"] == again.json()["event"]
    crm.round()
    (row,) = crm.started
    assert (row.data["amount"], row.data["note"]) == (7, "{{secrets.x}}")


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"{}", 422, "$.name"),
        (b'{"name": 1, "data": [], "x": 2}', 422, "3 problem(s)"),
        (b'{"name": "a b"}', 400, "no name of an event"),
        (b'{"name": "a", "name": "b"}', 400, "twice"),
        (b'{"name": "a", "data": {"n": -' + b"9" * 5000 + b"}}", 400, "is too large"),
        (b'{"name": "a", "data": {"n": NaN}}', 400, "NaN"),
        (b"[]", 422, ""),
        (b"", 422, ""),
    ],
)
def test_what_is_no_event(
    crm: Crm, http: httpx.Client, key: str, body: bytes, status: int, text: str
) -> None:
    found = http.post(URL, content=body, headers=headers(key))
    assert found.status_code == status
    assert text in found.text


def test_a_body_over_the_limit(http: httpx.Client, key: str) -> None:
    body = json.dumps({"name": "a", "data": {"x": "x" * 1_100_000}})
    assert http.post(URL, content=body, headers=headers(key)).status_code == 413


@pytest.mark.parametrize(
    "given", [{}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}, headers("x")]
)
def test_nobody_without_a_key(http: httpx.Client, given: dict[str, str]) -> None:
    found = http.post(URL, json={"name": "paid"}, headers=given)
    assert (found.status_code, found.headers["www-authenticate"]) == (401, "Bearer")


def test_a_key_opens_what_it_says_until_it_is_revoked(crm: Crm, http: httpx.Client, key: str) -> None:
    body: dict[str, Any] = {"name": "paid"}
    assert http.post(URL, json=body, headers=headers(key)).status_code == 202
    with crm.database.tenant(crm.tenant) as session:
        (row,) = api_tokens.all_tokens(session)
        _, other = api_tokens.create(session, crm.tenant, "viewer", ["hooks"])
        assert key not in str(vars(row))
        assert row.last_used_at is not None
        api_tokens.revoke(session, row.id)
    assert http.post(URL, json=body, headers=headers(key)).status_code == 401
    assert http.post(URL, json=body, headers=headers(other)).status_code == 403
