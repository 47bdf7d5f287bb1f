"""trigger_email_received: what starts a workflow, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.messaging.arriving import arrive
from tests.messaging.payloads import MAIL
from tests.nodes.bench import Bench

__all__ = ["crm"]
TYPE = "trigger_email_received"


def sent_by(address: str) -> dict[str, Any]:
    return {"from_attendee": {"identifier": address, "display_name": "Ann"}}


@pytest.mark.parametrize(
    ("config", "changes", "starts"),
    [
        ({}, {}, True),
        ({"email_addresses": ["Support@Company.com"]}, {}, True),
        ({"address": "support@"}, {}, True),
        ({"address": "@company.com"}, {}, True),
        ({"address": "sales@"}, {}, False),
        ({"address": "sales@"}, {"cc_attendees": [{"identifier": "sales@x.org"}]}, True),
        ({"sender_whitelist": ["ANN@customer.com"]}, {}, True),
        ({"sender_whitelist": ["@customer.com"]}, sent_by("a@notcustomer.com"), False),
        ({"sender_whitelist": ["@customer.com"]}, sent_by("a@eu.customer.com"), False),
        ({"sender_whitelist": ["@bücher.de"]}, sent_by("a@xn--bcher-kva.de"), True),
        ({"sender_whitelist": ["@customer.com"]}, {"from_attendee": None}, False),
        ({"subject_filters": ["works"]}, {}, True),
        ({"subject_filters": ["work"]}, {}, False),
        ({"threads": "new"}, {}, True),
        ({"threads": "new"}, {"in_reply_to": {"message_id": "<b@x>", "id": "e-0"}}, False),
        ({"threads": "replies"}, {"in_reply_to": {"message_id": "<b@x>", "id": "e-0"}}, True),
        ({"mailboxes": ["acc-mail"]}, {}, True),
    ],
)
def test_what_starts(crm: Crm, config: dict[str, Any], changes: dict[str, Any], starts: bool) -> None:
    crm.watch(TYPE, **config)
    arrive(crm, MAIL, **changes)
    assert bool(crm.started) is starts
    assert crm.decision()["outcome"] == ("started" if starts else "refused")


@pytest.mark.parametrize(
    ("body", "known"), [("text", {"text"}), ("html", {"html"}), ("both", {"text", "html"}), ("none", set())]
)
def test_the_body_that_is_asked_for(crm: Crm, body: str, known: set[str]) -> None:
    crm.watch(TYPE, body=body)
    arrive(crm, MAIL)
    assert {"text", "html"} & set(crm.started[0].data) == known


def test_what_the_workflow_gets_to_know(crm: Crm) -> None:
    crm.watch(TYPE)
    arrive(crm, MAIL)
    data = crm.started[0].data
    assert (data["from"], data["to"]) == (
        {"address": "ann@customer.com", "name": "Ann"},
        [{"address": "support@company.com", "name": ""}],
    )
    assert (data["text"], data["thread_id"]) == ("Please help.", "<a@customer.com>")
    assert data["attachments"][0]["name"] == "log.txt"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"email_addresses": ["support"]}, "'support' is no address"),
        ({"sender_whitelist": ["customer.com"]}, "'customer.com' is no address"),
        ({"email_addresses": []}, "at least 1 item"),
        ({"subject_filters": [""]}, "an empty text"),
    ],
)
def test_what_no_mail_can_be(bench: Bench, config: dict[str, Any], message: str) -> None:
    assert message in bench.problems(TYPE, config)[0]
