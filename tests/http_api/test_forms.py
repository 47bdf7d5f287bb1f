"""Forms over HTTP: from what somebody enters to the execution that it starts, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from oneo import settings as oneo_settings
from oneo.forms import states
from oneo.store import form_links, records
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.http_api.filling import ENTERED, Page, Site
from tests.nodes.bench import EXAMPLES

__all__ = ["crm"]
EVERYTHING: dict[str, Any] = {
    **ENTERED,
    "phone": "+44 20 7946 0958",
    "seats": "12",
    "budget": "99.5",
    "plan": "team",
    "size": "large",
    "topics": ["crm", "mail"],
    "start": "2026-12-01",
    "message": "{{secrets.x}}\r\n<b>'; DROP TABLE forms--",
}


@pytest.fixture
def site(crm: Crm, http: httpx.Client) -> Site:
    found = Site(crm, http)
    found.apply()
    return found


def test_a_submission_starts_the_workflow_with_what_was_entered(site: Site) -> None:
    site.crm.watch("trigger_form_submitted", form_ids=["contact_form"])
    found = site.send(site.link(), EVERYTHING)
    assert (found.status_code, Page(found.text).text("h1")) == (200, "Contact us")
    assert "Thank you" in found.text
    site.crm.round()
    (row,) = site.crm.started
    expected = {
        "name": "Ann", "email": "ann@example.com", "consent": True, "phone": "+44 20 7946 0958", "seats": 12,
        "budget": 99.5, "plan": "team", "size": "large", "topics": ["crm", "mail"], "start": "2026-12-01",
        "message": "{{secrets.x}}\n<b>'; DROP TABLE forms--",
    }  # fmt: skip
    assert row.data["form_data"] == expected
    assert row.data.items() >= {**expected, "event": "form", "topic": "contact_form"}.items()


def test_the_catalogue_s_example(site: Site) -> None:
    site.apply(settings={"pipeline_id": "leads", "mapping": {"name": "full_name", "email": "email"}})
    site.crm.watch("trigger_form_submitted", **EXAMPLES["trigger_form_submitted"])
    refused = site.send(site.link(), {**ENTERED, "phone": "12345"})
    assert "this is no phone number" in Page(refused.text).text("p", id="problem-phone")
    site.send(site.link(), {**ENTERED, "phone": "+44 20 7946 0958"})
    site.crm.round()
    (row,) = site.crm.started
    assert row.record_id is not None
    assert (row.data["record"]["full_name"], row.data["phone"]) == ("Ann", "+44 20 7946 0958")


def test_problems_stand_beside_their_fields_and_nothing_entered_is_lost(site: Site) -> None:
    site.crm.watch("trigger_form_submitted", form_ids=["*"])
    wrong = {**EVERYTHING, "email": "ann", "seats": "7 or 8", "name": "", "start": "31.1.26", "consent": ""}
    found = site.send(site.link(), wrong, files=[("cv", ("cv.txt", b"hello"))])
    page = Page(found.text)
    assert found.status_code == 422
    told = {
        name: page.text("p", id=f"problem-{name}")
        for name in ("email", "seats", "name", "start", "consent", "cv")
    }
    assert told == {
        "email": "this is no e-mail address, such as name@example.com",
        "seats": "this is no whole number",
        "name": "this is required",
        "start": "this is no date, such as 2026-01-31",
        "consent": "this must be ticked",
        "cv": "please choose the file once more",
    }
    assert (page.value("email"), page.value("seats"), page.value("phone")) == (
        "ann",
        "7 or 8",
        "+44 20 7946 0958",
    )
    assert "selected" in page.all("option", value="team")[0]
    assert "checked" in page.all("input", value="large")[0]
    assert ["checked" in one for one in page.all("input", name="topics")] == [True, True]
    assert page.text("textarea").startswith("{{secrets.x}}")
    assert site.events == []


def test_a_corrected_page_is_taken(site: Site) -> None:
    path = site.link(single_use=True)
    wrong = Page(site.send(path, {"email": "x"}).text)
    state = wrong.value("oneo_state")
    assert site.send(path, state=state).status_code == 200
    assert len(site.events) == 1


def test_a_page_that_is_sent_twice_is_one_submission(site: Site) -> None:
    site.apply(settings={"pipeline_id": "leads", "mapping": {"email": "email"}})
    site.crm.watch("trigger_form_submitted", form_ids=["contact_form"], auto_create_record=True)
    path = site.link()
    state = site.state(path)
    with ThreadPoolExecutor(8) as senders:
        found = list(senders.map(lambda _: site.send(path, state=state).status_code, range(8)))
    assert set(found) == {200}
    site.send(path)
    site.crm.round()
    assert len(site.crm.started) == 2
    with site.crm.database.tenant(site.crm.tenant) as session:
        assert records.count(session, "leads", {}) == 2


def test_a_link_for_one_use_takes_one_of_fifty(site: Site) -> None:
    site.apply(settings={"pipeline_id": "leads", "mapping": {"email": "email"}})
    site.crm.watch("trigger_form_submitted", form_ids=["contact_form"], auto_create_record=True)
    path = site.link(single_use=True)
    sent = [site.state(path) for _ in range(50)]
    with ThreadPoolExecutor(50) as senders:
        found = list(senders.map(lambda state: site.send(path, state=state).status_code, sent))
    assert sorted(found) == [200] + [410] * 49
    site.crm.round()
    assert len(site.crm.started) == 1
    with site.crm.database.tenant(site.crm.tenant) as session:
        assert records.count(session, "leads", {}) == 1
    assert "filled in already" in site.http.get(path).text


@pytest.mark.parametrize(
    "path", ["/forms/x", "/forms/" + "a" * 43, "/forms/%00", "/forms/..%2F..", "/forms/" + "ü" * 9]
)
def test_an_unknown_token_is_no_page(site: Site, path: str) -> None:
    for found in (site.http.get(path), site.http.post(path, data={"name": "x"})):
        assert found.status_code == 404
        assert found.headers["content-type"].startswith(("text/html", "application/json"))
    assert site.http.post(path, json={}).status_code == 404


def test_a_link_that_is_over_says_so(site: Site) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    expired, revoked = site.link(expires_at=past), site.link()
    with site.crm.database.tenant(site.crm.tenant) as session:
        form_links.revoke(session, site.row(revoked).id, past)
    for path, told in ((expired, "only valid for some time"), (revoked, "no longer valid")):
        assert told in site.http.get(path).text
        assert [site.http.get(path).status_code, site.send(path).status_code] == [410, 410]
        assert site.http.post(path, json=ENTERED).json()["error"]["code"] in ("expired", "revoked")
    assert site.events == []


def test_a_link_s_form_lends_it_an_end(site: Site) -> None:
    site.apply(settings={"expiry_days": 7, "single_use": True})
    row = site.row(site.link())
    assert row.expires_at is not None
    assert (row.expires_at - row.created_at, row.single_use) == (timedelta(days=7), True)


@pytest.mark.parametrize("tracked", [True, False])
def test_a_tracked_link_hands_on_what_made_it(site: Site, tracked: bool) -> None:
    site.crm.watch("trigger_form_submitted", form_ids=["contact_form"])
    path = site.link(tracked=tracked, execution_id=uuid4(), node_id="ask")
    site.open(path)
    site.send(path)
    site.crm.round()
    (execution,) = site.crm.started
    row = site.row(path)
    assert (row.opened_at is not None) == tracked
    assert row.used_at is not None
    if tracked:
        assert execution.data["link"]["execution_id"] == str(row.execution_id)
        assert execution.data["link"]["node_id"] == "ask"
    else:
        assert "link" not in execution.data


def test_bots(site: Site) -> None:
    path = site.link()
    trapped = site.send(path, {**ENTERED, "oneo_website": "https://spam.example"})
    assert (trapped.status_code, "Thank you" in trapped.text) == (200, True)
    quick = site.send(path, state=site.open(path).value("oneo_state"))
    assert (quick.status_code, Page(quick.text).value("name")) == (429, "Ann")
    for state in (
        "",
        "x",
        site.state(path)[:-1] + "!",
        site.state(path, age=90_000),
        site.state(site.link()),
    ):
        assert site.send(path, state=state).status_code == 409
    key, now = site.row(path).state_key, datetime.now(UTC)
    nonce, moment, signature = states.issue(key, now).split(".")
    assert site.send(path, state=f"{nonce}.{int(moment) - 100}.{signature}").status_code == 409
    assert site.events == []


def test_a_page_that_was_open_too_long_is_sent_once_more(site: Site) -> None:
    path = site.link()
    old = Page(site.send(path, state=site.state(path, age=90_000)).text)
    assert old.value("name") == "Ann"
    assert states.read(site.row(path).state_key, str(old.value("oneo_state")), datetime.now(UTC)) is not None


def test_who_sends_too_often_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEO_FORMS_PER_MINUTE", "3")
    oneo_settings.settings.cache_clear()
    path, other = site.link(), site.link()
    found = [site.send(path) for _ in range(4)]
    assert [one.status_code for one in found] == [200, 200, 200, 429]
    assert int(found[-1].headers["retry-after"]) <= 60
    assert site.send(other).status_code == 200
    assert site.http.post(path, json={}).json()["error"]["code"] == "rate"
    monkeypatch.undo()
    oneo_settings.settings.cache_clear()


def test_a_program_sends_json(site: Site) -> None:
    site.crm.watch("trigger_form_submitted", form_ids=["contact_form"], validation_rules=["phone_required"])
    path = site.link()
    found = site.http.post(
        path, json={"name": 7, "email": "x", "seats": 0, "colour": "red", "consent": False}
    )
    problems = {one["path"]: one["message"] for one in found.json()["error"]["problems"]}
    assert found.status_code == 422
    assert problems.keys() == {"$.name", "$.email", "$.seats", "$.colour", "$.consent", "$.phone"}
    assert problems["$.colour"] == "the form has no such field"
    good = {"name": "Ann", "email": "a@b.c", "phone": "+442079460958", "topics": ["crm"], "message": None}
    key = {"idempotency-key": "7"}
    told = [site.http.post(path, json=good, headers=key) for _ in range(2)]
    assert [one.status_code for one in told] == [202, 200]
    assert [one.json()["status"] for one in told] == ["accepted", "known"]
    site.crm.round()
    (row,) = site.crm.started
    assert row.data["form_data"] == {name: value for name, value in good.items() if value is not None}


@pytest.mark.parametrize(
    "body", [b"[1]", b"{", b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"a": "\\u0000"}', b"\xff"]
)
def test_json_that_cannot_be_read(site: Site, body: bytes) -> None:
    found = site.http.post(site.link(), content=body, headers={"content-type": "application/json"})
    assert (found.status_code, found.json()["error"]["code"]) == (400, "payload")


def test_bodies_that_cannot_be_taken(site: Site) -> None:
    path = site.link()
    assert (
        site.http.post(path, content=b"x" * 600_000, headers={"content-type": "application/json"}).status_code
        == 413
    )
    assert site.send(path, {**ENTERED, "message": "x" * 500_000}).status_code in (400, 413)
    assert site.http.post(path, content=b"x", headers={"content-type": "text/plain"}).status_code == 415
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert site.http.post(path, content=b"--y\r\n", headers=broken).status_code in (400, 409)
    assert (
        site.http.post(path, content=b"--x", headers={"content-type": "multipart/form-data"}).status_code
        == 400
    )
    assert site.send(path, {**ENTERED, "message": "x" * 20_000}).status_code == 422
    urlencoded = site.http.post(path, data={**ENTERED, "oneo_state": site.state(path)})
    assert (urlencoded.status_code, len(site.events)) == (200, 1)


def test_a_trigger_without_what_it_wants_says_why(site: Site) -> None:
    site.send(site.link())
    site.crm.watch("trigger_form_submitted", form_ids=["contact_form"], auto_create_record=True)
    site.crm.watch(
        "trigger_form_submitted", "calls", form_ids=["contact_form"], validation_rules=["phone_required"]
    )
    site.crm.round()
    assert site.crm.started == []
    assert "names no pipeline" in site.crm.decision()["reason"]
    assert site.crm.decision("calls")["reason"] == "field 'phone': this is required"


def test_another_tenant_s_form_of_the_same_name_stays_apart(
    site: Site, database: Any, http: httpx.Client
) -> None:
    from oneo.store import tenants

    with database.system() as session:
        tenants.ensure(session, f"{site.crm.tenant}b")
    other = Site(Crm(database, f"{site.crm.tenant}b"), http)
    other.apply(name="Theirs")
    site.crm.watch("trigger_form_submitted", form_ids=["contact_form"], validation_rules=["phone_required"])
    assert other.send(other.link()).status_code == 200
    assert (len(other.events), site.events) == (1, [])
    site.crm.round()
    assert site.crm.started == []
