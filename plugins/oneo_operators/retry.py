"""Node errors as Airflow's retry decisions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy

from dag_factory.catalogue import Retry
from oneo.errors import NodeError, TransientNodeError

if TYPE_CHECKING:
    from airflow.sdk import Context

# A day: the longest we wait for a service that asks for more time.
MAX_DELAY_SECONDS = 86_400.0


def delay_before(retry: Retry, failures: int, error: BaseException | None = None) -> float:
    """Seconds to wait after the given number of failed attempts; never less than the other side asked for."""
    # Tries can be many, where a person keeps clearing the task: a day is reached long before 2³⁰.
    delay = retry.delay_seconds * (2 ** min(failures - 1, 30) if retry.exponential else 1)
    if isinstance(error, TransientNodeError) and error.retry_after is not None:
        delay = max(delay, error.retry_after)
    return min(delay, MAX_DELAY_SECONDS)


class NodeRetryPolicy(RetryPolicy):
    """Errors that a repetition cannot mend fail at once; the others wait as configured, or as they were told.

    Args:
        retry: How the node's attempts are repeated.
    """

    def __init__(self, retry: Retry) -> None:
        self.retry = retry

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Airflow's question after a failed try."""
        if isinstance(exception, NodeError) and not exception.retryable:
            return RetryDecision.fail(reason=f"{type(exception).__name__}: trying again would fail again")
        delay = delay_before(self.retry, try_number, exception)
        return RetryDecision.retry(delay=timedelta(seconds=delay))

    def serialize(self) -> dict[str, Any]:
        """As kept in a serialised DAG."""
        return {
            "count": self.retry.count,
            "delay_seconds": self.retry.delay_seconds,
            "exponential": self.retry.exponential,
        }

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> NodeRetryPolicy:
        """Back from a serialised DAG."""
        return cls(Retry(**data))
