"""Why a request is not taken, with the status that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oneo.errors import UserError


class RequestRefusedError(UserError):
    """A request that is not taken.

    Args:
        status: The HTTP status of the answer.
        message: What is wrong.
        hint: What would be right.
        code: One word for it, the same for all requests that fail in this way.
        headers: Headers that the answer needs, e.g. `Allow`.
        problems: Everything that is wrong with the payload, where it is more than one thing.
        kept: What may be written down of it; by default the message. Nothing of what the sender has written.
    """

    def __init__(
        self,
        status: int,
        message: str,
        hint: str | None = None,
        *,
        code: str = "request",
        headers: Mapping[str, str] | None = None,
        problems: Sequence[Mapping[str, str]] = (),
        kept: str | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        self.problems = list(problems)
        self.kept = kept if kept is not None else message

    def as_json(self) -> dict[str, Any]:
        """As the sender is told."""
        told: dict[str, Any] = {"code": self.code, "message": self.message, "hint": self.hint}
        if self.problems:
            told["problems"] = self.problems
        return told
