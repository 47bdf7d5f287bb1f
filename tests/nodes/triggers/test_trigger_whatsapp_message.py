"""trigger_whatsapp_message: what starts a workflow, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.messaging.arriving import arrive
from tests.messaging.payloads import MEDIA, WHATSAPP
from tests.nodes.bench import Bench

__all__ = ["crm"]


@pytest.mark.parametrize(
    ("config", "changes", "starts"),
    [
        ({}, {}, True),
        ({"phone_numbers": ["+1 (234) 567-890"]}, {}, True),
        ({"phone_numbers": ["+49 151 12345678"]}, {"account_info": {"phone_number": "4915112345678"}}, True),
        ({"phone_numbers": ["+49 151 12345678"]}, {}, False),
        ({"senders": ["+91 6307 303338"]}, {}, True),
        ({"senders": ["+49 151 12345678"]}, {}, False),
        # The newer ids are no numbers, even where they look like some.
        (
            {"senders": ["+160512172130375"]},
            {"sender": {"attendee_provider_id": "160512172130375@lid"}},
            False,
        ),
        ({"message_types": ["media"]}, {}, False),
        ({"message_types": ["media"]}, {"attachments": [MEDIA]}, True),
        ({"message_types": ["image"]}, {"attachments": MEDIA}, True),
        ({"message_types": ["video"]}, {"attachments": [MEDIA]}, False),
        ({"message_types": ["text"]}, {"attachments": [MEDIA]}, False),
        ({"keyword_filters": ["hello"]}, {}, True),
    ],
)
def test_what_starts(crm: Crm, config: dict[str, Any], changes: dict[str, Any], starts: bool) -> None:
    crm.watch("trigger_whatsapp_message", **config)
    arrive(crm, WHATSAPP, **changes)
    assert bool(crm.started) is starts
    assert crm.decision()["outcome"] == ("started" if starts else "refused")


def test_what_the_workflow_gets_to_know(crm: Crm) -> None:
    crm.watch("trigger_whatsapp_message")
    arrive(crm, WHATSAPP, attachments=[MEDIA])
    data = crm.started[0].data
    assert (data["sender"]["phone"], data["account"]["phone"]) == ("+916307303338", "+1234567890")
    assert (data["types"], data["attachments"][0]["content_type"]) == (["media", "image"], "image/jpeg")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"phone_numbers": ["me"]}, "'me' is no telephone number"),
        ({"message_types": ["fax"]}, "text"),
        ({"auto_acknowledge": True, "acknowledgement": ""}, "at least 1 character"),
    ],
)
def test_what_no_message_can_be(bench: Bench, config: dict[str, Any], message: str) -> None:
    assert message in bench.problems("trigger_whatsapp_message", config)[0]
