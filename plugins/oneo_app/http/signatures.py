"""Whether a request was sent by somebody who knows the hook's secret: over its raw bytes, before anything is read."""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import b64encode
from collections.abc import Iterable, Sequence

from standardwebhooks import Webhook
from starlette.datastructures import Headers

from oneo_app.http.refusals import RequestRefusedError
from oneo_operators.nodes.triggers.trigger_webhook import TriggerWebhookConfig

# Seconds that a request may be old, or its sender's clock be ahead.
TOLERANCE = 300
HMAC_HEADER = "x-signature"
TOKEN_HEADER = "x-webhook-token"  # noqa: S105 - a header's name
GITHUB_HEADER = "x-hub-signature-256"
STRIPE_HEADER = "stripe-signature"
_STANDARD_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def verify(options: TriggerWebhookConfig, secrets: Sequence[str], headers: Headers, raw: bytes) -> None:
    """Nothing where the request proves that its sender knows one of the secrets.

    Args:
        options: The hook.
        secrets: The secrets that are valid now.
        headers: The request's.
        raw: The request's body as it came.

    Raises:
        RequestRefusedError: 503 where the hook has no secret, 401 where the request does not prove it.
    """
    if options.signature == "none":
        return
    if not secrets:
        raise RequestRefusedError(503, "this hook has no secret, and so it takes nothing", code="no_secret")
    match options.signature:
        case "standard":
            _standard(secrets, headers, raw)
        case "hmac":
            _hmac(options, secrets, headers, raw)
        case "github":
            _check_digests(secrets, raw, [_one(headers, GITHUB_HEADER).removeprefix("sha256=")])
        case "stripe":
            _stripe(secrets, headers, raw)
        case "token":
            _token(options, secrets, headers)


def standard_key(secret: str) -> Webhook:
    """A secret as Standard Webhooks use it: `whsec_` and Base64, else the text itself.

    Raises:
        RuntimeError: No bytes are left of it.
    """
    return Webhook(secret if secret.startswith("whsec_") else secret.encode())


def _standard(secrets: Sequence[str], headers: Headers, raw: bytes) -> None:
    given = {name: _one(headers, name) for name in _STANDARD_HEADERS}
    _check_time(given["webhook-timestamp"])
    for secret in secrets:
        try:
            standard_key(secret).verify(raw, given, json_parse=False)
        except Exception:  # noqa: S112 - of what a sender writes, the library lets all kinds of errors through
            continue
        return
    raise _wrong()


def _hmac(options: TriggerWebhookConfig, secrets: Sequence[str], headers: Headers, raw: bytes) -> None:
    given = _one(headers, options.signature_header or HMAC_HEADER).removeprefix("sha256=")
    signed = raw
    if options.timestamp_header is not None:
        moment = _one(headers, options.timestamp_header)
        _check_time(moment)
        signed = moment.encode() + b"." + raw
    _check_digests(secrets, signed, [given])


def _stripe(secrets: Sequence[str], headers: Headers, raw: bytes) -> None:
    parts = [part.strip().partition("=") for part in _one(headers, STRIPE_HEADER).split(",")]
    moment = next((value for name, _, value in parts if name == "t"), "")
    _check_time(moment)
    _check_digests(secrets, moment.encode() + b"." + raw, [value for name, _, value in parts if name == "v1"])


def _token(options: TriggerWebhookConfig, secrets: Sequence[str], headers: Headers) -> None:
    if options.signature_header is None and TOKEN_HEADER not in headers:
        given = _one(headers, "authorization").removeprefix("Bearer ")
    else:
        given = _one(headers, options.signature_header or TOKEN_HEADER)
    if not _any_equal([given], secrets):
        raise _wrong()


def _one(headers: Headers, name: str) -> str:
    """A header that must be there once: of two, nobody can know which the sender meant."""
    found = headers.getlist(name)
    if len(found) != 1 or not found[0].strip():
        message = f"the header {name} {'stands there twice' if len(found) > 1 else 'is missing'}"
        raise RequestRefusedError(401, message, "sign the request", code="unsigned")
    return found[0].strip()


def _check_time(text: str) -> None:
    plain = text.isascii() and text.isdigit() and len(text) <= 12
    if not plain or abs(time.time() - int(text)) > TOLERANCE:
        message = f"the time of the signature is not within {TOLERANCE} s of ours"
        raise RequestRefusedError(401, message, "sign it when it is sent", code="timestamp")


def _check_digests(secrets: Sequence[str], signed: bytes, given: Sequence[str]) -> None:
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).digest() for secret in secrets]
    spellings = [
        spelling for one in expected for spelling in (one.hex(), one.hex().upper(), b64encode(one).decode())
    ]
    if not _any_equal(given, spellings):
        raise _wrong()


def _any_equal(given: Iterable[str], expected: Sequence[str]) -> bool:
    # All are compared: how long it takes says nothing about which of them is right.
    pairs = [(one.encode(), other.encode()) for one in given for other in expected]
    return any([hmac.compare_digest(one, other) for one, other in pairs])  # noqa: C419


def _wrong() -> RequestRefusedError:
    return RequestRefusedError(
        401, "the signature is wrong", "sign the bytes that are sent", code="signature"
    )
