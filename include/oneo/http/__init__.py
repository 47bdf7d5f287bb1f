"""The outgoing HTTP client: guarded against server-side request forgery, bounded in time and size.

    async with HttpClient() as client:
        response = check(await client.send(Request(method="GET", url="https://api.example.com/contacts")))

Cheap to import: the network library is loaded when a client is opened.
"""

from oneo.http.allow import AllowList
from oneo.http.client import HttpClient
from oneo.http.errors import OutcomeUnknownError
from oneo.http.guard import Guard
from oneo.http.messages import Request, Response
from oneo.http.status import check, retry_after_seconds

__all__ = [
    "AllowList",
    "Guard",
    "HttpClient",
    "OutcomeUnknownError",
    "Request",
    "Response",
    "check",
    "retry_after_seconds",
]
