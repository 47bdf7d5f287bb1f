"""Pages of forms: plain HTML that needs no script, and headers that allow none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from oneo.forms.fields import FormField
from oneo.forms.redirects import origin
from oneo.forms.spec import FormSpec

_TEMPLATES = Path(__file__).parent / "templates"
_SHOWN_AS = {
    "text": "text", "email": "email", "phone": "tel", "url": "url", "date": "date", "number": "number",
    "integer": "number", "boolean": "checkbox", "choice": "select", "choices": "checkbox", "file": "file",
}  # fmt: skip


@dataclass(frozen=True)
class ShownField:
    """A field as the template shows it, with what was entered and what is wrong with that."""

    field: FormField
    label: str
    help: str | None
    shown_as: str
    texts: Sequence[str]
    problem: str | None
    autocomplete: str | None
    accept: str

    @property
    def name(self) -> str:
        """Name of its input."""
        return self.field.name

    @property
    def text(self) -> str:
        """The text entered."""
        return self.texts[-1] if self.texts else ""

    @property
    def described_by(self) -> str:
        """Ids of what is said about it."""
        ids = [
            f"help-{self.name}" if self.help else "",
            f"problem-{self.name}" if self.problem else "",
        ]
        return " ".join(filter(None, ids))

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.field.required

    @property
    def must_tick(self) -> bool:
        """Whether the form goes nowhere without this box."""
        return self.field.schema.get("const") is True

    @property
    def options(self) -> Sequence[str]:
        """What can be chosen."""
        return self.field.options

    @property
    def several(self) -> bool:
        """Whether there may be more than one."""
        return self.field.several

    @property
    def max_length(self) -> int | None:
        """Characters allowed."""
        return self.field.schema.get("maxLength")

    @property
    def step(self) -> str | None:
        """For numbers: how far apart they may be."""
        return {"number": "any", "integer": "1"}.get(self.field.kind)


def form_page(
    spec: FormSpec,
    state: str,
    texts: Mapping[str, Sequence[str]],
    problems: Mapping[str, str],
    *,
    redirect_url: str | None,
    status: int = 200,
) -> Response:
    """The form with what was entered, and beside each field what is wrong with it.

    Args:
        spec: The form.
        state: See `oneo.forms.states`.
        texts: What the inputs hold, by field.
        problems: By field; the empty name is the form as a whole.
        redirect_url: Where it will lead once it is sent.
        status: HTTP status.
    """
    names = [name for name in spec.fields if not spec.is_hidden(name)]
    fields = [_shown(spec, name, texts.get(name, ()), problems.get(name)) for name in names]
    listed = [
        {
            "target": _focus(spec.fields[name]) if name in names else "",
            "label": _label(spec, name),
            "text": text,
        }
        for name, text in problems.items()
    ]
    return _page(
        "form.html",
        status,
        spec,
        redirect_url,
        title=spec.name,
        intro=spec.ui.intro,
        submit_label=spec.ui.submit_label,
        state=state,
        fields=fields,
        problems=listed,
    )


def message_page(
    title: str,
    text: str,
    status: int = 200,
    *,
    spec: FormSpec | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page that says one thing."""
    found = _page("page.html", status, spec, None, title=title, text=text)
    found.headers.update(headers or {})
    return found


def redirect(url: str) -> Response:
    """To where people go once they have sent a form: with a GET, and without the address of the form."""
    return RedirectResponse(url, 303, headers={"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"})


@cache
def style() -> str:
    """The style sheet of all pages."""
    return (_TEMPLATES / "style.css").read_text()


def texts_of(value: Any) -> list[str]:
    """What an input holds for a value."""
    if isinstance(value, list):
        return [str(one) for one in value]
    if isinstance(value, bool):
        return ["true"] if value else []
    return [] if value is None else [str(value)]


def _shown(spec: FormSpec, name: str, texts: Sequence[str], problem: str | None) -> ShownField:
    look, field = spec.look(name), spec.fields[name]
    return ShownField(
        field=field,
        label=_label(spec, name),
        help=look.help or field.schema.get("description"),
        shown_as=look.widget or _SHOWN_AS[field.kind],
        texts=texts,
        problem=problem,
        autocomplete=look.autocomplete,
        accept=",".join(look.accept),
    )


def _label(spec: FormSpec, name: str) -> str:
    return spec.look(name).label or (spec.fields[name].title if name in spec.fields else name)


def _focus(field: FormField) -> str:
    # A group cannot be typed into: its first choice can.
    return f"{field.name}-1" if field.kind == "choices" else field.name


def _page(
    template: str, status: int, spec: FormSpec | None, redirect_url: str | None, **names: Any
) -> Response:
    language = spec.ui.language if spec else "en"
    html = _templates().get_template(template).render(language=language, **names)
    return HTMLResponse(html, status, headers=_headers(spec, redirect_url))


def _headers(spec: FormSpec | None, redirect_url: str | None) -> dict[str, str]:
    embed_from = spec.settings.embed_from if spec else []
    # Browsers hold where a form redirects to against form-action, too.
    elsewhere = origin(redirect_url) if redirect_url else None
    policy = [
        "default-src 'none'",
        "style-src 'self'",
        f"form-action 'self' {elsewhere or ''}".strip(),
        "base-uri 'none'",
        f"frame-ancestors {' '.join(embed_from) or chr(39) + 'none' + chr(39)}",
    ]
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return headers if embed_from else {**headers, "X-Frame-Options": "DENY"}


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
