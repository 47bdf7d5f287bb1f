"""A form as its author writes it: a JSON Schema of its fields, how they are shown, what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from oneo.errors import UserError
from oneo.forms.fields import FIELD_NAME, FormField, field_of
from oneo.forms.redirects import HOST, ORIGIN, problem_of
from oneo.forms.sniffing import KNOWN_TYPES

Widget = Literal["textarea", "radio", "select", "hidden"]
# What every page's own inputs are called, and what stands beside a submission's fields.
OWN_PREFIX = "oneo_"
_RESERVED = ("form_data", "form_id", "submission_id", "link")
_SCHEMA_KEYS = {"$schema", "type", "title", "description", "properties", "required", "additionalProperties"}


class FieldLook(BaseModel):
    """How one field is shown."""

    model_config = ConfigDict(extra="forbid")
    label: str | None = Field(default=None, description="What people read instead of the name.")
    help: str | None = Field(default=None, description="A sentence below the label.")
    widget: Widget | None = Field(
        default=None,
        description="`textarea` for long texts, `radio` for a choice; `hidden`: not shown, and only a link fills it.",
    )
    autocomplete: str | None = Field(default=None, description="HTML's word for it, e.g. `email`.")
    accept: list[str] = Field(
        default_factory=lambda: list(KNOWN_TYPES), description="Types of files that are taken."
    )
    max_bytes: int = Field(default=5_000_000, ge=1, le=25_000_000, description="Size of a file, in bytes.")


class FormLook(BaseModel):
    """How the form is shown."""

    model_config = ConfigDict(extra="forbid")
    order: list[str] = Field(default_factory=list, description="Fields that come first, in this order.")
    fields: dict[str, FieldLook] = Field(default_factory=dict, description="By field.")
    intro: str | None = Field(default=None, description="Text above the fields.")
    submit_label: str = Field(default="Send", description="Text of the button.")
    language: str = Field(default="en", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")


class FormSettings(BaseModel):
    """What becomes of what is sent, and what links may do."""

    model_config = ConfigDict(extra="forbid")
    pipeline_id: str | None = Field(
        default=None, description="Pipeline of records made where a trigger has auto_create_record."
    )
    mapping: dict[str, str] = Field(
        default_factory=dict, description="Field of the form to field of the record; empty: the same names."
    )
    match_fields: list[str] = Field(
        default_factory=list, description="Record fields by which a record that is there already is found."
    )
    success_message: str = Field(default="Thank you. We have received your answers.", min_length=1)
    redirect_url: str | None = Field(default=None, description="Where people go once they have sent it.")
    redirect_hosts: list[Annotated[str, StringConstraints(pattern=HOST)]] = Field(
        default_factory=list, description="Other hosts that redirects of this form may lead to."
    )
    expiry_days: float | None = Field(default=None, gt=0, le=3650, description="Life of a link.")
    single_use: bool = Field(default=False, description="A link takes one submission.")
    prefill_fields: list[str] = Field(
        default_factory=list, description="Fields that a link or its query may fill."
    )
    embed_from: list[Annotated[str, StringConstraints(pattern=ORIGIN)]] = Field(
        default_factory=list, description="Origins whose pages may show the form in a frame."
    )


class FormSpec(BaseModel):
    """A form."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")
    name: str = Field(min_length=1)
    fields_schema: dict[str, Any] = Field(alias="schema", description="JSON Schema of an object.")
    ui: FormLook = Field(default_factory=FormLook)
    settings: FormSettings = Field(default_factory=FormSettings)

    @cached_property
    def fields(self) -> dict[str, FormField]:
        """The fields by name, in the order in which they are shown."""
        properties: Mapping[str, Any] = self.fields_schema["properties"]
        names = dict.fromkeys([*self.ui.order, *properties])
        required = self.fields_schema.get("required", [])
        return {name: field_of(name, properties[name], required=name in required) for name in names}

    def look(self, name: str) -> FieldLook:
        """How a field is shown."""
        return self.ui.fields.get(name) or FieldLook()

    def is_hidden(self, name: str) -> bool:
        """Whether only a link fills the field."""
        return self.look(name).widget == "hidden"

    def may_prefill(self, name: str) -> bool:
        """Whether a link may fill the field."""
        return name in self.fields and (name in self.settings.prefill_fields or self.is_hidden(name))


def parse_form(document: Any, source: str) -> FormSpec:
    """A form from a parsed document.

    Raises:
        UserError: It is none; every reason is named.
    """
    try:
        spec = FormSpec.model_validate(document)
    except ValidationError as error:
        found = [
            f"{'.'.join(map(str, one['loc'])) or 'the document'}: {one['msg']}"
            for one in error.errors(include_url=False)
        ]
        raise UserError(f"{source} is not a form: " + "; ".join(found)) from None
    found = _schema_problems(spec.fields_schema) or _look_problems(spec)
    if found:
        raise UserError(f"{source} is not a form: " + "; ".join(found), "docs/guides/forms.md has an example")
    return spec


def _schema_problems(schema: Mapping[str, Any]) -> list[str]:
    found = [f"schema.{key}: forms do not read it" for key in schema if key not in _SCHEMA_KEYS]
    if schema.get("type", "object") != "object":
        found.append("schema.type: a form is an object")
    properties, required = schema.get("properties"), schema.get("required", [])
    if not isinstance(properties, Mapping) or not properties:
        return [*found, "schema.properties: the form has no fields"]
    if not isinstance(required, list):
        return [*found, "schema.required: give a list of names"]
    found += [f"schema.required: there is no field {name!r}" for name in required if name not in properties]
    for name, schema_of_field in properties.items():
        place = f"schema.properties.{name}"
        if not FIELD_NAME.fullmatch(name):
            found.append(f"{place}: use letters, digits and _ in names")
        if name.startswith(OWN_PREFIX) or name in _RESERVED:
            found.append(f"{place}: the name is taken, choose another")
        try:
            field_of(name, schema_of_field)
        except UserError as error:
            found.append(f"{place}{error.message}" + (f" ({error.hint})" if error.hint else ""))
    return found


def _look_problems(spec: FormSpec) -> list[str]:
    settings, names = spec.settings, spec.fields_schema["properties"]
    named = {
        "ui.order": spec.ui.order,
        "ui.fields": list(spec.ui.fields),
        "settings.mapping": list(settings.mapping),
        "settings.prefill_fields": settings.prefill_fields,
    }
    found = [
        f"{place}: there is no field {name!r}"
        for place, given in named.items()
        for name in given
        if name not in names
    ]
    if found:
        return found
    for name, look in spec.ui.fields.items():
        unknown = [one for one in look.accept if one not in KNOWN_TYPES]
        if unknown or not look.accept:
            known = ", ".join(KNOWN_TYPES)
            found.append(f"ui.fields.{name}.accept: {unknown} is none of {known}")
        kind = spec.fields[name].kind
        if look.widget == "textarea" and kind != "text":
            found.append(f"ui.fields.{name}.widget: only a text is a textarea")
        if look.widget in ("radio", "select") and kind != "choice":
            found.append(f"ui.fields.{name}.widget: only an enum is a {look.widget}")
        if look.widget == "hidden" and spec.fields[name].is_file:
            found.append(f"ui.fields.{name}.widget: a file cannot be hidden")
    found += [
        f"settings.prefill_fields: {name!r} is a file, which nobody can fill in"
        for name in settings.prefill_fields
        if spec.fields[name].is_file
    ]
    if settings.redirect_url is not None:
        reason = problem_of(settings.redirect_url, settings.redirect_hosts)
        if reason:
            found.append(f"settings.redirect_url: {reason}")
    return found
