"""What people are asked to approve, before it is asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from oneo.errors import UserError

# Kind of the events that say how an approval has ended; their topic is its status, their key its id.
APPROVAL = "approval"
# Begins an assignee that is a type of users (ONEO_USER_TYPES) and no person.
ROLE = "role:"
APPROVE_OR_REJECT: tuple[dict[str, str], ...] = (
    {"id": "approve", "label": "Approve"},
    {"id": "reject", "label": "Reject"},
)
MAX_TITLE = 500
MAX_TEXT = 10_000


@dataclass(frozen=True)
class ApprovalRequest:
    """A question to people.

    Attributes:
        title: What is to be decided, in a line.
        assignees: Who may decide: names of people, or `role:` with a type of users.
        description: What they should know.
        options: What they choose from, each with `id` and `label`.
        comment_required: Whether they must say why.
        record_id: The record it is about.
        expires_at: When it is too late; None: never.
    """

    title: str
    assignees: Sequence[str]
    description: str = ""
    options: Sequence[dict[str, str]] = APPROVE_OR_REJECT
    comment_required: bool = False
    record_id: UUID | None = None
    expires_at: datetime | None = None

    def check(self) -> None:
        """Nothing where it can be asked.

        Raises:
            UserError: It cannot; everything that is wrong is named.
        """
        problems = [*self._texts(), *self._choices()]
        if problems:
            raise UserError(
                f"this cannot be asked: {'; '.join(problems)}",
                hint='e.g. title "Discount of 20 %?", assignees ["eva@example.com", "role:manager"], '
                'options [{"id": "yes", "label": "Yes"}]',
            )

    def _texts(self) -> list[str]:
        found = []
        if not self.title.strip() or len(self.title) > MAX_TITLE:
            found.append(f"title has {len(self.title)} characters instead of 1 to {MAX_TITLE}")
        if len(self.description) > MAX_TEXT:
            found.append(f"description has {len(self.description)} characters, and {MAX_TEXT} are allowed")
        if isinstance(self.assignees, str) or not self.assignees:
            found.append("assignees names nobody; it is a list of people and roles")
        elif not all(isinstance(one, str) and one.removeprefix(ROLE).strip() for one in self.assignees):
            found.append("assignees has an empty entry")
        return found

    def _choices(self) -> list[str]:
        if not self.options:
            return ["options is empty"]
        wrong = [number for number, one in enumerate(self.options) if not _is_option(one)]
        if wrong:
            places = ", ".join(f"options.{number}" for number in wrong)
            return [f"{places}: an option has an id and a label, both text"]
        ids = [one["id"] for one in self.options]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        return [f"options has the id {', '.join(map(repr, twice))} twice"] if twice else []


def _is_option(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"id", "label"}
        and all(isinstance(text, str) and text.strip() for text in value.values())
    )


def may_decide(assignees: Collection[str], by: str, roles: Collection[str]) -> bool:
    """Whether a person with these roles is among those who were asked; names in whatever case."""
    own = {f"{ROLE}{role}".casefold() for role in roles}
    name = by.strip().casefold()
    # Nobody becomes of a type by being called so.
    if not name.startswith(ROLE):
        own.add(name)
    return any(one.strip().casefold() in own for one in assignees)
