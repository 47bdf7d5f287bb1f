"""Who may call a hook: every way to prove it, and every way not to."""

from __future__ import annotations

import json
import math
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from oneo.store import tenants
from oneo.store.models import InboxEvent
from oneo_app.hook_trial import signed
from oneo_app.hooks import options_of
from tests.dispatcher.crm import Crm
from tests.http_api.senders import SECRET, Sender, digest
from tests.nodes.bench import TestVault

HOOK: dict[str, Any] = {"path": "orders", "secret_key": "{{ secrets.shop }}"}
BODY = b'{"amount": 12}'


def accepted(crm: Crm) -> int:
    with crm.database.tenant(crm.tenant) as session:
        return session.scalar(select(func.count()).select_from(InboxEvent)) or 0


def refused(found: Any, crm: Crm, status: int, code: str) -> None:
    assert (found.status_code, found.json()["error"]["code"]) == (status, code)
    assert accepted(crm) == 0


def test_a_signed_request_starts_the_workflow_once(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **HOOK)
    found = sender.send({"amount": 12})
    assert (found.status_code, found.json()["status"]) == (202, "accepted")
    crm.round()
    (row,) = crm.started
    assert (row.event_id, row.data["amount"]) == (found.json()["event"], 12)


def test_an_unsigned_request(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **HOOK)
    refused(sender.post(BODY), crm, 401, "unsigned")


@pytest.mark.parametrize("secret", ["another", SECRET + " ", SECRET[:-1], "shop", "{{ secrets.shop }}"])
def test_a_wrong_secret(crm: Crm, sender: Sender, secret: str) -> None:
    crm.watch("trigger_webhook", **HOOK)
    refused(sender.send({}, secret=secret), crm, 401, "signature")


@pytest.mark.parametrize(
    "altered", [b'{"amount": 13}', b'{"amount":12}', b'{"amount": 12}\n', b' {"amount": 12}', b""]
)
def test_an_altered_body_or_white_space(crm: Crm, sender: Sender, altered: bytes) -> None:
    crm.watch("trigger_webhook", **HOOK)
    refused(sender.post(altered, sender.signed(BODY)), crm, 401, "signature")


@pytest.mark.parametrize("offset", [-301, 301, -86_400, 10**9])
def test_a_time_that_is_off(crm: Crm, sender: Sender, offset: int) -> None:
    crm.watch("trigger_webhook", **HOOK)
    now = math.ceil(time.time()) if offset > 0 else math.floor(time.time())
    refused(sender.send({}, at=now + offset), crm, 401, "timestamp")


@pytest.mark.parametrize("offset", [-290, 290])
def test_a_clock_that_is_off_a_little(crm: Crm, sender: Sender, offset: int) -> None:
    crm.watch("trigger_webhook", **HOOK)
    assert sender.send({}, at=time.time() + offset).status_code == 202


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "1" * 400},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,====="},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": "v1a,AAAA v1"},
        {"webhook-signature": ""},
        {"webhook-id": "another"},
        {"webhook-id": ""},
    ],
)
def test_a_signature_that_is_none(crm: Crm, sender: Sender, change: dict[str, str]) -> None:
    crm.watch("trigger_webhook", **HOOK)
    found = sender.post(BODY, {**sender.signed(BODY), **change})
    assert found.status_code == 401
    assert accepted(crm) == 0


def test_a_header_that_stands_there_twice(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **HOOK)
    twice = [*sender.signed(BODY).items(), ("webhook-id", "another")]
    found = sender.http.post(f"/hooks/{crm.tenant}/orders", content=BODY, headers=twice)
    refused(found, crm, 401, "unsigned")


def test_an_old_secret_and_its_successor_hold_side_by_side(
    crm: Crm, sender: Sender, vault: TestVault
) -> None:
    vault.keep("next", "the new one")
    crm.watch("trigger_webhook", path="orders", secret_key=["{{ secrets.shop }}", "{{ secrets.next }}"])
    assert [sender.send({}, secret=one).status_code for one in (SECRET, "the new one")] == [202, 202]
    vault.keep("shop", "the newest\nthe new one")
    crm.watch("trigger_webhook", **HOOK)
    assert [sender.send({}, secret=one).status_code for one in ("the newest", "the new one")] == [202, 202]
    refused_now = sender.send({}, secret=SECRET)
    assert refused_now.status_code == 401


def test_a_rotated_secret_opens_nothing_any_more(crm: Crm, sender: Sender, vault: TestVault) -> None:
    crm.watch("trigger_webhook", **HOOK)
    vault.keep("shop", "rotated")
    refused(sender.send({}), crm, 401, "signature")


@pytest.mark.parametrize("value", [None, "", "  \n "])
@pytest.mark.parametrize("signature", ["standard", "hmac", "github", "stripe", "token"])
def test_a_missing_or_empty_secret_opens_nothing(
    crm: Crm, sender: Sender, vault: TestVault, value: str | None, signature: str
) -> None:
    crm.watch("trigger_webhook", path="orders", secret_key="{{ secrets.gone }}", signature=signature)
    if value is not None:
        vault.keep("gone", value)
    empty = {"x-signature": digest(BODY, ""), "x-webhook-token": "", "x-hub-signature-256": digest(BODY, "")}
    refused(sender.post(BODY, empty), crm, 503, "no_secret")
    assert crm.started == []


def test_another_tenant_s_secret(crm: Crm, sender: Sender, vault: TestVault, database: Any) -> None:
    other = f"o{uuid4().hex[:12]}"
    with database.system() as session:
        tenants.ensure(session, other)
    vault.keep("shop", "theirs", owner=other)
    crm.watch("trigger_webhook", **HOOK)
    Crm(crm.database, other).watch("trigger_webhook", **HOOK)
    refused(sender.send({}, secret="theirs"), crm, 401, "signature")
    assert Sender(sender.http, other, "theirs").send({}).status_code == 202
    assert accepted(crm) == 0


def test_a_replay_is_the_same_event(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **HOOK)
    headers = sender.signed(BODY)
    first, again = sender.post(BODY, headers), sender.post(BODY, headers)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {"event": first.json()["event"], "status": "known"}
    crm.round()
    assert len(crm.started) == 1


def test_fifty_parallel_duplicates_are_one_event(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **HOOK)
    headers = sender.signed(BODY)
    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda _: sender.post(BODY, headers), range(50)))
    assert sorted(one.status_code for one in found) == [200] * 49 + [202]
    assert len({one.json()["event"] for one in found}) == 1
    assert accepted(crm) == 1
    crm.round()
    assert len(crm.started) == 1


SIGNED = [
    ("standard", {}, {}),
    ("hmac", {}, {"x-signature": digest(BODY)}),
    ("hmac", {}, {"x-signature": digest(BODY).upper()}),
    ("hmac", {}, {"x-signature": f"sha256={digest(BODY)}"}),
    ("hmac", {}, {"x-signature": b64encode(bytes.fromhex(digest(BODY))).decode()}),
    ("hmac", {"signature_header": "X-Shop-Hmac"}, {"x-shop-hmac": digest(BODY)}),
    ("github", {}, {"x-hub-signature-256": f"sha256={digest(BODY)}"}),
    ("token", {}, {"x-webhook-token": SECRET}),
    ("token", {}, {"authorization": f"Bearer {SECRET}"}),
    ("token", {"signature_header": "X-Key"}, {"x-key": SECRET}),
]


@pytest.mark.parametrize(("signature", "options", "headers"), SIGNED)
def test_each_way_to_sign(
    crm: Crm, sender: Sender, signature: str, options: dict[str, str], headers: dict[str, str]
) -> None:
    crm.watch("trigger_webhook", **HOOK, signature=signature, **options)
    assert sender.post(BODY, headers or sender.signed(BODY)).status_code == 202
    if headers:
        wrong = {name: value[:-6] + "AAAAA=" for name, value in headers.items()}
        assert sender.post(BODY, wrong).status_code == 401
    assert sender.post(BODY).status_code == 401
    assert accepted(crm) == 1


@pytest.mark.parametrize(("signature", "offset", "status"), [
    ("hmac", 0, 202), ("hmac", -301, 401), ("hmac", 302, 401),
    ("stripe", 0, 202), ("stripe", -301, 401), ("stripe", 302, 401),
])  # fmt: skip
def test_a_signed_time(crm: Crm, sender: Sender, signature: str, offset: int, status: int) -> None:
    options = {"timestamp_header": "X-Time"} if signature == "hmac" else {}
    crm.watch("trigger_webhook", **HOOK, signature=signature, **options)
    moment = str(int(time.time()) + offset)
    proof = digest(f"{moment}.".encode() + BODY)
    headers = {
        "hmac": {"x-time": moment, "x-signature": proof},
        "stripe": {"stripe-signature": f"t={moment},v1={'0' * 64},v1={proof},v0=x"},
    }[signature]
    assert sender.post(BODY, headers).status_code == status


def test_a_secret_in_base64(crm: Crm, sender: Sender, vault: TestVault) -> None:
    secret = "whsec_" + b64encode(b"twenty-four random bytes").decode()
    vault.keep("shop", secret)
    crm.watch("trigger_webhook", **HOOK)
    assert sender.send({}, secret=secret).status_code == 202


def test_a_secret_in_the_config_works(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", path="orders", secret_key="webhook_secret")
    assert sender.send({}, secret="webhook_secret").status_code == 202


def test_without_a_signature_where_the_hook_says_so(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", path="orders", signature="none")
    assert sender.post(BODY).status_code == 202


def test_a_path_shared_by_two_workflows_asks_for_both_proofs(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", "first", **HOOK)
    crm.watch("trigger_webhook", "second", **HOOK, signature="token")
    assert sender.send({}).status_code == 401
    assert sender.send({}, {"x-webhook-token": SECRET}).status_code == 202
    crm.round()
    assert sorted(row.workflow_id for row in crm.started) == ["first", "second"]


def test_the_secret_stands_nowhere(crm: Crm, sender: Sender) -> None:
    crm.watch("trigger_webhook", **HOOK, signature="token")
    given = {
        "authorization": f"Bearer {SECRET}",
        "x-copy": SECRET,
        "cookie": "a=b",
        "x-api-key": "k",
        "x-kept": "1",
    }
    assert sender.post(b'{"a": 1}', given, params={"copy": SECRET}).status_code == 202
    crm.round()
    data = crm.started[0].data
    assert SECRET not in json.dumps(data)
    assert data["headers"]["x-kept"] == "1"
    assert {"authorization", "cookie", "x-api-key"} & set(data["headers"]) == set()


@pytest.mark.parametrize(
    "options",
    [{"signature": one} for one in ("standard", "hmac", "github", "stripe", "token", "none")]
    + [{"signature": "hmac", "timestamp_header": "X-T", "signature_header": "X-S"}],
)
def test_a_trial_is_signed_as_the_hook_wants_it(crm: Crm, sender: Sender, options: dict[str, str]) -> None:
    crm.watch("trigger_webhook", **HOOK, **options)
    with crm.database.tenant(crm.tenant) as session:
        read = options_of(session, "orders")
    assert sender.post(BODY, signed(read, [SECRET], BODY)).status_code == 202
