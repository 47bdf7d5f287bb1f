"""Forms: pages that people fill in, and the same for programs in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_network
from typing import Any
from uuid import uuid4, uuid5

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from oneo.database import database
from oneo.errors import QuotaError
from oneo.forms import states
from oneo.forms.answers import from_texts
from oneo.forms.redirects import problem_of
from oneo.forms.spec import FormSpec
from oneo.settings import settings
from oneo.store import form_links, forms
from oneo.store.models import FormLink
from oneo_app.form_submissions import Outcome, Sent, accept
from oneo_app.http.clients import client_address
from oneo_app.http.form_bodies import Inputs, is_json, read_inputs, read_values
from oneo_app.http.form_pages import form_page, message_page, redirect, style, texts_of
from oneo_app.http.rates import Rates
from oneo_app.http.refusals import RequestRefusedError

router = APIRouter()
_rates = Rates()
_CLOSED = {
    "used": "This form has been filled in already.",
    "expired": "This link was only valid for some time, which is over.",
    "revoked": "This link is no longer valid.",
}


@dataclass(frozen=True)
class Opened:
    """The form that a token leads to."""

    link: FormLink
    spec: FormSpec

    @property
    def redirect_url(self) -> str | None:
        """Where people go afterwards. What was allowed when the link was made may not be any more."""
        wanted = self.link.redirect_url or self.spec.settings.redirect_url
        if wanted is None or problem_of(wanted, self.spec.settings.redirect_hosts):
            return None
        return wanted


@router.get("/forms/style.css", include_in_schema=False)
def style_sheet() -> Response:
    """The style sheet of all forms."""
    return Response(style(), media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})


@router.get("/forms/{token}", include_in_schema=False)
async def show(request: Request, token: str) -> Response:
    """The form."""
    now = datetime.now(UTC)
    try:
        opened = await run_in_threadpool(_open, token, now)
        reason = form_links.closed(opened.link, now)
        if reason:
            raise _closed(reason)
    except RequestRefusedError as refused:
        return _refusal(refused)
    spec, link = opened.spec, opened.link
    asked = {
        name: request.query_params.getlist(name)
        for name in spec.settings.prefill_fields
        if name in request.query_params and not spec.is_hidden(name)
    }
    texts = {**asked, **{name: texts_of(value) for name, value in link.prefill.items()}}
    state = states.issue(link.state_key, now)
    return form_page(spec, state, texts, {}, redirect_url=opened.redirect_url)


@router.post("/forms/{token}", include_in_schema=False)
async def receive(request: Request, token: str) -> Response:
    """A submission: one event, however often it is sent."""
    now = datetime.now(UTC)
    try:
        opened = await run_in_threadpool(_open, token)
        _slow_down(request, opened.link)
        reason = form_links.closed(opened.link, now)
        if reason in ("revoked", "expired"):
            raise _closed(reason)
        if is_json(request):
            return await _from_program(request, opened, now)
        return await _from_page(await read_inputs(request, opened.spec), opened, now)
    except RequestRefusedError as refused:
        if is_json(request):
            raise
        return _refusal(refused)


async def _from_page(inputs: Inputs, opened: Opened, now: datetime) -> Response:
    spec, link = opened.spec, opened.link
    if inputs.trap:
        # Whoever fills in what nobody sees is told what it wants to hear.
        return _thanks(opened)
    state = states.read(link.state_key, inputs.state, now)
    if state is None or state.age > states.MAX_AGE:
        again = states.issue(link.state_key, now)
        return _again(
            inputs, opened, again, {"": "This page was open for too long. Please send it once more."}, 409
        )
    if state.age < states.MIN_AGE:
        return _again(
            inputs, opened, inputs.state, {"": "That was very quick. Please send it once more."}, 429
        )
    sent = Sent(state.submission_id, from_texts(spec, inputs.texts), inputs.uploads)
    outcome = await _accept(opened, sent, now)
    if outcome.status == "invalid":
        return _again(inputs, opened, inputs.state, outcome.problems, 422)
    return _thanks(opened)


async def _from_program(request: Request, opened: Opened, now: datetime) -> Response:
    values, uploads = await read_values(request, opened.spec)
    key = request.headers.get("idempotency-key")
    submission_id = uuid5(opened.link.id, key) if key else uuid4()
    outcome = await _accept(opened, Sent(submission_id, values, uploads), now)
    if outcome.status == "invalid":
        problems = [
            {"path": f"$.{name}" if name else "$", "message": text} for name, text in outcome.problems.items()
        ]
        raise RequestRefusedError(
            422, f"{len(problems)} value(s) do not fit the form", code="invalid", problems=problems
        )
    told: dict[str, Any] = {
        "status": outcome.status,
        "submission": str(submission_id),
        "message": opened.spec.settings.success_message,
        "redirect_url": opened.redirect_url,
    }
    return JSONResponse(told, 202 if outcome.status == "accepted" else 200)


async def _accept(opened: Opened, sent: Sent, now: datetime) -> Outcome:
    try:
        outcome = await run_in_threadpool(accept, database(), opened.link, opened.spec, sent, now)
    except QuotaError:
        raise RequestRefusedError(
            503, "the form cannot be taken at the moment", "try again later", code="quota"
        ) from None
    if outcome.status == "closed":
        raise _closed(outcome.reason)
    return outcome


def _open(token: str, opened_at: datetime | None = None) -> Opened:
    with database().system() as session:
        link = form_links.by_token(session, token)
    if link is None:
        raise RequestRefusedError(404, "there is no such page", "check the address", code="unknown")
    with database().tenant(link.tenant_id) as session:
        if opened_at is not None:
            form_links.note_opened(session, link.id, opened_at)
        return Opened(link, forms.get(session, link.form_id))


def _slow_down(request: Request, link: FormLink) -> None:
    address: Any = client_address(request)
    if isinstance(address, IPv6Address):
        # One household has as many addresses as it likes.
        address = ip_network((address, 64), strict=False)
    seconds = _rates.wait((link.id, address), settings().forms_per_minute)
    if seconds:
        raise RequestRefusedError(
            429,
            "this form was sent too often",
            f"try again in {seconds} seconds",
            code="rate",
            headers={"Retry-After": str(seconds)},
        )


def _again(inputs: Inputs, opened: Opened, state: str, problems: Mapping[str, str], status: int) -> Response:
    told = dict(problems)
    for name in inputs.uploads.keys() & opened.spec.fields.keys():
        if any(one.name for one in inputs.uploads[name]):
            told.setdefault(name, "please choose the file once more")
    return form_page(opened.spec, state, inputs.texts, told, redirect_url=opened.redirect_url, status=status)


def _thanks(opened: Opened) -> Response:
    if opened.redirect_url is not None:
        return redirect(opened.redirect_url)
    return message_page(opened.spec.name, opened.spec.settings.success_message, spec=opened.spec)


def _closed(reason: str) -> RequestRefusedError:
    return RequestRefusedError(410, _CLOSED[reason], "ask for a new link", code=reason)


def _refusal(refused: RequestRefusedError) -> Response:
    text = f"{refused.message[0].upper()}{refused.message[1:]}"
    if refused.hint:
        text = f"{text.rstrip('.')}. {refused.hint[0].upper()}{refused.hint[1:]}."
    titles = {404: "Page not found", 410: "This form is closed", 429: "Too many tries"}
    title = titles.get(refused.status, "This cannot be taken")
    return message_page(title, text, refused.status, headers=refused.headers)
