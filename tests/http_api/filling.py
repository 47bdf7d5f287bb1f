"""A form of a tenant, and people and programs that fill it in over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import httpx

from oneo.forms import states
from oneo.forms.spec import FormSpec, parse_form
from oneo.store import form_links, forms, inbox
from oneo.store.form_links import LinkOptions
from oneo.store.models import FormLink, InboxEvent
from tests.dispatcher.crm import Crm

CONTACT: dict[str, Any] = {
    "id": "contact_form",
    "name": "Contact us",
    "schema": {
        "type": "object",
        "required": ["name", "email"],
        "properties": {
            "name": {"type": "string", "maxLength": 100},
            "email": {"type": "string", "format": "email"},
            "phone": {"type": "string", "format": "phone"},
            "seats": {"type": "integer", "minimum": 1, "maximum": 500},
            "budget": {"type": "number"},
            "plan": {"type": "string", "enum": ["free", "team"]},
            "size": {"type": "string", "enum": ["small", "large"]},
            "topics": {"type": "array", "items": {"type": "string", "enum": ["crm", "mail"]}},
            "start": {"type": "string", "format": "date"},
            "message": {"type": "string"},
            "consent": {"type": "boolean", "const": True},
            "cv": {"type": "string", "format": "file"},
            "customer_id": {"type": "string"},
        },
    },
    "ui": {
        "order": ["email", "name"],
        "fields": {
            "message": {"widget": "textarea", "help": "As long as you like."},
            "size": {"widget": "radio"},
            "customer_id": {"widget": "hidden"},
            "cv": {"accept": ["application/pdf", "text/plain"], "max_bytes": 100_000},
        },
    },
    "settings": {"prefill_fields": ["email"]},
}
ENTERED = {"name": "Ann", "email": "ann@example.com", "consent": "true"}


class Page(HTMLParser):
    """A page as elements: tag, attributes and the text inside."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        texts: list[str] = []
        self.elements.append((tag, dict(attrs), texts))
        if tag not in ("input", "meta", "link"):
            self._open.append(texts)

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for texts in self._open:
            texts.append(data)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [
            found
            for name, found, _ in self.elements
            if name == tag and all(found.get(key.rstrip("_")) == value for key, value in attributes.items())
        ]

    def text(self, tag: str, **attributes: str) -> str:
        wanted = self.all(tag, **attributes)[0]
        return "".join(next(texts for _, found, texts in self.elements if found is wanted)).strip()

    def value(self, name: str) -> str | None:
        return self.all("input", name=name)[0].get("value")

    def controls(self) -> Iterator[dict[str, str | None]]:
        for tag in ("input", "select", "textarea"):
            yield from (found for found in self.all(tag) if found.get("type") != "hidden")


@dataclass
class Site:
    """A tenant's form, and who fills it in."""

    crm: Crm
    http: httpx.Client
    spec: FormSpec = field(default_factory=lambda: parse_form(CONTACT, "form"))

    def apply(self, **changes: Any) -> None:
        """Keep the form, with changed parts: `settings={…}` is laid over the one there is."""
        document = deepcopy(CONTACT)
        for name, value in changes.items():
            document[name] = {**document[name], **value} if isinstance(value, dict) else value
        self.spec = parse_form(document, "form")
        with self.crm.database.tenant(self.crm.tenant) as session:
            forms.apply(session, self.crm.tenant, self.spec)

    def link(self, **options: Any) -> str:
        """A link's path."""
        with self.crm.database.tenant(self.crm.tenant) as session:
            now = datetime.now(UTC)
            _, token = form_links.create(session, self.crm.tenant, self.spec, LinkOptions(**options), now)
        return f"/forms/{token}"

    def row(self, path: str) -> FormLink:
        with self.crm.database.system() as session:
            found = form_links.by_token(session, path.rpartition("/")[2])
        assert found is not None
        return found

    def state(self, path: str, age: float = 10) -> str:
        """What a page hands out that was opened some seconds ago."""
        return states.issue(self.row(path).state_key, datetime.now(UTC) - timedelta(seconds=age))

    def open(self, path: str, **query: str) -> Page:
        found = self.http.get(path, params=query)
        assert found.status_code == 200, found.text
        return Page(found.text)

    def send(
        self,
        path: str,
        entered: Mapping[str, Any] = ENTERED,
        *,
        state: str | None = None,
        files: Sequence[tuple[str, tuple[str, bytes]]] = (),
        http: httpx.Client | None = None,
    ) -> httpx.Response:
        """What a browser sends."""
        data = {"oneo_state": state if state is not None else self.state(path), "oneo_website": "", **entered}
        parts = [(name, (None, value)) for name, value in data.items() if not isinstance(value, list)]
        parts += [
            (name, (None, one)) for name, value in data.items() if isinstance(value, list) for one in value
        ]
        return (http or self.http).post(path, files=[*parts, *files])

    @property
    def events(self) -> list[InboxEvent]:
        """The submissions there are, the newest first."""
        with self.crm.database.tenant(self.crm.tenant) as session:
            return inbox.recent(session, forms.FORM, self.spec.id)
