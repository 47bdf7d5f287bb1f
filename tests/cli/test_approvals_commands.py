"""`oneo approvals`: what people are asked, at the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oneo.approvals import ApprovalRequest
from oneo.database import Database
from oneo.settings import settings
from oneo.store import approvals


@pytest.fixture
def approval(database: Database, tenant: str) -> str:
    wanted = ApprovalRequest("Discount [20 %]?", ["eva", "role:manager"], "For Ann", comment_required=True)
    with database.tenant(tenant) as session:
        return str(approvals.request(session, tenant, wanted, key="k").id)


def test_list_show_and_decide(command: Callable[..., Any], approval: str) -> None:
    assert [one["approval_id"] for one in command("approvals", "list", "--status", "pending")] == [approval]
    assert command("approvals", "list", "--assignee", "max") == []
    assert "Discount [20 %]?" in command("approvals", "list", code=0)
    said = command("approvals", "decide", approval, "reject", "--by", "eva", code=1)
    assert "it needs a comment" in said
    decided = command("approvals", "decide", approval, "reject", "--by", "eva", "--comment", "no [money]")
    assert (decided["status"], decided["decided_by"]) == ("decided", "eva")
    assert "no [money]" in command("approvals", "show", approval, code=0)
    said = command("approvals", "decide", approval, "approve", "--by", "eva", "--comment", "yes", code=1)
    assert "was decided as 'reject' by eva" in said


def test_types_of_users_count(
    command: Callable[..., Any], approval: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEO_USER", "max")
    settings.cache_clear()
    refused = command("approvals", "decide", approval, "approve", "--comment", "yes", code=1)
    assert f"'max' may not decide approval {approval}" in refused
    monkeypatch.setenv("ONEO_USER_TYPES", '{"max": ["manager"]}')
    settings.cache_clear()
    assert command("approvals", "decide", approval, "approve", "--comment", "yes")["decided_by"] == "max"


def test_cancel(command: Callable[..., Any], approval: str) -> None:
    assert command("approvals", "cancel", approval)["status"] == "cancelled"
    assert "was cancelled by admin" in command("approvals", "cancel", approval, code=1)


def test_an_approval_that_is_not_there(command: Callable[..., Any]) -> None:
    assert "there is no approval" in command(
        "approvals", "show", "7b0c2f5e-0000-4000-8000-000000000000", code=1
    )
    command("approvals", "show", "nonsense", code=2)
