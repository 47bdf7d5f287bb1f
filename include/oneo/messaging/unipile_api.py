"""What we ask of UniPile's API (v1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote
from uuid import uuid4

from oneo.errors import PermanentNodeError
from oneo.http import HttpClient, OutcomeUnknownError, Request, check

# Answers of whoever stands between us and UniPile: whether it has got the request, they do not say.
_FROM_IN_BETWEEN = (502, 504)


@dataclass(frozen=True)
class Account:
    """Where UniPile answers, and the key it knows us by.

    Attributes:
        base_url: E.g. `https://api1.unipile.com:13111`.
        api_key: The key.
    """

    base_url: str
    api_key: str = field(repr=False)


async def send_text(
    client: HttpClient, account: Account, chat_id: str, text: str, timeout_seconds: float = 30
) -> str | None:
    """Send a text to a chat.

    Returns:
        UniPile's id of the message; None where it does not say.

    Raises:
        OutcomeUnknownError: It went out, and whether it was sent is not known.
        TransientNodeError: It was not sent; trying again may help.
        PermanentNodeError: It was not sent, and will not be.
        ConfigError: The address cannot be called, or may not be.
    """
    if chat_id in ("", ".", ".."):
        raise PermanentNodeError(f"{chat_id!r} is no id of a chat")
    boundary = uuid4().hex
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="text"\r\n\r\n{text}\r\n--{boundary}--\r\n'
    response = await client.send(
        Request(
            method="POST",
            url=f"{account.base_url}/api/v1/chats/{quote(chat_id, safe='')}/messages",
            headers={
                "X-API-KEY": account.api_key,
                "Accept": "application/json",
                "Content-Type": f"multipart/form-data; boundary={boundary}",
            },
            body=part.encode(),
            timeout_seconds=timeout_seconds,
            follow_redirects=False,
            max_response_bytes=1_048_576,
        )
    )
    if response.status in _FROM_IN_BETWEEN:
        raise OutcomeUnknownError(f"{response.url} answered {response.status}")
    if not 200 <= check(response).status < 300:
        raise PermanentNodeError(f"{response.url} answered {response.status}", "check the connection's host")
    message_id = response.data.get("message_id") if isinstance(response.data, dict) else None
    return message_id if isinstance(message_id, str) else None
