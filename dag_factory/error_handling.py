"""What becomes of a node's failure: its own words, its config's options, the workflow's defaults, its type's."""

from __future__ import annotations

from typing import Any, Literal

from dag_factory.catalogue import NodeType, Retry
from dag_factory.definition import ErrorHandling, Node

# Where retries are wanted and neither author nor node type says how many.
RETRIES_WANTED = 2

OnError = Literal["fail", "continue", "retry", "route"]


def error_handling(node: Node, node_type: type[NodeType], workflow: ErrorHandling) -> tuple[Retry, OnError]:
    """How a node's attempts are repeated, and what its author wants to follow the last one.

    Raises:
        ValueError: An option of the config that says so has no value yet, or a wrong one.
    """
    own = node.error_handling or ErrorHandling()
    option = node_type.retry_override(node.config)
    default = node_type.default_retry
    on_error: OnError = _first(own.on_error, option.on_error, workflow.on_error, "fail")
    # What is said of the whole workflow does not make a node repeat what may do harm.
    safe_count = None if own.on_error == "retry" else option.safe_count
    default_count = default.count or (RETRIES_WANTED if on_error == "retry" else 0)
    retry = Retry(
        # A config may hold a number as text.
        count=int(_first(own.retry_count, option.count, safe_count, workflow.retry_count, default_count)),
        delay_seconds=float(
            _first(
                _seconds(own.retry_delay),
                option.delay_seconds,
                _seconds(workflow.retry_delay),
                default.delay_seconds,
            )
        ),
        exponential=_first(
            _exponential(own), option.exponential, _exponential(workflow), default.exponential
        ),
    )
    return retry, on_error


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _exponential(handling: ErrorHandling) -> bool | None:
    return None if handling.retry_backoff is None else handling.retry_backoff == "exponential"
