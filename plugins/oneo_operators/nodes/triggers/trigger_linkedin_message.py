"""A message on LinkedIn starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from dag_factory.catalogue import Watch
from oneo.events import Event
from oneo.messaging.incoming import LINKEDIN
from oneo.verdicts import Refuses, Starts, Verdict
from oneo_operators.base import TriggerOperator
from oneo_operators.nodes.triggers._messages import (
    MessageTriggerConfig,
    SenderFilters,
    lower_case,
    named,
    unwanted_type,
)

Types = Annotated[list[Literal["message", "inmail", "sponsored"]], BeforeValidator(lower_case)]


class TriggerLinkedinMessageConfig(MessageTriggerConfig):
    """Which messages start the workflow."""

    message_types: Types = Field(
        default_factory=list,
        description="`message`, `InMail`, `sponsored`, in whatever case; one of them is enough; empty: all.",
    )
    sender_filters: SenderFilters = Field(
        default_factory=SenderFilters,
        description='Who may have sent it: `{"connection_degree": [1, 2]}`. A sender whose degree is not known does '
        "not fit.",
    )

    def refusal(self, event: Event) -> str | None:
        """Why the message starts nothing; None where it does."""
        degrees = self.sender_filters.connection_degree
        degree = (event.data.get("sender") or {}).get("degree")
        if degrees and degree not in degrees:
            told = "not known" if degree is None else f"{degree}"
            return f"the sender's degree of connection is {told}, and {named(degrees)} is wanted"
        return unwanted_type(event.data, self.message_types) or self.misfit(event)


class TriggerLinkedinMessageOperator(TriggerOperator):
    """Start with a message that comes to an account on LinkedIn."""

    type: ClassVar[str] = "trigger_linkedin_message"
    description: ClassVar[str] = "Starts the workflow when a message comes in on LinkedIn."
    Config = TriggerLinkedinMessageConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The messages of the configured accounts."""
        return Watch((LINKEDIN,), tuple(TriggerLinkedinMessageConfig.model_validate(config).account_ids))

    @classmethod
    def consider(cls, options: TriggerLinkedinMessageConfig, event: Event) -> Verdict:
        """Messages of the wanted types, senders and words."""
        reason = options.refusal(event)
        return Starts() if reason is None else Refuses(reason)
