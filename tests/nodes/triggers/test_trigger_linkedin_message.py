"""trigger_linkedin_message: what starts a workflow, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.messaging.arriving import arrive
from tests.messaging.payloads import LINKEDIN
from tests.nodes.bench import Bench

__all__ = ["crm"]


@pytest.mark.parametrize(
    ("config", "changes", "starts"),
    [
        ({}, {}, True),
        ({"account_ids": ["acc-linkedin"]}, {}, True),
        ({"message_types": ["InMail"]}, {}, False),
        ({"message_types": ["INMAIL"]}, {"chat_content_type": "inmail"}, True),
        ({"message_types": ["message"]}, {"chat_content_type": "inmail"}, False),
        ({"sender_filters": {"connection_degree": 2}}, {}, True),
        ({"sender_filters": {"connection_degree": [1, 3]}}, {}, False),
        ({"keyword_filters": ["INTERESTED"]}, {}, True),
        ({"keyword_filters": ["a demo"]}, {"message": "a\n demo?"}, True),
        ({"keyword_filters": ["demo"]}, {"message": "democracy"}, False),
        ({"keyword_filters": ["demo"]}, {"message": None, "subject": "Demo"}, True),
        ({"groups": False}, {"is_group": True}, False),
    ],
)
def test_what_starts(crm: Crm, config: dict[str, Any], changes: dict[str, Any], starts: bool) -> None:
    crm.watch("trigger_linkedin_message", **config)
    arrive(crm, LINKEDIN, **changes)
    assert bool(crm.started) is starts
    assert crm.decision()["outcome"] == ("started" if starts else "refused")


def test_another_accounts_messages_are_not_looked_at(crm: Crm) -> None:
    crm.watch("trigger_linkedin_message", account_ids=["acc-2"])
    arrive(crm, LINKEDIN)
    assert crm.decisions[-1] == {}


def test_what_the_workflow_gets_to_know(crm: Crm) -> None:
    crm.watch("trigger_linkedin_message")
    arrive(crm, LINKEDIN)
    data = crm.started[0].data
    assert data["text"] == "I am interested, could we see a demo?"
    assert data["sender"] == {
        "id": "ACoAAKim",
        "name": "Kim Doe",
        "phone": "",
        "profile_url": "https://www.linkedin.com/in/ACoAAKim/",
        "degree": 2,
    }
    assert (data["chat_id"], data["types"], data["attachments"]) == ("chat-1", ["message"], [])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"message_types": ["letter"]}, "inmail"),
        ({"sender_filters": {"connection_degree": [4]}}, "a degree is 1, 2 or 3"),
        ({"keyword_filters": [" "]}, "an empty text"),
        ({"account_ids": []}, "at least 1 item"),
    ],
)
def test_what_no_message_can_be(bench: Bench, config: dict[str, Any], message: str) -> None:
    assert message in bench.problems("trigger_linkedin_message", config)[0]
