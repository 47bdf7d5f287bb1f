"""trigger_form_submitted: what can be published, and which submissions start the workflow."""

from __future__ import annotations

from typing import Any

import pytest

from oneo.store import inbox
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.nodes.bench import Bench

__all__ = ["crm"]


def put(crm: Crm, form: str, **values: Any) -> None:
    with crm.database.tenant(crm.tenant) as session:
        inbox.put(session, crm.tenant, "form", form, {**values, "form_data": values, "form_id": form})


def test_only_the_named_forms_start_it(crm: Crm) -> None:
    crm.watch("trigger_form_submitted", form_ids=["contact_form", "demo_request"])
    crm.watch("trigger_form_submitted", "one", form="contact_form")
    crm.watch("trigger_form_submitted", "all", form_ids=["*"])
    for form in ("contact_form", "demo_request", "survey"):
        put(crm, form, name="Ann")
    crm.round()
    started = [(row.workflow_id, row.data["form_id"]) for row in crm.started]
    assert sorted(started) == [
        ("all", "contact_form"),
        ("all", "demo_request"),
        ("all", "survey"),
        ("one", "contact_form"),
        ("watch", "contact_form"),
        ("watch", "demo_request"),
    ]


@pytest.mark.parametrize(
    ("rules", "values", "reason"),
    [
        (["email_required"], {"email": "a@b.c"}, None),
        (["email_required"], {"work_email": "a@b.c"}, None),
        (["email_required"], {"name": "Ann"}, "field 'email': this is required"),
        (["email_valid"], {"name": "Ann"}, None),
        (["email_valid"], {"email": "a@"}, "field 'email': this is no e-mail address"),
        (["phone_valid"], {"phone": "+44 20 7946 0958"}, None),
        (["phone_valid"], {"phone": "+44 123"}, "field 'phone': this is no phone number"),
        (["phone_valid"], {"work_phone": "030 901820"}, "field 'work_phone': this is no phone number"),
        (["email_required", "phone_required"], {}, "field 'email': this is required; field 'phone': this is"),
    ],
)
def test_rules(crm: Crm, rules: list[str], values: dict[str, str], reason: str | None) -> None:
    crm.watch("trigger_form_submitted", form_ids=["contact_form"], validation_rules=rules)
    put(crm, "contact_form", **values)
    crm.round()
    assert len(crm.started) == (reason is None)
    assert (reason or "") in crm.decision().get("reason", "")


def test_phone_numbers_of_a_country(crm: Crm) -> None:
    crm.watch("trigger_form_submitted", form="contact", validation_rules=["phone_valid"], phone_region="DE")
    put(crm, "contact", phone="030 901820")
    crm.round()
    assert len(crm.started) == 1


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"form_ids": []},
        {"form_ids": ["a"], "validation_rules": ["email"]},
        {"form_ids": ["a"], "validation_rules": ["name_valid"]},
        {"form_ids": ["a"], "phone_region": "Germany"},
    ],
)
def test_what_cannot_be_published(bench: Bench, config: dict[str, Any]) -> None:
    assert bench.problems("trigger_form_submitted", config)
