"""What the triggers on messages and mail have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from oneo.events import Event
from oneo.messaging.words import first_in
from oneo_operators.base import NodeConfig


def _words(phrases: list[str]) -> list[str]:
    if not all(phrase.strip() for phrase in phrases):
        raise ValueError("an empty text is none to look for")
    return phrases


Phrases = Annotated[list[str], AfterValidator(_words)]


def lower_case(value: Any) -> Any:
    """`InMail` is `inmail`: names of kinds are read in whatever case."""
    if isinstance(value, list):
        return [one.lower() if isinstance(one, str) else one for one in value]
    return value


class MessageTriggerConfig(NodeConfig):
    """Whose messages start the workflow."""

    account_ids: list[str] = Field(
        default_factory=lambda: ["*"],
        min_length=1,
        description="UniPile's ids of the accounts to watch; `*` for all.",
    )
    keyword_filters: Phrases = Field(
        default_factory=list,
        description="Only messages with one of these words or phrases, as whole words and in whatever case.",
    )
    groups: bool = Field(default=True, description="Also messages in groups.")

    def misfit(self, event: Event) -> str | None:
        """The condition that the message does not fit; None where it fits all."""
        if not self.groups and event.data.get("is_group"):
            return "it was sent to a group"
        text = f"{event.data.get('subject') or ''}\n{event.data.get('text') or ''}"
        if self.keyword_filters and first_in(text, self.keyword_filters) is None:
            return f"it has none of the words {named(self.keyword_filters)}"
        return None


def unwanted_type(data: Mapping[str, Any], wanted: list[Any]) -> str | None:
    """Why a message is of none of the wanted types; None where it is of one, or all are wanted."""
    types = data.get("types") or []
    if not wanted or set(types) & set(wanted):
        return None
    return f"it is of type {named(types)}, and {named(wanted)} is wanted"


def named(names: Any) -> str:
    """Names in a sentence."""
    return ", ".join(map(repr, names)) or "nothing"


class SenderFilters(NodeConfig):
    """Who may have sent a message on LinkedIn."""

    connection_degree: list[int] = Field(
        default_factory=list,
        description="Degrees of the connection to the sender: 1, 2, 3. A sender of whom it is unknown does not fit.",
    )

    @model_validator(mode="before")
    @classmethod
    def _one_degree(cls, value: Any) -> Any:
        """`"connection_degree": 1` is short for `[1]`."""
        if isinstance(value, dict) and isinstance(value.get("connection_degree"), int):
            return {**value, "connection_degree": [value["connection_degree"]]}
        return value

    @model_validator(mode="after")
    def _there_are_three(self) -> SenderFilters:
        if not set(self.connection_degree) <= {1, 2, 3}:
            raise ValueError("connection_degree: a degree is 1, 2 or 3")
        return self
