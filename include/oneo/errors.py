"""Errors, by who can mend them.

OneoError
├── UserError                 the caller can mend it: exit code 1, no stack trace
│   ├── InvalidDefinitionError     carries every problem of a definition
│   ├── ExpressionError       carries the position inside the expression
│   ├── InvalidRecordError         a record that does not fit its pipeline
│   │   └── DuplicateError         another record has the value of a unique field
│   ├── QuotaError                 a tenant has as much as it may have
│   ├── NotAllowedError            somebody else may do it
│   ├── OverError                  it has been done, or its time is over
│   └── NotFoundError              names what exists
├── NodeError                 a node attempt failed
│   ├── ConfigError           the workflow's author can mend it; never retried
│   ├── PermanentNodeError    trying again would fail again; never retried
│   │   └── RoundError             a loop's: says which node failed in which round
│   └── TransientNodeError    trying again may help; may say when
└── InfrastructureError       the operator of the installation can mend it: exit code 3
"""

from __future__ import annotations

from typing import Any

from oneo.problems import Problem


class OneoError(Exception):
    """Base of every error this product raises on purpose.

    Args:
        message: What is wrong, naming the place.
        hint: What would be right.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_json(self) -> dict[str, Any]:
        """The error as printed by `--json` and stored in log rows."""
        return {"type": type(self).__name__, "message": self.message, "hint": self.hint}

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UserError(OneoError):
    """The caller gave something that cannot work."""


class InvalidDefinitionError(UserError):
    """A workflow definition with at least one error-level problem.

    Args:
        problems: Every problem found, not just the first.
    """

    def __init__(self, problems: list[Problem]) -> None:
        errors = [problem for problem in problems if problem.severity == "error"]
        super().__init__(f"{len(errors)} problem(s): " + "; ".join(str(problem) for problem in errors))
        self.problems = problems

    def as_json(self) -> dict[str, Any]:
        """The error with every problem, as `oneo validate` prints them."""
        return {**super().as_json(), "problems": [problem.as_json() for problem in self.problems]}


class ExpressionError(UserError):
    """An expression that cannot be compiled or evaluated.

    Args:
        message: What is wrong.
        position: Offset in characters into the source string, where known.
        hint: What would be right.
    """

    def __init__(self, message: str, position: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.position = position

    def as_json(self) -> dict[str, Any]:
        """The error with its position."""
        return {**super().as_json(), "position": self.position}


class InvalidRecordError(UserError):
    """A record whose data does not fit its pipeline."""


class DuplicateError(InvalidRecordError):
    """A record whose value of a unique field another record has already.

    Args:
        message: Which field, value and record.
        hint: What would be right.
        record_id: Id of the record that has the value.
    """

    def __init__(self, message: str, hint: str | None, record_id: str) -> None:
        super().__init__(message, hint)
        self.record_id = record_id


class QuotaError(UserError):
    """A tenant has as much of something as it may have."""


class NotAllowedError(UserError):
    """Whoever asks for it may not do it; others may."""


class OverError(UserError):
    """What was asked for has been done by somebody, or can no longer be done."""


class NotFoundError(UserError):
    """Something named does not exist for this tenant."""


class NodeError(OneoError):
    """A node attempt that failed; `retryable` says whether another attempt may help."""

    retryable = False


class ConfigError(NodeError):
    """The node's configuration is wrong; the workflow's author can mend it."""


class PermanentNodeError(NodeError):
    """Trying again would fail again."""


class RoundError(PermanentNodeError):
    """A round of a loop failed, and the loop with it.

    Args:
        loop: Id of the loop node.
        index: Number of the round, from 0.
        node: Id of the node that failed in it.
        cause: How it failed. Where that node is a loop itself, its round and node are this one's too.
    """

    def __init__(self, loop: str, index: int, node: str, cause: NodeError) -> None:
        super().__init__(f"round {index}, node {node!r}: {cause.message}", cause.hint)
        self.loop = loop
        self.index = index
        self.node = node
        self.cause = cause

    def as_json(self) -> dict[str, Any]:
        """The error, with where it comes from."""
        where = {"loop": self.loop, "round": self.index, "node": self.node}
        return {**where, **self.cause.as_json(), "message": self.message, "hint": self.hint}


class TransientNodeError(NodeError):
    """Trying again may help.

    Args:
        message: What is wrong.
        hint: What would be right.
        retry_after: Seconds the other side asked us to wait, where it said so.
    """

    retryable = True

    def __init__(self, message: str, hint: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class InfrastructureError(OneoError):
    """Something the product stands on is missing or down."""
