"""A mail that comes in starts the workflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from dag_factory.catalogue import Watch
from oneo.events import Event
from oneo.messaging.addresses import fits
from oneo.messaging.incoming import EMAIL
from oneo.messaging.words import first_in
from oneo.verdicts import Refuses, Starts, Verdict
from oneo_operators.base import NodeConfig, TriggerOperator
from oneo_operators.nodes.triggers._messages import Phrases, named

_RECIPIENTS = ("delivered_to", "to", "cc", "bcc")


def _patterns(patterns: list[str]) -> list[str]:
    wrong = [one for one in patterns if one != "*" and (one.strip() == "@" or one.count("@") != 1)]
    if wrong:
        raise ValueError(
            f"{named(wrong)} is no address; write `ann@example.com`, `@example.com` or `support@`"
        )
    return patterns


Addresses = Annotated[list[str], AfterValidator(_patterns)]


class TriggerEmailReceivedConfig(NodeConfig):
    """Which mails start the workflow."""

    email_addresses: Addresses = Field(
        default_factory=lambda: ["*"],
        min_length=1,
        description="Mail to one of these: an address, `@domain`, or `support@` of any domain; `*` for all.",
    )
    mailboxes: list[str] = Field(
        default_factory=lambda: ["*"],
        min_length=1,
        description="Mailboxes to watch: UniPile's account id, or the name of the IMAP connection; `*` for all.",
    )
    subject_filters: Phrases = Field(
        default_factory=list,
        description="Only subjects with one of these words or phrases, as whole words and in whatever case.",
    )
    sender_whitelist: Addresses = Field(
        default_factory=list,
        description="Only mail from these: an address, or `@domain`; empty: from all. A sender can be forged: this "
        "sorts mail, it proves nothing.",
    )
    parse_attachments: bool = Field(
        default=False,
        description="Give the workflow the text of attached text files; without, their names, types and sizes only.",
    )
    body: Literal["text", "html", "both", "none"] = Field(
        default="text", description="What of the body the workflow gets; the text of HTML is read out of it."
    )
    threads: Literal["all", "new", "replies"] = Field(
        default="all", description="`new`: mails that begin a conversation; `replies`: those that answer one."
    )
    automatic: bool = Field(
        default=False,
        description="Also automatic replies (out of office) and mails that could not be delivered.",
    )

    @model_validator(mode="before")
    @classmethod
    def _one_address(cls, value: Any) -> Any:
        """`"address": "support@"` is short for `"email_addresses": ["support@"]`."""
        for short in ("address", "email_address"):
            if isinstance(value, dict) and short in value and "email_addresses" not in value:
                value = dict(value)
                value["email_addresses"] = [value.pop(short)]
        return value

    def refusal(self, event: Event) -> str | None:
        """Why the mail starts nothing; None where it does."""
        mail = event.data
        recipients = list(_addresses(mail))
        if "*" not in self.email_addresses and not any(fits(one, self.email_addresses) for one in recipients):
            return f"it went to {named(recipients)}, and {named(self.email_addresses)} is watched"
        sender = (mail.get("from") or {}).get("address") or ""
        if self.sender_whitelist and not (sender and fits(sender, self.sender_whitelist)):
            return f"it is from {sender or 'nobody'}, and {named(self.sender_whitelist)} is wanted"
        if self.subject_filters and first_in(str(mail.get("subject") or ""), self.subject_filters) is None:
            return f"its subject has none of the words {named(self.subject_filters)}"
        is_reply = bool(mail.get("in_reply_to") or mail.get("references"))
        if self.threads != "all" and is_reply != (self.threads == "replies"):
            return "it answers another mail" if is_reply else "it answers no mail"
        if mail.get("is_automatic") and not self.automatic:
            return "it was sent automatically"
        return None

    def part_of(self, event: Event) -> dict[str, Any]:
        """What the workflow gets to know of a mail."""
        known = event.trigger_data()
        if self.body not in ("text", "both"):
            known.pop("text", None)
        if self.body not in ("html", "both"):
            known.pop("html", None)
        if not self.parse_attachments:
            known["attachments"] = [
                {name: value for name, value in one.items() if name != "text"}
                for one in known.get("attachments") or []
            ]
        return known


class TriggerEmailReceivedOperator(TriggerOperator):
    """Start with a mail that comes in."""

    type: ClassVar[str] = "trigger_email_received"
    description: ClassVar[str] = "Starts the workflow when a mail comes in."
    Config = TriggerEmailReceivedConfig

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The mails of the configured mailboxes."""
        return Watch((EMAIL,), tuple(TriggerEmailReceivedConfig.model_validate(config).mailboxes))

    @classmethod
    def consider(cls, options: TriggerEmailReceivedConfig, event: Event) -> Verdict:
        """Mails to the watched addresses, from the wanted senders, with the wanted subjects."""
        reason = options.refusal(event)
        return Starts(options.part_of(event)) if reason is None else Refuses(reason)


def _addresses(mail: Mapping[str, Any]) -> Iterable[str]:
    """Whom a mail went to, each once."""
    found = (one.get("address") for name in _RECIPIENTS for one in mail.get(name) or [])
    return dict.fromkeys(address for address in found if address)
