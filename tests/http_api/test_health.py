"""Whether the application answers, and how it says that something is wrong."""

from __future__ import annotations

import httpx


def test_it_answers(http: httpx.Client) -> None:
    found = http.get("/api/v1/health")
    assert (found.status_code, found.json()) == (200, {"status": "ok"})


def test_what_is_not_there_is_no_page(http: httpx.Client) -> None:
    assert http.get("/api/v1/nothing").status_code == 404
