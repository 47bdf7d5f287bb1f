"""Pushed metrics: the latest values of a series, in whatever order they come."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from oneo.database import Database
from oneo.errors import UserError
from oneo.store import metrics
from oneo.store.models import InboxEvent, Metric

NOW = datetime.now(UTC)


def push(database: Database, tenant: str, at: datetime | None = None, **values: Any) -> int | None:
    with database.tenant(tenant) as session:
        return metrics.push(session, tenant, "boiler-7", values, at)


def latest(database: Database, tenant: str) -> dict[str, Any]:
    with database.tenant(tenant) as session:
        return session.get_one(Metric, (tenant, "boiler-7")).data


def pushed(database: Database, tenant: str) -> list[tuple[Any, Any]]:
    with database.tenant(tenant) as session:
        query = select(InboxEvent).where(InboxEvent.kind == "metric").order_by(InboxEvent.id)
        return [(row.data["before"], row.data["after"]) for row in session.scalars(query)]


def test_values_are_merged_and_each_push_is_an_event(database: Database, tenant: str):
    ids = [push(database, tenant, temperature=20, door="shut"), push(database, tenant, temperature=101.5)]
    assert latest(database, tenant) == {"temperature": 101.5, "door": "shut"}
    first, second = pushed(database, tenant)
    assert first == ({}, {"temperature": 20, "door": "shut"})
    assert second == ({"temperature": 20, "door": "shut"}, {"temperature": 101.5, "door": "shut"})
    with database.tenant(tenant) as session:
        row = session.get_one(InboxEvent, (tenant, ids[1]))
        assert (row.topic, row.data["series"]) == ("boiler-7", "boiler-7")


def test_what_is_older_changes_nothing_value_by_value(database: Database, tenant: str):
    push(database, tenant, NOW - timedelta(minutes=5), temperature=20)
    assert push(database, tenant, NOW - timedelta(minutes=9), temperature=19) is None
    assert push(database, tenant, NOW - timedelta(minutes=9), temperature=19, door="shut") is not None
    assert push(database, tenant, NOW - timedelta(minutes=5), temperature=21) is not None
    assert latest(database, tenant) == {"temperature": 21, "door": "shut"}
    assert len(pushed(database, tenant)) == 3


def test_a_time_that_has_not_come_does_not_hold_up_later_values(database: Database, tenant: str):
    push(database, tenant, NOW + timedelta(days=365), temperature=20)
    assert push(database, tenant, temperature=21) is not None
    assert latest(database, tenant) == {"temperature": 21}


def test_pushes_side_by_side_lose_nothing(database: Database, tenant: str):
    threads = [
        threading.Thread(target=push, args=(database, tenant), kwargs={f"v{number}": number})
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert latest(database, tenant) == {f"v{number}": number for number in range(8)}
    images = pushed(database, tenant)
    assert [before for before, _ in images[1:]] == [after for _, after in images[:-1]]


def test_a_push_that_is_rolled_back_never_was(database: Database, tenant: str):
    def push_and_fail() -> None:
        with database.tenant(tenant) as session:
            metrics.push(session, tenant, "boiler-7", {"temperature": 101})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        push_and_fail()
    assert pushed(database, tenant) == []


def test_plain_sql_pushes_too(database: Database, tenant: str, plain_sql: psycopg.Connection):
    plain_sql.execute("SELECT oneo_push_metrics(%s, 'boiler-7', '{\"temperature\": 20}')", [tenant])
    assert latest(database, tenant) == {"temperature": 20}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        plain_sql.execute("SELECT oneo_push_metrics('another', 'boiler-7', '{\"temperature\": 20}')")


def test_everything_that_is_wrong_is_said_at_once(database: Database, tenant: str):
    with database.tenant(tenant) as session, pytest.raises(UserError) as refused:
        metrics.push(session, tenant, "boiler 7", {"a.b": 1, "list": [1], "big": float("inf")})
    assert refused.value.message == (
        "'boiler 7' is no name of a series; 'a.b': no name of a value;"
        " 'list': a value is a number, a text, true, false or null, got list; 'big': inf is not a finite number"
    )
