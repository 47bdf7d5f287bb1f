"""Approvals over HTTP: programs show them to people and hand in what these decide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from oneo.approvals import ApprovalRequest
from oneo.settings import settings
from oneo.store import api_tokens, approvals, tenants
from tests.dispatcher.crm import Crm

URL = "/api/v1/approvals"


@pytest.fixture
def client(crm: Crm, served: str) -> Iterator[httpx.Client]:
    """A client with a key of the tenant that opens approvals."""
    with httpx.Client(base_url=served, timeout=30, headers=headers(crm, "approvals")) as found:
        yield found


def headers(crm: Crm, scope: str) -> dict[str, str]:
    with crm.database.tenant(crm.tenant) as session:
        return {"authorization": f"Bearer {api_tokens.create(session, crm.tenant, 'crm', [scope])[1]}"}


def ask(crm: Crm, key: str = "k", **wanted: Any) -> str:
    request = ApprovalRequest(**{"title": "Discount?", "assignees": ["eva", "role:admin"], **wanted})
    with crm.database.tenant(crm.tenant) as session:
        return str(approvals.request(session, crm.tenant, request, key=key).id)


def test_a_person_s_approvals_are_listed_shown_and_decided(crm: Crm, client: httpx.Client) -> None:
    approval, _ = ask(crm), ask(crm, "other", assignees=["max"])
    listed = client.get(URL, params={"status": "pending", "assignee": "eva"}).json()
    assert [one["approval_id"] for one in listed] == [approval]
    assert client.get(f"{URL}/{approval}").json() == listed[0]
    body = {"decision": "approve", "by": "eva", "comment": "fine"}
    decided = client.post(f"{URL}/{approval}/decision", json=body)
    assert decided.status_code == 200
    assert (decided.json()["status"], decided.json()["decision"]) == ("decided", "approve")
    assert len(client.get(URL, params={"status": "pending"}).json()) == 1
    again = client.post(f"{URL}/{approval}/decision", json={**body, "decision": "reject"})
    assert again.status_code == 409
    assert "was decided as 'approve' by eva" in again.json()["error"]["message"]


def test_types_of_users_are_ours_to_say(crm: Crm, client: httpx.Client) -> None:
    (name,) = [user for user, types in settings().user_types.items() if "admin" in types]
    url = f"{URL}/{ask(crm)}/decision"
    assert client.post(url, json={"decision": "approve", "by": "max"}).status_code == 403
    assert client.post(url, json={"decision": "approve", "by": "role:admin"}).status_code == 403
    assert client.post(url, json={"decision": "approve", "by": name}).status_code == 200


def test_what_is_no_decision(crm: Crm, client: httpx.Client) -> None:
    url = f"{URL}/{ask(crm)}/decision"
    shape = client.post(url, json={"decision": 1, "roles": ["admin"]})
    assert shape.status_code == 422
    assert {one["path"] for one in shape.json()["error"]["problems"]} == {"$.decision", "$.by", "$.roles"}
    assert client.post(url, content=b"{").status_code == 400
    option = client.post(url, json={"decision": "perhaps", "by": "eva"})
    assert (option.status_code, option.json()["error"]["hint"]) == (400, "choose of approve, reject")
    assert client.post(f"{URL}/{uuid4()}/decision", json={"decision": "x", "by": "eva"}).status_code == 404
    assert client.get(URL, params={"status": "decidet"}).status_code == 400


def test_only_a_key_for_approvals_opens_them_and_only_the_tenant_s(
    crm: Crm, client: httpx.Client, http: httpx.Client
) -> None:
    approval = ask(crm)
    other = Crm(crm.database, f"{crm.tenant}x")
    with crm.database.system() as session:
        tenants.ensure(session, other.tenant)
    theirs = headers(other, "approvals")
    body = {"decision": "approve", "by": "eva"}
    for given, status in (({}, 401), (headers(crm, "events"), 403), (theirs, 404)):
        assert http.get(f"{URL}/{approval}", headers=given).status_code == status
        assert http.post(f"{URL}/{approval}/decision", json=body, headers=given).status_code == status
    assert http.get(URL, headers=theirs).json() == []
    assert client.get(f"{URL}/{approval}").json()["status"] == "pending"
