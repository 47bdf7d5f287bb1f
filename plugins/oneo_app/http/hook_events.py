"""From a request to a hook's event: proven, read and checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers

from oneo_app.http.bodies import inflate
from oneo_app.http.clients import Address, stands_in
from oneo_app.http.intake import Incoming
from oneo_app.http.payloads import Payload, parse
from oneo_app.http.refusals import RequestRefusedError
from oneo_app.http.signatures import verify
from oneo_app.http.strict_json import check_text
from oneo_operators.nodes.triggers.trigger_webhook import WEBHOOK, TriggerWebhookConfig
from oneo_operators.redact import redact
from oneo_operators.secret_option import values
from oneo_operators.services import Secrets

MAX_HEADERS = 64
MAX_HEADER_LENGTH = 4096
MAX_KEY_LENGTH = 200
MAX_PROBLEMS = 50
# Where senders put the id of an event when nobody has said where.
_ID_HEADERS = ("webhook-id", "idempotency-key", "x-event-id", "x-github-delivery")
_SECRET_HEADER = re.compile(r"authorization|cookie|token|secret|signature|password|credential|api-?_?key")


@dataclass(frozen=True)
class Received:
    """A request, read from the wire and no further."""

    method: str
    headers: Headers
    query: Sequence[tuple[str, str]]
    raw: bytes


def admit(options: TriggerWebhookConfig, method: str, address: Address | None) -> None:
    """Nothing where the hook takes requests of this method from this address.

    Raises:
        RequestRefusedError: 405 or 403.
    """
    if method not in options.methods:
        allowed = ", ".join(options.methods)
        raise RequestRefusedError(
            405, f"this hook takes {allowed}", code="method", headers={"Allow": allowed}
        )
    if options.networks and (address is None or not stands_in(address, options.networks)):
        raise RequestRefusedError(403, "this hook takes nothing from that address", code="address")


def read(
    tenant_id: str, hooks: Sequence[TriggerWebhookConfig], request: Received, secrets: Secrets
) -> Incoming:
    """What a request wants to tell, where it may.

    Where several triggers share a path, each of them has to let the request in.

    Raises:
        RequestRefusedError: It proves nothing, cannot be read, or does not fit.
    """
    known: list[str] = []
    for options in hooks:
        valid = values(options.secrets, secrets)
        verify(options, valid, request.headers, request.raw)
        known += valid
    return read_unproven(tenant_id, hooks, request, known)


def read_unproven(
    tenant_id: str, hooks: Sequence[TriggerWebhookConfig], request: Received, secrets: Sequence[str] = ()
) -> Incoming:
    """The same of a request that need prove nothing; `secrets` are the values that must not be kept.

    Raises:
        RequestRefusedError: It cannot be read, or does not fit.
    """
    limit = min(options.max_bytes for options in hooks)
    body = inflate(request.raw, request.headers.get("content-encoding", ""), limit)
    found = _payload(request, body)
    for options in hooks:
        _check(options, found.value)
    key = _key(hooks[0], request.headers, found.value)
    data = {
        # Of a GET the payload is the query.
        "payload": redact(found.value, secrets) if request.method == "GET" else found.value,
        "method": request.method,
        "content_type": request.headers.get("content-type", ""),
        "headers": redact(_headers(request.headers, hooks), secrets),
        "query": redact(_query(request), secrets),
        "files": found.files,
    }
    return Incoming(tenant_id, WEBHOOK, hooks[0].topic, data, key)


def _payload(request: Received, body: bytes) -> Payload:
    if request.method == "GET":
        return Payload(_query(request))
    return parse(body, request.headers.get("content-type", ""))


def _query(request: Received) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        for name, value in request.query:
            found[check_text(name)] = check_text(value)
    except ValueError as error:
        raise RequestRefusedError(400, f"the query cannot be kept: {error}", code="payload") from None
    return found


def _headers(headers: Headers, hooks: Sequence[TriggerWebhookConfig]) -> dict[str, str]:
    """Those that hold no secret, by lower-case name; of a repeated one the values with commas between."""
    own = {(options.signature_header or "").lower() for options in hooks}
    kept: dict[str, str] = {}
    for name, value in headers.items():
        if name in own or _SECRET_HEADER.search(name):
            continue
        if name in kept:
            kept[name] = f"{kept[name]}, {value}"[:MAX_HEADER_LENGTH]
        elif len(kept) < MAX_HEADERS:
            kept[name] = value[:MAX_HEADER_LENGTH]
    return kept


def _check(options: TriggerWebhookConfig, payload: Any) -> None:
    if not options.validate_payload:
        return
    problems = [
        {"path": error.json_path, "message": error.message[:500]} for error in options.misfits(payload)
    ]
    if problems:
        raise RequestRefusedError(
            422,
            f"the payload does not fit the schema in {len(problems)} place(s)",
            "mend them all and send it again",
            code="schema",
            problems=sorted(problems, key=lambda one: one["path"])[:MAX_PROBLEMS],
        )


def _key(options: TriggerWebhookConfig, headers: Headers, payload: Any) -> str | None:
    """What the sender calls the event; None where it has no name for it."""
    where = options.dedupe
    if where == "none":
        return None
    if where is None and options.signature == "stripe":
        where = "$.id"
    if where is None:
        found: Any = next((headers[name] for name in _ID_HEADERS if headers.get(name)), None)
    elif where.startswith("$"):
        found = _at(payload, where)
    else:
        found = headers.get(where)
    if isinstance(found, int | float) and not isinstance(found, bool):
        found = str(found)
    if isinstance(found, str) and found.strip():
        # An index holds short keys only.
        return found if len(found) <= MAX_KEY_LENGTH else hashlib.sha256(found.encode()).hexdigest()
    if options.dedupe is not None:
        raise RequestRefusedError(400, f"the event has no id at {options.dedupe}", code="no_id")
    return None


def _at(value: Any, path: str) -> Any:
    for name in path.removeprefix("$").removeprefix(".").split("."):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value
