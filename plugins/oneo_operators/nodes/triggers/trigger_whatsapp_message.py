"""A message on WhatsApp starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dag_factory.catalogue import Watch
from oneo.events import Event
from oneo.messaging.addresses import digits
from oneo.messaging.incoming import WHATSAPP
from oneo.verdicts import Answer, Refuses, Starts, Verdict
from oneo_operators.base import TriggerOperator
from oneo_operators.nodes.triggers._messages import MessageTriggerConfig, lower_case, named, unwanted_type

THANKS = "Thank you, we have received your message."


def _numbers(numbers: list[str]) -> list[str]:
    wrong = [number for number in numbers if len(digits(number)) < 6]
    if wrong:
        raise ValueError(f"{named(wrong)} is no telephone number; write e.g. +4915112345678")
    return numbers


Numbers = Annotated[list[str], AfterValidator(_numbers)]
Types = Annotated[
    list[Literal["text", "media", "image", "video", "audio", "file"]], BeforeValidator(lower_case)
]


class TriggerWhatsappMessageConfig(MessageTriggerConfig):
    """Which messages start the workflow."""

    phone_numbers: Numbers = Field(
        default_factory=list,
        description="Your own numbers that messages come to, with the country's code, in any spelling; empty: all.",
    )
    senders: Numbers = Field(
        default_factory=list, description="Only messages of these numbers; empty: of all."
    )
    message_types: Types = Field(
        default_factory=list,
        description="`text`, `media`, or of media `image`, `video`, `audio`, `file`; one is enough; empty: all.",
    )
    auto_acknowledge: bool = Field(
        default=False,
        description="Answer at once that the message has come; once for each message, not in groups. It goes out "
        "through UniPile, by the connection `oneo_unipile`.",
    )
    acknowledgement: str = Field(default=THANKS, min_length=1, description="What is answered then.")

    def refusal(self, event: Event) -> str | None:
        """Why the message starts nothing; None where it does."""
        own = (event.data.get("account") or {}).get("phone") or ""
        sender = (event.data.get("sender") or {}).get("phone") or ""
        if self.phone_numbers and not _is_one_of(own, self.phone_numbers):
            return f"it came to {own or 'a number that is not known'}, and {named(self.phone_numbers)} is watched"
        if self.senders and not _is_one_of(sender, self.senders):
            return f"it is from {sender or 'a number that is not known'}, and {named(self.senders)} is wanted"
        return unwanted_type(event.data, self.message_types) or self.misfit(event)


class TriggerWhatsappMessageOperator(TriggerOperator):
    """Start with a message that comes to an account on WhatsApp."""

    type: ClassVar[str] = "trigger_whatsapp_message"
    description: ClassVar[str] = "Starts the workflow when a message comes in on WhatsApp."
    Config = TriggerWhatsappMessageConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The messages of the configured accounts."""
        return Watch((WHATSAPP,), tuple(TriggerWhatsappMessageConfig.model_validate(config).account_ids))

    @classmethod
    def consider(cls, options: TriggerWhatsappMessageConfig, event: Event) -> Verdict:
        """Messages to the watched numbers, of the wanted senders, types and words."""
        reason = options.refusal(event)
        if reason is not None:
            return Refuses(reason)
        if not options.auto_acknowledge or event.data.get("is_group"):
            return Starts()
        chat, message = str(event.data["chat_id"]), str(event.data["message_id"])
        return Starts(answer=Answer(WHATSAPP, chat, options.acknowledgement, answers=message))


def _is_one_of(number: str, numbers: list[str]) -> bool:
    return bool(number) and digits(number) in map(digits, numbers)
