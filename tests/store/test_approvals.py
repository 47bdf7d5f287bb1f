"""Approvals: asked once, decided once by whom was asked, over when their time is; each end an event."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from oneo.approvals import ApprovalRequest
from oneo.database import Database
from oneo.errors import NotAllowedError, NotFoundError, OverError, UserError
from oneo.store import approvals, inbox, records
from oneo.store.models import Approval, InboxEvent
from oneo_app.dispatcher.reminding import expire_approvals

EVA = "eva@example.com"


class Desk:
    """A tenant's approvals."""

    def __init__(self, database: Database, tenant: str) -> None:
        self.database, self.tenant = database, tenant

    def ask(self, key: str = "k", **wanted: Any) -> Approval:
        request = ApprovalRequest(**{"title": "Discount?", "assignees": [EVA, "role:manager"], **wanted})
        with self.database.tenant(self.tenant) as session:
            return approvals.request(session, self.tenant, request, key=key)

    def decide(self, row: Approval, decision: str = "approve", by: str = EVA, **more: Any) -> Approval:
        with self.database.tenant(self.tenant) as session:
            return approvals.decide(session, self.tenant, row.id, decision, by=by, **more)

    def get(self, approval_id: UUID) -> Approval:
        with self.database.tenant(self.tenant) as session:
            return approvals.get(session, approval_id)

    def events(self, status: str) -> list[InboxEvent]:
        with self.database.tenant(self.tenant) as session:
            return inbox.recent(session, "approval", status)


@pytest.fixture
def desk(database: Database, tenant: str) -> Desk:
    return Desk(database, tenant)


def past() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=1)


def test_whoever_asks_again_under_the_same_key_finds_what_was_asked(desk: Desk) -> None:
    first = desk.ask()
    desk.decide(first)
    again = desk.ask(title="Something else?")
    assert (again.id, again.title, again.status) == (first.id, "Discount?", "decided")
    assert desk.ask(key="other").id != first.id


def test_a_decision_is_kept_and_is_an_event(desk: Desk, leads: str) -> None:
    with desk.database.tenant(desk.tenant) as session:
        record = records.create(session, desk.tenant, leads, {"name": "Ann"})
    row = desk.ask(record_id=record.id)
    decided = desk.decide(row, "reject", comment=" too much ")
    assert decided.status == "decided"
    assert (decided.decision, decided.comment, decided.decided_by) == ("reject", "too much", EVA)
    (event,) = desk.events("decided")
    assert (event.key, event.record_id) == (str(row.id), record.id)
    assert event.data["oneo_record"]["name"] == "Ann"
    assert {name: event.data[name] for name in ("title", "decision", "comment", "decided_by")} == {
        "title": "Discount?",
        "decision": "reject",
        "comment": "too much",
        "decided_by": EVA,
    }


@pytest.mark.parametrize(
    ("by", "roles"), [(EVA, ()), (" EVA@example.com ", ()), ("max", ("sales", "manager"))]
)
def test_those_who_were_asked_may_decide(desk: Desk, by: str, roles: tuple[str, ...]) -> None:
    assert desk.decide(desk.ask(), by=by, roles=roles).status == "decided"


@pytest.mark.parametrize(
    ("by", "roles"),
    [("max", ()), ("max", ("sales",)), ("manager", ()), ("role:manager", ("sales",)), ("", ())],
)
def test_others_may_not(desk: Desk, by: str, roles: tuple[str, ...]) -> None:
    row = desk.ask(assignees=[EVA, "role:Manager"])
    with pytest.raises(NotAllowedError, match="may not decide approval") as refused:
        desk.decide(row, by=by, roles=roles)
    assert EVA in str(refused.value)
    assert desk.get(row.id).status == "pending"


def test_the_second_is_told_who_was_first(desk: Desk) -> None:
    row = desk.ask()
    desk.decide(row)
    with pytest.raises(OverError, match=rf"was decided as 'approve' by {EVA}, at 20"):
        desk.decide(row, "reject", by="max", roles=["manager"])
    assert desk.get(row.id).decision == "approve"
    assert len(desk.events("decided")) == 1


def test_of_many_at_once_one_decides(desk: Desk) -> None:
    row = desk.ask()

    def decide(number: int) -> str:
        try:
            return str(desk.decide(row, ("approve", "reject")[number % 2], comment=f"{number}").comment)
        except OverError:
            return ""

    with ThreadPoolExecutor(8) as pool:
        won = [one for one in pool.map(decide, range(16)) if one]
    assert won == [desk.get(row.id).comment]
    assert len(desk.events("decided")) == 1


def test_everything_that_is_wrong_with_a_decision_is_said(desk: Desk) -> None:
    row = desk.ask(comment_required=True)
    with pytest.raises(UserError, match="'perhaps' is none of its options; it needs a comment") as refused:
        desk.decide(row, "perhaps", comment="  ")
    assert refused.value.hint == "choose of approve, reject"


def test_what_nobody_decides_in_time_expires_once(desk: Desk) -> None:
    row, other = desk.ask(expires_at=past()), desk.ask("later", expires_at=past() + timedelta(hours=1))
    with pytest.raises(OverError, match="has expired"):
        desk.decide(row)
    while expire_approvals(desk.database):
        pass
    assert [desk.get(one.id).status for one in (row, other)] == ["expired", "pending"]
    (event,) = desk.events("expired")
    assert (event.key, event.data["decision"]) == (str(row.id), None)
    with pytest.raises(OverError, match="has expired, at 20"):
        desk.decide(row)


def test_what_is_being_decided_does_not_expire_meanwhile(desk: Desk, database: Database) -> None:
    row = desk.ask(expires_at=datetime.now(UTC) + timedelta(milliseconds=300))
    with database.tenant(desk.tenant) as session:
        approvals.decide(session, desk.tenant, row.id, "approve", by=EVA)
        while datetime.now(UTC) <= (row.expires_at or past()):
            pass
        while expire_approvals(database):
            pass
    while expire_approvals(database):
        pass
    assert desk.get(row.id).status == "decided"


def test_a_question_that_is_taken_back(desk: Desk) -> None:
    row = desk.ask()
    with desk.database.tenant(desk.tenant) as session:
        approvals.cancel(session, desk.tenant, row.id, by="max")
    with pytest.raises(OverError, match="was cancelled by max"):
        desk.decide(row)
    assert len(desk.events("cancelled")) == 1


def test_lists_are_by_status_and_by_whom_they_ask(desk: Desk) -> None:
    first, second = desk.ask("a"), desk.ask("b", assignees=["max"])
    desk.decide(first)

    def found(**by: Any) -> list[UUID]:
        with desk.database.tenant(desk.tenant) as session:
            return [row.id for row in approvals.recent(session, **by)]

    assert found() == [second.id, first.id]
    assert found(status="pending") == [second.id]
    assert found(assignee="role:manager") == [first.id]
    with pytest.raises(UserError, match="there is no status 'decidet'"):
        found(status="decidet")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": " ", "assignees": []}, "title has 1 characters .*; assignees names nobody"),
        ({"assignees": "eva"}, "assignees names nobody"),
        ({"assignees": ["role:"]}, "assignees has an empty entry"),
        ({"options": []}, "options is empty"),
        (
            {"options": [{"id": "a"}, {"id": "b", "label": "B"}, {"id": "", "label": "C"}]},
            "options.0, options.2",
        ),
        ({"options": [{"id": "a", "label": "A"}] * 2}, "has the id 'a' twice"),
        ({"description": "x" * 10_001}, "description has 10001 characters"),
    ],
)
def test_what_cannot_be_asked(desk: Desk, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        desk.ask(**wrong)


def test_another_tenant_s_approval_is_not_there(desk: Desk, database: Database, other_tenant: str) -> None:
    row = desk.ask()
    other = Desk(database, other_tenant)
    with pytest.raises(NotFoundError):
        other.decide(row)
    with pytest.raises(NotFoundError, match="there is no approval"):
        other.get(uuid4())
    assert desk.get(row.id).status == "pending"
