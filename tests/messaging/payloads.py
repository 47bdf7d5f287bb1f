"""What UniPile sends, as documented and as seen."""

from __future__ import annotations

from typing import Any

LINKEDIN: dict[str, Any] = {
    "account_id": "acc-linkedin",
    "account_type": "LINKEDIN",
    "account_info": {"type": "LINKEDIN", "feature": "classic", "user_id": "ACoAAOwn"},
    "event": "message_received",
    "chat_id": "chat-1",
    "timestamp": "2026-09-24T13:49:07.965Z",
    "webhook_name": "demo",
    "message_id": "m-1",
    "message": "I am interested, could we see a demo?",
    "sender": {
        "attendee_id": "att-1",
        "attendee_name": "Kim Doe",
        "attendee_provider_id": "ACoAAKim",
        "attendee_profile_url": "https://www.linkedin.com/in/ACoAAKim/",
        "attendee_specifics": {"provider": "LINKEDIN", "network_distance": "DISTANCE_2"},
    },
    "attendees": [{"attendee_id": "att-1", "attendee_provider_id": "ACoAAKim"}],
    # One object where a list is meant: as the documentation shows it.
    "attachments": {},
}
WHATSAPP: dict[str, Any] = {
    "event": "message_received",
    "account_id": "acc-whatsapp",
    "account_type": "WHATSAPP",
    "account_info": {"user_id": "1234567890@s.whatsapp.net"},
    "chat_id": "chat-2",
    "message_id": "w-1",
    "message": "Hello",
    "timestamp": "2026-07-13T07:06:28.000Z",
    "is_sender": False,
    "sender": {
        "attendee_id": "att-2",
        "attendee_provider_id": "160512172130375@lid",
        "attendee_specifics": {"provider": "WHATSAPP", "phone_number": "+916307303338"},
        "attendee_public_identifier": "916307303338@s.whatsapp.net",
    },
    "attachments": [],
}
MAIL: dict[str, Any] = {
    "email_id": "e-1",
    "account_id": "acc-mail",
    "event": "mail_received",
    "webhook_name": "demo",
    "date": "2026-10-04T09:12:00.000Z",
    "from_attendee": {
        "display_name": "Ann",
        "identifier": "Ann@Customer.com",
        "identifier_type": "EMAIL_ADDRESS",
    },
    "to_attendees": [{"display_name": "", "identifier": "support@company.com"}],
    "bcc_attendees": [],
    "cc_attendees": [],
    "reply_to_attendees": [],
    "message_id": "<a@customer.com>",
    "subject": "URGENT: nothing works",
    "body": "<p>Please&nbsp;help.</p><script>x()</script>",
    "body_plain": "",
    "has_attachments": True,
    "attachments": [{"id": "f-1", "name": "log.txt", "mime": "text/plain", "size": 12}],
    "folders": ["INBOX"],
    "in_reply_to": None,
}
MEDIA = {"attachment_id": "x", "attachment_type": "img", "mimetype": "image/jpeg", "attachment_size": 3}
