"""A form that somebody has filled in starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints, model_validator

from dag_factory.catalogue import Watch
from oneo.events import Event
from oneo.forms.rules import RULE, broken
from oneo.store.forms import FORM
from oneo.verdicts import Refuses, Starts, Verdict
from oneo_operators.base import NodeConfig, TriggerOperator


class TriggerFormSubmittedConfig(NodeConfig):
    """Which submissions start the workflow."""

    form_ids: list[str] = Field(min_length=1, description="Forms, e.g. `contact_form`; `*` for all.")
    validation_rules: list[Annotated[str, StringConstraints(pattern=RULE)]] = Field(
        default_factory=list,
        description="`email_required`: that field, or one such as `work_email`, must be given; `email_valid`, "
        "`phone_valid`: it must be a real one. The sender is told beside the field.",
    )
    phone_region: str | None = Field(
        default=None,
        pattern="^[A-Z]{2}$",
        description="Country (`DE`) of phone numbers without a country code; without it `phone_valid` wants the code.",
    )
    auto_create_record: bool = Field(
        default=False,
        description="Make a record of the submission in the form's pipeline, or update the one it is about, before the "
        "workflow starts.",
    )

    @model_validator(mode="before")
    @classmethod
    def _one_form(cls, value: Any) -> Any:
        """`"form_id": "contact_form"` is short for `"form_ids": ["contact_form"]`."""
        for short in ("form_id", "form"):
            if isinstance(value, dict) and short in value and "form_ids" not in value:
                value = dict(value)
                value["form_ids"] = [value.pop(short)]
        return value


class TriggerFormSubmittedOperator(TriggerOperator):
    """Start with a submission of a form."""

    type: ClassVar[str] = "trigger_form_submitted"
    description: ClassVar[str] = "Starts the workflow when somebody has filled in a form."
    Config = TriggerFormSubmittedConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The submissions of the configured forms."""
        return Watch((FORM,), tuple(TriggerFormSubmittedConfig.model_validate(config).form_ids))

    @classmethod
    def consider(cls, options: TriggerFormSubmittedConfig, event: Event) -> Verdict:
        """Those that keep the rules, with their record where there must be one.

        The page has checked the rules of the triggers there were; this one may be newer.
        """
        values = event.data.get("form_data") or {}
        found = broken(options.validation_rules, values, options.phone_region)
        if found:
            return Refuses("; ".join(f"field {name!r}: {problem}" for name, problem in found.items()))
        if options.auto_create_record and event.record_id is None:
            return Refuses(
                f"no record was made: form {event.topic!r} names no pipeline (settings.pipeline_id), or the trigger is "
                "newer than the submission"
            )
        return Starts()
