"""Metrics over HTTP: one push or many, all or none."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from oneo.store import api_tokens
from oneo.store.models import Metric
from tests.dispatcher.crm import Crm

URL = "/api/v1/metrics"


@pytest.fixture
def headers(crm: Crm) -> dict[str, str]:
    return key_for(crm, "metrics")


def key_for(crm: Crm, scope: str) -> dict[str, str]:
    with crm.database.tenant(crm.tenant) as session:
        return {"authorization": f"Bearer {api_tokens.create(session, crm.tenant, 'boiler', [scope])[1]}"}


def held(crm: Crm, series: str) -> dict[str, Any] | None:
    with crm.database.tenant(crm.tenant) as session:
        row = session.get(Metric, (crm.tenant, series))
        return row.data if row is not None else None


def test_a_value_that_meets_a_condition_starts_the_workflow(
    crm: Crm, http: httpx.Client, headers: dict[str, str]
) -> None:
    crm.watch(
        "trigger_condition_met",
        series=["boiler-7"],
        conditions=[{"field": "temperature", "operator": "gt", "value": 100}],
    )
    body = {"metrics": [{"series": "boiler-7", "values": {"temperature": 101.5, "door": "open"}}]}
    answer = http.post(URL, json=body, headers=headers)
    assert answer.status_code == 202
    (told,) = answer.json()["metrics"]
    assert told["series"] == "boiler-7"
    assert told["event"] > 0
    crm.round()
    assert len(crm.started) == 1


def test_many_are_taken_over_in_their_order(crm: Crm, http: httpx.Client, headers: dict[str, str]) -> None:
    pushed = [
        {"series": "b", "values": {"t": 1, "on": True, "note": None}},
        {"series": "a", "values": {"t": 2}, "at": "2026-01-31T09:00:00Z"},
        {"series": "b", "values": {"t": 3}},
        {"series": "a", "values": {"t": 4}, "at": "2026-01-31T08:00:00Z"},
    ]
    told = http.post(URL, json={"metrics": pushed}, headers=headers).json()["metrics"]
    assert [one["series"] for one in told] == ["b", "a", "b", "a"]
    assert told[3]["event"] is None, "it is older than the one that is there"
    assert held(crm, "b") == {"t": 3, "on": True, "note": None}
    assert held(crm, "a") == {"t": 2}


def test_everything_that_is_wrong_is_said_and_nothing_is_taken_over(
    crm: Crm, http: httpx.Client, headers: dict[str, str]
) -> None:
    pushed = [
        {"series": "a", "values": {"t": 1}},
        {"series": "b c", "values": {}},
        {"series": "d", "values": {"a.b": 1, "list": [1]}, "at": "noon"},
    ]
    answer = http.post(URL, json={"metrics": pushed}, headers=headers)
    assert answer.status_code == 422
    problems = [(one["path"], one["message"]) for one in answer.json()["error"]["problems"]]
    assert [path for path, _ in problems] == ["$.metrics.1"] * 2 + ["$.metrics.2"] * 3
    said = "; ".join(message for _, message in problems)
    for part in (
        "no name of a series",
        "no value is given",
        "'a.b': no name",
        "got list",
        "'noon' is no time",
    ):
        assert part in said
    assert held(crm, "a") is None


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"{}", 422, "$.metrics"),
        (b'{"metrics": []}', 422, "$.metrics"),
        (b'{"metrics": [{"series": 1, "value": 2}]}', 422, "3 problem(s)"),
        (b'{"metrics": [{"series": "a", "values": {"t": NaN}}]}', 400, "NaN"),
        (b'{"metrics": [{"series": "a", "values": {"t": 1, "t": 2}}]}', 400, "twice"),
        (b"[]", 422, ""),
        (b"", 422, ""),
    ],
)
def test_what_is_no_push(
    crm: Crm, http: httpx.Client, headers: dict[str, str], body: bytes, status: int, text: str
) -> None:
    found = http.post(URL, content=body, headers=headers)
    assert found.status_code == status
    assert text in found.text


def test_more_than_is_allowed_at_once(http: httpx.Client, headers: dict[str, str]) -> None:
    many = {"metrics": [{"series": "a", "values": {"t": 1}}] * 501}
    assert http.post(URL, json=many, headers=headers).status_code == 422
    large = json.dumps({"metrics": [{"series": "a", "values": {"t": "x" * 1_100_000}}]})
    assert http.post(URL, content=large, headers=headers).status_code == 413


def test_only_a_key_for_metrics_opens_it(crm: Crm, http: httpx.Client) -> None:
    body = {"metrics": [{"series": "a", "values": {"t": 1}}]}
    assert http.post(URL, json=body).status_code == 401
    assert http.post(URL, json=body, headers=key_for(crm, "events")).status_code == 403
    assert held(crm, "a") is None


def test_those_who_push_the_same_series_in_any_order_do_not_block_each_other(
    crm: Crm, http: httpx.Client, headers: dict[str, str]
) -> None:
    names = [f"s{number}" for number in range(20)]

    def push(turn: int) -> int:
        order = names if turn % 2 else names[::-1]
        body = {"metrics": [{"series": name, "values": {"t": turn}} for name in order]}
        return http.post(URL, json=body, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(push, range(24))) == {202}
