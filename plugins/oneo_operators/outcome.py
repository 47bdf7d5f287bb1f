"""How an attempt of a node ended, and what is kept of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dag_factory.plan import SUCCESS
from oneo.database import to_json
from oneo.errors import NodeError, PermanentNodeError
from oneo.store.attempts import Kept
from oneo_operators.failure import KeptError
from oneo_operators.left import VARIABLES
from oneo_operators.redact import redact
from oneo_operators.result import NodeResult

# What a node leaves behind is in memory in every node that reads it.
MAX_OUTPUT_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    Attributes:
        routes: The ways out taken; empty where the failure was not handled.
        error: For a failed attempt, redacted; raise it to have the attempt repeated.
        replayed: Whether this is the kept result of an earlier attempt, which was not repeated.
        until: When the node is run anew, where it waits for something.
    """

    status: str
    output: Any = None
    context_updates: Mapping[str, Any] | None = None
    routes: tuple[str, ...] = ()
    error: NodeError | None = None
    replayed: bool = False
    until: datetime | None = None


def replayed(kept: Kept) -> Outcome:
    """What an earlier attempt left, once more."""
    if kept.error is not None:
        error = KeptError(kept.error)
        return Outcome("failed", kept.output, kept.context_updates, kept.routes, error=error, replayed=True)
    return Outcome("success", kept.output, kept.context_updates, kept.routes or (SUCCESS,), replayed=True)


def as_kept(result: NodeResult, secrets: Collection[str]) -> tuple[Any, dict[str, Any]]:
    """Output and context of a result as plain JSON without secrets.

    Raises:
        PermanentNodeError: They cannot be kept.
    """
    left = dict(result.context_updates)
    if result.variables is not None:
        left[VARIABLES] = asdict(result.variables)
    try:
        output, updates = redact(result.output, secrets), redact(left, secrets)
    except (TypeError, ValueError) as error:
        raise PermanentNodeError(f"the output cannot be kept as JSON: {error}") from error
    size = len(to_json([output, updates]).encode())
    if size > MAX_OUTPUT_BYTES:
        raise PermanentNodeError(
            f"the output has {size / 2**20:.1f} MB, more than the {MAX_OUTPUT_BYTES // 2**20} MB that are kept",
            "ask for less, e.g. with limit, include_fields or paging",
        )
    return output, updates
