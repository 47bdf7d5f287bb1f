"""What a status code means for a node: nothing, try again, or give up."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from oneo.errors import PermanentNodeError, TransientNodeError
from oneo.http.messages import Response

MAX_RETRY_AFTER_SECONDS = 3600.0


def check(response: Response) -> Response:
    """Return the response unless its status is an error. Nodes that treat 4xx as output do not call it.

    Raises:
        TransientNodeError: 429 and 5xx, with the wait the server asked for.
        PermanentNodeError: Any other 4xx, with the beginning of the body.
    """
    status = response.status
    if 200 <= status < 400:
        return response
    message = f"{response.url} answered {status}" + (f": {response.excerpt}" if response.excerpt else "")
    if status == 429 or status >= 500:
        wait = retry_after_seconds(response.headers.get("retry-after", ""))
        raise TransientNodeError(message, retry_after=wait)
    hints = {
        401: "check the credentials",
        403: "check what the credentials may do",
        404: "check the URL",
    }
    raise PermanentNodeError(message, hints.get(status))


def retry_after_seconds(value: str, now: datetime | None = None) -> float | None:
    """The wait a `Retry-After` header asks for: seconds or an HTTP date.

    Args:
        value: The header's value.
        now: The present, for dates; None means the clock.

    Returns:
        Seconds between 0 and one hour (a longer wait is asked for again after that), or None where the
        header is missing or not understood.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)
