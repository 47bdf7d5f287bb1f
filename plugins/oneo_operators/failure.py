"""Any failure of a node as an error that says who can mend it, fit to be kept and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, StatementError

from oneo.errors import (
    ConfigError,
    DuplicateError,
    NodeError,
    OneoError,
    PermanentNodeError,
    QuotaError,
    TransientNodeError,
    UserError,
)
from oneo_operators.redact import redact

_LOOK = "the task's log has the details"
_MAX_LENGTH = 200


def as_node_error(error: Exception) -> NodeError:
    """The node error for any failure; what nobody foresaw may be worth a retry."""
    if isinstance(error, NodeError):
        return error
    if isinstance(error, QuotaError | DuplicateError):
        return PermanentNodeError(error.message, error.hint)
    if isinstance(error, UserError):
        return ConfigError(error.message, error.hint)
    if isinstance(error, OneoError):
        return TransientNodeError(error.message, error.hint)
    if isinstance(error, StatementError):
        return _of_database(error)
    return TransientNodeError(f"{type(error).__name__}: {_first_line(error)}", f"unexpected; {_LOOK}")


class KeptError(PermanentNodeError):
    """A failure as the log keeps it.

    Args:
        kept: What `as_json` said of the error at the time.
    """

    def __init__(self, kept: Mapping[str, Any]) -> None:
        super().__init__(str(kept.get("message")), kept.get("hint"))
        self._kept = kept

    def as_json(self) -> dict[str, Any]:
        """The error as it was."""
        return dict(self._kept)


def redacted(error: NodeError, secrets: Iterable[str]) -> NodeError:
    """The same error without secrets and without its causes, whose texts nobody has looked through."""
    shown = redact({"message": error.message, "hint": error.hint}, secrets)
    clean = type(error).__new__(type(error))
    clean.__dict__.update(error.__dict__)
    clean.message, clean.hint = shown["message"], shown["hint"]
    clean.args = (clean.message,)
    return clean


def details(error: NodeError, secrets: Iterable[str], **more: Any) -> dict[str, Any]:
    """The error as kept with an attempt; what it says of itself weighs more than `more`."""
    found: dict[str, Any] = redact({**more, **error.as_json()}, secrets)
    return found


def _of_database(error: StatementError) -> NodeError:
    # The first line is what went wrong; those after it name statement and data.
    message = f"the database refused: {_first_line(error.orig or error)}"
    if isinstance(error, IntegrityError) and "records_external_id" in message:
        return ConfigError(
            "the pipeline has a record with this external_id already",
            'find it first: create_record with check_duplicates and duplicate_fields ["external_id"]',
        )
    # The same values would be refused again.
    if isinstance(error, DataError | IntegrityError):
        return PermanentNodeError(message, _LOOK)
    return TransientNodeError(message, _LOOK)


def _first_line(error: BaseException) -> str:
    line = next(iter(str(error).strip().splitlines()), "no reason given")
    return line if len(line) <= _MAX_LENGTH else line[: _MAX_LENGTH - 1] + "…"
