"""Requests to hooks, forms that people and programs fill in, and events of applications."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx

from oneo.store.models import Execution
from tests.e2e.trigger_cases import Case, Family, Outside, Trace, Watched
from tests.http_api.filling import Page
from tests.http_api.senders import Sender
from tests.nodes.bench import EXAMPLES

HOOK, FORM = EXAMPLES["trigger_webhook"], EXAMPLES["trigger_form_submitted"]
SECRET = HOOK["secret_key"]
NEAR = "192.168.1.7"
ROTATING = ["the old secret", "{{ secrets.new_secret }}"]
Happening = Callable[[Outside], Trace]

WORKFLOWS = {
    "hook": Watched("trigger_webhook", HOOK),
    "hook_open": Watched(
        "trigger_webhook",
        {
            "webhook_url": "/api/workflows/webhook/open1",
            "secret_key": ROTATING,
            "allowed_ips": [],
            "validate_payload": False,
        },
    ),
    "hook_secret": Watched("trigger_webhook", {"path": "kept", "secret_key": "{{ secrets.new_secret }}"}),
    "form": Watched("trigger_form_submitted", FORM),
    "form_free": Watched("trigger_form_submitted", {"form_ids": ["feedback"]}),
    "told": Watched("trigger_event", {"event_names": ["lead_qualified"], "filters": {"score": {"$gte": 50}}}),
    "told_anything": Watched("trigger_event", {"event": "opportunity_created"}),
}


def called(
    body: Any, path: str = "abc123", *, secret: str | None = SECRET, sender: str | None = NEAR
) -> Happening:
    """A request to a hook, through a proxy that says where it came from; without a secret it is not signed."""

    def happens(outside: Outside) -> Trace:
        via = {} if sender is None else {"x-forwarded-for": sender}
        system = Sender(outside.http, outside.tenant, secret or "", path)
        if secret is None:
            return taken_in(system.post(json.dumps(body).encode(), via))
        return taken_in(system.send(body, via))

    return happens


def taken_in(answer: httpx.Response) -> Trace:
    """The event that an answer names, or what else it says."""
    if answer.status_code == 202:
        return Trace(events=(answer.json()["event"],))
    return Trace(answer=f"{answer.status_code} {answer.text}")


def tried(path: str) -> Happening:
    """The owner of a hook tries it, with the secret that Airflow keeps."""

    def happens(outside: Outside) -> Trace:
        answer = outside.json("hooks", "test", path, "--data", '{"total": 1}')["answer"]
        return Trace(events=(json.loads(answer)["event"],))

    return happens


FITS = {"total": 1}
HOOK_CASES = [
    Case("hook", "webhook_url", called(FITS)),
    Case("hook", "webhook_url", called(FITS, "abc124"), "404"),
    Case("hook_open", "webhook_url", called(FITS, "open1", secret="the old secret", sender=None)),
    Case("hook", "secret_key", called(FITS)),
    Case("hook", "secret_key", called(FITS, secret="webhook_secret "), "401"),
    Case("hook", "secret_key", called(FITS, secret=None), "401"),
    Case("hook_open", "secret_key", called(FITS, "open1", secret="the old secret")),
    Case("hook_open", "secret_key", called(FITS, "open1", secret="the new secret")),
    Case("hook_open", "secret_key", called(FITS, "open1", secret="{{ secrets.new_secret }}"), "401"),
    Case("hook_secret", "secret_key", called(FITS, "kept", secret="the new secret")),
    Case("hook_secret", "secret_key", tried("kept")),
    Case("hook", "allowed_ips", called(FITS, sender="192.168.1.255")),
    Case("hook", "allowed_ips", called(FITS, sender="192.168.2.7"), "403"),
    Case("hook", "allowed_ips", called(FITS, sender=f"{NEAR}, 203.0.113.9"), "403"),
    Case("hook", "allowed_ips", called(FITS, sender=None), "403"),
    Case("hook_open", "allowed_ips", called(FITS, "open1", secret="the new secret", sender="203.0.113.9")),
    Case("hook", "validate_payload", called(FITS)),
    Case("hook", "validate_payload", called([1, 2]), "422"),
    Case("hook_open", "validate_payload", called([1, 2], "open1", secret="the new secret")),
]

FIELDS = {
    "name": {"type": "string"},
    "email": {"type": "string"},
    "phone": {"type": "string"},
}
ENTERED = {"name": "Ann", "email": "ann@example.com", "phone": "+49 30 901820"}


def form(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "settings": {"pipeline_id": "contacts"},
        "schema": {"type": "object", "required": ["name"], "properties": FIELDS},
    }


def sent(name: str, **entered: Any) -> Happening:
    """A program fills a form in."""

    def happens(outside: Outside) -> Trace:
        given = {key: value for key, value in {**ENTERED, **entered}.items() if value is not None}
        return submitted(outside, name, outside.http.post(outside.known[name], json=given))

    return happens


def filled_in(name: str, **entered: Any) -> Happening:
    """A person fills the form's page in, which they opened before."""

    def happens(outside: Outside) -> Trace:
        page = outside.known[f"{name} page"]
        data = {"oneo_state": page.value("oneo_state"), "oneo_website": "", **ENTERED, **entered}
        parts = [(key, (None, value)) for key, value in data.items()]
        return submitted(outside, name, outside.http.post(outside.known[name], files=parts))

    return happens


def submitted(outside: Outside, name: str, answer: httpx.Response) -> Trace:
    if not answer.is_success and not answer.is_redirect:
        return Trace(answer=f"{answer.status_code} {answer.text}")
    event = outside.sql("SELECT max(id) FROM inbox WHERE kind = 'form' AND topic = :name", name=name)
    return Trace(events=(event,))


def made_a_record(found: Sequence[Execution], outside: Outside) -> None:
    assert found[0].record_id is not None
    data = outside.sql("SELECT data FROM records WHERE id = :record", record=found[0].record_id)
    assert data["email"] == ENTERED["email"]


def made_no_record(found: Sequence[Execution], outside: Outside) -> None:
    assert found[0].record_id is None
    assert found[0].data["email"] == ENTERED["email"]


FORM_CASES = [
    Case("form", "form_ids", sent("contact_form")),
    Case("form", "form_ids", filled_in("demo_request")),
    Case("form", "form_ids", sent("feedback"), "the event is about 'feedback'"),
    Case("form", "validation_rules", sent("contact_form")),
    Case("form", "validation_rules", sent("contact_form", email=None), "this is required"),
    Case("form", "validation_rules", sent("contact_form", phone="12"), "this is no phone number"),
    Case("form", "validation_rules", filled_in("contact_form", phone="12"), "this is no phone number"),
    Case("form_free", "validation_rules", sent("feedback", phone="12")),
    Case("form", "auto_create_record", sent("contact_form"), shows=made_a_record),
    Case("form", "auto_create_record", filled_in("demo_request"), shows=made_a_record),
    Case("form_free", "auto_create_record", sent("feedback"), shows=made_no_record),
]


def emitted(name: str, **data: Any) -> Happening:
    """An application announces something over HTTP."""

    def happens(outside: Outside) -> Trace:
        key = outside.known["token"]
        answer = outside.http.post(
            "/api/v1/events",
            json={"name": name, "data": data},
            headers={"authorization": f"Bearer {key}"},
        )
        return Trace(events=(answer.json()["event"],))

    return happens


def emitted_by_sql(name: str, **data: Any) -> Happening:
    """Another program announces something in SQL, twice by the same key."""

    def happens(outside: Outside) -> Trace:
        statement = "SELECT oneo_emit(:tenant, :name, CAST(:data AS jsonb), 'order-1')"
        event = outside.sql(statement, name=name, data=data)
        assert outside.sql(statement, name=name, data=data) is None
        return Trace(events=(event,))

    return happens


def emitted_by_command(name: str, **data: Any) -> Happening:
    """Somebody announces something by a command."""
    return lambda outside: Trace(
        events=(outside.json("events", "emit", name, "--data", json.dumps(data))["event"],)
    )


EVENT_CASES = [
    Case("told", "event_names", emitted("lead_qualified", score=80)),
    Case("told", "event_names", emitted_by_sql("lead_qualified", score=80)),
    Case("told", "event_names", emitted_by_command("lead_qualified", score=80)),
    Case("told", "event_names", emitted("lead_lost", score=80), "the event is about 'lead_lost'"),
    Case("told", "filters", emitted("lead_qualified", score=50)),
    Case("told", "filters", emitted("lead_qualified", score=49), "the filter score $gte 50"),
    Case("told_anything", "event", emitted("opportunity_created")),
    Case("told_anything", "event", emitted("opportunity"), "the event is about 'opportunity'"),
]


def prepare(outside: Outside) -> None:
    """Forms with their links and opened pages, a secret, and a key to the API."""
    outside.pipeline("contacts")
    outside.keep("variables", key="new_secret", value="the new secret")
    outside.known["token"] = outside.json("tokens", "create", "shop", "--scope", "events")["token"]
    folder = Path(outside.exits.enter_context(TemporaryDirectory()))
    for name in (*FORM["form_ids"], "feedback"):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(form(name)))
        outside.oneo("forms", "apply", str(path))
        url = outside.json("forms", "link", name)["url"]
        outside.known[name] = urlsplit(url).path.removeprefix("/oneo")
        outside.known[f"{name} page"] = Page(outside.http.get(outside.known[name]).text)


FAMILY = Family("http", WORKFLOWS, [*HOOK_CASES, *FORM_CASES, *EVENT_CASES], prepare)
