"""Events that come together are committed together, and none depends on another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import IntegrityError

from oneo import settings as oneo_settings
from oneo.database import database as product_database
from oneo_app.http.intake import Accepted, Incoming, Intake
from tests.dispatcher.crm import Crm


def together(*events: Incoming) -> list[Any]:
    async def all_at_once() -> list[Any]:
        intake = Intake()
        return await asyncio.gather(*(intake.put(one) for one in events), return_exceptions=True)

    return asyncio.run(all_at_once())


def test_one_that_cannot_be_kept_does_not_take_the_others_along(served: str, crm: Crm) -> None:
    crm.watch("trigger_event", event="paid")
    good = [Incoming(crm.tenant, "app", "paid", {"n": number}) for number in range(3)]
    found = together(good[0], Incoming(crm.tenant, "app", "paid", {"n": "\x00"}), good[1],
                     Incoming("nobody", "app", "paid", {}), good[2])  # fmt: skip
    assert [isinstance(one, Accepted) for one in found] == [True, False, True, False, True]
    assert isinstance(found[3], IntegrityError)
    crm.round()
    assert [row.data["n"] for row in crm.started] == [0, 1, 2]


def test_the_same_key_in_one_commit_is_one_event(served: str, crm: Crm) -> None:
    first, second = together(*[Incoming(crm.tenant, "app", "paid", {}, "7")] * 2)
    assert (first.event_id, first.known, second.known) == (second.event_id, False, True)


@pytest.fixture
def store_down(served: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server's store does not answer."""
    with monkeypatch.context() as environment:
        environment.setenv("ONEO_DATABASE_URL", "postgresql://someone:hidden@127.0.0.1:1/oneo")
        oneo_settings.settings.cache_clear()
        product_database().dispose()
        product_database.cache_clear()
        yield
    product_database().dispose()
    oneo_settings.settings.cache_clear()
    product_database.cache_clear()


def test_a_store_that_is_down_says_nothing_of_itself(store_down: None, http: httpx.Client) -> None:
    for found in (http.post("/hooks/t/orders"), http.get("/api/v1/health")):
        assert (found.status_code, found.headers["retry-after"]) == (503, "5")
        assert "someone" not in found.text
        assert "127.0.0.1" not in found.text
